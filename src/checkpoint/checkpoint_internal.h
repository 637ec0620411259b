/* checkpoint_internal.h - the inside of a checkpoint. Everything is filled in by open and only read afterwards.
 * Folder-private. */
#ifndef CF_CHECKPOINT_CHECKPOINT_INTERNAL_H
#define CF_CHECKPOINT_CHECKPOINT_INTERNAL_H

#include "checkpoint/checkpoint.h"

#include "base/str.h"
#include "checkpoint/alias.h"
#include "checkpoint/shards.h"

typedef struct cf_weight_entry {
    char *name; /* canonical */
    const cf_stored_tensor *tensor;
    cf_rows rows;               /* those of the tensor that are this weight */
    const cf_weight_file *file; /* one of shards or tower_shards, which own the mappings */
} cf_weight_entry;

struct cf_checkpoint {
    char *dir;
    char *tower_dir;                                 /* of a separate vision tower; NULL where there is none */
    cf_str config_text, generation_text, tower_text; /* as stored, for the hash */
    cf_config config;
    cf_shards shards;
    cf_shards tower_shards;   /* empty where the checkpoint holds its tower itself */
    cf_weight_entry *weights; /* sorted by canonical name, without duplicates */
    size_t n_weights, cap_weights;
    int64_t n_parameters, weight_bytes;
};

/* Orders entries by name; for qsort. */
int cf_weight_entry_order(const void *a, const void *b);
/* By canonical name, exactly; NULL where absent. */
const cf_weight_entry *cf_checkpoint_entry(const cf_checkpoint *c, const char *name);

#endif
