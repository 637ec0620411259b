/* test_original.c - a checkpoint as LLaVA's own code saves it and the same weights in Hugging Face's form
 * (tools/make_original_golden.py): with one prompt and one way to fit pictures, everything a study holds is the same to
 * the byte. */
#include "cli_fixture.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "support/temp_dir.h"

#define FAMILY "tests/family/golden/"
#define LLAVA FAMILY "llava-llama2-2", FAMILY "original/llava-llama2-2"
#define NEXT FAMILY "next-llama3-1", FAMILY "original/next-llama3-1"

enum { MAX_OPTIONS = 5 };

static const struct {
    const char *name, *hugging_face, *original;
    const char *of_hugging_face[MAX_OPTIONS], *of_original[MAX_OPTIONS];
} cases[] = {
    {"LLaVA-1.5 as LLaVA asks", LLAVA, {"--prompt", "vicuna_v1", "--image-fit", "pad"}, {NULL}},
    {"LLaVA-1.5 as Hugging Face asks", LLAVA, {NULL}, {"--prompt", "llava_hf_1.5"}},
    {"LLaVA-1.5, cropped",
     LLAVA,
     {"--prompt", "USER: <image>\n{question}", "--image-fit", "crop"},
     {"--prompt", "USER: <image>\n{question}", "--image-fit", "crop"}},
    {"LLaVA-1.5, the paper's settings", LLAVA, {"--paper"}, {"--paper"}},
    {"LLaVA-NeXT as LLaVA asks", NEXT, {"--prompt", "llava_llama_3"}, {NULL}},
    {"LLaVA-NeXT as Hugging Face asks", NEXT, {NULL}, {"--prompt", "llava_hf_llama3_next", "--image-fit", "anyres"}},
    {"LLaVA-NeXT, the paper's settings", NEXT, {"--paper"}, {"--paper"}},
};

static void study(fixture *f, const char *command, const char *model, const char *out, const char *const *options)
{
    const char *args[24] = {command, model, f->questions, "-o", out, "--images", FAMILY "pictures", "--keep", "all"};
    size_t n = 9;
    for (size_t i = 0; i < MAX_OPTIONS && options[i]; i++)
        args[n++] = options[i];
    program_run(&f->r, args, NULL);
    assert_done(&f->r, model);
    assert_non_null(strstr(f->r.err.data, ": 4 questions traced now, "));
    assert_non_null(strstr(f->r.err.data, " 0 with a fault\n"));
}

/* Two embeddings of the Hugging Face form have names, by which the lens calls them, that a tokenizer.model lacks. */
static void leave_out(cf_str *text, const char *name)
{
    const cf_str whole = *text;
    const size_t n = strlen(name);
    size_t from = 0;
    *text = (cf_str){0};
    for (int64_t at; (at = cf_slice_find(cf_str_slice(&whole), cf_slice_of(name), from)) >= 0; from = (size_t)at + n)
        assert_ok(cf_str_add(text, (cf_slice){whole.data + from, (size_t)at - from}, report));
    assert_ok(cf_str_add(text, (cf_slice){whole.data + from, whole.n - from}, report));
    free(whole.data);
}

static void assert_same(const char *name, const char *what, cf_str one, cf_str other, bool without_names)
{
    if (without_names) {
        leave_out(&one, "<image>");
        leave_out(&one, "<pad>");
    }
    if (!one.n || !cf_slice_equal(cf_str_slice(&one), cf_str_slice(&other)))
        fail_msg("%s: the %s differ", name, what);
    cf_str_deinit(&one);
    cf_str_deinit(&other);
}

static void assert_same_studies(fixture *f, const char *name, const char *one, const char *other, bool without_names)
{
    assert_same(name, "CSV files", export_of(f, one), export_of(f, other), without_names);
    assert_same(name, "values", everything_of(f, one), everything_of(f, other), without_names);
}

static void hold_cases(fixture *f, const char *command)
{
    const bool lens = strcmp(command, "lens") == 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *dir = temp_dir_make(), *one = temp_dir_path(dir, "one.db"), *other = temp_dir_path(dir, "other.db");
        study(f, command, cases[i].hugging_face, one, cases[i].of_hugging_face);
        study(f, command, cases[i].original, other, cases[i].of_original);
        assert_same_studies(f, cases[i].name, one, other, lens && strstr(cases[i].original, "/llava-"));
        free(one);
        free(other);
        temp_dir_remove(dir);
    }
}

static void its_knockout_study_is_that_of_the_hugging_face_form(void **state)
{
    hold_cases(*state, "trace");
}

static void its_lens_is_that_of_the_hugging_face_form(void **state)
{
    hold_cases(*state, "lens");
}

/* Without an option each form is asked and shown pictures in its own way: the comparison above sees that. */
static void the_forms_differ_where_each_goes_its_own_way(void **state)
{
    fixture *f = *state;
    char *other = fixture_path(f, "other.db");
    const char *const plain[MAX_OPTIONS] = {NULL}, *const crop[MAX_OPTIONS] = {"--image-fit", "crop"};
    const struct {
        const char *model;
        const char *const *options;
    } others[] = {{FAMILY "llava-llama2-2", plain}, {FAMILY "original/llava-llama2-2", crop}};
    study(f, "trace", FAMILY "original/llava-llama2-2", f->study, plain);
    cf_str here = export_of(f, f->study);
    for (size_t i = 0; i < 2; i++) {
        study(f, "trace", others[i].model, other, others[i].options);
        cf_str there = export_of(f, other);
        assert_false(cf_slice_equal(cf_str_slice(&here), cf_str_slice(&there)));
        assert_int_equal(remove(other), 0);
        cf_str_deinit(&there);
    }
    cf_str_deinit(&here);
    free(other);
}

/* The folder alone: its vision tower is not beside it. */
static char *copy_without_tower(const fixture *f, const char *model)
{
    char *to = fixture_path(f, "model");
    DIR *entries = opendir(model);
    assert_non_null(entries);
    assert_ok(cf_dir_make(to, report));
    for (const struct dirent *e; (e = readdir(entries));) {
        if (e->d_name[0] == '.')
            continue;
        char *from = temp_dir_path(model, e->d_name);
        cf_str content = content_of(from);
        temp_dir_write(to, e->d_name, content.data, content.n);
        cf_str_deinit(&content);
        free(from);
    }
    closedir(entries);
    return to;
}

static void a_tower_that_is_not_at_hand_is_one_line_and_may_be_named(void **state)
{
    static const struct {
        const char *model, *tower, *say;
    } towers[] = {
        {FAMILY "original/llava-llama2-2", FAMILY "original/clip-30",
         "/model/config.json: mm_vision_tower 'openai/clip-30': its folder is not at hand; download its config.json, "
         "and"},
        {FAMILY "original/next-llama3-1", FAMILY "original/clip-20",
         "/model/config.json: mm_vision_tower 'openai/clip-20': its folder is not at hand; download its config.json, "
         "and"},
    };
    fixture *f = *state;
    for (size_t i = 0; i < 2; i++) {
        char *dir = temp_dir_make(), *one = temp_dir_path(dir, "one.db"), *other = temp_dir_path(dir, "other.db");
        char *model = copy_without_tower(f, towers[i].model);
        fixture_trace(f, &(trace_call){.model = model, .images = FAMILY "pictures", .study = other});
        assert_refused(&f->r, towers[i].model, 1, towers[i].say);
        assert_no_study(other, towers[i].model);
        fixture_trace(f, &(trace_call){.model = model,
                                       .images = FAMILY "pictures",
                                       .study = other,
                                       .extra = {"--vision-tower", "no/where"}});
        assert_refused(&f->r, towers[i].model, 1, "no/where: expected a model folder, found nothing");
        fixture_trace(f, &(trace_call){.model = model,
                                       .images = FAMILY "pictures",
                                       .study = other,
                                       .extra = {"--vision-tower", towers[i].tower}});
        assert_done(&f->r, model);
        fixture_trace(f, &(trace_call){.model = towers[i].model, .images = FAMILY "pictures", .study = one});
        assert_done(&f->r, towers[i].model);
        assert_same_studies(f, towers[i].model, one, other, false);
        temp_dir_remove(model);
        free(one);
        free(other);
        temp_dir_remove(dir);
    }
}

/* Questions about pictures that padding, cropping and tiling change. */
/* mm_patch_merge_type "flat": tile after tile, each with rows of its own. */
static void flat_tiles_are_shown_one_after_the_other(void **state)
{
    fixture *f = *state;
    char *model = copy_without_tower(f, FAMILY "original/next-llama3-1"), *config = temp_dir_path(model, "config.json");
    cf_str text = content_of(config);
    char *merge = strstr(text.data, "\"spatial_unpad\"");
    assert_non_null(merge);
    memcpy(merge, "\"flat\"         ", strlen("\"spatial_unpad\""));
    temp_dir_write(model, "config.json", text.data, text.n);
    RUN(&f->r, "tokens", model, "--vision-tower", FAMILY "original/clip-20", "--image", PICTURES "/000024.jpg",
        "--question", "Is it?");
    assert_done(&f->r, "tokens");
    assert_non_null(strstr(f->r.out.data, " . .  Image: a row of patches a line"));
    assert_null(strstr(f->r.out.data, "high resolution")); /* there are no rows over the whole picture */
    assert_null(strstr(f->r.out.data, " . . ."));
    cf_str_deinit(&text);
    temp_dir_remove(model);
    free(config);
}

static int setup(void **state)
{
    if (fixture_setup(state))
        return 1;
    const fixture *f = *state;
    temp_dir_write_text(f->dir, "small_Test.csv",
                        QUESTION_HEADER "0,672x336,Is the green object a star or a ring?,star,250,60,170,190\n"
                                        "1,37x1000,What is the pattern of the moon?,dots,5,300,20,203\n"
                                        "2,1000x37,Is the cross large?,no,400,5,140,25\n"
                                        "3,1x1,Is it blue?,yes,0,0,0,0\n");
    return 0;
}

int test_original(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(its_knockout_study_is_that_of_the_hugging_face_form, setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(its_lens_is_that_of_the_hugging_face_form, setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(the_forms_differ_where_each_goes_its_own_way, setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_tower_that_is_not_at_hand_is_one_line_and_may_be_named, setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(flat_tiles_are_shown_one_after_the_other, setup, fixture_teardown),
    };
    return cmocka_run_group_tests_name("LLaVA's own form", tests, NULL, NULL);
}
