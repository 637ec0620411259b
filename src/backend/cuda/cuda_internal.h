/* cuda_internal.h - the cuda backend's own struct and what its files share. Included only inside backend/cuda/.
 *
 * Two streams. `work` computes, and carries small arrays and tensors to and from the host; `copy` fills weights while
 * work computes. Events order the two; the host waits for neither but in a download and where a ring has come round.
 *
 * Invariants
 * (1) The host's memory of a transfer under way is pinned and belongs to a slot or a block of the ring; it is written
 *     again only after the event behind that transfer.
 * (2) A staged array lives until what reads it has been launched: cf_cuda_enter forgets it, and cf_cuda_stage_begin.
 * (3) Whatever is freed is freed after both streams have come to rest. */
#ifndef CF_BACKEND_CUDA_CUDA_INTERNAL_H
#define CF_BACKEND_CUDA_CUDA_INTERNAL_H

#include <cuda_runtime_api.h>

#include "backend/backend_internal.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cf_cuda cf_cuda;
typedef struct cf_cuda_products cf_cuda_products;
typedef struct cf_cuda_attention cf_cuda_attention;

/* A piece of a large transfer: pinned memory and, for values converted on the device, as much there. */
typedef struct cf_cuda_slot {
    void *host, *device;
    cudaEvent_t done; /* recorded behind the last transfer through it */
} cf_cuda_slot;

enum {
    CF_CUDA_SLOTS = 4,
    CF_CUDA_SLOT_BYTES = 8 << 20,
    CF_CUDA_RING_BLOCKS = 8,
    CF_CUDA_BLOCK_BYTES = 2 << 20,
    CF_CUDA_MAX_LARGE = 8,
    CF_CUDA_ALIGN = 256 /* of every pointer on the device, as cudaMalloc's */
};

/* Small host arrays on their way to a kernel. Block i of `host` is copied to block i of `device`. */
typedef struct cf_cuda_ring {
    unsigned char *host, *device;
    size_t at;                               /* the next free byte */
    cudaEvent_t passed[CF_CUDA_RING_BLOCKS]; /* recorded when the block was left */
    size_t used;                             /* by the operation at hand, skipped bytes included */
    void *large[CF_CUDA_MAX_LARGE];          /* its arrays that the ring does not hold, each on its own */
    int n_large;
} cf_cuda_ring;

struct cf_cuda {
    cf_backend base; /* first */
    int ordinal;
    cudaStream_t work, copy;
    cf_cuda_slot slots[CF_CUDA_SLOTS];
    int next_slot;
    cf_cuda_ring ring;
    cf_cuda_products *products;   /* cuBLASLt's handle and its algorithms */
    cf_cuda_attention *attention; /* the planner and a call's own rows */
    const char *last;             /* the operation that was begun last: for the message about a fault found later */
};

/* ---- cuda.c ---- */

extern const cf_backend_ops cf_backend_cuda;

/* CF_OK for cudaSuccess; else one line: the device at hand, the call, CUDA's own words. CF_NOMEM where memory ran out. */
cf_status cf_cuda_check(cf_error *err, cudaError_t code, const char *what);
/* Begins an operation: its thread's device, and staged arrays of the one before are forgotten. what NULL: no work of its
 * own, so that a fault is laid to the one before. */
CF_MUST_USE cf_status cf_cuda_enter(cf_cuda **out, cf_backend *be, const char *what, cf_error *err);

/* ---- cuda_memory.c ---- */

/* Bytes of device memory, zeroed on the work stream; CF_NOMEM says how much was asked for, free, and there. */
CF_MUST_USE cf_status cf_cuda_malloc(cf_cuda *cuda, void **out, size_t bytes, const char *what, cf_error *err);
/* Waits for both streams, then frees. NULL is a no-op. */
void cf_cuda_free(cf_cuda *cuda, void *device);
/* dst[count] on the device = src[count], converted from dtype `from` to `to`, on the stream; src is read before it
 * returns. */
CF_MUST_USE cf_status cf_cuda_send(cf_cuda *cuda, cudaStream_t stream, void *dst, cf_dtype to, const void *src,
                                   cf_dtype from, int64_t count, cf_error *err);
/* The same of bytes as they are. */
CF_MUST_USE cf_status cf_cuda_send_bytes(cf_cuda *cuda, cudaStream_t stream, void *dst, const void *src, size_t bytes,
                                         cf_error *err);
/* dst[bytes] = what src holds after the work begun so far: waits for it. */
CF_MUST_USE cf_status cf_cuda_receive(cf_cuda *cuda, void *dst, const void *src, size_t bytes, cf_error *err);

/* ---- cuda_staging.c ---- */

/* *device = a copy of host[bytes] for kernels of the operation at hand, launched on the work stream. No host
 * synchronisation unless the ring has come round. An array of 0 bytes is NULL. */
CF_MUST_USE cf_status cf_cuda_stage(cf_cuda *cuda, void **device, const void *host, size_t bytes, cf_error *err);
/* Forgets what the operation before staged. */
void cf_cuda_stage_begin(cf_cuda *cuda);
CF_MUST_USE cf_status cf_cuda_rings_open(cf_cuda *cuda, cf_error *err);
void cf_cuda_rings_close(cf_cuda *cuda);

/* ---- cuda_weight.c ---- */

cf_status cf_cuda_weight_create(cf_backend *be, cf_weight **out, const cf_tensor *host, cf_error *err);
cf_status cf_cuda_weight_fill(cf_backend *be, cf_weight *w, const cf_tensor *host, cf_error *err);
void cf_cuda_weight_free(cf_backend *be, cf_weight *w);
void cf_cuda_weight_shape(const cf_weight *w, int64_t *n, int64_t *k);
/* The matrix [n, k] in the compute dtype, for work launched on the work stream from now on. */
CF_MUST_USE cf_status cf_cuda_weight_data(cf_cuda *cuda, const void **out, const cf_weight *w, cf_error *err);

/* ---- cuda_product.c ---- */

CF_MUST_USE cf_status cf_cuda_products_open(cf_cuda_products **out, cf_cuda *cuda, cf_error *err);
void cf_cuda_products_close(cf_cuda_products *p);
/* cuBLASLt's version as it gives it. */
size_t cf_cuda_products_version(const cf_cuda_products *p);
cf_status cf_cuda_linear(cf_backend *be, cf_tensor *y, const cf_tensor *x, const cf_weight *w, const cf_tensor *bias,
                         bool accumulate, cf_error *err);

/* ---- cuda_rows.c ---- */

cf_status cf_cuda_op_gather(cf_backend *be, cf_tensor *y, const cf_tensor *x, const int32_t *rows, cf_error *err);
cf_status cf_cuda_op_scatter(cf_backend *be, cf_tensor *y, const cf_tensor *x, const int32_t *rows, cf_error *err);
cf_status cf_cuda_op_rms_norm(cf_backend *be, cf_tensor *y, const cf_tensor *x, const cf_tensor *gamma, float eps,
                              cf_error *err);
cf_status cf_cuda_op_layer_norm(cf_backend *be, cf_tensor *y, const cf_tensor *x, const cf_tensor *gamma,
                                const cf_tensor *beta, float eps, cf_error *err);
cf_status cf_cuda_op_rope(cf_backend *be, cf_tensor *x, const cf_tensor *table, const int32_t *pos, int64_t n_heads,
                          cf_error *err);
cf_status cf_cuda_op_activate(cf_backend *be, cf_tensor *y, const cf_tensor *x, const cf_tensor *times, cf_unary f,
                              cf_error *err);

/* ---- cuda_attention.c ---- */

CF_MUST_USE cf_status cf_cuda_attention_open(cf_cuda_attention **out, cf_error *err);
void cf_cuda_attention_close(cf_cuda *cuda);
cf_status cf_cuda_op_kv_create(cf_backend *be, cf_kv **out, int64_t n_layers, int64_t capacity, int64_t n_kv_heads,
                               int64_t head_dim, cf_error *err);
void cf_cuda_op_kv_free(cf_backend *be, cf_kv *kv);
cf_status cf_cuda_op_kv_put(cf_backend *be, cf_kv *kv, int64_t layer, const cf_tensor *k, const cf_tensor *v,
                            const int32_t *pos, cf_error *err);
cf_status cf_cuda_op_kv_copy(cf_backend *be, cf_kv *to, const cf_kv *from, int64_t layer, int64_t n, cf_error *err);
cf_status cf_cuda_op_attention(cf_backend *be, cf_tensor *out, const cf_tensor *q, const cf_tensor *k,
                               const cf_tensor *v, const cf_attn *a, cf_error *err);

#ifdef __cplusplus
}
#endif
#endif
