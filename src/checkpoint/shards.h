/* shards.h - the weight files of one folder, in whichever format it has them: a single file, or shards listed by an
 * index. Folder-private. */
#ifndef CF_CHECKPOINT_SHARDS_H
#define CF_CHECKPOINT_SHARDS_H

#include <stddef.h>

#include "base/error.h"
#include "checkpoint/weight_file.h"

typedef struct cf_shards {
    cf_weight_file *files; /* in the order in which the index first names them */
    size_t n, cap;
} cf_shards;

/* The first of model.safetensors, model.safetensors.index.json, pytorch_model.bin and pytorch_model.bin.index.json that
 * exists: the order of transformers. Every weight of an index must lie in the shard that it is mapped to. */
CF_MUST_USE cf_status cf_shards_open(cf_shards *out, const char *dir, cf_error *err);
void cf_shards_deinit(cf_shards *s);

#endif
