/* ref_attention.c - attention with cuts as its definition: for each head and query, the softmax over the keys it sees.
 */
#include "backend/ref/ref_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct cf_kv {
    int64_t capacity, width; /* width = n_kv_heads * head_dim */
    float *k, *v;            /* [n_layers, capacity, width] */
};

cf_status cf_ref_kv_create(cf_backend *be, cf_kv **out, int64_t n_layers, int64_t capacity, int64_t n_kv_heads,
                           int64_t head_dim, cf_error *err)
{
    cf_status st = CF_OK;
    void *k = NULL, *v = NULL;
    cf_kv *kv = calloc(1, sizeof *kv);
    if (!kv)
        return cf_fail(err, CF_NOMEM, "no memory for keys and values");
    const size_t n = (size_t)(n_layers * capacity * n_kv_heads * head_dim);
    CF_TRY(cf_alloc(&k, n, sizeof(float), "keys", err));
    CF_TRY(cf_alloc(&v, n, sizeof(float), "values", err));
    *kv = (cf_kv){capacity, n_kv_heads * head_dim, k, v};
    *out = kv;
    return CF_OK;
done:
    free(k);
    free(kv);
    (void)be;
    return st;
}

void cf_ref_kv_free(cf_backend *be, cf_kv *kv)
{
    (void)be;
    free(kv->k);
    free(kv->v);
    free(kv);
}

cf_status cf_ref_kv_put(cf_backend *be, cf_kv *kv, int64_t layer, const cf_tensor *k, const cf_tensor *v,
                        const int32_t *pos, cf_error *err)
{
    (void)be;
    (void)err;
    const size_t width = (size_t)kv->width, bytes = width * cf_dtype_bytes(k->dtype);
    for (int64_t i = 0; i < k->shape[0]; i++) {
        const int64_t at = (layer * kv->capacity + pos[i]) * kv->width;
        cf_to_f32(kv->k + at, (const char *)k->data + (size_t)i * bytes, k->dtype, width);
        cf_to_f32(kv->v + at, (const char *)v->data + (size_t)i * bytes, v->dtype, width);
    }
    return CF_OK;
}

cf_status cf_ref_kv_copy(cf_backend *be, cf_kv *to, const cf_kv *from, int64_t layer, int64_t n, cf_error *err)
{
    (void)be;
    (void)err;
    const size_t bytes = (size_t)(n * to->width) * sizeof(float);
    memcpy(to->k + layer * to->capacity * to->width, from->k + layer * from->capacity * from->width, bytes);
    memcpy(to->v + layer * to->capacity * to->width, from->v + layer * from->capacity * from->width, bytes);
    return CF_OK;
}

/* Row of key (or value) `key` of a segment: the shared one below own_begin, the run's own from there on. */
static const float *row_of(const cf_attn *a, const cf_attn_segment *s, const float *own, const float *shared,
                           int64_t key)
{
    const int64_t width = a->n_kv_heads * a->head_dim;
    if (key >= s->own_begin)
        return own + (s->own_row + key - s->own_begin) * width;
    return shared + (a->layer * s->kv->capacity + key) * width;
}

static bool visible(const cf_attn *a, const cf_attn_segment *s, int64_t head, int64_t i, int64_t key)
{
    if (s->dense) {
        const int64_t words = (s->n_keys + 63) / 64, row = s->dense_per_head ? head * s->n_q + i : i;
        return s->dense[row * words + key / 64] >> (key % 64) & 1;
    }
    if (a->causal && key > s->q_pos[i])
        return false;
    if (a->window && key <= s->q_pos[i] - a->window)
        return false;
    for (int64_t c = 0; c < s->n_cuts; c++)
        if (cf_cut_reaches(&s->cuts[c], head, s->q_pos[i]) && cf_spans_contain(s->cuts[c].key, (int32_t)key))
            return false;
    return true;
}

/* The values of q, k and v as f32. */
static cf_status attend(cf_tensor *out, const float *q, const float *k, const float *v, const cf_attn *a, cf_error *err)
{
    const int64_t e = a->head_dim, group = a->n_heads / a->n_kv_heads;
    for (int64_t si = 0; si < a->n_segments; si++) {
        const cf_attn_segment *s = &a->segments[si];
        void *memory = NULL;
        const cf_status st = cf_alloc(&memory, (size_t)(s->n_keys + e), sizeof(double), "attention scores", err);
        if (st != CF_OK)
            return st;
        double *score = memory, *sum = score + s->n_keys;
        for (int64_t h = 0; h < a->n_heads; h++)
            for (int64_t i = 0; i < s->n_q; i++) {
                const float *qi = q + ((s->q_row + i) * a->n_heads + h) * e;
                const int64_t at = h / group * e; /* of this head in a key or value row */
                double largest = -INFINITY, total = 0;
                for (int64_t j = 0; j < s->n_keys; j++) {
                    score[j] = -INFINITY;
                    if (!visible(a, s, h, i, j))
                        continue;
                    const float *kj = row_of(a, s, k, s->kv ? s->kv->k : NULL, j) + at;
                    double dot = 0;
                    for (int64_t x = 0; x < e; x++)
                        dot += (double)qi[x] * (double)kj[x];
                    score[j] = dot * (double)a->scale;
                    largest = fmax(largest, score[j]);
                }
                if (largest == -INFINITY) {
                    free(memory);
                    return cf_fail(err, CF_MISMATCH, "attention: query position %d sees no key", s->q_pos[i]);
                }
                memset(sum, 0, (size_t)e * sizeof *sum);
                for (int64_t j = 0; j < s->n_keys; j++) {
                    if (score[j] == -INFINITY)
                        continue;
                    const float *vj = row_of(a, s, v, s->kv ? s->kv->v : NULL, j) + at;
                    const double p = exp(score[j] - largest);
                    total += p;
                    for (int64_t x = 0; x < e; x++)
                        sum[x] += p * (double)vj[x];
                }
                float *o = (float *)out->data + ((s->q_row + i) * a->n_heads + h) * e;
                for (int64_t x = 0; x < e; x++)
                    o[x] = (float)(sum[x] / total);
            }
        free(memory);
    }
    return CF_OK;
}

cf_status cf_ref_attention(cf_backend *be, cf_tensor *out, const cf_tensor *q, const cf_tensor *k, const cf_tensor *v,
                           const cf_attn *a, cf_error *err)
{
    (void)be;
    cf_status st = CF_OK;
    const float *qs = NULL, *ks = NULL, *vs = NULL;
    void *own_q = NULL, *own_k = NULL, *own_v = NULL;
    CF_TRY(cf_ref_read(&qs, &own_q, q, err));
    if (k)
        CF_TRY(cf_ref_read(&ks, &own_k, k, err));
    if (v)
        CF_TRY(cf_ref_read(&vs, &own_v, v, err));
    CF_TRY(attend(out, qs, ks, vs, a, err));
done:
    free(own_q);
    free(own_k);
    free(own_v);
    return st;
}
