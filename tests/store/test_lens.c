/* test_lens.c - mean curves of the lens at the last position. */
#include "store_fixture.h"

#include <math.h>
#include <string.h>

/* What the mean probability of a line is multiplied by in fixture_lens. */
static const double share[CF_N_LENS_LINES] = {
    [CF_LENS_ANSWER] = 1.0, [CF_LENS_OPTION] = 0.25, [CF_LENS_ANSWER_UPPER] = 0.5, [CF_LENS_OPTION_UPPER] = 0.125};

static void lines_have_the_published_names(void **state)
{
    (void)state;
    assert_string_equal(cf_lens_line_name(CF_LENS_ANSWER), "Noncapitalized Answer");
    assert_string_equal(cf_lens_line_name(CF_LENS_OPTION), "Noncapitalized False Option");
    assert_string_equal(cf_lens_line_name(CF_LENS_ANSWER_UPPER), "Capitalized Answer");
    assert_string_equal(cf_lens_line_name(CF_LENS_OPTION_UPPER), "Capitalized False Option");
}

static void put_lens(cf_store *s, const char *task, int64_t row, cf_sample_status status, const cf_lens_entry *lens,
                     size_t n)
{
    cf_sample x = fixture_sample(task, row, 0.5);
    x.status = status;
    fixture_put_results(s, &x, &(cf_results){.lens = lens, .n_lens = n});
}

/* Task A: two samples of the baseline at layers 0 and 2 and of a run; one left out. Task B: one without options. */
static void write_lens(cf_store *s)
{
    const int64_t second = fixture_random(s, 1, 1), first = fixture_random(s, 0, 1), cut = fixture_run(s, "B->C", 9, 4);
    const int32_t last = FIXTURE_LAST;
    const cf_lens_entry one[] = {fixture_lens(CF_NO_RUN, last, 0, 0.25), fixture_lens(CF_NO_RUN, last, 2, 0.5),
                                 fixture_lens(CF_NO_RUN, 7, 0, 0.875),   fixture_lens(first, last, 0, 0.25),
                                 fixture_lens(second, last, 0, 0.75),    fixture_lens(cut, last, 1, 0.125)};
    const cf_lens_entry two[] = {fixture_lens(CF_NO_RUN, last, 0, 0.75), fixture_lens(first, last, 0, 0.25)};
    cf_lens_entry other = fixture_lens(CF_NO_RUN, last, 0, 0.125);
    other.option = other.option_upper = (double)NAN;
    put_lens(s, "B", 0, CF_SAMPLE_DONE, &other, 1);
    put_lens(s, "A", 3, CF_SAMPLE_DONE, two, 2);
    put_lens(s, "A", 1, CF_SAMPLE_DONE, one, 6);
    put_lens(s, "A", 2, CF_SAMPLE_WRONG, one, 2);
}

typedef struct expected {
    const char *task, *spec, *style;
    int32_t window, centre;
    int n_lines; /* 4, or 2 without options */
    int32_t layers[2];
    int n_points;
    double mean[2];
    int64_t n[2];
} expected;

static void assert_curves(const cf_lens_curve *c, const expected *e)
{
    for (int k = 0; k < e->n_lines; k++, c++) {
        const cf_lens_line line = (cf_lens_line)(e->n_lines == CF_N_LENS_LINES ? k : 2 * k);
        assert_string_equal(c->task, e->task);
        assert_int_equal(!c->spec, !e->spec);
        if (e->spec) {
            assert_string_equal(c->spec, e->spec);
            assert_string_equal(c->style, e->style);
        }
        assert_int_equal(c->window, e->window);
        assert_int_equal(c->centre, e->centre);
        assert_int_equal(c->line, line);
        assert_int_equal(c->n_points, e->n_points);
        for (int j = 0; j < e->n_points; j++) {
            assert_int_equal(c->points[j].layer, e->layers[j]);
            assert_int_equal(c->points[j].n, e->n[j]);
            assert_int_equal(c->points[j].n_empty, 0);
            assert_true(fabs(c->points[j].mean - e->mean[j] * share[line]) <= 1e-12);
        }
    }
}

static void the_mean_is_over_kept_samples_and_repeats_count_once(void **state)
{
    const fixture *f = *state;
    static const char random[] = "random: Image->Last seed 7";
    static const expected curves[] = {
        {"A", NULL, NULL, 0, 0, 4, {0, 2}, 2, {50.0, 50.0}, {2, 1}},
        {"A", random, "centre", 3, 1, 4, {0}, 1, {37.5}, {2}}, /* (25 + 75) / 2 and 25 */
        {"A", "B->C", "centre", 9, 4, 4, {1}, 1, {12.5}, {1}},
        {"B", NULL, NULL, 0, 0, 2, {0}, 1, {12.5}, {1}},
        {"all", random, "centre", 3, 1, 4, {0}, 1, {37.5}, {2}},
        {"all", "B->C", "centre", 9, 4, 4, {1}, 1, {12.5}, {1}},
    };
    cf_store *s = fixture_create(f);
    write_lens(s);
    for (int all = 0; all < 2; all++) {
        cf_lens_curve *c = NULL;
        size_t n = 0;
        assert_ok(cf_store_lens_curves(s, &c, &n, all, report));
        assert_int_equal(n, all ? 14 + 12 : 14);
        assert_curves(c, &curves[0]);
        assert_curves(c + 4, &curves[1]);
        assert_curves(c + 8, &curves[2]);
        assert_curves(c + 12, &curves[3]);
        if (all) { /* the baseline: three answers, two options */
            assert_string_equal(c[14].task, "all");
            assert_int_equal(c[14].points[0].n, 3);
            assert_true(fabs(c[14].points[0].mean - 37.5) <= 1e-12);
            assert_int_equal(c[15].points[0].n, 2);
            assert_true(fabs(c[15].points[0].mean - 12.5) <= 1e-12);
            assert_curves(c + 18, &curves[4]);
            assert_curves(c + 22, &curves[5]);
        }
        /* 25 and 75: half the interval is 1.96 times the standard error 25 */
        assert_true(fabs(c[0].points[0].low - (50.0 - 49.0)) <= 1e-12 && c[0].points[0].high - 99.0 <= 1e-12);
        assert_true(c[0].points[1].low == 50.0 && c[0].points[1].high == 50.0);
        cf_lens_curves_free(c, n);
    }
    cf_store_close(s);
}

static void a_study_without_a_lens_has_no_curve_of_it(void **state)
{
    const fixture *f = *state;
    cf_store *s = fixture_create(f);
    const cf_sample x = fixture_sample("A", 0, 0.5);
    fixture_put(s, &x, NULL, 0);
    cf_lens_curve *c = NULL;
    size_t n = 9;
    assert_ok(cf_store_lens_curves(s, &c, &n, true, report));
    assert_int_equal(n, 0);
    cf_lens_curves_free(c, n);
    cf_store_close(s);
}

int test_lens(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_have_the_published_names),
        cmocka_unit_test_setup_teardown(the_mean_is_over_kept_samples_and_repeats_count_once, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(a_study_without_a_lens_has_no_curve_of_it, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests_name("lens", tests, NULL, NULL);
}
