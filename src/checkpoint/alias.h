/* alias.h - the layouts in which LLaVA weights are named, brought to one. Folder-private. */
#ifndef CF_CHECKPOINT_ALIAS_H
#define CF_CHECKPOINT_ALIAS_H

#include "base/error.h"

/* What canonical names of the vision tower begin with. */
#define CF_TOWER "model.vision_tower.vision_model."

/* *out = the canonical name (checkpoint.h) of a tensor stored under `stored`, a heap string that the caller frees; NULL
 * for a tensor that no model has use for. */
typedef cf_status cf_alias(char **out, const char *stored, cf_error *err);

/* In a LLaVA checkpoint; a name of no known layout stays as it is. */
CF_MUST_USE cf_status cf_alias_canonical(char **out, const char *stored, cf_error *err);
/* In a CLIP checkpoint, of which only the vision tower is of use. */
CF_MUST_USE cf_status cf_alias_tower(char **out, const char *stored, cf_error *err);

#endif
