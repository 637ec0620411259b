/* test_table_lens.c - the lens of a study as text. */
#include "report_fixture.h"

#include <string.h>

#define COUNTS                                                                                                         \
    "samples      3 done, 0 wrong, 0 fault\n"                                                                          \
    "notes        0 samples with notes\n"                                                                              \
    "values       0 empty_group (in the means, as no change), 0 no_visible_edge\n"                                     \
    "             without a number: 0 fully_cut, 0 too_few_keys\n"                                                     \
    "lens         of 3 samples\n"

#define FOUR_LINES                                                                                                     \
    "entry  Noncapitalized Answer  Noncapitalized False Option  Capitalized Answer  Capitalized False Option\n"

#define A                                                                                                              \
    "\nA, lens at the last position, 2 samples: probability (%)\n\n" FOUR_LINES                                        \
    "    0                   0.20                         0.02                0.10                      0.01\n"        \
    "    1                  30.00                         3.00               15.00                      1.50\n"        \
    "    2                  90.00                         9.00               45.00                      4.50\n"

#define B                                                                                                              \
    "\nB, lens at the last position, 1 sample: probability (%)\n\n"                                                    \
    "entry  Noncapitalized Answer  Capitalized Answer\n"                                                               \
    "    0                   0.30                0.15\n"                                                               \
    "    1                  40.00               20.00\n"

#define ALL                                                                                                            \
    "\nall tasks, lens at the last position, 3 samples: probability (%)\n\n" FOUR_LINES                                \
    "    0                   0.23                         0.02                0.12                      0.01\n"        \
    "    1                  33.33                         3.00               16.67                      1.50\n"        \
    "    2                  90.00                         9.00               45.00                      4.50\n"

static void a_lens_is_a_row_an_entry_and_a_column_a_line(void **state)
{
    const fixture *f = *state;
    const double low[3] = {0.001, 0.2, 0.8}, high[3] = {0.003, 0.4, 1.0};
    fixture_lens_sample(f->store, "A", 0, low, 3, true);
    fixture_lens_sample(f->store, "A", 1, high, 3, true);
    fixture_lens_sample(f->store, "B", 0, high, 2, false);
    fixture_assert_table(f->store, NULL, FIXTURE_HEAD COUNTS A B ALL);
    fixture_assert_table(f->store, &(cf_table_options){.task = "B"}, FIXTURE_HEAD COUNTS B);
    cf_error err = {0};
    assert_int_equal(cf_table_write(f->store, &(cf_str){0}, &(cf_table_options){.task = "C"}, &err), CF_USAGE);
    assert_non_null(strstr(err.text, "no curve of task C"));
    assert_int_equal(cf_table_write(f->store, &(cf_str){0}, &(cf_table_options){.window = 3}, NULL), CF_USAGE);
}

/* Of runs there are too many for tables: they are counted. */
static void the_lens_of_runs_is_counted(void **state)
{
    const fixture *f = *state;
    fixture_runs(f->store, "Image->Last", 9, 2);
    const cf_lens_entry entries[] = {
        {.run = CF_NO_RUN, .position = 4, .answer = 0.5, .answer_upper = 0.5, .words = "[]", .scores = "[]"},
        {.run = 1, .position = 4, .answer = 0.25, .answer_upper = 0.25, .words = "[]", .scores = "[]"},
        {.run = 2, .position = 4, .answer = 0.25, .answer_upper = 0.25, .words = "[]", .scores = "[]"}};
    for (size_t n = 3; n >= 2; n--) {
        const cf_sample sample = {.task = n == 3 ? "A" : "B", .row = 0, .probability = 0.5, .n_tokens = 5};
        assert_ok(cf_store_put_sample(f->store, &sample, &(cf_results){.lens = entries, .n_lens = n}, report));
    }
    cf_str text = {0};
    assert_ok(cf_table_write(f->store, &text, NULL, report));
    const char *table = strstr(text.data, "\nall tasks, lens");
    assert_non_null(table);
    assert_null(strstr(text.data, " 25.00"));
    assert_non_null(strstr(table, "\n2 runs have a lens too: crossflow export --csv DIR writes them\n"));
    cf_str_deinit(&text);
}

int test_table_lens(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_lens_is_a_row_an_entry_and_a_column_a_line),
        TEST(the_lens_of_runs_is_counted),
    };
#undef TEST
    return cmocka_run_group_tests_name("lens tables", tests, NULL, NULL);
}
