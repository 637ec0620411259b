/* llava_weights.c - see llava_weights.h. Names and shapes: transformers LlavaForConditionalGeneration,
 * CLIPVisionTransformer and LlamaForCausalLM. */
#include "llava_weights.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "support/safetensors_writer.h"
#include "support/temp_dir.h"

#define DECODER "model.language_model."
#define LINEAR_1 "model.multi_modal_projector.linear_1."
#define LINEAR_2 "model.multi_modal_projector.linear_2."
#define TOWER "model.vision_tower.vision_model."

typedef struct list {
    llava_weight *items;
    size_t n;
} list;

static void add(list *l, const char *prefix, const char *name, int32_t rank, int64_t d0, int64_t d1)
{
    assert(l->n < LLAVA_MAX_WEIGHTS);
    llava_weight *w = &l->items[l->n++];
    (void)snprintf(w->name, sizeof w->name, "%s%s", prefix, name);
    w->rank = rank;
    w->shape[0] = d0;
    w->shape[1] = d1;
    w->shape[2] = w->shape[3] = 1;
}

static void add_linear(list *l, const char *prefix, const char *name, int64_t out, int64_t in, int bias)
{
    char full[80];
    (void)snprintf(full, sizeof full, "%s.weight", name);
    add(l, prefix, full, 2, out, in);
    (void)snprintf(full, sizeof full, "%s.bias", name);
    if (bias)
        add(l, prefix, full, 1, out, 1);
}

static void add_layer_norm(list *l, const char *prefix, const char *name, int64_t n)
{
    char full[80];
    (void)snprintf(full, sizeof full, "%s.weight", name);
    add(l, prefix, full, 1, n, 1);
    (void)snprintf(full, sizeof full, "%s.bias", name);
    add(l, prefix, full, 1, n, 1);
}

static void add_tower(list *l, const cf_vision_config *v)
{
    const int64_t d = v->hidden_size, side = v->image_size / v->patch_size;
    add(l, TOWER, "embeddings.class_embedding", 1, d, 1);
    add(l, TOWER, "embeddings.patch_embedding.weight", 4, d, v->n_channels);
    l->items[l->n - 1].shape[2] = l->items[l->n - 1].shape[3] = v->patch_size;
    add(l, TOWER, "embeddings.position_embedding.weight", 2, side * side + 1, d);
    add_layer_norm(l, TOWER, "pre_layrnorm", d);
    for (int64_t i = 0; i < v->n_layers; i++) {
        char layer[80];
        (void)snprintf(layer, sizeof layer, TOWER "encoder.layers.%d.", (int)i);
        add_layer_norm(l, layer, "layer_norm1", d);
        add_layer_norm(l, layer, "layer_norm2", d);
        add_linear(l, layer, "self_attn.q_proj", d, d, 1);
        add_linear(l, layer, "self_attn.k_proj", d, d, 1);
        add_linear(l, layer, "self_attn.v_proj", d, d, 1);
        add_linear(l, layer, "self_attn.out_proj", d, d, 1);
        add_linear(l, layer, "mlp.fc1", v->intermediate_size, d, 1);
        add_linear(l, layer, "mlp.fc2", d, v->intermediate_size, 1);
    }
}

static void add_decoder(list *l, const cf_text_config *t)
{
    const int64_t d = t->hidden_size, q = t->n_heads * t->head_dim, kv = t->n_kv_heads * t->head_dim;
    add(l, DECODER, "embed_tokens.weight", 2, t->vocab_size, d);
    add(l, DECODER, "norm.weight", 1, d, 1);
    for (int64_t i = 0; i < t->n_layers; i++) {
        char layer[80];
        (void)snprintf(layer, sizeof layer, DECODER "layers.%d.", (int)i);
        add(l, layer, "input_layernorm.weight", 1, d, 1);
        add(l, layer, "post_attention_layernorm.weight", 1, d, 1);
        add_linear(l, layer, "self_attn.q_proj", q, d, t->attention_bias);
        add_linear(l, layer, "self_attn.k_proj", kv, d, t->attention_bias);
        add_linear(l, layer, "self_attn.v_proj", kv, d, t->attention_bias);
        add_linear(l, layer, "self_attn.o_proj", d, q, t->attention_bias);
        add_linear(l, layer, "mlp.gate_proj", t->intermediate_size, d, t->mlp_bias);
        add_linear(l, layer, "mlp.up_proj", t->intermediate_size, d, t->mlp_bias);
        add_linear(l, layer, "mlp.down_proj", d, t->intermediate_size, t->mlp_bias);
    }
    add(l, "", "lm_head.weight", 2, t->vocab_size, d);
}

size_t llava_weights(llava_weight out[LLAVA_MAX_WEIGHTS], const cf_config *c)
{
    list l = {out, 0};
    add_tower(&l, &c->vision);
    add_linear(&l, "model.multi_modal_projector.", "linear_1", c->text.hidden_size, c->vision.hidden_size,
               c->projector_bias);
    add_linear(&l, "model.multi_modal_projector.", "linear_2", c->text.hidden_size, c->text.hidden_size,
               c->projector_bias);
    add_decoder(&l, &c->text);
    return l.n;
}

float llava_value(size_t k, int64_t i)
{
    return (float)(((int64_t)k * 7 + i * 3) % 251) - 100.0f;
}

static const llava_layout layouts[LLAVA_N_LAYOUTS] = {
    {"transformers 4", "language_model.model.", "language_model.lm_head.", "multi_modal_projector.linear_1.",
     "multi_modal_projector.linear_2.", "vision_tower.vision_model.", false},
    {"transformers 4 names, tower without vision_model", "language_model.model.", "language_model.lm_head.",
     "multi_modal_projector.linear_1.", "multi_modal_projector.linear_2.", "vision_tower.", false},
    {"transformers 5", DECODER, "lm_head.", LINEAR_1, LINEAR_2, TOWER, false},
    {"transformers 5, tower without vision_model", DECODER, "lm_head.", LINEAR_1, LINEAR_2, "model.vision_tower.",
     false},
    {"original LLaVA", "model.", "lm_head.", "model.mm_projector.0.", "model.mm_projector.2.",
     "model.vision_tower.vision_tower.vision_model.", false},
    {"original LLaVA, tower without vision_model", "model.", "lm_head.", "model.mm_projector.0.",
     "model.mm_projector.2.", "model.vision_tower.vision_tower.", false},
    {"transformers 4, fused", "language_model.model.", "language_model.lm_head.", "multi_modal_projector.linear_1.",
     "multi_modal_projector.linear_2.", "vision_tower.vision_model.", true},
    {"transformers 5, fused", DECODER, "lm_head.", LINEAR_1, LINEAR_2, TOWER, true},
};

const llava_layout *llava_layout_at(size_t i)
{
    return &layouts[i];
}

static char *stored_name(const llava_layout *layout, const char *canonical)
{
    const struct {
        const char *from, *to;
    } rules[] = {
        {DECODER, layout->decoder},   {"lm_head.", layout->head}, {LINEAR_1, layout->linear_1},
        {LINEAR_2, layout->linear_2}, {TOWER, layout->tower},
    };
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        const size_t n = strlen(rules[i].from);
        if (strncmp(canonical, rules[i].from, n) == 0) {
            char *name = NULL;
            const int bytes = asprintf(&name, "%s%s", rules[i].to, canonical + n);
            assert(bytes > 0);
            return name;
        }
    }
    assert(false && "a canonical name without a rule");
    return NULL;
}

const char *llava_tiny_config(void)
{
    return "{\"model_type\": \"llava\", \"image_token_index\": 9,\n"
           " \"text_config\": {\"model_type\": \"llama\", \"vocab_size\": 10, \"hidden_size\": 8, "
           "\"intermediate_size\": 12,\n"
           "  \"num_hidden_layers\": 2, \"num_attention_heads\": 2, \"num_key_value_heads\": 1},\n"
           " \"vision_config\": {\"model_type\": \"clip_vision_model\", \"hidden_size\": 6, \"intermediate_size\": "
           "10,\n"
           "  \"num_hidden_layers\": 2, \"num_attention_heads\": 2, \"image_size\": 8, \"patch_size\": 4}}\n";
}

static void read_tiny_config(cf_config *c)
{
    cf_json *json = NULL;
    cf_status st = cf_json_parse(&json, cf_slice_of(llava_tiny_config()), "tiny", NULL);
    assert(st == CF_OK);
    st = cf_config_parse(c, &(cf_config_source){.config = json, .where = "tiny"}, NULL);
    assert(st == CF_OK);
    cf_json_free(json);
}

static float *values_of(size_t k, const llava_weight *w)
{
    const int64_t n = w->shape[0] * w->shape[1] * w->shape[2] * w->shape[3];
    float *data = malloc((size_t)n * sizeof *data);
    assert(data);
    for (int64_t i = 0; i < n; i++)
        data[i] = llava_value(k, i);
    return data;
}

static void free_item(safetensors_item *item)
{
    free((void *)(uintptr_t)item->data);
    free((void *)(uintptr_t)item->name);
}

/* The rows of b behind those of a, under a's name with `from` replaced by `to`. */
static safetensors_item join_two(safetensors_item *a, safetensors_item *b, const char *from, const char *to)
{
    safetensors_item joined = *a;
    const size_t n_a = (size_t)(a->shape[0] * a->shape[1]), n_b = (size_t)(b->shape[0] * b->shape[1]);
    float *data = malloc((n_a + n_b) * sizeof *data);
    char *name = NULL;
    const char *at = strstr(a->name, from);
    assert(data && at && a->shape[1] == b->shape[1]);
    const int bytes = asprintf(&name, "%.*s%s%s", (int)(at - a->name), a->name, to, at + strlen(from));
    assert(bytes > 0);
    memcpy(data, a->data, n_a * sizeof *data);
    memcpy(data + n_a, b->data, n_b * sizeof *data);
    joined.shape[0] += b->shape[0];
    joined.name = name;
    joined.data = data;
    free_item(a);
    free_item(b);
    return joined;
}

/* Joins the decoder's matrices as they stand in the list: q, k, v; gate, up. Returns how many items are left. */
static size_t fuse(safetensors_item *items, size_t n, const char *decoder)
{
    size_t left = 0;
    for (size_t k = 0; k < n; k++) {
        const bool of_decoder = strncmp(items[k].name, decoder, strlen(decoder)) == 0;
        if (of_decoder && strstr(items[k].name, "q_proj")) {
            safetensors_item qk = join_two(&items[k], &items[k + 1], "q_proj", "qk_proj");
            items[left++] = join_two(&qk, &items[k + 2], "qk_proj", "qkv_proj");
            k += 2;
        } else if (of_decoder && strstr(items[k].name, "gate_proj")) {
            items[left++] = join_two(&items[k], &items[k + 1], "gate_proj", "gate_up_proj");
            k++;
        } else {
            items[left++] = items[k];
        }
    }
    return left;
}

void llava_tiny_write(const char *dir, const llava_layout *layout, cf_dtype dtype, size_t n_shards)
{
    cf_config c = {0};
    llava_weight weights[LLAVA_MAX_WEIGHTS];
    safetensors_item items[LLAVA_MAX_WEIGHTS];
    read_tiny_config(&c);
    size_t n = llava_weights(weights, &c);
    for (size_t k = 0; k < n; k++) {
        items[k] =
            (safetensors_item){stored_name(layout, weights[k].name), weights[k].rank, {0}, values_of(k, &weights[k])};
        memcpy(items[k].shape, weights[k].shape, sizeof items[k].shape);
    }
    if (layout->fused)
        n = fuse(items, n, layout->decoder);
    char *path = temp_dir_path(dir, "model.safetensors");
    const cf_status st = n_shards ? safetensors_write_shards(dir, items, n, dtype, n_shards, NULL)
                                  : safetensors_write(path, items, n, dtype, NULL);
    assert(st == CF_OK);
    (void)st;
    temp_dir_write_text(dir, "config.json", llava_tiny_config());
    free(path);
    for (size_t k = 0; k < n; k++)
        free_item(&items[k]);
}
