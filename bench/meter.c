/* meter.c - see meter.h. */
#include "meter.h"

#include <string.h>

#include "base/clock.h"
#include "measure.h"

const char *part_name(part p)
{
    static const char *const names[N_PARTS] = {
        "products q k v o", "products gate up", "product down", "product head", "other products",
        "attention",        "kv put",           "norms",        "rope",         "activation",
        "gathers",          "host copies"};
    return names[p];
}

static meter *meter_of(const cf_backend *be)
{
    return (meter *)(uintptr_t)be->ops; // NOLINT(performance-no-int-to-ptr): the meter itself is not const
}

static cf_status add(const cf_backend *be, part p, int64_t begin, cf_status st)
{
    meter *m = meter_of(be);
    m->seconds[p] += seconds_since(begin);
    m->calls[p]++;
    return st;
}

static part part_of_product(const meter *m, const cf_weight *w)
{
    const cf_text_config *t = &m->text;
    int64_t n = 0, k = 0;
    m->inner->weight_shape(w, &n, &k);
    if (k == t->hidden_size && n == t->vocab_size)
        return PART_HEAD;
    if (k == t->hidden_size && n == t->intermediate_size)
        return PART_GATE_UP;
    if (k == t->intermediate_size && n == t->hidden_size)
        return PART_DOWN;
    const int64_t q = t->n_heads * t->head_dim, kv = t->n_kv_heads * t->head_dim;
    return (k == t->hidden_size && (n == q || n == kv)) || (k == q && n == t->hidden_size) ? PART_QKVO : PART_OTHER;
}

static cf_status linear(cf_backend *be, cf_tensor *y, const cf_tensor *x, const cf_weight *w, const cf_tensor *bias,
                        bool accumulate, cf_error *err)
{
    const meter *m = meter_of(be);
    const int64_t begin = cf_clock_ns();
    return add(be, part_of_product(m, w), begin, m->inner->linear(be, y, x, w, bias, accumulate, err));
}

static cf_status attention(cf_backend *be, cf_tensor *out, const cf_tensor *q, const cf_tensor *k, const cf_tensor *v,
                           const cf_attn *a, cf_error *err)
{
    const int64_t begin = cf_clock_ns();
    return add(be, PART_ATTENTION, begin, meter_of(be)->inner->attention(be, out, q, k, v, a, err));
}

static cf_status kv_put(cf_backend *be, cf_kv *kv, int64_t layer, const cf_tensor *k, const cf_tensor *v,
                        const int32_t *pos, cf_error *err)
{
    const int64_t begin = cf_clock_ns();
    return add(be, PART_KV_PUT, begin, meter_of(be)->inner->kv_put(be, kv, layer, k, v, pos, err));
}

static cf_status kv_copy(cf_backend *be, cf_kv *to, const cf_kv *from, int64_t layer, int64_t n, cf_error *err)
{
    const int64_t begin = cf_clock_ns();
    return add(be, PART_KV_PUT, begin, meter_of(be)->inner->kv_copy(be, to, from, layer, n, err));
}

static cf_status rms_norm(cf_backend *be, cf_tensor *y, const cf_tensor *x, const cf_tensor *gamma, float eps,
                          cf_error *err)
{
    const int64_t begin = cf_clock_ns();
    return add(be, PART_NORM, begin, meter_of(be)->inner->rms_norm(be, y, x, gamma, eps, err));
}

static cf_status layer_norm(cf_backend *be, cf_tensor *y, const cf_tensor *x, const cf_tensor *gamma,
                            const cf_tensor *beta, float eps, cf_error *err)
{
    const int64_t begin = cf_clock_ns();
    return add(be, PART_NORM, begin, meter_of(be)->inner->layer_norm(be, y, x, gamma, beta, eps, err));
}

static cf_status rope(cf_backend *be, cf_tensor *x, const cf_tensor *table, const int32_t *pos, int64_t n_heads,
                      cf_error *err)
{
    const int64_t begin = cf_clock_ns();
    return add(be, PART_ROPE, begin, meter_of(be)->inner->rope(be, x, table, pos, n_heads, err));
}

static cf_status activate(cf_backend *be, cf_tensor *y, const cf_tensor *x, const cf_tensor *times, cf_unary f,
                          cf_error *err)
{
    const int64_t begin = cf_clock_ns();
    return add(be, PART_ACTIVATE, begin, meter_of(be)->inner->activate(be, y, x, times, f, err));
}

static cf_status gather(cf_backend *be, cf_tensor *y, const cf_tensor *x, const int32_t *rows, cf_error *err)
{
    const int64_t begin = cf_clock_ns();
    return add(be, PART_GATHER, begin, meter_of(be)->inner->gather(be, y, x, rows, err));
}

static cf_status scatter(cf_backend *be, cf_tensor *y, const cf_tensor *x, const int32_t *rows, cf_error *err)
{
    const int64_t begin = cf_clock_ns();
    return add(be, PART_GATHER, begin, meter_of(be)->inner->scatter(be, y, x, rows, err));
}

static cf_status upload(cf_backend *be, cf_tensor *dst, const void *src, cf_error *err)
{
    const int64_t begin = cf_clock_ns();
    return add(be, PART_COPY, begin, meter_of(be)->inner->upload(be, dst, src, err));
}

static cf_status download(cf_backend *be, void *dst, const cf_tensor *src, cf_error *err)
{
    const int64_t begin = cf_clock_ns();
    return add(be, PART_COPY, begin, meter_of(be)->inner->download(be, dst, src, err));
}

void meter_attach(meter *m, cf_backend *be, const cf_text_config *text)
{
    *m = (meter){.ops = *be->ops, .inner = be->ops, .text = *text};
    m->ops.linear = linear;
    m->ops.attention = attention;
    m->ops.kv_put = kv_put;
    m->ops.kv_copy = kv_copy;
    m->ops.rms_norm = rms_norm;
    m->ops.layer_norm = layer_norm;
    m->ops.rope = rope;
    m->ops.activate = activate;
    m->ops.gather = gather;
    m->ops.scatter = scatter;
    m->ops.upload = upload;
    m->ops.download = download;
    be->ops = &m->ops;
}

void meter_detach(meter *m, cf_backend *be)
{
    be->ops = m->inner;
}

void meter_reset(meter *m)
{
    memset(m->seconds, 0, sizeof m->seconds);
    memset(m->calls, 0, sizeof m->calls);
}

double meter_total(const meter *m)
{
    double total = 0;
    for (int p = 0; p < N_PARTS; p++)
        total += m->seconds[p];
    return total;
}
