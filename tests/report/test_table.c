/* test_table.c - the study as text: compared whole. */
#include "report_fixture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/table.h"
#include "support/fail_alloc.h"

#define ATTR                                                                                                           \
    "\nChooseAttr, window 3, 2 samples: change of the answer's probability (%)\n\n"                                    \
    "layer               0     1     2\n"                                                                              \
    "Image->Question -55.0 -25.0   0.0\n"                                                                              \
    "Last->Last        0.0   7.0   8.0\n\n"                                                                            \
    "Image->Question: strongest at layer 0 (-55.0 %), layers 0-1 at or below -5 %\n"                                   \
    "Last->Last: strongest at layer 2 (8.0 %), layers 1-2 at or above 5 %\n"

#define QUERY                                                                                                          \
    "\nQueryAttr, window 3, 2 samples: change of the answer's probability (%)\n\n"                                     \
    "layer               0     1     2\n"                                                                              \
    "Image->Question -15.0   0.0  -3.0\n"                                                                              \
    "Last->Last        0.0   0.0   0.0\n\n"                                                                            \
    "Image->Question: strongest at layer 0 (-15.0 %), layer 0 at or below -5 %\n"                                      \
    "Last->Last: no change at any layer\n"

#define COUNTS                                                                                                         \
    "samples      4 done, 0 wrong, 0 fault\n"                                                                          \
    "notes        0 samples with notes\n"                                                                              \
    "values       0 empty_group (in the means, as no change), 0 no_visible_edge\n"                                     \
    "             without a number: 0 fully_cut, 0 too_few_keys\n"

static void a_study_of_two_tasks_is_shown_task_by_task_and_together(void **state)
{
    const fixture *f = *state;
    fixture_small_study(f->store);
    fixture_assert_table(f->store, NULL,
                         FIXTURE_HEAD COUNTS ATTR QUERY
                         "\nall tasks, window 3, 4 samples: change of the answer's probability (%)\n\n"
                         "layer               0     1     2\n"
                         "Image->Question -35.0 -12.5  -1.5\n"
                         "Last->Last        0.0   3.5   4.0\n\n"
                         "Image->Question: strongest at layer 0 (-35.0 %), layers 0-1 at or below -5 %\n"
                         "Last->Last: strongest at layer 2 (4.0 %), every layer within 5 %\n");
}

static void one_task_or_window_can_be_asked_for(void **state)
{
    const fixture *f = *state;
    fixture_small_study(f->store);
    cf_table_options o = cf_table_options_default();
    o.task = "QueryAttr";
    o.window = 3;
    fixture_assert_table(f->store, &o, FIXTURE_HEAD COUNTS QUERY);
    static const struct {
        const char *task;
        int32_t window;
    } absent[] = {{"QueryAttr", 9}, {"all", 3}, {"Query", 0}, {NULL, 9}};
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++) {
        cf_str text = {0};
        cf_error err = {0};
        o = (cf_table_options){.task = absent[i].task, .window = absent[i].window};
        assert_int_equal(cf_table_write(f->store, &text, &o, &err), CF_USAGE);
        assert_null(text.data);
        assert_non_null(strstr(err.text, "no curve of "));
    }
}

static void counts_faults_and_flags_are_told(void **state)
{
    const fixture *f = *state;
    fixture_runs(f->store, "Image->Last", 1, 2);
    const cf_value values[] = {{1, CF_MEASURE_PROBABILITY, 0.5, CF_VALUE_EMPTY_GROUP},
                               {2, CF_MEASURE_PROBABILITY, (double)NAN, CF_VALUE_FULLY_CUT}};
    const cf_value next[] = {{1, CF_MEASURE_PROBABILITY, 0.25, CF_VALUE_OK},
                             {2, CF_MEASURE_PROBABILITY, (double)NAN, CF_VALUE_FULLY_CUT}};
    cf_sample x = {.task = "A\x1b[31m", .row = 0, .probability = 0.5};
    assert_ok(cf_store_put_sample(f->store, &x, &(cf_results){.values = values, .n_values = 2}, report));
    x.row = 1;
    assert_ok(cf_store_put_sample(f->store, &x, &(cf_results){.values = next, .n_values = 2}, report));
    x.status = CF_SAMPLE_FAULT;
    for (x.row = 10; x.row < 33; x.row++) {
        char reason[] = "picture a";
        reason[8] = (char)(x.row < 13 ? 'z' : 'a' + x.row % 12);
        x.reason = reason;
        assert_ok(cf_store_put_sample(f->store, &x, NULL, report));
    }
    x.status = CF_SAMPLE_WRONG;
    x.reason = "";
    assert_ok(cf_store_put_sample(f->store, &x, NULL, report));
    const char *samples = "samples      2 done, 1 wrong, 23 fault\n"
                          "  fault     3  picture z\n"
                          "  fault     2  picture b\n"
                          "  fault     2  picture c\n"
                          "  fault     2  picture d\n"
                          "  fault     2  picture e\n"
                          "  fault     2  picture f\n"
                          "  fault     2  picture g\n"
                          "  fault     2  picture h\n"
                          "  fault     2  picture i\n"
                          "  fault     1  picture a\n"
                          "  fault        and 3 other reasons\n"
                          "notes        0 samples with notes\n";
    cf_str expected = {0};
    assert_ok(cf_str_addf(&expected, report, "%s%s%s", FIXTURE_HEAD, samples,
                          "values       1 empty_group (in the means, as no change), 0 no_visible_edge\n"
                          "             without a number: 2 fully_cut, 0 too_few_keys\n"
                          "\nA?[31m, window 1, 0 to 2 samples: change of the answer's probability (%)\n\n"
                          "layer           0     1\n"
                          "Image->Last -25.0     -\n\n"
                          "Image->Last: strongest at layer 0 (-25.0 %), layer 0 at or below -5 %\n"));
    fixture_assert_table(f->store, NULL, expected.data);
    cf_str_clear(&expected);
    assert_ok(cf_str_addf(&expected, report, "%s%s%s", FIXTURE_HEAD, samples,
                          "values       1 empty_group (left out of means), 0 no_visible_edge\n"
                          "             without a number: 2 fully_cut, 0 too_few_keys\n"
                          "\nA?[31m, window 1, 0 to 1 samples: change of the answer's probability (%)\n\n"
                          "layer           0     1\n"
                          "Image->Last -50.0     -\n\n"
                          "Image->Last: strongest at layer 0 (-50.0 %), layer 0 at or below -5 %\n"));
    fixture_assert_table(f->store, &(cf_table_options){.drop_empty = true}, expected.data);
    cf_str_deinit(&expected);
}

static void the_reading_names_every_range_of_notable_layers(void **state)
{
    const fixture *f = *state;
    static const double change[11] = {-5, -4.96, -4.94, -9, 0, -5.1, 5, -7, -8, 30, (double)NAN};
    fixture_runs(f->store, "Image->Last", 9, 11);
    fixture_sample(f->store, "A", 0, change, 11);
    fixture_assert_table(f->store, NULL,
                         FIXTURE_HEAD
                         "samples      1 done, 0 wrong, 0 fault\n"
                         "notes        0 samples with notes\n"
                         "values       0 empty_group (in the means, as no change), 0 no_visible_edge\n"
                         "             without a number: 1 fully_cut, 0 too_few_keys\n"
                         "\nA, window 9, 0 to 1 samples: change of the answer's probability (%)\n\n"
                         "layer           0     1     2     3     4     5     6     7     8     9    10\n"
                         "Image->Last  -5.0  -5.0  -4.9  -9.0   0.0  -5.1   5.0  -7.0  -8.0  30.0     -\n\n"
                         "Image->Last: strongest at layer 9 (30.0 %), layers 0-1, 3, 5 and 7-8 at or below -5 %, "
                         "layers 6 and 9 at or above 5 %\n");
}

static void a_run_without_any_number_is_said_to_have_none(void **state)
{
    const fixture *f = *state;
    static const double change[2] = {(double)NAN, (double)NAN};
    fixture_runs(f->store, "Image->Last", 2, 2);
    fixture_sample(f->store, "A", 0, change, 2);
    cf_str text = {0};
    assert_ok(cf_table_write(f->store, &text, NULL, report));
    assert_non_null(strstr(text.data, "Image->Last: no number at any layer\n"));
    cf_str_deinit(&text);
}

/* Many layers, the longest names and the widest numbers: no line of a table passes 120 columns or 12 layers. */
static void many_layers_wrap_into_even_blocks(void **state)
{
    const fixture *f = *state;
    enum { LAYERS = 36 };
    static const char *const flows[] = {"Question->Last", "Image Without Central Object->Question"};
    double change[2 * LAYERS];
    for (int i = 0; i < 2 * LAYERS; i++)
        change[i] = -100.0;
    for (int i = 0; i < 2; i++)
        fixture_runs(f->store, flows[i], 9, LAYERS);
    fixture_sample(f->store, "A", 0, change, 2 * LAYERS);
    cf_str text = {0};
    assert_ok(cf_table_write(f->store, &text, NULL, report));
    int n_heads = 0;
    for (const char *line = strstr(text.data, "\nA, window"); line; line = strchr(line, '\n')) {
        line++;
        const char *end = strchr(line, '\n');
        if (!end)
            break;
        assert_true(end - line <= 120);
        n_heads += strncmp(line, "layer ", 6) == 0;
    }
    assert_int_equal(n_heads, 4); /* 11 columns of 7 fit beside the name: 36 layers are four blocks of nine */
    assert_non_null(strstr(text.data, "      8\nQuestion"));
    assert_non_null(strstr(text.data, "     35\nQuestion"));
    cf_str_deinit(&text);
}

static void an_empty_study_has_a_head_and_no_table(void **state)
{
    const fixture *f = *state;
    fixture_assert_table(f->store, NULL,
                         FIXTURE_HEAD "samples      0 done, 0 wrong, 0 fault\n"
                                      "notes        0 samples with notes\n"
                                      "values       0 empty_group (in the means, as no change), 0 no_visible_edge\n"
                                      "             without a number: 0 fully_cut, 0 too_few_keys\n");
}

static void every_failed_allocation_is_reported(void **state)
{
    const fixture *f = *state;
    fixture_small_study(f->store);
    const double answer = 0.5;
    fixture_lens_sample(f->store, "A", 8, &answer, 1, true);
    const cf_sample fault = {
        .task = "A", .row = 9, .status = CF_SAMPLE_FAULT, .reason = "none", .notes = "a note\nand 1 \"more\""};
    assert_ok(cf_store_put_sample(f->store, &fault, NULL, report));
    for (int64_t nth = 1;; nth++) {
        cf_str text = {0};
        fail_alloc_at(nth);
        const cf_status st = cf_table_write(f->store, &text, NULL, NULL);
        const bool failed = fail_alloc_off();
        if (failed)
            assert_null(text.data);
        assert_int_equal(st, failed ? CF_NOMEM : CF_OK);
        cf_str_deinit(&text);
        if (!failed) {
            assert_true(nth > 20);
            break;
        }
    }
}

int test_table(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_study_of_two_tasks_is_shown_task_by_task_and_together, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(one_task_or_window_can_be_asked_for, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(counts_faults_and_flags_are_told, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(the_reading_names_every_range_of_notable_layers, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(a_run_without_any_number_is_said_to_have_none, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(many_layers_wrap_into_even_blocks, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(an_empty_study_has_a_head_and_no_table, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(every_failed_allocation_is_reported, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests_name("tables", tests, NULL, NULL);
}
