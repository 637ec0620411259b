/* product_internal.h - what product.c and weight.c share of oneDNN.
 *
 * Traps that these two files exist to keep in one place (oneDNN 2.6):
 * (1) Scratchpads are ours (user mode): a primitive with the library's scratchpad gives wrong numbers when two threads
 *     share it.
 * (2) A primitive fixes its thread count when it is made, from the count of the calling thread: set it before each call,
 *     as another backend may have another.
 * (3) A weight's blocked layout is asked for once, at a middling row count, and used for every row count: row
 *     invariance needs one layout.
 * (4) Code that cannot be mapped is generated all the same, through a null pointer: see first that there is room.
 * (5) There is no f16 product and the f16 -> f32 reorder is slow: f16 weights are widened by our own kernel first. */
#ifndef CF_BACKEND_CPU_PRODUCT_INTERNAL_H
#define CF_BACKEND_CPU_PRODUCT_INTERNAL_H

#include "backend/cpu/cpu_internal.h"

#include <oneapi/dnnl/dnnl.h>

struct cf_weight {
    int64_t n, k;
    dnnl_memory_desc_t layout;
    dnnl_memory_t memory;
    void *data; /* in layout */
};

typedef struct cf_product_key {
    int64_t m, n, k;
    int32_t bias, accumulate;
} cf_product_key;

struct cf_products {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    struct cf_product *slots; /* open-addressed table of prepared products */
    int n_prepared;
    void *scratch;
    size_t scratch_bytes;
    void *plain; /* a weight on its way into its layout */
    size_t plain_bytes;
};

/* A oneDNN status as ours; `what` is the call. */
cf_status cf_dnnl_check(dnnl_status_t s, const char *what, cf_error *err);
#define TRY_DNNL(call) CF_TRY(cf_dnnl_check(call, #call, err))

static inline dnnl_data_type_t cf_dnnl_type(cf_dtype t)
{
    return t == CF_BF16 ? dnnl_bf16 : dnnl_f32;
}

void cf_dnnl_plain(dnnl_memory_desc_t *md, dnnl_data_type_t type, int64_t rows, int64_t cols, dnnl_format_tag_t tag);

/* The primitive descriptor of y = x W^T (+ bias) (+ y) for a weight layout, which may be "any". The caller destroys it. */
cf_status cf_product_describe(dnnl_primitive_desc_t *out, const cf_products *p, dnnl_data_type_t type,
                              const cf_product_key *key, const dnnl_memory_desc_t *weight, cf_error *err);

/* Trap (4). Once before a primitive is made is once enough: they are made by one thread at a time. */
cf_status cf_products_check_room(cf_error *err);

/* Room for `bytes`; what was in it is lost when it grows. */
cf_status cf_products_reserve(void **buffer, size_t *has, size_t bytes, const char *what, cf_error *err);

#endif
