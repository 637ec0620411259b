/* load.c - weights from a checkpoint into a backend, by canonical name.
 *
 * Which weights a model has is written down here and nowhere else. Names are those of transformers 5 (checkpoint.h);
 * shapes follow from the configuration and are checked by the look-up. */
#include "model/model_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

typedef struct loader {
    cf_backend *be;
    const cf_checkpoint *checkpoint;
    char prefix[96]; /* of the part being loaded, with its final dot */
} loader;

enum { MAX_NAME = 192 };

static cf_status find(cf_tensor *out, const loader *l, const char *name, int32_t rank, const int64_t *shape,
                      cf_error *err)
{
    char full[MAX_NAME + sizeof l->prefix];
    (void)snprintf(full, sizeof full, "%s%s", l->prefix, name);
    return cf_checkpoint_weight(out, l->checkpoint, full, rank, shape, err);
}

/* A vector, widened to f32, in the backend's memory. */
static cf_status load_vector(cf_tensor *out, const loader *l, const char *name, int64_t n, cf_error *err)
{
    cf_status st = CF_OK;
    cf_tensor host, t = {0};
    void *wide = NULL;
    CF_TRY(find(&host, l, name, 1, &n, err));
    CF_TRY(cf_alloc(&wide, (size_t)n, sizeof(float), name, err));
    cf_to_f32(wide, host.data, host.dtype, (size_t)n);
    CF_TRY(cf_backend_alloc(l->be, &t, CF_F32, 1, n, err));
    CF_TRY(cf_backend_upload(l->be, &t, wide, err));
    *out = t;
    t = (cf_tensor){0};
done:
    cf_backend_release(l->be, &t);
    free(wide);
    return st;
}

static cf_status load_norm(cf_norm_part *out, const loader *l, const char *name, int64_t d, bool with_beta,
                           cf_error *err)
{
    char full[MAX_NAME];
    (void)snprintf(full, sizeof full, "%s.weight", name);
    cf_status st = load_vector(&out->gamma, l, full, d, err);
    if (st == CF_OK && with_beta) {
        (void)snprintf(full, sizeof full, "%s.bias", name);
        st = load_vector(&out->beta, l, full, d, err);
    }
    return st;
}

static cf_status load_linear(cf_linear_part *out, const loader *l, const char *name, int64_t n, int64_t k,
                             bool with_bias, cf_error *err)
{
    char full[MAX_NAME];
    cf_tensor host;
    (void)snprintf(full, sizeof full, "%s.weight", name);
    cf_status st = find(&host, l, full, 2, (const int64_t[]){n, k}, err);
    if (st == CF_OK)
        st = cf_weight_create(l->be, &out->w, &host, err);
    if (st == CF_OK && with_bias) {
        (void)snprintf(full, sizeof full, "%s.bias", name);
        st = load_vector(&out->bias, l, full, n, err);
    }
    return st;
}

/* A matrix in the checkpoint's own dtype, for row look-ups. */
static cf_status load_table(cf_tensor *out, const loader *l, const char *name, int64_t rows, int64_t cols,
                            cf_error *err)
{
    cf_tensor host, t = {0};
    cf_status st = find(&host, l, name, 2, (const int64_t[]){rows, cols}, err);
    if (st == CF_OK)
        st = cf_backend_alloc(l->be, &t, host.dtype, rows, cols, err);
    if (st == CF_OK)
        st = cf_backend_upload(l->be, &t, host.data, err);
    if (st == CF_OK)
        *out = t;
    else
        cf_backend_release(l->be, &t);
    return st;
}

/* The patch convolution [D, C, p, p] is a product over patches packed as [C, p, p]: the same bytes, seen as a matrix.
 */
static cf_status load_patch_embedding(cf_model *m, const loader *l, cf_error *err)
{
    const cf_vision_config *v = &m->config.vision;
    const int64_t p = v->patch_size, shape[] = {v->hidden_size, v->n_channels, p, p};
    cf_tensor host;
    const cf_status st = find(&host, l, "embeddings.patch_embedding.weight", 4, shape, err);
    if (st != CF_OK)
        return st;
    host = cf_tensor_2d(host.data, host.dtype, v->hidden_size, v->n_channels * p * p);
    return cf_weight_create(l->be, &m->patch, &host, err);
}

static cf_status load_class_and_positions(cf_model *m, const loader *l, cf_error *err)
{
    const int64_t d = m->config.vision.hidden_size, rows = cf_vision_n_rows(m);
    cf_status st = CF_OK;
    cf_tensor pos, cls;
    void *memory = NULL;
    CF_TRY(find(&pos, l, "embeddings.position_embedding.weight", 2, (const int64_t[]){rows, d}, err));
    CF_TRY(find(&cls, l, "embeddings.class_embedding", 1, &d, err));
    CF_TRY(cf_alloc(&memory, (size_t)(rows + 1) * (size_t)d, sizeof(float), "position embeddings", err));
    float *sum = memory, *class_row = sum + rows * d;
    cf_to_f32(sum, pos.data, pos.dtype, (size_t)(rows * d));
    cf_to_f32(class_row, cls.data, cls.dtype, (size_t)d);
    for (int64_t i = 0; i < d; i++)
        sum[i] += class_row[i];
    CF_TRY(cf_backend_alloc(l->be, &m->class_and_pos, CF_F32, rows, d, err));
    CF_TRY(cf_backend_upload(l->be, &m->class_and_pos, sum, err));
done:
    free(memory);
    return st;
}

static cf_status load_vision_layer(cf_vision_layer *out, const cf_model *m, loader *l, int64_t layer, cf_error *err)
{
    const int64_t d = m->config.vision.hidden_size, f = m->config.vision.intermediate_size;
    cf_status st = CF_OK;
    (void)snprintf(l->prefix, sizeof l->prefix, "model.vision_tower.vision_model.encoder.layers.%lld.",
                   (long long)layer);
    CF_TRY(load_norm(&out->norm1, l, "layer_norm1", d, true, err));
    CF_TRY(load_norm(&out->norm2, l, "layer_norm2", d, true, err));
    CF_TRY(load_linear(&out->q, l, "self_attn.q_proj", d, d, true, err));
    CF_TRY(load_linear(&out->k, l, "self_attn.k_proj", d, d, true, err));
    CF_TRY(load_linear(&out->v, l, "self_attn.v_proj", d, d, true, err));
    CF_TRY(load_linear(&out->out, l, "self_attn.out_proj", d, d, true, err));
    CF_TRY(load_linear(&out->fc1, l, "mlp.fc1", f, d, true, err));
    CF_TRY(load_linear(&out->fc2, l, "mlp.fc2", d, f, true, err));
done:
    return st;
}

static cf_status load_vision(cf_model *m, loader *l, cf_error *err)
{
    const cf_config *c = &m->config;
    cf_status st = CF_OK;
    (void)snprintf(l->prefix, sizeof l->prefix, "model.vision_tower.vision_model.");
    CF_TRY(load_patch_embedding(m, l, err));
    CF_TRY(load_class_and_positions(m, l, err));
    CF_TRY(load_norm(&m->pre_norm, l, "pre_layrnorm", c->vision.hidden_size, true, err)); /* sic: CLIP's own spelling */
    for (int64_t i = 0; i < c->feature_layer; i++)
        CF_TRY(load_vision_layer(&m->vision[i], m, l, i, err));
    if (cf_checkpoint_has(l->checkpoint, "model.image_newline")) {
        l->prefix[0] = '\0';
        CF_TRY(load_vector(&m->newline, l, "model.image_newline", c->text.hidden_size, err));
    }
    (void)snprintf(l->prefix, sizeof l->prefix, "model.multi_modal_projector.");
    CF_TRY(
        load_linear(&m->projector1, l, "linear_1", c->text.hidden_size, c->vision.hidden_size, c->projector_bias, err));
    CF_TRY(
        load_linear(&m->projector2, l, "linear_2", c->text.hidden_size, c->text.hidden_size, c->projector_bias, err));
done:
    return st;
}

/* The matrices of a decoder layer: in the order of CF_LAYER_MATRICES, their names, extents, and where they go. */
typedef struct layer_matrix {
    const char *name;
    int64_t n, k;
    bool bias;
    cf_linear_part *part;
} layer_matrix;

static void list_matrices(layer_matrix out[CF_LAYER_MATRICES], const cf_text_config *t, cf_text_layer *layer)
{
    const int64_t d = t->hidden_size, q = t->n_heads * t->head_dim, kv = t->n_kv_heads * t->head_dim;
    const int64_t f = t->intermediate_size;
    const layer_matrix all[CF_LAYER_MATRICES] = {{"self_attn.q_proj", q, d, t->attention_bias, &layer->q},
                                                 {"self_attn.k_proj", kv, d, t->attention_bias, &layer->k},
                                                 {"self_attn.v_proj", kv, d, t->attention_bias, &layer->v},
                                                 {"self_attn.o_proj", d, q, t->attention_bias, &layer->o},
                                                 {"mlp.gate_proj", f, d, t->mlp_bias, &layer->gate},
                                                 {"mlp.up_proj", f, d, t->mlp_bias, &layer->up},
                                                 {"mlp.down_proj", d, f, t->mlp_bias, &layer->down}};
    memcpy(out, all, sizeof all);
}

/* host: NULL, or where the views of the matrices go instead of their being loaded: [CF_LAYER_MATRICES]. */
static cf_status load_text_layer(cf_text_layer *out, cf_tensor *host, const cf_model *m, loader *l, int64_t layer,
                                 cf_error *err)
{
    const cf_text_config *t = &m->config.text;
    layer_matrix matrices[CF_LAYER_MATRICES];
    char name[MAX_NAME];
    cf_status st = CF_OK;
    out->window = t->layers[layer].window;
    out->rotary = &m->rope;
    (void)snprintf(l->prefix, sizeof l->prefix, "model.language_model.layers.%lld.", (long long)layer);
    CF_TRY(load_norm(&out->attn_norm, l, "input_layernorm", t->hidden_size, false, err));
    CF_TRY(load_norm(&out->mlp_norm, l, "post_attention_layernorm", t->hidden_size, false, err));
    list_matrices(matrices, t, out);
    for (int i = 0; i < CF_LAYER_MATRICES; i++) {
        const layer_matrix *x = &matrices[i];
        if (!host) {
            CF_TRY(load_linear(x->part, l, x->name, x->n, x->k, x->bias, err));
            continue;
        }
        (void)snprintf(name, sizeof name, "%s.weight", x->name);
        CF_TRY(find(&host[i], l, name, 2, (const int64_t[]){x->n, x->k}, err));
        (void)snprintf(name, sizeof name, "%s.bias", x->name);
        if (x->bias)
            CF_TRY(load_vector(&x->part->bias, l, name, x->n, err));
    }
done:
    return st;
}

/* The layers that stay in memory, then the stream of the others. */
static cf_status load_text_layers(cf_model *m, loader *l, cf_error *err)
{
    const int64_t n_layers = m->config.text.n_layers, first = m->n_resident;
    cf_status st = CF_OK;
    void *host = NULL;
    for (int64_t i = 0; i < first; i++)
        CF_TRY(load_text_layer(&m->layers[i], NULL, m, l, i, err));
    if (first == n_layers)
        return CF_OK;
    CF_TRY(cf_alloc(&host, (size_t)(n_layers - first) * CF_LAYER_MATRICES, sizeof(cf_tensor), "streamed layers", err));
    for (int64_t i = first; i < n_layers; i++)
        CF_TRY(load_text_layer(&m->layers[i], (cf_tensor *)host + (i - first) * CF_LAYER_MATRICES, m, l, i, err));
    CF_TRY(cf_layer_stream_create(&m->stream, m->be, host, first, n_layers, err));
done:
    free(host);
    return st;
}

static cf_status load_text(cf_model *m, loader *l, cf_error *err)
{
    const cf_text_config *t = &m->config.text;
    cf_status st = CF_OK;
    cf_tensor head;
    (void)snprintf(l->prefix, sizeof l->prefix, "model.language_model.");
    CF_TRY(load_table(&m->embedding, l, "embed_tokens.weight", t->vocab_size, t->hidden_size, err));
    CF_TRY(load_norm(&m->final_norm, l, "norm", t->hidden_size, false, err));
    CF_TRY(load_text_layers(m, l, err));
    l->prefix[0] = '\0';
    CF_TRY(find(&head, l, "lm_head.weight", 2, (const int64_t[]){t->vocab_size, t->hidden_size}, err));
    CF_TRY(cf_weight_create(l->be, &m->head, &head, err));
    CF_TRY(cf_rope_build(&m->rope, m->be, t, err));
done:
    return st;
}

cf_weight_plan cf_model_plan_weights(const cf_config *c, cf_dtype compute, int64_t max_weight_bytes)
{
    const cf_text_config *t = &c->text;
    const cf_vision_config *v = &c->vision;
    const int64_t size = (int64_t)cf_dtype_bytes(compute);
    const int64_t layer = size * cf_text_layer_macs(t);
    const int64_t tower = size * (c->feature_layer * (4 * v->hidden_size + 2 * v->intermediate_size) * v->hidden_size +
                                  (v->hidden_size + t->hidden_size) * t->hidden_size);
    const int64_t fixed = tower + size * t->vocab_size * t->hidden_size;
    if (max_weight_bytes == 0 || fixed + t->n_layers * layer <= max_weight_bytes)
        return (cf_weight_plan){fixed + t->n_layers * layer, t->n_layers};
    const int64_t room = (max_weight_bytes - fixed) / layer - 1; /* one more is the set that the others take turns in */
    const int64_t n = room < 0 ? 0 : room < t->n_layers ? room : t->n_layers;
    return (cf_weight_plan){fixed + (n + 1) * layer, n};
}

cf_status cf_model_load(cf_model **out, cf_backend *be, const cf_checkpoint *c, int64_t max_weight_bytes, cf_error *err)
{
    cf_status st = CF_OK;
    void *vision = NULL, *layers = NULL;
    loader l = {.be = be, .checkpoint = c};
    cf_model *m = calloc(1, sizeof *m);
    if (!m)
        return cf_fail(err, CF_NOMEM, "no memory for a model");
    m->be = be;
    m->config = *cf_checkpoint_config(c);
    CF_TRY(cf_alloc(&vision, (size_t)m->config.feature_layer, sizeof *m->vision, "vision layers", err));
    m->vision = vision;
    CF_TRY(cf_alloc(&layers, (size_t)m->config.text.n_layers, sizeof *m->layers, "decoder layers", err));
    m->layers = layers;
    m->n_resident = cf_model_plan_weights(&m->config, cf_backend_compute(be), max_weight_bytes).n_resident;
    CF_TRY(load_vision(m, &l, err));
    CF_TRY(load_text(m, &l, err));
    *out = m;
    m = NULL;
done:
    cf_model_free(m);
    return st;
}

static void free_linear(cf_backend *be, cf_linear_part *p)
{
    cf_weight_free(be, p->w);
    cf_backend_release(be, &p->bias);
}

static void free_norm(cf_backend *be, cf_norm_part *p)
{
    cf_backend_release(be, &p->gamma);
    cf_backend_release(be, &p->beta);
}

void cf_model_free(cf_model *m)
{
    if (!m)
        return;
    cf_backend *be = m->be;
    for (int64_t i = 0; m->vision && i < m->config.feature_layer; i++) {
        cf_vision_layer *v = &m->vision[i];
        cf_linear_part *parts[] = {&v->q, &v->k, &v->v, &v->out, &v->fc1, &v->fc2};
        for (size_t j = 0; j < sizeof parts / sizeof parts[0]; j++)
            free_linear(be, parts[j]);
        free_norm(be, &v->norm1);
        free_norm(be, &v->norm2);
    }
    for (int64_t i = 0; m->layers && i < m->config.text.n_layers; i++) {
        cf_text_layer *t = &m->layers[i];
        cf_linear_part *parts[] = {&t->q, &t->k, &t->v, &t->o, &t->gate, &t->up, &t->down};
        for (size_t j = 0; j < sizeof parts / sizeof parts[0]; j++)
            free_linear(be, parts[j]);
        free_norm(be, &t->attn_norm);
        free_norm(be, &t->mlp_norm);
    }
    cf_layer_stream_free(m->stream);
    cf_weight_free(be, m->patch);
    cf_backend_release(be, &m->class_and_pos);
    cf_backend_release(be, &m->newline);
    free_norm(be, &m->pre_norm);
    free_linear(be, &m->projector1);
    free_linear(be, &m->projector2);
    cf_backend_release(be, &m->embedding);
    free_norm(be, &m->final_norm);
    cf_weight_free(be, m->head);
    cf_backend_release(be, &m->rope);
    free(m->vision);
    free(m->layers);
    free(m);
}

const cf_config *cf_model_config(const cf_model *m)
{
    return &m->config;
}

cf_backend *cf_model_backend(const cf_model *m)
{
    return m->be;
}

int64_t cf_model_n_patches(const cf_model *m)
{
    return cf_vision_n_rows(m) - (m->config.feature_drop_class_token ? 1 : 0);
}

int64_t cf_model_n_streamed(const cf_model *m)
{
    return m->config.text.n_layers - m->n_resident;
}

cf_status cf_model_layer(cf_text_layer *out, const cf_model *m, int64_t layer, cf_error *err)
{
    *out = m->layers[layer];
    if (layer < m->n_resident)
        return CF_OK;
    cf_weight *const *w = NULL;
    cf_linear_part *parts[CF_LAYER_MATRICES] = {&out->q, &out->k, &out->v, &out->o, &out->gate, &out->up, &out->down};
    const cf_status st = cf_layer_stream_get(m->stream, &w, layer, err);
    for (int i = 0; st == CF_OK && i < CF_LAYER_MATRICES; i++)
        parts[i]->w = w[i];
    return st;
}

cf_status cf_model_weights(const cf_model *m, const cf_weight **out, int64_t max, int64_t *n, cf_error *err)
{
    cf_text_layer t;
    const cf_status st = cf_model_layer(&t, m, 0, err);
    if (st != CF_OK)
        return st;
    const cf_weight *all[] = {t.q.w, t.k.w, t.v.w, t.o.w, t.gate.w, t.up.w, t.down.w, m->head};
    *n = (int64_t)(sizeof all / sizeof all[0]);
    for (int64_t i = 0; i < *n && i < max; i++)
        out[i] = all[i];
    return CF_OK;
}

int64_t cf_text_layer_macs(const cf_text_config *t)
{
    return t->hidden_size * (2 * t->n_heads * t->head_dim + 2 * t->n_kv_heads * t->head_dim + 3 * t->intermediate_size);
}

int64_t cf_model_row_layer_macs(const cf_model *m)
{
    return cf_text_layer_macs(&m->config.text);
}
