/* alias.h - the layouts in which LLaVA weights are named and joined, brought to one. Folder-private. */
#ifndef CF_CHECKPOINT_ALIAS_H
#define CF_CHECKPOINT_ALIAS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "checkpoint/config.h"

/* What canonical names of the vision tower begin with. */
#define CF_TOWER "model.vision_tower.vision_model."

/* *out = the canonical name (checkpoint.h) of a tensor stored under `stored`, a heap string that the caller frees; NULL
 * for a tensor that no model has use for. */
typedef cf_status cf_alias(char **out, const char *stored, cf_error *err);

/* In a LLaVA checkpoint; a name of no known layout stays as it is. */
CF_MUST_USE cf_status cf_alias_canonical(char **out, const char *stored, cf_error *err);
/* In a CLIP checkpoint, of which only the vision tower is of use. */
CF_MUST_USE cf_status cf_alias_tower(char **out, const char *stored, cf_error *err);

/* The rows [begin, begin + n) of a stored tensor of `of` rows; of 0: all that there are. */
typedef struct cf_rows {
    int64_t begin, n, of;
} cf_rows;

enum { CF_ALIAS_MAX_PARTS = 3 };

/* How many weights the tensor of a canonical name is: 1, or the parts of a fused matrix (alias_split.c). */
size_t cf_alias_n_parts(const char *canonical);
/* The canonical name of one of them, a heap string that the caller frees, and its rows. */
CF_MUST_USE cf_status cf_alias_part(char **name, cf_rows *rows, const char *canonical, size_t part,
                                    const cf_text_config *t, cf_error *err);

#endif
