/* backend_internal.h - the ops table behind backend.h. Included only inside backend/. */
#ifndef CF_BACKEND_BACKEND_INTERNAL_H
#define CF_BACKEND_BACKEND_INTERNAL_H

#include "backend/backend.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One constant table per backend; each entry is specified by the function of the same name in backend.h. None is
 * optional. */
typedef struct cf_backend_ops {
    const char *name;
    bool row_invariant;                   /* by construction: there is nothing to probe */
    bool (*multiplies)(cf_dtype compute); /* known before anything is opened */
    /* Whether operations take and leave values of the dtype; f32 always. */
    bool (*takes_values)(const cf_backend *be, cf_dtype dtype);
    cf_status (*open)(cf_backend **out, const cf_backend_options *options, cf_error *err);
    void (*close)(cf_backend *be);
    cf_status (*alloc)(cf_backend *be, cf_tensor *out, cf_dtype dtype, int64_t rows, int64_t cols, cf_error *err);
    void (*release)(cf_backend *be, cf_tensor *t);
    cf_status (*upload)(cf_backend *be, cf_tensor *dst, const void *src, cf_error *err);
    cf_status (*download)(cf_backend *be, void *dst, const cf_tensor *src, cf_error *err);
    cf_status (*weight_create)(cf_backend *be, cf_weight **out, const cf_tensor *host, cf_error *err);
    cf_status (*weight_fill)(cf_backend *be, cf_weight *w, const cf_tensor *host, cf_error *err);
    void (*weight_free)(cf_backend *be, cf_weight *w);
    void (*weight_shape)(const cf_weight *w, int64_t *n, int64_t *k);
    cf_status (*kv_create)(cf_backend *be, cf_kv **out, int64_t n_layers, int64_t capacity, int64_t n_kv_heads,
                           int64_t head_dim, cf_error *err);
    void (*kv_free)(cf_backend *be, cf_kv *kv);
    cf_status (*linear)(cf_backend *be, cf_tensor *y, const cf_tensor *x, const cf_weight *w, const cf_tensor *bias,
                        bool accumulate, cf_error *err);
    cf_status (*gather)(cf_backend *be, cf_tensor *y, const cf_tensor *x, const int32_t *rows, cf_error *err);
    cf_status (*scatter)(cf_backend *be, cf_tensor *y, const cf_tensor *x, const int32_t *rows, cf_error *err);
    cf_status (*rms_norm)(cf_backend *be, cf_tensor *y, const cf_tensor *x, const cf_tensor *gamma, float eps,
                          cf_error *err);
    cf_status (*layer_norm)(cf_backend *be, cf_tensor *y, const cf_tensor *x, const cf_tensor *gamma,
                            const cf_tensor *beta, float eps, cf_error *err);
    cf_status (*rope)(cf_backend *be, cf_tensor *x, const cf_tensor *table, const int32_t *pos, int64_t n_heads,
                      cf_error *err);
    cf_status (*activate)(cf_backend *be, cf_tensor *y, const cf_tensor *x, const cf_tensor *times, cf_unary f,
                          cf_error *err);
    cf_status (*kv_put)(cf_backend *be, cf_kv *kv, int64_t layer, const cf_tensor *k, const cf_tensor *v,
                        const int32_t *pos, cf_error *err);
    cf_status (*kv_copy)(cf_backend *be, cf_kv *to, const cf_kv *from, int64_t layer, int64_t n, cf_error *err);
    cf_status (*attention)(cf_backend *be, cf_tensor *out, const cf_tensor *q, const cf_tensor *k, const cf_tensor *v,
                           const cf_attn *a, cf_error *err);
} cf_backend_ops;

/* First member of every backend's own struct. */
struct cf_backend {
    const cf_backend_ops *ops;
    cf_dtype compute;
    int n_threads;
    char describe[160];
    cf_counters counters;
};

extern const cf_backend_ops cf_backend_ref, cf_backend_cpu;

/* Memory operations of backends whose memory is the host's. */
cf_status cf_host_alloc(cf_backend *be, cf_tensor *out, cf_dtype dtype, int64_t rows, int64_t cols, cf_error *err);
void cf_host_release(cf_backend *be, cf_tensor *t);
cf_status cf_host_upload(cf_backend *be, cf_tensor *dst, const void *src, cf_error *err);
cf_status cf_host_download(cf_backend *be, void *dst, const cf_tensor *src, cf_error *err);

/* Scatter where memory is the host's: a copy, on one thread: it moves the few rows that a run zeroes. */
cf_status cf_host_scatter(cf_backend *be, cf_tensor *y, const cf_tensor *x, const int32_t *rows, cf_error *err);

/* Values with full mantissas in [-1, 1): splitmix64, so that a trial is the same everywhere. */
void cf_fill_trial(float *x, size_t n);

/* Whether head h, query position q is in a cut's reach (its query spans and head set). */
bool cf_cut_reaches(const cf_cut *cut, int64_t head, int32_t q);

#ifdef __cplusplus
}
#endif
#endif
