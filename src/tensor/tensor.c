/* tensor.c - see tensor.h. */
#include "tensor/tensor.h"

#include <assert.h>
#include <math.h>
#include <string.h>

size_t cf_dtype_bytes(cf_dtype t)
{
    return t == CF_F32 ? 4 : 2;
}

const char *cf_dtype_name(cf_dtype t)
{
    return t == CF_F32 ? "f32" : t == CF_F16 ? "f16" : "bf16";
}

cf_tensor cf_tensor_2d(void *data, cf_dtype dtype, int64_t rows, int64_t cols)
{
    return (cf_tensor){data, dtype, 2, {rows, cols, 1, 1}};
}

cf_tensor cf_tensor_rows(const cf_tensor *t, int64_t begin, int64_t end)
{
    assert(t->rank == 2 && begin >= 0 && begin <= end && end <= t->shape[0]);
    const size_t row = (size_t)t->shape[1] * cf_dtype_bytes(t->dtype);
    return cf_tensor_2d((char *)t->data + (size_t)begin * row, t->dtype, end - begin, t->shape[1]);
}

int64_t cf_tensor_count(const cf_tensor *t)
{
    int64_t n = 1;
    for (int32_t i = 0; i < t->rank; i++)
        n *= t->shape[i];
    return n;
}

static float f32_of_bits(uint32_t u)
{
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}

float cf_bf16_to_f32(uint16_t h)
{
    return f32_of_bits((uint32_t)h << 16);
}

uint16_t cf_f32_to_bf16(float f)
{
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    if ((u & 0x7fffffffu) > 0x7f800000u)
        return (uint16_t)((u >> 16) | 0x40u); /* quiet NaN: rounding must not turn it into infinity */
    return (uint16_t)((u + 0x7fffu + ((u >> 16) & 1u)) >> 16);
}

float cf_f16_to_f32(uint16_t h)
{
    const uint32_t sign = (uint32_t)(h & 0x8000u) << 16;
    const uint32_t mag = h & 0x7fffu;
    if (mag >= 0x7c00u)
        return f32_of_bits(sign | 0x7f800000u | ((mag & 0x3ffu) << 13));
    if (mag >= 0x0400u)
        return f32_of_bits(sign | ((mag + ((127u - 15u) << 10)) << 13));
    const float sub = (float)mag * 0x1p-24f; /* subnormal: mantissa times 2^-24, exact */
    return sign ? -sub : sub;
}

void cf_to_f32(float *dst, const void *src, cf_dtype dtype, size_t n)
{
    const uint16_t *h = src;
    switch (dtype) {
    case CF_F32:
        if (n) /* an empty array may have no address */
            memcpy(dst, src, n * sizeof *dst);
        break;
    case CF_F16:
        for (size_t i = 0; i < n; i++)
            dst[i] = cf_f16_to_f32(h[i]);
        break;
    case CF_BF16:
        for (size_t i = 0; i < n; i++)
            dst[i] = cf_bf16_to_f32(h[i]);
        break;
    }
}

cf_difference cf_compare(const float *a, const float *b, size_t n)
{
    cf_difference d = {0};
    double largest = 0, square = 0, square_b = 0;
    for (size_t i = 0; i < n; i++) {
        const double e = fabs((double)a[i] - (double)b[i]);
        if (!isfinite(e)) { /* NaN; and infinity, which would make the ratios below NaN */
            d.max_abs = d.max_relative = d.nmse = INFINITY;
            d.at = (int64_t)i;
            return d;
        }
        if (e > d.max_abs) {
            d.max_abs = e;
            d.at = (int64_t)i;
        }
        if (fabs((double)b[i]) > largest)
            largest = fabs((double)b[i]);
        square += e * e;
        square_b += (double)b[i] * (double)b[i];
    }
    d.max_relative = d.max_abs > 0 ? d.max_abs / largest : 0;
    d.nmse = square > 0 ? square / square_b : 0;
    return d;
}
