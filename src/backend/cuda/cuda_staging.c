/* cuda_staging.c - small host arrays (positions, row lists, descriptors of attention) on their way to the kernels that
 * read them, without the host waiting for the device.
 *
 * A ring of blocks, pinned on the host and mirrored on the device. The host's side of a block is written again only when
 * the event recorded on leaving it has passed; the device's side needs no event, since the copy that writes it again
 * stands behind its readers in the work stream. An operation may stage all blocks but two: its arrays cannot run into
 * one another. What does not fit (dense masks of the recomputation) has memory of its own until the next operation. */
#include "backend/cuda/cuda_internal.h"

#include <string.h>

enum { RING_BYTES = CF_CUDA_RING_BLOCKS * CF_CUDA_BLOCK_BYTES, OPERATION_BYTES = RING_BYTES - 2 * CF_CUDA_BLOCK_BYTES };

static size_t aligned(size_t bytes)
{
    return (bytes + CF_CUDA_ALIGN - 1) / CF_CUDA_ALIGN * CF_CUDA_ALIGN;
}

cf_status cf_cuda_rings_open(cf_cuda *cuda, cf_error *err)
{
    cf_cuda_ring *r = &cuda->ring;
    cf_status st = CF_OK;
    void *host = NULL, *device = NULL;
    CF_TRY(cf_cuda_check(err, cudaHostAlloc(&host, RING_BYTES, cudaHostAllocDefault), "pinned memory of the ring"));
    r->host = host;
    CF_TRY(cf_cuda_malloc(cuda, &device, RING_BYTES, "the ring of staged arrays", err));
    r->device = device;
    for (int i = 0; i < CF_CUDA_RING_BLOCKS; i++)
        CF_TRY(cf_cuda_check(err, cudaEventCreateWithFlags(&r->passed[i], cudaEventDisableTiming), "an event"));
    for (int i = 0; i < CF_CUDA_SLOTS; i++) {
        cf_cuda_slot *s = &cuda->slots[i];
        CF_TRY(cf_cuda_check(err, cudaHostAlloc(&s->host, CF_CUDA_SLOT_BYTES, cudaHostAllocDefault),
                             "pinned memory of transfers"));
        CF_TRY(cf_cuda_malloc(cuda, &s->device, CF_CUDA_SLOT_BYTES, "transfers", err));
        CF_TRY(cf_cuda_check(err, cudaEventCreateWithFlags(&s->done, cudaEventDisableTiming), "an event"));
    }
done:
    return st;
}

static void forget_large(cf_cuda *cuda)
{
    cf_cuda_ring *r = &cuda->ring;
    while (r->n_large > 0)
        cf_cuda_free(cuda, r->large[--r->n_large]);
}

void cf_cuda_rings_close(cf_cuda *cuda)
{
    cf_cuda_ring *r = &cuda->ring;
    forget_large(cuda);
    for (int i = 0; i < CF_CUDA_SLOTS; i++) {
        cf_cuda_slot *s = &cuda->slots[i];
        if (s->done)
            (void)cudaEventDestroy(s->done);
        cf_cuda_free(cuda, s->device);
        (void)cudaFreeHost(s->host);
    }
    for (int i = 0; i < CF_CUDA_RING_BLOCKS; i++)
        if (r->passed[i])
            (void)cudaEventDestroy(r->passed[i]);
    cf_cuda_free(cuda, r->device);
    (void)cudaFreeHost(r->host);
}

void cf_cuda_stage_begin(cf_cuda *cuda)
{
    cuda->ring.used = 0;
    forget_large(cuda);
}

/* Leaves the block at hand and waits until the next may be written. */
static cf_status next_block(cf_cuda *cuda, cf_error *err)
{
    cf_cuda_ring *r = &cuda->ring;
    const size_t block = r->at / CF_CUDA_BLOCK_BYTES, next = (block + 1) % CF_CUDA_RING_BLOCKS;
    cf_status st = CF_OK;
    CF_TRY(cf_cuda_check(err, cudaEventRecord(r->passed[block], cuda->work), "staging of an array"));
    CF_TRY(cf_cuda_check(err, cudaEventSynchronize(r->passed[next]), "staging of an array"));
    r->used += (block + 1) * CF_CUDA_BLOCK_BYTES - r->at;
    r->at = next * CF_CUDA_BLOCK_BYTES;
done:
    return st;
}

static cf_status stage_large(cf_cuda *cuda, void **device, const void *host, size_t bytes, cf_error *err)
{
    cf_cuda_ring *r = &cuda->ring;
    cf_status st = CF_OK;
    void *own = NULL;
    if (r->n_large == CF_CUDA_MAX_LARGE)
        return cf_fail(err, CF_DEVICE, "cuda:%d: %s stages more than %d large arrays", cuda->ordinal, cuda->last,
                       CF_CUDA_MAX_LARGE);
    CF_TRY(cf_cuda_malloc(cuda, &own, bytes, "a staged array", err));
    r->large[r->n_large++] = own; /* freed with the others, whatever happens */
    CF_TRY(cf_cuda_send_bytes(cuda, cuda->work, own, host, bytes, err));
    *device = own;
done:
    return st;
}

cf_status cf_cuda_stage(cf_cuda *cuda, void **device, const void *host, size_t bytes, cf_error *err)
{
    cf_cuda_ring *r = &cuda->ring;
    const size_t room = aligned(bytes);
    cf_status st = CF_OK;
    if (bytes == 0) {
        *device = NULL;
        return CF_OK;
    }
    if (room > CF_CUDA_BLOCK_BYTES || r->used + room > OPERATION_BYTES)
        return stage_large(cuda, device, host, bytes, err);
    if (r->at % CF_CUDA_BLOCK_BYTES + room > CF_CUDA_BLOCK_BYTES)
        CF_TRY(next_block(cuda, err));
    memcpy(r->host + r->at, host, bytes);
    CF_TRY(cf_cuda_check(err,
                         cudaMemcpyAsync(r->device + r->at, r->host + r->at, bytes, cudaMemcpyHostToDevice, cuda->work),
                         "staging of an array"));
    *device = r->device + r->at;
    r->at += room;
    r->used += room;
    if (r->at % CF_CUDA_BLOCK_BYTES == 0) { /* exactly full: the position must stay inside the block it leaves */
        r->at -= CF_CUDA_ALIGN;
        st = next_block(cuda, err);
    }
done:
    return st;
}
