/* test_statistics.c - the numbers against numpy's and scipy's (golden/statistics.json), and over a study against its values. */
#include "store_fixture.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "store/export.h"
#include "store/statistics.h"

/* ---- numbers ---- */

static cf_statistic statistic_of(const double *values, size_t n, uint64_t seed, int64_t resamples)
{
    const cf_bootstrap b = {.seed = seed, .resamples = resamples};
    double *scratch = calloc(cf_statistic_scratch(n, &b), sizeof *scratch);
    assert_non_null(scratch);
    const cf_statistic s = cf_statistic_of(values, n, &b, scratch);
    free(scratch);
    return s;
}

static void assert_near(const char *name, const char *what, double found, double expected, double bound)
{
    if (isnan(expected) ? !isnan(found) : !(fabs(found - expected) <= bound))
        fail_msg("%s: %s: expected %.17g, found %.17g", name, what, expected, found);
}

/* A number of the golden; null, NaN. */
static double number(const cf_json *c, const char *key)
{
    const cf_json *node = cf_json_get(c, key);
    assert_true(cf_json_kind_of(node) == CF_JSON_NUMBER || cf_json_kind_of(node) == CF_JSON_NULL);
    return cf_json_number(node, (double)NAN);
}

static size_t numbers(double *out, size_t cap, const cf_json *list)
{
    size_t n = 0;
    for (const cf_json *v = cf_json_first(list); v; v = cf_json_next(v)) {
        assert_true(n < cap && cf_json_kind_of(v) == CF_JSON_NUMBER);
        out[n++] = cf_json_number(v, 0.0);
    }
    return n;
}

/* Two bootstraps agree within their Monte-Carlo error. A percentile q of B normal means has a standard error of
 * sqrt(q (1 - q) / B) / density(q), in units of the mean's: 0.0085 for 2.5 % of 100,000. The golden's twice as many add
 * little; 0.045 is four to five of them. Few values have few distinct means: there it is the drawn interval that is compared. */
static void assert_interval(const char *name, const cf_json *c, const double *values, size_t n)
{
    double ends[2] = {0};
    assert_int_equal(numbers(ends, 2, cf_json_get(c, "drawn")), 2);
    const cf_statistic drawn = statistic_of(values, n, 7, 150);
    const double rounding = 1e-12 * (fabs(ends[0]) + fabs(ends[1]));
    assert_near(name, "low as drawn", drawn.low, ends[0], rounding);
    assert_near(name, "high as drawn", drawn.high, ends[1], rounding);
    if (n < 20)
        return;
    const double bound = 0.045 * number(c, "se");
    assert_int_equal(numbers(ends, 2, cf_json_get(c, "interval")), 2);
    const cf_statistic s = statistic_of(values, n, CF_BOOTSTRAP_SEED, 100000);
    assert_near(name, "low", s.low, ends[0], bound);
    assert_near(name, "high", s.high, ends[1], bound);
}

static void every_number_is_that_of_numpy_and_scipy(void **state)
{
    (void)state;
    enum { MOST = 256 };
    cf_json *golden = NULL;
    double values[MOST];
    int n_cases = 0;
    assert_ok(cf_json_open(&golden, "tests/store/golden/statistics.json", 1 << 20, report));
    for (const cf_json *c = cf_json_first(cf_json_get(golden, "cases")); c; c = cf_json_next(c), n_cases++) {
        const char *name = cf_json_string(cf_json_get(c, "name"));
        const size_t n = numbers(values, MOST, cf_json_get(c, "values"));
        const cf_statistic s = statistic_of(values, n, CF_BOOTSTRAP_SEED, 10);
        const double mean = number(c, "mean"), median = number(c, "median"), p = number(c, "p"), r = number(c, "r");
        assert_int_equal(s.n, n);
        assert_near(name, "mean", s.mean, mean, 1e-12 * (1.0 + fabs(mean)));
        assert_near(name, "median", s.median, median, 1e-14 * fabs(median));
        assert_near(name, "p", s.p, p, 1e-10 * p);
        assert_near(name, "r", s.r, r, 1e-12);
        if (n)
            assert_interval(name, c, values, n);
        else
            assert_true(isnan(s.low) && isnan(s.high));
    }
    assert_true(n_cases > 20);
    cf_json_free(golden);
}

static void a_single_zero_is_no_evidence(void **state) /* scipy refuses it */
{
    (void)state;
    const double zero = 0.0;
    const cf_statistic s = statistic_of(&zero, 1, 1, 10);
    assert_true(s.p == 1.0 && isnan(s.r) && s.mean == 0.0 && s.low == 0.0 && s.high == 0.0);
}

static void the_seed_decides_the_interval_and_nothing_else(void **state)
{
    (void)state;
    double values[40];
    for (int i = 0; i < 40; i++)
        values[i] = sin(i) * 20.0 - 3.0;
    const cf_statistic a = statistic_of(values, 40, 1, 500), b = statistic_of(values, 40, 1, 500);
    const cf_statistic other = statistic_of(values, 40, 2, 500);
    assert_memory_equal(&a, &b, sizeof a);
    assert_true(a.low != other.low && a.high != other.high);
    assert_true(a.low < a.mean && a.mean < a.high);
    assert_true(a.mean == other.mean && a.median == other.median && a.p == other.p && a.r == other.r);
}

/* ---- studies ---- */

/* What each sample writes of three runs; NAN is fully cut, EMPTY has an empty group. */
#define EMPTY 2.0
static const struct {
    const char *task;
    int64_t row;
    double p1, p2[3];
} samples[] = {
    {"B", 3, 0.8, {0.2, EMPTY, (double)NAN}}, {"A", 9, 0.5, {0.25, 0.5, (double)NAN}},
    {"A", 2, 0.4, {0.3, EMPTY, (double)NAN}}, {"B", 1, 0.9, {0.45, 0.1, (double)NAN}},
    {"A", 5, 0.25, {0.3, 0.05, (double)NAN}}, {"A", 7, 0.7, {0.1, (double)NAN, (double)NAN}},
};
enum { N_SAMPLES = sizeof samples / sizeof *samples, N_CURVES = 6, N_POINTS = 9 };

/* The samples in the order first, first + step, ... modulo their number. */
static void write_samples(cf_store *s, size_t first, size_t step)
{
    const int64_t runs[] = {fixture_run(s, "Image->Question", 3, 0), fixture_run(s, "Image->Question", 3, 1),
                            fixture_run(s, "Image->Last", 3, 0)};
    (void)fixture_run(s, "Last->Last", 3, 0); /* a run nobody has measured is no curve */
    for (size_t i = 0; i < N_SAMPLES; i++) {
        const size_t k = (first + i * step) % N_SAMPLES;
        cf_value values[4] = {{runs[0], CF_MEASURE_RANK, 3.0 + (double)k, CF_VALUE_OK}};
        const cf_baseline rank = {CF_MEASURE_RANK, 2.0};
        for (size_t j = 0; j < 3; j++) {
            const double p2 = samples[k].p2[j];
            values[j + 1] = (cf_value){runs[j], CF_MEASURE_PROBABILITY, p2 == EMPTY ? samples[k].p1 : p2,
                                       p2 == EMPTY ? CF_VALUE_EMPTY_GROUP
                                       : isnan(p2) ? CF_VALUE_FULLY_CUT
                                                   : CF_VALUE_OK};
        }
        const cf_sample x = fixture_sample(samples[k].task, samples[k].row, samples[k].p1);
        fixture_put_results(s, &x, &(cf_results){values, 4, &rank, 1, NULL, 0, NULL, 0});
    }
    cf_sample wrong = fixture_sample("A", 100, 0.5);
    wrong.status = CF_SAMPLE_WRONG;
    fixture_put(s, &wrong, NULL, 0);
}

/* Rows of `samples` in the order of task and row. */
static const size_t in_order[N_SAMPLES] = {2, 4, 5, 1, 3, 0};

static void assert_point(const cf_statistic_point *p, const char *task, size_t run, const cf_statistics_options *o)
{
    double changes[N_SAMPLES];
    size_t n = 0;
    int64_t n_empty = 0, n_cut = 0;
    for (size_t i = 0; i < N_SAMPLES; i++) {
        const size_t k = in_order[i];
        const double p1 = samples[k].p1, p2 = samples[k].p2[run];
        if (task && strcmp(task, samples[k].task) != 0)
            continue;
        n_cut += isnan(p2);
        n_empty += p2 == EMPTY;
        if (isnan(p2) || (p2 == EMPTY && o->drop_empty))
            continue;
        changes[n++] = p2 == EMPTY ? 0.0 : 100.0 * (p2 - p1) / p1;
    }
    const cf_statistic expected = statistic_of(changes, n, o->bootstrap.seed, o->bootstrap.resamples);
    assert_memory_equal(&p->s, &expected, sizeof expected);
    assert_int_equal(p->n_empty, n_empty);
    assert_int_equal(p->n_without, n_cut);
}

static void a_study_gives_each_task_and_all_together(void **state)
{
    const fixture *f = *state;
    static const struct {
        const char *task, *spec;
        size_t first_run, n_runs;
    } expected[N_CURVES] = {{"A", "Image->Question", 0, 2},  {"A", "Image->Last", 2, 1},
                            {"B", "Image->Question", 0, 2},  {"B", "Image->Last", 2, 1},
                            {NULL, "Image->Question", 0, 2}, {NULL, "Image->Last", 2, 1}};
    cf_store *s = fixture_create(f);
    write_samples(s, 0, 1);
    for (int drop = 0; drop < 2; drop++) {
        const cf_statistics_options o = {.bootstrap = {.seed = 5, .resamples = 300}, .drop_empty = drop};
        cf_statistic_curve *c = NULL;
        size_t n = 0;
        assert_ok(cf_store_statistics(s, &c, &n, &o, report));
        assert_int_equal(n, N_CURVES);
        for (size_t i = 0; i < N_CURVES; i++) {
            assert_true(!c[i].task == !expected[i].task);
            if (c[i].task)
                assert_string_equal(c[i].task, expected[i].task);
            assert_string_equal(c[i].spec, expected[i].spec);
            assert_int_equal(c[i].window, 3);
            assert_int_equal(c[i].n_points, expected[i].n_runs);
            for (size_t j = 0; j < c[i].n_points; j++) {
                assert_int_equal(c[i].points[j].layer, j);
                assert_point(&c[i].points[j], expected[i].task, expected[i].first_run + j, &o);
            }
        }
        cf_statistics_free(c, n);
    }
    cf_store_close(s);
}

static void means_are_the_bits_of_the_curves(void **state)
{
    const fixture *f = *state;
    cf_store *s = fixture_create(f);
    write_samples(s, 0, 1);
    const cf_statistics_options o = cf_statistics_options_default();
    cf_statistic_curve *x = NULL;
    cf_curve *y = NULL;
    size_t n_x = 0, n_y = 0;
    assert_ok(cf_store_statistics(s, &x, &n_x, &o, report));
    assert_ok(cf_store_curves(s, &y, &n_y, &(cf_curve_options){.drop_empty = o.drop_empty, .all_tasks = true}, report));
    assert_int_equal(n_x, n_y);
    for (size_t i = 0; i < n_x; i++) {
        for (size_t j = 0; j < x[i].n_points; j++) {
            assert_int_equal(x[i].points[j].s.n, y[i].points[j].n);
            assert_memory_equal(&x[i].points[j].s.mean, &y[i].points[j].mean, sizeof(double));
        }
    }
    cf_statistics_free(x, n_x);
    cf_curves_free(y, n_y);
    cf_store_close(s);
}

static void neither_order_of_writing_nor_threads_change_a_bit(void **state)
{
    const fixture *f = *state;
    const cf_statistics_options o = cf_statistics_options_default();
    const int n_threads = omp_get_max_threads();
    cf_statistic first[N_POINTS];
    for (size_t step = 1; step < N_SAMPLES; step += 4) { /* 1 and 5: prime to the number of samples */
        cf_store *s = fixture_create(f);
        write_samples(s, step, step);
        for (int threads = 1; threads <= 4; threads += 3) {
            cf_statistic_curve *c = NULL;
            size_t n = 0, k = 0;
            omp_set_num_threads(threads);
            assert_ok(cf_store_statistics(s, &c, &n, &o, report));
            for (size_t i = 0; i < n; i++) {
                for (size_t j = 0; j < c[i].n_points; j++, k++) {
                    assert_true(k < N_POINTS);
                    if (step == 1 && threads == 1)
                        first[k] = c[i].points[j].s;
                    assert_memory_equal(&first[k], &c[i].points[j].s, sizeof first[k]);
                }
            }
            assert_int_equal(k, N_POINTS);
            cf_statistics_free(c, n);
        }
        cf_store_close(s);
        assert_int_equal(remove(f->path), 0);
    }
    omp_set_num_threads(n_threads);
}

static void one_task_is_not_repeated_as_all_tasks(void **state)
{
    const fixture *f = *state;
    cf_store *s = fixture_create(f);
    const cf_statistics_options o = cf_statistics_options_default();
    cf_statistic_curve *c = NULL;
    size_t n = 0;
    assert_ok(cf_store_statistics(s, &c, &n, &o, report));
    assert_int_equal(n, 0);
    cf_statistics_free(c, n);
    const cf_sample sample = fixture_sample("A", 0, 0.5);
    const cf_value value = fixture_value(fixture_run(s, "Last->Last", 1, 0), 0.25);
    fixture_put(s, &sample, &value, 1);
    assert_ok(cf_store_statistics(s, &c, &n, &o, report));
    assert_int_equal(n, 1);
    assert_string_equal(c[0].task, "A");
    assert_true(c[0].points[0].s.low == -50.0 && c[0].points[0].s.high == -50.0);
    cf_statistics_free(c, n);
    cf_store_close(s);
}

static void a_number_of_resamples_out_of_range_is_refused(void **state)
{
    const fixture *f = *state;
    static const int64_t wrong[] = {0, -1, CF_MAX_RESAMPLES + 1, INT64_MAX};
    cf_store *s = fixture_create(f);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const cf_statistics_options o = {.bootstrap = {.seed = 1, .resamples = wrong[i]}};
        cf_error err = {0};
        cf_statistic_curve *c = NULL;
        size_t n = 0;
        assert_int_equal(cf_store_statistics(s, &c, &n, &o, &err), CF_USAGE);
        assert_non_null(strstr(err.text, "resamples: expected 1 to 1000000"));
    }
    cf_store_close(s);
}

/* ---- stored ---- */

/* Every point of the measure in each task has its row. */
static void assert_stored(const fixture *f, cf_store *s, cf_measure measure, size_t n_rows)
{
    cf_statistics_options o = cf_statistics_options_default();
    o.measure = measure;
    cf_statistic_curve *c = NULL;
    size_t n = 0, rows = 0;
    assert_ok(cf_store_statistics(s, &c, &n, &o, report));
    for (size_t i = 0; i < n && c[i].task; i++) {
        for (size_t j = 0; j < c[i].n_points; j++, rows++) {
            const cf_statistic_point *p = &c[i].points[j];
            fixture_row row = {0};
            fixture_statistic(f, &row, c[i].task, p->run, measure);
            const double numbers_of[] = {p->s.mean, p->s.low, p->s.high, p->s.median, p->s.p, p->s.r};
            const int64_t counts[] = {p->s.n, p->n_empty, p->n_without};
            assert_memory_equal(row.counts, counts, sizeof counts);
            for (size_t k = 0; k < 6; k++)
                assert_true(isnan(numbers_of[k]) ? isnan(row.numbers[k]) : row.numbers[k] == numbers_of[k]);
        }
    }
    assert_int_equal(rows, n_rows);
    cf_statistics_free(c, n);
}

static void stored_statistics_are_those_of_the_values_beside_them(void **state)
{
    const fixture *f = *state;
    cf_store *s = fixture_create(f);
    write_samples(s, 0, 1);
    assert_ok(cf_store_put_statistics(s, report));
    assert_ok(cf_store_put_statistics(s, report)); /* again: as a continued trace does */
    cf_str fact = {0};
    bool found = false;
    assert_ok(cf_store_fact(s, "statistics", &fact, &found, report));
    assert_true(found);
    assert_string_equal(fact.data, "2000 resamples, seed 1, empty groups kept");
    cf_str_deinit(&fact);

    assert_stored(f, s, CF_MEASURE_PROBABILITY, 6);
    assert_stored(f, s, CF_MEASURE_RANK, 2);
    assert_stored(f, s, CF_MEASURE_WHOLE, 0);
    assert_int_equal(fixture_count(f, "statistic"), 8);

    const cf_sample one_more = fixture_sample("C", 0, 0.5);
    fixture_put(s, &one_more, NULL, 0);
    assert_int_equal(fixture_count(f, "statistic"), 0);
    cf_store_close(s);
}

static void a_study_that_is_read_cannot_be_given_statistics(void **state)
{
    const fixture *f = *state;
    cf_store *s = fixture_create(f);
    write_samples(s, 0, 1);
    assert_ok(cf_store_finish(s, report));
    cf_store_close(s);
    s = fixture_open(f);
    cf_error err = {0};
    assert_int_equal(cf_store_put_statistics(s, &err), CF_IO);
    cf_store_close(s);
    assert_int_equal(fixture_count(f, "statistic"), 0);
}

static void the_csv_has_a_row_a_point_of_each_measure_and_empty_cells_without_a_number(void **state)
{
    const fixture *f = *state;
    cf_store *s = fixture_create(f);
    const int64_t run = fixture_run(s, "Last->Last", 3, 0), cut = fixture_run(s, "Last->Last", 3, 1);
    const int64_t fixed = fixture_add_run(s, &(cf_store_run){"Last->Last@1", "cut", "all", 0, 0, "fixed", 0, 0, ""});
    static const char *const tasks[] = {"B", "A, \"quoted\""};
    for (int64_t i = 0; i < 4; i++) {
        const cf_sample x = fixture_sample(tasks[i / 2], i, 0.5);
        const cf_baseline flip = {CF_MEASURE_FLIP, 0.0};
        const cf_value values[] = {fixture_value(run, i % 2 ? 0.25 : 0.125),
                                   {cut, CF_MEASURE_PROBABILITY, (double)NAN, CF_VALUE_FULLY_CUT},
                                   {fixed, CF_MEASURE_FLIP, 1.0, CF_VALUE_OK},
                                   {fixed, CF_MEASURE_TOP, 7.0, CF_VALUE_OK}};
        fixture_put_results(s, &x, &(cf_results){values, 4, &flip, 1, NULL, 0, NULL, 0});
    }
    /* its measure does not matter: each has its rows */
    const cf_statistics_options o = {.bootstrap = {.seed = 1, .resamples = 100}, .measure = CF_MEASURE_TRUE};
    cf_str text = {0};
    assert_ok(cf_export_statistics(s, f->statistics, &o, report));
    assert_ok(cf_file_read(&text, f->statistics, 1 << 20, report));
    assert_string_equal(
        text.data,
        "task,flow,style,window,layer,measure,n,n_empty,n_without,mean,low,high,median,wilcoxon_p,rank_biserial_r\n"
        "\"A, \"\"quoted\"\"\",Last->Last,centre,3,0,probability,2,0,0,-62.5,-75,-50,-62.5,0.5,-1\n"
        "\"A, \"\"quoted\"\"\",Last->Last,centre,3,1,probability,0,0,2,,,,,,\n"
        "B,Last->Last,centre,3,0,probability,2,0,0,-62.5,-75,-50,-62.5,0.5,-1\n"
        "B,Last->Last,centre,3,1,probability,0,0,2,,,,,,\n"
        "all tasks,Last->Last,centre,3,0,probability,4,0,0,-62.5,-75,-50,-62.5,0.125,-1\n"
        "all tasks,Last->Last,centre,3,1,probability,0,0,4,,,,,,\n"
        "\"A, \"\"quoted\"\"\",Last->Last@1,fixed,,,flip,2,0,0,100,100,100,100,0.5,1\n"
        "B,Last->Last@1,fixed,,,flip,2,0,0,100,100,100,100,0.5,1\n"
        "all tasks,Last->Last@1,fixed,,,flip,4,0,0,100,100,100,100,0.125,1\n");
    cf_str_deinit(&text);
    cf_error err = {0};
    assert_int_equal(cf_export_statistics(s, "/dev/null/statistics.csv", &o, &err), CF_IO);
    cf_store_close(s);
}

int test_statistics(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_number_is_that_of_numpy_and_scipy),
        cmocka_unit_test(a_single_zero_is_no_evidence),
        cmocka_unit_test(the_seed_decides_the_interval_and_nothing_else),
        cmocka_unit_test_setup_teardown(a_study_gives_each_task_and_all_together, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(means_are_the_bits_of_the_curves, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(neither_order_of_writing_nor_threads_change_a_bit, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(one_task_is_not_repeated_as_all_tasks, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_number_of_resamples_out_of_range_is_refused, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(stored_statistics_are_those_of_the_values_beside_them, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(a_study_that_is_read_cannot_be_given_statistics, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(the_csv_has_a_row_a_point_of_each_measure_and_empty_cells_without_a_number,
                                        fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests_name("statistics", tests, NULL, NULL);
}
