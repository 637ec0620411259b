/* plugin.h - the CUDA backend is a shared object of its own, so that one crossflow runs with and without a GPU, and
 * without any of CUDA's libraries: what the object exports, and how it is found and loaded. Inside src/backend only.
 *
 * It is looked for under the name that CF_CUDA_PLUGIN gives, or else beside the executable and in ../lib/crossflow. The
 * stamp is read before anything else: an object of another build is refused, never called. */
#ifndef CF_BACKEND_PLUGIN_H
#define CF_BACKEND_PLUGIN_H

#include "backend/backend_internal.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CF_PLUGIN_FILE "libcrossflow_cuda.so"
#define CF_PLUGIN_SYMBOL "cf_plugin_cuda" /* a const cf_plugin */
/* The number after the slash grows with every change to what an entry of the tables means. */
#define CF_PLUGIN_VERSION CF_VERSION "/2"

typedef struct cf_plugin {
    size_t ops_bytes, backend_bytes; /* sizeof(cf_backend_ops), sizeof(cf_backend): with version, the stamp */
    const char *version;             /* CF_PLUGIN_VERSION */
    const cf_backend_ops *ops;       /* of every cuda:N; open goes by options->ordinal */
    cf_status (*memory)(int64_t *bytes, int ordinal, cf_error *err);
    cf_status (*list)(cf_str *out, cf_error *err); /* a line a device; where there is none, the error says why */
} cf_plugin;

/* The object stays loaded until the process ends. device: the name that was asked for, for the message. CF_UNSUPPORTED
 * where there is none, CF_MISMATCH for one of another build, CF_DEVICE for one that cannot be loaded. */
CF_MUST_USE cf_status cf_plugin_load(const cf_plugin **out, const char *device, cf_error *err);

#ifdef __cplusplus
}
#endif
#endif
