/* test_results.c - what is written beside a sample's values: baselines, answers and lens entries; what is refused. */
#include "store_fixture.h"

#include <math.h>
#include <string.h>

static void every_table_has_its_rows(void **state)
{
    const fixture *f = *state;
    static const struct {
        const char *rows;
        int n;
    } cases[] = {
        {"sample", 3},
        {"sample WHERE answer_ids = '[537,2]' AND true_token = 540 AND notes = 'one' || char(10) || 'two'", 2},
        {"spec", 3},
        {"spec WHERE text = 'random: Image->Last' AND mode = 'random' AND heads = 'all' AND seed = 7", 1},
        {"run", 4},
        {"run WHERE repeat = 1 AND style = 'centre' AND window = 3 AND centre = 1 AND layers = '0:2'", 1},
        {"baseline", 4},
        {"baseline WHERE sample = 1 AND measure = 'difference' AND value = 2.0", 1},
        {"baseline WHERE sample = 1 AND measure = 'true' AND value IS NULL", 1},
        {"value", 8},
        {"value WHERE sample = 1 AND run = 1 AND measure = 'top' AND value = 12.0 AND flag = ''", 1},
        {"value WHERE value IS NULL AND flag = 'too_few_keys'", 1},
        {"answer", 2},
        {"answer WHERE sample = 1 AND run = 1 AND text = 'Blue \"sky\"' || char(10)", 1},
        {"answer WHERE run = 4 AND text = ''", 1},
        {"lens", 5},
        {"lens WHERE sample = 1 AND run = 0 AND position = 171 AND layer = 1 AND answer = 0.5 AND answer_upper = 0.25 "
         "AND option = 0.125 AND option_upper = 0.0625 AND words = '[\"a\",\"b\"]' AND scores = '[0.5,0.25]'",
         1},
        {"lens WHERE run = 3", 1},
        {"lens WHERE option IS NULL AND option_upper IS NULL", 1},
    };
    cf_store *s = fixture_create(f);
    fixture_rich_study(s);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (fixture_count(f, cases[i].rows) != cases[i].n)
            fail_msg("%s: expected %d, found %d", cases[i].rows, cases[i].n, (int)fixture_count(f, cases[i].rows));
    cf_store_close(s);
}

typedef struct refused {
    const char *name, *message; /* NULL: it is no fault */
    cf_value value;
    cf_baseline baseline;
    cf_run_answer answer;
    cf_lens_entry lens;
    int values, baselines, answers, entries; /* how often each is given */
} refused;

static void assert_results(cf_store *s, const fixture *f, const refused *c)
{
    const cf_value values[] = {c->value, c->value};
    const cf_baseline baselines[] = {c->baseline, c->baseline};
    const cf_run_answer answers[] = {c->answer, c->answer};
    const cf_lens_entry lens[] = {c->lens, c->lens};
    const cf_results r = {values,  (size_t)c->values,  baselines, (size_t)c->baselines,
                          answers, (size_t)c->answers, lens,      (size_t)c->entries};
    const cf_sample x = fixture_sample("A", 0, 0.5);
    cf_error err = {0};
    const cf_status st = cf_store_put_sample(s, &x, &r, &err);
    if (c->message ? st != CF_MISMATCH || !strstr(err.text, c->message) : st != CF_OK)
        fail_msg("%s: found %d '%s'", c->name, (int)st, err.text);
    const int64_t left = c->message ? 0 : 1;
    assert_int_equal(fixture_count(f, "sample"), left);
    assert_int_equal(fixture_count(f, "value"), left * c->values);
    assert_int_equal(fixture_count(f, "baseline"), left * c->baselines);
    assert_int_equal(fixture_count(f, "answer"), left * c->answers);
    assert_int_equal(fixture_count(f, "lens"), left * c->entries);
}

static void results_that_do_not_fit_are_refused_and_leave_nothing(void **state)
{
    const fixture *f = *state;
    const double nan = (double)NAN;
    const cf_lens_entry good = fixture_lens(1, 3, 2, 0.5);
    cf_lens_entry option = good, answer = good, none = good, before = good, below = good, run = good, early = good,
                  words = good, scores = good;
    option.option = nan;
    answer.answer_upper = nan;
    none.answer = none.answer_upper = none.option = none.option_upper = nan;
    before.position = -1;
    below.layer = -1;
    run.run = 9;
    early.run = -1;
    words.words = "a, b";
    scores.scores = "";
    const refused cases[] = {
        {.name = "a value", .value = {1, CF_MEASURE_TOP, 3.0, CF_VALUE_OK}, .values = 1},
        {.name = "no such measure", .value = {1, CF_MEASURE_TRUE, nan, CF_VALUE_OK}, .values = 1},
        {.name = "no such difference", .value = {1, CF_MEASURE_DIFFERENCE, nan, CF_VALUE_EMPTY_GROUP}, .values = 1},
        {.name = "fully cut", .value = {1, CF_MEASURE_RANK, nan, CF_VALUE_FULLY_CUT}, .values = 1},
        {.name = "too few keys", .value = {1, CF_MEASURE_FLIP, nan, CF_VALUE_TOO_FEW_KEYS}, .values = 1},
        {.name = "a baseline", .baseline = {CF_MEASURE_TRUE, nan}, .baselines = 1},
        {.name = "an answer", .answer = {1, "red"}, .answers = 1},
        {.name = "a lens entry", .lens = good, .entries = 1},
        {.name = "a lens entry without words", .lens = none, .entries = 1},
        {"fully cut with a value", "cannot write the values of the sample A row 0: CHECK",
         .value = {1, CF_MEASURE_PROBABILITY, 0.5, CF_VALUE_FULLY_CUT}, .values = 1},
        {"too few keys with a value", "cannot write the values of the sample A row 0: CHECK",
         .value = {1, CF_MEASURE_TRUE, 0.5, CF_VALUE_TOO_FEW_KEYS}, .values = 1},
        {"a probability that is none", "cannot write the values of the sample A row 0: CHECK",
         .value = {1, CF_MEASURE_PROBABILITY, nan, CF_VALUE_OK}, .values = 1},
        {"a rank that is none", "cannot write the values of the sample A row 0: CHECK",
         .value = {1, CF_MEASURE_RANK, nan, CF_VALUE_EMPTY_GROUP}, .values = 1},
        {"a value of no run", "has the value of run 0, which is not registered",
         .value = {0, CF_MEASURE_RANK, 1.0, CF_VALUE_OK}, .values = 1},
        {"two values", "has two values of run 1, rank", .value = {1, CF_MEASURE_RANK, 1.0, CF_VALUE_OK}, .values = 2},
        {"a baseline that is the sample's", "cannot write the baselines of the sample A row 0: CHECK",
         .baseline = {CF_MEASURE_PROBABILITY, 0.5}, .baselines = 1},
        {"a baseline that is none", "cannot write the baselines of the sample A row 0: CHECK",
         .baseline = {CF_MEASURE_FLIP, nan}, .baselines = 1},
        {"two baselines", "has two baselines of whole", .baseline = {CF_MEASURE_WHOLE, 0.5}, .baselines = 2},
        {"an answer of an unknown run", "has the answer of run 9, which is not registered", .answer = {9, "red"},
         .answers = 1},
        {"two answers", "has two answers of run 1", .answer = {1, "red"}, .answers = 2},
        {"a lens entry of an unknown run", "has the lens entry of run 9, which is not registered", .lens = run,
         .entries = 1},
        {"a lens entry before the runs", "has the lens entry of run -1, which is not registered", .lens = early,
         .entries = 1},
        {"two lens entries", "has two lens entries of run 1, position 3, layer 2", .lens = good, .entries = 2},
        {"one half of the options", "cannot write the lens entries of the sample A row 0: CHECK", .lens = option,
         .entries = 1},
        {"one half of the answers", "cannot write the lens entries of the sample A row 0: CHECK", .lens = answer,
         .entries = 1},
        {"a position before the prompt", "lens entries of the sample A row 0: CHECK", .lens = before, .entries = 1},
        {"a layer below the embeddings", "lens entries of the sample A row 0: CHECK", .lens = below, .entries = 1},
        {"words that are no list", "lens entries of the sample A row 0: CHECK", .lens = words, .entries = 1},
        {"scores that are no list", "lens entries of the sample A row 0: CHECK", .lens = scores, .entries = 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cf_store *s = fixture_create(f);
        (void)fixture_run(s, "Last->Last", 1, 0);
        assert_results(s, f, &cases[i]);
        cf_store_close(s);
        fixture_sql(f, "DELETE FROM value; DELETE FROM baseline; DELETE FROM answer; DELETE FROM lens; "
                       "DELETE FROM sample");
    }
}

/* The program's own checks aside: nobody else's rows are taken either. */
static void the_tables_refuse_what_no_study_has(void **state)
{
    const fixture *f = *state;
    static const char *const statements[] = {
        "UPDATE spec SET mode = 'hide'",
        "UPDATE spec SET text = 'x', seed = 0",
        "UPDATE run SET id = 0 WHERE id = 4",
        "UPDATE run SET repeat = -1",
        "UPDATE run SET repeat = 0",
        "UPDATE run SET style = 'around'",
        "UPDATE value SET measure = 'loss' WHERE measure = 'top'",
        "UPDATE value SET flag = 'cut' WHERE run = 4",
        "UPDATE value SET value = 0.5",
        "UPDATE value SET value = NULL",
        "UPDATE baseline SET measure = 'probability' WHERE measure = 'top'",
        "UPDATE baseline SET value = NULL",
        "UPDATE answer SET text = NULL",
        "UPDATE lens SET run = -1 WHERE run = 3",
        "UPDATE sample SET true_token = -2",
        "UPDATE sample SET status = 'fault'",
    };
    cf_store *s = fixture_create(f);
    fixture_rich_study(s);
    cf_store_close(s);
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++)
        if (!fixture_sql_refused(f, statements[i]))
            fail_msg("%s: expected a constraint, found none", statements[i]);
}

int test_results(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_table_has_its_rows, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(results_that_do_not_fit_are_refused_and_leave_nothing, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(the_tables_refuse_what_no_study_has, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests_name("results", tests, NULL, NULL);
}
