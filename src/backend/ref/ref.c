/* ref.c - the oracle: every operation as its defining formula, plain loops, double accumulators, one thread.
 *
 * Nothing here is fast and nothing should be made so. The compute dtype is always f32; values may have any dtype
 * (ref_value.c). Each sum is carried in double and rounded once. Attention is in ref_attention.c. */
#include "backend/ref/ref_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct cf_weight {
    int64_t n, k;
    float *w; /* [n, k] */
};

static bool multiplies(cf_dtype compute)
{
    return compute == CF_F32; /* the oracle: there is nothing to learn from rounding it */
}

static bool takes_values(const cf_backend *be, cf_dtype dtype)
{
    (void)be;
    (void)dtype;
    return true;
}

static cf_status ref_open(cf_backend **out, const cf_backend_options *options, cf_error *err)
{
    (void)options;
    cf_backend *be = calloc(1, sizeof *be);
    if (!be)
        return cf_fail(err, CF_NOMEM, "no memory for the ref backend");
    be->ops = &cf_backend_ref;
    be->compute = CF_F32;
    be->n_threads = 1;
    (void)snprintf(be->describe, sizeof be->describe, "ref, plain C with double accumulators");
    *out = be;
    return CF_OK;
}

static void ref_close(cf_backend *be)
{
    free(be);
}

static cf_status weight_fill(cf_backend *be, cf_weight *w, const cf_tensor *host, cf_error *err)
{
    (void)be;
    (void)err;
    cf_to_f32(w->w, host->data, host->dtype, (size_t)cf_tensor_count(host));
    return CF_OK;
}

static cf_status weight_create(cf_backend *be, cf_weight **out, const cf_tensor *host, cf_error *err)
{
    cf_weight *w = calloc(1, sizeof *w);
    if (!w)
        return cf_fail(err, CF_NOMEM, "no memory for a weight");
    w->n = host->shape[0];
    w->k = host->shape[1];
    void *data = NULL;
    const cf_status st = cf_alloc(&data, (size_t)cf_tensor_count(host), sizeof(float), "a weight", err);
    if (st != CF_OK) {
        free(w);
        return st;
    }
    w->w = data;
    *out = w;
    return weight_fill(be, w, host, err);
}

static void weight_free(cf_backend *be, cf_weight *w)
{
    (void)be;
    free(w->w);
    free(w);
}

static void weight_shape(const cf_weight *w, int64_t *n, int64_t *k)
{
    *n = w->n;
    *k = w->k;
}

static cf_status linear(cf_backend *be, cf_tensor *y, const cf_tensor *x, const cf_weight *w, const cf_tensor *bias,
                        bool accumulate, cf_error *err)
{
    (void)be;
    (void)err;
    const float *xs = x->data, *b = bias ? bias->data : NULL;
    for (int64_t m = 0; m < x->shape[0]; m++)
        for (int64_t n = 0; n < w->n; n++) {
            double sum = b ? (double)b[n] : 0;
            for (int64_t k = 0; k < w->k; k++)
                sum += (double)xs[m * w->k + k] * (double)w->w[n * w->k + k];
            const int64_t cell = m * w->n + n;
            cf_ref_store(y, cell, accumulate ? sum + (double)((const float *)y->data)[cell] : sum);
        }
    return CF_OK;
}

static cf_status gather(cf_backend *be, cf_tensor *y, const cf_tensor *x, const int32_t *rows, cf_error *err)
{
    (void)be;
    (void)err;
    const size_t d = (size_t)x->shape[1], in = d * cf_dtype_bytes(x->dtype), out = d * cf_dtype_bytes(y->dtype);
    for (int64_t i = 0; i < y->shape[0]; i++) {
        const char *src = (const char *)x->data + (size_t)(rows ? rows[i] : i) * in;
        char *dst = (char *)y->data + (size_t)i * out;
        if (y->dtype == x->dtype)
            memcpy(dst, src, in);
        else
            cf_to_f32((float *)(void *)dst, src, x->dtype, d);
    }
    return CF_OK;
}

static cf_status rms_norm(cf_backend *be, cf_tensor *y, const cf_tensor *x, const cf_tensor *gamma, float eps,
                          cf_error *err)
{
    (void)be;
    (void)err;
    const int64_t d = x->shape[1];
    const float *g = gamma->data;
    for (int64_t i = 0; i < x->shape[0]; i++) {
        const float *xi = (const float *)x->data + i * d;
        float *yi = (float *)y->data + i * d;
        double square = 0;
        for (int64_t j = 0; j < d; j++)
            square += (double)xi[j] * (double)xi[j];
        const double scale = 1.0 / sqrt(square / (double)d + (double)eps);
        for (int64_t j = 0; j < d; j++)
            yi[j] = (float)((double)xi[j] * scale * (double)g[j]);
    }
    return CF_OK;
}

static cf_status layer_norm(cf_backend *be, cf_tensor *y, const cf_tensor *x, const cf_tensor *gamma,
                            const cf_tensor *beta, float eps, cf_error *err)
{
    (void)be;
    (void)err;
    const int64_t d = x->shape[1];
    const float *g = gamma->data, *b = beta->data;
    for (int64_t i = 0; i < x->shape[0]; i++) {
        const float *xi = (const float *)x->data + i * d;
        float *yi = (float *)y->data + i * d;
        double mean = 0, var = 0;
        for (int64_t j = 0; j < d; j++)
            mean += (double)xi[j];
        mean /= (double)d;
        for (int64_t j = 0; j < d; j++)
            var += ((double)xi[j] - mean) * ((double)xi[j] - mean);
        const double scale = 1.0 / sqrt(var / (double)d + (double)eps);
        for (int64_t j = 0; j < d; j++)
            yi[j] = (float)(((double)xi[j] - mean) * scale * (double)g[j] + (double)b[j]);
    }
    return CF_OK;
}

static cf_status rope(cf_backend *be, cf_tensor *x, const cf_tensor *table, const int32_t *pos, int64_t n_heads,
                      cf_error *err)
{
    (void)be;
    const int64_t e = table->shape[1], half = e / 2;
    const float *xs = NULL;
    void *own = NULL;
    const cf_status st = cf_ref_read(&xs, &own, x, err);
    if (st != CF_OK)
        return st;
    for (int64_t i = 0; i < x->shape[0]; i++) {
        const float *cosine = (const float *)table->data + pos[i] * e, *sine = cosine + half;
        for (int64_t h = 0; h < n_heads; h++)
            for (int64_t j = 0; j < half; j++) {
                const int64_t first = (i * n_heads + h) * e + j, second = first + half;
                const double a = (double)xs[first], b = (double)xs[second], c = (double)cosine[j], s = (double)sine[j];
                cf_ref_store(x, first, a * c - b * s);
                cf_ref_store(x, second, b * c + a * s);
            }
    }
    free(own);
    return CF_OK;
}

static double unary(cf_unary f, double x)
{
    switch (f) {
    case CF_UNARY_GELU:
        return 0.5 * x * (1 + erf(x * 0.70710678118654752440)); /* 1/sqrt(2) */
    case CF_UNARY_GELU_TANH:
        return 0.5 * x * (1 + tanh(0.79788456080286535588 * (x + 0.044715 * x * x * x))); /* sqrt(2/pi) */
    case CF_UNARY_QUICK_GELU:
        return x / (1 + exp(-1.702 * x));
    case CF_UNARY_SILU:
        break;
    }
    return x / (1 + exp(-x));
}

static cf_status activate(cf_backend *be, cf_tensor *y, const cf_tensor *x, const cf_tensor *times, cf_unary f,
                          cf_error *err)
{
    (void)be;
    cf_status st = CF_OK;
    const float *xs = NULL, *ts = NULL;
    void *own_x = NULL, *own_times = NULL;
    CF_TRY(cf_ref_read(&xs, &own_x, x, err));
    if (times)
        CF_TRY(cf_ref_read(&ts, &own_times, times, err));
    for (int64_t i = 0; i < cf_tensor_count(x); i++)
        cf_ref_store(y, i, unary(f, (double)xs[i]) * (ts ? (double)ts[i] : 1.0));
done:
    free(own_x);
    free(own_times);
    return st;
}

const cf_backend_ops cf_backend_ref = {
    .name = "ref",
    .row_invariant = true,
    .multiplies = multiplies,
    .takes_values = takes_values,
    .open = ref_open,
    .close = ref_close,
    .alloc = cf_host_alloc,
    .release = cf_host_release,
    .upload = cf_host_upload,
    .download = cf_host_download,
    .weight_create = weight_create,
    .weight_fill = weight_fill,
    .weight_free = weight_free,
    .weight_shape = weight_shape,
    .kv_create = cf_ref_kv_create,
    .kv_free = cf_ref_kv_free,
    .linear = linear,
    .gather = gather,
    .scatter = cf_host_scatter,
    .rms_norm = rms_norm,
    .layer_norm = layer_norm,
    .rope = rope,
    .activate = activate,
    .kv_put = cf_ref_kv_put,
    .kv_copy = cf_ref_kv_copy,
    .attention = cf_ref_attention,
};
