/* device_array.c - see device_array.h. */
#include "device_array.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

double round_to(cf_dtype dtype, double x)
{
    const int digits = dtype == CF_F32 ? 24 : dtype == CF_F16 ? 11 : 8, lowest = dtype == CF_F16 ? -14 : -126;
    if (x == 0 || !isfinite(x))
        return x;
    const int exponent = ilogb(x) > lowest ? ilogb(x) : lowest;
    const double y = ldexp(nearbyint(ldexp(x, digits - 1 - exponent)), exponent - digits + 1);
    return fabs(y) >= (dtype == CF_F16 ? 0x1p16 : 0x1p128) ? copysign(INFINITY, x) : y;
}

uint16_t bits_of_half(cf_dtype dtype, double x)
{
    const int digits = dtype == CF_F16 ? 10 : 7, bias = dtype == CF_F16 ? 15 : 127;
    const uint16_t sign = signbit(x) ? 0x8000 : 0;
    const uint16_t largest = (uint16_t)((2 * bias + 1) << digits);
    if (isnan(x))
        return 0x7fff;
    if (isinf(x))
        return sign | largest;
    const int exponent = x != 0 && ilogb(x) > 1 - bias ? ilogb(x) : 1 - bias;
    const double mantissa = ldexp(fabs(x), digits - exponent); /* with its leading one, unless subnormal */
    return (uint16_t)(sign | (uint16_t)(((exponent + bias - 1) << digits) + (int)mantissa));
}

device_array device_make_raw(cf_dtype dtype, const void *elements, int64_t n, int64_t offset)
{
    const size_t size = cf_dtype_bytes(dtype), skip = (size_t)offset * size, bytes = (size_t)n * size;
    device_array a = {NULL, NULL, dtype, n};
    CUDA_OK(cudaMalloc(&a.base, skip + bytes));
    CUDA_OK(cudaMemset(a.base, 0xff, skip + bytes));
    a.data = (char *)a.base + skip;
    if (elements)
        CUDA_OK(cudaMemcpy(a.data, elements, bytes, cudaMemcpyHostToDevice));
    return a;
}

device_array device_make(cf_dtype dtype, const float *values, int64_t n, int64_t offset)
{
    if (dtype == CF_F32 || !values)
        return device_make_raw(dtype, values, n, offset);
    uint16_t *half = malloc((size_t)(n + 1) * sizeof *half);
    assert_non_null(half);
    for (int64_t i = 0; i < n; i++)
        half[i] = bits_of_half(dtype, round_to(dtype, (double)values[i]));
    const device_array a = device_make_raw(dtype, half, n, offset);
    free(half);
    return a;
}

void *device_elements(const device_array *a)
{
    const size_t bytes = (size_t)a->n * cf_dtype_bytes(a->dtype);
    void *elements = malloc(bytes + 1);
    assert_non_null(elements);
    CUDA_OK(cudaMemcpy(elements, a->data, bytes, cudaMemcpyDeviceToHost));
    return elements;
}

float *device_values(const device_array *a)
{
    void *elements = device_elements(a);
    float *values = malloc((size_t)(a->n + 1) * sizeof *values);
    assert_non_null(values);
    cf_to_f32(values, elements, a->dtype, (size_t)a->n);
    free(elements);
    return values;
}

void device_free(device_array *a)
{
    const size_t skip = (size_t)((char *)a->data - (char *)a->base);
    unsigned char *before = malloc(skip + 1);
    assert_non_null(before);
    CUDA_OK(cudaMemcpy(before, a->base, skip, cudaMemcpyDeviceToHost));
    for (size_t i = 0; i < skip; i++)
        assert_int_equal(before[i], 0xff);
    free(before);
    CUDA_OK(cudaFree(a->base));
    *a = (device_array){0};
}

int32_t *device_indices(const int32_t *indices, int64_t n)
{
    void *memory = NULL;
    if (n == 0)
        return NULL;
    CUDA_OK(cudaMalloc(&memory, (size_t)n * sizeof *indices));
    CUDA_OK(cudaMemcpy(memory, indices, (size_t)n * sizeof *indices, cudaMemcpyHostToDevice));
    return memory;
}
