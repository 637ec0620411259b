/* test_mask.c - the oracle's mask, edge by edge. */
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

#include "engine/dense_mask.h"

/* Rows of a mask as words: 'x' where query sees key, one row after another, heads one after another. */
static void check_mask(const char *name, int32_t length, int64_t n_heads, int64_t window, const cf_cut *cuts,
                       size_t n_cuts, const char *expected)
{
    uint64_t *bits = NULL;
    char found[2 * 5 * 5 + 1] = {0};
    OK(cf_dense_mask(&bits, length, n_heads, window, cuts, n_cuts, &err));
    for (int64_t row = 0; row < n_heads * length; row++)
        for (int32_t k = 0; k < length; k++)
            found[row * length + k] = bits[row] >> k & 1 ? 'x' : '.';
    if (strcmp(found, expected) != 0)
        fail_msg("%s: expected %s, found %s", name, expected, found);
    free(bits);
}

static void a_query_sees_the_keys_up_to_itself_that_are_not_cut(void **state)
{
    (void)state;
    cf_spans query = {0}, key = {0}, first = {0};
    OK(cf_spans_add(&query, 2, 4, &err));
    OK(cf_spans_add(&key, 1, 3, &err));
    OK(cf_spans_add(&first, 0, 1, &err));
    check_mask("causality", 5, 1, 0, NULL, 0,
               "x...."
               "xx..."
               "xxx.."
               "xxxx."
               "xxxxx");
    check_mask("a window", 5, 1, 3, NULL, 0,
               "x...."
               "xx..."
               "xxx.."
               ".xxx."
               "..xxx");
    check_mask("a cut and a window", 5, 1, 3, &(cf_cut){&query, &key, NULL}, 1,
               "x...."
               "xx..."
               "x...."
               "...x."
               "..xxx");
    check_mask("a window wider than the sequence", 5, 1, 6, NULL, 0,
               "x...."
               "xx..."
               "xxx.."
               "xxxx."
               "xxxxx");
    check_mask("a cut in all heads", 5, 1, 0, &(cf_cut){&query, &key, NULL}, 1,
               "x...."
               "xx..."
               "x...."
               "x..x."
               "xxxxx");
    check_mask("a cut in the second of two heads", 5, 2, 0, &(cf_cut){&query, &key, &(const uint64_t){2}}, 1,
               "x...."
               "xx..."
               "xxx.."
               "xxxx."
               "xxxxx"
               "x...."
               "xx..."
               "x...."
               "x..x."
               "xxxxx");
    check_mask("two cuts, one of them in the first of two heads", 5, 2, 0,
               (cf_cut[]){{&query, &key, NULL}, {&key, &first, &(const uint64_t){1}}}, 2,
               "x...."
               ".x..."
               "....."
               "x..x."
               "xxxxx"
               "x...."
               "xx..."
               "x...."
               "x..x."
               "xxxxx");
    cf_spans_deinit(&query);
    cf_spans_deinit(&key);
    cf_spans_deinit(&first);
}

static void rows_longer_than_a_word_go_on_in_the_next(void **state)
{
    (void)state;
    enum { LENGTH = 130, WORDS = 3 };
    cf_spans query = {0}, key = {0};
    uint64_t *bits = NULL;
    OK(cf_spans_add(&query, 100, LENGTH, &err));
    OK(cf_spans_add(&key, 60, 70, &err));
    OK(cf_spans_add(&key, 128, 129, &err));
    OK(cf_dense_mask(&bits, LENGTH, 1, 0, &(cf_cut){&query, &key, NULL}, 1, &err));
    for (int32_t q = 0; q < LENGTH; q++)
        for (int32_t k = 0; k < LENGTH; k++) {
            const bool cut = q >= 100 && ((k >= 60 && k < 70) || k == 128);
            assert_int_equal(bits[q * WORDS + k / 64] >> (k % 64) & 1, k <= q && !cut);
        }
    free(bits);
    cf_spans_deinit(&query);
    cf_spans_deinit(&key);
}

int test_mask(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_query_sees_the_keys_up_to_itself_that_are_not_cut),
        cmocka_unit_test(rows_longer_than_a_word_go_on_in_the_next),
    };
    return cmocka_run_group_tests_name("mask", tests, NULL, NULL);
}
