/* test_table_counts.c - what is said of samples and values: notes by kind, values without a number. */
#include "report_fixture.h"

#include <math.h>
#include <string.h>

#define NO_VALUES                                                                                                      \
    "values       0 empty_group (in the means, as no change), 0 no_visible_edge\n"                                     \
    "             without a number: 0 fully_cut, 0 too_few_keys\n"

#define OCCURS " after the picture: the first is taken"

static void put(const fixture *f, const char *task, int64_t row, cf_sample_status status, const char *notes)
{
    const cf_sample x = {.task = task,
                         .row = row,
                         .probability = 0.5,
                         .status = status,
                         .reason = status == CF_SAMPLE_FAULT ? "r" : "",
                         .notes = notes};
    assert_ok(cf_store_put_sample(f->store, &x, NULL, report));
}

/* Alike but for what they quote and for numbers; the first three of a kind are told. */
static void notes_are_counted_by_kind_with_the_first_three_of_each(void **state)
{
    const fixture *f = *state;
    put(f, "A", 0, CF_SAMPLE_DONE, "True Option \"left\" occurs 2 times" OCCURS);
    put(f, "A", 1, CF_SAMPLE_DONE, "");
    put(f, "A", 2, CF_SAMPLE_WRONG,
        "Central Object \"star\" does not occur after the picture\n"
        "True Option \"no \" or \"yes\" occurs 13 times" OCCURS "\n");
    put(f, "B", 3, CF_SAMPLE_FAULT, "True Option \"\" occurs 3 times" OCCURS "\n\n \n");
    put(f, "B", 4, CF_SAMPLE_DONE, "True Option \"fourth\" occurs 2 times" OCCURS);
    put(f, "B", 5, CF_SAMPLE_DONE, "an open \" quote\x1b[31m");
    put(f, "B", 6, CF_SAMPLE_DONE, "\n \n");
    fixture_assert_table(f->store, NULL,
                         FIXTURE_HEAD
                         "samples      5 done, 1 wrong, 1 fault\n"
                         "  fault     1  r\n"
                         "notes        5 samples with notes\n"
                         "  note      4  True Option \"...\" occurs N times" OCCURS "\n"
                         "                 A row 0: True Option \"left\" occurs 2 times" OCCURS "\n"
                         "                 A row 2: True Option \"no \" or \"yes\" occurs 13 times" OCCURS "\n"
                         "                 B row 3: True Option \"\" occurs 3 times" OCCURS "\n"
                         "  note      1  Central Object \"...\" does not occur after the picture\n"
                         "                 A row 2: Central Object \"star\" does not occur after the picture\n"
                         "  note      1  an open \" quote?[N"
                         "m\n"
                         "                 B row 5: an open \" quote?[31m\n" NO_VALUES);
}

static void a_long_note_is_wrapped(void **state)
{
    const fixture *f = *state;
    put(f, "A", 7, CF_SAMPLE_DONE,
        "Central Object \"a very long name of an object that goes on and on and on, which nobody would write, but who "
        "knows\" does not occur after the picture");
    fixture_assert_table(
        f->store, NULL,
        FIXTURE_HEAD
        "samples      1 done, 0 wrong, 0 fault\n"
        "notes        1 sample with notes\n"
        "  note      1  Central Object \"...\" does not occur after the picture\n"
        "                 A row 7: Central Object \"a very long name of an object that goes on and on and on, which "
        "nobody would\n"
        "                   write, but who knows\" does not occur after the picture\n" NO_VALUES);
}

static void further_kinds_are_counted(void **state)
{
    const fixture *f = *state;
    for (int64_t row = 0; row < 12; row++) {
        char note[] = "kind a";
        note[5] = (char)('a' + row);
        put(f, "A", row, CF_SAMPLE_DONE, note);
    }
    cf_str text = {0};
    assert_ok(cf_table_write(f->store, &text, NULL, report));
    assert_non_null(strstr(text.data, "  note      1  kind j\n                 A row 9: kind j\n"
                                      "  note         and 2 other kinds\nvalues "));
    assert_null(strstr(text.data, "kind k"));
    cf_str_deinit(&text);
}

static void values_without_a_number_are_counted_by_reason(void **state)
{
    const fixture *f = *state;
    fixture_runs(f->store, "Image->Last", 9, 5);
    const cf_sample x = {.task = "A", .row = 0, .probability = 0.5};
    const double none = (double)NAN;
    const cf_value values[] = {{1, CF_MEASURE_PROBABILITY, none, CF_VALUE_TOO_FEW_KEYS},
                               {2, CF_MEASURE_PROBABILITY, none, CF_VALUE_FULLY_CUT},
                               {3, CF_MEASURE_PROBABILITY, none, CF_VALUE_TOO_FEW_KEYS},
                               {4, CF_MEASURE_PROBABILITY, 0.5, CF_VALUE_EMPTY_GROUP},
                               {5, CF_MEASURE_PROBABILITY, 0.5, CF_VALUE_NO_VISIBLE_EDGE}};
    assert_ok(cf_store_put_sample(f->store, &x, &(cf_results){.values = values, .n_values = 5}, report));
    cf_str text = {0};
    assert_ok(cf_table_write(f->store, &text, NULL, report));
    assert_non_null(strstr(text.data, "\nvalues       1 empty_group (in the means, as no change), 1 no_visible_edge\n"
                                      "             without a number: 1 fully_cut, 2 too_few_keys\n"));
    cf_str_deinit(&text);
}

int test_table_counts(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(notes_are_counted_by_kind_with_the_first_three_of_each),
        TEST(a_long_note_is_wrapped),
        TEST(further_kinds_are_counted),
        TEST(values_without_a_number_are_counted_by_reason),
    };
#undef TEST
    return cmocka_run_group_tests_name("counts", tests, NULL, NULL);
}
