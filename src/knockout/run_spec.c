/* run_spec.c - the runs of a study, flow by flow, window size by window size, layer by layer; see plan.h. */
#include <stdlib.h>

#include "base/memory.h"
#include "knockout/plan.h"

cf_status cf_run_specs(cf_run_spec **out, size_t *n, const cf_flows *flows, const int32_t *ks, size_t n_ks,
                       int32_t layer_begin, int32_t layer_end, int32_t n_layers, cf_error *err)
{
    if (flows->n == 0)
        return cf_fail(err, CF_USAGE, "no flow to cut");
    for (size_t i = 0; i < n_ks; i++)
        if (ks[i] < 1)
            return cf_fail(err, CF_USAGE, "window %d: expected 1 or more layers", ks[i]);
    if (layer_begin < 0 || layer_begin >= layer_end || layer_end > n_layers)
        return cf_fail(err, CF_USAGE, "layers %d:%d: expected a range inside 0:%d", layer_begin, layer_end, n_layers);
    const size_t count = flows->n * n_ks * (size_t)(layer_end - layer_begin);
    void *memory = NULL;
    const cf_status st = cf_alloc(&memory, count, sizeof(cf_run_spec), "runs", err);
    if (st != CF_OK)
        return st;
    cf_run_spec *spec = memory;
    *out = spec;
    *n = count;
    for (size_t f = 0; f < flows->n; f++)
        for (size_t k = 0; k < n_ks; k++)
            for (int32_t l = layer_begin; l < layer_end; l++)
                *spec++ = (cf_run_spec){flows->items[f], ks[k], l, cf_window_around(l, ks[k], n_layers)};
    return CF_OK;
}
