/* vision_tower.c - see vision_tower.h. */
#include "checkpoint/vision_tower.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "checkpoint/hub.h"

/* *out = dir/name where that has a config.json, else NULL. */
static cf_status look_in(char **out, const char *dir, cf_slice name, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str path = {0};
    CF_TRY(cf_str_addf(&path, err, "%s/%.*s", dir, (int)name.n, name.data));
    const size_t n = path.n;
    CF_TRY(cf_str_add_text(&path, "/config.json", err));
    *out = NULL;
    if (cf_file_exists(path.data))
        st = cf_strdup(out, (cf_slice){path.data, n}, err);
done:
    cf_str_deinit(&path);
    return st;
}

/* A path without the slashes at its end. */
static cf_slice without_slashes(const char *path)
{
    cf_slice s = cf_slice_of(path);
    while (s.n > 1 && s.data[s.n - 1] == '/')
        s.n--;
    return s;
}

static cf_slice last_component(cf_slice path)
{
    const char *slash = path.n ? memrchr(path.data, '/', path.n) : NULL;
    return slash ? (cf_slice){slash + 1, path.n - (size_t)(slash + 1 - path.data)} : path;
}

cf_status cf_vision_tower_find(char **out, const char *name, const char *checkpoint_dir, const char *given,
                               cf_error *err)
{
    if (given)
        return cf_hub_find(out, given, err);
    cf_status st = CF_OK;
    char *dir = NULL, *parent = NULL, *found = NULL;
    const cf_slice tower = last_component(without_slashes(name));
    CF_TRY(cf_strdup(&dir, without_slashes(checkpoint_dir), err));
    CF_TRY(cf_path_dir(&parent, dir, err));
    CF_TRY(look_in(&found, dir, tower, err));
    if (!found)
        CF_TRY(look_in(&found, parent, tower, err));
    if (!found)
        CF_TRY(cf_hub_look(&found, name, err));
    *out = found;
done:
    free(parent);
    free(dir);
    return st;
}
