/* test_unfinished.c - what is kept of a sample while it is measured, and many runs registered at once. */
#include "store_fixture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void assert_kept(cf_store *s, const char *task, int64_t row, const cf_value *expected, size_t n_expected)
{
    cf_value *values = NULL;
    size_t n = 0;
    assert_ok(cf_store_unfinished(s, &values, &n, task, row, report));
    assert_int_equal(n, n_expected);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(values[i].run, expected[i].run);
        assert_int_equal(values[i].measure, expected[i].measure);
        assert_int_equal(values[i].flag, expected[i].flag);
        assert_true(values[i].value == expected[i].value || (isnan(values[i].value) && isnan(expected[i].value)));
    }
    free(values);
}

static int64_t n_tables(const fixture *f)
{
    return fixture_count(f, "(SELECT 1 FROM sqlite_schema WHERE name = 'unfinished')");
}

static void values_are_kept_until_their_sample_is_put(void **state)
{
    const fixture *f = *state;
    cf_store *s = fixture_create(f);
    const int64_t a = fixture_run(s, "Image->Last", 1, 0), b = fixture_run(s, "Image->Last", 1, 1);
    const cf_value first[] = {{b, CF_MEASURE_PROBABILITY, 0.25, CF_VALUE_OK}};
    const cf_value more[] = {{b, CF_MEASURE_PROBABILITY, 0.5, CF_VALUE_OK}, /* again: the later one counts */
                             {a, CF_MEASURE_RANK, 3, CF_VALUE_NO_VISIBLE_EDGE},
                             {a, CF_MEASURE_PROBABILITY, (double)NAN, CF_VALUE_FULLY_CUT}};
    const cf_value all[] = {more[2], more[1], more[0]}; /* by run and measure's name */
    const cf_sample sample = fixture_sample("A", 0, 0.5);
    assert_kept(s, "A", 0, NULL, 0);
    assert_int_equal(n_tables(f), 0);
    assert_ok(cf_store_put_unfinished(s, "A", 0, first, 1, report));
    assert_kept(s, "A", 0, first, 1);
    assert_ok(cf_store_put_unfinished(s, "A", 0, more, 3, report));
    assert_ok(cf_store_put_unfinished(s, "A", 1, first, 1, report));
    cf_store_close(s);
    s = fixture_create(f); /* another day */
    assert_kept(s, "A", 0, all, 3);
    assert_kept(s, "B", 0, NULL, 0);
    assert_int_equal(fixture_count(f, "sample"), 0); /* no reader sees a sample */
    assert_int_equal(fixture_count(f, "value"), 0);
    fixture_put(s, &sample, first, 1);
    assert_kept(s, "A", 0, NULL, 0);
    assert_kept(s, "A", 1, first, 1);
    assert_int_equal(n_tables(f), 1);
    const cf_sample other = fixture_sample("A", 1, 0.5);
    fixture_put(s, &other, first, 1);
    assert_int_equal(n_tables(f), 0); /* it goes with its last row */
    cf_store_close(s);
}

static void what_cannot_be_kept_changes_nothing(void **state)
{
    const fixture *f = *state;
    cf_store *s = fixture_create(f);
    const int64_t a = fixture_run(s, "Image->Last", 1, 0);
    const cf_value good[] = {{a, CF_MEASURE_PROBABILITY, 0.5, CF_VALUE_OK}};
    const cf_value bad[] = {{a, CF_MEASURE_PROBABILITY, 0.75, CF_VALUE_OK},
                            {a + 1, CF_MEASURE_PROBABILITY, 0.5, CF_VALUE_OK}};
    cf_error err = {0};
    assert_ok(cf_store_put_unfinished(s, "A", 0, good, 1, report));
    assert_int_equal(cf_store_put_unfinished(s, "A", 0, bad, 2, &err), CF_MISMATCH);
    assert_non_null(strstr(err.text, "cannot keep an unfinished sample"));
    assert_kept(s, "A", 0, good, 1);
    fixture_sql(f, "UPDATE unfinished SET measure = 'luck'");
    cf_value *values = NULL;
    size_t n = 77;
    assert_int_equal(cf_store_unfinished(s, &values, &n, "A", 0, &err), CF_FORMAT);
    assert_true(!values && n == 77);
    cf_store_close(s);
}

static void runs_are_registered_together_or_not_at_all(void **state)
{
    const fixture *f = *state;
    cf_store *s = fixture_create(f);
    const cf_store_run good = {"Image->Last", "cut", "all", 0, 0, "centre", 3, 1, "0:3"};
    cf_store_run runs[3] = {good, good, good};
    int64_t ids[3] = {0}, again = 0;
    cf_error err = {0};
    runs[1].centre = 2;
    runs[2].style = "sideways"; /* the table refuses it */
    assert_int_equal(cf_store_add_runs(s, ids, runs, 3, &err), CF_MISMATCH);
    assert_int_equal(fixture_count(f, "run"), 0);
    assert_int_equal(fixture_count(f, "spec"), 0);
    runs[2] = good; /* the first one again */
    assert_ok(cf_store_add_runs(s, ids, runs, 3, report));
    assert_true(ids[0] == ids[2] && ids[1] != ids[0]);
    assert_ok(cf_store_add_run(s, &again, &runs[1], report));
    assert_int_equal(again, ids[1]);
    assert_int_equal(fixture_count(f, "run"), 2);
    assert_ok(cf_store_add_runs(s, NULL, NULL, 0, report));
    cf_store_close(s);
}

int test_unfinished(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(values_are_kept_until_their_sample_is_put, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_kept_changes_nothing, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(runs_are_registered_together_or_not_at_all, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests_name("unfinished samples", tests, NULL, NULL);
}
