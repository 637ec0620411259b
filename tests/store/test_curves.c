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

static void curves_are_sorted_by_task_first_registration_and_window(void **state)
{
    const fixture *f = *state;
    cf_store *s = fixture_create(f);
    cf_value values[5];
    values[0] = fixture_value(fixture_run(s, "Z->Z", 9, 0), 0.5);
    values[1] = fixture_value(fixture_run(s, "A->A", 3, 0), 0.5);
    values[2] = fixture_value(fixture_run(s, "Z->Z", 3, 0), 0.5);
    values[3] = fixture_value(fixture_random(s, 0, 0), 0.5);
    for (int i = 0; i < 2; i++) {
        const cf_sample sample = fixture_sample(i ? "T1" : "T2", 0, 0.5);
        fixture_put(s, &sample, values, 4);
    }
    static const struct {
        const char *task, *spec;
        int32_t window;
    } expected[] = {
        {"T1", "Z->Z", 3}, {"T1", "Z->Z", 9}, {"T1", "A->A", 3}, {"T1", "random: Image->Last seed 7", 3},
        {"T2", "Z->Z", 3}, {"T2", "Z->Z", 9}, {"T2", "A->A", 3}, {"T2", "random: Image->Last seed 7", 3},
    };
    cf_curve *curves = NULL;
    size_t n = 0;
    assert_ok(cf_store_curves(s, &curves, &n, &(cf_curve_options){0}, report));
    assert_int_equal(n, 8);
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(curves[i].task, expected[i].task);
        assert_string_equal(curves[i].spec, expected[i].spec);
        assert_int_equal(curves[i].window, expected[i].window);
    }
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
        cmocka_unit_test_setup_teardown(curves_are_sorted_by_task_first_registration_and_window, fixture_setup,
                                        fixture_teardown),
    };
    return cmocka_run_group_tests_name("curves", tests, NULL, NULL);
}
