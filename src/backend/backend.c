/* backend.c - chooses a backend once and hands each call to its table; checks shapes here, so that no backend has to.
 */
#include "backend/plugin.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

static const cf_backend_ops *const built_in[] = {&cf_backend_cpu, &cf_backend_ref};

static const cf_backend_ops *find(const char *name)
{
    for (size_t i = 0; i < sizeof built_in / sizeof built_in[0]; i++)
        if (strcmp(built_in[i]->name, name) == 0)
            return built_in[i];
    return NULL;
}

/* Whether the name is cuda or cuda:N, and N. */
static bool is_cuda(const char *name, int *ordinal)
{
    int64_t n = 0;
    if (strncmp(name, "cuda", 4) != 0)
        return false;
    if (name[4] != '\0' &&
        (name[4] != ':' || name[5] < '0' || name[5] > '9' || !cf_parse_i64(&n, cf_slice_of(name + 5)) || n > INT32_MAX))
        return false;
    *ordinal = (int)n;
    return true;
}

/* The table of a name, and which device of its kind. */
static cf_status choose(const cf_backend_ops **ops, const cf_plugin **plugin, int *ordinal, const char *name,
                        cf_error *err)
{
    *ordinal = 0;
    *ops = find(name);
    if (*ops)
        return CF_OK;
    if (!is_cuda(name, ordinal))
        return cf_fail(err, CF_USAGE, "device %s: expected cpu, ref, cuda or cuda:N", name);
    const cf_status st = cf_plugin_load(plugin, name, err);
    if (st == CF_OK)
        *ops = (*plugin)->ops;
    return st;
}

cf_status cf_backend_open(cf_backend **out, const char *name, const cf_backend_options *options, cf_error *err)
{
    const cf_backend_ops *ops = NULL;
    const cf_plugin *plugin = NULL;
    cf_backend_options o = *options;
    const cf_status st = choose(&ops, &plugin, &o.ordinal, name, err);
    if (st != CF_OK)
        return st;
    if (!ops->multiplies(o.compute))
        return cf_fail(err, CF_UNSUPPORTED, "device %s: this processor does not multiply %s; use f32", name,
                       cf_dtype_name(o.compute));
    return ops->open(out, &o, err);
}

static int64_t machine_bytes(void)
{
    return (int64_t)sysconf(_SC_PHYS_PAGES) * (int64_t)sysconf(_SC_PAGESIZE);
}

cf_status cf_backend_memory(int64_t *bytes, const char *name, cf_error *err)
{
    const cf_backend_ops *ops = NULL;
    const cf_plugin *plugin = NULL;
    int ordinal = 0;
    const cf_status st = choose(&ops, &plugin, &ordinal, name, err);
    if (st != CF_OK)
        return st;
    if (plugin)
        return plugin->memory(bytes, ordinal, err);
    *bytes = machine_bytes();
    return CF_OK;
}

cf_status cf_backend_list(cf_str *out, cf_error *err)
{
    const cf_plugin *plugin = NULL;
    cf_error why = {0};
    cf_status st = CF_OK;
    CF_TRY(cf_str_addf(out, err, "%-10s products in f32%s; %ld cores, %.0f MiB\n", "cpu",
                       cf_backend_has_bf16("cpu") ? " and bf16" : "", sysconf(_SC_NPROCESSORS_ONLN),
                       (double)machine_bytes() / (1024 * 1024)));
    st = cf_plugin_load(&plugin, "cuda", &why);
    if (st == CF_OK)
        st = plugin->list(out, &why);
    if (st != CF_OK)
        st = cf_str_addf(out, err, "%-10s none: %s\n", "cuda", why.text);
done:
    return st;
}

void cf_backend_close(cf_backend *be)
{
    if (be)
        be->ops->close(be);
}

const char *cf_backend_name(const cf_backend *be)
{
    return be->ops->name;
}

cf_dtype cf_backend_compute(const cf_backend *be)
{
    return be->compute;
}

cf_dtype cf_backend_value_dtype(const cf_backend *be)
{
    return be->ops->takes_values(be, be->compute) ? be->compute : CF_F32;
}

int cf_backend_n_threads(const cf_backend *be)
{
    return be->n_threads;
}

const char *cf_backend_describe(const cf_backend *be)
{
    return be->describe;
}

bool cf_backend_has_bf16(const char *name)
{
    const cf_backend_ops *ops = find(name);
    return ops ? ops->multiplies(CF_BF16) : cf_backend_is_accelerator(name);
}

bool cf_backend_is_accelerator(const char *name)
{
    int ordinal = 0;
    return is_cuda(name, &ordinal);
}

int64_t cf_backend_chunk_bytes(const char *name)
{
    return (int64_t)(cf_backend_is_accelerator(name) ? 512 : 44) << 20;
}

cf_counters cf_backend_counters(const cf_backend *be)
{
    return be->counters;
}

cf_status cf_backend_alloc(cf_backend *be, cf_tensor *out, cf_dtype dtype, int64_t rows, int64_t cols, cf_error *err)
{
    assert(rows >= 0 && cols >= 0);
    return be->ops->alloc(be, out, dtype, rows, cols, err);
}

void cf_backend_release(cf_backend *be, cf_tensor *t)
{
    if (t->data)
        be->ops->release(be, t);
    *t = (cf_tensor){0};
}

cf_status cf_backend_upload(cf_backend *be, cf_tensor *dst, const void *src, cf_error *err)
{
    return be->ops->upload(be, dst, src, err);
}

cf_status cf_backend_download(cf_backend *be, void *dst, const cf_tensor *src, cf_error *err)
{
    return be->ops->download(be, dst, src, err);
}

cf_status cf_weight_create(cf_backend *be, cf_weight **out, const cf_tensor *host, cf_error *err)
{
    assert(host->rank == 2);
    return be->ops->weight_create(be, out, host, err);
}

cf_status cf_weight_fill(cf_backend *be, cf_weight *w, const cf_tensor *host, cf_error *err)
{
    int64_t n = 0, k = 0;
    be->ops->weight_shape(w, &n, &k);
    assert(host->shape[0] == n && host->shape[1] == k);
    be->counters.weight_fills++;
    return be->ops->weight_fill(be, w, host, err);
}

void cf_weight_free(cf_backend *be, cf_weight *w)
{
    if (w)
        be->ops->weight_free(be, w);
}

cf_status cf_kv_create(cf_backend *be, cf_kv **out, int64_t n_layers, int64_t capacity, int64_t n_kv_heads,
                       int64_t head_dim, cf_error *err)
{
    assert(n_layers > 0 && capacity > 0 && n_kv_heads > 0 && head_dim > 0);
    return be->ops->kv_create(be, out, n_layers, capacity, n_kv_heads, head_dim, err);
}

void cf_kv_free(cf_backend *be, cf_kv *kv)
{
    if (kv)
        be->ops->kv_free(be, kv);
}

static bool are_values(const cf_backend *be, const cf_tensor *t)
{
    return be->ops->takes_values(be, t->dtype);
}

cf_status cf_linear(cf_backend *be, cf_tensor *y, const cf_tensor *x, const cf_weight *w, const cf_tensor *bias,
                    bool accumulate, cf_error *err)
{
    int64_t n = 0, k = 0;
    be->ops->weight_shape(w, &n, &k);
    const int64_t m = x->shape[0];
    assert(x->dtype == be->compute && x->shape[1] == k && y->shape[0] == m && y->shape[1] == n);
    assert(y->dtype == CF_F32 || (are_values(be, y) && !bias && !accumulate));
    assert(!bias || (bias->dtype == CF_F32 && cf_tensor_count(bias) == n));
    if (m == 0)
        return CF_OK;
    be->counters.linear_macs += m * n * k;
    be->counters.linear_calls++;
    return be->ops->linear(be, y, x, w, bias, accumulate, err);
}

cf_status cf_gather(cf_backend *be, cf_tensor *y, const cf_tensor *x, const int32_t *rows, cf_error *err)
{
    assert(y->shape[1] == x->shape[1]);
    assert(y->dtype == CF_F32 || y->dtype == x->dtype || (x->dtype == CF_F32 && y->dtype == be->compute));
    return be->ops->gather(be, y, x, rows, err);
}

cf_status cf_scatter(cf_backend *be, cf_tensor *y, const cf_tensor *x, const int32_t *rows, cf_error *err)
{
    assert(y->shape[1] == x->shape[1] && y->dtype == CF_F32 && x->dtype == CF_F32);
    return be->ops->scatter(be, y, x, rows, err);
}

static bool is_norm_shape(const cf_backend *be, const cf_tensor *y, const cf_tensor *x, const cf_tensor *gamma)
{
    return x->dtype == CF_F32 && (y->dtype == CF_F32 || y->dtype == be->compute) && y->shape[0] == x->shape[0] &&
           y->shape[1] == x->shape[1] && gamma->dtype == CF_F32 && cf_tensor_count(gamma) == x->shape[1];
}

cf_status cf_rms_norm(cf_backend *be, cf_tensor *y, const cf_tensor *x, const cf_tensor *gamma, float eps,
                      cf_error *err)
{
    assert(is_norm_shape(be, y, x, gamma));
    return be->ops->rms_norm(be, y, x, gamma, eps, err);
}

cf_status cf_layer_norm(cf_backend *be, cf_tensor *y, const cf_tensor *x, const cf_tensor *gamma, const cf_tensor *beta,
                        float eps, cf_error *err)
{
    assert(is_norm_shape(be, y, x, gamma) && is_norm_shape(be, y, x, beta));
    return be->ops->layer_norm(be, y, x, gamma, beta, eps, err);
}

cf_status cf_rope(cf_backend *be, cf_tensor *x, const cf_tensor *table, const int32_t *pos, int64_t n_heads,
                  cf_error *err)
{
    assert(are_values(be, x) && table->dtype == CF_F32 && table->shape[1] * n_heads == x->shape[1]);
    return be->ops->rope(be, x, table, pos, n_heads, err);
}

cf_status cf_activate(cf_backend *be, cf_tensor *y, const cf_tensor *x, const cf_tensor *times, cf_unary f,
                      cf_error *err)
{
    assert(are_values(be, x) && cf_tensor_count(y) == cf_tensor_count(x));
    assert(y->dtype == CF_F32 || y->dtype == be->compute);
    assert(!times || (times->dtype == x->dtype && cf_tensor_count(times) == cf_tensor_count(x)));
    return be->ops->activate(be, y, x, times, f, err);
}

cf_status cf_kv_put(cf_backend *be, cf_kv *kv, int64_t layer, const cf_tensor *k, const cf_tensor *v,
                    const int32_t *pos, cf_error *err)
{
    assert(are_values(be, k) && v->dtype == k->dtype && k->shape[0] == v->shape[0]);
    return be->ops->kv_put(be, kv, layer, k, v, pos, err);
}

cf_status cf_kv_copy(cf_backend *be, cf_kv *to, const cf_kv *from, int64_t layer, int64_t n, cf_error *err)
{
    assert(to != from && n >= 0);
    return n ? be->ops->kv_copy(be, to, from, layer, n, err) : CF_OK;
}

cf_status cf_attention(cf_backend *be, cf_tensor *out, const cf_tensor *q, const cf_tensor *k, const cf_tensor *v,
                       const cf_attn *a, cf_error *err)
{
    assert(are_values(be, q) && q->shape[1] == a->n_heads * a->head_dim && out->shape[1] == q->shape[1]);
    assert((!k || k->dtype == q->dtype) && (!v || v->dtype == q->dtype));
    assert(a->n_heads % a->n_kv_heads == 0 && a->window >= 0 && (a->causal || a->window == 0));
    for (int64_t i = 0; i < a->n_segments; i++) {
        const cf_attn_segment *s = &a->segments[i];
        assert(s->q_row >= 0 && s->q_row + s->n_q <= q->shape[0] && s->q_row + s->n_q <= out->shape[0]);
        assert(s->own_begin + s->n_own >= s->n_keys && (s->n_own == 0 || s->own_begin + s->n_own == s->n_keys));
        assert(s->n_own == 0 || (k && s->own_row >= 0 && s->own_row + s->n_own <= k->shape[0]));
        assert(s->own_begin == 0 || s->kv);
    }
    return be->ops->attention(be, out, q, k, v, a, err);
}

/* ---- row invariance ---- */

void cf_fill_trial(float *x, size_t n)
{
    uint64_t s = 0x9e3779b97f4a7c15u;
    for (size_t i = 0; i < n; i++) {
        uint64_t z = (s += 0x9e3779b97f4a7c15u);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        x[i] = (float)((int32_t)(z >> 32)) * 0x1p-31f;
    }
}

/* y += x W^T (or y = x W^T), group by group, over the first n rows. */
static cf_status multiply_grouped(cf_backend *be, cf_tensor *y, const cf_tensor *x, const cf_weight *w, int64_t n,
                                  int64_t group, bool accumulate, cf_error *err)
{
    for (int64_t i = 0; i < n; i += group) {
        const int64_t end = i + group < n ? i + group : n;
        const cf_tensor xi = cf_tensor_rows(x, i, end);
        cf_tensor yi = cf_tensor_rows(y, i, end);
        const cf_status st = cf_linear(be, &yi, &xi, w, NULL, accumulate, err);
        if (st != CF_OK)
            return st;
    }
    return CF_OK;
}

enum {
    PROBE_GROUPS = 8
}; /* groups tried of each size: enough to meet every row's place in a register block, few enough for the largest
      weights */

cf_status cf_backend_probe(cf_backend *be, bool *row_invariant, const cf_weight *w, int64_t n_rows, cf_error *err)
{
    static const int64_t groups[] = {1,  2,  3,  5,  16,
                                     23, 40, 64, 129}; /* decode, ->Last, typical ->Question rows, tile edges */
    cf_status st = CF_OK;
    int64_t n = 0, k = 0;
    if (be->ops->row_invariant) {
        *row_invariant = true;
        return CF_OK;
    }
    be->ops->weight_shape(w, &n, &k);
    const cf_counters before = be->counters; /* the probe is not the study's work */
    const size_t x_count = (size_t)n_rows * (size_t)k, y_count = (size_t)n_rows * (size_t)n;
    cf_tensor x32 = {0}, x = {0}, y = {0};
    void *x_host = NULL, *y_host = NULL, *whole = NULL, *part = NULL;
    CF_TRY(cf_alloc(&x_host, x_count, sizeof(float), "probe input", err));
    CF_TRY(cf_alloc(&y_host, y_count, sizeof(float), "probe output", err));
    CF_TRY(cf_alloc(&whole, y_count, sizeof(float), "probe output", err));
    CF_TRY(cf_alloc(&part, y_count, sizeof(float), "probe output", err));
    CF_TRY(cf_backend_alloc(be, &x32, CF_F32, n_rows, k, err));
    CF_TRY(cf_backend_alloc(be, &x, be->compute, n_rows, k, err));
    CF_TRY(cf_backend_alloc(be, &y, CF_F32, n_rows, n, err));
    cf_fill_trial(x_host, x_count);
    cf_fill_trial(y_host, y_count);
    CF_TRY(cf_backend_upload(be, &x32, x_host, err));
    CF_TRY(cf_gather(be, &x, &x32, NULL, err));
    const cf_dtype value = cf_backend_value_dtype(be);
    cf_tensor leave[] = {y, y, cf_tensor_2d(y.data, value, n_rows, n)}; /* as it is, added to, as values */
    const int n_ways = value == CF_F32 ? 2 : 3;
    bool same = true;
    for (int way = 0; same && way < n_ways; way++) {
        const size_t row_bytes = (size_t)n * cf_dtype_bytes(leave[way].dtype);
        CF_TRY(cf_backend_upload(be, &y, y_host, err));
        CF_TRY(multiply_grouped(be, &leave[way], &x, w, n_rows, n_rows, way == 1, err));
        CF_TRY(cf_backend_download(be, whole, &leave[way], err));
        for (size_t i = 0; same && i < sizeof groups / sizeof groups[0]; i++) {
            const int64_t rows = groups[i] * PROBE_GROUPS < n_rows ? groups[i] * PROBE_GROUPS : n_rows;
            CF_TRY(cf_backend_upload(be, &y, y_host, err));
            CF_TRY(multiply_grouped(be, &leave[way], &x, w, rows, groups[i], way == 1, err));
            CF_TRY(cf_backend_download(be, part, &leave[way], err));
            same = memcmp(whole, part, (size_t)rows * row_bytes) == 0;
        }
    }
    *row_invariant = same;
done:
    be->counters = before;
    cf_backend_release(be, &x32);
    cf_backend_release(be, &x);
    cf_backend_release(be, &y);
    free(x_host);
    free(y_host);
    free(whole);
    free(part);
    return st;
}
