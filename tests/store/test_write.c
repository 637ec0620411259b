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
    return cf_str_addf(&s->text, err,
                       "%s|%d|%s|%s|%s|%s|%s|%s|%s|%s|%s|%s|%d|%s|%.17g|%d|%s|%d|%s|%s|%d|%d|%d|%d|%d|%d\n", x->task,
                       (int)x->row, x->question_id, x->image, x->question, x->answer, x->true_option, x->false_option,
                       x->object, cf_sample_status_name(x->status), x->reason, x->predicted, x->first_token,
                       x->first_token_text, x->probability, x->n_tokens, x->answer_ids, x->true_token, x->groups,
                       x->notes, x->grid_h, x->grid_w, x->picture_w, x->picture_h, x->fitted_w, x->fitted_h);
}

static cf_status note_value(void *user, const cf_sample *x, const cf_store_run *r, const cf_value *v, cf_error *err)
{
    seen *s = user;
    s->n++;
    return cf_str_addf(&s->text, err, "%s %d: %s|%s|%s|%d|%d|%s k%d @%d [%s]: run %d %s %.17g %s\n", x->task,
                       (int)x->row, r->spec, r->mode, r->heads, (int)r->seed, r->repeat, r->style, r->window, r->centre,
                       r->layers, (int)v->run, cf_measure_name(v->measure), v->value, cf_value_flag_name(v->flag));
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
    assert_string_equal(got.text.data,
                        "ChooseAttr|1|q\"1||line\nbreak, and a quote '||||"
                        "|fault|picture: not found||0||nan|0||0|||0|0|0|0|0|0\n"
                        "ChooseAttr|3|00000024|2390560.jpg|Is the circle blue, or orange?|orange|orange|blue|circle"
                        "|done||Orange|537|Orange|0.10000000000000001|172|[537,2]|540|{\"Image\":[[4,148]]}|one\ntwo|"
                        "12|13|640|480|168|169\n");
    cf_str_deinit(&got.text);
    cf_store_close(s);
}

static void values_come_in_the_order_of_task_row_and_run(void **state)
{
    const fixture *f = *state;
    cf_store *s = fixture_create(f);
    const int64_t a = fixture_run(s, "Last->Last", 9, 5), b = fixture_random(s, 4, 1);
    cf_sample sample = fixture_sample("B", 0, 0.5);
    const cf_value values[] = {{b, CF_MEASURE_PROBABILITY, (double)NAN, CF_VALUE_TOO_FEW_KEYS},
                               {a, CF_MEASURE_PROBABILITY, 0.1, CF_VALUE_EMPTY_GROUP},
                               {a, CF_MEASURE_DIFFERENCE, -3.0, CF_VALUE_NO_VISIBLE_EDGE},
                               {a, CF_MEASURE_TRUE, (double)NAN, CF_VALUE_OK},
                               {b, CF_MEASURE_TRUE, (double)NAN, CF_VALUE_FULLY_CUT}};
    fixture_put(s, &sample, values, 5);
    sample.task = "A";
    sample.row = 10;
    fixture_put(s, &sample, &values[1], 1);
    sample.row = 9;
    fixture_put(s, &sample, &values[1], 1);
    seen got = {0};
    assert_ok(cf_store_each_value(s, note_value, &got, report));
#define CUT "Last->Last|cut|all|0|0|centre k9 @5 [1:10]: run 1 "
#define RANDOM "random: Image->Last|random|all|7|4|centre k3 @1 [0:2]: run 2 "
    assert_string_equal(got.text.data, "A 9: " CUT "probability 0.10000000000000001 empty_group\n"
                                       "A 10: " CUT "probability 0.10000000000000001 empty_group\n"
                                       "B 0: " CUT "difference -3 no_visible_edge\n"
                                       "B 0: " CUT "probability 0.10000000000000001 empty_group\n"
                                       "B 0: " CUT "true nan \n"
                                       "B 0: " RANDOM "probability nan too_few_keys\n"
                                       "B 0: " RANDOM "true nan fully_cut\n");
#undef RANDOM
#undef CUT
    cf_str_deinit(&got.text);
    cf_store_close(s);
}

/* A run on a sample is counted once, whatever else of it was measured. */
static void counts_are_of_samples_and_of_probabilities(void **state)
{
    const fixture *f = *state;
    cf_store *s = fixture_create(f);
    static const cf_value_flag flags[] = {CF_VALUE_EMPTY_GROUP,     CF_VALUE_EMPTY_GROUP, CF_VALUE_EMPTY_GROUP,
                                          CF_VALUE_EMPTY_GROUP,     CF_VALUE_FULLY_CUT,   CF_VALUE_FULLY_CUT,
                                          CF_VALUE_NO_VISIBLE_EDGE, CF_VALUE_OK,          CF_VALUE_TOO_FEW_KEYS,
                                          CF_VALUE_TOO_FEW_KEYS,    CF_VALUE_TOO_FEW_KEYS};
    enum { N = sizeof flags / sizeof *flags };
    cf_value values[2 * N];
    for (int i = 0; i < N; i++) {
        const bool none = flags[i] == CF_VALUE_FULLY_CUT || flags[i] == CF_VALUE_TOO_FEW_KEYS;
        values[i] =
            (cf_value){fixture_run(s, "Last->Last", 1, i), CF_MEASURE_PROBABILITY, none ? (double)NAN : 0.5, flags[i]};
        values[N + i] = values[i];
        values[N + i].measure = CF_MEASURE_WHOLE;
    }
    const cf_lens_entry lens[] = {fixture_lens(CF_NO_RUN, 3, 0, 0.5), fixture_lens(CF_NO_RUN, 3, 1, 0.5)};
    for (int row = 0; row < 6; row++) {
        cf_sample x = fixture_sample("A", row, 0.5);
        x.status = row == 0 ? CF_SAMPLE_DONE : row < 3 ? CF_SAMPLE_WRONG : CF_SAMPLE_FAULT;
        x.reason = row < 3 ? "" : "broken";
        fixture_put_results(
            s, &x,
            &(cf_results){.values = values, .n_values = row ? 0 : 2 * N, .lens = lens, .n_lens = row < 2 ? 2 : 0});
    }
    cf_store_counts c = {0};
    assert_ok(cf_store_count(s, &c, report));
    const cf_store_counts expected = {.done = 1,
                                      .wrong = 2,
                                      .fault = 3,
                                      .empty_group = 4,
                                      .no_visible_edge = 1,
                                      .fully_cut = 2,
                                      .too_few_keys = 3,
                                      .lens = 2};
    assert_memory_equal(&c, &expected, sizeof c);
    cf_store_close(s);
}

static const cf_store_run plain_run = {.spec = "random: A->B",
                                       .mode = "random",
                                       .heads = "all",
                                       .style = "centre",
                                       .window = 3,
                                       .centre = 4,
                                       .layers = "3:6"};

static void a_run_has_one_id_and_every_difference_makes_another(void **state)
{
    const fixture *f = *state;
    enum { N = 8 };
    cf_store *s = fixture_create(f);
    cf_store_run runs[N];
    for (size_t i = 0; i < N; i++)
        runs[i] = plain_run;
    runs[1].spec = "random: A->C";
    runs[2].seed = INT64_MAX;
    runs[3].repeat = 1;
    runs[4].style = "outside";
    runs[5].window = 5;
    runs[6].centre = 5;
    runs[7].layers = "2:6";
    int64_t ids[N];
    for (size_t i = 0; i < N; i++) {
        assert_ok(cf_store_add_run(s, &ids[i], &runs[i], report));
        for (size_t j = 0; j < i; j++)
            assert_int_not_equal(ids[i], ids[j]);
    }
    for (size_t i = 0; i < N; i++) {
        int64_t again = 0;
        assert_ok(cf_store_add_run(s, &again, &runs[i], report));
        assert_int_equal(again, ids[i]);
    }
    cf_store_close(s);
    assert_int_equal(fixture_count(f, "spec"), 3);
    assert_int_equal(fixture_count(f, "run"), N);
}

static void a_run_that_contradicts_itself_is_refused(void **state)
{
    const fixture *f = *state;
    static const struct {
        const char *name;
        cf_store_run run;
        bool good;
    } cases[] = {
        {"all layers outside", {"A->B", "cut", "all", 0, 0, "outside", 9, 4, ""}, true},
        {"below", {"A->B", "keep", "0+2", 0, 0, "below", 0, 4, "0:5"}, true},
        {"above", {"A->B", "zero mlp", "all", 0, 0, "above", 0, 4, "4:6"}, true},
        {"fixed", {"A->B", "zero attention", "mixed", 0, 0, "fixed", 0, 0, ""}, true},
        {"an unknown mode", {"A->B", "hide", "all", 0, 0, "centre", 3, 4, "3:6"}, false},
        {"a seed for nothing", {"A->B", "cut", "all", 1, 0, "centre", 3, 4, "3:6"}, false},
        {"a negative repeat", {"A->B", "random", "all", 1, -1, "centre", 3, 4, "3:6"}, false},
        {"an unknown style", {"A->B", "cut", "all", 0, 0, "around", 3, 4, "3:6"}, false},
        {"no window where there is one", {"A->B", "cut", "all", 0, 0, "centre", 0, 4, "3:6"}, false},
        {"none outside either", {"A->B", "cut", "all", 0, 0, "outside", 0, 4, "3:6"}, false},
        {"a window where there is none", {"A->B", "cut", "all", 0, 0, "below", 3, 4, "0:5"}, false},
        {"a negative window", {"A->B", "cut", "all", 0, 0, "above", -1, 4, "4:6"}, false},
        {"a negative centre", {"A->B", "cut", "all", 0, 0, "centre", 3, -1, "0:1"}, false},
        {"a centre where there is none", {"A->B", "cut", "all", 0, 0, "fixed", 0, 1, ""}, false},
        {"no layer", {"A->B", "cut", "all", 0, 0, "centre", 3, 4, ""}, false},
        {"no layer below", {"A->B", "cut", "all", 0, 0, "below", 0, 4, ""}, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cf_store *s = fixture_create(f);
        cf_error err = {0};
        int64_t id = -5;
        const cf_status st = cf_store_add_run(s, &id, &cases[i].run, &err);
        if (cases[i].good
                ? st != CF_OK || id != 1
                : st != CF_MISMATCH || id != -5 || !strstr(err.text, "cannot register the run A->B at layer "))
            fail_msg("%s: found %d, run %d, '%s'", cases[i].name, (int)st, (int)id, err.text);
        cf_store_close(s);
        assert_int_equal(fixture_count(f, "spec"), cases[i].good); /* neither half is left */
        assert_int_equal(remove(f->path), 0);
    }
}

/* Its text is the curve's name. */
static void one_text_and_seed_is_one_spec(void **state)
{
    const fixture *f = *state;
    cf_store *s = fixture_create(f);
    (void)fixture_add_run(s, &plain_run);
    cf_store_run other = plain_run;
    other.heads = "0+2";
    int64_t id = -5;
    assert_int_equal(cf_store_add_run(s, &id, &other, NULL), CF_MISMATCH);
    other = plain_run;
    other.mode = "cut";
    assert_int_equal(cf_store_add_run(s, &id, &other, NULL), CF_MISMATCH);
    assert_int_equal(id, -5);
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
        int64_t row;
        double probability;
        cf_value values[2];
        size_t n;
    } cases[] = {
        {"the sample ChooseAttr row 0 is stored already", 0, 0.5, {fine[0]}, 1},
        {"row 1 has the value of run 99, which is not registered", 1, 0.5, {fine[0], fine[1]}, 2},
        {"row 1 has two values of run 1, probability", 1, 0.5, {fine[0], fine[2]}, 2},
        {"cannot write the sample ChooseAttr row -1", -1, 0.5, {fine[0]}, 1},
        {"cannot write the sample ChooseAttr row 1: CHECK", 1, 0.0, {fine[0]}, 1},
        {"cannot write the sample ChooseAttr row 1: CHECK", 1, (double)NAN, {fine[0]}, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cf_error err = {0};
        const cf_sample x = fixture_sample("ChooseAttr", cases[i].row, cases[i].probability);
        const cf_results r = {.values = cases[i].values, .n_values = cases[i].n};
        assert_int_equal(cf_store_put_sample(s, &x, &r, &err), CF_MISMATCH);
        if (!strstr(err.text, cases[i].message))
            fail_msg("expected '%s', found '%s'", cases[i].message, err.text);
    }
    cf_sample bad = fixture_sample("ChooseAttr", 1, 0.5);
    bad.status = CF_SAMPLE_FAULT; /* without a reason */
    assert_int_equal(cf_store_put_sample(s, &bad, NULL, NULL), CF_MISMATCH);
    bad = fixture_sample("ChooseAttr", 1, 0.5);
    bad.true_token = -2;
    assert_int_equal(cf_store_put_sample(s, &bad, NULL, NULL), CF_MISMATCH);
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
    assert_int_equal(cf_store_put_sample(s, &sample, NULL, &err), CF_IO);
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
    assert_ok(cf_store_curves(s, &curves, &n, &(cf_curve_options){0}, report));
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
        cmocka_unit_test_setup_teardown(counts_are_of_samples_and_of_probabilities, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_run_has_one_id_and_every_difference_makes_another, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(a_run_that_contradicts_itself_is_refused, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(one_text_and_seed_is_one_spec, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_refused_sample_leaves_nothing_and_the_store_usable, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(a_read_only_study_is_not_written, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_visitor_stops_the_walk_with_its_own_status, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_study_of_895_samples_and_216_runs_takes_two_seconds_at_most, fixture_setup,
                                        fixture_teardown),
    };
    return cmocka_run_group_tests_name("writing and reading", tests, NULL, NULL);
}
