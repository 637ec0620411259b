/* test_config.c - config.json of transformers 4 and 5, as published and as broken. */
#include "test_checkpoint.h"

#include <stdio.h>
#include <string.h>

#include "checkpoint/config.h"
#include "config_check.h"

static cf_status parse(cf_config *out, const char *config, const char *generation, cf_error *err)
{
    return config_parse_texts(out, config, generation, NULL, err);
}

/* As in llava-hf/llava-1.5-7b-hf: what equals a class's default is left out. */
#define SPARSE                                                                                                         \
    "{\"architectures\": [\"LlavaForConditionalGeneration\"], \"ignore_index\": -100, \"image_token_index\": 32000,"   \
    " \"model_type\": \"llava\", \"pad_token_id\": 32001, \"projector_hidden_act\": \"gelu\","                         \
    " \"text_config\": {\"_name_or_path\": \"lmsys/vicuna-7b-v1.5\", \"architectures\": [\"LlamaForCausalLM\"],"       \
    "  \"max_position_embeddings\": 4096, \"model_type\": \"llama\", \"rms_norm_eps\": 1e-05,"                         \
    "  \"torch_dtype\": \"float16\", \"vocab_size\": 32064},"                                                          \
    " \"torch_dtype\": \"float16\", \"transformers_version\": \"4.36.0.dev0\","                                        \
    " \"vision_config\": {\"hidden_size\": 1024, \"image_size\": 336, \"intermediate_size\": 4096,"                    \
    "  \"model_type\": \"clip_vision_model\", \"num_attention_heads\": 16, \"num_hidden_layers\": 24,"                 \
    "  \"patch_size\": 14, \"projection_dim\": 768, \"vocab_size\": 32000},"                                           \
    " \"vision_feature_layer\": -2, \"vision_feature_select_strategy\": \"default\", \"vocab_size\": 32064}"

/* As transformers 4 saves it whole. */
#define TRANSFORMERS_4                                                                                                 \
    "{\"model_type\": \"llava\", \"image_token_index\": 32000, \"image_seq_length\": 576,"                             \
    " \"projector_hidden_act\": \"gelu\", \"multimodal_projector_bias\": true,"                                        \
    " \"text_config\": {\"model_type\": \"llama\", \"hidden_size\": 4096, \"intermediate_size\": 11008,"               \
    "  \"num_hidden_layers\": 32, \"num_attention_heads\": 32, \"num_key_value_heads\": 32, \"head_dim\": null,"       \
    "  \"vocab_size\": 32064, \"max_position_embeddings\": 4096, \"hidden_act\": \"silu\", \"rms_norm_eps\": 1e-05,"   \
    "  \"rope_theta\": 10000.0, \"rope_scaling\": null, \"attention_bias\": false, \"mlp_bias\": false,"               \
    "  \"attention_dropout\": 0.1, \"tie_word_embeddings\": false, \"bos_token_id\": 1, \"eos_token_id\": 2},"         \
    " \"vision_config\": {\"model_type\": \"clip_vision_model\", \"hidden_size\": 1024, \"image_size\": 336,"          \
    "  \"intermediate_size\": 4096, \"num_attention_heads\": 16, \"num_hidden_layers\": 24, \"num_channels\": 3,"      \
    "  \"patch_size\": 14, \"hidden_act\": \"quick_gelu\", \"layer_norm_eps\": 1e-05, \"dropout\": 0.0},"              \
    " \"vision_feature_layer\": -2, \"vision_feature_select_strategy\": \"default\"}"

/* As transformers 5 saves it; image_token_id as newer families write it. */
#define TRANSFORMERS_5                                                                                                 \
    "{\"model_type\": \"llava\", \"image_token_id\": 32000, \"dtype\": \"float16\","                                   \
    " \"projector_hidden_act\": \"gelu\", \"multimodal_projector_bias\": true, \"tie_word_embeddings\": false,"        \
    " \"text_config\": {\"model_type\": \"llama\", \"hidden_size\": 4096, \"intermediate_size\": 11008,"               \
    "  \"num_hidden_layers\": 32, \"num_attention_heads\": 32, \"num_key_value_heads\": 32, \"head_dim\": 128,"        \
    "  \"vocab_size\": 32064, \"max_position_embeddings\": 4096, \"rms_norm_eps\": 1e-05,"                             \
    "  \"rope_parameters\": {\"rope_theta\": 10000.0, \"rope_type\": \"default\"}},"                                   \
    " \"vision_config\": {\"model_type\": \"clip_vision_model\", \"hidden_size\": 1024, \"image_size\": 336,"          \
    "  \"intermediate_size\": 4096, \"num_attention_heads\": 16, \"num_hidden_layers\": 24, \"patch_size\": 14},"      \
    " \"vision_feature_layer\": 23}"

/* No vision_config at all: LlavaConfig's own tower, not CLIPVisionConfig's defaults. */
#define NO_VISION                                                                                                      \
    "{\"model_type\": \"llava\", \"vision_config\": null,"                                                             \
    " \"text_config\": {\"max_position_embeddings\": 4096, \"rms_norm_eps\": 1e-05, \"vocab_size\": 32064}}"

static void every_published_form_of_llava_7b_reads_alike(void **state)
{
    (void)state;
    static const struct {
        const char *name, *config;
    } cases[] = {
        {"sparse", SPARSE},
        {"transformers 4", TRANSFORMERS_4},
        {"transformers 5", TRANSFORMERS_5},
        {"no vision_config", NO_VISION},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cf_config c = {0};
        cf_error err = {0};
        if (parse(&c, cases[i].config, "{\"bos_token_id\": 1, \"eos_token_id\": 2}", &err) != CF_OK)
            fail_msg("%s: %s", cases[i].name, err.text);
        assert_same_config(cases[i].name, &c, &llava_7b_config);
        if (parse(&c, cases[i].config, NULL, &err) != CF_OK)
            fail_msg("%s: %s", cases[i].name, err.text);
        assert_same_config(cases[i].name, &c, &llava_7b_config);
    }
}

static void absent_keys_take_the_defaults_of_their_class(void **state)
{
    (void)state;
    /* CLIPVisionConfig() and LlamaConfig() of transformers 5.17 */
    cf_config expected = llava_7b_config, c = {0};
    expected.vision = (cf_vision_config){768, 3072, 12, 12, 224, 32, 3, CF_ACT_QUICK_GELU, 1e-5f};
    expected.text.vocab_size = 32000;
    expected.text.max_position_embeddings = 2048;
    expected.text.rms_norm_eps = 1e-6f;
    expected.feature_layer = 11;
    cf_error err = {0};
    assert_int_equal(parse(&c, "{\"model_type\": \"llava\", \"vision_config\": {}, \"text_config\": {}}", NULL, &err),
                     CF_OK);
    assert_same_config("empty sections", &c, &expected);
    expected.vision = llava_7b_config.vision;
    expected.feature_layer = 23;
    assert_int_equal(parse(&c, "{\"model_type\": \"llava\"}", NULL, &err), CF_OK);
    assert_same_config("no sections", &c, &expected);
}

/* As in llava-hf/llama3-llava-next-8b-hf, in the spelling of transformers 4. */
#define LLAMA3_NEXT                                                                                                    \
    "{\"architectures\": [\"LlavaNextForConditionalGeneration\"], \"image_grid_pinpoints\": [[336, 672], [672, 336],"  \
    "  [672, 672], [1008, 336], [336, 1008]], \"image_token_index\": 128256, \"model_type\": \"llava_next\","          \
    " \"text_config\": {\"eos_token_id\": [128001, 128009], \"bos_token_id\": 128000, \"intermediate_size\": 14336,"   \
    "  \"max_position_embeddings\": 8192, \"model_type\": \"llama\", \"num_key_value_heads\": 8,"                      \
    "  \"rms_norm_eps\": 1e-05, \"rope_theta\": 500000.0, \"vocab_size\": 128320},"                                    \
    " \"use_image_newline_parameter\": true, \"vision_feature_layer\": -2, \"vision_config\": {\"hidden_size\": 1024," \
    "  \"image_size\": 336, \"intermediate_size\": 4096, \"model_type\": \"clip_vision_model\","                       \
    "  \"num_attention_heads\": 16, \"num_hidden_layers\": 24, \"patch_size\": 14}}"

static cf_config llama3_next(void)
{
    cf_config c = llava_7b_config;
    (void)snprintf(c.model_type, sizeof c.model_type, "llava_next");
    c.text = (cf_text_config){
        4096,  14336,           32,  32, 8, 128, 128320,        8192, CF_ACT_SILU, 1e-5f, 5e5, false, false,
        false, CF_ROPE_DEFAULT, 1.0, 0,  0, 0,   CF_TEXT_LLAMA, {{0}}};
    c.image_token_id = 128256;
    c.bos_token_id = 128000;
    c.n_eos = 2;
    c.eos_token_ids[0] = 128001;
    c.eos_token_ids[1] = 128009;
    c.image_aspect = CF_ASPECT_ANYRES;
    c.patch_merge = CF_MERGE_SPATIAL_UNPAD;
    c.n_grid = 5;
    const cf_resolution grid[] = {{336, 672}, {672, 336}, {672, 672}, {1008, 336}, {336, 1008}};
    memcpy(c.grid, grid, sizeof grid);
    return c;
}

/* As in llava-hf/llava-v1.6-mistral-7b-hf: a null sliding_window is none at all. */
#define MISTRAL_NEXT(members)                                                                                          \
    "{\"model_type\": \"llava_next\", \"text_config\": {\"intermediate_size\": 14336, \"max_position_embeddings\": "   \
    "32768,"                                                                                                           \
    " \"model_type\": \"mistral\", \"num_key_value_heads\": 8, \"rms_norm_eps\": 1e-05, \"rope_theta\": "              \
    "1000000.0" members ", \"vocab_size\": 32064}}"

static void a_mistral_decoder_has_its_own_defaults_and_a_window_or_none(void **state)
{
    (void)state;
    static const struct {
        const char *config;
        cf_text_type type;
        int64_t windows[3]; /* of the first layers */
    } cases[] = {
        {MISTRAL_NEXT(", \"sliding_window\": null"), CF_TEXT_MISTRAL, {0, 0, 0}},
        {MISTRAL_NEXT(""), CF_TEXT_MISTRAL, {4096, 4096, 4096}},
        {MISTRAL_NEXT(", \"sliding_window\": 7, \"attention_bias\": true"), CF_TEXT_MISTRAL, {7, 7, 7}},
        {"{\"model_type\":\"llava_next\",\"text_config\":{\"model_type\":\"mistral\"}}",
         CF_TEXT_MISTRAL,
         {4096, 4096, 4096}},
        {"{\"model_type\":\"llava_next\",\"text_config\":{\"sliding_window\":5}}", CF_TEXT_LLAMA, {0, 0, 0}},
        {"{\"model_type\":\"llava\",\"text_config\":{\"model_type\":\"ministral\",\"num_hidden_layers\":3,"
         "\"sliding_window\":9,\"layer_types\":[\"sliding_attention\",\"full_attention\",\"sliding_attention\"]}}",
         CF_TEXT_MINISTRAL,
         {9, 0, 9}},
        {"{\"model_type\":\"llava\",\"text_config\":{\"model_type\":\"ministral\",\"sliding_window\":9}}",
         CF_TEXT_MINISTRAL,
         {9, 9, 9}},
        {"{\"model_type\":\"llava\",\"text_config\":{\"model_type\":\"ministral\",\"num_hidden_layers\":3,\"sliding_"
         "window\":null,"
         "\"layer_types\":[\"full_attention\",\"full_attention\",\"full_attention\"]}}",
         CF_TEXT_MINISTRAL,
         {0, 0, 0}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cf_config c = {0};
        cf_error err = {0};
        if (parse(&c, cases[i].config, NULL, &err) != CF_OK)
            fail_msg("%s", err.text);
        const bool llama = cases[i].type == CF_TEXT_LLAMA;
        assert_int_equal(c.text.type, cases[i].type);
        assert_int_equal(c.text.intermediate_size, llama ? 11008 : 14336);
        assert_int_equal(c.text.n_kv_heads, llama ? 32 : 8);
        assert_false(c.text.attention_bias);
        for (int l = 0; l < 3; l++)
            assert_int_equal(c.text.layers[l].window, cases[i].windows[l]);
    }
}

static void llava_next_adds_a_grid_and_a_newline(void **state)
{
    (void)state;
    cf_config c = {0}, expected = llama3_next();
    cf_error err = {0};
    if (parse(&c, LLAMA3_NEXT, NULL, &err) != CF_OK)
        fail_msg("%s", err.text);
    assert_same_config("llama3 next", &c, &expected);
    if (parse(&c, "{\"model_type\":\"llava_next\",\"image_grid_pinpoints\":[[336,672],[1008,336]]}", NULL, &err) !=
        CF_OK)
        fail_msg("%s", err.text);
    assert_int_equal(c.n_grid, 2); /* heights before widths */
    assert_int_equal(c.grid[1].height, 1008);
    assert_int_equal(c.grid[1].width, 336);
    assert_int_equal(parse(&c, "{\"model_type\":\"llava_next\"}", NULL, &err), CF_OK);
    assert_int_equal(c.n_grid, 5);
    assert_memory_equal(c.grid, expected.grid, 5 * sizeof *c.grid);
    /* LlavaNextConfig, unlike LlavaConfig, does not look for this in text_config. */
    assert_int_equal(
        parse(&c, "{\"model_type\":\"llava_next\",\"text_config\":{\"tie_word_embeddings\":true}}", NULL, &err), CF_OK);
    assert_false(c.text.tie_word_embeddings);
    assert_int_equal(parse(&c, "{\"model_type\":\"llava_next\",\"tie_word_embeddings\":true}", NULL, &err), CF_OK);
    assert_true(c.text.tie_word_embeddings);
}

static cf_config good(const char *name, const char *members, const char *generation)
{
    char text[1024];
    cf_config c = {0};
    cf_error err = {0};
    const int n = snprintf(text, sizeof text, "{\"model_type\":\"llava\",%s}", members);
    assert_in_range(n, 1, sizeof text - 1);
    if (parse(&c, text, generation, &err) != CF_OK)
        fail_msg("%s: %s", name, err.text);
    return c;
}

static void rope_theta_is_found_where_each_version_writes_it(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double theta;
    } cases[] = {
        {"", 10000},
        {"\"rope_theta\":500000.0", 500000},
        {"\"rope_theta\":500000,\"rope_scaling\":null", 500000},
        {"\"rope_theta\":500000,\"rope_scaling\":{\"type\":\"default\"}", 500000},
        {"\"rope_scaling\":{\"rope_type\":\"default\",\"rope_theta\":7}", 7},
        {"\"rope_parameters\":{\"rope_type\":\"default\",\"rope_theta\":1000000.0}", 1000000},
        {"\"rope_parameters\":{\"rope_type\":\"default\"},\"rope_theta\":5", 5},
        {"\"rope_parameters\":{\"rope_theta\":6},\"rope_theta\":5", 6},
        {"\"rope_parameters\":{\"partial_rotary_factor\":1.0}", 10000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char members[256];
        (void)snprintf(members, sizeof members, "\"text_config\":{%s}", cases[i].text);
        const cf_config c = good(cases[i].text, members, NULL);
        if (c.text.rope_theta != cases[i].theta)
            fail_msg("%s: %g", cases[i].text, c.text.rope_theta);
    }
}

static void rotary_scaling_is_read_in_both_spellings(void **state)
{
    (void)state;
#define BANDS "\"factor\":8.0,\"low_freq_factor\":1.0,\"high_freq_factor\":4.0"
    static const struct {
        const char *text;
        cf_rope_type type;
        double theta, factor, low, high;
        int64_t original;
    } cases[] = {
        {"\"rope_scaling\":{\"type\":\"linear\",\"factor\":2.0}", CF_ROPE_LINEAR, 10000, 2, 0, 0, 0},
        {"\"rope_parameters\":{\"rope_type\":\"linear\",\"factor\":4,\"rope_theta\":5}", CF_ROPE_LINEAR, 5, 4, 0, 0, 0},
        {"\"rope_theta\":500000.0,\"rope_scaling\":{" BANDS
         ",\"original_max_position_embeddings\":8192,\"rope_type\":\"llama3\"}",
         CF_ROPE_LLAMA3, 500000, 8, 1, 4, 8192},
        {"\"rope_parameters\":{" BANDS
         ",\"original_max_position_embeddings\":8192,\"rope_type\":\"llama3\",\"rope_theta\":500000.0}",
         CF_ROPE_LLAMA3, 500000, 8, 1, 4, 8192},
        {"\"max_position_embeddings\":4096,\"rope_parameters\":{" BANDS ",\"rope_type\":\"llama3\"}", CF_ROPE_LLAMA3,
         10000, 8, 1, 4, 4096},
        {"\"original_max_position_embeddings\":77,\"rope_parameters\":{" BANDS
         ",\"rope_type\":\"llama3\",\"original_max_position_embeddings\":78}",
         CF_ROPE_LLAMA3, 10000, 8, 1, 4, 77},
        {"\"rope_scaling\":{\"type\":\"linear\",\"factor\":2},\"rope_parameters\":{\"rope_type\":\"default\"}",
         CF_ROPE_LINEAR, 10000, 2, 0, 0, 0},
        {"\"rope_scaling\":{},\"rope_parameters\":{\"rope_type\":\"linear\",\"factor\":3}", CF_ROPE_LINEAR, 10000, 3, 0,
         0, 0},
        {"\"rope_scaling\":{\"type\":\"default\",\"rope_type\":\"linear\",\"factor\":3}", CF_ROPE_LINEAR, 10000, 3, 0,
         0, 0},
        {"\"rope_scaling\":{\"type\":\"default\",\"factor\":3}", CF_ROPE_DEFAULT, 10000, 1, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char members[320];
        (void)snprintf(members, sizeof members, "\"text_config\":{%s}", cases[i].text);
        const cf_text_config t = good(cases[i].text, members, NULL).text;
        if (t.rope_type != cases[i].type || t.rope_theta != cases[i].theta || t.rope_factor != cases[i].factor ||
            t.rope_low_freq_factor != cases[i].low || t.rope_high_freq_factor != cases[i].high ||
            t.rope_original_positions != cases[i].original)
            fail_msg("%s: type %d, theta %g, factor %g, %g to %g, %d", cases[i].text, t.rope_type, t.rope_theta,
                     t.rope_factor, t.rope_low_freq_factor, t.rope_high_freq_factor, (int)t.rope_original_positions);
    }
}

static void extents_follow_from_one_another_where_absent(void **state)
{
    (void)state;
    cf_config c = good("heads", "\"text_config\":{\"hidden_size\":5120,\"num_attention_heads\":40}", NULL);
    assert_int_equal(c.text.head_dim, 128);
    assert_int_equal(c.text.n_kv_heads, 40);
    c = good("grouped", "\"text_config\":{\"num_key_value_heads\":8,\"head_dim\":64}", NULL);
    assert_int_equal(c.text.head_dim, 64);
    assert_int_equal(c.text.n_kv_heads, 8);
    c = good("null", "\"text_config\":{\"num_key_value_heads\":null,\"head_dim\":null}", NULL);
    assert_int_equal(c.text.head_dim, 128);
    assert_int_equal(c.text.n_kv_heads, 32);
}

static void the_feature_layer_is_resolved_from_either_end(void **state)
{
    (void)state;
    static const struct {
        const char *layer;
        int64_t index;
    } cases[] = {{"-1", 24}, {"-2", 23}, {"-25", 0}, {"0", 0}, {"22", 22}, {"24", 24}}; /* 25 hidden states */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char members[64];
        (void)snprintf(members, sizeof members, "\"vision_feature_layer\":%s", cases[i].layer);
        assert_int_equal(good(cases[i].layer, members, NULL).feature_layer, cases[i].index);
    }
    assert_false(good("full", "\"vision_feature_select_strategy\":\"full\"", NULL).feature_drop_class_token);
}

static void activations_are_known_by_all_their_names(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        cf_activation act;
    } cases[] = {
        {"gelu", CF_ACT_GELU},
        {"gelu_new", CF_ACT_GELU_TANH},
        {"gelu_pytorch_tanh", CF_ACT_GELU_TANH},
        {"quick_gelu", CF_ACT_QUICK_GELU},
        {"silu", CF_ACT_SILU},
        {"swish", CF_ACT_SILU},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char members[256];
        (void)snprintf(members, sizeof members,
                       "\"projector_hidden_act\":\"%s\",\"text_config\":{\"hidden_act\":\"%s\"},"
                       "\"vision_config\":{\"hidden_act\":\"%s\"}",
                       cases[i].name, cases[i].name, cases[i].name);
        const cf_config c = good(cases[i].name, members, NULL);
        assert_int_equal(c.projector_hidden_act, cases[i].act);
        assert_int_equal(c.text.hidden_act, cases[i].act);
        assert_int_equal(c.vision.hidden_act, cases[i].act);
    }
}

static void flags_are_read_and_either_level_ties_the_embeddings(void **state)
{
    (void)state;
    cf_config c = good("flags", "\"multimodal_projector_bias\":false,\"text_config\":{\"attention_bias\":true}", NULL);
    assert_false(c.projector_bias);
    assert_true(c.text.attention_bias);
    assert_false(c.text.mlp_bias);
    assert_false(c.text.tie_word_embeddings);
    assert_true(good("mlp", "\"text_config\":{\"mlp_bias\":true}", NULL).text.mlp_bias);
    assert_true(good("root", "\"tie_word_embeddings\":true", NULL).text.tie_word_embeddings);
    assert_true(good("text", "\"text_config\":{\"tie_word_embeddings\":true}", NULL).text.tie_word_embeddings);
}

static void special_tokens_come_from_the_nearest_file_that_has_them(void **state)
{
    (void)state;
    static const struct {
        const char *name, *members, *generation;
        int32_t bos, n_eos, eos[3];
    } cases[] = {
        {"generation config wins",
         "\"eos_token_id\":5,\"bos_token_id\":6",
         "{\"eos_token_id\":7,\"bos_token_id\":8}",
         8,
         1,
         {7}},
        {"a list", "\"eos_token_id\":5", "{\"eos_token_id\":[128001,128008,128009]}", 1, 3, {128001, 128008, 128009}},
        {"root before text",
         "\"eos_token_id\":5,\"text_config\":{\"eos_token_id\":9,\"bos_token_id\":4}",
         NULL,
         4,
         1,
         {5}},
        {"text", "\"text_config\":{\"eos_token_id\":[9,10]}", "{}", 1, 2, {9, 10}},
        {"null is absent", "\"text_config\":{\"eos_token_id\":9}", "{\"eos_token_id\":null}", 1, 1, {9}},
        {"default", "\"ignore_index\":-100", NULL, 1, 1, {2}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const cf_config c = good(cases[i].name, cases[i].members, cases[i].generation);
        if (c.bos_token_id != cases[i].bos || c.n_eos != cases[i].n_eos)
            fail_msg("%s: %d, %d", cases[i].name, c.bos_token_id, c.n_eos);
        for (int32_t k = 0; k < c.n_eos; k++)
            assert_int_equal(c.eos_token_ids[k], cases[i].eos[k]);
    }
    assert_int_equal(good("both", "\"image_token_index\":77,\"image_token_id\":77", NULL).image_token_id, 77);
    assert_int_equal(good("id", "\"image_token_id\":78", NULL).image_token_id, 78);
    assert_int_equal(good("index", "\"image_token_index\":79", NULL).image_token_id, 79);
}

#define LLAVA(members) "{\"model_type\":\"llava\"," members "}"
#define NEXT(members) "{\"model_type\":\"llava_next\"," members "}"
#define TEXT(members) LLAVA("\"text_config\":{" members "}")
#define MINISTRAL(types) TEXT("\"model_type\":\"ministral\",\"num_hidden_layers\":2,\"layer_types\":[" types "]")
#define VISION(members) LLAVA("\"vision_config\":{" members "}")

static const struct {
    const char *config, *generation;
    cf_status status;
    const char *say;
} bad[] = {
    {"[]", NULL, CF_FORMAT, "expected a JSON object"},
    {"\"llava\"", NULL, CF_FORMAT, "expected a JSON object"},
    {"{}", NULL, CF_FORMAT, "model_type: expected 'llava', 'llava_next' or 'llava_llama', found nothing"},
    {"{\"model_type\":null}", NULL, CF_FORMAT, "found nothing"},
    {"{\"model_type\":\"llava_mistral\"}", NULL, CF_UNSUPPORTED,
     "model_type 'llava_mistral' is not supported, only 'llava', 'llava_next' and 'llava_llama'"},
    {"{\"model_type\":3}", NULL, CF_FORMAT, "model_type: expected a string, found 3"},
    {LLAVA("\"text_config\":[]"), NULL, CF_FORMAT, "text_config: expected an object, found a list"},
    {LLAVA("\"vision_config\":\"clip\""), NULL, CF_FORMAT, "vision_config: expected an object, found 'clip'"},
    {TEXT("\"model_type\":\"qwen2\""), NULL, CF_UNSUPPORTED,
     "text_config.model_type 'qwen2' is not supported, only 'llama', 'mistral' and 'ministral'"},
    {TEXT("\"num_hidden_layers\":257"), NULL, CF_UNSUPPORTED,
     "text_config.num_hidden_layers 257: more than 256 are not supported"},
    {TEXT("\"model_type\":\"mistral\",\"sliding_window\":0"), NULL, CF_FORMAT,
     "text_config.sliding_window: expected an integer from 1"},
    {TEXT("\"model_type\":\"mistral\",\"sliding_window\":\"4096\""), NULL, CF_FORMAT, "text_config.sliding_window"},
    {MINISTRAL("\"full_attention\""), NULL, CF_FORMAT,
     "text_config.layer_types: expected a list of num_hidden_layers names, found a list"},
    {MINISTRAL("\"full_attention\",\"full_attention\",\"full_attention\""), NULL, CF_FORMAT, "text_config.layer_types"},
    {MINISTRAL("\"full_attention\",\"chunked_attention\""), NULL, CF_UNSUPPORTED,
     "layer 1: expected sliding_attention or full_attention, found chunked_attention"},
    {MINISTRAL("\"full_attention\",7"), NULL, CF_UNSUPPORTED, "layer 1: expected sliding_attention or full_attention"},
    {MINISTRAL("\"full_attention\",\"sliding_attention\"],\"sliding_window\":null,\"x\":["), NULL, CF_FORMAT,
     "text_config.sliding_window: expected a number, where layer_types has sliding_attention"},
    {VISION("\"model_type\":\"siglip_vision_model\""), NULL, CF_UNSUPPORTED,
     "vision_config.model_type 'siglip_vision_model' is not supported, only 'clip_vision_model'"},
    {TEXT("\"hidden_size\":0"), NULL, CF_FORMAT,
     "text_config.hidden_size: expected an integer from 1 to 1048576, found 0"},
    {TEXT("\"hidden_size\":-4096"), NULL, CF_FORMAT, "found -4096"},
    {TEXT("\"hidden_size\":4096.5"), NULL, CF_FORMAT, "found 4096.5"},
    {TEXT("\"hidden_size\":\"4096\""), NULL, CF_FORMAT, "found '4096'"},
    {TEXT("\"hidden_size\":true"), NULL, CF_FORMAT, "found true"},
    {TEXT("\"hidden_size\":{}"), NULL, CF_FORMAT, "found an object"},
    {TEXT("\"num_hidden_layers\":1e18"), NULL, CF_FORMAT, "text_config.num_hidden_layers: expected an integer"},
    {TEXT("\"vocab_size\":1e999"), NULL, CF_FORMAT, "found inf"},
    {TEXT("\"num_attention_heads\":30"), NULL, CF_FORMAT,
     "text_config.hidden_size: expected a multiple of num_attention_heads, found 4096 and 30"},
    {TEXT("\"num_key_value_heads\":5"), NULL, CF_FORMAT,
     "text_config.num_attention_heads: expected a multiple of num_key_value_heads, found 32 and 5"},
    {TEXT("\"num_key_value_heads\":0"), NULL, CF_FORMAT, "text_config.num_key_value_heads: expected an integer"},
    {TEXT("\"head_dim\":63"), NULL, CF_FORMAT, "text_config.head_dim: expected a multiple of 2"},
    {TEXT("\"hidden_act\":\"relu\""), NULL, CF_UNSUPPORTED, "text_config.hidden_act: activation 'relu'"},
    {VISION("\"hidden_act\":\"mish\""), NULL, CF_UNSUPPORTED, "vision_config.hidden_act: activation 'mish'"},
    {LLAVA("\"projector_hidden_act\":\"\""), NULL, CF_UNSUPPORTED, "projector_hidden_act: activation ''"},
    {LLAVA("\"projector_hidden_act\":1"), NULL, CF_FORMAT, "projector_hidden_act: expected a string, found 1"},
    {TEXT("\"rms_norm_eps\":0"), NULL, CF_FORMAT, "text_config.rms_norm_eps: expected a number greater than 0"},
    {TEXT("\"rms_norm_eps\":\"1e-5\""), NULL, CF_FORMAT, "text_config.rms_norm_eps"},
    {VISION("\"layer_norm_eps\":-1e-5"), NULL, CF_FORMAT, "vision_config.layer_norm_eps"},
    {TEXT("\"rope_theta\":1e999"), NULL, CF_FORMAT, "text_config.rope_theta"},
    {TEXT("\"rope_scaling\":{\"type\":\"dynamic\",\"factor\":2.0}"), NULL, CF_UNSUPPORTED,
     "text_config.rope_scaling.rope_type 'dynamic' is not supported, only 'default', 'linear' and 'llama3'"},
    {TEXT("\"rope_parameters\":{\"rope_type\":\"yarn\"}"), NULL, CF_UNSUPPORTED,
     "text_config.rope_parameters.rope_type 'yarn'"},
    {TEXT("\"rope_scaling\":{\"type\":\"linear\"}"), NULL, CF_FORMAT,
     "text_config.rope_scaling.factor: expected a number greater than 0, found nothing"},
    {TEXT("\"rope_scaling\":{\"type\":\"linear\",\"factor\":0}"), NULL, CF_FORMAT, "factor: expected a number"},
    {TEXT("\"rope_parameters\":{\"rope_type\":\"llama3\"}"), NULL, CF_FORMAT, "rope_parameters.factor: expected"},
    {TEXT("\"rope_parameters\":{\"rope_type\":\"llama3\",\"factor\":8}"), NULL, CF_FORMAT,
     "rope_parameters.low_freq_factor: expected a number greater than 0, found nothing"},
    {TEXT("\"rope_parameters\":{\"rope_type\":\"llama3\",\"factor\":8,\"low_freq_factor\":1}"), NULL, CF_FORMAT,
     "rope_parameters.high_freq_factor: expected a number greater than 0, found nothing"},
    {TEXT("\"rope_parameters\":{\"rope_type\":\"llama3\",\"factor\":8,\"low_freq_factor\":4,"
          "\"high_freq_factor\":4.0}"),
     NULL, CF_FORMAT, "rope_parameters.high_freq_factor: expected more than low_freq_factor, found 4"},
    {TEXT("\"original_max_position_embeddings\":0,\"rope_parameters\":{\"rope_type\":\"llama3\",\"factor\":8,"
          "\"low_freq_factor\":1,\"high_freq_factor\":4}"),
     NULL, CF_FORMAT, "text_config.original_max_position_embeddings: expected an integer"},
    {TEXT("\"rope_parameters\":5"), NULL, CF_FORMAT, "text_config.rope_parameters: expected an object"},
    {TEXT("\"rope_parameters\":{\"rope_theta\":-1}"), NULL, CF_FORMAT, "text_config.rope_parameters.rope_theta"},
    {TEXT("\"partial_rotary_factor\":0.5"), NULL, CF_UNSUPPORTED, "partial_rotary_factor 0.5"},
    {TEXT("\"rope_parameters\":{\"partial_rotary_factor\":0.25}"), NULL, CF_UNSUPPORTED, "partial_rotary_factor 0.25"},
    {TEXT("\"attention_bias\":1"), NULL, CF_FORMAT, "text_config.attention_bias: expected true or false, found 1"},
    {VISION("\"patch_size\":256"), NULL, CF_FORMAT, "vision_config.patch_size: expected at most image_size"},
    {VISION("\"image_size\":[336,336]"), NULL, CF_FORMAT, "vision_config.image_size: expected an integer"},
    {VISION("\"num_channels\":1"), NULL, CF_UNSUPPORTED, "vision_config.num_channels 1 is not supported, only 3"},
    {VISION("\"num_attention_heads\":7"), NULL, CF_FORMAT, "vision_config.hidden_size: expected a multiple"},
    {LLAVA("\"vision_feature_layer\":[-2,-5]"), NULL, CF_UNSUPPORTED, "vision_feature_layer: a list"},
    {LLAVA("\"vision_feature_layer\":25"), NULL, CF_FORMAT, "vision_feature_layer: expected an integer from -25 to 24"},
    {LLAVA("\"vision_feature_layer\":-26"), NULL, CF_FORMAT,
     "vision_feature_layer: expected an integer from -25 to 24"},
    {LLAVA("\"vision_feature_select_strategy\":\"patch\""), NULL, CF_FORMAT,
     "expected 'default' or 'full', found 'patch'"},
    {LLAVA("\"image_token_index\":-200"), NULL, CF_FORMAT, "image_token_index: expected an integer"},
    {LLAVA("\"image_token_id\":2147483648"), NULL, CF_FORMAT, "image_token_id: expected an integer"},
    {LLAVA("\"image_token_index\":1,\"image_token_id\":2"), NULL, CF_MISMATCH,
     "image_token_index 1 and image_token_id 2 differ"},
    {LLAVA("\"bos_token_id\":-1"), NULL, CF_FORMAT, "bos_token_id: expected an integer"},
    {LLAVA("\"eos_token_id\":\"</s>\""), NULL, CF_FORMAT, "eos_token_id: expected an integer from 0 to 2147483647"},
    {LLAVA("\"eos_token_id\":[]"), NULL, CF_FORMAT, "eos_token_id: expected a token id or a list that is not empty"},
    {LLAVA("\"eos_token_id\":[1,-2]"), NULL, CF_FORMAT, "eos_token_id: expected a list of token ids, entry 1 is none"},
    {LLAVA("\"eos_token_id\":[1,2147483648]"), NULL, CF_FORMAT, "entry 1 is none"},
    {LLAVA("\"eos_token_id\":[1,2,3,4,5,6,7,8,9]"), NULL, CF_UNSUPPORTED, "more than 8 tokens"},
    {NEXT("\"vision_config\":{}"), NULL, CF_FORMAT,
     "image_grid_pinpoints: expected multiples of the vision tower's image_size 224, found 336 x 672 as entry 0"},
    {NEXT("\"image_grid_pinpoints\":[]"), NULL, CF_FORMAT, "image_grid_pinpoints: expected a list of resolutions"},
    {NEXT("\"image_grid_pinpoints\":336"), NULL, CF_FORMAT, "expected a list of resolutions that is not empty"},
    {NEXT("\"image_grid_pinpoints\":\"[(336, 672)]\""), NULL, CF_FORMAT, "expected a list of resolutions"},
    {NEXT("\"image_grid_pinpoints\":[[336,672],[336]]"), NULL, CF_FORMAT, "pairs of integers, entry 1 is none"},
    {NEXT("\"image_grid_pinpoints\":[[336,672,336]]"), NULL, CF_FORMAT, "entry 0 is none"},
    {NEXT("\"image_grid_pinpoints\":[[336,672.5]]"), NULL, CF_FORMAT, "entry 0 is none"},
    {NEXT("\"image_grid_pinpoints\":[{\"height\":336,\"width\":672}]"), NULL, CF_FORMAT, "entry 0 is none"},
    {NEXT("\"image_grid_pinpoints\":[[21840,336]]"), NULL, CF_FORMAT, "found 21840 x 336"},
    {NEXT("\"image_grid_pinpoints\":[336,672]"), NULL, CF_FORMAT, "entry 0 is none"},
    {NEXT("\"image_grid_pinpoints\":[[336,0]]"), NULL, CF_FORMAT, "found 336 x 0 as entry 0"},
    {NEXT("\"image_grid_pinpoints\":[[-336,336]]"), NULL, CF_FORMAT, "found -336 x 336"},
    {NEXT("\"image_grid_pinpoints\":[[336,337]]"), NULL, CF_FORMAT, "found 336 x 337"},
    {NEXT("\"image_grid_pinpoints\":[[336,21840]]"), NULL, CF_FORMAT, "found 336 x 21840"},
    {NEXT("\"use_image_newline_parameter\":false"), NULL, CF_UNSUPPORTED, "use_image_newline_parameter false"},
    {LLAVA("\"ignore_index\":0"), "[]", CF_FORMAT, "generation_config.json"},
    {LLAVA("\"ignore_index\":0"), "{\"eos_token_id\":1.5}", CF_FORMAT, "generation_config.json: eos_token_id"},
};

static void bad_configurations_are_refused_in_one_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cf_config c;
        memset(&c, 0x5a, sizeof c);
        const cf_config before = c;
        cf_error err = {0};
        const cf_status st = parse(&c, bad[i].config, bad[i].generation, &err);
        if (st != bad[i].status || !strstr(err.text, bad[i].say))
            fail_msg("%s: status %d: %s", bad[i].config, st, err.text);
        assert_null(strchr(err.text, '\n'));
        assert_memory_equal(&c, &before, sizeof c); /* unchanged on failure */
    }
}

static void what_does_not_change_inference_is_not_looked_at(void **state)
{
    (void)state;
    const cf_config c = good("ignored",
                             "\"torch_dtype\":5,\"text_config\":{\"attention_dropout\":\"x\",\"pretraining_tp\":2,"
                             "\"initializer_range\":-1},\"vision_config\":{\"attention_dropout\":0.5}",
                             NULL);
    assert_int_equal(c.text.hidden_size, 4096);
}

int test_config(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_published_form_of_llava_7b_reads_alike),
        cmocka_unit_test(absent_keys_take_the_defaults_of_their_class),
        cmocka_unit_test(llava_next_adds_a_grid_and_a_newline),
        cmocka_unit_test(a_mistral_decoder_has_its_own_defaults_and_a_window_or_none),
        cmocka_unit_test(rotary_scaling_is_read_in_both_spellings),
        cmocka_unit_test(rope_theta_is_found_where_each_version_writes_it),
        cmocka_unit_test(extents_follow_from_one_another_where_absent),
        cmocka_unit_test(the_feature_layer_is_resolved_from_either_end),
        cmocka_unit_test(activations_are_known_by_all_their_names),
        cmocka_unit_test(flags_are_read_and_either_level_ties_the_embeddings),
        cmocka_unit_test(special_tokens_come_from_the_nearest_file_that_has_them),
        cmocka_unit_test(bad_configurations_are_refused_in_one_line),
        cmocka_unit_test(what_does_not_change_inference_is_not_looked_at),
    };
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
