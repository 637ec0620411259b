/* config.c - see config.h. Owns which keys matter and what their absence means; typed reading is config_fields.c.
 *
 * Defaults and rules: transformers 5.17 LlavaConfig, CLIPVisionConfig, LlamaConfig and RotaryEmbeddingConfigMixin,
 * which also reads the files of transformers 4. Dropouts, initialisers, dtypes and token strings do not change
 * inference in eval mode and are not looked at. */
#include "checkpoint/config.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "checkpoint/config_fields.h"

/* No extent of a real model comes near; and three extents multiply without overflow. */
enum { MAX_EXTENT = 1 << 20 };

struct count_field {
    const char *key;
    size_t offset;          /* of an int64_t in the part's struct */
    int64_t fallback;       /* the class's own default; 0: worked out from the other fields */
    int64_t llava_fallback; /* where config.json has no such section at all */
};

#define VISION(member) offsetof(cf_vision_config, member)
#define TEXT(member) offsetof(cf_text_config, member)

/* NOTE: LlavaConfig without a vision_config means the CLIP ViT-L/14-336 tower, while a vision_config that leaves keys
 * out means the ViT-B/32 values of CLIPVisionConfig. */
static const struct count_field vision_counts[] = {
    {"hidden_size", VISION(hidden_size), 768, 1024}, {"intermediate_size", VISION(intermediate_size), 3072, 4096},
    {"num_hidden_layers", VISION(n_layers), 12, 24}, {"num_attention_heads", VISION(n_heads), 12, 16},
    {"num_channels", VISION(n_channels), 3, 3},      {"image_size", VISION(image_size), 224, 336},
    {"patch_size", VISION(patch_size), 32, 14},
};

static const struct count_field text_counts[] = {
    {"vocab_size", TEXT(vocab_size), 32000, 32000},
    {"hidden_size", TEXT(hidden_size), 4096, 4096},
    {"intermediate_size", TEXT(intermediate_size), 11008, 11008},
    {"num_hidden_layers", TEXT(n_layers), 32, 32},
    {"num_attention_heads", TEXT(n_heads), 32, 32},
    {"num_key_value_heads", TEXT(n_kv_heads), 0, 0},
    {"head_dim", TEXT(head_dim), 0, 0},
    {"max_position_embeddings", TEXT(max_position_embeddings), 2048, 2048},
};

static cf_status read_counts(void *part, const struct count_field *fields, size_t n, const cf_section *s, cf_error *err)
{
    for (size_t i = 0; i < n; i++) {
        int64_t v = 0;
        const int64_t fallback = s->object ? fields[i].fallback : fields[i].llava_fallback;
        const cf_status st = cf_field_i64(&v, s, fields[i].key, fallback, 1, MAX_EXTENT, err);
        if (st != CF_OK)
            return st;
        memcpy((char *)part + fields[i].offset, &v, sizeof v);
    }
    return CF_OK;
}

static const struct {
    const char *name;
    cf_activation act;
} activations[] = {
    /* transformers ACT2CLS; several names stand for one formula */
    {"gelu", CF_ACT_GELU},
    {"gelu_python", CF_ACT_GELU},
    {"gelu_new", CF_ACT_GELU_TANH},
    {"gelu_fast", CF_ACT_GELU_TANH},
    {"gelu_pytorch_tanh", CF_ACT_GELU_TANH},
    {"quick_gelu", CF_ACT_QUICK_GELU},
    {"silu", CF_ACT_SILU},
    {"swish", CF_ACT_SILU},
};

static cf_status read_activation(cf_activation *out, const cf_section *s, const char *key, const char *fallback,
                                 cf_error *err)
{
    const char *name = NULL;
    const cf_status st = cf_field_string(&name, s, key, fallback, err);
    if (st != CF_OK)
        return st;
    for (size_t i = 0; i < sizeof activations / sizeof *activations; i++)
        if (strcmp(activations[i].name, name) == 0) {
            *out = activations[i].act;
            return CF_OK;
        }
    return cf_fail(err, CF_UNSUPPORTED, "%s: %s%s: activation '%s' is not supported", s->where, s->name, key, name);
}

static cf_status require_type(const cf_section *s, const char *supported, cf_error *err)
{
    const char *name = NULL;
    const cf_status st = cf_field_string(&name, s, "model_type", supported, err);
    if (st != CF_OK)
        return st;
    if (strcmp(name, supported) != 0)
        return cf_fail(err, CF_UNSUPPORTED, "%s: %smodel_type '%s' is not supported, only '%s'", s->where, s->name,
                       name, supported);
    return CF_OK;
}

static cf_status require_multiple(const cf_section *s, const char *key, int64_t value, const char *of, int64_t by,
                                  cf_error *err)
{
    if (value % by == 0)
        return CF_OK;
    return cf_fail(err, CF_FORMAT, "%s: %s%s: expected a multiple of %s, found %" PRId64 " and %" PRId64, s->where,
                   s->name, key, of, value, by);
}

static cf_status read_vision(cf_vision_config *v, const cf_section *s, cf_error *err)
{
    cf_status st = CF_OK;
    double eps = 0;
    CF_TRY(require_type(s, "clip_vision_model", err));
    CF_TRY(read_counts(v, vision_counts, sizeof vision_counts / sizeof *vision_counts, s, err));
    CF_TRY(read_activation(&v->hidden_act, s, "hidden_act", "quick_gelu", err));
    CF_TRY(cf_field_positive(&eps, s, "layer_norm_eps", 1e-5, err));
    v->layer_norm_eps = (float)eps;
    CF_TRY(require_multiple(s, "hidden_size", v->hidden_size, "num_attention_heads", v->n_heads, err));
    if (v->patch_size > v->image_size)
        return cf_field_fail(err, s, "patch_size", "at most image_size");
    if (v->n_channels != 3)
        return cf_fail(err, CF_UNSUPPORTED, "%s: %snum_channels %" PRId64 " is not supported, only 3", s->where,
                       s->name, v->n_channels);
done:
    return st;
}

/* transformers 5 writes rope_parameters; transformers 4 wrote rope_scaling (null, or the same object) beside
 * rope_theta, and "type" before "rope_type". RotaryEmbeddingConfigMixin: rope_scaling goes first, and an inner
 * rope_theta before an outer. */
static cf_status read_rope(double *theta, const cf_section *text, cf_error *err)
{
    cf_status st = CF_OK;
    const bool old = cf_field_present(text, "rope_scaling");
    const char *key = old ? "rope_scaling" : "rope_parameters";
    cf_section rope = {0};
    const char *type = NULL;
    double outer = 0, partial = 0;
    CF_TRY(cf_field_section(&rope, text, key, old ? "text_config.rope_scaling." : "text_config.rope_parameters.", err));
    CF_TRY(cf_field_string(&type, &rope, "type", "default", err));
    CF_TRY(cf_field_string(&type, &rope, "rope_type", type, err));
    if (strcmp(type, "default") != 0)
        return cf_fail(err, CF_UNSUPPORTED, "%s: text_config.%s: rope type '%s' is not supported, only 'default'",
                       text->where, key, type);
    CF_TRY(cf_field_positive(&outer, text, "rope_theta", 10000.0, err));
    CF_TRY(cf_field_positive(theta, &rope, "rope_theta", outer, err));
    CF_TRY(cf_field_positive(&outer, text, "partial_rotary_factor", 1.0, err));
    CF_TRY(cf_field_positive(&partial, &rope, "partial_rotary_factor", outer, err));
    if (partial != 1.0)
        return cf_fail(err, CF_UNSUPPORTED, "%s: text_config: partial_rotary_factor %g is not supported, only 1",
                       text->where, partial);
done:
    return st;
}

static cf_status read_text(cf_text_config *t, const cf_section *s, cf_error *err)
{
    cf_status st = CF_OK;
    double eps = 0;
    CF_TRY(require_type(s, "llama", err));
    CF_TRY(read_counts(t, text_counts, sizeof text_counts / sizeof *text_counts, s, err));
    CF_TRY(require_multiple(s, "hidden_size", t->hidden_size, "num_attention_heads", t->n_heads, err));
    if (!t->n_kv_heads)
        t->n_kv_heads = t->n_heads;
    if (!t->head_dim)
        t->head_dim = t->hidden_size / t->n_heads;
    CF_TRY(require_multiple(s, "num_attention_heads", t->n_heads, "num_key_value_heads", t->n_kv_heads, err));
    CF_TRY(require_multiple(s, "head_dim", t->head_dim, "2 (rotary pairs)", 2, err));
    CF_TRY(read_activation(&t->hidden_act, s, "hidden_act", "silu", err));
    CF_TRY(cf_field_positive(&eps, s, "rms_norm_eps", 1e-6, err));
    t->rms_norm_eps = (float)eps;
    CF_TRY(read_rope(&t->rope_theta, s, err));
    CF_TRY(cf_field_bool(&t->tie_word_embeddings, s, "tie_word_embeddings", false, err));
    CF_TRY(cf_field_bool(&t->attention_bias, s, "attention_bias", false, err));
    CF_TRY(cf_field_bool(&t->mlp_bias, s, "mlp_bias", false, err));
done:
    return st;
}

static cf_status read_features(cf_config *c, const cf_section *root, cf_error *err)
{
    cf_status st = CF_OK;
    const int64_t n_states = c->vision.n_layers + 1; /* the embeddings' output and that of each layer */
    const char *strategy = NULL;
    if (cf_json_kind_of(cf_json_get(root->object, "vision_feature_layer")) == CF_JSON_ARRAY)
        return cf_fail(err, CF_UNSUPPORTED, "%s: vision_feature_layer: a list of layers is not supported", root->where);
    CF_TRY(cf_field_i64(&c->feature_layer, root, "vision_feature_layer", -2, -n_states, n_states - 1, err));
    if (c->feature_layer < 0)
        c->feature_layer += n_states;
    CF_TRY(cf_field_string(&strategy, root, "vision_feature_select_strategy", "default", err));
    if (strcmp(strategy, "default") != 0 && strcmp(strategy, "full") != 0)
        return cf_field_fail(err, root, "vision_feature_select_strategy", "'default' or 'full'");
    c->feature_drop_class_token = strcmp(strategy, "default") == 0;
    CF_TRY(read_activation(&c->projector_hidden_act, root, "projector_hidden_act", "gelu", err));
    CF_TRY(cf_field_bool(&c->projector_bias, root, "multimodal_projector_bias", true, err));
done:
    return st;
}

static cf_status read_image_token(int32_t *out, const cf_section *root, cf_error *err)
{
    cf_status st = CF_OK;
    int64_t index = 0, id = 0;
    CF_TRY(cf_field_i64(&index, root, "image_token_index", 32000, 0, INT32_MAX, err));
    CF_TRY(cf_field_i64(&id, root, "image_token_id", index, 0, INT32_MAX, err));
    if (cf_field_present(root, "image_token_index") && id != index)
        return cf_fail(err, CF_MISMATCH, "%s: image_token_index %" PRId64 " and image_token_id %" PRId64 " differ",
                       root->where, index, id);
    *out = (int32_t)id;
done:
    return st;
}

/* The first section that has the key, as a token id; generation_config.json wins over config.json, as in generate(). */
static const cf_section *holder(const cf_section *const sections[3], const char *key)
{
    for (size_t i = 0; i < 2; i++)
        if (cf_field_present(sections[i], key))
            return sections[i];
    return sections[2];
}

static cf_status read_eos(cf_config *c, const cf_section *s, cf_error *err)
{
    static const char *const key = "eos_token_id";
    const cf_json *eos = cf_json_get(s->object, key);
    const bool list = cf_json_kind_of(eos) == CF_JSON_ARRAY;
    if (!list) {
        int64_t id = 0;
        const cf_status st = cf_field_i64(&id, s, key, 2, 0, INT32_MAX, err); /* LlamaConfig: 2 */
        if (st != CF_OK)
            return st;
        c->eos_token_ids[0] = (int32_t)id;
        c->n_eos = 1;
        return CF_OK;
    }
    if (cf_json_count(eos) > CF_MAX_EOS)
        return cf_fail(err, CF_UNSUPPORTED, "%s: %s%s: more than %d tokens are not supported", s->where, s->name, key,
                       CF_MAX_EOS);
    for (const cf_json *e = cf_json_first(eos); e; e = cf_json_next(e)) {
        int64_t id = 0;
        if (!cf_json_i64(&id, e) || id < 0 || id > INT32_MAX)
            return cf_fail(err, CF_FORMAT, "%s: %s%s: expected a list of token ids, entry %d is none", s->where,
                           s->name, key, c->n_eos);
        c->eos_token_ids[c->n_eos++] = (int32_t)id;
    }
    return c->n_eos ? CF_OK : cf_field_fail(err, s, key, "a token id or a list that is not empty");
}

static cf_status read_special_tokens(cf_config *c, const cf_section *root, const cf_section *text,
                                     const cf_json *generation, cf_error *err)
{
    cf_status st = CF_OK;
    const cf_section generated = {generation, "generation_config.json", ""};
    const cf_section *const sections[3] = {&generated, root, text};
    int64_t bos = 0;
    if (generation && cf_json_kind_of(generation) != CF_JSON_OBJECT)
        return cf_fail(err, CF_FORMAT, "%s: expected a JSON object in generation_config.json beside it", root->where);
    CF_TRY(cf_field_i64(&bos, holder(sections, "bos_token_id"), "bos_token_id", 1, 0, INT32_MAX,
                        err)); /* LlamaConfig: 1 */
    c->bos_token_id = (int32_t)bos;
    CF_TRY(read_eos(c, holder(sections, "eos_token_id"), err));
    CF_TRY(read_image_token(&c->image_token_id, root, err));
done:
    return st;
}

static cf_status check_root(cf_config *c, const cf_section *root, cf_error *err)
{
    cf_status st = CF_OK;
    if (cf_json_kind_of(root->object) != CF_JSON_OBJECT)
        return cf_fail(err, CF_FORMAT, "%s: expected a JSON object", root->where);
    if (!cf_field_present(root, "model_type"))
        return cf_field_fail(err, root, "model_type", "'llava'");
    CF_TRY(require_type(root, "llava", err));
    /* LLaVA's own config.json calls itself "llava" too, and keeps the decoder's keys at the top: read by the rules
     * below, it would silently become a model of defaults. */
    if (cf_field_present(root, "mm_vision_tower") && !cf_field_present(root, "text_config"))
        return cf_fail(
            err, CF_UNSUPPORTED,
            "%s: an original LLaVA configuration (mm_vision_tower) is not supported, only its Hugging Face form "
            "(text_config, vision_config)",
            root->where);
    (void)snprintf(c->model_type, sizeof c->model_type, "%s", "llava");
done:
    return st;
}

cf_status cf_config_parse(cf_config *out, const cf_json *config, const cf_json *generation, const char *where,
                          cf_error *err)
{
    cf_status st = CF_OK;
    cf_config c = {0};
    cf_section text = {0}, vision = {0};
    const cf_section root = {config, where, ""};
    bool tied = false;
    CF_TRY(check_root(&c, &root, err));
    CF_TRY(cf_field_section(&vision, &root, "vision_config", "vision_config.", err));
    CF_TRY(cf_field_section(&text, &root, "text_config", "text_config.", err));
    CF_TRY(read_vision(&c.vision, &vision, err));
    CF_TRY(read_text(&c.text, &text, err));
    /* LlavaConfig.__post_init__: tied where either level says so. */
    CF_TRY(cf_field_bool(&tied, &root, "tie_word_embeddings", false, err));
    c.text.tie_word_embeddings = c.text.tie_word_embeddings || tied;
    CF_TRY(read_features(&c, &root, err));
    CF_TRY(read_special_tokens(&c, &root, &text, generation, err));
    *out = c;
done:
    return st;
}
