/* matrices.c - see matrices.h. */
#include "matrices.h"

#include <stdlib.h>
#include <unistd.h>

#include "measure.h"
#include "random_values.h"

static int copies_of(int64_t n, int64_t k, cf_dtype dtype)
{
    const long cache = sysconf(_SC_LEVEL3_CACHE_SIZE);
    const int64_t fill = 4 * (int64_t)(cache > 0 ? cache : 64 << 20), one = n * k * (int64_t)cf_dtype_bytes(dtype);
    const int64_t copies = (fill + one - 1) / one + 1;
    return copies < MAX_COPIES ? (int)copies : MAX_COPIES;
}

matrix matrix_open(cf_backend *be, int64_t n, int64_t k, bool cold)
{
    cf_error err = {0};
    matrix m = {.n = n, .k = k, .host = room((size_t)(n * k), sizeof(float))};
    fill_random_bf16(m.host, (size_t)(n * k), 0.035f, (uint64_t)n);
    const cf_tensor host = cf_tensor_2d(m.host, CF_F32, n, k);
    m.n_copies = cold ? copies_of(n, k, cf_backend_compute(be)) : 1;
    for (int i = 0; i < m.n_copies; i++)
        must(cf_weight_create(be, &m.copies[i], &host, &err), &err);
    return m;
}

void matrix_close(cf_backend *be, matrix *m)
{
    for (int i = 0; i < m->n_copies; i++)
        cf_weight_free(be, m->copies[i]);
    free(m->host);
    *m = (matrix){0};
}

cf_tensor random_rows(cf_backend *be, int64_t rows, int64_t k, cf_dtype dtype, float width, uint64_t seed)
{
    cf_error err = {0};
    cf_tensor wide = {0}, out = {0};
    float *values = room((size_t)(rows * k), sizeof *values);
    fill_random_bf16(values, (size_t)(rows * k), width, seed);
    must(cf_backend_alloc(be, &wide, CF_F32, rows, k, &err), &err);
    must(cf_backend_alloc(be, &out, dtype, rows, k, &err), &err);
    must(cf_backend_upload(be, &wide, values, &err), &err);
    must(cf_gather(be, &out, &wide, NULL, &err), &err);
    cf_backend_release(be, &wide);
    free(values);
    return out;
}

cf_tensor empty_rows(cf_backend *be, int64_t rows, int64_t n)
{
    cf_error err = {0};
    cf_tensor out = {0};
    must(cf_backend_alloc(be, &out, CF_F32, rows, n, &err), &err);
    return out;
}

cf_backend *backend_open(const char *name, cf_dtype compute, int threads)
{
    cf_error err = {0};
    cf_backend *be = NULL;
    must(cf_backend_open(&be, name, &(cf_backend_options){.n_threads = threads, .compute = compute}, &err), &err);
    return be;
}
