/* test_map.c - crossflow map, from the question to the exported table: against transformers' values
 * (tests/cli/golden/maps_*.json), against trace, and taken up where it was left. */
#include "golden_study.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "map_values.h"
#include "support/temp_dir.h"
#include "support/thin.h"

enum { ALL_ROWS = 999, MAX_ARGUMENTS = 40 };

/* ---- against transformers ---- */

/* The numbers of one kind of cell whose flow ends in `to`, compared; returns how many. */
static int64_t compare_cells(const golden_study *g, const map_values *v, const char *kind, const char *to,
                             double *worst)
{
    static const struct {
        const char *name;
        cf_measure measure;
        double bound;
    } measures[] = {{"probability", CF_MEASURE_PROBABILITY, 1e-5}, {"difference", CF_MEASURE_DIFFERENCE, 1e-4}};
    int64_t n = 0;
    for (size_t l = 0; l < g->n_lines; l++) {
        const cf_json *sample = golden_sample(g, g->lines[l]);
        for (const cf_json *c = cf_json_first(cf_json_get(sample, "cells")); c; c = cf_json_next(c)) {
            const char *flow = text_of(c, "flow"), *target = strstr(flow, "->");
            if (strcmp(text_of(c, "map"), kind) != 0 || (to && strcmp(target + 2, to) != 0))
                continue;
            for (size_t m = 0; m < sizeof measures / sizeof *measures; m++) {
                int32_t layer = 0;
                for (const cf_json *p = cf_json_first(cf_json_get(c, measures[m].name)); p; p = cf_json_next(p)) {
                    const map_value *found =
                        map_values_find(v, text_of(sample, "task"), (int64_t)number_of(sample, "row"), flow, layer++,
                                        measures[m].measure);
                    if (!found)
                        fail_msg("%s at %d: not in the study", flow, layer - 1);
                    const double off = fabs(found->value - cf_json_number(p, 0));
                    if (!(off <= measures[m].bound))
                        fail_msg("%s row %d, %s at %d, %s: expected %.9g, found %.9g", text_of(sample, "task"),
                                 (int)found->row, flow, layer - 1, measures[m].name, cf_json_number(p, 0),
                                 found->value);
                    worst[m] = fmax(worst[m], off);
                    n++;
                }
            }
        }
    }
    return n;
}

/* Runs the map of the golden's questions and compares it. */
static void check_map(fixture *f, golden_study *g, const char *model, const char *kind, const char *to,
                      const char *const *extra)
{
    const char *args[MAX_ARGUMENTS] = {"map",    model, g->questions,       "-o", f->study, "--images", PICTURES,
                                       "--keep", "all", "--max-new-tokens", "8"};
    size_t n = 0;
    double worst[2] = {0};
    while (args[n])
        n++;
    while (*extra)
        args[n++] = *extra++;
    program_run(&f->r, args, NULL);
    assert_done(&f->r, kind);
    map_values v = map_values_of(f->study);
    golden_study_read(g, f, f->study);
    const int64_t compared = compare_cells(g, &v, kind, to, worst);
    assert_true(compared > 0);
    print_message("[          ] %s, %s%s%s: %d samples, %d numbers of %d; off by at most %.1e, differences %.1e\n",
                  model, kind, to ? " to " : "", to ? to : "", (int)g->n_lines, (int)compared, (int)v.n, worst[0],
                  worst[1]);
    map_values_drop(&v);
    assert_int_equal(remove(f->study), 0);
}

static void maps_of_the_random_model_are_the_references(void **state)
{
    fixture *f = *state;
    golden_study g;
    golden_study_open(&g, f, BITES, "tests/cli/golden/maps_bites.json", ALL_ROWS);
    check_map(f, &g, BITES, "patches", "Question", (const char *const[]){"--window", "3", NULL});
    check_map(f, &g, BITES, "patches", "Last", (const char *const[]){"--window", "3", "--to", "last", NULL});
    check_map(f, &g, BITES, "tiles", "Question", (const char *const[]){"--window", "3", "--tile", "3", NULL});
    check_map(f, &g, BITES, "heads", NULL, (const char *const[]){"--window", "3", "--heads", NULL});
    check_map(f, &g, BITES, "tokens", NULL, (const char *const[]){"--tokens", "--tile", "3", "--layers", "1:3", NULL});
    golden_study_close(&g);
}

/* Every patch at every layer takes long where a test should not: of two questions and of one alone, by map; the references'
 * patches of all questions are measured below. */
static void maps_of_the_demo_are_the_references(void **state)
{
    fixture *f = *state;
    if (THIN) /* the random model's maps are enough of the same code */
        skip();
    golden_study g;
    golden_study_open(&g, f, DEMO, "tests/cli/golden/maps_demo.json", ALL_ROWS);
    check_map(f, &g, DEMO, "tiles", "Question", (const char *const[]){"--window", "3", "--tile", "5", NULL});
    check_map(f, &g, DEMO, "heads", NULL, (const char *const[]){"--window", "3", "--heads", NULL});
    check_map(f, &g, DEMO, "tokens", NULL, (const char *const[]){"--tokens", "--tile", "5", "--layers", "3:7", NULL});
    golden_study_close(&g);
    char *questions = fixture_path(f, "golden");
    temp_dir_remove(questions);
    golden_study_open(&g, f, DEMO, "tests/cli/golden/maps_demo.json", 1);
    check_map(f, &g, DEMO, "patches", "Last", (const char *const[]){"--window", "3", "--to", "Last", NULL});
    char *second = fixture_path(f, "golden/shapes_ChooseRel.csv");
    assert_int_equal(remove(second), 0);
    free(second);
    g.n_samples--;
    check_map(f, &g, DEMO, "patches", "Question", (const char *const[]){"--window", "3", NULL});
    golden_study_close(&g);
}

/* The flows of a map are those of trace: here of all questions at all layers. */
static void single_patches_of_the_demo_are_the_references(void **state)
{
    fixture *f = *state;
    if (THIN)
        skip();
    golden_study g;
    cf_str flows = {0};
    double worst[2] = {0};
    golden_study_open(&g, f, DEMO, "tests/cli/golden/maps_demo.json", ALL_ROWS);
    for (const cf_json *s = cf_json_first(cf_json_get(g.golden, "samples")); s; s = cf_json_next(s))
        for (const cf_json *c = cf_json_first(cf_json_get(s, "cells")); c; c = cf_json_next(c))
            if (strcmp(text_of(c, "map"), "patches") == 0)
                assert_ok(cf_str_addf(&flows, report, "%s%s", flows.n ? "," : "", text_of(c, "flow")));
    RUN(&f->r, "trace", DEMO, g.questions, "-o", f->study, "--images", PICTURES, "--keep", "all", "--max-new-tokens",
        "8", "--window", "3", "--score", "difference", "--flows", flows.data);
    assert_done(&f->r, "trace");
    golden_study_read(&g, f, f->study);
    map_values v = map_values_of(f->study);
    const int64_t n = compare_cells(&g, &v, "patches", NULL, worst);
    print_message("[          ] %d samples, %d numbers; off by at most %.1e, differences %.1e\n", (int)g.n_lines,
                  (int)n, worst[0], worst[1]);
    assert_int_equal(g.n_lines, 10);
    assert_true(n >= 10 * (3 + 1) * 12); /* three patches or more cut from the question, one from the last position */
    map_values_drop(&v);
    cf_str_deinit(&flows);
    golden_study_close(&g);
}

/* ---- against trace ---- */

#define NEXT "tests/family/golden/next-llama2-1"
#define NEXT_PICTURES "tests/family/golden/pictures"
#define NEXT_QUESTION "Is the circle blue or orange?"

/* The first positions of the lines of patches that `tokens` prints: the base tile's, then the high-resolution ones. */
static size_t patch_lines(fixture *f, int32_t *begins, size_t cap, size_t *n_base)
{
    size_t n = 0;
    *n_base = 0;
    RUN(&f->r, "tokens", NEXT, "--image", NEXT_PICTURES "/672x336.png", "--question", NEXT_QUESTION);
    assert_done(&f->r, "tokens");
    for (const char *line = f->r.out.data; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        int at = 0;
        long long begin = 0;
        if (sscanf(line, "%lld%n", &begin, &at) != 1 || strncmp(line + at, "           .", 12) != 0)
            continue;
        const char *end = strchr(line, '\n'), *newline = memchr(line, '|', (size_t)(end - line));
        assert_true(n < cap);
        *n_base += !newline;
        begins[n++] = (int32_t)begin;
    }
    return n;
}

static void add_position(cf_str *flows, int32_t position)
{
    assert_ok(cf_str_addf(flows, report, "%s[%d]->Question", flows->n ? "," : "", (int)position));
}

/* Positions as the listing has them, each run from scratch: nothing of the map's own is in that. */
static void patches_of_high_resolution_tiles_are_the_positions_that_tokens_shows(void **state)
{
    fixture *f = *state;
    enum { COLUMNS_BASE = 2, COLUMNS_HD = 4, LAYERS = 3 };
    int32_t begins[16];
    size_t n_base = 0;
    const size_t n = patch_lines(f, begins, sizeof begins / sizeof *begins, &n_base);
    char *other = fixture_path(f, "other.db");
    cf_str flows = {0};
    assert_int_equal(n_base, 2);
    assert_int_equal(n, 2 + 2);
    for (size_t r = 0; r < n; r++)
        for (int32_t c = 0; c < (r < n_base ? COLUMNS_BASE : COLUMNS_HD); c++)
            add_position(&flows, begins[r] + c);
    temp_dir_write_text(f->dir, "next_Test.csv", QUESTION_HEADER "0,672x336.png," NEXT_QUESTION ",orange,-,-,-,-\n");
    char *questions = fixture_path(f, "next_Test.csv");
    RUN(&f->r, "trace", NEXT, questions, "-o", other, "--images", NEXT_PICTURES, "--keep", "all", "--max-new-tokens",
        "2", "--window", "1", "--flows", flows.data, "--reuse", "off", "--score", "first");
    assert_done(&f->r, "trace");
    RUN(&f->r, "map", NEXT, questions, "-o", f->study, "--images", NEXT_PICTURES, "--keep", "all", "--max-new-tokens",
        "2", "--window", "1");
    assert_done(&f->r, "map");
    map_values scratch = map_values_of(other), map = map_values_of(f->study);
    assert_int_equal(map.n, (n_base * COLUMNS_BASE + (n - n_base) * COLUMNS_HD) * LAYERS);
    assert_int_equal(scratch.n, map.n);
    const double baseline = fixture_sample(f->study, "Test", 0).probability;
    double moved = 0;
    for (size_t r = 0; r < n; r++)
        for (int32_t c = 0; c < (r < n_base ? COLUMNS_BASE : COLUMNS_HD); c++)
            for (int32_t layer = 0; layer < LAYERS; layer++) {
                char patch[64], position[64];
                (void)snprintf(patch, sizeof patch, "%s(%d,%d)->Question", r < n_base ? "patch" : "hd",
                               (int)(r < n_base ? r : r - n_base), (int)c);
                (void)snprintf(position, sizeof position, "[%d]->Question", (int)(begins[r] + c));
                const map_value *a = map_values_find(&map, "Test", 0, patch, layer, CF_MEASURE_PROBABILITY);
                const map_value *b = map_values_find(&scratch, "Test", 0, position, layer, CF_MEASURE_PROBABILITY);
                assert_true(a && b && a->flag == CF_VALUE_OK);
                if (fabs(a->value - b->value) > 1e-6)
                    fail_msg("%s at %d: %.9g, from scratch %.9g", patch, (int)layer, a->value, b->value);
                moved = fmax(moved, fabs(a->value - baseline));
            }
    assert_true(moved > 1e-4); /* the cuts bite */
    map_values_drop(&scratch);
    map_values_drop(&map);
    cf_str_deinit(&flows);
    free(questions);
    free(other);
}

/* A question that is in no file has the values that it has in a set, and from scratch those of the sweep. */
static void a_single_question_is_measured_as_in_its_set(void **state)
{
    fixture *f = *state;
    char *other = fixture_path(f, "other.db");
    RUN(&f->r, "map", BITES, f->questions, "-o", other, "--images", PICTURES, "--keep", "all", "--max-new-tokens", "2",
        "--window", "3", "--limit", "1", "--score", "whole");
    assert_done(&f->r, "map of a set");
    RUN(&f->r, "map", BITES, "--image", PICTURES "/000024.jpg", "--question", "Is the circle blue or orange?", "-o",
        f->study, "--max-new-tokens", "2", "--window", "3", "--reuse", "off", "--score", "whole");
    assert_done(&f->r, "map of a question");
    assert_non_null(strstr(f->r.err.data, "map            patches, Question: "));
    assert_non_null(strstr(f->r.err.data, "\nruns           "));
    assert_non_null(strstr(f->r.err.data, " runs (100 %), "));
    map_values set = map_values_of(other), single = map_values_of(f->study);
    assert_int_equal(set.n, single.n);
    assert_int_equal(set.n, 2 * 16 * 5); /* the first token, and the whole answer */
    for (size_t i = 0; i < single.n; i++) {
        const map_value *x = &single.items[i];
        const map_value *y = map_values_find(&set, "Test", 0, x->flow, x->layer, x->measure);
        assert_string_equal(x->task, "question");
        if (!y || fabs(x->value - y->value) > 1e-6)
            fail_msg("%s at %d: %.9g, in a set %.9g", x->flow, (int)x->layer, x->value, y ? y->value : (double)NAN);
    }
    map_values_drop(&set);
    map_values_drop(&single);
    free(other);
}

static void what_a_map_costs_is_said_without_running_it(void **state)
{
    fixture *f = *state;
    RUN(&f->r, "map", BITES, f->questions, "--images", PICTURES, "--window", "3", "--cost");
    assert_done(&f->r, "map --cost");
    assert_non_null(strstr(f->r.out.data, "map            patches, Question: 16 patches x 5 layers; base 4x4\n"
                                          "runs           80 a question, 240 in all\n"
                                          "row-layers     "));
    assert_non_null(strstr(f->r.out.data, "GFLOP/s measured)\n"));
    assert_no_study(f->study, "map --cost");
}

/* ---- taken up where it was left ---- */

/* Opens a study to continue it, with the facts that decide its numbers as they are. */
static cf_store *continue_study(const char *path)
{
    static const char *const keys[] = {"checkpoint",    "tokenizer", "questions Test", "study",    "prompt",
                                       "prompt tokens", "image fit", "image values",   "windows",  "window styles",
                                       "layers",        "map",       "map to",         "map tile", "map grids",
                                       "scores",        "generate",  "max new tokens", "device",   "dtype",
                                       "reuse",         "keep"};
    enum { N_KEYS = sizeof keys / sizeof *keys };
    cf_str values[N_KEYS] = {0};
    cf_fact facts[N_KEYS];
    cf_store *s = NULL;
    assert_ok(cf_store_open(&s, path, report));
    for (size_t i = 0; i < N_KEYS; i++) {
        bool found = false;
        assert_ok(cf_store_fact(s, keys[i], &values[i], &found, report));
        assert_true(found);
        facts[i] = (cf_fact){keys[i], values[i].data, true};
    }
    cf_store_close(s);
    assert_ok(cf_store_create(&s, path, facts, N_KEYS, report));
    for (size_t i = 0; i < N_KEYS; i++)
        cf_str_deinit(&values[i]);
    return s;
}

static void map_first(fixture *f, const char *study, const char *limit)
{
    RUN(&f->r, "map", BITES, f->questions, "-o", study, "--images", PICTURES, "--keep", "all", "--max-new-tokens", "2",
        "--window", "3", "--limit", limit, "--score", "first");
    assert_done(&f->r, limit);
}

/* The second question was left with all of its runs known, or all but one: these values are not measured again, but in the
 * second case they are, since a portion is measured whole. The numbers kept here are none that the model would give. */
static void a_question_that_was_left_is_taken_up_from_what_is_known(void **state)
{
    fixture *f = *state;
    char *whole = fixture_path(f, "whole.db");
    map_first(f, whole, "2");
    map_values expected = map_values_of(whole);
    const size_t n_runs = expected.n / 2;
    for (size_t n_known = n_runs - 1; n_known <= n_runs; n_known++) {
        cf_value *known = calloc(n_known, sizeof *known);
        assert_non_null(known);
        for (size_t i = 0; i < n_known; i++)
            known[i] = (cf_value){(int64_t)i + 1, CF_MEASURE_PROBABILITY, 0.5, CF_VALUE_OK};
        map_first(f, f->study, "1");
        cf_store *s = continue_study(f->study);
        assert_ok(cf_store_put_unfinished(s, "Test", 1, known, n_known / 2, report));
        assert_ok(cf_store_put_unfinished(s, "Test", 1, known, n_known, report)); /* more of them later on */
        cf_store_close(s);
        map_first(f, f->study, "2");
        assert_non_null(strstr(f->r.err.data, "continued"));
        map_values found = map_values_of(f->study);
        assert_int_equal(found.n, expected.n);
        for (size_t i = 0; i < found.n; i++) {
            const map_value *x = &found.items[i];
            const bool kept = x->row == 1 && n_known == n_runs;
            assert_true(x->value == (kept ? 0.5 : expected.items[i].value));
        }
        map_values_drop(&found);
        free(known);
        assert_int_equal(remove(f->study), 0);
    }
    map_values_drop(&expected);
    free(whole);
}

/* ---- shown and exported ---- */

static int64_t count_lines(const char *text)
{
    int64_t n = 0;
    for (; *text; text++)
        n += *text == '\n';
    return n;
}

static void a_map_is_shown_by_its_strongest_patches_and_exported_as_one_table(void **state)
{
    fixture *f = *state;
    char *dir = fixture_path(f, "csv"), *table = fixture_path(f, "csv/map.csv");
    map_first(f, f->study, "1");
    RUN(&f->r, "show", f->study);
    assert_done(&f->r, "show");
    assert_non_null(strstr(f->r.out.data, "\nmap          patches\nmap to       Question\nmap tile     1\n"));
    assert_non_null(strstr(f->r.out.data,
                           "\nTest, window 3, 1 sample: change of the answer's probability (%)\n\nlayer strongest\n"));
    assert_non_null(strstr(f->r.out.data, "\nbase tile, 4 x 4\n"));
    assert_null(strstr(f->r.out.data, "patch(0,0)->Question")); /* no row a flow */
    RUN(&f->r, "export", f->study, "--csv", dir);
    assert_done(&f->r, "export");
    cf_str text = content_of(table);
    assert_int_equal(count_lines(text.data), 1 + 16 * 5);
    assert_non_null(strstr(text.data, ",patches,Question,base,3,2,1,1,,,3,4,\"patch(3,2)->Question\",probability,"));
    cf_str_deinit(&text);
    free(table);
    free(dir);
}

int test_map(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(maps_of_the_random_model_are_the_references, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(maps_of_the_demo_are_the_references, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(single_patches_of_the_demo_are_the_references, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(patches_of_high_resolution_tiles_are_the_positions_that_tokens_shows,
                                        fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_single_question_is_measured_as_in_its_set, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(what_a_map_costs_is_said_without_running_it, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_question_that_was_left_is_taken_up_from_what_is_known, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(a_map_is_shown_by_its_strongest_patches_and_exported_as_one_table,
                                        fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests_name("maps", tests, NULL, NULL);
}
