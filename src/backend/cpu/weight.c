/* weight.c - the right-hand sides of products: a host matrix of any dtype, laid out once in oneDNN's own blocked form. */
#include "backend/cpu/product_internal.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { LAYOUT_ROWS = 128 }; /* row count at which a weight's layout is chosen */

/* A row of a host matrix in the compute dtype. f16 becomes bf16 by way of f32, which holds it exactly: one rounding. */
static void convert_row(void *out, const cf_cpu *cpu, const void *row, cf_dtype from, float *wide, int64_t k)
{
    const cf_dtype to = cpu->base.compute;
    if (from == to) {
        memcpy(out, row, (size_t)k * cf_dtype_bytes(to));
        return;
    }
    float *const f32 = to == CF_F32 ? (float *)out : wide;
    if (from == CF_F16)
        cpu->kernels->from_f16(f32, row, k);
    else
        cf_to_f32(f32, row, from, (size_t)k);
    if (to == CF_BF16)
        cpu->kernels->to_bf16(out, f32, k);
}

/* *out = the host matrix, row-major, in the compute dtype: itself where it is so already, else in p->plain. */
static cf_status to_plain(const void **out, cf_products *p, const cf_cpu *cpu, const cf_tensor *host, cf_error *err)
{
    const int64_t n = host->shape[0], k = host->shape[1];
    const size_t from = cf_dtype_bytes(host->dtype), to = cf_dtype_bytes(cpu->base.compute);
    const size_t wide = (size_t)cpu->base.n_threads * (size_t)k * sizeof(float), matrix = (size_t)(n * k) * to;
    if (host->dtype == cpu->base.compute && (uintptr_t)host->data % from == 0) {
        *out = host->data;
        return CF_OK;
    }
    const cf_status st = cf_products_reserve(&p->plain, &p->plain_bytes, wide + matrix, "a weight", err);
    if (st != CF_OK)
        return st;
    float *const wides = p->plain;
    char *const plain = (char *)p->plain + wide;
#pragma omp parallel for num_threads(cpu->base.n_threads) if (n * k > 65536)
    for (int64_t i = 0; i < n; i++)
        convert_row(plain + (size_t)(i * k) * to, cpu, (const char *)host->data + (size_t)(i * k) * from, host->dtype,
                    wides + omp_get_thread_num() * k, k);
    *out = plain;
    return CF_OK;
}

/* Copies plain [n, k] into the weight's layout. */
static cf_status lay_out(cf_weight *w, const cf_products *p, dnnl_data_type_t type, const void *plain, cf_error *err)
{
    cf_status st = CF_OK;
    dnnl_primitive_desc_t pd = NULL;
    dnnl_primitive_t reorder = NULL;
    dnnl_primitive_attr_t attr = NULL;
    dnnl_memory_t src = NULL, scratch = NULL;
    void *pad = NULL;
    dnnl_memory_desc_t md;
    CF_TRY(cf_products_check_room(err));
    cf_dnnl_plain(&md, type, w->k, w->n, dnnl_ba); /* W is [n, k] row-major: as [k, n] its columns are contiguous */
    TRY_DNNL(dnnl_primitive_attr_create(&attr));
    TRY_DNNL(dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user));
    TRY_DNNL(dnnl_reorder_primitive_desc_create(&pd, &md, p->engine, &w->layout, p->engine, attr));
    TRY_DNNL(dnnl_primitive_create(&reorder, pd));
    const dnnl_memory_desc_t *need = dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
    CF_TRY(cf_alloc(&pad, dnnl_memory_desc_get_size(need), 1, "reorder scratch", err));
    TRY_DNNL(dnnl_memory_create(&src, &md, p->engine, (void *)(uintptr_t)plain)); /* only read */
    TRY_DNNL(dnnl_memory_create(&scratch, need, p->engine, pad));
    const dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, src}, {DNNL_ARG_TO, w->memory}, {DNNL_ARG_SCRATCHPAD, scratch}};
    TRY_DNNL(dnnl_primitive_execute(reorder, p->stream, 3, args));
    TRY_DNNL(dnnl_stream_wait(p->stream));
done:
    if (src)
        dnnl_memory_destroy(src);
    if (scratch)
        dnnl_memory_destroy(scratch);
    if (reorder)
        dnnl_primitive_destroy(reorder);
    if (pd)
        dnnl_primitive_desc_destroy(pd);
    if (attr)
        dnnl_primitive_attr_destroy(attr);
    free(pad);
    return st;
}

cf_status cf_cpu_weight_fill(cf_backend *be, cf_weight *w, const cf_tensor *host, cf_error *err)
{
    const cf_cpu *cpu = (const cf_cpu *)be;
    const void *plain = NULL;
    omp_set_num_threads(be->n_threads);
    const cf_status st = to_plain(&plain, cpu->products, cpu, host, err);
    return st == CF_OK ? lay_out(w, cpu->products, cf_dnnl_type(be->compute), plain, err) : st;
}

cf_status cf_cpu_weight_create(cf_backend *be, cf_weight **out, const cf_tensor *host, cf_error *err)
{
    const cf_cpu *cpu = (const cf_cpu *)be;
    cf_status st = CF_OK;
    dnnl_primitive_desc_t pd = NULL;
    cf_weight *w = calloc(1, sizeof *w);
    if (!w)
        return cf_fail(err, CF_NOMEM, "no memory for a weight");
    w->n = host->shape[0];
    w->k = host->shape[1];
    omp_set_num_threads(be->n_threads);
    const dnnl_data_type_t type = cf_dnnl_type(be->compute);
    const cf_product_key key = {LAYOUT_ROWS, w->n, w->k, 0, 0};
    dnnl_memory_desc_t any;
    cf_dnnl_plain(&any, type, w->k, w->n, dnnl_format_tag_any);
    CF_TRY(cf_product_describe(&pd, cpu->products, type, &key, &any, err));
    w->layout = *dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0);
    CF_TRY(cf_alloc(&w->data, dnnl_memory_desc_get_size(&w->layout), 1, "a weight", err));
    TRY_DNNL(dnnl_memory_create(&w->memory, &w->layout, cpu->products->engine, w->data));
    CF_TRY(cf_cpu_weight_fill(be, w, host, err));
    *out = w;
    w = NULL;
done:
    if (w)
        cf_cpu_weight_free(be, w);
    if (pd)
        dnnl_primitive_desc_destroy(pd);
    return st;
}

void cf_cpu_weight_free(cf_backend *be, cf_weight *w)
{
    (void)be;
    if (w->memory)
        dnnl_memory_destroy(w->memory);
    free(w->data);
    free(w);
}

void cf_cpu_weight_shape(const cf_weight *w, int64_t *n, int64_t *k)
{
    *n = w->n;
    *k = w->k;
}
