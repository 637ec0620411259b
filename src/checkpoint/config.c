/* config.c - see config.h. Owns the top level: which model and which form it is, the Hugging Face keys beside the
 * sections, and the special tokens. The sections are config_parts.c, LLaVA's own form config_original.c.
 *
 * Defaults and rules: transformers 5.17 LlavaConfig and LlavaNextConfig. */
#include "checkpoint/config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "checkpoint/config_parts.h"

static cf_status require_type(const cf_section *s, const char *supported, cf_error *err)
{
    int only = 0;
    return cf_field_choice(&only, s, "model_type", supported, &supported, 1, err);
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
done:
    return st;
}

static cf_status read_features(cf_config *c, const cf_section *root, cf_error *err)
{
    cf_status st = CF_OK;
    const char *strategy = NULL;
    CF_TRY(cf_config_read_feature_layer(c, root, "vision_feature_layer", err));
    CF_TRY(cf_field_string(&strategy, root, "vision_feature_select_strategy", "default", err));
    if (strcmp(strategy, "default") != 0 && strcmp(strategy, "full") != 0)
        return cf_field_fail(err, root, "vision_feature_select_strategy", "'default' or 'full'");
    c->feature_drop_class_token = strcmp(strategy, "default") == 0;
    CF_TRY(cf_config_read_activation(&c->projector_hidden_act, root, "projector_hidden_act", "gelu", err));
    CF_TRY(cf_field_bool(&c->projector_bias, root, "multimodal_projector_bias", true, err));
done:
    return st;
}

/* LLaVA-NeXT: tiles, merged without their padding, a newline after each row. */
static cf_status read_tiles(cf_config *c, const cf_section *root, cf_error *err)
{
    bool newline = true;
    cf_status st = cf_field_bool(&newline, root, "use_image_newline_parameter", true, err);
    if (st == CF_OK && !newline)
        st = cf_fail(err, CF_UNSUPPORTED, "%s: use_image_newline_parameter false is not supported", root->where);
    if (st == CF_OK)
        st = cf_config_read_grid(c, root, CF_GRID_HEIGHT_WIDTH, err);
    c->image_aspect = CF_ASPECT_ANYRES;
    c->patch_merge = CF_MERGE_SPATIAL_UNPAD;
    return st;
}

static cf_status read_hugging_face(cf_config *c, const cf_section *root, cf_error *err)
{
    cf_status st = CF_OK;
    cf_section text = {0}, vision = {0};
    const bool next = strcmp(c->model_type, "llava_next") == 0;
    static const char *const text_types[] = {
        [CF_TEXT_LLAMA] = "llama", [CF_TEXT_MISTRAL] = "mistral", [CF_TEXT_MINISTRAL] = "ministral"};
    bool tied = false;
    int type = 0;
    CF_TRY(cf_field_section(&vision, root, "vision_config", "vision_config.", err));
    CF_TRY(cf_field_section(&text, root, "text_config", "text_config.", err));
    CF_TRY(require_type(&vision, "clip_vision_model", err));
    CF_TRY(
        cf_field_choice(&type, &text, "model_type", "llama", text_types, sizeof text_types / sizeof *text_types, err));
    CF_TRY(cf_config_read_vision(&c->vision, &vision, CF_VISION_OF_LLAVA, err));
    CF_TRY(cf_config_read_text(&c->text, &text, (cf_text_type)type, err));
    /* LlavaConfig.__post_init__: tied where either level says so. LlavaNextConfig looks at the top level alone. */
    CF_TRY(cf_field_bool(&tied, root, "tie_word_embeddings", false, err));
    c->text.tie_word_embeddings = tied || (!next && c->text.tie_word_embeddings);
    CF_TRY(read_features(c, root, err));
    CF_TRY(read_image_token(&c->image_token_id, root, err));
    if (next)
        CF_TRY(read_tiles(c, root, err));
done:
    return st;
}

/* LLaVA's own config.json calls itself "llava" too, and keeps the decoder's keys at the top: read as the Hugging Face
 * form it would silently become a model of defaults. */
static bool is_original(const cf_json *config)
{
    const char *type = cf_json_string(cf_json_get(config, "model_type"));
    const cf_section root = {config, "", ""};
    return type && strcmp(type, "llava_next") != 0 && cf_field_present(&root, "mm_vision_tower") &&
           !cf_field_present(&root, "text_config") && !cf_field_present(&root, "vision_config");
}

const char *cf_config_vision_tower(const cf_json *config)
{
    return is_original(config) ? cf_json_string(cf_json_get(config, "mm_vision_tower")) : NULL;
}

static cf_status read_model_type(cf_config *c, const cf_section *root, cf_error *err)
{
    static const char *const types[] = {"llava", "llava_next", "llava_llama"};
    int type = 0;
    if (cf_json_kind_of(root->object) != CF_JSON_OBJECT)
        return cf_fail(err, CF_FORMAT, "%s: expected a JSON object", root->where);
    if (!cf_field_present(root, "model_type"))
        return cf_field_fail(err, root, "model_type", "'llava', 'llava_next' or 'llava_llama'");
    const cf_status st = cf_field_choice(&type, root, "model_type", "", types, sizeof types / sizeof *types, err);
    if (st != CF_OK)
        return st;
    (void)snprintf(c->model_type, sizeof c->model_type, "%s", types[type]);
    c->original = is_original(root->object);
    if (c->original ? !cf_config_vision_tower(root->object) : strcmp(c->model_type, "llava_llama") == 0)
        return cf_field_fail(err, root, "mm_vision_tower", "the name of a vision tower, and no text_config");
    return CF_OK;
}

cf_status cf_config_parse(cf_config *out, const cf_config_source *from, cf_error *err)
{
    cf_status st = CF_OK;
    cf_config c = {0};
    cf_section text = {0};
    const cf_section root = {from->config, from->where, ""};
    const cf_section tower = {from->tower, from->tower_where, ""};
    CF_TRY(read_model_type(&c, &root, err));
    if (c.original) {
        CF_TRY(cf_config_read_original(&c, &root, &tower, err));
    } else {
        CF_TRY(read_hugging_face(&c, &root, err));
        CF_TRY(cf_field_section(&text, &root, "text_config", "text_config.", err));
    }
    CF_TRY(read_special_tokens(&c, &root, &text, from->generation, err));
    *out = c;
done:
    return st;
}
