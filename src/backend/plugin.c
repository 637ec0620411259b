/* plugin.c - see plugin.h. */
#include "backend/plugin.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

/* The folder of the running program; a heap string. */
static cf_status program_dir(char **out, cf_error *err)
{
    char path[PATH_MAX];
    const ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (n < 0)
        return cf_fail(err, CF_IO, "/proc/self/exe: cannot be read, so " CF_PLUGIN_FILE " cannot be looked for");
    path[n] = '\0';
    return cf_path_dir(out, path, err);
}

/* *out = the object's path, a heap string; NULL where there is none. */
static cf_status find(char **out, cf_error *err)
{
    static const char *const places[] = {CF_PLUGIN_FILE, "../lib/crossflow/" CF_PLUGIN_FILE};
    const char *given = getenv("CF_CUDA_PLUGIN");
    cf_status st = CF_OK;
    char *dir = NULL, *path = NULL;
    if (given && *given)
        return cf_strdup(out, cf_slice_of(given), err);
    CF_TRY(program_dir(&dir, err));
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        CF_TRY(cf_path_join(&path, dir, places[i], err));
        if (cf_file_exists(path)) {
            *out = path;
            path = NULL;
            break;
        }
        free(path);
        path = NULL;
    }
done:
    free(path);
    free(dir);
    return st;
}

static cf_status check_stamp(const cf_plugin *p, const char *device, const char *path, cf_error *err)
{
    if (p->ops_bytes != sizeof(cf_backend_ops) || p->backend_bytes != sizeof(cf_backend))
        return cf_fail(
            err, CF_MISMATCH,
            "device %s: %s belongs to another build of crossflow: expected tables of %zu and %zu bytes, found "
            "%zu and %zu",
            device, path, sizeof(cf_backend_ops), sizeof(cf_backend), p->ops_bytes, p->backend_bytes);
    if (strcmp(p->version, CF_PLUGIN_VERSION) != 0)
        return cf_fail(err, CF_MISMATCH,
                       "device %s: %s belongs to another version of crossflow: expected " CF_PLUGIN_VERSION
                       ", found %s",
                       device, path, p->version);
    return CF_OK;
}

cf_status cf_plugin_load(const cf_plugin **out, const char *device, cf_error *err)
{
    cf_status st = CF_OK;
    char *path = NULL;
    void *object = NULL;
    CF_TRY(find(&path, err));
    if (!path || !cf_file_exists(path)) {
        st = path ? cf_fail(err, CF_UNSUPPORTED, "device %s: CF_CUDA_PLUGIN names %s, which is not there", device, path)
                  : cf_fail(err, CF_UNSUPPORTED,
                            "device %s: this crossflow is built without CUDA: no " CF_PLUGIN_FILE
                            " beside the program or in ../lib/crossflow (CF_CUDA_PLUGIN names another place)",
                            device);
        goto done;
    }
    /* Never unloaded: the CUDA runtime inside it registers itself with the process. */
    object = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!object) {
        st = cf_fail(err, CF_DEVICE, "device %s: cannot be loaded: %s", device, dlerror());
        goto done;
    }
    const cf_plugin *p = dlsym(object, CF_PLUGIN_SYMBOL);
    if (!p) {
        st = cf_fail(err, CF_MISMATCH, "device %s: %s is no plug-in of crossflow: no " CF_PLUGIN_SYMBOL " in it",
                     device, path);
        goto done;
    }
    CF_TRY(check_stamp(p, device, path, err));
    *out = p;
done:
    if (object)
        (void)dlclose(object);
    free(path);
    return st;
}
