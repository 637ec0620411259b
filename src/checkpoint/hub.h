/* hub.h - models by name: a folder, or a repository in the local Hugging Face hub cache. Nothing is ever downloaded. */
#ifndef CF_CHECKPOINT_HUB_H
#define CF_CHECKPOINT_HUB_H

#include "base/error.h"

/* *dir = `model` itself where it is a folder; else, where it reads org/name or org/name@revision (a branch, tag or
 * commit; main by default), that snapshot's folder in the hub cache. A heap string that the caller frees. CF_IO, with
 * what to download, where there is neither. */
CF_MUST_USE cf_status cf_hub_find(char **dir, const char *model, cf_error *err);

/* The same, but *dir = NULL where there is neither. */
CF_MUST_USE cf_status cf_hub_look(char **dir, const char *model, cf_error *err);

#endif
