/* test_output.c - what the commands print, against reference values and files written down elsewhere. */
#include "cli_fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "support/temp_dir.h"

static const char *string_of(const cf_json *sample, const char *name)
{
    const char *text = cf_json_string(cf_json_get(sample, name));
    assert_non_null(text);
    return text;
}

/* The first sample of each set among transformers' answers. */
static void ask_gives_the_reference_answers(void **state)
{
    fixture *f = *state;
    cf_json *golden = NULL;
    int n = 0;
    assert_ok(cf_json_open(&golden, "tests/engine/golden/demo.json", 16 << 20, report));
    for (const cf_json *s = cf_json_first(cf_json_get(golden, "samples")); s; s = cf_json_next(s)) {
        const char *key = string_of(s, "key");
        if (strcmp(key + strlen(key) - 2, ".0") != 0)
            continue;
        char image[64], answer[64];
        (void)snprintf(image, sizeof image, PICTURES "/%s.jpg", string_of(s, "image"));
        (void)snprintf(answer, sizeof answer, "%s\n\n", string_of(s, "generated"));
        RUN(&f->r, "ask", DEMO, "--image", image, "--question", string_of(s, "question"));
        assert_done(&f->r, key);
        assert_int_equal(f->r.err.n, 0);
        if (strncmp(f->r.out.data, answer, strlen(answer)) != 0)
            fail_msg("%s: expected %sfound %s", key, answer, f->r.out.data);
        int n_tokens = 0, length = 0, id = 0;
        double probability = 0;
        const char *rest = f->r.out.data + strlen(answer);
        assert_int_equal(sscanf(rest, "first token, of %d generated after %d positions: %lf %d", &n_tokens, &length,
                                &probability, &id),
                         4);
        assert_int_equal(n_tokens, cf_json_count(cf_json_get(s, "generated_ids")));
        assert_int_equal(length, (int)cf_json_number(cf_json_get(s, "length"), -1));
        assert_int_equal(id, (int)cf_json_number(cf_json_get(s, "first_token"), -1));
        assert_true(fabs(probability - cf_json_number(cf_json_get(s, "probability"), -1)) < 1e-4);
        n++;
    }
    cf_json_free(golden);
    assert_int_equal(n, 6);
}

static void ask_stops_at_the_longest_answer(void **state)
{
    fixture *f = *state;
    RUN(&f->r, "ask", BITES, "--image", PICTURES "/000024.jpg", "--question", "Is it?", "--max-new-tokens", "3");
    assert_done(&f->r, "three tokens");
    assert_non_null(strstr(f->r.out.data, "first token, of 3 generated after "));
    RUN(&f->r, "ask", BITES, "--image", PICTURES "/000024.jpg", "--question", "Is it?", "--max-new-tokens", "999");
    assert_refused(&f->r, "too many", 1, "999 new tokens: the model has 256 positions");
    RUN(&f->r, "ask", BITES, "--image", PICTURES "/000024.jpg", "--question", "Is it?", "--max-new-tokens", "0");
    assert_refused(&f->r, "none", 1, "--max-new-tokens 0: expected 1 or more");
}

static void one_bad_question_is_one_line(void **state)
{
    static const struct {
        const char *image, *question, *box, *say;
    } cases[] = {
        {"nowhere.jpg", "Is it?", "1,1,9,9", "nowhere.jpg: cannot open: No such file or directory"},
        {"demo", "Is it?", "1,1,9,9", "demo: expected a file, found a folder"},
        {"demo/README.md", "Is it?", "1,1,9,9", "demo/README.md: expected a JPEG or PNG picture, found something else"},
        {"tests/cli/golden/wide.png", "", "1,1,9,9", "expected a text to find among the tokens, found an empty one"},
        {"tests/cli/golden/wide.png", "<image>", "1,1,9,9", "question \"<image>\": it holds <image> itself"},
        {"tests/cli/golden/wide.png", "Is it\nso?", "1,1,9,9", "\"Is it?so?\" does not occur among the "},
        {"tests/cli/golden/wide.png", "\xff\xfe", "1,1,9,9", ""},
        {"tests/cli/golden/wide.png", "Is it?", "80,1,9,9", "box 0 (x 80, y 1, w 9, h 9) does not meet the picture"},
        {"tests/cli/golden/wide.png", "Is it?", "1,1,-9,9", "box 0 (x 1, y 1, w -9, h 9) has a negative extent"},
        {"tests/cli/golden/wide.png", "Is it?", "1,1,9", "--box 1,1,9: expected four numbers x,y,w,h a box"},
        {"tests/cli/golden/wide.png", "Is it?", "1,1,9,x", "--box 1,1,9,x: expected x,y,w,h in pixels"},
        {"tests/cli/golden/wide.png", "Is it?", "1,1,9,", "--box 1,1,9,: expected x,y,w,h in pixels"},
    };
    fixture *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        RUN(&f->r, "tokens", BITES, "--image", cases[i].image, "--question", cases[i].question, "--box", cases[i].box);
        assert_refused(&f->r, cases[i].say, 1, cases[i].say);
        if (strncmp(cases[i].say, "box", 3) == 0 || strncmp(cases[i].say, "--box", 5) == 0)
            continue;
        RUN(&f->r, "ask", BITES, "--image", cases[i].image, "--question", cases[i].question);
        assert_refused(&f->r, cases[i].say, 1, cases[i].say);
    }
}

static void tokens_lists_every_position_as_the_reference_has_it(void **state)
{
    fixture *f = *state;
    cf_str golden = content_of("tests/cli/golden/tokens.txt");
    RUN(&f->r, "tokens", DEMO, "--image", PICTURES "/000024.jpg", "--question", "Is the circle blue or orange?",
        "--box", "247,137,82,82", "--true-option", "orange", "--false-option", "blue", "--object", "circle");
    assert_done(&f->r, "tokens");
    assert_string_equal(f->r.out.data, golden.data);
    assert_int_equal(f->r.err.n, 0);
    cf_str_deinit(&golden);
}

static void tokens_lists_the_groups_that_are_asked_for(void **state)
{
    static const struct {
        const char *group;
        int n;
        const char *spans;
    } lines[] = {
        {"Question - True Option", 6, " [22,27) [28,29)"},
        {"[-3:] + \"blue\"", 4, " [25,26) [41,44)"},
        {"box(0,0,80,80)", 1, " [4,5)"},
        {"\"white\"", 0, ""},
    };
    static const struct {
        const char *group, *say;
    } wrong[] = {
        {"Nowhere", "group \"Nowhere\", character 1: expected a group, found \"Nowhere\""},
        {"Image,", "expected a group"},
        {"box(1,2,3)", "character "},
        {"box(336,0,9,9)", "does not meet the picture"},
    };
    fixture *f = *state;
    RUN(&f->r, "tokens", BITES, "--image", PICTURES "/000024.jpg", "--question", "Is the circle blue or orange?",
        "--true-option", "orange", "--group", "question-true option", "--group", "[-3:]+\"blue\",box(0,0,80,80)",
        "--group", "\"white\"");
    assert_done(&f->r, "groups");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        char line[96];
        (void)snprintf(line, sizeof line, "\n%-42s %9d %s\n", lines[i].group, lines[i].n, lines[i].spans);
        if (!strstr(f->r.out.data, line))
            fail_msg("expected \"%s\" in: %s", line, f->r.out.data);
    }
    RUN(&f->r, "tokens", BITES, "--image", PICTURES "/000024.jpg", "--question", "Is it it?", "--object", "it",
        "--false-option", "no");
    assert_done(&f->r, "notes");
    assert_non_null(strstr(f->r.out.data,
                           "\n\nFalse Option \"no\" does not occur after the picture\n"
                           "Central Object \"it\" occurs 2 times after the picture: the first is taken\n"));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        RUN(&f->r, "tokens", BITES, "--image", PICTURES "/000024.jpg", "--question", "Is it?", "--group",
            wrong[i].group);
        assert_refused(&f->r, wrong[i].group, 1, wrong[i].say);
    }
}

static void flows_explains_the_grammar_and_reads_flows(void **state)
{
    fixture *f = *state;
    RUN(&f->r, "flows");
    assert_done(&f->r, "flows");
    assert_ptr_equal(strstr(f->r.out.data, "A flow says what is done to the model in a run;"), f->r.out.data);
    RUN(&f->r, "flows", "--flow", "image->LAST", "--flow", "keep:Image->Question&Question->Last", "--flow",
        "image->last");
    assert_done(&f->r, "two flows, one twice");
    assert_string_equal(f->r.out.data, "Image->Last\nkeep: Image->Question & Question->Last\n");
}

static void info_says_what_a_model_is_and_what_a_study_takes(void **state)
{
    static const char *const model[] = {
        "model          demo/model (llava)\n",
        "parameters     7.3 M, 13.9 MiB in the files\n",
        "decoder        12 layers, width 192, 6 heads of 32 (6 kv), mlp 512, vocabulary 656, 512 positions\n",
        "vision tower   4 of 5 layers run, width 160, 168x168 pixels, patches of 14: 144 image positions\n",
        "picture fit    crop\n",
        "products in    f32",
    };
    fixture *f = *state;
    RUN(&f->r, "info", DEMO, "--dtype", "f32");
    assert_done(&f->r, "info");
    for (size_t i = 0; i < sizeof model / sizeof *model; i++)
        if (!strstr(f->r.out.data, model[i]))
            fail_msg("expected \"%s\" in: %s", model[i], f->r.out.data);
    assert_null(strstr(f->r.out.data, "questions "));
    RUN(&f->r, "info", DEMO, "demo/questions", "--window", "3", "--limit", "2", "--flow", "Question->Last");
    assert_done(&f->r, "info with questions");
    /* The first by picture has 179 positions. A cut of Question->Last touches the last row alone, from the window's
     * first layer up: centres 0 to 11 begin at layers 0, 0, 1, ... 10, which makes 12 + 12 + 11 + ... + 2 rows; the
     * first two windows, [0, 2) and [0, 3), share the rows of layers 0 and 1. */
    assert_non_null(strstr(f->r.out.data, "questions      12; a typical one has 179 positions\n"));
    assert_non_null(strstr(f->r.out.data, "runs           12 a question; rows from position 178 on are recomputed\n"));
    assert_non_null(strstr(f->r.out.data, "row-layers     2235 a question (baseline 2148, sweep 87); "
                                          "one pass per run would take 27924, 12.5 times as many\n"));
}

/* The columns of the published scripts, spelled as they are there. */
static void export_writes_the_published_columns(void **state)
{
    static const char header[] = "question_id,image,goden answer,predicted answer,question,block_desc,layer,"
                                 "base_score_first,new_score_first,relative diff first\n";
    static const char *const names[] = {"Image-to-Last",
                                        "Image-to-Question",
                                        "Image_Central_Object-to-Question",
                                        "Image_Without_Central_Object-to-Question",
                                        "Last-to-Last",
                                        "Question-to-Last"};
    fixture *f = *state;
    char *csv = fixture_path(f, "csv");
    fixture_trace(f, &(trace_call){.extra = {"--window", "1,3"}});
    assert_done(&f->r, "trace");
    RUN(&f->r, "export", f->study, "--csv", csv);
    assert_done(&f->r, "export");
    assert_int_equal(f->r.out.n, 0);
    assert_non_null(strstr(f->r.err.data, "/csv: 12 CSV files\n"));
    for (size_t i = 0; i < 12; i++) {
        char name[80];
        (void)snprintf(name, sizeof name, "Test_%s_k%d.csv", names[i / 2], i % 2 ? 3 : 1);
        char *path = temp_dir_path(csv, name);
        cf_str text = content_of(path);
        int lines = 0, columns = 1;
        for (const char *c = text.data; *c; c++)
            lines += *c == '\n';
        assert_int_equal(lines, 1 + 3 * 5); /* three questions, five layers */
        assert_memory_equal(text.data, header, sizeof header - 1);
        const char *second = text.data + sizeof header - 1;
        assert_memory_equal(second, "0,000024.jpg,orange,", 20);
        for (const char *c = second; *c != '\n'; c++)
            columns += *c == ',';
        assert_int_equal(columns, 10);
        cf_str_deinit(&text);
        free(path);
    }
    free(csv);
}

static void output_that_cannot_be_written_is_one_line(void **state)
{
    fixture *f = *state;
    char *csv = fixture_path(f, "small_Test.csv/csv");
    fixture_trace(f, &(trace_call){0});
    assert_done(&f->r, "trace");
    RUN(&f->r, "export", f->study, "--csv", csv);
    assert_refused(&f->r, "a folder below a file", 1, "/small_Test.csv/csv: cannot make the folder: Not a directory");
    RUN(&f->r, "export", f->study, "--csv", f->questions);
    assert_refused(&f->r, "a file for a folder", 1, "/small_Test.csv: expected a folder, found something else");
    free(csv);
    if (!path_exists("/dev/full"))
        skip();
    const char *const calls[][8] = {
        {"info", BITES},
        {"flows"},
        {"show", f->study},
        {"tokens", BITES, "--image", PICTURES "/000024.jpg", "--question", "Is it?"},
        {"ask", BITES, "--image", PICTURES "/000024.jpg", "--question", "Is it?"},
    };
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        program_run(&f->r, calls[i], &(program_setting){.out = "/dev/full"});
        assert_refused(&f->r, calls[i][0], 1, "crossflow: standard output cannot be written\n");
    }
}

int test_output(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(ask_gives_the_reference_answers, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(ask_stops_at_the_longest_answer, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(one_bad_question_is_one_line, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(tokens_lists_every_position_as_the_reference_has_it, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(tokens_lists_the_groups_that_are_asked_for, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(flows_explains_the_grammar_and_reads_flows, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(info_says_what_a_model_is_and_what_a_study_takes, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(export_writes_the_published_columns, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(output_that_cannot_be_written_is_one_line, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests_name("output", tests, NULL, NULL);
}
