/* ref_internal.h - what the files of ref/ give one another. */
#ifndef CF_BACKEND_REF_REF_INTERNAL_H
#define CF_BACKEND_REF_REF_INTERNAL_H

#include "backend/backend_internal.h"

/* ---- ref_value.c ---- */

/* *values = the tensor's values as f32, which is exact: its own, or a copy that *own is to free. */
CF_MUST_USE cf_status cf_ref_read(const float **values, void **own, const cf_tensor *t, cf_error *err);
/* Element `at` of t = x, rounded to its dtype. */
void cf_ref_store(const cf_tensor *t, int64_t at, double x);

/* ---- ref_attention.c ---- */

cf_status cf_ref_kv_create(cf_backend *be, cf_kv **out, int64_t n_layers, int64_t capacity, int64_t n_kv_heads,
                           int64_t head_dim, cf_error *err);
void cf_ref_kv_free(cf_backend *be, cf_kv *kv);
cf_status cf_ref_kv_copy(cf_backend *be, cf_kv *to, const cf_kv *from, int64_t layer, int64_t n, cf_error *err);
cf_status cf_ref_kv_put(cf_backend *be, cf_kv *kv, int64_t layer, const cf_tensor *k, const cf_tensor *v,
                        const int32_t *pos, cf_error *err);
cf_status cf_ref_attention(cf_backend *be, cf_tensor *out, const cf_tensor *q, const cf_tensor *k, const cf_tensor *v,
                           const cf_attn *a, cf_error *err);

#endif
