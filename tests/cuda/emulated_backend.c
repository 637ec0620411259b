/* emulated_backend.c - see emulated_backend.h. Every array a kernel gets is an allocation of its own, between guards. */
#include "cuda/emulated_backend.h"

#include <stdlib.h>
#include <string.h>

#include "backend/backend_internal.h"
#include "backend/cuda/attention.h"

typedef struct emulated {
    cf_backend base;
    cf_attend_plan *plan;
} emulated;

static cf_status check(cudaError_t e, const char *what, cf_error *err)
{
    return e == cudaSuccess ? CF_OK : cf_fail(err, CF_DEVICE, "%s: %s", what, cudaGetErrorString(e));
}

static cf_status take(void **out, size_t bytes, cf_error *err)
{
    const cf_status st = check(cudaMalloc(out, bytes), "cudaMalloc", err);
    if (st == CF_OK)
        memset(*out, 0, bytes);
    return st;
}

static void give(void *memory)
{
    if (cudaFree(memory) != cudaSuccess)
        abort(); /* a kernel wrote outside of it */
}

static cf_status alloc(cf_backend *be, cf_tensor *out, cf_dtype dtype, int64_t rows, int64_t cols, cf_error *err)
{
    (void)be;
    void *data = NULL;
    const cf_status st = take(&data, (size_t)(rows * cols) * cf_dtype_bytes(dtype), err);
    if (st == CF_OK)
        *out = cf_tensor_2d(data, dtype, rows, cols);
    return st;
}

static void release(cf_backend *be, cf_tensor *t)
{
    (void)be;
    give(t->data);
}

static bool takes_values(const cf_backend *be, cf_dtype dtype)
{
    return dtype == CF_F32 || dtype == be->compute;
}

static cf_status kv_create(cf_backend *be, cf_kv **out, int64_t n_layers, int64_t capacity, int64_t n_kv_heads,
                           int64_t head_dim, cf_error *err)
{
    cf_kv *kv = calloc(1, sizeof *kv);
    if (!kv)
        return cf_fail(err, CF_NOMEM, "keys and values");
    *kv = (cf_kv){.n_layers = n_layers,
                  .n_kv_heads = n_kv_heads,
                  .head_dim = head_dim,
                  .capacity = cf_cuda_kv_capacity(capacity),
                  .dtype = be->compute};
    cf_status st = take(&kv->k, cf_cuda_kv_bytes(kv), err);
    if (st == CF_OK)
        st = take(&kv->v, cf_cuda_kv_bytes(kv), err);
    *out = kv;
    return st;
}

static void kv_free(cf_backend *be, cf_kv *kv)
{
    (void)be;
    give(kv->k);
    give(kv->v);
    free(kv);
}

static cf_status kv_put(cf_backend *be, cf_kv *kv, int64_t layer, const cf_tensor *k, const cf_tensor *v,
                        const int32_t *pos, cf_error *err)
{
    (void)be;
    const size_t bytes = (size_t)k->shape[0] * sizeof *pos;
    void *copy = NULL;
    cf_status st = take(&copy, bytes, err);
    if (st != CF_OK)
        return st;
    if (bytes)
        memcpy(copy, pos, bytes);
    st = check(cf_cuda_kv_put(NULL, kv, layer, k->data, v->data, k->dtype, copy, k->shape[0]), "kv_put", err);
    give(copy);
    return st;
}

/* Own keys and values in the compute dtype: rows stored as the positions of one wide head. */
static cf_status narrow(cf_backend *be, cf_kv *own, const cf_tensor *k, const cf_tensor *v, cf_error *err)
{
    cf_status st = CF_OK;
    void *pos = NULL;
    const int64_t n = k->shape[0];
    *own = (cf_kv){.n_layers = 1, .n_kv_heads = 1, .head_dim = k->shape[1], .capacity = n, .dtype = be->compute};
    CF_TRY(take(&own->k, cf_cuda_kv_bytes(own), err));
    CF_TRY(take(&own->v, cf_cuda_kv_bytes(own), err));
    CF_TRY(take(&pos, (size_t)n * sizeof(int32_t), err));
    for (int64_t i = 0; i < n; i++)
        ((int32_t *)pos)[i] = (int32_t)i;
    CF_TRY(check(cf_cuda_kv_put(NULL, own, 0, k->data, v->data, k->dtype, pos, n), "narrow", err));
done:
    give(pos);
    return st;
}

/* Calls here are about one sequence. */
static const cf_kv *kv_of(const cf_attn *a)
{
    const cf_kv *kv = NULL;
    for (int64_t i = 0; i < a->n_segments; i++)
        kv = a->segments[i].kv ? a->segments[i].kv : kv;
    return kv;
}

static cf_status attention(cf_backend *be, cf_tensor *out, const cf_tensor *q, const cf_tensor *k, const cf_tensor *v,
                           const cf_attn *a, cf_error *err)
{
    cf_status st = CF_OK;
    emulated *e = (emulated *)be;
    cf_kv own = {0};
    void *plan = NULL;
    size_t bytes = 0;
    CF_TRY(cf_attend_plan_build(e->plan, a, err));
    const void *data = cf_attend_plan_data(e->plan, &bytes);
    CF_TRY(take(&plan, bytes, err));
    memcpy(plan, data, bytes);
    if (k)
        CF_TRY(narrow(be, &own, k, v, err));
    const cf_cuda_attend_call call = {.out = out->data,
                                      .out_dtype = out->dtype,
                                      .q = q->data,
                                      .q_dtype = q->dtype,
                                      .own_k = own.k,
                                      .own_v = own.v,
                                      .kv = kv_of(a),
                                      .layer = a->layer,
                                      .plan = cf_attend_plan_view(e->plan, plan),
                                      .n_heads = a->n_heads,
                                      .n_kv_heads = a->n_kv_heads,
                                      .head_dim = a->head_dim,
                                      .scale = a->scale,
                                      .compute = be->compute};
    CF_TRY(check(cf_cuda_attend(NULL, &call), "attention", err));
done:
    give(plan);
    give(own.k);
    give(own.v);
    return st;
}

static void shut(cf_backend *be)
{
    cf_attend_plan_free(((emulated *)be)->plan);
    free(be);
}

static const cf_backend_ops ops = {.name = "emulated",
                                   .takes_values = takes_values,
                                   .close = shut,
                                   .alloc = alloc,
                                   .release = release,
                                   .upload = cf_host_upload,
                                   .download = cf_host_download,
                                   .kv_create = kv_create,
                                   .kv_free = kv_free,
                                   .kv_put = kv_put,
                                   .attention = attention};

cf_backend *emulated_backend_open(cf_dtype compute)
{
    emulated *e = calloc(1, sizeof *e);
    if (!e)
        abort();
    e->base.ops = &ops;
    e->base.compute = compute;
    if (cf_attend_plan_create(&e->plan, NULL) != CF_OK || cf_cuda_attend_prepare() != cudaSuccess)
        abort();
    return &e->base;
}
