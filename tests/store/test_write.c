/* test_write.c - samples and values come back as they were written, in the order of task, row, run. */
#include "store_fixture.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

typedef struct seen {
    size_t n;
    cf_str text; /* a line per call */
} seen;

static cf_status note_sample(void *user, const cf_sample *x, cf_error *err)
{
    seen *s = user;
    s->n++;
    return cf_str_addf(&s->text, err, "%s|%d|%s|%s|%s|%s|%s|%s|%s|%s|%s|%s|%d|%s|%.17g|%d|%s|%d|%d|%d|%d|%d|%d\n",
                       x->task, (int)x->row, x->question_id, x->image, x->question, x->answer, x->true_option,
                       x->false_option, x->object, cf_sample_status_name(x->status), x->reason, x->predicted,
                       x->first_token, x->first_token_text, x->probability, x->n_tokens, x->groups, x->grid_h,
                       x->grid_w, x->picture_w, x->picture_h, x->fitted_w, x->fitted_h);
}

static cf_status note_value(void *user, const cf_sample *x, const cf_store_run *r, const cf_value *v, cf_error *err)
{
    seen *s = user;
    s->n++;
    return cf_str_addf(&s->text, err, "%s %d: %s %s %s %d k%d @%d [%d,%d): run %d %s %.17g %s\n", x->task, (int)x->row,
                       r->spec, r->mode, r->heads, (int)r->seed, r->window, r->centre, r->first, r->last, (int)v->run,
                       v->measure, v->value, cf_value_flag_name(v->flag));
}

static void every_field_of_a_sample_comes_back(void **state)
{
    const fixture *f = *state;
    cf_store *s = fixture_create(f);
    const cf_sample done = fixture_sample("ChooseAttr", 3, 0.1);
    fixture_put(s, &done, NULL, 0);
    const cf_sample fault = {.task = "ChooseAttr",
                             .row = 1,
                             .question_id = "q\"1",
                             .question = "line\nbreak, and a quote '",
                             .status = CF_SAMPLE_FAULT,
                             .reason = "picture: not found",
                             .probability = (double)NAN}; /* every other text is NULL */
    fixture_put(s, &fault, NULL, 0);
    cf_store_close(s);
    s = fixture_open(f);
    seen got = {0};
    assert_ok(cf_store_each_sample(s, note_sample, &got, report));
    assert_int_equal(got.n, 2);
    assert_string_equal(
        got.text.data,
        "ChooseAttr|1|q\"1||line\nbreak, and a quote '||||"
        "|fault|picture: not found||0||nan|0||0|0|0|0|0|0\n"
        "ChooseAttr|3|00000024|2390560.jpg|Is the circle blue, or orange?|orange|orange|blue|circle"
        "|done||Orange|537|Orange|0.10000000000000001|172|{\"Image\":[[4,148]]}|12|13|640|480|168|169\n");
    cf_str_deinit(&got.text);
    cf_store_close(s);
}

static void values_come_in_the_order_of_task_row_and_run(void **state)
{
    const fixture *f = *state;
    cf_store *s = fixture_create(f);
    const int64_t a = fixture_run(s, "Last->Last", 9, 5), b = fixture_run(s, "Image->Last", 1, 0);
    cf_sample sample = fixture_sample("B", 0, 0.5);
    const cf_value values[] = {{.run = b, .measure = "probability", .value = (double)NAN, .flag = CF_VALUE_FULLY_CUT},
                               {.run = a, .measure = "probability", .value = 0.1, .flag = CF_VALUE_EMPTY_GROUP},
                               {.run = a, .measure = "logit", .value = -3.0, .flag = CF_VALUE_NO_VISIBLE_EDGE}};
    fixture_put(s, &sample, values, 3);
    sample.task = "A";
    sample.row = 10;
    fixture_put(s, &sample, &values[1], 1);
    sample.row = 9;
    fixture_put(s, &sample, &values[1], 1);
    seen got = {0};
    assert_ok(cf_store_each_value(s, note_value, &got, report));
    assert_string_equal(got.text.data,
                        "A 9: Last->Last cut all 0 k9 @5 [1,10): run 1 probability 0.10000000000000001 empty_group\n"
                        "A 10: Last->Last cut all 0 k9 @5 [1,10): run 1 probability 0.10000000000000001 empty_group\n"
                        "B 0: Last->Last cut all 0 k9 @5 [1,10): run 1 logit -3 no_visible_edge\n"
                        "B 0: Last->Last cut all 0 k9 @5 [1,10): run 1 probability 0.10000000000000001 empty_group\n"
                        "B 0: Image->Last cut all 0 k1 @0 [0,1): run 2 probability nan fully_cut\n");
    cf_str_deinit(&got.text);
    cf_store_counts c = {0};
    assert_ok(cf_store_count(s, &c, report));
    assert_int_equal(c.done, 3);
    assert_int_equal(c.empty_group, 3);
    assert_int_equal(c.no_visible_edge, 1);
    assert_int_equal(c.fully_cut, 1);
    cf_store_close(s);
}

static void a_run_has_one_id_and_every_difference_makes_another(void **state)
{
    const fixture *f = *state;
    cf_store *s = fixture_create(f);
    const cf_store_run base = {
        .spec = "A->B", .mode = "cut", .heads = "all", .window = 3, .centre = 4, .first = 3, .last = 6};
    cf_store_run runs[9];
    for (size_t i = 0; i < 9; i++)
        runs[i] = base;
    runs[1].spec = "A->C";
    runs[2].mode = "random";
    runs[3].heads = "0-3";
    runs[4].seed = INT64_MAX;
    runs[5].window = 5;
    runs[6].centre = 5;
    runs[7].first = 2;
    runs[8].last = 7;
    int64_t ids[9];
    for (size_t i = 0; i < 9; i++) {
        assert_ok(cf_store_add_run(s, &ids[i], &runs[i], report));
        for (size_t j = 0; j < i; j++)
            assert_int_not_equal(ids[i], ids[j]);
    }
    for (size_t i = 0; i < 9; i++) {
        int64_t again = 0;
        assert_ok(cf_store_add_run(s, &again, &runs[i], report));
        assert_int_equal(again, ids[i]);
    }
    cf_store_run bad = base;
    bad.last = bad.first;
    int64_t id = -5;
    cf_error err = {0};
    assert_int_equal(cf_store_add_run(s, &id, &bad, &err), CF_MISMATCH);
    assert_int_equal(id, -5);
    assert_non_null(strstr(err.text, "register the run A->B at layer 4"));
    cf_store_close(s);
}

static void a_refused_sample_leaves_nothing_and_the_store_usable(void **state)
{
    const fixture *f = *state;
    cf_store *s = fixture_create(f);
    const int64_t run = fixture_run(s, "Image->Question", 1, 0);
    const cf_sample good = fixture_sample("ChooseAttr", 0, 0.5);
    const cf_value fine[] = {fixture_value(run, 0.4), fixture_value(99, 0.4), fixture_value(run, 0.3)};
    fixture_put(s, &good, fine, 1);
    const struct {
        const char *message;
        cf_sample sample;
        cf_value values[2];
        size_t n;
    } cases[] = {
        {"the sample ChooseAttr row 0 is stored already", good, {fine[0]}, 1},
        {"row 1 has a value of run 99, which is not registered",
         fixture_sample("ChooseAttr", 1, 0.5),
         {fine[0], fine[1]},
         2},
        {"row 1 has two values of run 1, probability", fixture_sample("ChooseAttr", 1, 0.5), {fine[0], fine[2]}, 2},
        {"cannot write the sample ChooseAttr row -1", fixture_sample("ChooseAttr", -1, 0.5), {fine[0]}, 1},
        {"cannot write the sample ChooseAttr row 1: CHECK", fixture_sample("ChooseAttr", 1, 0.0), {fine[0]}, 1},
        {"cannot write the sample ChooseAttr row 1: CHECK", fixture_sample("ChooseAttr", 1, (double)NAN), {fine[0]}, 1},
        {"cannot write the values of the sample ChooseAttr row 1: CHECK",
         fixture_sample("ChooseAttr", 1, 0.5),
         {{.run = run, .measure = "probability", .value = 0.5, .flag = CF_VALUE_FULLY_CUT}},
         1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cf_error err = {0};
        assert_int_equal(cf_store_put_sample(s, &cases[i].sample, cases[i].values, cases[i].n, &err), CF_MISMATCH);
        if (!strstr(err.text, cases[i].message))
            fail_msg("expected '%s', found '%s'", cases[i].message, err.text);
    }
    cf_sample without_reason = fixture_sample("ChooseAttr", 1, 0.5);
    without_reason.status = CF_SAMPLE_FAULT;
    assert_int_equal(cf_store_put_sample(s, &without_reason, NULL, 0, NULL), CF_MISMATCH);
    seen got = {0};
    assert_ok(cf_store_each_value(s, note_value, &got, report));
    assert_int_equal(got.n, 1);
    cf_str_deinit(&got.text);
    bool has = true;
    assert_ok(cf_store_has_sample(s, &has, "ChooseAttr", 1, report));
    assert_false(has);
    assert_ok(cf_store_has_sample(s, &has, "ChooseAtt", 0, report));
    assert_false(has);
    const cf_sample next = fixture_sample("ChooseAttr", 1, 0.5);
    fixture_put(s, &next, fine, 1);
    assert_ok(cf_store_has_sample(s, &has, "ChooseAttr", 1, report));
    assert_true(has);
    cf_store_close(s);
}

static void a_read_only_study_is_not_written(void **state)
{
    const fixture *f = *state;
    cf_store_close(fixture_create(f));
    cf_store *s = fixture_open(f);
    const cf_sample sample = fixture_sample("ChooseAttr", 0, 0.5);
    cf_error err = {0};
    assert_int_equal(cf_store_put_sample(s, &sample, NULL, 0, &err), CF_IO);
    assert_non_null(strstr(err.text, "readonly"));
    cf_store_close(s);
}

typedef struct stopper {
    cf_store *store;
    int calls;
} stopper;

static cf_status stop_at_second(void *user, const cf_sample *sample, cf_error *err)
{
    stopper *s = user;
    bool has = false;
    const cf_status st = cf_store_has_sample(s->store, &has, sample->task, sample->row, err); /* a visitor may ask */
    if (st != CF_OK || !has)
        return CF_MISMATCH;
    return ++s->calls == 2 ? cf_fail(err, CF_INTERRUPTED, "enough") : CF_OK;
}

static void a_visitor_stops_the_walk_with_its_own_status(void **state)
{
    const fixture *f = *state;
    cf_store *s = fixture_create(f);
    for (int64_t row = 0; row < 4; row++) {
        const cf_sample sample = fixture_sample("ChooseAttr", row, 0.5);
        fixture_put(s, &sample, NULL, 0);
    }
    stopper user = {.store = s};
    cf_error err = {0};
    assert_int_equal(cf_store_each_sample(s, stop_at_second, &user, &err), CF_INTERRUPTED);
    assert_string_equal(err.text, "enough");
    assert_int_equal(user.calls, 2);
    cf_store_close(s);
}

/* The size of the demo study. Processor time is bounded: wall time is shared with whatever else the machine does. */
static void a_study_of_895_samples_and_216_runs_takes_two_seconds_at_most(void **state)
{
    const fixture *f = *state;
    enum { SAMPLES = 895, RUNS = 216 };
    const int64_t start = cf_clock_ns();
    const clock_t start_cpu = clock();
    cf_store *s = fixture_create(f);
    cf_value values[RUNS];
    for (int32_t i = 0; i < RUNS; i++)
        values[i] = fixture_value(fixture_run(s, "Image->Question", 1 + i / 12, i % 12), 0.001 * i);
    for (int64_t row = 0; row < SAMPLES; row++) {
        const cf_sample sample = fixture_sample("ChooseAttr", row, 0.5);
        fixture_put(s, &sample, values, RUNS);
    }
    assert_ok(cf_store_finish(s, report));
    const double seconds = (double)(cf_clock_ns() - start) * 1e-9;
    const double cpu = (double)(clock() - start_cpu) / CLOCKS_PER_SEC;
    print_message("             %d samples of %d values: %.2f s, %.2f s of processor time\n", SAMPLES, RUNS, seconds,
                  cpu);
    cf_curve *curves = NULL;
    size_t n = 0;
    assert_ok(cf_store_curves(s, &curves, &n, false, false, report));
    assert_int_equal(n, RUNS / 12);
    assert_int_equal(curves[0].points[0].n, SAMPLES);
    cf_curves_free(curves, n);
    cf_store_close(s);
#if !defined(__SANITIZE_ADDRESS__)
    assert_true(cpu < 2.0);
#endif
}

int test_write(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_field_of_a_sample_comes_back, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(values_come_in_the_order_of_task_row_and_run, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_run_has_one_id_and_every_difference_makes_another, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(a_refused_sample_leaves_nothing_and_the_store_usable, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(a_read_only_study_is_not_written, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_visitor_stops_the_walk_with_its_own_status, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_study_of_895_samples_and_216_runs_takes_two_seconds_at_most, fixture_setup,
                                        fixture_teardown),
    };
    return cmocka_run_group_tests_name("writing and reading", tests, NULL, NULL);
}
