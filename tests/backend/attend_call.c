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
static cf_kv *share(cf_backend *be, const sequence *s, int64_t end)
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
        cf_tensor kt = tensor_make(be, CF_F32, n, width, k), vt = tensor_make(be, CF_F32, n, width, v);
        OK(cf_kv_put(be, kv, layer, &kt, &vt, pos, &err));
        cf_backend_release(be, &kt);
        cf_backend_release(be, &vt);
    }
    free(pos);
    free(k);
    free(v);
    return kv;
}

/* Rows first..first+n-1 of src below whatever the stack holds. */
static void stack(float *dst, int64_t *at, const float *src, int64_t first, int64_t n, int64_t width)
{
    memcpy(dst + *at * width, src + first * width, (size_t)(n * width) * sizeof *dst);
    *at += n;
}

cf_status attend_try(float **out, cf_backend *be, const sequence *s, const attend_run *runs, int64_t n_runs,
                     attend_layout layout, cf_error *err)
{
    const int64_t q_width = s->heads.n * s->heads.dim, width = s->heads.n_kv * s->heads.dim;
    int64_t n_q = layout.rows_before, n_own = layout.rows_before, shared_end = 0;
    for (int64_t i = 0; i < n_runs; i++) {
        n_q += runs[i].n_q;
        n_own += runs[i].n_own;
        if (s->n_keys - runs[i].n_own > shared_end)
            shared_end = s->n_keys - runs[i].n_own;
    }
    float *q = random_values(80, n_q * q_width, 1), *k = random_values(81, n_own * width, 1),
          *v = random_values(82, n_own * width, 1);
    cf_attn_segment *segments = calloc((size_t)n_runs, sizeof *segments);
    assert_non_null(segments);
    int64_t q_at = layout.rows_before, k_at = layout.rows_before, v_at = layout.rows_before;
    for (int64_t i = 0; i < n_runs; i++) {
        const attend_run *r = &runs[i];
        const int64_t begin = s->n_keys - r->n_own;
        segments[i] = (cf_attn_segment){.q_row = q_at,
                                        .n_q = r->n_q,
                                        .q_pos = r->q_pos,
                                        .own_begin = begin,
                                        .own_row = k_at,
                                        .n_own = r->n_own,
                                        .n_keys = s->n_keys,
                                        .cuts = r->cuts,
                                        .n_cuts = r->n_cuts,
                                        .dense = r->dense,
                                        .dense_per_head = r->dense_per_head};
        for (int64_t j = 0; j < r->n_q; j++)
            stack(q, &q_at, s->q, r->q_pos[j], 1, q_width);
        stack(k, &k_at, s->k, begin, r->n_own, width);
        stack(v, &v_at, s->v, begin, r->n_own, width);
    }
    cf_kv *kv = shared_end ? share(be, s, shared_end) : NULL;
    cf_tensor qt = tensor_make(be, CF_F32, n_q, q_width, q), kt = tensor_make(be, CF_F32, n_own, width, k);
    cf_tensor vt = tensor_make(be, CF_F32, n_own, width, v), ot = tensor_make(be, layout.out, n_q, q_width, NULL);
    const cf_attn a = {.n_heads = s->heads.n,
                       .n_kv_heads = s->heads.n_kv,
                       .head_dim = s->heads.dim,
                       .scale = attend_scale(s->heads),
                       .causal = !layout.acausal,
                       .window = layout.window,
                       .kv = kv,
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
    cf_kv_free(be, kv);
    cf_backend_release(be, &qt);
    cf_backend_release(be, &kt);
    cf_backend_release(be, &vt);
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
