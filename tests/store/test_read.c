/* test_read.c - facts, runs and one sample's results, as they were written. */
#include "store_fixture.h"

#include <math.h>
#include <string.h>

static cf_status list_fact(void *user, const cf_fact *fact, cf_error *err)
{
    return cf_str_addf(user, err, "%s=%s%s\n", fact->key, fact->value, fact->identity ? " (identity)" : "");
}

static void every_fact_is_read_by_key(void **state)
{
    const fixture *f = *state;
    const cf_fact facts[] = {{"prompt", "USER: \"<image>\"", true}, {"crossflow", "1", false}, {"empty", NULL, false}};
    cf_store *s = NULL;
    cf_str text = {0};
    assert_ok(cf_store_create(&s, f->path, facts, 3, report));
    assert_ok(cf_store_each_fact(s, list_fact, &text, report));
    assert_string_equal(text.data, "crossflow=1\nempty=\nprompt=USER: \"<image>\" (identity)\n");
    cf_str_deinit(&text);
    cf_store_close(s);
}

static cf_status list_run(void *user, int64_t id, const cf_store_run *run, cf_error *err)
{
    cf_str *out = user;
    cf_status st = cf_str_addf(out, err, "%d ", (int)id);
    if (st == CF_OK)
        st = cf_store_run_label(out, run, err);
    return st == CF_OK ? cf_str_addf(out, err, " %s %d %d %d %s\n", run->style, (int)run->window, (int)run->centre,
                                     (int)run->repeat, run->layers)
                       : st;
}

static void every_run_is_read_by_id(void **state)
{
    const fixture *f = *state;
    cf_store *s = fixture_create(f);
    cf_str text = {0};
    fixture_rich_study(s);
    assert_ok(cf_store_each_run(s, list_run, &text, report));
    assert_string_equal(text.data, "1 Image->Last centre 1 0 0 0:1\n"
                                   "2 random: Image->Last seed 7 centre 3 1 0 0:2\n"
                                   "3 random: Image->Last seed 7 centre 3 1 1 0:2\n"
                                   "4 Image->Last@0:2 & Last->Last@3 fixed 0 0 0 \n");
    cf_str_deinit(&text);
    cf_store_close(s);
}

enum { EVERYTHING = CF_READ_VALUES | CF_READ_BASELINES | CF_READ_ANSWERS | CF_READ_LENS };

static void a_samples_results_are_read_as_they_were_written(void **state)
{
    const fixture *f = *state;
    cf_store *s = fixture_create(f);
    cf_results_buffer b = {0};
    const cf_results *r = &b.results;
    fixture_rich_study(s);
    assert_ok(cf_store_read_results(s, &b, "A", 0, EVERYTHING, report));
    assert_int_equal(r->n_values, 7);
    assert_int_equal(r->values[2].run, 1); /* by the measure's name: difference, flip, probability, top */
    assert_int_equal(r->values[2].measure, CF_MEASURE_PROBABILITY);
    assert_true(r->values[2].value == 0.25);
    assert_int_equal(r->values[5].flag, CF_VALUE_TOO_FEW_KEYS);
    assert_true(isnan(r->values[5].value));
    assert_int_equal(r->n_baselines, 4);
    assert_int_equal(r->baselines[0].measure, CF_MEASURE_DIFFERENCE);
    assert_true(r->baselines[0].value == 2.0);
    assert_int_equal(r->n_answers, 2);
    assert_string_equal(r->answers[0].text, "Blue \"sky\"\n");
    assert_int_equal(r->answers[1].run, 4);
    assert_int_equal(r->n_lens, 2); /* the baseline's at the last position */
    assert_int_equal(r->lens[1].layer, 1);
    assert_true(r->lens[1].answer == 0.5 && r->lens[1].answer_upper == 0.25);
    assert_true(r->lens[1].option == 0.125 && r->lens[1].option_upper == 0.0625);
    assert_string_equal(r->lens[1].words, "[\"a\",\"b\"]");
    assert_string_equal(r->lens[1].scores, "[0.5,0.25]");
    cf_results_buffer_deinit(&b);
    cf_store_close(s);
}

static void a_buffer_holds_the_parts_asked_for_of_the_last_sample_only(void **state)
{
    const fixture *f = *state;
    cf_store *s = fixture_create(f);
    cf_results_buffer b = {0};
    const cf_results *r = &b.results;
    fixture_rich_study(s);
    assert_ok(cf_store_read_results(s, &b, "A", 0, EVERYTHING, report));
    assert_ok(cf_store_read_results(s, &b, "B", 0, CF_READ_VALUES, report));
    assert_int_equal(r->n_values, 1);
    assert_true(r->values[0].value == 0.125);
    assert_int_equal(r->n_baselines + r->n_answers + r->n_lens, 0);
    assert_ok(cf_store_read_results(s, &b, "no such task", 0, EVERYTHING, report));
    assert_int_equal(r->n_values + r->n_baselines + r->n_answers + r->n_lens, 0);
    fixture_sql(f, "PRAGMA ignore_check_constraints = 1; UPDATE value SET flag = 'odd'");
    cf_error err = {0};
    assert_int_equal(cf_store_read_results(s, &b, "A", 0, EVERYTHING, &err), CF_FORMAT);
    assert_int_equal(r->n_values, 0);
    cf_results_buffer_deinit(&b);
    cf_store_close(s);
}

static void absolute_curves_are_means_of_the_values(void **state)
{
    const fixture *f = *state;
    cf_store *s = fixture_create(f);
    cf_curve *curves = NULL;
    size_t n = 0;
    fixture_rich_study(s);
    const cf_curve_options o = {.measure = CF_MEASURE_PROBABILITY, .absolute = true};
    assert_ok(cf_store_curves(s, &curves, &n, &o, report));
    assert_int_equal(n, 4);
    assert_true(curves[0].points[0].mean == 0.25);
    assert_true(curves[1].points[0].mean == 0.375); /* of two repeats one has a number */
    assert_true(curves[2].points[0].mean == 0.5);
    assert_string_equal(curves[3].task, "B");
    assert_true(curves[3].points[0].mean == 0.125);
    cf_curves_free(curves, n);
    cf_store_close(s);
}

int test_read(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_fact_is_read_by_key, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(every_run_is_read_by_id, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_samples_results_are_read_as_they_were_written, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(a_buffer_holds_the_parts_asked_for_of_the_last_sample_only, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(absolute_curves_are_means_of_the_values, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
