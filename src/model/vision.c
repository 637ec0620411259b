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

/* x = for each tile position embeddings, class embedding in row 0, plus the patches' product; then the pre-norm. */
static cf_status embed(const cf_model *m, cf_scratch *s, cf_tensor *x, const float *pixels, int64_t n_tiles,
                       cf_error *err)
{
    const cf_vision_config *v = &m->config.vision;
    const int64_t n = cf_vision_n_rows(m), k = v->n_channels * v->patch_size * v->patch_size;
    const int64_t tile_pixels = v->n_channels * v->image_size * v->image_size;
    cf_status st = CF_OK;
    cf_tensor packed32 = cf_take(&s->patches32, n_tiles * n, k), packed = cf_take(&s->patches, n_tiles * n, k);
    for (int64_t t = 0; t < n_tiles; t++) {
        cf_tensor rows = cf_tensor_rows(x, t * n, (t + 1) * n);
        pack_patches(s->patches_host + t * n * k, pixels + t * tile_pixels, v);
        CF_TRY(cf_gather(m->be, &rows, &m->class_and_pos, NULL, err));
    }
    CF_TRY(cf_backend_upload(m->be, &packed32, s->patches_host, err));
    CF_TRY(cf_gather(m->be, &packed, &packed32, NULL, err));
    CF_TRY(cf_linear(m->be, x, &packed, m->patch, NULL, true, err));
    CF_TRY(cf_layer_norm(m->be, x, x, &m->pre_norm.gamma, &m->pre_norm.beta, v->layer_norm_eps, err));
done:
    return st;
}

/* CLIPEncoderLayer, in place; a segment for each tile. */
static cf_status layer(const cf_model *m, cf_scratch *s, const cf_vision_layer *w, cf_tensor *x,
                       const cf_attn_segment *tiles, int64_t n_tiles, cf_error *err)
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
    const cf_attn a = {.n_heads = c->n_heads,
                       .n_kv_heads = c->n_heads,
                       .head_dim = d / c->n_heads,
                       .scale = (float)(1.0 / sqrt((double)(d / c->n_heads))),
                       .segments = tiles,
                       .n_segments = n_tiles};
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

/* features = linear_2(act(linear_1(x[rows]))). */
static cf_status project(const cf_model *m, cf_scratch *s, cf_tensor *features, const cf_tensor *x, const int32_t *rows,
                         cf_error *err)
{
    const int64_t n = features->shape[0], d = m->config.text.hidden_size;
    cf_status st = CF_OK;
    for (int64_t begin = 0; begin < n; begin += s->chunk) {
        const int64_t end = begin + s->chunk < n ? begin + s->chunk : n;
        cf_tensor in = cf_take(&s->normed, end - begin, x->shape[1]), wide = cf_take(&s->gate, end - begin, d),
                  act = cf_take(&s->act, end - begin, d);
        cf_tensor out = cf_tensor_rows(features, begin, end);
        CF_TRY(cf_gather(m->be, &in, x, rows + begin, err));
        CF_TRY(cf_linear(m->be, &wide, &in, m->projector1.w, cf_bias(&m->projector1), false, err));
        CF_TRY(cf_activate(m->be, &act, &wide, NULL, cf_unary_of(m->config.projector_hidden_act), err));
        CF_TRY(cf_linear(m->be, &out, &act, m->projector2.w, cf_bias(&m->projector2), false, err));
    }
done:
    return st;
}

/* What stands where in the tower's rows. */
typedef struct tower_rows {
    cf_attn_segment *tiles; /* [n_tiles] */
    int32_t *pos;           /* [rows of a tile] 0, 1, 2, ... */
    int32_t *kept;          /* the rows whose features are wanted, tile by tile */
} tower_rows;

static cf_status lay_out(tower_rows *t, const cf_model *m, int64_t n_tiles, cf_error *err)
{
    const int64_t n = cf_vision_n_rows(m), first = m->config.feature_drop_class_token ? 1 : 0;
    cf_status st = CF_OK;
    void *tiles = NULL, *lists = NULL;
    CF_TRY(cf_alloc(&tiles, (size_t)n_tiles, sizeof *t->tiles, "tiles", err));
    t->tiles = tiles;
    CF_TRY(cf_alloc(&lists, (size_t)((1 + n_tiles) * n), sizeof *t->pos, "patches", err));
    t->pos = lists;
    t->kept = t->pos + n;
    for (int64_t i = 0; i < n; i++)
        t->pos[i] = (int32_t)i;
    int32_t *kept = t->kept;
    for (int64_t i = 0; i < n_tiles; i++) {
        t->tiles[i] =
            (cf_attn_segment){.q_row = i * n, .n_q = n, .q_pos = t->pos, .own_row = i * n, .n_own = n, .n_keys = n};
        for (int64_t row = first; row < n; row++)
            *kept++ = (int32_t)(i * n + row);
    }
done:
    return st;
}

cf_status cf_vision_features(const cf_model *m, cf_scratch *s, cf_tensor *features, const float *pixels,
                             int64_t n_tiles, cf_vision_tap tap, void *user, cf_error *err)
{
    const int64_t n = n_tiles * cf_vision_n_rows(m);
    cf_status st = CF_OK;
    tower_rows t = {0};
    CF_TRY(lay_out(&t, m, n_tiles, err));
    CF_TRY(cf_scratch_reserve(s, n, err));
    CF_TRY(cf_scratch_reserve_tower(s, n, err));
    cf_tensor x = cf_take(&s->tower, n, m->config.vision.hidden_size);
    CF_TRY(embed(m, s, &x, pixels, n_tiles, err));
    CF_TRY(tap_rows(m->be, &x, -1, tap, user, err));
    for (int64_t l = 0; l < m->config.feature_layer; l++) {
        CF_TRY(layer(m, s, &m->vision[l], &x, t.tiles, n_tiles, err));
        CF_TRY(tap_rows(m->be, &x, l, tap, user, err));
    }
    CF_TRY(project(m, s, features, &x, t.kept, err));
done:
    free(t.tiles);
    free(t.pos);
    return st;
}
