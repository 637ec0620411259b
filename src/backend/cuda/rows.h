/* rows.h - the row-wise and element-wise operations of backend.h as launches: gathers, norms, rotary embedding, activations, conversion. What each computes is said there;
 * here is what a launch adds.
 *
 * All pointers are to device memory, row-major without gaps, aligned to their elements and no more; 16-byte alignment (that of cudaMalloc) and rows of whole vectors are
 * faster and give the same bits. Work is put on the stream and not waited for. n == 0, d == 0 or count == 0 is success without a launch. Returned are errors of the launch:
 * cudaErrorInvalidValue where a grid would have more than 2^31 - 1 blocks, else the runtime's. A row's bits depend on that row's values and d only. */
#ifndef CF_BACKEND_CUDA_ROWS_H
#define CF_BACKEND_CUDA_ROWS_H

#include <stdint.h>

#include <cuda_runtime_api.h>

#include "backend/backend.h"

#ifdef __cplusplus
extern "C" {
#endif

/* y[i, :] = x[rows[i], :] for i < n, rows NULL: row i; rows of d elements. Every pair of dtypes; the same dtype keeps every bit, otherwise to the nearest, ties to even (to f16
 * from 65520 on: infinity). */
CF_MUST_USE cudaError_t cf_cuda_gather(cudaStream_t stream, void *y, cf_dtype y_dtype, const void *x, cf_dtype x_dtype,
                                       const int32_t *rows, int64_t n, int64_t d);
/* y[rows[i], :] = x[i, :] for i < n; the rows are distinct. */
CF_MUST_USE cudaError_t cf_cuda_scatter(cudaStream_t stream, float *y, const float *x, const int32_t *rows, int64_t n,
                                        int64_t d);
CF_MUST_USE cudaError_t cf_cuda_rms_norm(cudaStream_t stream, void *y, cf_dtype y_dtype, const float *x,
                                         const float *gamma, float eps, int64_t n, int64_t d);
/* y may be x where y_dtype is f32. */
CF_MUST_USE cudaError_t cf_cuda_layer_norm(cudaStream_t stream, void *y, cf_dtype y_dtype, const float *x,
                                           const float *gamma, const float *beta, float eps, int64_t n, int64_t d);
/* In place over x[n, n_heads * head_dim]; pos[n] are rows of table[positions, head_dim]. */
CF_MUST_USE cudaError_t cf_cuda_rope(cudaStream_t stream, void *x, cf_dtype dtype, const float *table,
                                     const int32_t *pos, int64_t n, int64_t n_heads, int64_t head_dim);
/* y = f(x), or f(x) * times where times is not NULL, which then has x's dtype. f16 beside bf16 is cudaErrorInvalidValue.
 */
CF_MUST_USE cudaError_t cf_cuda_activate(cudaStream_t stream, void *y, cf_dtype y_dtype, const void *x,
                                         const void *times, cf_dtype x_dtype, cf_unary f, int64_t count);
/* y = x in another dtype (or the same), as cf_cuda_gather converts. */
CF_MUST_USE cudaError_t cf_cuda_convert(cudaStream_t stream, void *y, cf_dtype y_dtype, const void *x, cf_dtype x_dtype,
                                        int64_t count);

#ifdef __cplusplus
}
#endif
#endif
