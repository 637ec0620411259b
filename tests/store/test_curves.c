/* test_curves.c - means and intervals against the textbook's two-pass formulas. */
#include "store_fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *task;
    int64_t row;
    double p1, p2[2]; /* baseline; layers 0 and 1 */
    cf_value_flag flag[2];
} rows[] = {
    {"B", 1, 0.9, {0.45, 0.9}, {CF_VALUE_OK, CF_VALUE_NO_VISIBLE_EDGE}},
    {"A", 7, 0.8, {0.2, 0.88}, {CF_VALUE_OK, CF_VALUE_OK}},
    {"A", 2, 0.5, {0.5, 0.25}, {CF_VALUE_EMPTY_GROUP, CF_VALUE_OK}},
    {"A", 5, 0.4, {0.3, (double)NAN}, {CF_VALUE_OK, CF_VALUE_FULLY_CUT}},
    {"A", 9, 0.25, {0.125, 0.0625}, {CF_VALUE_OK, CF_VALUE_EMPTY_GROUP}},
};
enum { N_ROWS = sizeof rows / sizeof *rows };

/* The rows in the order first, first + step, ... modulo their number. */
static void write_rows(cf_store *s, size_t first, size_t step)
{
    /* Layer 1 is registered first: a curve is sorted by layer, not by id. */
    const int64_t one = fixture_run(s, "Image->Question", 3, 1), zero = fixture_run(s, "Image->Question", 3, 0);
    for (size_t i = 0; i < N_ROWS; i++) {
        const size_t r = (first + i * step) % N_ROWS;
        const cf_sample sample = fixture_sample(rows[r].task, rows[r].row, rows[r].p1);
        const cf_value values[] = {{zero, CF_MEASURE_PROBABILITY, rows[r].p2[0], rows[r].flag[0]},
                                   {one, CF_MEASURE_PROBABILITY, rows[r].p2[1], rows[r].flag[1]},
                                   {zero, CF_MEASURE_RANK, 1e6, CF_VALUE_OK}};
        fixture_put(s, &sample, values, 3);
    }
    cf_sample wrong = fixture_sample("A", 100, 0.5);
    wrong.status = CF_SAMPLE_WRONG;
    fixture_put(s, &wrong, NULL, 0);
}

static void assert_near(double found, double expected)
{
    if (!(fabs(found - expected) <= 1e-12 * (1.0 + fabs(expected))))
        fail_msg("expected %.17g, found %.17g", expected, found);
}

static void assert_point(const cf_point *p, const char *task, int32_t layer, bool drop_empty)
{
    double sum = 0.0, squares = 0.0;
    int64_t n = 0, n_empty = 0;
    double changes[N_ROWS];
    for (size_t r = 0; r < N_ROWS; r++) {
        const bool empty = rows[r].flag[layer] == CF_VALUE_EMPTY_GROUP;
        if ((strcmp(task, "all") != 0 && strcmp(rows[r].task, task) != 0) || isnan(rows[r].p2[layer]) ||
            (empty && drop_empty))
            continue;
        changes[n] = (rows[r].p2[layer] / rows[r].p1 - 1.0) * 100.0;
        sum += changes[n++];
        n_empty += empty;
    }
    const double mean = sum / (double)n;
    for (int64_t i = 0; i < n; i++)
        squares += (changes[i] - mean) * (changes[i] - mean);
    const double half = n < 2 ? 0.0 : 1.96 * sqrt(squares / (double)(n - 1)) / sqrt((double)n);
    assert_int_equal(p->layer, layer);
    assert_int_equal(p->n, n);
    assert_int_equal(p->n_empty, n_empty);
    assert_near(p->mean, mean);
    assert_near(p->low, mean - half);
    assert_near(p->high, mean + half);
}

static void means_and_intervals_are_those_of_the_kept_samples(void **state)
{
    const fixture *f = *state;
    cf_store *s = fixture_create(f);
    write_rows(s, 0, 1);
    static const char *const tasks[] = {"A", "B", "all"};
    for (int drop = 0; drop < 2; drop++) {
        cf_curve *curves = NULL;
        size_t n = 0;
        assert_ok(cf_store_curves(s, &curves, &n, &(cf_curve_options){.drop_empty = drop, .all_tasks = true}, report));
        assert_int_equal(n, 3);
        for (size_t i = 0; i < n; i++) {
            assert_string_equal(curves[i].task, tasks[i]);
            assert_string_equal(curves[i].spec, "Image->Question");
            assert_int_equal(curves[i].window, 3);
            assert_int_equal(curves[i].n_points, 2);
            for (int32_t layer = 0; layer < 2; layer++)
                assert_point(&curves[i].points[layer], tasks[i], layer, drop);
        }
        cf_curves_free(curves, n);
    }
    cf_store_close(s);
}

static void the_order_of_writing_changes_no_bit(void **state)
{
    const fixture *f = *state;
    double first[3][2][3];
    for (size_t step = 1; step < N_ROWS; step++) {
        cf_store *s = fixture_create(f);
        write_rows(s, step, step);
        cf_curve *curves = NULL;
        size_t n = 0;
        assert_ok(cf_store_curves(s, &curves, &n, &(cf_curve_options){.all_tasks = true}, report));
        assert_int_equal(n, 3);
        for (size_t i = 0; i < 3; i++) {
            for (size_t j = 0; j < 2; j++) {
                const cf_point *p = &curves[i].points[j];
                const double found[3] = {p->mean, p->low, p->high};
                if (step == 1)
                    memcpy(first[i][j], found, sizeof found);
                assert_memory_equal(first[i][j], found, sizeof found);
            }
        }
        cf_curves_free(curves, n);
        cf_store_close(s);
        assert_int_equal(remove(f->path), 0);
    }
}

static void a_layer_without_a_number_keeps_its_place_with_n_0(void **state)
{
    const fixture *f = *state;
    cf_store *s = fixture_create(f);
    const cf_sample sample = fixture_sample("A", 0, 0.5);
    const cf_value values[] = {
        {fixture_run(s, "Last->Last", 1, 0), CF_MEASURE_PROBABILITY, (double)NAN, CF_VALUE_FULLY_CUT},
        fixture_value(fixture_run(s, "Last->Last", 1, 1), 0.5)};
    fixture_put(s, &sample, values, 2);
    (void)fixture_run(s, "Image->Last", 1, 0); /* a run nobody has measured is no curve */
    cf_curve *curves = NULL;
    size_t n = 0;
    assert_ok(cf_store_curves(s, &curves, &n, &(cf_curve_options){0}, report));
    assert_int_equal(n, 1);
    assert_int_equal(curves[0].n_points, 2);
    assert_int_equal(curves[0].points[0].n, 0);
    assert_true(isnan(curves[0].points[0].mean));
    assert_int_equal(curves[0].points[1].n, 1);
    assert_near(curves[0].points[1].low, 0.0);
    cf_curves_free(curves, n);
    cf_store_close(s);
}

static void curves_are_sorted_by_task_first_registration_style_and_window(void **state)
{
    const fixture *f = *state;
    cf_store *s = fixture_create(f);
    static const cf_store_run runs[] = {
        {"Z->Z", "cut", "all", 0, 0, "fixed", 0, 0, ""},
        {"Z->Z", "cut", "all", 0, 0, "outside", 9, 0, ""},
        {"Z->Z", "cut", "all", 0, 0, "above", 0, 1, "1:2"},
        {"Z->Z", "cut", "all", 0, 0, "centre", 9, 0, "0:2"},
        {"A->A", "zero mlp", "all", 0, 0, "centre", 3, 0, "0:2"},
        {"Z->Z", "cut", "all", 0, 0, "below", 0, 0, "0:1"},
        {"Z->Z", "cut", "all", 0, 0, "outside", 3, 0, "1:2"},
        {"Z->Z", "cut", "all", 0, 0, "centre", 3, 0, "0:2"},
        {"random: A->A", "random", "0-3", 0, 0, "centre", 3, 0, "0:2"},
    };
    static const struct {
        const char *spec, *mode, *style;
        int32_t window;
    } expected[] = {{"Z->Z", "cut", "centre", 3},
                    {"Z->Z", "cut", "centre", 9},
                    {"Z->Z", "cut", "below", 0},
                    {"Z->Z", "cut", "above", 0},
                    {"Z->Z", "cut", "outside", 3},
                    {"Z->Z", "cut", "outside", 9},
                    {"Z->Z", "cut", "fixed", 0},
                    {"A->A", "zero mlp", "centre", 3},
                    {"random: A->A seed 0", "random", "centre", 3}};
    enum { N = sizeof runs / sizeof *runs };
    cf_value values[N];
    for (int i = 0; i < N; i++)
        values[i] = fixture_value(fixture_add_run(s, &runs[i]), 0.5);
    for (int i = 0; i < 2; i++) {
        const cf_sample sample = fixture_sample(i ? "T1" : "T2", 0, 0.5);
        fixture_put(s, &sample, values, N);
    }
    cf_curve *curves = NULL;
    cf_statistic_curve *statistics = NULL;
    const cf_statistics_options o = {.bootstrap = {.seed = 1, .resamples = 1}};
    size_t n = 0, n_statistics = 0;
    assert_ok(cf_store_curves(s, &curves, &n, &(cf_curve_options){0}, report));
    assert_ok(cf_store_statistics(s, &statistics, &n_statistics, &o, report));
    assert_int_equal(n, 2 * N);
    assert_int_equal(n_statistics, 3 * N);
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(curves[i].task, i < N ? "T1" : "T2");
        assert_string_equal(curves[i].spec, expected[i % N].spec);
        assert_string_equal(curves[i].mode, expected[i % N].mode);
        assert_string_equal(curves[i].style, expected[i % N].style);
        assert_int_equal(curves[i].window, expected[i % N].window);
        assert_string_equal(statistics[i].task, curves[i].task);
        assert_string_equal(statistics[i].spec, curves[i].spec);
        assert_string_equal(statistics[i].mode, curves[i].mode);
        assert_string_equal(statistics[i].style, curves[i].style);
        assert_int_equal(statistics[i].window, curves[i].window);
    }
    cf_statistics_free(statistics, n_statistics);
    cf_curves_free(curves, n);
    cf_store_close(s);
}

int test_curves(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(means_and_intervals_are_those_of_the_kept_samples, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(the_order_of_writing_changes_no_bit, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_layer_without_a_number_keeps_its_place_with_n_0, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(curves_are_sorted_by_task_first_registration_style_and_window, fixture_setup,
                                        fixture_teardown),
    };
    return cmocka_run_group_tests_name("curves", tests, NULL, NULL);
}
