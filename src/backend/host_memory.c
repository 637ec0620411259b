/* host_memory.c - memory operations shared by the backends that compute in the host's memory. */
#include "backend/backend_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

cf_status cf_host_alloc(cf_backend *be, cf_tensor *out, cf_dtype dtype, int64_t rows, int64_t cols, cf_error *err)
{
    (void)be;
    size_t n = 0;
    cf_status st = cf_mul_size(&n, (size_t)rows, (size_t)cols, err);
    void *data = NULL;
    if (st == CF_OK)
        st = cf_alloc(&data, n, cf_dtype_bytes(dtype), "a tensor", err);
    if (st == CF_OK)
        *out = cf_tensor_2d(data, dtype, rows, cols);
    return st;
}

void cf_host_release(cf_backend *be, cf_tensor *t)
{
    (void)be;
    free(t->data);
}

cf_status cf_host_upload(cf_backend *be, cf_tensor *dst, const void *src, cf_error *err)
{
    (void)be;
    (void)err;
    memcpy(dst->data, src, (size_t)cf_tensor_count(dst) * cf_dtype_bytes(dst->dtype));
    return CF_OK;
}

cf_status cf_host_download(cf_backend *be, void *dst, const cf_tensor *src, cf_error *err)
{
    (void)be;
    (void)err;
    memcpy(dst, src->data, (size_t)cf_tensor_count(src) * cf_dtype_bytes(src->dtype));
    return CF_OK;
}

cf_status cf_host_scatter(cf_backend *be, cf_tensor *y, const cf_tensor *x, const int32_t *rows, cf_error *err)
{
    (void)be;
    (void)err;
    const int64_t d = x->shape[1];
    for (int64_t i = 0; i < x->shape[0]; i++)
        memcpy((float *)y->data + rows[i] * d, (const float *)x->data + i * d, (size_t)d * sizeof(float));
    return CF_OK;
}
