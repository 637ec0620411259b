/* cuda_rows.c - operations on rows: index lists are staged, kernels (rows.cu) launched on the work stream. No row is no
 * launch: a grid of no block is a fault to CUDA. */
#include "backend/cuda/cuda_internal.h"
#include "backend/cuda/rows.h"

/* *device = the list on the device, NULL where there is none. */
static cf_status stage_rows(cf_cuda *cuda, const int32_t **device, const int32_t *rows, int64_t n, cf_error *err)
{
    void *staged = NULL;
    const cf_status st = rows ? cf_cuda_stage(cuda, &staged, rows, (size_t)n * sizeof *rows, err) : CF_OK;
    if (st == CF_OK)
        *device = staged;
    return st;
}

cf_status cf_cuda_op_gather(cf_backend *be, cf_tensor *y, const cf_tensor *x, const int32_t *rows, cf_error *err)
{
    cf_cuda *cuda = NULL;
    const int32_t *device = NULL;
    cf_status st = CF_OK;
    if (cf_tensor_count(y) == 0)
        return CF_OK;
    CF_TRY(cf_cuda_enter(&cuda, be, "gather", err));
    CF_TRY(stage_rows(cuda, &device, rows, y->shape[0], err));
    CF_TRY(cf_cuda_check(
        err, cf_cuda_gather(cuda->work, y->data, y->dtype, x->data, x->dtype, device, y->shape[0], y->shape[1]),
        cuda->last));
done:
    return st;
}

cf_status cf_cuda_op_scatter(cf_backend *be, cf_tensor *y, const cf_tensor *x, const int32_t *rows, cf_error *err)
{
    cf_cuda *cuda = NULL;
    const int32_t *device = NULL;
    cf_status st = CF_OK;
    if (cf_tensor_count(x) == 0)
        return CF_OK;
    CF_TRY(cf_cuda_enter(&cuda, be, "scatter", err));
    CF_TRY(stage_rows(cuda, &device, rows, x->shape[0], err));
    CF_TRY(cf_cuda_check(err, cf_cuda_scatter(cuda->work, y->data, x->data, device, x->shape[0], x->shape[1]),
                         cuda->last));
done:
    return st;
}

cf_status cf_cuda_op_rms_norm(cf_backend *be, cf_tensor *y, const cf_tensor *x, const cf_tensor *gamma, float eps,
                              cf_error *err)
{
    cf_cuda *cuda = NULL;
    cf_status st = CF_OK;
    if (cf_tensor_count(x) == 0)
        return CF_OK;
    CF_TRY(cf_cuda_enter(&cuda, be, "rms_norm", err));
    CF_TRY(cf_cuda_check(
        err, cf_cuda_rms_norm(cuda->work, y->data, y->dtype, x->data, gamma->data, eps, x->shape[0], x->shape[1]),
        cuda->last));
done:
    return st;
}

cf_status cf_cuda_op_layer_norm(cf_backend *be, cf_tensor *y, const cf_tensor *x, const cf_tensor *gamma,
                                const cf_tensor *beta, float eps, cf_error *err)
{
    cf_cuda *cuda = NULL;
    cf_status st = CF_OK;
    if (cf_tensor_count(x) == 0)
        return CF_OK;
    CF_TRY(cf_cuda_enter(&cuda, be, "layer_norm", err));
    CF_TRY(cf_cuda_check(err,
                         cf_cuda_layer_norm(cuda->work, y->data, y->dtype, x->data, gamma->data, beta->data, eps,
                                            x->shape[0], x->shape[1]),
                         cuda->last));
done:
    return st;
}

cf_status cf_cuda_op_rope(cf_backend *be, cf_tensor *x, const cf_tensor *table, const int32_t *pos, int64_t n_heads,
                          cf_error *err)
{
    cf_cuda *cuda = NULL;
    const int32_t *device = NULL;
    cf_status st = CF_OK;
    if (cf_tensor_count(x) == 0)
        return CF_OK;
    CF_TRY(cf_cuda_enter(&cuda, be, "rope", err));
    CF_TRY(stage_rows(cuda, &device, pos, x->shape[0], err));
    CF_TRY(cf_cuda_check(
        err, cf_cuda_rope(cuda->work, x->data, x->dtype, table->data, device, x->shape[0], n_heads, table->shape[1]),
        cuda->last));
done:
    return st;
}

cf_status cf_cuda_op_activate(cf_backend *be, cf_tensor *y, const cf_tensor *x, const cf_tensor *times, cf_unary f,
                              cf_error *err)
{
    cf_cuda *cuda = NULL;
    cf_status st = CF_OK;
    if (cf_tensor_count(x) == 0)
        return CF_OK;
    CF_TRY(cf_cuda_enter(&cuda, be, "activate", err));
    CF_TRY(cf_cuda_check(err,
                         cf_cuda_activate(cuda->work, y->data, y->dtype, x->data, times ? times->data : NULL, x->dtype,
                                          f, cf_tensor_count(x)),
                         cuda->last));
done:
    return st;
}
