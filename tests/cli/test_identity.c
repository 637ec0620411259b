/* test_identity.c - a study is continued only with what it was made with: each fact that decides a number is refused
 * when it differs, by name, and the study stays byte for byte. */
#include "cli_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "support/temp_dir.h"

static const struct {
    const char *name;
    const char *extra[10];
    const char *say;
} settings[] = {
    {"prompt", {"--prompt", "vicuna_v1"}, "made with prompt USER: <image>"},
    {"image fit", {"--image-fit", "pad"}, "made with image fit crop, now pad"},
    {"flows", {"--flow", "Image->Last"}, "made with flows Question->Last,Image->Last,Last->Last"},
    {"order of flows", {"--flow", "Image->Last", "--flows", "paper"}, "made with flows Question->Last,Image->Last"},
    {"windows", {"--window", "1"}, "made with windows 3, now 1"},
    {"more windows", {"--window", "3,9"}, "made with windows 3, now 3,9"},
    {"styles", {"--style", "centre,below"}, "made with window styles centre, now centre,below"},
    {"scores", {"--score", "all"}, "made with scores first,true, now first,true,whole,difference,rank,greedy"},
    {"one score", {"--score", "whole"}, "made with scores first,true, now first,whole"},
    {"another score", {"--score", "difference"}, "made with scores first,true, now first,difference"},
    {"the rank", {"--score", "rank"}, "made with scores first,true, now first,rank"},
    {"the most probable token", {"--score", "greedy"}, "made with scores first,true, now first,greedy"},
    {"no scores", {"--score", "first"}, "made with scores first,true, now first"},
    {"generated answers", {"--generate"}, "made with generate no, now yes"},
    {"layers", {"--layers", "0:4"}, "made with layers 0:5, now 0:4"},
    {"keep", {"--keep", "wrong"}, "made with keep all, now wrong"},
    {"max new tokens", {"--max-new-tokens", "3"}, "made with max new tokens 2, now 3"},
    {"device", {"--device", "ref"}, "made with device cpu, now ref"},
    {"reuse", {"--reuse", "off"}, "made with reuse on, now off"},
    {"the published settings", {"--paper"}, "made with prompt USER: <image>"},
};

/* An opened fixture with a study made by the defaults, and its bytes. */
static cf_str make_study(fixture *f)
{
    fixture_trace(f, &(trace_call){0});
    assert_done(&f->r, "the study");
    return content_of(f->study);
}

static void refuse(fixture *f, const cf_str *before, const char *name, const trace_call *call, const char *say)
{
    fixture_trace(f, call);
    assert_refused(&f->r, name, 1, say);
    if (!strstr(f->r.err.data, f->study))
        fail_msg("%s: does not name the study: %s", name, f->r.err.data);
    assert_study_is(f->study, before, name);
}

static void another_setting_is_refused_by_name(void **state)
{
    fixture *f = *state;
    cf_str before = make_study(f);
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        trace_call call = {0};
        memcpy(call.extra, settings[i].extra, sizeof call.extra);
        refuse(f, &before, settings[i].name, &call, settings[i].say);
    }
    cf_str_deinit(&before);
}

/* Of a study with random controls. */
static void another_seed_or_more_repeats_are_refused_by_name(void **state)
{
    fixture *f = *state;
    trace_call call = {.extra = {"--flow", "random: Image->Last"}};
    fixture_trace(f, &call);
    assert_done(&f->r, "the study");
    cf_str before = content_of(f->study);
    call.extra[2] = "--seed";
    call.extra[3] = "2";
    refuse(f, &before, "seed", &call, "made with seed 1, now 2");
    call.extra[2] = "--repeats";
    refuse(f, &before, "repeats", &call, "made with repeats 1, now 2");
    RUN(&f->r, "lens", BITES, f->questions, "-o", f->study, "--images", PICTURES, "--keep", "all");
    assert_refused(&f->r, "another kind of study", 1, "made with study knockout, now lens");
    assert_study_is(f->study, &before, "another kind of study");
    cf_str_deinit(&before);
}

static void another_dtype_is_refused_where_the_processor_has_it(void **state)
{
    fixture *f = *state;
    cf_str before = make_study(f);
    RUN(&f->r, "info", BITES, "--dtype", "bf16");
    assert_done(&f->r, "info");
    const bool has_bf16 = !strstr(f->r.out.data, "this processor has no bf16 products");
    if (has_bf16)
        refuse(f, &before, "dtype", &(trace_call){.extra = {"--dtype", "bf16"}}, "made with dtype f32, now bf16");
    cf_str_deinit(&before);
    if (!has_bf16)
        skip();
}

static void other_inputs_are_refused_by_name(void **state)
{
    fixture *f = *state;
    char *other = fixture_path(f, "other_Test.csv"), *second = fixture_path(f, "small_Second.csv");
    cf_str before = make_study(f), questions = content_of(f->questions);
    assert_ok(cf_file_write(second, cf_str_slice(&questions), report));
    refuse(f, &before, "another model", &(trace_call){.model = DEMO}, "made with checkpoint ");
    refuse(f, &before, "another task", &(trace_call){.questions = second}, "made without questions Second, now ");
    refuse(f, &before, "a set more", &(trace_call){.questions = f->dir}, "made without questions Second, now ");
    assert_ok(cf_str_add_text(&questions, "3,000030,Is it?,no,1,1,9,9\n", report));
    assert_ok(cf_file_write(other, cf_str_slice(&questions), report));
    refuse(f, &before, "a question more", &(trace_call){.questions = other}, "made with questions Test ");
    cf_str_deinit(&questions);
    cf_str_deinit(&before);
    free(second);
    free(other);
}

/* Files of a checkpoint folder, one of them changed in a way that changes numbers and breaks nothing. */
static void a_changed_file_of_the_checkpoint_is_refused_by_name(void **state)
{
    static const struct {
        const char *name, *find, *with, *say;
    } changes[] = {
        {"config.json", "1e-05", "1e-06", "made with checkpoint "},
        {"generation_config.json", "2", "3", "made with checkpoint "},
        {"tokenizer.json", "\"unk_token\": \"<unk>\"", "\"unk_token\": \"<s>\"", "made with tokenizer "},
        {"preprocessor_config.json", "0.48145466", "0.48145467",
         "made with image values resize 56, crop 56x56, times "},
    };
    static const char *const files[] = {"config.json", "generation_config.json", "model.safetensors",
                                        "preprocessor_config.json", "tokenizer.json"};
    fixture *f = *state;
    char *model = fixture_path(f, "model");
    assert_ok(cf_dir_make(model, report));
    cf_str before = make_study(f);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        for (size_t k = 0; k < sizeof files / sizeof *files; k++) {
            char *from = temp_dir_path(BITES, files[k]);
            cf_str content = content_of(from);
            const bool here = strcmp(files[k], changes[i].name) == 0;
            const int64_t at = here ? cf_slice_find(cf_str_slice(&content), cf_slice_of(changes[i].find), 0) : -1;
            if (here && at < 0)
                fail_msg("%s does not hold %s", files[k], changes[i].find);
            cf_str changed = {0};
            const size_t cut = here ? (size_t)at : content.n, skip = here ? strlen(changes[i].find) : 0;
            assert_ok(cf_str_add(&changed, (cf_slice){content.data, cut}, report));
            assert_ok(cf_str_add_text(&changed, here ? changes[i].with : "", report));
            assert_ok(cf_str_add(&changed, (cf_slice){content.data + cut + skip, content.n - cut - skip}, report));
            temp_dir_write(model, files[k], changed.data, changed.n);
            cf_str_deinit(&changed);
            cf_str_deinit(&content);
            free(from);
        }
        refuse(f, &before, changes[i].name, &(trace_call){.model = model}, changes[i].say);
    }
    cf_str_deinit(&before);
    free(model);
}

/* What no number depends on may differ: where the model lies, threads, --limit, --strict, how windows and layers are
 * written. */
static void what_changes_no_number_is_no_part_of_the_identity(void **state)
{
    fixture *f = *state;
    const trace_call same[] = {
        {.model = BITES "/"},
        {.extra = {"--threads", "1"}},
        {.extra = {"--limit", "2", "--strict"}},
        {.extra = {"--layers", "0:5", "--window", "3,3"}},
        {.extra = {"--prompt", "llava_hf_1.5", "--flows", "paper"}},
        {.images = "./" PICTURES},
        {.extra = {"--repeats", "3", "--seed", "9"}}, /* nothing here is random */
        {.extra = {"--score", "first,true", "--style", "centre"}},
    };
    fixture_trace(f, &(trace_call){0});
    assert_done(&f->r, "the study");
    cf_str before = export_of(f, f->study);
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        fixture_trace(f, &same[i]);
        assert_done(&f->r, "continued");
        assert_non_null(strstr(f->r.err.data, ": 0 questions traced now, "));
        cf_str after = export_of(f, f->study);
        assert_string_equal(before.data, after.data);
        cf_str_deinit(&after);
    }
    cf_str_deinit(&before);
}

int test_identity(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(another_setting_is_refused_by_name, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(another_seed_or_more_repeats_are_refused_by_name, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(another_dtype_is_refused_where_the_processor_has_it, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(other_inputs_are_refused_by_name, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_changed_file_of_the_checkpoint_is_refused_by_name, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(what_changes_no_number_is_no_part_of_the_identity, fixture_setup,
                                        fixture_teardown),
    };
    return cmocka_run_group_tests_name("identity of a study", tests, NULL, NULL);
}
