/* ref_value.c - values of every dtype as the oracle reads and stores them: exactly, and rounded once from double. */
#include "backend/ref/ref_internal.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

cf_status cf_ref_read(const float **values, void **own, const cf_tensor *t, cf_error *err)
{
    *own = NULL;
    if (t->dtype == CF_F32) {
        *values = t->data;
        return CF_OK;
    }
    const size_t n = (size_t)cf_tensor_count(t);
    const cf_status st = cf_alloc(own, n, sizeof **values, "values", err);
    if (st != CF_OK)
        return st;
    cf_to_f32(*own, t->data, t->dtype, n);
    *values = *own;
    return CF_OK;
}

/* The bits of x in a format of 16 bits, `digits` of them behind the leading one, exponents from 1 - bias on: to the
 * nearest, ties to even, beyond the largest to infinity (IEEE 754, 4.3.1). */
static uint16_t half_of(double x, int digits, int bias)
{
    const int64_t infinity = (int64_t)(2 * bias + 1) << digits;
    const uint16_t sign = signbit(x) ? 0x8000 : 0;
    if (isnan(x))
        return (uint16_t)(infinity | 1 << (digits - 1));
    if (isinf(x))
        return (uint16_t)(sign | infinity);
    const int exponent = x != 0 && ilogb(x) > 1 - bias ? ilogb(x) : 1 - bias;
    /* Steps of the last digit with the leading one among them, which counts up the exponent, as a carry does. */
    const int64_t steps = (int64_t)nearbyint(ldexp(fabs(x), digits - exponent));
    const int64_t bits = ((int64_t)(exponent + bias - 1) << digits) + steps;
    return (uint16_t)(sign | (bits < infinity ? bits : infinity));
}

void cf_ref_store(const cf_tensor *t, int64_t at, double x)
{
    if (t->dtype == CF_F32)
        ((float *)t->data)[at] = (float)x;
    else
        ((uint16_t *)t->data)[at] = t->dtype == CF_F16 ? half_of(x, 10, 15) : half_of(x, 7, 127);
}
