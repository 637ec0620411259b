/* pass.c - see pass.h. */
#include "engine/pass.h"

cf_status cf_passes_walk(void *states, size_t n, size_t size, cf_pass_layer step, int64_t n_layers, cf_error *err)
{
    for (int64_t l = 0; l < n_layers; l++)
        for (size_t i = 0; i < n; i++) {
            const cf_status st = step((char *)states + i * size, l, err);
            if (st != CF_OK)
                return st;
        }
    return CF_OK;
}
