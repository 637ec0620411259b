/* test_config.c - config.json of transformers 4 and 5, as published and as broken. */
#include "test_checkpoint.h"

#include <stdio.h>
#include <string.h>

#include "checkpoint/config.h"

static cf_status parse(cf_config *out, const char *config, const char *generation, cf_error *err)
{
    cf_json *c = NULL, *g = NULL;
    if (cf_json_parse(&c, cf_slice_of(config), "config.json", err) != CF_OK)
        fail_msg("%s", config);
    if (generation && cf_json_parse(&g, cf_slice_of(generation), "generation_config.json", err) != CF_OK)
        fail_msg("%s", generation);
    const cf_status st = cf_config_parse(out, c, g, "config.json", err);
    cf_json_free(g);
    cf_json_free(c);
    return st;
}

/* LLaVA-1.5-7b, which each of the published forms below must come to. */
static const cf_config llava_7b = {
    .model_type = "llava",
    .vision = {1024, 4096, 24, 16, 336, 14, 3, CF_ACT_QUICK_GELU, 1e-5f},
    .text = {4096, 11008, 32, 32, 32, 128, 32064, 4096, CF_ACT_SILU, 1e-5f, 10000.0, false, false, false},
    .projector_hidden_act = CF_ACT_GELU,
    .projector_bias = true,
    .feature_layer = 23,
    .feature_drop_class_token = true,
    .image_token_id = 32000,
    .bos_token_id = 1,
    .eos_token_ids = {2},
    .n_eos = 1,
};

#define SAME(field)                                                                                                    \
    if (a->field != b->field)                                                                                          \
    fail_msg("%s: " #field " is %g, expected %g", name, (double)a->field, (double)b->field)

static void assert_config(const char *name, const cf_config *a, const cf_config *b)
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
    SAME(projector_hidden_act);
    SAME(projector_bias);
    SAME(feature_layer);
    SAME(feature_drop_class_token);
    SAME(image_token_id);
    SAME(bos_token_id);
    SAME(n_eos);
    for (int32_t i = 0; i < a->n_eos; i++)
        SAME(eos_token_ids[i]);
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
        assert_config(cases[i].name, &c, &llava_7b);
        if (parse(&c, cases[i].config, NULL, &err) != CF_OK)
            fail_msg("%s: %s", cases[i].name, err.text);
        assert_config(cases[i].name, &c, &llava_7b);
    }
}

static void absent_keys_take_the_defaults_of_their_class(void **state)
{
    (void)state;
    /* CLIPVisionConfig() and LlamaConfig() of transformers 5.17 */
    cf_config expected = llava_7b, c = {0};
    expected.vision = (cf_vision_config){768, 3072, 12, 12, 224, 32, 3, CF_ACT_QUICK_GELU, 1e-5f};
    expected.text.vocab_size = 32000;
    expected.text.max_position_embeddings = 2048;
    expected.text.rms_norm_eps = 1e-6f;
    expected.feature_layer = 11;
    cf_error err = {0};
    assert_int_equal(parse(&c, "{\"model_type\": \"llava\", \"vision_config\": {}, \"text_config\": {}}", NULL, &err),
                     CF_OK);
    assert_config("empty sections", &c, &expected);
    expected.vision = llava_7b.vision;
    expected.feature_layer = 23;
    assert_int_equal(parse(&c, "{\"model_type\": \"llava\"}", NULL, &err), CF_OK);
    assert_config("no sections", &c, &expected);
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
#define TEXT(members) LLAVA("\"text_config\":{" members "}")
#define VISION(members) LLAVA("\"vision_config\":{" members "}")

static const struct {
    const char *config, *generation;
    cf_status status;
    const char *say;
} bad[] = {
    {"[]", NULL, CF_FORMAT, "expected a JSON object"},
    {"\"llava\"", NULL, CF_FORMAT, "expected a JSON object"},
    {"{}", NULL, CF_FORMAT, "model_type: expected 'llava', found nothing"},
    {"{\"model_type\":3}", NULL, CF_FORMAT, "model_type: expected a string, found 3"},
    {"{\"model_type\":\"llava_next\"}", NULL, CF_UNSUPPORTED, "model_type 'llava_next' is not supported"},
    {LLAVA("\"mm_vision_tower\":\"openai/clip-vit-large-patch14-336\""), NULL, CF_UNSUPPORTED, "original LLaVA"},
    {LLAVA("\"text_config\":[]"), NULL, CF_FORMAT, "text_config: expected an object, found a list"},
    {LLAVA("\"vision_config\":\"clip\""), NULL, CF_FORMAT, "vision_config: expected an object, found 'clip'"},
    {TEXT("\"model_type\":\"mistral\""), NULL, CF_UNSUPPORTED, "text_config.model_type 'mistral' is not supported"},
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
    {TEXT("\"rope_scaling\":{\"type\":\"linear\",\"factor\":2.0}"), NULL, CF_UNSUPPORTED,
     "text_config.rope_scaling: rope type 'linear' is not supported"},
    {TEXT("\"rope_parameters\":{\"rope_type\":\"llama3\"}"), NULL, CF_UNSUPPORTED,
     "text_config.rope_parameters: rope type 'llama3'"},
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
