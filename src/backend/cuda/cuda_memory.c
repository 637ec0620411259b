/* cuda_memory.c - device memory, and large transfers in pieces through pinned memory.
 *
 * A piece takes the next slot in turn, waits until the transfer that went through it last has ended, and is copied into
 * or out of its pinned memory by all threads; so the host's copying, the bus and the device work side by side. */
#include "backend/cuda/cuda_internal.h"

#include <stdio.h>
#include <string.h>

#include "backend/cuda/rows.h"

enum { CHUNK = 1 << 20 }; /* a thread's share of a copy: below a few of these one thread is as fast */

cf_status cf_cuda_malloc(cf_cuda *cuda, void **out, size_t bytes, const char *what, cf_error *err)
{
    void *p = NULL;
    const size_t asked = bytes ? bytes : 1;
    const cudaError_t code = cudaMalloc(&p, asked);
    if (code == cudaErrorMemoryAllocation) {
        size_t available = 0, total = 0;
        (void)cudaGetLastError(); /* an allocation that fails leaves the device as it was */
        (void)cudaMemGetInfo(&available, &total);
        return cf_fail(err, CF_NOMEM, "cuda:%d: no memory for %s: %zu bytes asked for, %zu free of %zu", cuda->ordinal,
                       what, asked, available, total);
    }
    cf_status st = cf_cuda_check(err, code, what);
    if (st == CF_OK)
        st = cf_cuda_check(err, cudaMemsetAsync(p, 0, asked, cuda->work), what);
    if (st == CF_OK)
        *out = p;
    else
        (void)cudaFree(p);
    return st;
}

void cf_cuda_free(cf_cuda *cuda, void *device)
{
    if (!device)
        return;
    (void)cudaSetDevice(cuda->ordinal);
    (void)cudaStreamSynchronize(cuda->copy);
    (void)cudaStreamSynchronize(cuda->work);
    (void)cudaFree(device);
}

static void copy_by_all_threads(void *dst, const void *src, size_t bytes, int n_threads)
{
    const int64_t n = (int64_t)((bytes + CHUNK - 1) / CHUNK);
#pragma omp parallel for num_threads(n_threads) if (n > 2)
    for (int64_t i = 0; i < n; i++) {
        const size_t begin = (size_t)i * CHUNK, end = begin + CHUNK < bytes ? begin + CHUNK : bytes;
        memcpy((char *)dst + begin, (const char *)src + begin, end - begin);
    }
}

/* The next slot, when nothing is under way through it. */
static cf_status take_slot(cf_cuda *cuda, cf_cuda_slot **out, cf_error *err)
{
    cf_cuda_slot *s = &cuda->slots[cuda->next_slot];
    const cf_status st = cf_cuda_check(err, cudaEventSynchronize(s->done), "a transfer");
    if (st != CF_OK)
        return st;
    cuda->next_slot = (cuda->next_slot + 1) % CF_CUDA_SLOTS;
    *out = s;
    return CF_OK;
}

cf_status cf_cuda_send_bytes(cf_cuda *cuda, cudaStream_t stream, void *dst, const void *src, size_t bytes,
                             cf_error *err)
{
    cf_status st = CF_OK;
    for (size_t begin = 0; begin < bytes; begin += CF_CUDA_SLOT_BYTES) {
        const size_t n = bytes - begin < CF_CUDA_SLOT_BYTES ? bytes - begin : CF_CUDA_SLOT_BYTES;
        cf_cuda_slot *s = NULL;
        CF_TRY(take_slot(cuda, &s, err));
        copy_by_all_threads(s->host, (const char *)src + begin, n, cuda->base.n_threads);
        CF_TRY(cf_cuda_check(err, cudaMemcpyAsync((char *)dst + begin, s->host, n, cudaMemcpyHostToDevice, stream),
                             "a transfer to the device"));
        CF_TRY(cf_cuda_check(err, cudaEventRecord(s->done, stream), "a transfer to the device"));
    }
done:
    return st;
}

cf_status cf_cuda_send(cf_cuda *cuda, cudaStream_t stream, void *dst, cf_dtype to, const void *src, cf_dtype from,
                       int64_t count, cf_error *err)
{
    const size_t in = cf_dtype_bytes(from), out = cf_dtype_bytes(to);
    const int64_t piece = CF_CUDA_SLOT_BYTES / (int64_t)in;
    cf_status st = CF_OK;
    if (from == to)
        return cf_cuda_send_bytes(cuda, stream, dst, src, (size_t)count * in, err);
    for (int64_t begin = 0; begin < count; begin += piece) {
        const int64_t n = count - begin < piece ? count - begin : piece;
        cf_cuda_slot *s = NULL;
        CF_TRY(take_slot(cuda, &s, err));
        copy_by_all_threads(s->host, (const char *)src + (size_t)begin * in, (size_t)n * in, cuda->base.n_threads);
        CF_TRY(cf_cuda_check(err, cudaMemcpyAsync(s->device, s->host, (size_t)n * in, cudaMemcpyHostToDevice, stream),
                             "a transfer to the device"));
        CF_TRY(cf_cuda_check(err, cf_cuda_convert(stream, (char *)dst + (size_t)begin * out, to, s->device, from, n),
                             "a conversion"));
        CF_TRY(cf_cuda_check(err, cudaEventRecord(s->done, stream), "a transfer to the device"));
    }
done:
    return st;
}

cf_status cf_cuda_receive(cf_cuda *cuda, void *dst, const void *src, size_t bytes, cf_error *err)
{
    cf_cuda_slot *under_way = NULL; /* the piece before: taken out of its slot while this one is on the bus */
    size_t at = 0, n_under_way = 0;
    cf_status st = CF_OK;
    char what[96]; /* a fault of a kernel shows here first */
    (void)snprintf(what, sizeof what, "results, after %s", cuda->last);
    for (size_t begin = 0; begin < bytes || under_way; begin += CF_CUDA_SLOT_BYTES) {
        cf_cuda_slot *s = NULL;
        size_t n = 0;
        if (begin < bytes) {
            n = bytes - begin < CF_CUDA_SLOT_BYTES ? bytes - begin : CF_CUDA_SLOT_BYTES;
            CF_TRY(take_slot(cuda, &s, err));
            CF_TRY(cf_cuda_check(
                err, cudaMemcpyAsync(s->host, (const char *)src + begin, n, cudaMemcpyDeviceToHost, cuda->work),
                "a transfer to the host"));
            CF_TRY(cf_cuda_check(err, cudaEventRecord(s->done, cuda->work), "a transfer to the host"));
        }
        if (under_way) {
            CF_TRY(cf_cuda_check(err, cudaEventSynchronize(under_way->done), what));
            copy_by_all_threads((char *)dst + at, under_way->host, n_under_way, cuda->base.n_threads);
            at += n_under_way;
        }
        under_way = s;
        n_under_way = n;
    }
done:
    return st;
}
