/* test_score.c - probabilities from logits. */
#include <math.h>

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

int test_score(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(probabilities_sum_to_one_and_do_not_overflow),
        cmocka_unit_test(the_largest_logit_is_the_first_of_equals),
        cmocka_unit_test(the_top_tokens_fall_in_order),
    };
    return cmocka_run_group_tests_name("score", tests, NULL, NULL);
}
