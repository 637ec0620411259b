/* memory.c - see memory.h. */
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

cf_status cf_mul_size(size_t *out, size_t a, size_t b, cf_error *err)
{
    size_t r;
    if (__builtin_mul_overflow(a, b, &r))
        return cf_fail(err, CF_FORMAT, "a size of %zu x %zu bytes overflows", a, b);
    *out = r;
    return CF_OK;
}

cf_status cf_alloc(void **out, size_t n, size_t bytes, const char *what, cf_error *err)
{
    size_t total = 0;
    const cf_status st = cf_mul_size(&total, n, bytes, err);
    if (st != CF_OK)
        return st;
    /* aligned_alloc wants a multiple of the alignment, and at least one unit so that NULL always means failure. */
    if (total > SIZE_MAX - CF_ALIGN_BYTES)
        return cf_fail(err, CF_NOMEM, "no memory for %s (%zu bytes)", what, total);
    const size_t rounded = (total / CF_ALIGN_BYTES + 1) * CF_ALIGN_BYTES;
    void *p = aligned_alloc(CF_ALIGN_BYTES, rounded);
    if (!p)
        return cf_fail(err, CF_NOMEM, "no memory for %s (%zu bytes)", what, total);
    memset(p, 0, rounded);
    *out = p;
    return CF_OK;
}

cf_status cf_grow(void **items, size_t *cap, size_t need, size_t bytes, const char *what, cf_error *err)
{
    if (need <= *cap)
        return CF_OK;
    size_t n = *cap ? *cap : 8;
    while (n < need) {
        if (n > SIZE_MAX / 2)
            return cf_fail(err, CF_NOMEM, "no memory for %zu %s", need, what);
        n *= 2;
    }
    size_t total = 0;
    const cf_status st = cf_mul_size(&total, n, bytes, err);
    if (st != CF_OK)
        return st;
    void *p = realloc(*items, total);
    if (!p)
        return cf_fail(err, CF_NOMEM, "no memory for %s (%zu bytes)", what, total);
    *items = p;
    *cap = n;
    return CF_OK;
}
