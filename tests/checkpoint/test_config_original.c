/* test_config_original.c - LLaVA's own config.json, with the vision tower described elsewhere. */
#include "test_checkpoint.h"

#include <stdio.h>
#include <string.h>

#include "config_check.h"

/* The keys of liuhaotian/llava-v1.5-7b. */
#define V15                                                                                                            \
    "{\"_name_or_path\": \"llava-v1.5-7b\", \"architectures\": [\"LlavaLlamaForCausalLM\"], \"bos_token_id\": 1,"      \
    " \"eos_token_id\": 2, \"freeze_mm_mlp_adapter\": false, \"freeze_mm_vision_resampler\": false,"                   \
    " \"hidden_act\": \"silu\", \"hidden_size\": 4096, \"image_aspect_ratio\": \"pad\","                               \
    " \"initializer_range\": 0.02, \"intermediate_size\": 11008, \"max_length\": 4096,"                                \
    " \"max_position_embeddings\": 4096, \"mm_hidden_size\": 1024, \"mm_projector_type\": \"mlp2x_gelu\","             \
    " \"mm_resampler_type\": null, \"mm_use_im_patch_token\": false, \"mm_use_im_start_end\": false,"                  \
    " \"mm_vision_select_feature\": \"patch\", \"mm_vision_select_layer\": -2,"                                        \
    " \"mm_vision_tower\": \"openai/clip-vit-large-patch14-336\", \"model_type\": \"llava\","                          \
    " \"num_attention_heads\": 32, \"num_hidden_layers\": 32, \"num_key_value_heads\": 32, \"pad_token_id\": 0,"       \
    " \"pretraining_tp\": 1, \"rms_norm_eps\": 1e-05, \"rope_scaling\": null, \"tie_word_embeddings\": false,"         \
    " \"torch_dtype\": \"float16\", \"transformers_version\": \"4.31.0\", \"tune_mm_mlp_adapter\": false,"             \
    " \"use_cache\": true, \"use_mm_proj\": true, \"vocab_size\": 32000}"

/* The keys of lmms-lab/llama3-llava-next-8b that matter, its grid as a command line would leave it. */
#define LLAMA3                                                                                                         \
    "{\"model_type\": \"llava_llama\", \"hidden_size\": 4096, \"intermediate_size\": 14336,"                           \
    " \"max_position_embeddings\": 8192, \"num_attention_heads\": 32, \"num_hidden_layers\": 32,"                      \
    " \"num_key_value_heads\": 8, \"rms_norm_eps\": 1e-05, \"rope_theta\": 500000.0, \"vocab_size\": 128256,"          \
    " \"bos_token_id\": 128000, \"eos_token_id\": 128009, \"image_aspect_ratio\": \"anyres\","                         \
    " \"image_grid_pinpoints\": %s, \"mm_hidden_size\": 1024, \"mm_patch_merge_type\": \"spatial_unpad\","             \
    " \"mm_projector_type\": \"mlp2x_gelu\", \"mm_vision_select_layer\": -2,"                                          \
    " \"mm_vision_tower\": \"openai/clip-vit-large-patch14-336\", \"unfreeze_mm_vision_tower\": true}"

/* openai/clip-vit-large-patch14-336, whose vision_config_dict repeats what matters. */
#define CLIP                                                                                                           \
    "{\"model_type\": \"clip\", \"text_config\": {\"hidden_size\": 768},"                                              \
    " \"vision_config\": {\"hidden_size\": 1024, \"hidden_act\": \"quick_gelu\", \"image_size\": 336,"                 \
    "  \"intermediate_size\": 4096, \"model_type\": \"clip_vision_model\", \"num_attention_heads\": 16,"               \
    "  \"num_hidden_layers\": 24, \"patch_size\": 14},"                                                                \
    " \"vision_config_dict\": {\"hidden_size\": 1024, \"image_size\": 336, \"intermediate_size\": 4096,"               \
    "  \"num_attention_heads\": 16, \"num_hidden_layers\": 24, \"patch_size\": 14}}"

static cf_config v15_expected(void)
{
    cf_config c = llava_7b_config;
    c.original = true;
    c.text.vocab_size = 32000;
    c.image_aspect = CF_ASPECT_PAD;
    c.image_token_id = CF_NO_IMAGE_TOKEN;
    return c;
}

static void llava_15_reads_alike_with_and_without_its_towers_folder(void **state)
{
    (void)state;
    static const char *const towers[] = {
        NULL, CLIP,
        "{\"model_type\": \"clip_vision_model\", \"hidden_size\": 1024, \"image_size\": 336, \"intermediate_size\": "
        "4096,"
        " \"num_attention_heads\": 16, \"num_hidden_layers\": 24, \"patch_size\": 14}"};
    const cf_config expected = v15_expected();
    for (size_t i = 0; i < sizeof towers / sizeof *towers; i++) {
        cf_config c = {0};
        cf_error err = {0};
        if (config_parse_texts(&c, V15, NULL, towers[i], &err) != CF_OK)
            fail_msg("tower %zu: %s", i, err.text);
        assert_same_config(towers[i] ? towers[i] : "no tower", &c, &expected);
    }
}

static void llama_3_next_lists_widths_before_heights(void **state)
{
    (void)state;
    static const char *const grids[] = {
        "[[336,672],[672,336],[672,672],[1008,336],[336,1008]]",
        "\"[[336,672],[672,336],[672,672],[1008,336],[336,1008]]\"",
        "\"[(336, 672), (672, 336), (672, 672), (1008, 336), (336, 1008)]\"",
        "\" ( ( 336 ,672),(672 ,336) , [672, 672],(1008, 336),(336, 1008) ) \"",
    };
    static const cf_resolution expected[] = {{672, 336}, {336, 672}, {672, 672}, {336, 1008}, {1008, 336}};
    for (size_t i = 0; i < sizeof grids / sizeof *grids; i++) {
        char text[2048];
        cf_config c = {0};
        cf_error err = {0};
        (void)snprintf(text, sizeof text, LLAMA3, grids[i]);
        if (config_parse_texts(&c, text, NULL, CLIP, &err) != CF_OK)
            fail_msg("%s: %s", grids[i], err.text);
        assert_string_equal(c.model_type, "llava_llama");
        assert_true(c.original);
        assert_int_equal(c.image_aspect, CF_ASPECT_ANYRES);
        assert_int_equal(c.patch_merge, CF_MERGE_SPATIAL_UNPAD);
        assert_int_equal(c.n_grid, 5);
        assert_memory_equal(c.grid, expected, sizeof expected);
        assert_int_equal(c.text.n_kv_heads, 8);
        assert_true(c.text.rope_theta == 500000.0);
        assert_int_equal(c.feature_layer, 23);
        assert_int_equal(c.bos_token_id, 128000);
        assert_int_equal(c.eos_token_ids[0], 128009);
    }
}

/* The least that is an original configuration of a tiny model, with further members. */
#define ORIGINAL(members)                                                                                              \
    "{\"model_type\":\"llava\",\"mm_vision_tower\":\"tiny\",\"mm_projector_type\":\"mlp2x_gelu\","                     \
    "\"mm_vision_select_layer\":-2" members "}"
#define TINY_TOWER                                                                                                     \
    "{\"model_type\":\"clip_vision_model\",\"hidden_size\":6,\"num_attention_heads\":2,\"num_hidden_layers\":3,"       \
    "\"image_size\":8,\"patch_size\":4}"

static void absent_keys_take_the_defaults_of_llava(void **state)
{
    (void)state;
    cf_config c = {0};
    cf_error err = {0};
    if (config_parse_texts(&c, ORIGINAL(""), NULL, TINY_TOWER, &err) != CF_OK)
        fail_msg("%s", err.text);
    assert_int_equal(c.image_aspect, CF_ASPECT_SQUARE);
    assert_int_equal(c.patch_merge, CF_MERGE_FLAT);
    assert_int_equal(c.n_grid, 0);
    assert_true(c.feature_drop_class_token);
    assert_int_equal(c.feature_layer, 2);
    assert_int_equal(c.text.hidden_size, 4096);         /* LlamaConfig() */
    assert_int_equal(c.vision.intermediate_size, 3072); /* CLIPVisionConfig() */
    assert_int_equal(
        config_parse_texts(&c, ORIGINAL(",\"mm_vision_select_feature\":\"cls_patch\""), NULL, TINY_TOWER, &err), CF_OK);
    assert_false(c.feature_drop_class_token);
    /* A grid that no tile is cut by is not looked at. */
    assert_int_equal(config_parse_texts(&c, ORIGINAL(",\"image_grid_pinpoints\":5"), NULL, TINY_TOWER, &err), CF_OK);
    assert_int_equal(config_parse_texts(&c, ORIGINAL(""), NULL, "{\"model_type\":\"clip\"}", &err), CF_OK);
    assert_int_equal(c.vision.hidden_size, 768);
    /* CLIPConfig: the dictionary of before transformers 4.19 overwrites the section, its own defaults included. */
    assert_int_equal(
        config_parse_texts(&c, ORIGINAL(""), NULL,
                           "{\"model_type\":\"clip\",\"vision_config\":{\"hidden_size\":24,\"patch_size\":16},"
                           "\"vision_config_dict\":{\"hidden_size\":36}}",
                           &err),
        CF_OK);
    assert_int_equal(c.vision.hidden_size, 36);
    assert_int_equal(c.vision.patch_size, 32);
}

static void the_form_is_told_by_the_keys(void **state)
{
    (void)state;
    static const struct {
        const char *config, *tower;
    } cases[] = {
        {V15, "openai/clip-vit-large-patch14-336"},
        {"{\"model_type\":\"llava\"}", NULL},
        {"{\"model_type\":\"llava\",\"mm_vision_tower\":null}", NULL},
        {"{\"model_type\":\"llava\",\"mm_vision_tower\":\"x\"}", "x"},
        {"{\"model_type\":\"llava\",\"mm_vision_tower\":\"x\",\"vision_config\":null}", "x"},
        {"{\"model_type\":\"llava\",\"mm_vision_tower\":\"x\",\"vision_config\":{}}", NULL},
        {"{\"model_type\":\"llava\",\"mm_vision_tower\":\"x\",\"text_config\":{}}", NULL},
        {"{\"model_type\":\"llava_next\",\"mm_vision_tower\":\"x\"}", NULL},
        {"{\"mm_vision_tower\":\"x\"}", NULL},
        {"{\"model_type\":\"llava\",\"mm_vision_tower\":5}", NULL},
        {"5", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cf_json *json = NULL;
        assert_int_equal(cf_json_parse(&json, cf_slice_of(cases[i].config), "x", NULL), CF_OK);
        const char *tower = cf_config_vision_tower(json);
        if (!tower != !cases[i].tower || (tower && strcmp(tower, cases[i].tower) != 0))
            fail_msg("%s: %s", cases[i].config, tower ? tower : "none");
        cf_json_free(json);
    }
    assert_null(cf_config_vision_tower(NULL));
}

#define ANYRES(grid) ORIGINAL(",\"image_aspect_ratio\":\"anyres\",\"image_grid_pinpoints\":" grid)
#define GRID_TEXT "image_grid_pinpoints: expected a list of (width, height) pairs, found '"

static const struct {
    const char *config, *tower;
    cf_status status;
    const char *say;
} bad[] = {
    {"{\"model_type\":\"llava_llama\"}", NULL, CF_FORMAT, "mm_vision_tower: expected the name of a vision tower"},
    {"{\"model_type\":\"llava\",\"mm_vision_tower\":5}", NULL, CF_FORMAT,
     "mm_vision_tower: expected the name of a vision tower, and no text_config, found 5"},
    {ORIGINAL(""), NULL, CF_IO, "config.json: mm_vision_tower 'tiny': its folder is not at hand"},
    {ORIGINAL(""), "[]", CF_FORMAT, "tower/config.json: expected a JSON object"},
    {ORIGINAL(""), "{}", CF_FORMAT,
     "tower/config.json: model_type: expected 'clip' or 'clip_vision_model', found nothing"},
    {ORIGINAL(""), "{\"model_type\":\"siglip\"}", CF_UNSUPPORTED,
     "tower/config.json: model_type 'siglip' is not supported, only 'clip' and 'clip_vision_model'"},
    {ORIGINAL(""), "{\"model_type\":\"clip\",\"vision_config\":{\"hidden_size\":7}}", CF_FORMAT,
     "tower/config.json: vision_config.hidden_size: expected a multiple"},
    {ORIGINAL(",\"mm_hidden_size\":1024"), TINY_TOWER, CF_MISMATCH,
     "mm_hidden_size 1024, but the vision tower 'tiny' has hidden size 6"},
    {"{\"model_type\":\"llava\",\"mm_vision_tower\":\"x\",\"mm_vision_select_layer\":-2}", TINY_TOWER, CF_UNSUPPORTED,
     "mm_projector_type 'linear' is not supported, only 'mlp2x_gelu'"},
    {"{\"model_type\":\"llava\",\"mm_vision_tower\":\"x\",\"mm_projector_type\":\"identity\"}", TINY_TOWER,
     CF_UNSUPPORTED, "mm_projector_type 'identity'"},
    {"{\"model_type\":\"llava\",\"mm_vision_tower\":\"x\",\"mm_projector_type\":\"mlp2x_gelu\"}", TINY_TOWER, CF_FORMAT,
     "mm_vision_select_layer: expected a layer of the vision tower, found nothing"},
    {"{\"model_type\":\"llava\",\"mm_vision_tower\":\"x\",\"mm_projector_type\":\"mlp2x_gelu\",\"mm_vision_select_"
     "layer\":4}",
     TINY_TOWER, CF_FORMAT, "mm_vision_select_layer: expected an integer from -4 to 3, found 4"},
    {ORIGINAL(",\"mm_vision_select_feature\":\"cls\""), TINY_TOWER, CF_UNSUPPORTED,
     "mm_vision_select_feature 'cls' is not supported, only 'patch' and 'cls_patch'"},
    {ORIGINAL(",\"image_aspect_ratio\":\"anyres_max_9\""), TINY_TOWER, CF_UNSUPPORTED,
     "image_aspect_ratio 'anyres_max_9' is not supported, only 'square', 'pad' and 'anyres'"},
    {ORIGINAL(",\"mm_patch_merge_type\":\"spatial_maxpool2x2\""), TINY_TOWER, CF_UNSUPPORTED,
     "mm_patch_merge_type 'spatial_maxpool2x2' is not supported, only 'flat', 'spatial' and 'spatial_unpad'"},
    {ORIGINAL(",\"mm_use_im_start_end\":true"), TINY_TOWER, CF_UNSUPPORTED, "mm_use_im_start_end is not supported"},
    {ORIGINAL(",\"mm_resampler_type\":\"perceiver\""), TINY_TOWER, CF_UNSUPPORTED,
     "mm_resampler_type is not supported"},
    {ORIGINAL(",\"s2\":true"), TINY_TOWER, CF_UNSUPPORTED, "s2 is not supported"},
    {ORIGINAL(",\"rope_scaling\":{\"type\":\"yarn\"}"), TINY_TOWER, CF_UNSUPPORTED,
     "config.json: rope_scaling.rope_type 'yarn'"},
    {ORIGINAL(",\"rope_parameters\":{\"rope_type\":\"linear\"}"), TINY_TOWER, CF_FORMAT,
     "config.json: rope_parameters.factor: expected"},
    {ORIGINAL(",\"hidden_size\":-1"), TINY_TOWER, CF_FORMAT, "config.json: hidden_size: expected an integer"},
    {ORIGINAL(",\"image_aspect_ratio\":\"anyres\""), TINY_TOWER, CF_FORMAT,
     "image_grid_pinpoints: expected a list of resolutions that is not empty, found nothing"},
    {ANYRES("\"\""), TINY_TOWER, CF_FORMAT, GRID_TEXT "'"},
    {ANYRES("\"[]\""), TINY_TOWER, CF_FORMAT, GRID_TEXT "[]'"},
    {ANYRES("\"(8x8),...,(48x48)\""), TINY_TOWER, CF_FORMAT, GRID_TEXT},
    {ANYRES("\"[(8, 8)\""), TINY_TOWER, CF_FORMAT, GRID_TEXT},
    {ANYRES("\"[(8, 8) (8, 16)]\""), TINY_TOWER, CF_FORMAT, GRID_TEXT},
    {ANYRES("\"[(8, 8)] + [(8, 16)]\""), TINY_TOWER, CF_FORMAT, GRID_TEXT},
    {ANYRES("\"[(8, 8, 8)]\""), TINY_TOWER, CF_FORMAT, GRID_TEXT},
    {ANYRES("\"[(8, )]\""), TINY_TOWER, CF_FORMAT, GRID_TEXT},
    {ANYRES("\"[(8, 99999999999999999999)]\""), TINY_TOWER, CF_FORMAT, GRID_TEXT},
    {ANYRES("\"[(8, 4)]\""), TINY_TOWER, CF_FORMAT,
     "multiples of the vision tower's image_size 8, found 8 x 4 as entry 0"},
    {ANYRES("[[8,8],[8,9]]"), TINY_TOWER, CF_FORMAT, "found 8 x 9 as entry 1"},
};

static void what_no_published_model_uses_is_refused_by_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cf_config c;
        memset(&c, 0x5a, sizeof c);
        const cf_config before = c;
        cf_error err = {0};
        const cf_status st = config_parse_texts(&c, bad[i].config, NULL, bad[i].tower, &err);
        if (st != bad[i].status || !strstr(err.text, bad[i].say))
            fail_msg("%s: status %d: %s", bad[i].config, st, err.text);
        assert_memory_equal(&c, &before, sizeof c); /* unchanged on failure */
    }
}

static void a_grid_may_have_64_resolutions(void **state)
{
    (void)state;
    for (int n = 64; n <= 65; n++) {
        cf_str text = {0};
        cf_config c = {0};
        cf_error err = {0};
        assert_int_equal(
            cf_str_add_text(&text, "{\"model_type\":\"llava_next\",\"image_grid_pinpoints\":[[336,336]", NULL), CF_OK);
        for (int i = 1; i < n; i++)
            assert_int_equal(cf_str_add_text(&text, ",[336,672]", NULL), CF_OK);
        assert_int_equal(cf_str_add_text(&text, "]}", NULL), CF_OK);
        const cf_status st = config_parse_texts(&c, text.data, NULL, NULL, &err);
        assert_int_equal(st, n == 64 ? CF_OK : CF_UNSUPPORTED);
        if (n == 65)
            assert_non_null(strstr(err.text, "more than 64 resolutions"));
        else
            assert_int_equal(c.n_grid, 64);
        cf_str_deinit(&text);
    }
}

int test_config_original(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(llava_15_reads_alike_with_and_without_its_towers_folder),
        cmocka_unit_test(llama_3_next_lists_widths_before_heights),
        cmocka_unit_test(absent_keys_take_the_defaults_of_llava),
        cmocka_unit_test(the_form_is_told_by_the_keys),
        cmocka_unit_test(what_no_published_model_uses_is_refused_by_name),
        cmocka_unit_test(a_grid_may_have_64_resolutions),
    };
    return cmocka_run_group_tests_name("original config", tests, NULL, NULL);
}
