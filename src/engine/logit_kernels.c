/* logit_kernels.c - see logit_kernels.h. Each pass is a plain loop that compilers make vectors of, written once and
 * compiled for SSE2, AVX2 and AVX-512 by an attribute. No product is fused with a sum, and which terms are added to which
 * is fixed, so instruction sets do not differ in a bit.
 *
 * e^x: x = n ln2 + r with |r| <= ln2 / 2, and e^r = (c + r) / (c - r) = 1 + 2 r / (c - r) with c = r coth(r / 2), whose
 * series in r^2 has the terms 2 B_2k r^2k / (2k)!. It ends with r^12: the next term, 2.7e-11 r^14, is below 1e-17, and
 * so is what it does to e^r. Roundings, in units of 2^-53 of the result: a quarter in r; three in the quotient, two of
 * them from c - r, and it is at most 0.42 of the result; one in the last sum. Together 2.5, which is 2.8e-16. */
#include "engine/logit_kernels.h"

#include <string.h>

#define INLINE static inline __attribute__((always_inline))

enum {
    BLOCK = 512, /* terms added up pairwise: 4 kB */
    LANES = 64   /* four AVX-512 registers of floats */
};

INLINE double exp_of(double x)
{
    const double lowest = -0x1.628b76e3a7b61p+9; /* -1023 ln2: the power of two there is 0 */
    const double above = x < lowest ? lowest : x;
    /* Adding 1.5 * 2^52 rounds to an integer and leaves it in the low bits, from where a shift makes it an exponent. */
    const double z = above * 0x1.71547652b82fep+0 + 0x1.8p52, n = z - 0x1.8p52;
    /* ln2 in two parts, so that n times the first is exact. */
    const double r = (above - n * 0x1.62e42fefa38p-1) - n * 0x1.ef35793c7673p-45, s = r * r;
    double c = -691.0 / 653837184000;
    c = c * s + 1.0 / 23950080;
    c = c * s - 1.0 / 604800;
    c = c * s + 1.0 / 15120;
    c = c * s - 1.0 / 360;
    c = c * s + 1.0 / 6;
    c = c * s + 2;
    const double e = 1 + 2 * r / (c - r);
    uint64_t bits;
    memcpy(&bits, &z, sizeof bits);
    bits = (bits << 52) + ((uint64_t)1023 << 52);
    double power;
    memcpy(&power, &bits, sizeof power);
    return e * power;
}

INLINE double exp_sum(double largest, const float *logits, int64_t n)
{
    double term[BLOCK], sum = 0;
    for (int64_t begin = 0; begin < n; begin += BLOCK) {
        const int64_t m = n - begin < BLOCK ? n - begin : BLOCK;
        for (int64_t i = 0; i < m; i++)
            term[i] = exp_of((double)logits[begin + i] - largest);
        for (int64_t i = m; i < BLOCK; i++)
            term[i] = 0;
        for (int half = BLOCK / 2; half; half /= 2)
            for (int i = 0; i < half; i++)
                term[i] += term[half + i];
        sum += term[0];
    }
    return sum;
}

INLINE float largest_of(float least, const float *logits, int64_t n)
{
    float lane[LANES];
    int64_t i = 0;
    for (int l = 0; l < LANES; l++)
        lane[l] = least;
    for (; i + LANES <= n; i += LANES)
        for (int l = 0; l < LANES; l++)
            lane[l] = logits[i + l] > lane[l] ? logits[i + l] : lane[l];
    for (; i < n; i++)
        least = logits[i] > least ? logits[i] : least;
    for (int l = 0; l < LANES; l++)
        least = lane[l] > least ? lane[l] : least;
    return least;
}

INLINE int64_t count_above(float bound, const float *logits, int64_t n)
{
    int64_t total = 0;
    for (int64_t begin = 0; begin < n; begin += BLOCK) { /* counters as narrow as logits fill the vectors */
        const int64_t end = n - begin < BLOCK ? n : begin + BLOCK;
        int32_t count = 0;
        for (int64_t i = begin; i < end; i++)
            count += logits[i] > bound;
        total += count;
    }
    return total;
}

/* The passes for an instruction set, and their row of the table. */
#define KERNELS(set, target)                                                                                           \
    target static double exp_sum_##set(double largest, const float *logits, int64_t n)                                 \
    {                                                                                                                  \
        return exp_sum(largest, logits, n);                                                                            \
    }                                                                                                                  \
    target static float largest_##set(float least, const float *logits, int64_t n)                                     \
    {                                                                                                                  \
        return largest_of(least, logits, n);                                                                           \
    }                                                                                                                  \
    target static int64_t n_above_##set(float bound, const float *logits, int64_t n)                                   \
    {                                                                                                                  \
        return count_above(bound, logits, n);                                                                          \
    }                                                                                                                  \
    static const cf_logit_kernels kernels_##set = {#set, largest_##set, n_above_##set, exp_sum_##set};

KERNELS(avx512, __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl"))))
KERNELS(avx2, __attribute__((target("avx2"))))
KERNELS(base, )

double cf_exp(double x)
{
    return exp_of(x);
}

int cf_logit_kernels_all(const cf_logit_kernels *out[CF_MOST_LOGIT_KERNELS])
{
    int n = 0;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
        out[n++] = &kernels_avx512;
    if (__builtin_cpu_supports("avx2"))
        out[n++] = &kernels_avx2;
    out[n++] = &kernels_base;
    return n;
}

const cf_logit_kernels *cf_logit_kernels_here(void)
{
    const cf_logit_kernels *all[CF_MOST_LOGIT_KERNELS];
    (void)cf_logit_kernels_all(all);
    return all[0];
}
