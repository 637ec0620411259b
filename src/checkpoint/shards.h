/* shards.h - the safetensors files of one folder: a single file, or shards listed by an index. Folder-private. */
#ifndef CF_CHECKPOINT_SHARDS_H
#define CF_CHECKPOINT_SHARDS_H

#include <stddef.h>

#include "base/error.h"
#include "checkpoint/safetensors.h"

typedef struct cf_shards {
    cf_safetensors *files; /* in the order in which the index first names them */
    size_t n, cap;
} cf_shards;

/* model.safetensors where it exists, else the shards of model.safetensors.index.json: the order of transformers. Every
 * weight of the index must lie in the shard that it is mapped to. */
CF_MUST_USE cf_status cf_shards_open(cf_shards *out, const char *dir, cf_error *err);
void cf_shards_deinit(cf_shards *s);

#endif
