/* cuda_attention.c - attention with cuts as an operation: the planner makes flat arrays of the call, they are staged as one,
 * and the kernel reads them there. Stored keys and values have the compute dtype; so have a call's own, which are converted
 * first where they are f32. */
#include <stdlib.h>

#include "backend/cuda/attention.h"
#include "backend/cuda/cuda_internal.h"
#include "backend/cuda/rows.h"
#include "base/memory.h"

enum { VECTOR_BYTES = 16 }; /* the kernel's loads */

/* A call's own keys, or values, in the compute dtype; memory is kept from call to call. */
typedef struct own_rows {
    void *data;
    size_t bytes;
} own_rows;

struct cf_cuda_attention {
    cf_attend_plan *plan;
    own_rows k, v;
    cf_attn_segment *of_kv; /* the segments of one sequence */
    const cf_kv **met;      /* the sequences so far */
    size_t cap_of_kv, cap_met;
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
    free(s->of_kv);
    free(s->met);
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
    CF_TRY(
        cf_cuda_check(err, cf_cuda_kv_put(cuda->work, kv, layer, k->data, v->data, k->dtype, device, n), cuda->last));
done:
    return st;
}

/* n positions of every head of a layer, from one store's rows to another's. */
static cudaError_t copy_heads(cudaStream_t stream, const cf_kv *to, void *to_data, const cf_kv *from,
                              const void *from_data, int64_t layer, int64_t n)
{
    const size_t row = (size_t)to->head_dim * cf_dtype_bytes(to->dtype);
    const size_t to_head = (size_t)to->capacity * row, from_head = (size_t)from->capacity * row;
    const size_t heads = (size_t)to->n_kv_heads, first = (size_t)layer * heads;
    return cudaMemcpy2DAsync((char *)to_data + first * to_head, to_head, (const char *)from_data + first * from_head,
                             from_head, (size_t)n * row, heads, cudaMemcpyDeviceToDevice, stream);
}

cf_status cf_cuda_op_kv_copy(cf_backend *be, cf_kv *to, const cf_kv *from, int64_t layer, int64_t n, cf_error *err)
{
    cf_cuda *cuda = NULL;
    cf_status st = CF_OK;
    CF_TRY(cf_cuda_enter(&cuda, be, "kv_copy", err));
    CF_TRY(cf_cuda_check(err, copy_heads(cuda->work, to, to->k, from, from->k, layer, n), cuda->last));
    CF_TRY(cf_cuda_check(err, copy_heads(cuda->work, to, to->v, from, from->v, layer, n), cuda->last));
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
    if (t->dtype == compute && (uintptr_t)t->data % VECTOR_BYTES == 0) {
        *out = t->data;
        return CF_OK;
    }
    if (bytes > r->bytes) {
        cf_cuda_free(cuda, r->data);
        *r = (own_rows){0};
        CF_TRY(cf_cuda_malloc(cuda, &r->data, bytes + bytes / 4, "rows of attention", err));
        r->bytes = bytes + bytes / 4;
    }
    CF_TRY(cf_cuda_check(err, cf_cuda_convert(cuda->work, r->data, compute, t->data, t->dtype, n), cuda->last));
    *out = r->data;
done:
    return st;
}

/* A launch for the segments of one sequence. What the one before staged is forgotten: whatever is copied over it stands
 * behind its launch. */
static cf_status attend_sequence(cf_cuda *cuda, cf_cuda_attend_call *call, const cf_attn *a, cf_error *err)
{
    cf_attend_plan *p = cuda->attention->plan;
    void *device = NULL;
    size_t bytes = 0;
    cf_status st = CF_OK;
    cf_cuda_stage_begin(cuda);
    CF_TRY(cf_attend_plan_build(p, a, err));
    const void *plan = cf_attend_plan_data(p, &bytes);
    if (bytes == 0) /* no query */
        goto done;
    CF_TRY(cf_cuda_stage(cuda, &device, plan, bytes, err));
    call->plan = cf_attend_plan_view(p, device);
    if (call->plan.n_items)
        CF_TRY(cf_cuda_check(err, cf_cuda_attend(cuda->work, call), cuda->last));
done:
    return st;
}

/* Whether this kv is none of those met so far; then it is met. */
static bool is_new(const cf_kv **met, size_t *n, const cf_kv *kv)
{
    for (size_t i = 0; i < *n; i++)
        if (met[i] == kv)
            return false;
    met[(*n)++] = kv;
    return true;
}

/* Segments of each kv together, in the order in which they come. */
static cf_status attend_all(cf_cuda *cuda, cf_cuda_attend_call *call, const cf_attn *a, cf_error *err)
{
    cf_cuda_attention *s = cuda->attention;
    void *of_kv = s->of_kv, *met = s->met;
    size_t n_met = 0;
    cf_status st = cf_grow(&of_kv, &s->cap_of_kv, (size_t)a->n_segments, sizeof *s->of_kv, "segments", err);
    s->of_kv = of_kv;
    if (st == CF_OK)
        st = cf_grow(&met, &s->cap_met, (size_t)a->n_segments, sizeof(cf_kv *), "segments", err);
    s->met = met;
    for (int64_t i = 0; st == CF_OK && i < a->n_segments; i++) {
        cf_attn one = *a;
        if (!is_new(s->met, &n_met, a->segments[i].kv))
            continue;
        one.segments = s->of_kv;
        one.n_segments = 0;
        for (int64_t j = i; j < a->n_segments; j++)
            if (a->segments[j].kv == a->segments[i].kv)
                s->of_kv[one.n_segments++] = a->segments[j];
        call->kv = a->segments[i].kv;
        st = attend_sequence(cuda, call, &one, err);
    }
    return st;
}

cf_status cf_cuda_op_attention(cf_backend *be, cf_tensor *out, const cf_tensor *q, const cf_tensor *k,
                               const cf_tensor *v, const cf_attn *a, cf_error *err)
{
    cf_cuda *cuda = NULL;
    cf_cuda_attend_call call = {.out = out->data,
                                .out_dtype = out->dtype,
                                .q = q->data,
                                .q_dtype = q->dtype,
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
    CF_TRY(own(cuda, &cuda->attention->k, &call.own_k, k, err));
    CF_TRY(own(cuda, &cuda->attention->v, &call.own_v, v, err));
    CF_TRY(attend_all(cuda, &call, a, err));
done:
    return st;
}
