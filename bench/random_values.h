/* random_values.h - numbers for weights and inputs: the same everywhere, spread evenly around zero. */
#ifndef CF_BENCH_RANDOM_VALUES_H
#define CF_BENCH_RANDOM_VALUES_H

#include <stddef.h>
#include <stdint.h>

#include "tensor/tensor.h"

/* x[n] uniform in [-width, width): splitmix64 (Steele, Lea, Flood 2014), 24 bits of each number. */
static inline void fill_random(float *x, size_t n, float width, uint64_t seed)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t z = (seed += 0x9e3779b97f4a7c15u);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        x[i] = (float)((int32_t)(z >> 32)) * 0x1p-31f * width;
    }
}

/* The same, each rounded to what bf16 holds: products of either dtype then start from equal values. */
static inline void fill_random_bf16(float *x, size_t n, float width, uint64_t seed)
{
    fill_random(x, n, width, seed);
    for (size_t i = 0; i < n; i++)
        x[i] = cf_bf16_to_f32(cf_f32_to_bf16(x[i]));
}

#endif
