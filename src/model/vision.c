/* vision.c - picture to features: CLIP's tower up to the chosen hidden state, then LLaVA's two-layer projector (HF
 * CLIPVisionTransformer, modeling_clip.py; LlavaMultiModalProjector, modeling_llava.py). The tower's layers above the
 * chosen state are not loaded and not run. */
#include "model/model_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* Packs pixels[C, S, S] as patches[P, C * p * p], row-major over the grid, each as the convolution's kernel lies: [C,
 * p, p]. Row 0 is left zero, for the class token. */
static void pack_patches(float *patches, const float *pixels, const cf_vision_config *v)
{
    const int64_t s = v->image_size, p = v->patch_size, side = s / p;
    for (int64_t gy = 0; gy < side; gy++)
        for (int64_t gx = 0; gx < side; gx++) {
            float *out = patches + (1 + gy * side + gx) * v->n_channels * p * p;
            for (int64_t c = 0; c < v->n_channels; c++)
                for (int64_t y = 0; y < p; y++, out += p)
                    memcpy(out, pixels + (c * s + gy * p + y) * s + gx * p, (size_t)p * sizeof *out);
        }
}

static cf_status tap_rows(cf_backend *be, const cf_tensor *x, int64_t stage, cf_vision_tap tap, void *user,
                          cf_error *err)
{
    if (!tap)
        return CF_OK;
    void *host = NULL;
    cf_status st = cf_alloc(&host, (size_t)cf_tensor_count(x), sizeof(float), "a copy of hidden states", err);
    if (st == CF_OK)
        st = cf_backend_download(be, host, x, err);
    if (st == CF_OK)
        tap(user, stage, host, x->shape[0], x->shape[1]);
    free(host);
    return st;
}

/* x = position embeddings, class embedding in row 0, plus the patches' product; then the pre-norm. */
static cf_status embed(const cf_model *m, cf_tensor *x, const float *pixels, cf_error *err)
{
    const cf_vision_config *v = &m->config.vision;
    const int64_t k = v->n_channels * v->patch_size * v->patch_size;
    cf_status st = CF_OK;
    void *host = NULL;
    cf_tensor packed32 = {0}, packed = {0};
    CF_TRY(cf_alloc(&host, (size_t)(x->shape[0] * k), sizeof(float), "patches", err));
    pack_patches(host, pixels, v);
    CF_TRY(cf_backend_alloc(m->be, &packed32, CF_F32, x->shape[0], k, err));
    CF_TRY(cf_backend_alloc(m->be, &packed, cf_backend_compute(m->be), x->shape[0], k, err));
    CF_TRY(cf_backend_upload(m->be, &packed32, host, err));
    CF_TRY(cf_gather(m->be, &packed, &packed32, NULL, err));
    CF_TRY(cf_gather(m->be, x, &m->class_and_pos, NULL, err));
    CF_TRY(cf_linear(m->be, x, &packed, m->patch, NULL, true, err));
    CF_TRY(cf_layer_norm(m->be, x, x, &m->pre_norm.gamma, &m->pre_norm.beta, v->layer_norm_eps, err));
done:
    cf_backend_release(m->be, &packed);
    cf_backend_release(m->be, &packed32);
    free(host);
    return st;
}

/* CLIPEncoderLayer, in place. */
static cf_status layer(const cf_model *m, cf_scratch *s, const cf_vision_layer *w, cf_tensor *x, const int32_t *pos,
                       cf_error *err)
{
    const cf_vision_config *c = &m->config.vision;
    const int64_t n = x->shape[0], d = c->hidden_size;
    cf_tensor normed = cf_take(&s->normed, n, d), attended = cf_take(&s->attended, n, d);
    cf_tensor q = cf_take(&s->q, n, d), k = cf_take(&s->k, n, d), v = cf_take(&s->v, n, d);
    cf_status st = CF_OK;
    CF_TRY(cf_layer_norm(m->be, &normed, x, &w->norm1.gamma, &w->norm1.beta, c->layer_norm_eps, err));
    CF_TRY(cf_linear(m->be, &q, &normed, w->q.w, cf_bias(&w->q), false, err));
    CF_TRY(cf_linear(m->be, &k, &normed, w->k.w, cf_bias(&w->k), false, err));
    CF_TRY(cf_linear(m->be, &v, &normed, w->v.w, cf_bias(&w->v), false, err));
    const cf_attn_segment all = {.n_q = n, .q_pos = pos, .n_own = n, .n_keys = n};
    const cf_attn a = {.n_heads = c->n_heads,
                       .n_kv_heads = c->n_heads,
                       .head_dim = d / c->n_heads,
                       .scale = (float)(1.0 / sqrt((double)(d / c->n_heads))),
                       .segments = &all,
                       .n_segments = 1};
    CF_TRY(cf_attention(m->be, &attended, &q, &k, &v, &a, err));
    CF_TRY(cf_linear(m->be, x, &attended, w->out.w, cf_bias(&w->out), true, err));
    for (int64_t begin = 0; begin < n; begin += s->chunk) {
        const int64_t end = begin + s->chunk < n ? begin + s->chunk : n;
        cf_tensor rows = cf_tensor_rows(x, begin, end), in = cf_take(&s->normed, end - begin, d);
        cf_tensor wide = cf_take(&s->gate, end - begin, c->intermediate_size),
                  act = cf_take(&s->act, end - begin, c->intermediate_size);
        CF_TRY(cf_layer_norm(m->be, &in, &rows, &w->norm2.gamma, &w->norm2.beta, c->layer_norm_eps, err));
        CF_TRY(cf_linear(m->be, &wide, &in, w->fc1.w, cf_bias(&w->fc1), false, err));
        CF_TRY(cf_activate(m->be, &act, &wide, NULL, cf_unary_of(c->hidden_act), err));
        CF_TRY(cf_linear(m->be, &rows, &act, w->fc2.w, cf_bias(&w->fc2), true, err));
    }
done:
    return st;
}

/* features = linear_2(act(linear_1(x))). */
static cf_status project(const cf_model *m, cf_scratch *s, cf_tensor *features, const cf_tensor *x, cf_error *err)
{
    const int64_t n = x->shape[0], d = m->config.text.hidden_size;
    cf_status st = CF_OK;
    for (int64_t begin = 0; begin < n; begin += s->chunk) {
        const int64_t end = begin + s->chunk < n ? begin + s->chunk : n;
        const cf_tensor rows = cf_tensor_rows(x, begin, end);
        cf_tensor in = cf_take(&s->normed, end - begin, x->shape[1]), wide = cf_take(&s->gate, end - begin, d),
                  act = cf_take(&s->act, end - begin, d);
        cf_tensor out = cf_tensor_rows(features, begin, end);
        CF_TRY(cf_gather(m->be, &in, &rows, NULL, err));
        CF_TRY(cf_linear(m->be, &wide, &in, m->projector1.w, cf_bias(&m->projector1), false, err));
        CF_TRY(cf_activate(m->be, &act, &wide, NULL, cf_unary_of(m->config.projector_hidden_act), err));
        CF_TRY(cf_linear(m->be, &out, &act, m->projector2.w, cf_bias(&m->projector2), false, err));
    }
done:
    return st;
}

cf_status cf_vision_features(const cf_model *m, cf_scratch *s, cf_tensor *features, const float *pixels,
                             cf_vision_tap tap, void *user, cf_error *err)
{
    const int64_t n = cf_vision_n_rows(m);
    cf_status st = CF_OK;
    cf_tensor x = {0};
    int32_t *pos = malloc((size_t)n * sizeof *pos);
    if (!pos)
        return cf_fail(err, CF_NOMEM, "no memory for %lld patches", (long long)n);
    for (int32_t i = 0; i < n; i++)
        pos[i] = i;
    CF_TRY(cf_scratch_reserve(s, n, err));
    CF_TRY(cf_backend_alloc(m->be, &x, CF_F32, n, m->config.vision.hidden_size, err));
    CF_TRY(embed(m, &x, pixels, err));
    CF_TRY(tap_rows(m->be, &x, -1, tap, user, err));
    for (int64_t l = 0; l < m->config.feature_layer; l++) {
        CF_TRY(layer(m, s, &m->vision[l], &x, pos, err));
        CF_TRY(tap_rows(m->be, &x, l, tap, user, err));
    }
    const cf_tensor kept = cf_tensor_rows(&x, m->config.feature_drop_class_token ? 1 : 0, n);
    CF_TRY(project(m, s, features, &kept, err));
done:
    cf_backend_release(m->be, &x);
    free(pos);
    return st;
}
