/* other_plugin.c - plug-ins that are not what they should be, and one that is: it is compiled once for each, with the stamp that CMakeLists.txt gives. All calls fail, and say that
 * they were made. */
#include "backend/plugin.h"

#ifdef STAMP_VERSION

static bool multiplies(cf_dtype compute)
{
    return compute == CF_F16;
}

static cf_status open(cf_backend **out, const cf_backend_options *options, cf_error *err)
{
    (void)out;
    return cf_fail(err, CF_DEVICE, "opened %d for %s", options->ordinal, cf_dtype_name(options->compute));
}

static cf_status memory(int64_t *bytes, int ordinal, cf_error *err)
{
    (void)err;
    *bytes = ordinal;
    return CF_OK;
}

static cf_status list(cf_str *out, cf_error *err)
{
    return cf_str_add_text(out, "cuda:0 a line of the plug-in's\n", err);
}

static const cf_backend_ops ops = {.name = "cuda", .multiplies = multiplies, .open = open};

extern const cf_plugin cf_plugin_cuda;
const cf_plugin cf_plugin_cuda = {.ops_bytes = sizeof(cf_backend_ops) + STAMP_EXTRA,
                                  .backend_bytes = sizeof(cf_backend),
                                  .version = STAMP_VERSION,
                                  .ops = &ops,
                                  .memory = memory,
                                  .list = list};

#else

extern const int nothing_of_interest;
const int nothing_of_interest = 1;

#endif
