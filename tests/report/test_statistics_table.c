/* test_statistics_table.c - the statistics of a study as text: compared whole. */
#include "report_fixture.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/table.h"
#include "support/fail_alloc.h"

static cf_table_options statistics_options(void)
{
    cf_table_options o = cf_table_options_default();
    o.statistics = true;
    return o;
}

/* From the line that explains the columns on. */
static void assert_statistics(cf_store *s, const cf_table_options *o, const char *expected)
{
    cf_str text = {0};
    assert_ok(cf_table_write(s, &text, o, report));
    const char *from = strstr(text.data, "\nstatistics   ");
    assert_non_null(from);
    assert_string_equal(from + 1, expected);
    cf_str_deinit(&text);
}

#define LEGEND(settings, empty)                                                                                        \
    "statistics   low, high: 95 % interval of the mean, percentile bootstrap, " settings "\n"                          \
    "             p: Wilcoxon signed-rank test against no change, two-sided; of its layer alone, not corrected;\n"     \
    "                small beside a mean near 0 it tells of a tiny change of one sign\n"                               \
    "             r: matched-pairs rank-biserial correlation, -1 where every sample falls, 1 where every one rises\n"  \
    "             empty: samples with an empty group, " empty " n\n"                                                   \
    "             without: samples without a number (fully cut, too few keys, no such measure), left out of n\n"

#define HEAD "layer       n   empty without      mean [      low,      high]    median         p      r\n"

/* Of fixture_small_study. */
#define SMALL_STUDY                                                                                                    \
    "\nChooseAttr, window 3: change of the answer's probability (%)\n"                                                 \
    "\nImage->Question\n"                                                                                              \
    "layer       n   empty without      mean [      low,      high]    median         p      r\n"                      \
    "    0       2       0       0    -55.00 [   -60.00,    -50.00]    -55.00       0.5  -1.00\n"                      \
    "    1       2       0       0    -25.00 [   -30.00,    -20.00]    -25.00       0.5  -1.00\n"                      \
    "    2       2       0       0     -0.02 [    -0.06,      0.02]     -0.02         1  -0.33\n"                      \
    "\nLast->Last\n"                                                                                                   \
    "layer       n   empty without      mean [      low,      high]    median         p      r\n"                      \
    "    0       2       0       0      0.00 [    -1.00,      1.00]      0.00         1   0.00\n"                      \
    "    1       2       0       0      7.00 [     6.00,      8.00]      7.00       0.5   1.00\n"                      \
    "    2       2       0       0      8.00 [     7.00,      9.00]      8.00       0.5   1.00\n"                      \
    "\nQueryAttr, window 3: change of the answer's probability (%)\n"                                                  \
    "\nImage->Question\n"                                                                                              \
    "layer       n   empty without      mean [      low,      high]    median         p      r\n"                      \
    "    0       2       0       0    -15.00 [   -20.00,    -10.00]    -15.00       0.5  -1.00\n"                      \
    "    1       2       0       0      0.00 [     0.00,      0.00]      0.00         1      -\n"                      \
    "    2       2       0       0     -3.00 [    -6.00,      0.00]     -3.00         1  -1.00\n"                      \
    "\nLast->Last\n"                                                                                                   \
    "layer       n   empty without      mean [      low,      high]    median         p      r\n"                      \
    "    0       2       0       0      0.00 [     0.00,      0.00]      0.00         1      -\n"                      \
    "    1       2       0       0      0.00 [     0.00,      0.00]      0.00         1      -\n"                      \
    "    2       2       0       0      0.00 [     0.00,      0.00]      0.00         1      -\n"                      \
    "\nall tasks, window 3: change of the answer's probability (%)\n"                                                  \
    "\nImage->Question\n"                                                                                              \
    "layer       n   empty without      mean [      low,      high]    median         p      r\n"                      \
    "    0       4       0       0    -35.00 [   -55.00,    -15.00]    -35.00      0.12  -1.00\n"                      \
    "    1       4       0       0    -12.50 [   -25.00,      0.00]    -10.00       0.5  -1.00\n"                      \
    "    2       4       0       0     -1.51 [    -4.50,      0.01]     -0.03       0.5  -0.67\n"                      \
    "\nLast->Last\n"                                                                                                   \
    "layer       n   empty without      mean [      low,      high]    median         p      r\n"                      \
    "    0       4       0       0      0.00 [    -0.75,      0.75]      0.00         1   0.00\n"                      \
    "    1       4       0       0      3.50 [     0.00,      7.00]      3.00       0.5   1.00\n"                      \
    "    2       4       0       0      4.00 [     0.00,      8.00]      3.50       0.5   1.00\n"

static void each_task_and_window_has_a_block_a_flow(void **state)
{
    const fixture *f = *state;
    fixture_small_study(f->store);
    const cf_table_options o = statistics_options();
    assert_statistics(f->store, &o, LEGEND("2000 resamples, seed 1", "as no change in") SMALL_STUDY);
}

/* Run 3, of a window below that of runs 1 and 2, is shown first. */
static void one_task_window_seed_and_number_of_resamples_can_be_asked_for(void **state)
{
    const fixture *f = *state;
    const double nan = (double)NAN;
    const double change[3] = {-50.0, nan, 25.0};
    fixture_runs(f->store, "Image->Last\x1b", 9, 2);
    fixture_runs(f->store, "Image->Last\x1b", 1, 1);
    for (int64_t row = 0; row < 2; row++) {
        fixture_sample(f->store, "A", row, change, 3);
        fixture_sample(f->store, "B", row, change, 3);
    }
    cf_table_options o = statistics_options();
    o.bootstrap = (cf_bootstrap){.seed = 77, .resamples = 3};
    o.task = "B";
    o.drop_empty = true;
#define ONE                                                                                                            \
    "\nB, window 1: change of the answer's probability (%)\n\nImage->Last?\n" HEAD                                     \
    "    0       2       0       0     25.00 [    25.00,     25.00]     25.00       0.5   1.00\n"
#define NINE                                                                                                           \
    "\nB, window 9: change of the answer's probability (%)\n\nImage->Last?\n" HEAD                                     \
    "    0       2       0       0    -50.00 [   -50.00,    -50.00]    -50.00       0.5  -1.00\n"                      \
    "    1       0       0       2         - [        -,         -]         -         -      -\n"
    assert_statistics(f->store, &o, LEGEND("3 resamples, seed 77", "left out of") ONE NINE);
    o.window = 9;
    assert_statistics(f->store, &o, LEGEND("3 resamples, seed 77", "left out of") NINE);
    static const struct {
        const char *task;
        int32_t window;
    } absent[] = {{"B", 3}, {"all tasks", 9}, {"C", 0}, {NULL, 3}};
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++) {
        cf_str text = {0};
        cf_error err = {0};
        o.task = absent[i].task;
        o.window = absent[i].window;
        assert_int_equal(cf_table_write(f->store, &text, &o, &err), CF_USAGE);
        assert_null(text.data);
        assert_non_null(strstr(err.text, "no curve of "));
    }
    o = statistics_options();
    o.bootstrap.resamples = 0;
    assert_int_equal(cf_table_write(f->store, &(cf_str){0}, &o, NULL), CF_USAGE);
}

static void no_line_of_usual_numbers_passes_120_columns(void **state)
{
    const fixture *f = *state;
    fixture_runs(f->store, "Image Without Central Object->Question", 9, 2);
    static const double change[2] = {-100.0, 99999.0};
    for (int64_t row = 0; row < 2000; row++)
        fixture_sample(f->store, "A", row, change, 2);
    cf_str text = {0};
    cf_table_options o = statistics_options();
    o.bootstrap.resamples = 10;
    assert_ok(cf_table_write(f->store, &text, &o, report));
    assert_non_null(strstr(text.data, " <1e-300  -1.00\n")); /* 2000 samples that all fall */
    for (const char *line = text.data; *line; line = strchr(line, '\n') + 1)
        assert_true(strchr(line, '\n') - line <= 120);
    cf_str_deinit(&text);
}

/* The change of the other sample is -0.002 %, which is shown without a sign. */
static void a_sample_with_an_empty_group_counts_unless_it_is_dropped(void **state)
{
    const fixture *f = *state;
    static const char *const rows[] = {
        HEAD "    0       2       1       0      0.00 [     0.00,      0.00]      0.00         1  -1.00\n",
        HEAD "    0       1       1       0      0.00 [     0.00,      0.00]      0.00         1  -1.00\n"};
    fixture_runs(f->store, "Image->Last", 9, 1);
    for (int64_t row = 0; row < 2; row++) {
        const cf_sample sample = {.task = "A", .row = row, .probability = 0.5};
        const cf_value value = {1, CF_MEASURE_PROBABILITY, row ? 0.49999 : 0.5,
                                row ? CF_VALUE_OK : CF_VALUE_EMPTY_GROUP};
        assert_ok(cf_store_put_sample(f->store, &sample, &(cf_results){.values = &value, .n_values = 1}, report));
    }
    for (int drop = 0; drop < 2; drop++) {
        cf_str text = {0};
        cf_table_options o = statistics_options();
        o.drop_empty = drop;
        assert_ok(cf_table_write(f->store, &text, &o, report));
        if (!strstr(text.data, rows[drop]))
            fail_msg("drop %d: found %s", drop, strstr(text.data, "layer  "));
        cf_str_deinit(&text);
    }
}

/* A file may hold any number: it is shown whole, and nothing is overrun. */
static void absurd_numbers_are_shown(void **state)
{
    const fixture *f = *state;
    fixture_runs(f->store, "Image->Last", 9, 1);
    const cf_sample sample = {.task = "A", .row = 0, .probability = 1.0};
    const cf_value value = {1, CF_MEASURE_PROBABILITY, DBL_MAX / 200.0, CF_VALUE_OK};
    assert_ok(cf_store_put_sample(f->store, &sample, &(cf_results){.values = &value, .n_values = 1}, report));
    cf_str text = {0};
    const cf_table_options o = statistics_options();
    assert_ok(cf_table_write(f->store, &text, &o, report));
    assert_non_null(strstr(text.data, " 89884656743115")); /* DBL_MAX / 2 */
    cf_str_deinit(&text);
}

static void every_failed_allocation_is_reported(void **state)
{
    const fixture *f = *state;
    fixture_small_study(f->store);
    cf_table_options o = statistics_options();
    o.bootstrap.resamples = 2;
    for (int64_t nth = 1;; nth++) {
        cf_str text = {0};
        fail_alloc_at(nth);
        const cf_status st = cf_table_write(f->store, &text, &o, NULL);
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

int test_statistics_table(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_task_and_window_has_a_block_a_flow, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(one_task_window_seed_and_number_of_resamples_can_be_asked_for, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(no_line_of_usual_numbers_passes_120_columns, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_sample_with_an_empty_group_counts_unless_it_is_dropped, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(absurd_numbers_are_shown, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(every_failed_allocation_is_reported, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests_name("statistics tables", tests, NULL, NULL);
}
