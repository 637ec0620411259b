/* test_runtime.c - opening a model: what is chosen where the user leaves it open, and what is refused. Damaged folders
 * are test_cli's. */
#include "study_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "study/runtime.h"
#include "support/temp_dir.h"

static void open_files(cf_runtime *r, const cf_runtime_options *o)
{
    assert_ok(cf_runtime_open_files(r, o, report));
}

static void the_checkpoint_decides_what_is_left_open(void **state)
{
    (void)state;
    cf_runtime r = {0};
    cf_runtime_options o = cf_runtime_options_default();
    o.model = BITES;
    open_files(&r, &o);
    assert_int_equal(r.preprocess.fit, CF_FIT_CROP);
    assert_string_equal(r.prompt,
                        "USER: <image>\n{question} \nAnswer the question using a single word or phrase. ASSISTANT:");
    assert_true(r.prompt_whole);
    assert_null(r.model);
    assert_null(r.backend);
    cf_dtype dtype = CF_BF16;
    assert_ok(cf_runtime_dtype(&dtype, &r, &o, report));
    assert_int_equal(dtype, CF_F32); /* 0.4 M parameters fit anywhere */
    o.dtype = "bf16";
    assert_ok(cf_runtime_dtype(&dtype, &r, &o, report));
    assert_int_equal(dtype, CF_BF16);
    o.dtype = "f16";
    assert_fails(CF_USAGE, "--dtype f16: expected auto, f32 or bf16", cf_runtime_dtype(&dtype, &r, &o, report));
    assert_int_equal(dtype, CF_BF16);
    cf_runtime_close(&r);
    cf_runtime_close(&r); /* closed twice is closed */
}

static void prompts_and_fits_are_the_users_where_given(void **state)
{
    static const struct {
        const char *prompt, *fit, *text; /* text: how the prompt begins */
        bool whole;
        cf_image_fit expected;
    } cases[] = {
        {"llava_hf_1.5", "crop", "USER: <image>\n", true, CF_FIT_CROP},
        {"vicuna_v1", "pad", "A chat between a curious user", false, CF_FIT_PAD},
        {"Look: <image> {question}", "auto", "Look: <image> {question}", true, CF_FIT_CROP},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cf_runtime r = {0};
        cf_runtime_options o = cf_runtime_options_default();
        o.model = BITES;
        o.prompt = cases[i].prompt;
        o.image_fit = cases[i].fit;
        open_files(&r, &o);
        assert_ptr_equal(strstr(r.prompt, cases[i].text), r.prompt);
        assert_int_equal(r.prompt_whole, cases[i].whole);
        assert_int_equal(r.preprocess.fit, cases[i].expected);
        cf_runtime_close(&r);
    }
}

static void a_prompt_that_cannot_be_laid_out_is_refused_at_once(void **state)
{
    static const struct {
        const char *prompt;
        cf_status status;
        const char *say;
    } cases[] = {
        {"llava", CF_USAGE, "--prompt llava: expected a preset"},
        {"", CF_USAGE, "--prompt : expected a preset"},
        {"<image>", CF_USAGE, "expected a preset"},
        {"{question}", CF_USAGE, "expected a preset"},
        {"{question}<image>", CF_USAGE, "<image> and, after it, {question}"},
        {"<image><image>{question}", CF_MISMATCH, "expected <image> once, found it again"},
        {"<image>{question}{question}", CF_MISMATCH, "expected {question} once, found it again"},
        {"{question}<image>{question}", CF_MISMATCH, "expected {question} once, found it again"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cf_runtime r = {0};
        cf_runtime_options o = cf_runtime_options_default();
        o.model = BITES;
        o.prompt = cases[i].prompt;
        assert_fails(cases[i].status, cases[i].say, cf_runtime_open_files(&r, &o, report));
        cf_runtime_close(&r);
    }
}

/* Those of bites but its picture rules. */
static void copy_files(const char *dir)
{
    static const char *const files[] = {"config.json", "generation_config.json", "model.safetensors", "tokenizer.json"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char *from = temp_dir_path(BITES, files[i]);
        cf_str text = {0};
        assert_ok(cf_file_read(&text, from, SIZE_MAX, report));
        temp_dir_write(dir, files[i], text.data, text.n);
        cf_str_deinit(&text);
        free(from);
    }
}

/* transformers 5 may write the image processor into processor_config.json alone. */
static void picture_rules_are_found_in_either_file(void **state)
{
    cf_str text = {0}, inner = {0};
    copy_files(*state);
    cf_runtime r = {0};
    cf_runtime_options o = cf_runtime_options_default();
    o.model = *state;
    assert_fails(CF_IO, "neither preprocessor_config.json nor processor_config.json is there",
                 cf_runtime_open_files(&r, &o, report));
    cf_runtime_close(&r);
    assert_ok(cf_file_read(&inner, BITES "/preprocessor_config.json", SIZE_MAX, report));
    cf_str_clear(&text);
    assert_ok(cf_str_addf(&text, report, "{\"image_processor\": %s, \"patch_size\": 14}", inner.data));
    temp_dir_write(*state, "processor_config.json", text.data, text.n);
    open_files(&r, &o);
    assert_int_equal(r.preprocess.crop_w, 56);
    cf_runtime_close(&r);
    cf_str_deinit(&inner);
    cf_str_deinit(&text);
}

static void plain_loops_are_row_invariant(void **state)
{
    (void)state;
    cf_runtime r = {0};
    cf_runtime_options o = cf_runtime_options_default();
    o.model = BITES;
    o.device = "ref";
    assert_ok(cf_runtime_open(&r, &o, report));
    assert_false(r.row_invariant); /* until it has been looked at */
    assert_ok(cf_runtime_probe(&r, report));
    assert_true(r.row_invariant);
    cf_runtime_close(&r);
}

/* ---- memory and samples in flight ---- */

static const int64_t mib = (int64_t)1 << 20;

static cf_memory_plan plan_of(const cf_runtime *r, const char *device, int64_t weights_mib, int32_t in_flight)
{
    cf_memory_plan plan = {0};
    cf_runtime_options o = cf_runtime_options_default();
    o.device = device;
    o.weights_mib = weights_mib;
    o.in_flight = in_flight;
    assert_ok(cf_runtime_plan_memory(&plan, r, &o, CF_F32, report));
    return plan;
}

static bool all_resident(const cf_runtime *r, int64_t bytes)
{
    const cf_config *c = cf_checkpoint_config(r->checkpoint);
    return bytes > 0 && cf_model_plan_weights(c, CF_F32, bytes).n_resident == c->text.n_layers;
}

static void open_model(cf_runtime *r, const char *model)
{
    cf_runtime_options o = cf_runtime_options_default();
    o.model = model;
    open_files(r, &o);
}

/* Its weights have room beside as many samples as are chosen, and not beside one more. */
static void a_small_model_has_as_many_samples_in_flight_as_take_no_layers_place(void **state)
{
    (void)state;
    cf_runtime r = {0};
    int64_t memory = 0;
    bool seen[9] = {false}, streamed = false;
    open_model(&r, "demo/model");
    assert_ok(cf_backend_memory(&memory, "cpu", report));
    const cf_memory_plan usual = plan_of(&r, "cpu", 0, 0);
    assert_int_equal(usual.in_flight, 8);
    assert_true(all_resident(&r, usual.weight_bytes));
    const int64_t sample = (memory / 4 * 3 - usual.weight_bytes) / 7; /* what one more takes */
    assert_true(sample > mib && sample < 64 * mib);
    for (int64_t w = 1; w < 300; w++) {
        const cf_memory_plan plan = plan_of(&r, "cpu", w, 0);
        const int32_t n = plan.in_flight;
        assert_int_equal(plan.weight_bytes, w * mib);
        if (!all_resident(&r, w * mib)) {
            assert_int_equal(n, 4);
            streamed = true;
            continue;
        }
        assert_in_range(n, 1, 8);
        assert_true(all_resident(&r, w * mib - (n - 1) * sample));
        assert_true(n == 8 || !all_resident(&r, w * mib - n * sample));
        seen[n] = true;
    }
    for (int32_t n = 1; n <= 8; n++)
        assert_true(seen[n]);
    assert_true(streamed);
    assert_int_equal(plan_of(&r, "cpu", 0, 3).in_flight, 3); /* as it is said, whatever has room */
    assert_int_equal(plan_of(&r, "cpu", 1, 3).in_flight, 3);
    cf_runtime_close(&r);
}

/* The folder of bites with a decoder of other extents; its weights are of no use then. */
static void write_decoder(const char *dir, int hidden_size, int intermediate_size)
{
    static const char *const sizes[] = {"\"hidden_size\": 64", "\"intermediate_size\": 96"};
    char *from = temp_dir_path(BITES, "config.json");
    cf_str text = {0}, changed = {0};
    assert_ok(cf_file_read(&text, from, SIZE_MAX, report));
    const char *first = strstr(text.data, sizes[0]), *second = strstr(text.data, sizes[1]);
    assert_true(first && second && first < second);
    assert_ok(cf_str_addf(&changed, report, "%.*s\"hidden_size\": %d%.*s\"intermediate_size\": %d%s",
                          (int)(first - text.data), text.data, hidden_size,
                          (int)(second - first - (int)strlen(sizes[0])), first + strlen(sizes[0]), intermediate_size,
                          second + strlen(sizes[1])));
    temp_dir_write(dir, "config.json", changed.data, changed.n);
    cf_str_deinit(&text);
    cf_str_deinit(&changed);
    free(from);
}

/* Heads stay 4 of 24, and 2: a row through a layer is d * (2 * 96 + 2 * 48 + 3 * f) multiply-adds. */
static void a_large_model_has_one_sample_in_flight_and_four_where_layers_are_streamed(void **state)
{
    static const struct {
        int hidden_size, intermediate_size;
        int32_t in_flight;
    } cases[] = {{64, 96, 8}, {1000, 5237, 8}, {1000, 5238, 1}, {4096, 11008, 1}};
    char *rules = temp_dir_path(BITES, "preprocessor_config.json");
    cf_str text = {0};
    copy_files(*state);
    assert_ok(cf_file_read(&text, rules, SIZE_MAX, report));
    temp_dir_write(*state, "preprocessor_config.json", text.data, text.n);
    cf_str_deinit(&text);
    free(rules);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cf_runtime r = {0};
        write_decoder(*state, cases[i].hidden_size, cases[i].intermediate_size);
        open_model(&r, *state);
        assert_int_equal(plan_of(&r, "cpu", 0, 0).in_flight, cases[i].in_flight);
        assert_int_equal(plan_of(&r, "ref", 0, 0).in_flight, cases[i].in_flight);
        if (cases[i].hidden_size > 64)
            assert_int_equal(plan_of(&r, "cpu", 100, 0).in_flight, 4);
        cf_runtime_close(&r);
    }
}

int test_runtime(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_checkpoint_decides_what_is_left_open),
        cmocka_unit_test(prompts_and_fits_are_the_users_where_given),
        cmocka_unit_test(a_prompt_that_cannot_be_laid_out_is_refused_at_once),
        cmocka_unit_test_setup_teardown(picture_rules_are_found_in_either_file, folder_setup, folder_teardown),
        cmocka_unit_test(plain_loops_are_row_invariant),
        cmocka_unit_test(a_small_model_has_as_many_samples_in_flight_as_take_no_layers_place),
        cmocka_unit_test_setup_teardown(a_large_model_has_one_sample_in_flight_and_four_where_layers_are_streamed,
                                        folder_setup, folder_teardown),
    };
    return cmocka_run_group_tests_name("opening a model", tests, NULL, NULL);
}
