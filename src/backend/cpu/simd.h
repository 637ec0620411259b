/* simd.h - one vector type and a dozen operations, so that each kernel is written once and compiled for several
 * instruction sets.
 *
 * The file that includes this is compiled three times, with CF_ISA set to avx512, avx2 or base and the matching -m
 * flags (CMakeLists.txt); names that leave it go through CF_ISA_NAME. The vector types are the compiler's own, so + -
 * * / work on them; a product and a sum are fused only where vf_fma says so (contraction is off). Results may differ
 * between instruction sets, never within one. */
#ifndef CF_BACKEND_CPU_SIMD_H
#define CF_BACKEND_CPU_SIMD_H

#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#define CF_PASTE_(a, b) a##_##b
#define CF_PASTE(a, b) CF_PASTE_(a, b)
#define CF_ISA_NAME(name) CF_PASTE(name, CF_ISA)

#if defined(__AVX512F__)
typedef __m512 vf;
typedef int32_t vi __attribute__((vector_size(64)));
enum { VF_LANES = 16, VF_BLOCK = 4 }; /* VF_BLOCK vectors x 6 rows of sums fit the register file */
static inline vf vf_load(const float *p)
{
    return _mm512_loadu_ps(p);
}
static inline void vf_store(float *p, vf v)
{
    _mm512_storeu_ps(p, v);
}
static inline vf vf_set1(float x)
{
    return _mm512_set1_ps(x);
}
static inline vf vf_fma(vf a, vf b, vf c)
{
    return _mm512_fmadd_ps(a, b, c);
}
static inline vf vf_max(vf a, vf b)
{
    return _mm512_max_ps(a, b);
}
static inline vf vf_min(vf a, vf b)
{
    return _mm512_min_ps(a, b);
}
#elif defined(__AVX2__)
typedef __m256 vf;
typedef int32_t vi __attribute__((vector_size(32)));
enum { VF_LANES = 8, VF_BLOCK = 2 };
static inline vf vf_load(const float *p)
{
    return _mm256_loadu_ps(p);
}
static inline void vf_store(float *p, vf v)
{
    _mm256_storeu_ps(p, v);
}
static inline vf vf_set1(float x)
{
    return _mm256_set1_ps(x);
}
static inline vf vf_fma(vf a, vf b, vf c)
{
    return _mm256_fmadd_ps(a, b, c);
}
static inline vf vf_max(vf a, vf b)
{
    return _mm256_max_ps(a, b);
}
static inline vf vf_min(vf a, vf b)
{
    return _mm256_min_ps(a, b);
}
#else
typedef __m128 vf;
typedef int32_t vi __attribute__((vector_size(16)));
enum { VF_LANES = 4, VF_BLOCK = 2 };
static inline vf vf_load(const float *p)
{
    return _mm_loadu_ps(p);
}
static inline void vf_store(float *p, vf v)
{
    _mm_storeu_ps(p, v);
}
static inline vf vf_set1(float x)
{
    return _mm_set1_ps(x);
}
static inline vf vf_fma(vf a, vf b, vf c)
{
    return a * b + c; /* rounds twice: this instruction set has no fused form */
}
static inline vf vf_max(vf a, vf b)
{
    return _mm_max_ps(a, b);
}
static inline vf vf_min(vf a, vf b)
{
    return _mm_min_ps(a, b);
}
#endif

/* Lanes folded pairwise, upper half onto lower half, until one is left; the order depends on the instruction set only. */
#if defined(__AVX512F__)
#define VF_FOLD(v, op256, op128)                                                                                       \
    const __m256 half_ =                                                                                               \
        op256(_mm512_castps512_ps256(v), _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(v), 1)));            \
    const __m128 quarter_ = op128(_mm256_castps256_ps128(half_), _mm256_extractf128_ps(half_, 1))
#elif defined(__AVX2__)
#define VF_FOLD(v, op256, op128) const __m128 quarter_ = op128(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1))
#else
#define VF_FOLD(v, op256, op128) const __m128 quarter_ = (v)
#endif

static inline float vf_sum(vf v)
{
    VF_FOLD(v, _mm256_add_ps, _mm_add_ps);
    const __m128 two = _mm_add_ps(quarter_, _mm_movehl_ps(quarter_, quarter_));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}

static inline float vf_largest(vf v)
{
    VF_FOLD(v, _mm256_max_ps, _mm_max_ps);
    const __m128 two = _mm_max_ps(quarter_, _mm_movehl_ps(quarter_, quarter_));
    return _mm_cvtss_f32(_mm_max_ss(two, _mm_shuffle_ps(two, two, 1)));
}

/* Lane i of v where bit i of bits is set, else -infinity: removal by select. */
static inline vf vf_keep(vf v, uint32_t bits)
{
#if defined(__AVX512F__)
    return _mm512_mask_blend_ps((__mmask16)bits, _mm512_set1_ps(-INFINITY), v);
#else
    const vi zero = {0};
    vi lane = zero;
    for (int i = 0; i < VF_LANES; i++)
        lane[i] = (int32_t)(1u << i);
    const vi all = zero + (int32_t)bits;
    const vi keep = (all & lane) != 0;
    return (vf)(((vi)v & keep) | ((vi)vf_set1(-INFINITY) & ~keep));
#endif
}

typedef uint32_t vu __attribute__((vector_size(4 * VF_LANES)));
typedef uint16_t vh __attribute__((vector_size(2 * VF_LANES)));

/* y[VF_LANES] = v as bf16, nearest even, in integer arithmetic: the same on every instruction set (the AVX512-BF16
 * instruction flushes subnormals). */
static inline void vf_store_bf16(uint16_t *y, vf v)
{
    const vu u = (vu)v, rounded = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16;
    const vu nan = (vu)((u & 0x7fffffffu) > 0x7f800000u); /* all ones where it is one */
    const vh h = __builtin_convertvector((nan & ((u >> 16) | 0x40u)) | (~nan & rounded), vh);
    memcpy(y, &h, sizeof h);
}

/* e^x with a relative error below 2e-7 on [-87, 88]; below -87 it gives 0 (so e^-infinity is 0), above 88 e^88. x = n
 * ln2 + r with |r| <= ln2/2; e^r by its Taylor series to r^7 (next term 5e-9); ln2 in two parts so that n ln2 is exact
 * to the last bit of r. Adding 1.5 * 2^23 rounds to an integer and leaves it in the low bits of the mantissa, from
 * where a shift makes it an exponent. */
static inline vf vf_exp(vf x)
{
    const vf clamped = vf_min(vf_max(x, vf_set1(-87.0f)), vf_set1(88.0f));
    const vf magic = vf_set1(12582912.0f);
    const vf z = vf_fma(clamped, vf_set1(1.44269504088896341f), magic);
    const vf n = z - magic;
    vf r = vf_fma(n, vf_set1(-0x1.62e4p-1f), clamped);
    r = vf_fma(n, vf_set1(-0x1.7f7d1cp-20f), r);
    vf p = vf_set1(1.0f / 5040);
    p = vf_fma(p, r, vf_set1(1.0f / 720));
    p = vf_fma(p, r, vf_set1(1.0f / 120));
    p = vf_fma(p, r, vf_set1(1.0f / 24));
    p = vf_fma(p, r, vf_set1(1.0f / 6));
    p = vf_fma(p, r, vf_set1(0.5f));
    p = vf_fma(p, r, vf_set1(1.0f));
    p = vf_fma(p, r, vf_set1(1.0f));
    const vf power = (vf)(((vi)z << 23) + 0x3f800000);
    const vi inside = x >= vf_set1(-87.0f);
    return (vf)((vi)(p * power) & inside);
}

#endif
