/* config_original.c - LLaVA's own config.json: the decoder's keys at the top, the picture's as mm_*, the vision tower in
 * a configuration of its own. Defaults are those of the getattr calls in llava/model (v1.2): llava_arch.py,
 * multimodal_encoder and multimodal_projector. */
#include <inttypes.h>
#include <string.h>

#include "checkpoint/config_parts.h"

/* Switches that change what is computed, in ways that none of the published models uses. */
static const char *const switches[] = {"mm_use_im_start_end", "mm_resampler_type", "s2"};

static cf_status refuse_switches(const cf_section *root, cf_error *err)
{
    for (size_t i = 0; i < sizeof switches / sizeof *switches; i++)
        if (cf_field_present(root, switches[i]) && cf_json_bool(cf_json_get(root->object, switches[i]), true))
            return cf_fail(err, CF_UNSUPPORTED, "%s: %s is not supported", root->where, switches[i]);
    return CF_OK;
}

/* The one tower that may be described without its folder: what LlavaConfig falls back to is this model. */
static const char known_tower[] = "openai/clip-vit-large-patch14-336";

static cf_status read_tower(cf_vision_config *v, const cf_section *root, const cf_section *tower, cf_error *err)
{
    static const char *const types[] = {"clip", "clip_vision_model"};
    const char *name = cf_config_vision_tower(root->object);
    cf_status st = CF_OK;
    cf_section s = {0};
    int type = 0;
    if (!tower->object && strcmp(name, known_tower) == 0)
        return cf_config_read_vision(v, &(cf_section){NULL, root->where, "mm_vision_tower."}, CF_VISION_OF_LLAVA, err);
    if (!tower->object)
        return cf_fail(err, CF_IO,
                       "%s: mm_vision_tower '%s': its folder is not at hand; download its config.json, and its "
                       "model.safetensors or pytorch_model.bin, or name a folder that has them",
                       root->where, name);
    if (cf_json_kind_of(tower->object) != CF_JSON_OBJECT)
        return cf_fail(err, CF_FORMAT, "%s: expected a JSON object", tower->where);
    if (!cf_field_present(tower, "model_type"))
        return cf_field_fail(err, tower, "model_type", "'clip' or 'clip_vision_model'");
    CF_TRY(cf_field_choice(&type, tower, "model_type", "", types, sizeof types / sizeof *types, err));
    if (type == 1)
        return cf_config_read_vision(v, tower, CF_VISION_OF_CLIP, err);
    /* CLIPConfig.__post_init__: a vision_config_dict, completed by defaults, overwrites the vision_config. */
    const char *key = cf_field_present(tower, "vision_config_dict") ? "vision_config_dict" : "vision_config";
    CF_TRY(cf_field_section(&s, tower, key, "vision_config.", err));
    CF_TRY(cf_config_read_vision(v, &s, CF_VISION_OF_CLIP, err));
done:
    return st;
}

static cf_status read_projector(cf_config *c, const cf_section *root, cf_error *err)
{
    static const char *const projectors[] = {"mlp2x_gelu"};
    cf_status st = CF_OK;
    int only = 0;
    int64_t width = 0;
    CF_TRY(cf_field_choice(&only, root, "mm_projector_type", "linear", projectors, 1, err));
    c->projector_hidden_act = CF_ACT_GELU; /* nn.GELU() between two nn.Linear */
    c->projector_bias = true;
    CF_TRY(cf_field_i64(&width, root, "mm_hidden_size", c->vision.hidden_size, 1, INT32_MAX, err));
    if (width != c->vision.hidden_size)
        return cf_fail(err, CF_MISMATCH,
                       "%s: mm_hidden_size %" PRId64 ", but the vision tower '%s' has hidden size %" PRId64,
                       root->where, width, cf_config_vision_tower(root->object), c->vision.hidden_size);
done:
    return st;
}

static cf_status read_picture(cf_config *c, const cf_section *root, cf_error *err)
{
    static const char *const features[] = {"patch", "cls_patch"};
    static const char *const aspects[] = {
        [CF_ASPECT_SQUARE] = "square", [CF_ASPECT_PAD] = "pad", [CF_ASPECT_ANYRES] = "anyres"};
    static const char *const merges[] = {
        [CF_MERGE_FLAT] = "flat", [CF_MERGE_SPATIAL] = "spatial", [CF_MERGE_SPATIAL_UNPAD] = "spatial_unpad"};
    cf_status st = CF_OK;
    int feature = 0, aspect = 0, merge = 0;
    if (!cf_field_present(root, "mm_vision_select_layer"))
        return cf_field_fail(err, root, "mm_vision_select_layer", "a layer of the vision tower");
    CF_TRY(cf_config_read_feature_layer(c, root, "mm_vision_select_layer", err));
    CF_TRY(cf_field_choice(&feature, root, "mm_vision_select_feature", "patch", features, 2, err));
    c->feature_drop_class_token = feature == 0;
    CF_TRY(cf_field_choice(&aspect, root, "image_aspect_ratio", "square", aspects, 3, err));
    CF_TRY(cf_field_choice(&merge, root, "mm_patch_merge_type", "flat", merges, 3, err));
    c->image_aspect = (cf_image_aspect)aspect;
    c->patch_merge = (cf_patch_merge)merge;
    if (c->image_aspect == CF_ASPECT_ANYRES)
        CF_TRY(cf_config_read_grid(c, root, CF_GRID_WIDTH_HEIGHT, err));
done:
    return st;
}

cf_status cf_config_read_original(cf_config *c, const cf_section *root, const cf_section *tower, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(refuse_switches(root, err));
    CF_TRY(read_tower(&c->vision, root, tower, err));
    CF_TRY(cf_config_read_text(&c->text, root, CF_TEXT_LLAMA, err));
    CF_TRY(read_projector(c, root, err));
    CF_TRY(read_picture(c, root, err));
    c->image_token_id = CF_NO_IMAGE_TOKEN;
done:
    return st;
}
