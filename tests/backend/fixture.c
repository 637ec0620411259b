/* fixture.c - see fixture.h. */
#include "fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/safetensors_writer.h"

void fixture_open(fixture *f, const char *device, cf_dtype compute)
{
    f->compute = compute;
    f->device = device;
    f->is_accelerator = cf_backend_is_accelerator(device);
    f->thin = getenv("CF_TEST_THIN") ? 5 : 1;
    OK(cf_backend_open(&f->ref, "ref", &(cf_backend_options){.compute = CF_F32}, &err));
    OK(cf_backend_open(&f->one, device, &(cf_backend_options){.n_threads = 1, .compute = compute}, &err));
    OK(cf_backend_open(&f->two, device, &(cf_backend_options){.n_threads = 2, .compute = compute}, &err));
    f->value = cf_backend_value_dtype(f->two);
}

void fixture_close(fixture *f)
{
    cf_backend_close(f->ref);
    cf_backend_close(f->one);
    cf_backend_close(f->two);
}

float *random_values(uint64_t seed, int64_t n, float scale)
{
    float *x = malloc((size_t)(n ? n : 1) * sizeof *x);
    assert_non_null(x);
    uint64_t s = seed * 0x9e3779b97f4a7c15u + 1;
    for (int64_t i = 0; i < n; i++) { /* splitmix64 (Steele et al. 2014) */
        uint64_t z = (s += 0x9e3779b97f4a7c15u);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        x[i] = scale * (float)(int32_t)(z >> 32) * 0x1p-31f;
    }
    return x;
}

static uint16_t to_half(float x, cf_dtype dtype)
{
    return dtype == CF_F16 ? safetensors_f32_to_f16(x) : cf_f32_to_bf16(x);
}

void round_values(float *x, int64_t n, cf_dtype dtype)
{
    for (int64_t i = 0; dtype != CF_F32 && i < n; i++) {
        const uint16_t half = to_half(x[i], dtype);
        x[i] = dtype == CF_F16 ? cf_f16_to_f32(half) : cf_bf16_to_f32(half);
    }
}

cf_tensor tensor_make(cf_backend *be, cf_dtype dtype, int64_t rows, int64_t cols, const float *values)
{
    cf_tensor t = {0};
    OK(cf_backend_alloc(be, &t, dtype, rows, cols, &err));
    if (!values)
        return t;
    if (dtype == CF_F32) {
        OK(cf_backend_upload(be, &t, values, &err));
        return t;
    }
    const int64_t n = rows * cols;
    uint16_t *half = malloc((size_t)(n ? n : 1) * sizeof *half);
    assert_non_null(half);
    for (int64_t i = 0; i < n; i++)
        half[i] = to_half(values[i], dtype);
    OK(cf_backend_upload(be, &t, half, &err));
    free(half);
    return t;
}

float *tensor_values(cf_backend *be, const cf_tensor *t)
{
    const size_t n = (size_t)cf_tensor_count(t);
    void *raw = malloc((n ? n : 1) * sizeof(float));
    float *x = malloc((n ? n : 1) * sizeof *x);
    assert_non_null(raw);
    assert_non_null(x);
    OK(cf_backend_download(be, raw, t, &err));
    cf_to_f32(x, raw, t->dtype, n);
    free(raw);
    return x;
}

void check_close(const char *what, int64_t i, int64_t j, int64_t k, const float *got, const float *expected, int64_t n,
                 bounds b)
{
    const cf_difference d = cf_compare(got, expected, (size_t)n);
    if (!(d.nmse <= b.nmse) || !(d.max_abs <= b.max_abs))
        fail_msg("%s (%lld, %lld, %lld): NMSE %.3g of at most %.3g, largest difference %.3g of at most %.3g, at %lld",
                 what, (long long)i, (long long)j, (long long)k, d.nmse, b.nmse, d.max_abs, b.max_abs, (long long)d.at);
}

void check_same(const char *what, int64_t i, int64_t j, int64_t k, const float *a, const float *b, int64_t n)
{
    if (memcmp(a, b, (size_t)n * sizeof *a) == 0)
        return;
    int64_t at = 0;
    while (memcmp(&a[at], &b[at], sizeof *a) == 0)
        at++;
    fail_msg("%s (%lld, %lld, %lld): bits differ first at %lld: %a and %a", what, (long long)i, (long long)j,
             (long long)k, (long long)at, (double)a[at], (double)b[at]);
}

/* Steps are even between powers of two, and below the smallest normal number. */
static double half_a_step(cf_dtype dtype, double x)
{
    const int digits = dtype == CF_F32 ? 24 : dtype == CF_F16 ? 11 : 8, least = dtype == CF_F16 ? -14 : -126;
    const int exponent = x != 0 && ilogb(x) > least ? ilogb(x) : least;
    return ldexp(1, exponent - digits);
}

void check_stored(const char *what, int64_t i, int64_t j, int64_t k, cf_dtype dtype, const float *got,
                  const float *exact, int64_t n, double delta)
{
    for (int64_t at = 0; at < n; at++) {
        const double x = (double)exact[at], bound = delta + half_a_step(dtype, fabs(x) + delta);
        if (!(fabs((double)got[at] - x) <= bound))
            fail_msg("%s (%lld, %lld, %lld) in %s: element %lld: %a, expected %a within %.3g", what, (long long)i,
                     (long long)j, (long long)k, cf_dtype_name(dtype), (long long)at, (double)got[at], x, bound);
    }
}

void check_rounded(const char *what, cf_dtype dtype, const float *half, const float *f32, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (to_half(half[i], dtype) != to_half(f32[i], dtype))
            fail_msg("%s: element %lld: %a in f32, %a in %s", what, (long long)i, (double)f32[i], (double)half[i],
                     cf_dtype_name(dtype));
}

void only_on_the_cpu(const fixture *f, const char *why)
{
    if (!f->is_accelerator)
        return;
    (void)printf("skipped on %s: %s\n", f->device, why);
    skip();
}
