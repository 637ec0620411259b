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

/* transformers 5 may write the image processor into processor_config.json alone. */
static void picture_rules_are_found_in_either_file(void **state)
{
    static const char *const files[] = {"config.json", "generation_config.json", "model.safetensors", "tokenizer.json"};
    char *from = NULL;
    cf_str text = {0}, inner = {0};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        from = temp_dir_path(BITES, files[i]);
        cf_str_clear(&text);
        assert_ok(cf_file_read(&text, from, SIZE_MAX, report));
        temp_dir_write(*state, files[i], text.data, text.n);
        free(from);
    }
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

int test_runtime(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_checkpoint_decides_what_is_left_open),
        cmocka_unit_test(prompts_and_fits_are_the_users_where_given),
        cmocka_unit_test(a_prompt_that_cannot_be_laid_out_is_refused_at_once),
        cmocka_unit_test_setup_teardown(picture_rules_are_found_in_either_file, folder_setup, folder_teardown),
        cmocka_unit_test(plain_loops_are_row_invariant),
    };
    return cmocka_run_group_tests_name("opening a model", tests, NULL, NULL);
}
