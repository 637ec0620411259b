/* matrices.h - weights of a large decoder's shapes with random values, in the backend's memory, as many copies of each as
 * no cache holds: what a model's layers are to it. */
#ifndef CF_BENCH_MATRICES_H
#define CF_BENCH_MATRICES_H

#include "backend/backend.h"

enum { MAX_COPIES = 32 };

typedef struct matrix { /* y = x W^T, W [n, k] */
    int64_t n, k;
    int n_copies;
    cf_weight *copies[MAX_COPIES]; /* equal values */
    float *host;                   /* [n, k] those values, each one that bf16 holds */
} matrix;

/* cold: copies that fill several times the last cache, used in turn; else one. */
matrix matrix_open(cf_backend *be, int64_t n, int64_t k, bool cold);
void matrix_close(cf_backend *be, matrix *m);

/* x[rows, k] in the compute dtype, of values that bf16 holds; released with cf_backend_release. */
cf_tensor random_rows(cf_backend *be, int64_t rows, int64_t k, cf_dtype dtype, float width, uint64_t seed);
/* y[rows, n] f32. */
cf_tensor empty_rows(cf_backend *be, int64_t rows, int64_t n);

cf_backend *backend_open(const char *name, cf_dtype compute, int threads);

#endif
