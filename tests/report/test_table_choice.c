/* test_table_choice.c - which tables there are: by style, window and measure; and rows of any flow. */
#include "report_fixture.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A table of one flow at layer 0 that changes by v %, less than what is notable. */
#define SMALL(window, v)                                                                                               \
    "\nA, " window ", 1 sample: change of the answer's probability (%)\n\n"                                            \
    "layer           0\nImage->Last  " v "\n\nImage->Last: strongest at layer 0 (" v " %), every layer within 5 %\n"

#define FIXED                                                                                                          \
    "\nA, fixed, 0 to 1 samples: change of the answer's probability (%)\n\n"                                           \
    "                     mean       low      high   samples\n"                                                        \
    "Image->Last@0:2      -5.0      -5.0      -5.0         1\n"                                                        \
    "Last->Last@1            -         -         -         0\n"

/* Whatever the order in which they were traced. */
static void tables_are_named_by_style_and_window_and_come_in_their_order(void **state)
{
    const fixture *f = *state;
    static const cf_store_run runs[] = {
        {.spec = "Image->Last@0:2", .style = "fixed", .layers = ""},
        {.spec = "Image->Last", .style = "outside", .window = 1, .layers = "1:4"},
        {.spec = "Image->Last", .style = "below", .layers = "0:1"},
        {.spec = "Image->Last", .window = 3},
        {.spec = "Image->Last", .window = 1},
        {.spec = "Last->Last@1", .style = "fixed", .layers = ""},
    };
    static const double change[] = {-5, -3, -4, -1, -2, (double)NAN};
    for (size_t i = 0; i < 6; i++)
        fixture_run(f->store, &runs[i]);
    fixture_sample(f->store, "A", 0, change, 6);
    fixture_assert_tables(f->store, NULL,
                          SMALL("window 1", "-2.0") SMALL("window 3", "-1.0") SMALL("below", "-4.0")
                              SMALL("outside 1", "-3.0") FIXED);
    static const struct {
        cf_table_options o;
        const char *expected;
    } cases[] = {
        {{.window = 1}, SMALL("window 1", "-2.0") SMALL("outside 1", "-3.0")},
        {{.window = 1, .style = "outside"}, SMALL("outside 1", "-3.0")},
        {{.style = "below"}, SMALL("below", "-4.0")},
        {{.style = "fixed", .task = "A"}, FIXED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        fixture_assert_tables(f->store, &cases[i].o, cases[i].expected);
    cf_error err = {0};
    const cf_table_options o = {.task = "A", .style = "above", .window = 4, .measure = CF_MEASURE_RANK};
    assert_int_equal(cf_table_write(f->store, &(cf_str){0}, &o, &err), CF_USAGE);
    assert_non_null(strstr(err.text, "no curve of task A, style above, window 4, measure rank"));
}

static void statistics_are_headed_by_style_too_and_a_fixed_run_has_no_layer(void **state)
{
    const fixture *f = *state;
    fixture_run(f->store, &(cf_store_run){.spec = "Image->Last@0:2", .style = "fixed", .layers = ""});
    fixture_run(f->store, &(cf_store_run){.spec = "Image->Last", .style = "below", .layers = "0:1"});
    const double change[2] = {-5, -4};
    fixture_sample(f->store, "A", 0, change, 2);
    cf_table_options o = cf_table_options_default();
    o.statistics = true;
    cf_str text = {0};
    assert_ok(cf_table_write(f->store, &text, &o, report));
    assert_string_equal(strstr(text.data, "\nA, below"),
                        "\nA, below: change of the answer's probability (%)\n\nImage->Last\n"
                        "layer       n   empty without      mean [      low,      high]    median         p      r\n"
                        "    0       1       0       0     -4.00 [    -4.00,     -4.00]     -4.00         1  -1.00\n"
                        "\nA, fixed: change of the answer's probability (%)\n\nImage->Last@0:2\n"
                        "layer       n   empty without      mean [      low,      high]    median         p      r\n"
                        "    -       1       0       0     -5.00 [    -5.00,     -5.00]     -5.00         1  -1.00\n");
    cf_str_clear(&text);
    o.style = "fixed";
    assert_ok(cf_table_write(f->store, &text, &o, report));
    assert_null(strstr(text.data, "\nA, below"));
    assert_non_null(strstr(text.data, "\nA, fixed"));
    o.measure = CF_MEASURE_WHOLE;
    assert_int_equal(cf_table_write(f->store, &text, &o, NULL), CF_USAGE);
    cf_str_deinit(&text);
}

/* Relative, of a difference, of a share: the unit, the decimals and what is notable are the measure's. */
static void the_measure_says_unit_and_decimals(void **state)
{
    const fixture *f = *state;
    fixture_runs(f->store, "Image->Last", 9, 2);
    for (int64_t row = 0; row < 4; row++) {
        const cf_baseline baselines[] = {{CF_MEASURE_TRUE, 0.5}, {CF_MEASURE_WHOLE, 0.25}, {CF_MEASURE_DIFFERENCE, 1.0},
                                         {CF_MEASURE_RANK, 1.0}, {CF_MEASURE_FLIP, 0.0},   {CF_MEASURE_TOP, 3.0}};
        const cf_value values[] = {{1, CF_MEASURE_TRUE, 0.25, CF_VALUE_OK},
                                   {1, CF_MEASURE_WHOLE, 0.2, CF_VALUE_OK},
                                   {1, CF_MEASURE_DIFFERENCE, 0.26, CF_VALUE_OK},
                                   {2, CF_MEASURE_DIFFERENCE, 0.996, CF_VALUE_OK},
                                   {1, CF_MEASURE_RANK, 2 + (double)row, CF_VALUE_OK},
                                   {1, CF_MEASURE_FLIP, row == 3, CF_VALUE_OK},
                                   {1, CF_MEASURE_TOP, 4.0, CF_VALUE_OK}};
        const cf_sample sample = {.task = "A", .row = row, .probability = 0.5};
        const cf_results results = {.values = values, .n_values = 7, .baselines = baselines, .n_baselines = 6};
        assert_ok(cf_store_put_sample(f->store, &sample, &results, report));
    }
    static const struct {
        cf_measure measure;
        const char *table;
    } cases[] = {
        {CF_MEASURE_TRUE, "\nA, window 9, 4 samples: change of the true answer's probability (%)\n\n"
                          "layer           0\nImage->Last -50.0\n\n"
                          "Image->Last: strongest at layer 0 (-50.0 %), layer 0 at or below -5 %\n"},
        {CF_MEASURE_WHOLE, "\nA, window 9, 4 samples: change of the whole answer's probability (%)\n\n"
                           "layer           0\nImage->Last -20.0\n\n"
                           "Image->Last: strongest at layer 0 (-20.0 %), layer 0 at or below -5 %\n"},
        {CF_MEASURE_DIFFERENCE, "\nA, window 9, 4 samples: change of the options' logit difference\n\n"
                                "layer           0     1\nImage->Last -0.74  0.00\n\n"
                                "Image->Last: strongest at layer 0 (-0.74), layer 0 at or below -0.5\n"},
        {CF_MEASURE_RANK, "\nA, window 9, 4 samples: change of the answer's rank\n\n"
                          "layer           0\nImage->Last   2.5\n\n"
                          "Image->Last: strongest at layer 0 (2.5), layer 0 at or above 1\n"},
        {CF_MEASURE_FLIP, "\nA, window 9, 4 samples: answers that flip (%)\n\n"
                          "layer           0\nImage->Last  25.0\n\n"
                          "Image->Last: strongest at layer 0 (25.0 %), layer 0 at or above 5 %\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        fixture_assert_tables(f->store, &(cf_table_options){.measure = cases[i].measure}, cases[i].table);
    const cf_table_options top = {.measure = CF_MEASURE_TOP};
    assert_int_equal(cf_table_write(f->store, &(cf_str){0}, &top, NULL), CF_USAGE);
}

static void the_repeats_of_a_random_control_are_one_row(void **state)
{
    const fixture *f = *state;
    const double change[3] = {-10, -20, (double)NAN};
    for (int32_t i = 0; i < 3; i++) {
        const cf_store_run run = {.spec = "random: Image->Last", .mode = "random", .seed = 5, .repeat = i, .window = 1};
        fixture_run(f->store, &run);
    }
    fixture_sample(f->store, "A", 0, change, 3);
    fixture_assert_tables(f->store, NULL,
                          "\nA, window 1, 1 sample: change of the answer's probability (%)\n\n"
                          "layer                          0\nrandom: Image->Last seed 5 -15.0\n\n"
                          "random: Image->Last seed 5: strongest at layer 0 (-15.0 %), layer 0 at or below -5 %\n");
}

/* Flows that would push the columns away are numbered, and told in full where they are read. */
static void long_flows_are_numbered_and_listed_below(void **state)
{
    const fixture *f = *state;
    const double change[2] = {-50, 0};
    fixture_runs(f->store,
                 "keep(Image, Question, Last): Image->Question & Question->Last & Image->Last & Last->Image & "
                 "Question->Image & Last->Question & Image->Question",
                 9, 1);
    fixture_runs(f->store, "Last->Last", 9, 1);
    fixture_sample(f->store, "A", 0, change, 2);
    fixture_assert_tables(
        f->store, NULL,
        "\nA, window 9, 1 sample: change of the answer's probability (%)\n\n"
        "layer     0\n[1]   -50.0\n[2]     0.0\n\n"
        "[1] keep(Image, Question, Last): Image->Question & Question->Last & Image->Last & Last->Image & "
        "Question->Image &\n"
        "    Last->Question & Image->Question: strongest at layer 0 (-50.0 %), layer 0 at or below -5 %\n"
        "[2] Last->Last: no change at any layer\n");
}

/* One word of 298 characters: broken where the line ends, and nowhere else. Fixed runs list their flows too. */
static void no_line_of_any_flow_passes_120_columns(void **state)
{
    const fixture *f = *state;
    enum { BYTES = 300, N_X = BYTES - 4 };
    char flow[BYTES + 1];
    memset(flow, 'x', BYTES);
    flow[BYTES] = '\0';
    memcpy(flow + 130, "\xc3\xa4\xc3\xa4", 4); /* two characters */
    const double change[2] = {-50, -60};
    fixture_runs(f->store, flow, 9, 1);
    fixture_run(f->store, &(cf_store_run){.spec = flow, .style = "fixed", .layers = ""});
    fixture_sample(f->store, "A", 0, change, 2);
    for (int statistics = 0; statistics < 2; statistics++) {
        cf_str text = {0};
        cf_table_options o = cf_table_options_default();
        o.statistics = statistics;
        size_t n_x = 0, widest = 0;
        assert_ok(cf_table_write(f->store, &text, &o, report));
        for (const char *line = strstr(text.data, "\nA, window 9") + 1; *line; line = strchr(line, '\n') + 1) {
            size_t width = 0;
            for (const char *c = line; *c != '\n'; c++) {
                width += ((unsigned char)*c & 0xc0) != 0x80;
                n_x += *c == 'x';
            }
            widest = width > widest ? width : widest;
        }
        assert_int_equal(widest, 120);
        assert_int_equal(n_x, 2 * N_X + 1); /* "fixed" has an x of its own */
        cf_str_deinit(&text);
    }
}

/* A question file may be called that: its table is not the one of all together. */
static void a_task_may_be_called_all(void **state)
{
    const fixture *f = *state;
    const double change[2] = {-10, -30};
    fixture_runs(f->store, "Image->Last", 9, 1);
    fixture_sample(f->store, "all", 0, change, 1);
#define ONE(task, n, v)                                                                                                \
    "\n" task ", window 9, " n ": change of the answer's probability (%)\n\n"                                          \
    "layer           0\nImage->Last " v "\n\nImage->Last: strongest at layer 0 (" v " %), layer 0 at or below -5 %\n"
    fixture_assert_tables(f->store, NULL, ONE("all", "1 sample", "-10.0"));
    fixture_sample(f->store, "B", 0, change + 1, 1);
    fixture_assert_tables(f->store, NULL,
                          ONE("B", "1 sample", "-30.0") ONE("all", "1 sample", "-10.0")
                              ONE("all tasks", "2 samples", "-20.0"));
    fixture_assert_tables(f->store, &(cf_table_options){.task = "all"}, ONE("all", "1 sample", "-10.0"));
}

int test_table_choice(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(tables_are_named_by_style_and_window_and_come_in_their_order),
        TEST(statistics_are_headed_by_style_too_and_a_fixed_run_has_no_layer),
        TEST(the_measure_says_unit_and_decimals),
        TEST(the_repeats_of_a_random_control_are_one_row),
        TEST(long_flows_are_numbered_and_listed_below),
        TEST(no_line_of_any_flow_passes_120_columns),
        TEST(a_task_may_be_called_all),
    };
#undef TEST
    return cmocka_run_group_tests_name("choice of tables", tests, NULL, NULL);
}
