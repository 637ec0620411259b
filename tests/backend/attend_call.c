/* attend_call.c - see attend_call.h. */
#include "attend_call.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

float attend_scale(heads h)
{
    return 1 / sqrtf((float)h.dim);
}

sequence sequence_make(uint64_t seed, heads h, int64_t n_keys, float size)
{
    const int64_t width = h.n_kv * h.dim;
    return (sequence){h, n_keys, random_values(seed, n_keys * h.n * h.dim, size),
                      random_values(seed + 1, n_keys * width, size), random_values(seed + 2, n_keys * width, 1)};
}

void sequence_free(sequence *s)
{
    free(s->q);
    free(s->k);
    free(s->v);
}

/* The shared keys and values: the sequence's below `end`, others from there on. Layer 1 of 2, so that a wrong layer shows. */
static cf_kv *share(cf_backend *be, const sequence *s, int64_t end, cf_dtype dtype)
{
    const int64_t width = s->heads.n_kv * s->heads.dim, n = s->n_keys;
    float *k = random_values(77, n * width, 50), *v = random_values(78, n * width, 50);
    int32_t *pos = malloc((size_t)n * sizeof *pos);
    assert_non_null(pos);
    for (int64_t i = 0; i < n; i++)
        pos[i] = (int32_t)i;
    cf_kv *kv = NULL;
    OK(cf_kv_create(be, &kv, 2, n, s->heads.n_kv, s->heads.dim, &err));
    for (int64_t layer = 0; layer < 2; layer++) {
        if (layer == 1) {
            memcpy(k, s->k, (size_t)(end * width) * sizeof *k);
            memcpy(v, s->v, (size_t)(end * width) * sizeof *v);
        }
        cf_tensor kt = tensor_make(be, dtype, n, width, k), vt = tensor_make(be, dtype, n, width, v);
        OK(cf_kv_put(be, kv, layer, &kt, &vt, pos, &err));
        cf_backend_release(be, &kt);
        cf_backend_release(be, &vt);
    }
    free(pos);
    free(k);
    free(v);
    return kv;
}

/* A matrix of its own, or the rows of *whole that follow its first. */
static cf_tensor place(cf_backend *be, cf_tensor *whole, const attend_layout *layout, int64_t rows, int64_t width,
                       const float *values)
{
    if (!layout->in_views) {
        *whole = tensor_make(be, layout->in, rows, width, values);
        return *whole;
    }
    float *below = random_values(83, (rows + 1) * width, 50);
    memcpy(below + width, values, (size_t)(rows * width) * sizeof *below);
    *whole = tensor_make(be, layout->in, rows + 1, width, below);
    free(below);
    return cf_tensor_rows(whole, 1, rows + 1);
}

/* Rows first..first+n-1 of src below whatever the stack holds. */
static void stack(float *dst, int64_t *at, const float *src, int64_t first, int64_t n, int64_t width)
{
    memcpy(dst + *at * width, src + first * width, (size_t)(n * width) * sizeof *dst);
    *at += n;
}

static const sequence *sequence_of(const attend_run *r, const sequence *s)
{
    return r->of ? r->of : s;
}

/* The run before this one that has its sequence; -1: none. */
static int64_t sharer(const attend_run *runs, int64_t i, const sequence *s)
{
    for (int64_t j = 0; j < i; j++)
        if (sequence_of(&runs[j], s) == sequence_of(&runs[i], s))
            return j;
    return -1;
}

/* Each segment's store: one for all runs over a sequence, none for those that have every key themselves. */
static void open_stores(cf_attn_segment *segments, cf_kv **stores, cf_backend *be, const attend_run *runs,
                        int64_t n_runs, const sequence *s, cf_dtype dtype)
{
    for (int64_t i = 0; i < n_runs; i++) {
        const int64_t first = sharer(runs, i, s);
        int64_t end = 0;
        for (int64_t j = i; j < n_runs; j++)
            if (sequence_of(&runs[j], s) == sequence_of(&runs[i], s) && segments[j].own_begin > end)
                end = segments[j].own_begin;
        stores[i] = first >= 0 ? stores[first] : end ? share(be, sequence_of(&runs[i], s), end, dtype) : NULL;
        segments[i].kv = segments[i].own_begin ? stores[i] : NULL;
    }
}

static void close_stores(cf_kv **stores, cf_backend *be, const attend_run *runs, int64_t n_runs, const sequence *s)
{
    for (int64_t i = 0; i < n_runs; i++)
        if (sharer(runs, i, s) < 0)
            cf_kv_free(be, stores[i]);
    free(stores);
}

cf_status attend_try(float **out, cf_backend *be, const sequence *s, const attend_run *runs, int64_t n_runs,
                     attend_layout layout, cf_error *err)
{
    const int64_t q_width = s->heads.n * s->heads.dim, width = s->heads.n_kv * s->heads.dim;
    int64_t n_q = layout.rows_before, n_own = layout.rows_before;
    for (int64_t i = 0; i < n_runs; i++) {
        n_q += runs[i].n_q;
        n_own += runs[i].n_own;
    }
    float *q = random_values(80, n_q * q_width, 1), *k = random_values(81, n_own * width, 1),
          *v = random_values(82, n_own * width, 1);
    cf_attn_segment *segments = calloc((size_t)n_runs, sizeof *segments);
    cf_kv **stores = calloc((size_t)n_runs, sizeof(cf_kv *));
    assert_true(segments && stores);
    int64_t q_at = layout.rows_before, k_at = layout.rows_before, v_at = layout.rows_before;
    for (int64_t i = 0; i < n_runs; i++) {
        const attend_run *r = &runs[i];
        const sequence *own = sequence_of(r, s);
        const int64_t begin = own->n_keys - r->n_own;
        segments[i] = (cf_attn_segment){.q_row = q_at,
                                        .n_q = r->n_q,
                                        .q_pos = r->q_pos,
                                        .own_begin = begin,
                                        .own_row = k_at,
                                        .n_own = r->n_own,
                                        .n_keys = own->n_keys,
                                        .cuts = r->cuts,
                                        .n_cuts = r->n_cuts,
                                        .dense = r->dense,
                                        .dense_per_head = r->dense_per_head};
        for (int64_t j = 0; j < r->n_q; j++)
            stack(q, &q_at, own->q, r->q_pos[j], 1, q_width);
        stack(k, &k_at, own->k, begin, r->n_own, width);
        stack(v, &v_at, own->v, begin, r->n_own, width);
    }
    open_stores(segments, stores, be, runs, n_runs, s, layout.in);
    cf_tensor whole[3];
    const cf_tensor qt = place(be, &whole[0], &layout, n_q, q_width, q);
    const cf_tensor kt = place(be, &whole[1], &layout, n_own, width, k);
    const cf_tensor vt = place(be, &whole[2], &layout, n_own, width, v);
    cf_tensor ot = tensor_make(be, layout.out, n_q, q_width, NULL);
    const cf_attn a = {.n_heads = s->heads.n,
                       .n_kv_heads = s->heads.n_kv,
                       .head_dim = s->heads.dim,
                       .scale = attend_scale(s->heads),
                       .causal = !layout.acausal,
                       .window = layout.window,
                       .layer = 1,
                       .segments = segments,
                       .n_segments = n_runs};
    const cf_status st = cf_attention(be, &ot, &qt, n_own ? &kt : NULL, n_own ? &vt : NULL, &a, err);
    *out = NULL;
    if (st == CF_OK) {
        *out = tensor_values(be, &ot);
        const int64_t n = (n_q - layout.rows_before) * q_width, skip = layout.rows_before * q_width;
        for (int64_t i = 0; i < skip; i++)
            assert_true((*out)[i] == 0); /* rows of no segment stay as they were */
        memmove(*out, *out + skip, (size_t)n * sizeof **out);
    }
    close_stores(stores, be, runs, n_runs, s);
    for (int i = 0; i < 3; i++)
        cf_backend_release(be, &whole[i]);
    cf_backend_release(be, &ot);
    free(segments);
    free(q);
    free(k);
    free(v);
    return st;
}

float *attend(cf_backend *be, const sequence *s, const attend_run *runs, int64_t n_runs, attend_layout layout)
{
    float *out = NULL;
    OK(attend_try(&out, be, s, runs, n_runs, layout, &err));
    return out;
}
