/* config_check.c - see config_check.h. */
#include "config_check.h"

const cf_config llava_7b_config = {
    .model_type = "llava",
    .vision = {1024, 4096, 24, 16, 336, 14, 3, CF_ACT_QUICK_GELU, 1e-5f},
    .text = {4096,  11008,           32,  32, 32, 128, 32064,         4096, CF_ACT_SILU, 1e-5f, 10000.0, false, false,
             false, CF_ROPE_DEFAULT, 1.0, 0,  0,  0,   CF_TEXT_LLAMA, {{0}}},
    .projector_hidden_act = CF_ACT_GELU,
    .projector_bias = true,
    .feature_layer = 23,
    .feature_drop_class_token = true,
    .image_token_id = 32000,
    .bos_token_id = 1,
    .eos_token_ids = {2},
    .n_eos = 1,
};

cf_status config_parse_texts(cf_config *out, const char *config, const char *generation, const char *tower,
                             cf_error *err)
{
    cf_json *c = NULL, *g = NULL, *t = NULL;
    if (cf_json_parse(&c, cf_slice_of(config), "config.json", err) != CF_OK)
        fail_msg("%s", config);
    if (generation && cf_json_parse(&g, cf_slice_of(generation), "generation_config.json", err) != CF_OK)
        fail_msg("%s", generation);
    if (tower && cf_json_parse(&t, cf_slice_of(tower), "tower/config.json", err) != CF_OK)
        fail_msg("%s", tower);
    const cf_config_source from = {c, g, "config.json", t, "tower/config.json"};
    const cf_status st = cf_config_parse(out, &from, err);
    cf_json_free(t);
    cf_json_free(g);
    cf_json_free(c);
    return st;
}

#define SAME(field)                                                                                                    \
    if (a->field != b->field)                                                                                          \
    fail_msg("%s: " #field " is %g, expected %g", name, (double)a->field, (double)b->field)

void assert_same_config(const char *name, const cf_config *a, const cf_config *b)
{
    assert_string_equal(a->model_type, b->model_type);
    SAME(vision.hidden_size);
    SAME(vision.intermediate_size);
    SAME(vision.n_layers);
    SAME(vision.n_heads);
    SAME(vision.image_size);
    SAME(vision.patch_size);
    SAME(vision.n_channels);
    SAME(vision.hidden_act);
    SAME(vision.layer_norm_eps);
    SAME(text.hidden_size);
    SAME(text.intermediate_size);
    SAME(text.n_layers);
    SAME(text.n_heads);
    SAME(text.n_kv_heads);
    SAME(text.head_dim);
    SAME(text.vocab_size);
    SAME(text.max_position_embeddings);
    SAME(text.hidden_act);
    SAME(text.rms_norm_eps);
    SAME(text.rope_theta);
    SAME(text.tie_word_embeddings);
    SAME(text.attention_bias);
    SAME(text.mlp_bias);
    SAME(text.rope_type);
    SAME(text.rope_factor);
    SAME(text.rope_low_freq_factor);
    SAME(text.rope_high_freq_factor);
    SAME(text.rope_original_positions);
    SAME(projector_hidden_act);
    SAME(projector_bias);
    SAME(feature_layer);
    SAME(feature_drop_class_token);
    SAME(image_token_id);
    SAME(bos_token_id);
    SAME(n_eos);
    for (int32_t i = 0; i < a->n_eos; i++)
        SAME(eos_token_ids[i]);
    SAME(original);
    SAME(image_aspect);
    SAME(patch_merge);
    SAME(n_grid);
    for (int32_t i = 0; i < a->n_grid; i++) {
        SAME(grid[i].height);
        SAME(grid[i].width);
    }
}
