/* alias.h - the layouts in which LLaVA weights are named, brought to one. Folder-private. */
#ifndef CF_CHECKPOINT_ALIAS_H
#define CF_CHECKPOINT_ALIAS_H

#include "base/error.h"

/* *out = the canonical name (checkpoint.h) of a tensor stored under `stored`; a name of no known layout stays as it
 * is. A heap string that the caller frees. */
CF_MUST_USE cf_status cf_alias_canonical(char **out, const char *stored, cf_error *err);

#endif
