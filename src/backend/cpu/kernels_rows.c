/* kernels_rows.c - norms, rotary embedding, activations and dtype conversion, one row at a time. Bound by memory, all
 * of them. */
#include "backend/cpu/kernels.h"

#include <math.h>
#include <string.h>

#include "backend/cpu/simd.h"

/* A row's end that fills no vector: its elements, zeros behind them. */
static inline vf load_end(const float *x, int64_t n)
{
    float lane[VF_LANES] = {0};
    memcpy(lane, x, (size_t)n * sizeof *lane);
    return vf_load(lane);
}

static inline void store_end(float *y, vf v, int64_t n)
{
    float lane[VF_LANES];
    vf_store(lane, v);
    memcpy(y, lane, (size_t)n * sizeof *lane);
}

/* Up to VF_LANES elements of x, the rest of the vector zero; n is how many are left in the row. */
static inline vf get(const float *x, int64_t n)
{
    return n >= VF_LANES ? vf_load(x) : load_end(x, n);
}

/* Writes up to VF_LANES results from element `at` of a row of either dtype. */
static inline void put(void *y, cf_dtype dtype, int64_t at, int64_t n, vf v)
{
    if (dtype == CF_F32) {
        if (n >= VF_LANES)
            vf_store((float *)y + at, v);
        else
            store_end((float *)y + at, v, n);
    } else if (n >= VF_LANES) {
        vf_store_bf16((uint16_t *)y + at, v);
    } else {
        uint16_t lane[VF_LANES];
        vf_store_bf16(lane, v);
        memcpy((uint16_t *)y + at, lane, (size_t)n * sizeof *lane);
    }
}

static void to_bf16(uint16_t *y, const float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i += VF_LANES)
        put(y, CF_BF16, i, n - i, get(x + i, n - i));
}

static void from_f16(float *y, const uint16_t *x, int64_t n)
{
    int64_t i = 0;
#if defined(__F16C__)
    for (; i + 8 <= n; i += 8)
        _mm256_storeu_ps(y + i, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)(x + i))));
#endif
    for (; i < n; i++)
        y[i] = cf_f16_to_f32(x[i]);
}

static void rms_norm(void *y, cf_dtype y_dtype, const float *x, const float *gamma, float eps, int64_t d)
{
    vf square = vf_set1(0);
    for (int64_t i = 0; i < d; i += VF_LANES) {
        const vf v = get(x + i, d - i);
        square = vf_fma(v, v, square);
    }
    const vf scale = vf_set1(1.0f / sqrtf(vf_sum(square) / (float)d + eps));
    for (int64_t i = 0; i < d; i += VF_LANES)
        put(y, y_dtype, i, d - i, get(x + i, d - i) * scale * get(gamma + i, d - i));
}

static void layer_norm(void *y, cf_dtype y_dtype, const float *x, const float *gamma, const float *beta, float eps,
                       int64_t d)
{
    vf sum = vf_set1(0), square = vf_set1(0);
    for (int64_t i = 0; i < d; i += VF_LANES)
        sum = sum + get(x + i, d - i);
    const float mean = vf_sum(sum) / (float)d;
    for (int64_t i = 0; i < d; i += VF_LANES) {
        vf v = get(x + i, d - i) - vf_set1(mean);
        if (d - i < VF_LANES) { /* the lanes past the row's end are none of its */
            float lane[VF_LANES];
            vf_store(lane, v);
            v = load_end(lane, d - i);
        }
        square = vf_fma(v, v, square);
    }
    const vf scale = vf_set1(1.0f / sqrtf(vf_sum(square) / (float)d + eps));
    for (int64_t i = 0; i < d; i += VF_LANES) {
        const vf v = (get(x + i, d - i) - vf_set1(mean)) * scale;
        put(y, y_dtype, i, d - i, vf_fma(v, get(gamma + i, d - i), get(beta + i, d - i)));
    }
}

static void rope(float *row, const float *angles, int64_t n_heads, int64_t head_dim)
{
    const int64_t half = head_dim / 2;
    const float *cosine = angles, *sine = angles + half;
    for (int64_t h = 0; h < n_heads; h++) {
        float *first = row + h * head_dim, *second = first + half;
        for (int64_t i = 0; i < half; i += VF_LANES) {
            const int64_t n = half - i;
            const vf a = get(first + i, n), b = get(second + i, n), c = get(cosine + i, n), s = get(sine + i, n);
            put(first, CF_F32, i, n, a * c - b * s);
            put(second, CF_F32, i, n, b * c + a * s);
        }
    }
}

/* The exact GELU and its tanh form appear once per picture, in the projector: libm is fast enough there. */
static vf gelu(vf x, cf_unary f)
{
    float lane[VF_LANES];
    vf_store(lane, x);
    for (int i = 0; i < VF_LANES; i++) {
        const float v = lane[i];
        lane[i] = f == CF_UNARY_GELU ? 0.5f * v * (1 + erff(v * 0.707106781186547524f))
                                     : 0.5f * v * (1 + tanhf(0.797884560802865356f * (v + 0.044715f * v * v * v)));
    }
    return vf_load(lane);
}

static vf unary(vf x, cf_unary f)
{
    switch (f) {
    case CF_UNARY_SILU:
        return x / (vf_set1(1) + vf_exp(-x));
    case CF_UNARY_QUICK_GELU:
        return x / (vf_set1(1) + vf_exp(x * vf_set1(-1.702f)));
    case CF_UNARY_GELU:
    case CF_UNARY_GELU_TANH:
        break;
    }
    return gelu(x, f);
}

static void activate(void *y, cf_dtype y_dtype, const float *x, const float *times, cf_unary f, int64_t n)
{
    for (int64_t i = 0; i < n; i += VF_LANES) {
        vf v = unary(get(x + i, n - i), f);
        if (times)
            v = v * get(times + i, n - i);
        put(y, y_dtype, i, n - i, v);
    }
}

#define CF_QUOTE_(x) #x
#define CF_QUOTE(x) CF_QUOTE_(x)

const cf_kernels CF_ISA_NAME(cf_kernels) = {
    .isa = CF_QUOTE(CF_ISA),
    .rms_norm = rms_norm,
    .layer_norm = layer_norm,
    .rope = rope,
    .activate = activate,
    .attend = CF_ISA_NAME(cf_attend),
    .to_bf16 = to_bf16,
    .from_f16 = from_f16,
};
