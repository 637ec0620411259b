/* tensor.h - a view of a row-major array and the three dtypes of Hugging Face checkpoints. A view never owns. */
#ifndef CF_TENSOR_TENSOR_H
#define CF_TENSOR_TENSOR_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum cf_dtype { CF_F32, CF_F16, CF_BF16 } cf_dtype;

enum { CF_MAX_RANK = 4 };

typedef struct cf_tensor {
    void *data; /* host or device memory, by the context's rule */
    cf_dtype dtype;
    int32_t rank;
    int64_t shape[CF_MAX_RANK]; /* last index fastest; unused extents are 1 */
} cf_tensor;

size_t cf_dtype_bytes(cf_dtype t);
const char *cf_dtype_name(cf_dtype t); /* "f32", "f16", "bf16" */

cf_tensor cf_tensor_2d(void *data, cf_dtype dtype, int64_t rows, int64_t cols);
/* Rows [begin, end) of a rank-2 tensor, as a view. */
cf_tensor cf_tensor_rows(const cf_tensor *t, int64_t begin, int64_t end);
int64_t cf_tensor_count(const cf_tensor *t); /* elements */

/* Scalar conversions, round to nearest even; infinities and NaN are kept (a NaN stays some NaN). */
float cf_f16_to_f32(uint16_t h);
float cf_bf16_to_f32(uint16_t h);
uint16_t cf_f32_to_bf16(float f);
/* dst[n] = src[n] as f32; exact for every dtype. */
void cf_to_f32(float *dst, const void *src, cf_dtype dtype, size_t n);

/* How far a is from b. */
typedef struct cf_difference {
    double max_abs;      /* largest |a - b| */
    double max_relative; /* max_abs / largest |b|; 0 where a equals b, infinite where only b is zero */
    double nmse;         /* sum (a-b)^2 / sum b^2, likewise */
    int64_t at;          /* index of the largest difference */
} cf_difference;

/* NaN or an infinity on either side makes all three measures infinite: a comparison must not pass over it. */
cf_difference cf_compare(const float *a, const float *b, size_t n);

#ifdef __cplusplus
}
#endif
#endif
