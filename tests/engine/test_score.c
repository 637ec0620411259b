/* test_score.c - probabilities from logits. */
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

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

/* Sizes around a part of 2,048 and a vector of 16, and one that 256 parts of that size would not hold. */
static const int64_t vocabularies[] = {15, 16, 17, 2047, 2048, 2049, 32064, 128256, 1100000};

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

/* How far a probability may be off, relatively: an exponential by 3e-16 above and below, a quotient's rounding, and as
 * many roundings of the sum as terms are added one after the other: 9 in a block of 512, the blocks of a part, the parts. */
static double bound_of(int64_t n)
{
    const int64_t part = n <= 2048 * 256 ? 2048 : (n + 255) / 256;
    return 2 * 3e-16 + (double)(1 + 9 + (part + 511) / 512 + (n + part - 1) / part) * 0x1p-53;
}

static void probabilities_keep_their_bound(void **state)
{
    (void)state;
    static const float scales[] = {0, 1, 8,
                                   60}; /* even odds; the usual; few tokens; one, and others as small as numbers get */
    for (size_t v = 0; v < COUNT(vocabularies); v++)
        for (size_t s = 0; s < COUNT(scales); s++) {
            const int64_t n = vocabularies[v];
            float *logits = many_logits(n);
            long double sum = 0;
            for (int64_t i = 0; i < n; i++) {
                logits[i] *= scales[s];
                sum += expl((long double)logits[i]);
            }
            for (int64_t i = 0; i < n; i += n / 13 + 1) {
                const long double p = expl((long double)logits[i]) / sum;
                const double found = cf_softmax_probability(logits, n, (int32_t)i);
                if (!(fabsl((long double)found / p - 1) <= (long double)bound_of(n)))
                    fail_msg("%lld tokens, scale %g: expected %.17Lg, found %.17g", (long long)n, (double)scales[s], p,
                             found);
            }
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
        double p[5];
        for (int t = 0; t < 4; t++) {
            omp_set_num_threads(t + 1);
            p[t] = cf_softmax_probability(logits, n, (int32_t)(n / 2));
        }
        omp_set_num_threads(2);
#pragma omp parallel for
        for (int t = 4; t < 6; t++) /* by one of several threads that have a row each */
            if (t == 4)
                p[t] = cf_softmax_probability(logits, n, (int32_t)(n / 2));
        omp_set_num_threads(threads);
        for (int t = 1; t < 5; t++)
            if (!(p[t] == p[0]))
                fail_msg("%lld tokens: %.17g, case %d %.17g", (long long)n, p[0], t, p[t]);
        free(logits);
    }
}

/* Wherever they lie in memory, and whichever function is asked. */
static void equal_logits_give_equal_bits(void **state)
{
    (void)state;
    const int64_t n = 5003;
    float *row = many_logits(n), *copies = malloc((size_t)(n + 16) * sizeof *copies);
    assert_non_null(copies);
    const int32_t token = 17, answer[] = {token};
    const double p = cf_softmax_probability(row, n, token);
    for (int shift = 0; shift < 16; shift++) {
        float *copy = copies + shift;
        const cf_asked asked = {answer, 1, token, token, -1, -1};
        cf_scores s;
        int32_t *ids = calloc((size_t)n, sizeof *ids);
        double *top = calloc((size_t)n, sizeof *top);
        assert_true(ids && top);
        memcpy(copy, row, (size_t)n * sizeof *row);
        cf_score(&s, &asked, copy, n);
        assert_true(s.probability == p && s.truth == p && s.whole == p);
        assert_true(cf_softmax_probability(copy, n, token) == p);
        cf_top_k(copy, n, (int32_t)s.rank + 20, ids, top);
        bool found = false; /* behind those with the same logit */
        for (int32_t i = (int32_t)s.rank - 1; i < (int32_t)s.rank + 20; i++)
            found |= ids[i] == token && top[i] == p;
        assert_true(found);
        free(ids);
        free(top);
    }
    free(row);
    free(copies);
}

static void rows_without_a_number_have_no_probability(void **state)
{
    (void)state;
    enum { N = 3000, WHERE = 2500 }; /* more than a part */
    const float inf = INFINITY, nan = NAN;
    static const int32_t answer[] = {WHERE};
    const struct {
        const char *name;
        float all, first, one; /* the logits; of token 0; of one token */
        double p;              /* of that one */
        double rank;
        int32_t top;
    } cases[] = {
        {"nothing is possible", -inf, -inf, -inf, (double)NAN, 1, 0},
        {"one thing is possible", -inf, -inf, -7, 1, 1, WHERE},
        {"that one is not", 0, 0, -inf, 0, N, 0},
        {"equals", 0, 0, 0, 1.0 / N, 1, 0},
        {"it is certain", 0, 0, inf, (double)NAN, 1, WHERE},
        {"two are certain", 0, inf, inf, (double)NAN, 1, 0},
        {"the first is no number", 0, nan, 1, (double)NAN, 1, 0},
        {"it is no number", 0, 1, nan, (double)NAN, 1, 0},
        {"it is no number, and the first not the largest", 0, -1, nan, (double)NAN, 1, 1},
        {"nothing is a number", nan, nan, nan, (double)NAN, 1, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        float logits[N];
        for (int t = 0; t < N; t++)
            logits[t] = cases[i].all;
        logits[0] = cases[i].first;
        logits[WHERE] = cases[i].one;
        const cf_asked asked = {answer, 1, WHERE, -1, -1, -1};
        cf_scores s;
        cf_score(&s, &asked, logits, N);
        if (isnan(cases[i].p) ? !isnan(s.probability) : !(fabs(s.probability - cases[i].p) <= 1e-18))
            fail_msg("%s: expected %g, found %g", cases[i].name, cases[i].p, s.probability);
        if (s.rank != cases[i].rank || s.top != cases[i].top || cf_argmax(logits, N) != s.top)
            fail_msg("%s: rank %g and top %d, found %g and %d", cases[i].name, cases[i].rank, cases[i].top, s.rank,
                     s.top);
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

static void the_top_tokens_of_many_fall_in_order(void **state)
{
    (void)state;
    enum { K = 300 };
    for (size_t v = 0; v < COUNT(vocabularies); v++) {
        const int64_t n = vocabularies[v];
        const int32_t k = n < K ? (int32_t)n : K;
        float *logits = many_logits(n);
        int32_t ids[K];
        double p[K];
        cf_top_k(logits, n, k, ids, p);
        for (int32_t i = 0; i < k; i++) { /* as many before it as are larger, or as large and before it in the row */
            int64_t before = 0;
            for (int64_t t = 0; t < n; t++)
                before += logits[t] > logits[ids[i]] || (logits[t] == logits[ids[i]] && t < ids[i]);
            assert_int_equal(before, i);
        }
        free(logits);
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
        cmocka_unit_test(probabilities_keep_their_bound),
        cmocka_unit_test(probabilities_of_many_do_not_depend_on_the_threads),
        cmocka_unit_test(equal_logits_give_equal_bits),
        cmocka_unit_test(rows_without_a_number_have_no_probability),
        cmocka_unit_test(the_top_tokens_fall_in_order),
        cmocka_unit_test(the_top_tokens_of_many_fall_in_order),
        cmocka_unit_test(an_answer_is_scored_token_by_token),
        cmocka_unit_test(probabilities_of_several_tokens_are_those_of_each),
    };
    return cmocka_run_group_tests_name("score", tests, NULL, NULL);
}
