/* test_score.c - probabilities from logits. */
#include <math.h>
#include <omp.h>
#include <stdlib.h>

#include "fixture.h"

#include "engine/score.h"

static void probabilities_sum_to_one_and_do_not_overflow(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        float logits[4];
        double p[4];
    } cases[] = {
        {"equal", {0, 0, 0, 0}, {.25, .25, .25, .25}},
        {"large", {1000, 1000, -1000, -1000}, {.5, .5, 0, 0}},
        {"very small", {-1e30f, -1e30f, -1e30f, -1e30f}, {.25, .25, .25, .25}},
        {"one hot", {0, 200, 0, 0}, {0, 1, 0, 0}},
        {"odds of three to one", {1.0986123f, 0, -1e30f, -1e30f}, {.75, .25, 0, 0}},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        for (int32_t t = 0; t < 4; t++) {
            const double p = cf_softmax_probability(cases[i].logits, 4, t);
            if (!(fabs(p - cases[i].p[t]) <= 1e-7))
                fail_msg("%s, token %d: expected %g, found %g", cases[i].name, t, cases[i].p[t], p);
        }
}

static void the_largest_logit_is_the_first_of_equals(void **state)
{
    (void)state;
    assert_int_equal(cf_argmax((const float[]){1, 3, 3, 2}, 4), 1);
    assert_int_equal(cf_argmax((const float[]){-7}, 1), 0);
    assert_int_equal(cf_argmax((const float[]){-7, -8, -6.5f}, 3), 2);
}

/* Sizes around a part of 4,096 and a vector of 16, and one that more than 256 parts of that size would not hold. */
static const int64_t vocabularies[] = {15, 16, 17, 4095, 4096, 4097, 32064, 128256, 1100000};

static float *many_logits(int64_t n)
{
    float *logits = malloc((size_t)n * sizeof *logits);
    assert_non_null(logits);
    for (int64_t i = 0; i < n; i++)
        logits[i] = (float)(i * 7919 % 10007) / 1000 - 5;
    return logits;
}

static void the_largest_of_many_is_found_wherever_it_stands(void **state)
{
    (void)state;
    for (size_t v = 0; v < COUNT(vocabularies); v++) {
        const int64_t n = vocabularies[v], places[] = {0, 1, 14, n / 2, n - 2, n - 1};
        float *logits = many_logits(n);
        for (size_t i = 0; i < COUNT(places); i++) {
            const float before = logits[places[i]];
            logits[places[i]] = 6;
            assert_int_equal(cf_argmax(logits, n), places[i]);
            logits[places[i]] = before;
        }
        logits[n / 3] = logits[n - 1] = 6; /* of equals the first */
        assert_int_equal(cf_argmax(logits, n), n / 3);
        free(logits);
    }
}

static void probabilities_of_many_do_not_depend_on_the_threads(void **state)
{
    (void)state;
    const int threads = omp_get_max_threads();
    for (size_t v = 0; v < COUNT(vocabularies); v++) {
        const int64_t n = vocabularies[v];
        float *logits = many_logits(n);
        double sum = 0;
        for (int64_t i = 0; i < n; i++)
            sum += exp((double)logits[i]);
        const double expected = exp((double)logits[n / 2]) / sum;
        omp_set_num_threads(1);
        const double one = cf_softmax_probability(logits, n, (int32_t)(n / 2));
        omp_set_num_threads(3);
        const double three = cf_softmax_probability(logits, n, (int32_t)(n / 2));
        omp_set_num_threads(threads);
        if (!(one == three && fabs(one / expected - 1) <= 1e-12)) /* a million roundings of 1e-16 walk to 1e-13 */
            fail_msg("%lld tokens: expected %.17g, found %.17g with one thread, %.17g with three", (long long)n,
                     expected, one, three);
        free(logits);
    }
}

static void the_top_tokens_fall_in_order(void **state)
{
    (void)state;
    const float logits[] = {0, 5, 2, 5, -1, 7, 2};
    const int32_t expected[] = {5, 1, 3, 2, 6, 0, 4}; /* of equals the first comes first */
    for (int32_t k = 1; k <= 7; k++) {
        int32_t ids[8] = {-1, -1, -1, -1, -1, -1, -1, -1};
        double p[7], sum = 0;
        cf_top_k(logits, 7, k, ids, p);
        assert_int_equal(ids[k], -1); /* room for k */
        for (int32_t i = 0; i < k; i++) {
            assert_int_equal(ids[i], expected[i]);
            assert_true(p[i] == cf_softmax_probability(logits, 7, ids[i]));
            sum += p[i];
        }
        assert_true(k < 7 ? sum < 1 : fabs(sum - 1) < 1e-12);
    }
}

static void an_answer_is_scored_token_by_token(void **state)
{
    (void)state;
    /* Odds of the four tokens: 4 2 1 1; 1 2 4 1; 2 2 1 3. */
    const float logits[3][4] = {
        {1.3862944f, 0.6931472f, 0, 0}, {0, 0.6931472f, 1.3862944f, 0}, {0.6931472f, 0.6931472f, 0, 1.0986123f}};
    const double nan = (double)NAN;
    const struct {
        const char *name;
        int32_t answer[3];
        cf_asked asked; /* answer left out */
        cf_scores expected;
    } cases[] = {
        {"one token", {0}, {NULL, 1, 0, 1, -1, -1}, {.5, .25, .5, nan, 1, 0, 0}},
        {"three tokens", {0, 2, 3}, {NULL, 3, 0, 2, 1, 3}, {.5, .125, .5 * .5 * .375, 0.6931472, 1, 0, 0}},
        {"another first token", {1, 2, 3}, {NULL, 3, 0, 0, 3, 1}, {.5, .5, .25 * .5 * .375, -0.6931472, 1, 1, 0}},
        {"another last token", {0, 2, 0}, {NULL, 3, 0, -1, 1, -1}, {.5, nan, .5 * .5 * .25, nan, 1, 1, 0}},
        {"followed token is third", {0}, {NULL, 1, 2, 0, 0, 0}, {.125, .5, .5, 0, 3, 0, 0}},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        cf_asked asked = cases[i].asked;
        cf_scores s;
        asked.answer = cases[i].answer;
        cf_score(&s, &asked, logits[0], 4);
        const cf_scores *e = &cases[i].expected;
        const double found[] = {s.probability, s.truth, s.whole, s.difference, s.rank, s.flip, (double)s.top};
        const double expected[] = {e->probability, e->truth, e->whole, e->difference, e->rank, e->flip, (double)e->top};
        for (size_t k = 0; k < COUNT(found); k++)
            if (isnan(expected[k]) ? !isnan(found[k]) : !(fabs(found[k] - expected[k]) <= 1e-7))
                fail_msg("%s, score %zu: expected %g, found %g", cases[i].name, k, expected[k], found[k]);
    }
}

static void probabilities_of_several_tokens_are_those_of_each(void **state)
{
    (void)state;
    const float logits[] = {3, -1, 2.5f, 0.25f};
    const int32_t tokens[] = {2, -1, 0, 2};
    double p[COUNT(tokens)];
    cf_softmax_probabilities(p, tokens, COUNT(tokens), logits, COUNT(logits));
    for (size_t i = 0; i < COUNT(tokens); i++)
        assert_true(tokens[i] < 0 ? isnan(p[i]) : p[i] == cf_softmax_probability(logits, COUNT(logits), tokens[i]));
}

int test_score(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(probabilities_sum_to_one_and_do_not_overflow),
        cmocka_unit_test(the_largest_logit_is_the_first_of_equals),
        cmocka_unit_test(the_largest_of_many_is_found_wherever_it_stands),
        cmocka_unit_test(probabilities_of_many_do_not_depend_on_the_threads),
        cmocka_unit_test(the_top_tokens_fall_in_order),
        cmocka_unit_test(an_answer_is_scored_token_by_token),
        cmocka_unit_test(probabilities_of_several_tokens_are_those_of_each),
    };
    return cmocka_run_group_tests_name("score", tests, NULL, NULL);
}
