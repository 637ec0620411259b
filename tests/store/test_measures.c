/* test_measures.c - names, changes of each measure, and curves of them; repeats count once. */
#include "store_fixture.h"

#include <math.h>
#include <string.h>

static bool same(double a, double b)
{
    return isnan(a) ? isnan(b) : a == b;
}

static void every_measure_is_found_by_its_name(void **state)
{
    (void)state;
    static const char *const names[CF_N_MEASURES] = {"probability", "true", "whole", "difference",
                                                     "rank",        "flip", "top"};
    for (int i = 0; i < CF_N_MEASURES; i++) {
        cf_measure m = CF_N_MEASURES;
        assert_string_equal(cf_measure_name((cf_measure)i), names[i]);
        assert_true(cf_measure_find(&m, cf_slice_of(names[i])));
        assert_int_equal(m, i);
        for (int j = 0; j < i && cf_measure_label(m); j++)
            assert_string_not_equal(cf_measure_label(m), cf_measure_label((cf_measure)j));
    }
    cf_measure m = CF_MEASURE_RANK;
    assert_false(cf_measure_find(&m, cf_slice_of("Rank")));
    assert_false(cf_measure_find(&m, (cf_slice){"ranks", 3}));
    assert_int_equal(m, CF_MEASURE_RANK);
    assert_string_equal(cf_measure_label(CF_MEASURE_PROBABILITY), "change of the answer's probability (%)");
    assert_null(cf_measure_label(CF_MEASURE_TOP));
}

static void the_change_is_that_of_the_measure(void **state)
{
    (void)state;
    const double nan = (double)NAN;
    const struct {
        cf_measure m;
        double baseline, value, change;
    } cases[] = {
        {CF_MEASURE_PROBABILITY, 0.5, 0.375, -25.0},
        {CF_MEASURE_PROBABILITY, 0.5, 0.0, -100.0},
        {CF_MEASURE_PROBABILITY, nan, 0.5, nan},
        {CF_MEASURE_PROBABILITY, 0.5, nan, nan},
        {CF_MEASURE_TRUE, 0.25, 0.5, 100.0},
        {CF_MEASURE_TRUE, 0.0, 0.5, nan},
        {CF_MEASURE_TRUE, 0.0, 0.0, nan},
        {CF_MEASURE_WHOLE, 0.125, 0.125, 0.0},
        {CF_MEASURE_WHOLE, -1.0, 0.125, nan},
        {CF_MEASURE_DIFFERENCE, -2.0, 1.5, 3.5},
        {CF_MEASURE_DIFFERENCE, 0.0, -1.0, -1.0},
        {CF_MEASURE_DIFFERENCE, nan, 1.0, nan},
        {CF_MEASURE_RANK, 1.0, 5.0, 4.0},
        {CF_MEASURE_FLIP, 0.0, 1.0, 100.0},
        {CF_MEASURE_FLIP, 1.0, 0.0, 0.0},
        {CF_MEASURE_FLIP, nan, 1.0, nan},
        {CF_MEASURE_TOP, 3.0, 4.0, nan},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const double found = cf_measure_change(cases[i].m, cases[i].baseline, cases[i].value);
        if (!same(found, cases[i].change))
            fail_msg("%s of %g and %g: expected %g, found %g", cf_measure_name(cases[i].m), cases[i].baseline,
                     cases[i].value, cases[i].change, found);
    }
}

/* Curves of each measure over three samples of one run; a measure's changes by sample. */
static void a_curve_shows_its_own_measure(void **state)
{
    const fixture *f = *state;
    static const struct {
        cf_measure m;
        double baseline[3], value[3], mean;
        int64_t n;
    } cases[] = {
        {CF_MEASURE_PROBABILITY, {0.5, 0.5, 0.5}, {0.25, 0.5, 0.75}, 0.0, 3},
        {CF_MEASURE_TRUE, {0.0, 0.25, (double)NAN}, {0.25, 0.5, (double)NAN}, 100.0, 1},
        {CF_MEASURE_WHOLE, {0.25, 0.5, 0.5}, {0.25, 0.25, 0.25}, -100.0 / 3.0, 3},
        {CF_MEASURE_DIFFERENCE, {1.0, (double)NAN, -1.0}, {0.0, (double)NAN, -4.0}, -2.0, 2},
        {CF_MEASURE_RANK, {1.0, 1.0, 1.0}, {1.0, 4.0, 1.0}, 1.0, 3},
        {CF_MEASURE_FLIP, {0.0, 0.0, 0.0}, {1.0, 0.0, 0.0}, 100.0 / 3.0, 3},
    };
    enum { N = sizeof cases / sizeof *cases };
    cf_store *s = fixture_create(f);
    const int64_t run = fixture_run(s, "Image->Last", 3, 2);
    for (int row = 0; row < 3; row++) {
        const cf_sample x = fixture_sample("A", row, cases[0].baseline[row]);
        cf_value values[N];
        cf_baseline baselines[N];
        for (int i = 0; i < N; i++) {
            values[i] = (cf_value){run, cases[i].m, cases[i].value[row], CF_VALUE_OK};
            baselines[i] = (cf_baseline){cases[i].m, cases[i].baseline[row]};
        }
        fixture_put_results(s, &x, &(cf_results){values, N, baselines + 1, N - 1, NULL, 0, NULL, 0});
    }
    for (int i = 0; i < N; i++) {
        cf_curve *c = NULL;
        cf_statistic_curve *d = NULL;
        const cf_statistics_options o = {.bootstrap = {.seed = 1, .resamples = 1}, .measure = cases[i].m};
        size_t n = 0, n_d = 0;
        assert_ok(cf_store_curves(s, &c, &n, &(cf_curve_options){.measure = cases[i].m}, report));
        assert_ok(cf_store_statistics(s, &d, &n_d, &o, report));
        assert_int_equal(n, 1);
        assert_int_equal(n_d, 1);
        assert_int_equal(c[0].points[0].layer, 2);
        assert_int_equal(c[0].points[0].n, cases[i].n);
        assert_int_equal(d[0].points[0].s.n, cases[i].n);
        assert_int_equal(d[0].points[0].n_without, 3 - cases[i].n);
        if (!(fabs(c[0].points[0].mean - cases[i].mean) <= 1e-12) || d[0].points[0].s.mean != c[0].points[0].mean)
            fail_msg("%s: expected %.17g, found %.17g and %.17g", cf_measure_name(cases[i].m), cases[i].mean,
                     c[0].points[0].mean, d[0].points[0].s.mean);
        cf_curves_free(c, n);
        cf_statistics_free(d, n_d);
    }
    cf_store_close(s);
}

static void a_measure_that_no_sample_has_gives_no_curve_and_top_is_refused(void **state)
{
    const fixture *f = *state;
    cf_store *s = fixture_create(f);
    fixture_rich_study(s);
    cf_curve *c = NULL;
    cf_statistic_curve *d = NULL;
    size_t n = 9;
    assert_ok(cf_store_curves(s, &c, &n, &(cf_curve_options){.measure = CF_MEASURE_RANK, .all_tasks = true}, report));
    assert_int_equal(n, 0);
    cf_curves_free(c, n);
    cf_error err = {0};
    const cf_statistics_options o = {.bootstrap = {.seed = 1, .resamples = 1}, .measure = CF_MEASURE_TOP};
    assert_int_equal(cf_store_curves(s, &c, &n, &(cf_curve_options){.measure = CF_MEASURE_TOP}, &err), CF_USAGE);
    assert_string_equal(err.text, "top: expected a measure that has a curve");
    assert_int_equal(cf_store_statistics(s, &d, &n, &o, &err), CF_USAGE);
    cf_store_close(s);
}

/* ---- repeats ---- */

/* Four samples of three repeats at layer 1, and of one run at layer 0 between them in the file; NAN: too few keys. */
static const struct {
    double p2[3];
    bool empty;
} drawn[] = {
    {{0.25, 0.5, 0.0}, false},           /* of p1 = 0.5: -50 % */
    {{(double)NAN, 0.25, 0.375}, false}, /* -37.5 % over the two that have a number */
    {{(double)NAN, (double)NAN, (double)NAN}, false},
    {{0.5, 0.5, 0.5}, true}, /* one flagged repeat is enough */
};
enum { N_DRAWN = sizeof drawn / sizeof *drawn };

static void write_repeats(cf_store *s)
{
    /* Not in the order of repeats: a point's first run is its repeat 0. */
    const int64_t runs[] = {fixture_random(s, 2, 1), fixture_random(s, 0, 1), fixture_random(s, 0, 0),
                            fixture_random(s, 1, 1)};
    static const int repeat_of[] = {2, 0, -1, 1};
    for (int row = 0; row < N_DRAWN; row++) {
        const cf_sample x = fixture_sample("A", row, 0.5);
        cf_value values[4];
        for (int i = 0; i < 4; i++) {
            const double p2 = repeat_of[i] < 0 ? 1.0 : drawn[row].p2[repeat_of[i]];
            values[i] = (cf_value){runs[i], CF_MEASURE_PROBABILITY, p2,
                                   isnan(p2)                               ? CF_VALUE_TOO_FEW_KEYS
                                   : drawn[row].empty && repeat_of[i] != 1 ? CF_VALUE_EMPTY_GROUP
                                                                           : CF_VALUE_OK};
        }
        fixture_put(s, &x, values, 4);
    }
}

static void repeats_are_averaged_within_their_sample(void **state)
{
    const fixture *f = *state;
    cf_store *s = fixture_create(f);
    write_repeats(s);
    for (int drop = 0; drop < 2; drop++) {
        const cf_curve_options co = {.drop_empty = drop};
        const cf_statistics_options so = {.bootstrap = {.seed = 1, .resamples = 10}, .drop_empty = drop};
        cf_curve *c = NULL;
        cf_statistic_curve *d = NULL;
        size_t n = 0, n_d = 0;
        assert_ok(cf_store_curves(s, &c, &n, &co, report));
        assert_ok(cf_store_statistics(s, &d, &n_d, &so, report));
        assert_int_equal(n, 1);
        assert_int_equal(n_d, 1);
        assert_string_equal(c[0].spec, "random: Image->Last seed 7");
        assert_int_equal(c[0].n_points, 2);
        const cf_point *p = &c[0].points[1];
        const cf_statistic_point *q = &d[0].points[1];
        assert_int_equal(p->layer, 1);
        assert_int_equal(p->n, drop ? 2 : 3);
        assert_int_equal(p->n_empty, drop ? 0 : 1);
        assert_true(fabs(p->mean - (drop ? -43.75 : -87.5 / 3.0)) <= 1e-12);
        assert_int_equal(q->run, 2); /* repeat 0 */
        assert_int_equal(q->s.n, p->n);
        assert_int_equal(q->n_empty, 1);
        assert_int_equal(q->n_without, 1);
        assert_true(q->s.mean == p->mean);
        assert_true(q->s.median == (drop ? -43.75 : -37.5));
        assert_int_equal(c[0].points[0].n, drop ? 3 : 4); /* the run at layer 0 is a point of its own */
        assert_true(c[0].points[0].mean == 100.0);
        cf_curves_free(c, n);
        cf_statistics_free(d, n_d);
    }
    cf_store_close(s);
}

int test_measures(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_measure_is_found_by_its_name),
        cmocka_unit_test(the_change_is_that_of_the_measure),
        cmocka_unit_test_setup_teardown(a_curve_shows_its_own_measure, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_measure_that_no_sample_has_gives_no_curve_and_top_is_refused, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(repeats_are_averaged_within_their_sample, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests_name("measures", tests, NULL, NULL);
}
