/* vision_tower.h - where the vision tower of an original LLaVA checkpoint lies. Folder-private. */
#ifndef CF_CHECKPOINT_VISION_TOWER_H
#define CF_CHECKPOINT_VISION_TOWER_H

#include "base/error.h"

/* *out = the tower's folder, a heap string that the caller frees: `given` (cf_hub_find) where it is not NULL; else the
 * first of these that has a config.json, with `name` as org/tower: tower in the checkpoint's folder, tower beside that
 * folder, name itself as a path, name in the hub cache. NULL where there is none. */
CF_MUST_USE cf_status cf_vision_tower_find(char **out, const char *name, const char *checkpoint_dir, const char *given,
                                           cf_error *err);

#endif
