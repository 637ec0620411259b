/* config_parts.c - see config_parts.h. Owns which keys of the vision tower and of the decoder matter, and what their
 * absence means; typed reading is config_fields.c.
 *
 * Defaults and rules: transformers 5.17 CLIPVisionConfig, LlamaConfig, MistralConfig and RotaryEmbeddingConfigMixin,
 * which also read the files of transformers 4. Dropouts, initialisers, dtypes and token strings do not change inference in eval mode and
 * are not looked at. */
#include "checkpoint/config_parts.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

/* No extent of a real model comes near; and three extents multiply without overflow. */
enum { MAX_EXTENT = 1 << 20 };

/* Which default an absent key takes: that of the configuration's own class, or of another. */
enum {
    OF_CLASS = 0,   /* CLIPVisionConfig, LlamaConfig */
    OF_LLAVA = 1,   /* vision: config.json has no such section at all */
    OF_MISTRAL = 1, /* text: MistralConfig and MinistralConfig */
    N_COLUMNS
};

struct count_field {
    const char *key;
    size_t offset;               /* of an int64_t in the part's struct */
    int64_t fallback[N_COLUMNS]; /* 0: worked out from the other fields */
};

#define VISION(member) offsetof(cf_vision_config, member)
#define TEXT(member) offsetof(cf_text_config, member)

/* NOTE: LlavaConfig without a vision_config means the CLIP ViT-L/14-336 tower, while a vision_config that leaves keys
 * out means the ViT-B/32 values of CLIPVisionConfig. */
static const struct count_field vision_counts[] = {
    {"hidden_size", VISION(hidden_size), {768, 1024}}, {"intermediate_size", VISION(intermediate_size), {3072, 4096}},
    {"num_hidden_layers", VISION(n_layers), {12, 24}}, {"num_attention_heads", VISION(n_heads), {12, 16}},
    {"num_channels", VISION(n_channels), {3, 3}},      {"image_size", VISION(image_size), {224, 336}},
    {"patch_size", VISION(patch_size), {32, 14}},
};

static const struct count_field text_counts[] = {
    {"vocab_size", TEXT(vocab_size), {32000, 32000}},
    {"hidden_size", TEXT(hidden_size), {4096, 4096}},
    {"intermediate_size", TEXT(intermediate_size), {11008, 14336}},
    {"num_hidden_layers", TEXT(n_layers), {32, 32}},
    {"num_attention_heads", TEXT(n_heads), {32, 32}},
    {"num_key_value_heads", TEXT(n_kv_heads), {0, 8}},
    {"head_dim", TEXT(head_dim), {0, 0}},
    {"max_position_embeddings", TEXT(max_position_embeddings), {2048, 4096 * 32}},
};

static cf_status read_counts(void *part, const struct count_field *fields, size_t n, const cf_section *s, int column,
                             cf_error *err)
{
    for (size_t i = 0; i < n; i++) {
        int64_t v = 0;
        const cf_status st = cf_field_i64(&v, s, fields[i].key, fields[i].fallback[column], 1, MAX_EXTENT, err);
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

cf_status cf_config_read_activation(cf_activation *out, const cf_section *s, const char *key, const char *fallback,
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

static cf_status require_multiple(const cf_section *s, const char *key, int64_t value, const char *of, int64_t by,
                                  cf_error *err)
{
    if (value % by == 0)
        return CF_OK;
    return cf_fail(err, CF_FORMAT, "%s: %s%s: expected a multiple of %s, found %" PRId64 " and %" PRId64, s->where,
                   s->name, key, of, value, by);
}

cf_status cf_config_read_vision(cf_vision_config *v, const cf_section *s, cf_absent_vision absent, cf_error *err)
{
    cf_status st = CF_OK;
    double eps = 0;
    CF_TRY(read_counts(v, vision_counts, sizeof vision_counts / sizeof *vision_counts, s,
                       !s->object && absent == CF_VISION_OF_LLAVA ? OF_LLAVA : OF_CLASS, err));
    CF_TRY(cf_config_read_activation(&v->hidden_act, s, "hidden_act", "quick_gelu", err));
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

/* llama3 stretches the long wavelengths only, by bounds measured in turns over the positions of the first training.
 * NOTE: an original_max_position_embeddings beside the rope parameters goes before one inside
 * (RotaryEmbeddingConfigMixin.standardize_rope_params). */
static cf_status read_llama3(cf_text_config *t, const cf_section *text, const cf_section *rope, cf_error *err)
{
    static const char *const key = "original_max_position_embeddings";
    cf_status st = CF_OK;
    const cf_section *holder = cf_field_present(text, key) ? text : rope;
    CF_TRY(cf_field_required(&t->rope_low_freq_factor, rope, "low_freq_factor", err));
    CF_TRY(cf_field_required(&t->rope_high_freq_factor, rope, "high_freq_factor", err));
    if (t->rope_high_freq_factor <= t->rope_low_freq_factor)
        return cf_field_fail(err, rope, "high_freq_factor", "more than low_freq_factor");
    CF_TRY(cf_field_i64(&t->rope_original_positions, holder, key, t->max_position_embeddings, 1, MAX_EXTENT, err));
done:
    return st;
}

/* transformers 5 writes rope_parameters; transformers 4 wrote rope_scaling (null, or the same object) beside
 * rope_theta, and "type" before "rope_type". RotaryEmbeddingConfigMixin: a rope_scaling that is not empty goes first,
 * and an inner rope_theta before an outer. */
static cf_status read_rope(cf_text_config *t, const cf_section *text, cf_error *err)
{
    static const char *const types[] = {
        [CF_ROPE_DEFAULT] = "default", [CF_ROPE_LINEAR] = "linear", [CF_ROPE_LLAMA3] = "llama3"};
    cf_status st = CF_OK;
    const cf_json *scaling = cf_json_get(text->object, "rope_scaling");
    const bool old = cf_field_present(text, "rope_scaling") &&
                     !(cf_json_kind_of(scaling) == CF_JSON_OBJECT && !cf_json_first(scaling));
    const bool inner = *text->name != '\0'; /* the keys stand in text_config, not at the root */
    const char *const key = old ? "rope_scaling" : "rope_parameters";
    const char *const name = old ? (inner ? "text_config.rope_scaling." : "rope_scaling.")
                                 : (inner ? "text_config.rope_parameters." : "rope_parameters.");
    cf_section rope = {0};
    const char *old_type = NULL;
    int type = CF_ROPE_DEFAULT;
    double outer = 0, partial = 0;
    CF_TRY(cf_field_section(&rope, text, key, name, err));
    CF_TRY(cf_field_string(&old_type, &rope, "type", "default", err));
    CF_TRY(cf_field_choice(&type, &rope, "rope_type", old_type, types, sizeof types / sizeof *types, err));
    t->rope_type = (cf_rope_type)type;
    CF_TRY(cf_field_positive(&outer, text, "rope_theta", 10000.0, err));
    CF_TRY(cf_field_positive(&t->rope_theta, &rope, "rope_theta", outer, err));
    CF_TRY(cf_field_positive(&outer, text, "partial_rotary_factor", 1.0, err));
    CF_TRY(cf_field_positive(&partial, &rope, "partial_rotary_factor", outer, err));
    if (partial != 1.0)
        return cf_fail(err, CF_UNSUPPORTED, "%s: %spartial_rotary_factor %g is not supported, only 1", text->where,
                       text->name, partial);
    t->rope_factor = 1.0;
    if (t->rope_type != CF_ROPE_DEFAULT)
        CF_TRY(cf_field_required(&t->rope_factor, &rope, "factor", err));
    if (t->rope_type == CF_ROPE_LLAMA3)
        CF_TRY(read_llama3(t, text, &rope, err));
done:
    return st;
}

cf_status cf_config_read_text(cf_text_config *t, const cf_section *s, cf_text_type type, cf_error *err)
{
    cf_status st = CF_OK;
    double eps = 0;
    t->type = type;
    CF_TRY(read_counts(t, text_counts, sizeof text_counts / sizeof *text_counts, s,
                       type == CF_TEXT_LLAMA ? OF_CLASS : OF_MISTRAL, err));
    CF_TRY(require_multiple(s, "hidden_size", t->hidden_size, "num_attention_heads", t->n_heads, err));
    if (!t->n_kv_heads)
        t->n_kv_heads = t->n_heads;
    if (!t->head_dim)
        t->head_dim = t->hidden_size / t->n_heads;
    CF_TRY(require_multiple(s, "num_attention_heads", t->n_heads, "num_key_value_heads", t->n_kv_heads, err));
    CF_TRY(require_multiple(s, "head_dim", t->head_dim, "2 (rotary pairs)", 2, err));
    CF_TRY(cf_config_read_activation(&t->hidden_act, s, "hidden_act", "silu", err));
    CF_TRY(cf_field_positive(&eps, s, "rms_norm_eps", 1e-6, err));
    t->rms_norm_eps = (float)eps;
    CF_TRY(read_rope(t, s, err));
    CF_TRY(cf_field_bool(&t->tie_word_embeddings, s, "tie_word_embeddings", false, err));
    if (type == CF_TEXT_LLAMA) { /* the others have no biases, whatever is written */
        CF_TRY(cf_field_bool(&t->attention_bias, s, "attention_bias", false, err));
        CF_TRY(cf_field_bool(&t->mlp_bias, s, "mlp_bias", false, err));
    }
    CF_TRY(cf_config_read_layers(t, s, type, err));
done:
    return st;
}

cf_status cf_config_read_feature_layer(cf_config *c, const cf_section *root, const char *key, cf_error *err)
{
    const int64_t n_states = c->vision.n_layers + 1; /* the embeddings' output and that of each layer */
    if (cf_json_kind_of(cf_json_get(root->object, key)) == CF_JSON_ARRAY)
        return cf_fail(err, CF_UNSUPPORTED, "%s: %s: a list of layers is not supported", root->where, key);
    const cf_status st = cf_field_i64(&c->feature_layer, root, key, -2, -n_states, n_states - 1, err);
    if (st == CF_OK && c->feature_layer < 0)
        c->feature_layer += n_states;
    return st;
}
