/* test_logit_kernels.c - passes over logits: every instruction set's against the others to the bit, and against wider
 * arithmetic within the bounds that logit_kernels.h states. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

#include "engine/logit_kernels.h"

static const double lowest_normal = -708.39; /* e to it is not below 2^-1022 */

/* The term of one logit of 0, in the middle of a row whose others are nothing. */
static double term(const cf_logit_kernels *k, double x, int place)
{
    float row[32];
    for (int i = 0; i < 32; i++)
        row[i] = -INFINITY;
    row[place] = 0;
    return k->exp_sum(-x, row, 32);
}

static void exponentials_are_off_by_less_than_a_third_of_a_unit_of_1e_15(void **state)
{
    (void)state;
    const double ln2 = 0.69314718055994531;
    double worst = 0;
    for (int i = 0; i <= 400000; i++) {
        /* Evenly, and around odd halves of ln2, where r is largest. */
        const double even = lowest_normal * i / 400000, half = -(i % 1022 + 0.5) * ln2 * (1 + (i - 200000) * 1e-13);
        const double xs[] = {even, half < lowest_normal ? -ln2 / 2 : half, even / 1000};
        for (size_t k = 0; k < COUNT(xs); k++) {
            const long double e = expl((long double)xs[k]);
            worst = fmax(worst, (double)fabsl(((long double)cf_exp(xs[k]) - e) / e));
        }
    }
    if (!(worst <= 3e-16))
        fail_msg("off by %g", worst);
}

static void exponentials_end_at_zero_and_keep_what_is_no_number(void **state)
{
    (void)state;
    static const struct {
        double x, e;
    } cases[] = {{0, 1}, {-0.0, 1}, {-708.76, 0}, {-745, 0}, {-1e9, 0}, {-3e38, 0}, {-1e300, 0}, {-INFINITY, 0}};
    const cf_logit_kernels *all[CF_MOST_LOGIT_KERNELS];
    const int n = cf_logit_kernels_all(all);
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_true(cf_exp(cases[i].x) == cases[i].e);
        for (int k = 0; k < n; k++)
            for (int place = 0; place < 32; place++)
                if (isfinite(cases[i].x)) /* of two infinities there is no difference */
                    assert_true(term(all[k], cases[i].x, place) == cases[i].e);
    }
    assert_true(cf_exp(-708.74) <= 0x1p-1022 && cf_exp(lowest_normal) >= 0x1p-1022);
    assert_true(isnan(cf_exp((double)NAN)));
    for (int k = 0; k < n; k++)
        assert_true(isnan(term(all[k], (double)NAN, 17)));
}

static void a_term_has_the_same_bits_wherever_it_stands(void **state)
{
    (void)state;
    const cf_logit_kernels *all[CF_MOST_LOGIT_KERNELS];
    const int n = cf_logit_kernels_all(all);
    for (int i = 0; i < 4000; i++) {
        const double x = -(double)i * i * 4.4e-5, e = cf_exp(x);
        for (int k = 0; k < n; k++)
            if (term(all[k], x, i % 32) != e)
                fail_msg("e^%.17g: expected %.17g, found %.17g by %s in place %d", x, e, term(all[k], x, i % 32),
                         all[k]->isa, i % 32);
    }
}

/* Ties and infinities among them, and NaN where asked for. */
static float *odd_logits(int64_t n, bool with_nan)
{
    float *logits = malloc((size_t)n * sizeof *logits);
    assert_non_null(logits);
    for (int64_t i = 0; i < n; i++)
        logits[i] = i % 97 == 96 ? -INFINITY : (float)(i * 7919 % 1009) / 37 - 9;
    for (int64_t i = 6; with_nan && i < n; i += 211)
        logits[i] = NAN;
    return logits;
}

static int64_t above_by_hand(float bound, const float *logits, int64_t n)
{
    int64_t above = 0;
    for (int64_t i = 0; i < n; i++)
        above += logits[i] > bound;
    return above;
}

static float largest_by_hand(float least, const float *logits, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        least = logits[i] > least ? logits[i] : least;
    return least;
}

static void check_passes(const cf_logit_kernels *k, const float *logits, int64_t n, double sum)
{
    static const float bounds[] = {-INFINITY, -9, 0, 18.25f, INFINITY, NAN};
    for (size_t b = 0; b < COUNT(bounds); b++) {
        const float expected = largest_by_hand(bounds[b], logits, n), found = k->largest(bounds[b], logits, n);
        if (isnan(expected) ? !isnan(found) : found != expected)
            fail_msg("%s, %lld logits from %g: largest %g, found %g", k->isa, (long long)n, (double)bounds[b],
                     (double)expected, (double)found);
        if (k->n_above(bounds[b], logits, n) != above_by_hand(bounds[b], logits, n))
            fail_msg("%s, %lld logits: %lld above %g, found %lld", k->isa, (long long)n,
                     (long long)above_by_hand(bounds[b], logits, n), (double)bounds[b],
                     (long long)k->n_above(bounds[b], logits, n));
    }
    const double found = k->exp_sum(19, logits, n);
    if (isnan(sum) ? !isnan(found) : memcmp(&found, &sum, sizeof sum) != 0)
        fail_msg("%s, %lld logits: sum %.17g, found %.17g", k->isa, (long long)n, sum, found);
}

static void passes_of_all_instruction_sets_have_the_same_bits(void **state)
{
    (void)state;
    static const int64_t sizes[] = {1, 2, 7, 8, 15, 16, 17, 63, 64, 65, 209, 511, 512, 513, 1025, 2048, 5000};
    const cf_logit_kernels *all[CF_MOST_LOGIT_KERNELS];
    const int n_all = cf_logit_kernels_all(all);
    for (size_t s = 0; s < COUNT(sizes); s++)
        for (int with_nan = 0; with_nan < 2; with_nan++) {
            float *logits = odd_logits(sizes[s], with_nan);
            const double sum = cf_logit_kernels_here()->exp_sum(19, logits, sizes[s]);
            assert_int_equal(isnan(sum) != 0, with_nan && sizes[s] > 6);
            for (int k = 0; k < n_all; k++)
                check_passes(all[k], logits, sizes[s], sum);
            free(logits);
        }
}

int test_logit_kernels(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exponentials_are_off_by_less_than_a_third_of_a_unit_of_1e_15),
        cmocka_unit_test(exponentials_end_at_zero_and_keep_what_is_no_number),
        cmocka_unit_test(a_term_has_the_same_bits_wherever_it_stands),
        cmocka_unit_test(passes_of_all_instruction_sets_have_the_same_bits),
    };
    return cmocka_run_group_tests_name("logit kernels", tests, NULL, NULL);
}
