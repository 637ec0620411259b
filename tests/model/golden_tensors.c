/* golden_tensors.c - see golden_tensors.h. */
#include "golden_tensors.h"

#include <stdio.h>
#include <stdlib.h>

#include "tensor/tensor.h"

float *golden_floats(const cf_safetensors *file, const char *key, const char *name, int64_t n)
{
    char full[128];
    (void)snprintf(full, sizeof full, "%s.%s", key, name);
    const cf_stored_tensor *t = cf_safetensors_find(file, full);
    if (!t || !t->readable || t->dtype != CF_F32 || t->count != n)
        fail_msg("golden %s: expected %lld values of f32, found %lld", full, (long long)n,
                 t ? (long long)t->count : -1LL);
    float *copy = malloc((size_t)n * sizeof *copy);
    assert_non_null(copy);
    cf_to_f32(copy, t->data, CF_F32, (size_t)n);
    return copy;
}

double check_relative(const char *what, const float *found, const float *expected, int64_t n, double bound)
{
    const cf_difference d = cf_compare(found, expected, (size_t)n);
    if (!(d.max_relative <= bound))
        fail_msg("%s: off by %.3g of the largest value, at most %.3g; at %lld: expected %.9g, found %.9g", what,
                 d.max_relative, bound, (long long)d.at, (double)expected[d.at], (double)found[d.at]);
    return d.max_relative;
}
