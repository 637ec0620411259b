/* attention.h - attention with cuts on the device: the stored keys and values, and the launchers of attention.cu.
 *
 * Work goes to the stream given and is not waited for; device memory belongs to the caller. Compute is CF_F32, CF_F16
 * or CF_BF16: the dtype of stored keys and values, and of what the products of attention are made of. Their sums, the
 * softmax and its weights' total are f32. Head sizes up to CF_CUDA_MOST_HEAD_DIM. */
#ifndef CF_BACKEND_CUDA_ATTENTION_H
#define CF_BACKEND_CUDA_ATTENTION_H

#include <cuda_runtime_api.h>

#include "backend/cuda/attention_plan.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { CF_CUDA_MOST_HEAD_DIM = 256 };

/* Keys and values of one sequence: k and v [n_layers, n_kv_heads, capacity, head_dim] in `dtype`, device memory that
 * whoever makes the store allocates (16-byte aligned) and sets to zero: a key that a row does not see may share a tile
 * with one it does, so its value must be finite. */
struct cf_kv {
    int64_t n_layers, n_kv_heads, head_dim;
    int64_t capacity; /* positions, a multiple of CF_KEY_TILE: cf_cuda_kv_capacity */
    cf_dtype dtype;   /* the compute dtype */
    void *k, *v;
};

/* Positions to store where n may occur. */
static inline int64_t cf_cuda_kv_capacity(int64_t n)
{
    return (n + CF_KEY_TILE - 1) / CF_KEY_TILE * CF_KEY_TILE;
}

/* Bytes of k, and of v. */
static inline size_t cf_cuda_kv_bytes(const cf_kv *kv)
{
    return (size_t)(kv->n_layers * kv->n_kv_heads * kv->capacity * kv->head_dim) * (kv->dtype == CF_F32 ? 4 : 2);
}

/* Stores n rows of k and v [n, n_kv_heads * head_dim], f32 or the store's dtype, as those of positions pos[n] (device)
 * of a layer. */
cudaError_t cf_cuda_kv_put(cudaStream_t stream, const cf_kv *kv, int64_t layer, const void *k, const void *v,
                           cf_dtype dtype, const int32_t *pos, int64_t n);

/* Once per device, before the first cf_cuda_attend: allows the kernels their shared memory, as far as the device has
 * it. Head sizes above 128 in f32 need 195 KiB, which sm_90 has; elsewhere such a call is cudaErrorInvalidValue. */
cudaError_t cf_cuda_attend_prepare(void);

typedef struct cf_cuda_attend_call {
    void *out; /* [Mq, n_heads * head_dim] f32 or the compute dtype; rows of no segment stay as they are */
    cf_dtype out_dtype;
    const void *q; /* [Mq, n_heads * head_dim] f32 or the compute dtype, aligned to four of its elements */
    cf_dtype q_dtype;
    const void *own_k, *own_v; /* [Mk, n_kv_heads * head_dim] in the compute dtype, 16-byte aligned; NULL where no
                                   segment has own rows */
    const cf_kv *kv;           /* every segment's; NULL where all have own_begin 0 */
    int64_t layer;
    cf_attend_view plan; /* arrays in device memory */
    int64_t n_heads, n_kv_heads, head_dim;
    float scale;
    cf_dtype compute;
} cf_cuda_attend_call;

/* cudaErrorInvalidValue for a head size that has no kernel, and where a layer's stored keys have 2^31 elements. */
cudaError_t cf_cuda_attend(cudaStream_t stream, const cf_cuda_attend_call *call);

#ifdef __cplusplus
}
#endif
#endif
