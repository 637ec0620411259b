/* test_bad_options.c - values of options that make no sense, and study files that cannot be: one line, exit status 1,
 * nothing written. */
#include "cli_fixture.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "support/temp_dir.h"

static const struct {
    const char *name;
    const char *extra[10];
    const char *say;
} values[] = {
    {"window 0", {"--window", "0"}, "--window 0: expected whole numbers, 1 or more"},
    {"negative window", {"--window", "-3"}, "--window -3: expected whole numbers, 1 or more"},
    {"one window of two is 0", {"--window", "3,0"}, "--window 3,0: expected"},
    {"a window is no number", {"--window", "three"}, "--window three: expected"},
    {"an empty window", {"--window", "3,"}, "--window 3,: expected"},
    {"a window that does not fit", {"--window", "4294967299"}, "--window 4294967299: expected"},
    {"unknown group",
     {"--flow", "Image->Nowhere"},
     "flow \"Image->Nowhere\", character 8: expected a group, found \"Nowhere\" (groups: [begin:end], \"text\", box"},
    {"no arrow", {"--flow", "Image Last"}, "flow \"Image Last\", character 1: expected a group, found \"Image Last\""},
    {"empty flow", {"--flow", ""}, "flow \"\", character 1: expected a group, found the end"},
    {"one flow of two is wrong",
     {"--flows", "paper,Image->"},
     "flow \"Image->\", character 8: expected a group, found the end"},
    {"layers without a colon", {"--layers", "3"}, "--layers 3: expected A:B with 0 <= A < B"},
    {"layers backwards", {"--layers", "3:2"}, "--layers 3:2: expected A:B"},
    {"no layers", {"--layers", "2:2"}, "--layers 2:2: expected A:B"},
    {"negative layers", {"--layers", "-1:2"}, "--layers -1:2: expected A:B"},
    {"layers that are no numbers", {"--layers", "a:b"}, "--layers a:b: expected A:B"},
    {"no window style", {"--style", "middle"}, "--style middle: expected centre, below, above or outside"},
    {"one style of two", {"--style", "centre,"}, "--style centre,: expected centre"},
    {"a style that cannot be asked for", {"--style", "fixed"}, "--style fixed: expected centre"},
    {"no repeats", {"--repeats", "0"}, "--repeats 0: expected 1 or more"},
    {"a head that is not there", {"--flow", "Image->Last#4"}, "expected heads from 0 to 3, as the model has them"},
    {"a layer that is not there", {"--flow", "Image->Last@0:6"}, "expected layers from 0 to 4"},
    {"keep outside the partition", {"--flow", "keep: Image->Instruction"}, "flow \"keep: Image->Instruction\""},
    {"no mode of that name", {"--flow", "drop: Image->Last"}, "flow \"drop: Image->Last\", character "},
    {"zeroed edges", {"--flow", "zero mlp: Image->Last"}, "flow \"zero mlp: Image->Last\", character "},
    {"unknown score", {"--score", "second"}, "--score second: expected first, true, whole, difference, rank, greedy"},
    {"one score of two", {"--score", "true,"}, "--score true,: expected first, true, whole"},
    {"more layers than there are", {"--layers", "0:6"}, "layers 0:6: expected a range inside 0:5"},
    {"keep", {"--keep", "some"}, "--keep some: expected correct, wrong or all"},
    {"dtype", {"--dtype", "f16"}, "--dtype f16: expected auto, f32 or bf16"},
    {"reuse", {"--reuse", "maybe"}, "--reuse maybe: expected on or off"},
    {"fit", {"--image-fit", "squash"}, "--image-fit squash: expected auto, crop, pad or anyres"},
    {"device", {"--device", "gpu"}, "device gpu: expected cpu, ref, cuda or cuda:N"},
    {"memory", {"--weights-memory", "9999999999"}, "--weights-memory 9999999999: expected a number of MiB"},
    {"threads", {"--threads", "-1"}, "--threads -1: expected 1 or more"},
    {"no prompt of that name", {"--prompt", "vicuna_v9"}, "--prompt vicuna_v9: expected a preset"},
    {"a prompt without <image>", {"--prompt", "{question}"}, "--prompt {question}: expected a preset"},
    {"a prompt without {question}", {"--prompt", "<image>"}, "--prompt <image>: expected a preset"},
    {"the question before the picture", {"--prompt", "{question}<image>"}, "--prompt {question}<image>: expected"},
    {"two pictures", {"--prompt", "<image>{question}<image>"}, "expected <image> once, found it again"},
    {"two questions", {"--prompt", "<image>{question}{question}"}, "expected {question} once, found it again"},
    {"no answer", {"--max-new-tokens", "0"}, "--max-new-tokens 0: expected 1 or more"},
    {"an answer of half the memory", {"--max-new-tokens", "2147483647"}, "fewer than the model's 256 positions"},
};

static void a_value_without_sense_is_one_line_and_writes_nothing(void **state)
{
    fixture *f = *state;
    char *fresh = fixture_path(f, "fresh.db");
    fixture_trace(f, &(trace_call){0});
    assert_done(&f->r, "good values");
    cf_str before = content_of(f->study);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        trace_call call = {.study = fresh};
        memcpy(call.extra, values[i].extra, sizeof call.extra);
        fixture_trace(f, &call);
        assert_refused(&f->r, values[i].name, 1, values[i].say);
        assert_no_study(fresh, values[i].name);
        call.study = NULL;
        fixture_trace(f, &call);
        assert_refused(&f->r, values[i].name, 1, values[i].say);
        assert_study_is(f->study, &before, values[i].name);
    }
    cf_str_deinit(&before);
    free(fresh);
}

/* Of the lens alone. */
static void a_lens_without_sense_is_one_line_and_writes_nothing(void **state)
{
    static const struct {
        const char *option, *value, *say;
    } cases[] = {
        {"--norm", "first", "--norm first: expected last or all"},
        {"--top", "-1", "--top -1: expected 0 to 656, the size of the vocabulary"},
        {"--top", "657", "--top 657: expected 0 to 656, the size of the vocabulary"},
        {"--flow", "Image->", "flow \"Image->\", character 8: expected a group"},
        {"--max-new-tokens", "0", "--max-new-tokens 0: expected 1 or more"},
    };
    fixture *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        RUN(&f->r, "lens", BITES, f->questions, "-o", f->study, "--images", PICTURES, cases[i].option, cases[i].value);
        assert_refused(&f->r, cases[i].value, 1, cases[i].say);
        assert_no_study(f->study, cases[i].value);
    }
}

static void what_is_said_twice_counts_once(void **state)
{
    fixture *f = *state;
    fixture_trace(f, &(trace_call){.extra = {"--window", "3,1,3", "--flow", "Image->Last", "--flow", "image -> last",
                                             "--style", "centre,centre"}});
    assert_done(&f->r, "twice");
    assert_int_equal(fixture_sample(f->study, "Test", 0).n_values, 2 * 5);
}

/* ---- places where no study can be ---- */

static void a_study_that_cannot_be_written_is_one_line(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *path, *say; /* in the fixture's folder */
    } cases[] = {
        {"no/such/study.db", "/no/such/study.db: cannot make the study file: No such file or directory"},
        {"small_Test.csv/study.db", "/small_Test.csv/study.db: cannot open the study: Not a directory"},
        {"folder", "/folder: expected a study file, found a folder"},
        {"pipe", "/pipe: expected a study file, found something else"},
        {"loop", "/loop: cannot open the study: Too many levels of symbolic links"},
    };
    char *folder = fixture_path(f, "folder"), *pipe = fixture_path(f, "pipe"), *loop = fixture_path(f, "loop");
    assert_ok(cf_dir_make(folder, report));
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_int_equal(symlink("loop", loop), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *path = fixture_path(f, cases[i].path);
        fixture_trace(f, &(trace_call){.study = path});
        assert_refused(&f->r, cases[i].path, 1, cases[i].say);
        free(path);
    }
    fixture_trace(f, &(trace_call){.study = ""});
    assert_refused(&f->r, "empty path", 1, ": cannot open the study: No such file or directory");
    free(folder);
    free(pipe);
    free(loop);
}

static void a_file_of_another_kind_is_refused_and_left_alone(void **state)
{
    static const struct {
        const char *name, *content, *say;
    } cases[] = {
        {"text", "Not a study.\n", "expected a crossflow study, found a file that is no SQLite database"},
        {"questions", QUESTION_HEADER, "expected a crossflow study, found a file that is no SQLite database"},
    };
    fixture *f = *state;
    char *csv = fixture_path(f, "csv"), *figure = fixture_path(f, "figure.svg");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        temp_dir_write_text(f->dir, "study.db", cases[i].content);
        cf_str before = content_of(f->study);
        fixture_trace(f, &(trace_call){0});
        assert_refused(&f->r, cases[i].name, 1, cases[i].say);
        RUN(&f->r, "export", f->study, "--csv", csv);
        assert_refused(&f->r, cases[i].name, 1, cases[i].say);
        RUN(&f->r, "show", f->study);
        assert_refused(&f->r, cases[i].name, 1, cases[i].say);
        RUN(&f->r, "figure", f->study, "-o", figure);
        assert_refused(&f->r, cases[i].name, 1, cases[i].say);
        assert_study_is(f->study, &before, cases[i].name);
        assert_false(path_exists(csv) || path_exists(figure));
        cf_str_deinit(&before);
    }
    free(figure);
    free(csv);
}

static void commands_that_read_refuse_a_study_that_is_not_there(void **state)
{
    fixture *f = *state;
    char *csv = fixture_path(f, "csv"), *figure = fixture_path(f, "figure.svg");
    const char *const calls[][6] = {
        {"export", f->study, "--csv", csv}, {"show", f->study}, {"figure", f->study, "-o", figure}};
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        program_run(&f->r, calls[i], NULL);
        assert_refused(&f->r, calls[i][0], 1, "/study.db: cannot open the study: No such file or directory");
    }
    assert_no_study(f->study, "reading");
    assert_false(path_exists(csv) || path_exists(figure));
    free(figure);
    free(csv);
}

int test_bad_options(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_value_without_sense_is_one_line_and_writes_nothing, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(a_lens_without_sense_is_one_line_and_writes_nothing, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(what_is_said_twice_counts_once, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_study_that_cannot_be_written_is_one_line, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_file_of_another_kind_is_refused_and_left_alone, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(commands_that_read_refuse_a_study_that_is_not_there, fixture_setup,
                                        fixture_teardown),
    };
    return cmocka_run_group_tests_name("bad options", tests, NULL, NULL);
}
