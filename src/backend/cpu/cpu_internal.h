/* cpu_internal.h - the cpu backend's own struct and the operations its files give one another. */
#ifndef CF_BACKEND_CPU_CPU_INTERNAL_H
#define CF_BACKEND_CPU_CPU_INTERNAL_H

#include "backend/backend_internal.h"
#include "backend/cpu/kernels.h"

typedef struct cf_products cf_products; /* oneDNN engine, stream and prepared products */

/* Scratch of one worker thread in attention; grows to the largest call and stays. */
typedef struct cf_attend_scratch {
    float *own; /* a run's own keys and values as tiles */
    size_t own_cap;
    cf_tile *tiles;
    size_t tiles_cap;
    uint64_t *words; /* visible words of a row block, then a key bitset per cut */
    size_t words_cap;
    float *acc;
    size_t acc_cap;
} cf_attend_scratch;

typedef struct cf_cpu {
    cf_backend base; /* first: a cf_backend * is a cf_cpu * */
    const cf_kernels *kernels;
    cf_products *products;
    cf_attend_scratch *scratch; /* [n_threads] */
} cf_cpu;

/* product.c */
typedef enum cf_isa { CF_ISA_BASE, CF_ISA_AVX2, CF_ISA_AVX512, CF_ISA_AVX512_BF16 } cf_isa;
cf_isa cf_products_isa(void); /* the best of these that oneDNN uses on this processor, under its cap */
cf_status cf_products_open(cf_products **out, cf_error *err);
void cf_products_close(cf_products *p);
cf_status cf_cpu_weight_create(cf_backend *be, cf_weight **out, const cf_tensor *host, cf_error *err);
cf_status cf_cpu_weight_fill(cf_backend *be, cf_weight *w, const cf_tensor *host, cf_error *err);
void cf_cpu_weight_free(cf_backend *be, cf_weight *w);
void cf_cpu_weight_shape(const cf_weight *w, int64_t *n, int64_t *k);
cf_status cf_cpu_linear(cf_backend *be, cf_tensor *y, const cf_tensor *x, const cf_weight *w, const cf_tensor *bias,
                        bool accumulate, cf_error *err);

/* cpu_attention.c */
cf_status cf_cpu_kv_create(cf_backend *be, cf_kv **out, int64_t n_layers, int64_t capacity, int64_t n_kv_heads,
                           int64_t head_dim, cf_error *err);
void cf_cpu_kv_free(cf_backend *be, cf_kv *kv);
cf_status cf_cpu_kv_copy(cf_backend *be, cf_kv *to, const cf_kv *from, int64_t layer, int64_t n, cf_error *err);
cf_status cf_cpu_kv_put(cf_backend *be, cf_kv *kv, int64_t layer, const cf_tensor *k, const cf_tensor *v,
                        const int32_t *pos, cf_error *err);
cf_status cf_cpu_attention(cf_backend *be, cf_tensor *out, const cf_tensor *q, const cf_tensor *k, const cf_tensor *v,
                           const cf_attn *a, cf_error *err);

#endif
