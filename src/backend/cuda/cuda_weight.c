/* cuda_weight.c - matrices of products: [N, K] row-major in the compute dtype on the device, and filled again while the
 * work stream still multiplies with what they held.
 *
 * A weight has one buffer; the first refill gives it a second. A fill goes to the buffer at the back over the copy
 * stream: behind the last work that read it, which was begun before the fill before this one; then the two change
 * places. So while layer l computes, layer l + 1 is on the bus, and the host runs ahead by one layer. */
#include "backend/cuda/cuda_internal.h"

#include <stdlib.h>

typedef struct buffer {
    void *data;
    cudaEvent_t filled; /* on the copy stream, behind its last fill */
    cudaEvent_t used;   /* on the work stream, behind all that read it; recorded when it goes to the back */
} buffer;

/* What changes while a weight is used, apart from the weight, which products borrow as const. */
typedef struct fills {
    buffer buffers[2];
    int front;
    bool awaited; /* the work stream waits for the front's last fill, or has */
} fills;

struct cf_weight {
    int64_t n, k;
    fills *fills;
};

static cf_status buffer_open(buffer *b, cf_cuda *cuda, size_t bytes, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_cuda_malloc(cuda, &b->data, bytes, "a weight", err));
    CF_TRY(cf_cuda_check(err, cudaEventCreateWithFlags(&b->filled, cudaEventDisableTiming), "an event"));
    CF_TRY(cf_cuda_check(err, cudaEventCreateWithFlags(&b->used, cudaEventDisableTiming), "an event"));
    /* Its zeros are written by the work stream: the first fill comes behind them. */
    CF_TRY(cf_cuda_check(err, cudaEventRecord(b->used, cuda->work), "a weight"));
done:
    return st;
}

static void buffer_close(buffer *b, cf_cuda *cuda)
{
    cf_cuda_free(cuda, b->data);
    if (b->filled)
        (void)cudaEventDestroy(b->filled);
    if (b->used)
        (void)cudaEventDestroy(b->used);
}

static size_t bytes_of(const cf_weight *w, const cf_cuda *cuda)
{
    return (size_t)(w->n * w->k) * cf_dtype_bytes(cuda->base.compute);
}

static cf_status fill_buffer(buffer *b, cf_cuda *cuda, const cf_tensor *host, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_cuda_check(err, cudaStreamWaitEvent(cuda->copy, b->used, 0), "a weight"));
    CF_TRY(cf_cuda_send(cuda, cuda->copy, b->data, cuda->base.compute, host->data, host->dtype, cf_tensor_count(host),
                        err));
    CF_TRY(cf_cuda_check(err, cudaEventRecord(b->filled, cuda->copy), "a weight"));
done:
    return st;
}

cf_status cf_cuda_weight_create(cf_backend *be, cf_weight **out, const cf_tensor *host, cf_error *err)
{
    cf_cuda *cuda = NULL;
    cf_status st = cf_cuda_enter(&cuda, be, "a weight", err);
    if (st != CF_OK)
        return st;
    cf_weight *w = calloc(1, sizeof *w);
    if (!w)
        return cf_fail(err, CF_NOMEM, "no memory for a weight");
    w->n = host->shape[0];
    w->k = host->shape[1];
    w->fills = calloc(1, sizeof *w->fills);
    if (!w->fills) {
        st = cf_fail(err, CF_NOMEM, "no memory for a weight");
        goto done;
    }
    CF_TRY(buffer_open(&w->fills->buffers[0], cuda, bytes_of(w, cuda), err));
    CF_TRY(fill_buffer(&w->fills->buffers[0], cuda, host, err));
    *out = w;
    w = NULL;
done:
    if (w)
        cf_cuda_weight_free(be, w);
    return st;
}

cf_status cf_cuda_weight_fill(cf_backend *be, cf_weight *w, const cf_tensor *host, cf_error *err)
{
    cf_cuda *cuda = NULL;
    fills *f = w->fills;
    buffer *front = &f->buffers[f->front], *back = &f->buffers[1 - f->front];
    cf_status st = CF_OK;
    CF_TRY(cf_cuda_enter(&cuda, be, "a weight", err));
    if (!back->data) {
        st = buffer_open(back, cuda, bytes_of(w, cuda), err);
        if (st != CF_OK) {
            buffer_close(back, cuda);
            *back = (buffer){0};
            goto done;
        }
    }
    CF_TRY(cf_cuda_check(err, cudaEventRecord(front->used, cuda->work), "a weight"));
    CF_TRY(fill_buffer(back, cuda, host, err));
    f->front = 1 - f->front;
    f->awaited = false;
done:
    return st;
}

void cf_cuda_weight_free(cf_backend *be, cf_weight *w)
{
    cf_cuda *cuda = (cf_cuda *)be;
    for (int i = 0; w->fills && i < 2; i++)
        buffer_close(&w->fills->buffers[i], cuda);
    free(w->fills);
    free(w);
}

void cf_cuda_weight_shape(const cf_weight *w, int64_t *n, int64_t *k)
{
    *n = w->n;
    *k = w->k;
}

cf_status cf_cuda_weight_data(cf_cuda *cuda, const void **out, const cf_weight *w, cf_error *err)
{
    fills *f = w->fills;
    if (!f->awaited) {
        const cf_status st =
            cf_cuda_check(err, cudaStreamWaitEvent(cuda->work, f->buffers[f->front].filled, 0), "a weight");
        if (st != CF_OK)
            return st;
        f->awaited = true;
    }
    *out = f->buffers[f->front].data;
    return CF_OK;
}
