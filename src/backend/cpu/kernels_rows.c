/* kernels_rows.c - norms, rotary embedding, activations and dtype conversion, one row at a time. Bound by memory, all
 * of them. */
#include "backend/cpu/kernels.h"

#include <math.h>
#include <string.h>

#include "backend/cpu/simd.h"

/* Nearest even in integer arithmetic, the same on every instruction set (the AVX512-BF16 instruction flushes
 * subnormals). */
static inline uint16_t bf16_of(float f)
{
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    const uint32_t rounded = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16;
    return (uint16_t)((u & 0x7fffffffu) > 0x7f800000u ? (u >> 16) | 0x40u : rounded);
}

static void to_bf16(uint16_t *y, const float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = bf16_of(x[i]);
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

/* Writes up to VF_LANES results to a row of either dtype. */
static inline void put(void *y, cf_dtype dtype, int64_t at, int64_t n, const float *value)
{
    if (dtype == CF_F32)
        memcpy((float *)y + at, value, (size_t)n * sizeof *value);
    else
        to_bf16((uint16_t *)y + at, value, n);
}

/* Up to VF_LANES elements of x from `at`, the rest of the vector zero. */
static inline vf get(const float *x, int64_t at, int64_t n)
{
    if (n >= VF_LANES)
        return vf_load(x + at);
    float lane[VF_LANES] = {0};
    memcpy(lane, x + at, (size_t)n * sizeof *lane);
    return vf_load(lane);
}

static inline int64_t at_most_lanes(int64_t n)
{
    return n < VF_LANES ? n : VF_LANES;
}

static void rms_norm(void *y, cf_dtype y_dtype, const float *x, const float *gamma, float eps, int64_t d)
{
    vf square = vf_set1(0);
    for (int64_t i = 0; i < d; i += VF_LANES) {
        const vf v = get(x, i, d - i);
        square = vf_fma(v, v, square);
    }
    const vf scale = vf_set1(1.0f / sqrtf(vf_sum(square) / (float)d + eps));
    for (int64_t i = 0; i < d; i += VF_LANES) {
        float lane[VF_LANES];
        vf_store(lane, get(x, i, d - i) * scale * get(gamma, i, d - i));
        put(y, y_dtype, i, at_most_lanes(d - i), lane);
    }
}

static void layer_norm(void *y, cf_dtype y_dtype, const float *x, const float *gamma, const float *beta, float eps,
                       int64_t d)
{
    vf sum = vf_set1(0), square = vf_set1(0);
    for (int64_t i = 0; i < d; i += VF_LANES)
        sum = sum + get(x, i, d - i);
    const float mean = vf_sum(sum) / (float)d;
    for (int64_t i = 0; i < d; i += VF_LANES) {
        const int64_t n = at_most_lanes(d - i);
        float lane[VF_LANES];
        vf_store(lane, get(x, i, n) - vf_set1(mean));
        const vf v = get(lane, 0, n); /* clears the lanes past the row's end */
        square = vf_fma(v, v, square);
    }
    const vf scale = vf_set1(1.0f / sqrtf(vf_sum(square) / (float)d + eps));
    for (int64_t i = 0; i < d; i += VF_LANES) {
        float lane[VF_LANES];
        const vf v = (get(x, i, d - i) - vf_set1(mean)) * scale;
        vf_store(lane, vf_fma(v, get(gamma, i, d - i), get(beta, i, d - i)));
        put(y, y_dtype, i, at_most_lanes(d - i), lane);
    }
}

static void rope(float *row, const float *angles, int64_t n_heads, int64_t head_dim)
{
    const int64_t half = head_dim / 2;
    const float *cosine = angles, *sine = angles + half;
    for (int64_t h = 0; h < n_heads; h++) {
        float *first = row + h * head_dim, *second = first + half;
        for (int64_t i = 0; i < half; i += VF_LANES) {
            const int64_t n = at_most_lanes(half - i);
            const vf a = get(first, i, n), b = get(second, i, n), c = get(cosine, i, n), s = get(sine, i, n);
            float lane[VF_LANES];
            vf_store(lane, a * c - b * s);
            memcpy(first + i, lane, (size_t)n * sizeof *lane);
            vf_store(lane, b * c + a * s);
            memcpy(second + i, lane, (size_t)n * sizeof *lane);
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
        vf v = unary(get(x, i, n - i), f);
        if (times)
            v = v * get(times, i, n - i);
        float lane[VF_LANES];
        vf_store(lane, v);
        put(y, y_dtype, i, at_most_lanes(n - i), lane);
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
