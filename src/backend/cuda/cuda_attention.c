/* cuda_attention.c - attention with cuts as an operation: the planner makes flat arrays of the call, they are staged as one,
 * and the kernel reads them there. Stored keys and values have the compute dtype; so have a call's own, from which the f32
 * rows are converted first. */
#include <stdlib.h>

#include "backend/cuda/attention.h"
#include "backend/cuda/cuda_internal.h"
#include "backend/cuda/rows.h"

enum { VECTOR_BYTES = 16 }; /* the kernel's loads */

/* A call's own keys, or values, in the compute dtype; memory is kept from call to call. */
typedef struct own_rows {
    void *data;
    size_t bytes;
} own_rows;

struct cf_cuda_attention {
    cf_attend_plan *plan;
    own_rows k, v;
};

cf_status cf_cuda_attention_open(cf_cuda_attention **out, cf_error *err)
{
    cf_status st = CF_OK;
    cf_cuda_attention *s = calloc(1, sizeof *s);
    if (!s)
        return cf_fail(err, CF_NOMEM, "no memory for attention");
    CF_TRY(cf_attend_plan_create(&s->plan, err));
    CF_TRY(cf_cuda_check(err, cf_cuda_attend_prepare(), "attention"));
    *out = s;
    s = NULL;
done:
    if (s)
        cf_attend_plan_free(s->plan);
    free(s);
    return st;
}

void cf_cuda_attention_close(cf_cuda *cuda)
{
    cf_cuda_attention *s = cuda->attention;
    if (!s)
        return;
    cf_attend_plan_free(s->plan);
    cf_cuda_free(cuda, s->k.data);
    cf_cuda_free(cuda, s->v.data);
    free(s);
}

cf_status cf_cuda_op_kv_create(cf_backend *be, cf_kv **out, int64_t n_layers, int64_t capacity, int64_t n_kv_heads,
                               int64_t head_dim, cf_error *err)
{
    cf_cuda *cuda = NULL;
    cf_status st = CF_OK;
    cf_kv *kv = calloc(1, sizeof *kv);
    if (!kv)
        return cf_fail(err, CF_NOMEM, "no memory for keys and values");
    *kv = (cf_kv){.n_layers = n_layers,
                  .n_kv_heads = n_kv_heads,
                  .head_dim = head_dim,
                  .capacity = cf_cuda_kv_capacity(capacity),
                  .dtype = be->compute};
    CF_TRY(cf_cuda_enter(&cuda, be, NULL, err));
    CF_TRY(cf_cuda_malloc(cuda, &kv->k, cf_cuda_kv_bytes(kv), "keys", err));
    CF_TRY(cf_cuda_malloc(cuda, &kv->v, cf_cuda_kv_bytes(kv), "values", err));
    *out = kv;
    kv = NULL;
done:
    if (kv)
        cf_cuda_op_kv_free(be, kv);
    return st;
}

void cf_cuda_op_kv_free(cf_backend *be, cf_kv *kv)
{
    cf_cuda_free((cf_cuda *)be, kv->k);
    cf_cuda_free((cf_cuda *)be, kv->v);
    free(kv);
}

cf_status cf_cuda_op_kv_put(cf_backend *be, cf_kv *kv, int64_t layer, const cf_tensor *k, const cf_tensor *v,
                            const int32_t *pos, cf_error *err)
{
    cf_cuda *cuda = NULL;
    void *device = NULL;
    const int64_t n = k->shape[0];
    cf_status st = CF_OK;
    if (n == 0)
        return CF_OK;
    CF_TRY(cf_cuda_enter(&cuda, be, "kv_put", err));
    CF_TRY(cf_cuda_stage(cuda, &device, pos, (size_t)n * sizeof *pos, err));
    CF_TRY(cf_cuda_check(err, cf_cuda_kv_put(cuda->work, kv, layer, k->data, v->data, device, n), cuda->last));
done:
    return st;
}

/* *out = t in the compute dtype, aligned: t itself where it is so already. */
static cf_status own(cf_cuda *cuda, own_rows *r, const void **out, const cf_tensor *t, cf_error *err)
{
    const cf_dtype compute = cuda->base.compute;
    const int64_t n = t ? cf_tensor_count(t) : 0;
    const size_t bytes = (size_t)n * cf_dtype_bytes(compute);
    cf_status st = CF_OK;
    *out = NULL;
    if (n == 0)
        return CF_OK;
    if (compute == CF_F32 && (uintptr_t)t->data % VECTOR_BYTES == 0) {
        *out = t->data;
        return CF_OK;
    }
    if (bytes > r->bytes) {
        cf_cuda_free(cuda, r->data);
        *r = (own_rows){0};
        CF_TRY(cf_cuda_malloc(cuda, &r->data, bytes + bytes / 4, "rows of attention", err));
        r->bytes = bytes + bytes / 4;
    }
    CF_TRY(cf_cuda_check(err, cf_cuda_convert(cuda->work, r->data, compute, t->data, CF_F32, n), cuda->last));
    *out = r->data;
done:
    return st;
}

cf_status cf_cuda_op_attention(cf_backend *be, cf_tensor *out, const cf_tensor *q, const cf_tensor *k,
                               const cf_tensor *v, const cf_attn *a, cf_error *err)
{
    cf_cuda *cuda = NULL;
    cf_cuda_attention *s = NULL;
    void *device = NULL;
    size_t bytes = 0;
    cf_cuda_attend_call call = {.out = out->data,
                                .out_dtype = out->dtype,
                                .q = q->data,
                                .kv = a->kv,
                                .layer = a->layer,
                                .n_heads = a->n_heads,
                                .n_kv_heads = a->n_kv_heads,
                                .head_dim = a->head_dim,
                                .scale = a->scale,
                                .compute = be->compute};
    cf_status st = CF_OK;
    if (a->head_dim > CF_CUDA_MOST_HEAD_DIM) /* no fault of a question: it would be every one's */
        return cf_fail(err, CF_DEVICE, "cuda: attention with heads of %lld: expected %d at most",
                       (long long)a->head_dim, CF_CUDA_MOST_HEAD_DIM);
    CF_TRY(cf_cuda_enter(&cuda, be, "attention", err));
    s = cuda->attention;
    CF_TRY(cf_attend_plan_build(s->plan, a, err));
    const void *plan = cf_attend_plan_data(s->plan, &bytes);
    if (bytes == 0) /* no query */
        goto done;
    CF_TRY(cf_cuda_stage(cuda, &device, plan, bytes, err));
    call.plan = cf_attend_plan_view(s->plan, device);
    if (call.plan.n_items == 0)
        goto done;
    CF_TRY(own(cuda, &s->k, &call.own_k, k, err));
    CF_TRY(own(cuda, &s->v, &call.own_v, v, err));
    CF_TRY(cf_cuda_check(err, cf_cuda_attend(cuda->work, &call), cuda->last));
done:
    return st;
}
