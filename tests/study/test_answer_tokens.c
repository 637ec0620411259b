/* test_answer_tokens.c - which tokens a sample is scored by: of the demo model's vocabulary, in which words of answers
 * are one token each, in lower case and capitalised. */
#include "demo_runtime.h"
#include "study_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "study/answer_tokens.h"

static cf_slice token_text(int32_t id)
{
    return id < 0 ? cf_slice_of("none") : cf_tokenizer_token(demo_runtime.tokenizer, id);
}

static void a_word_is_scored_by_its_first_token_in_the_letter_case_of_the_answer(void **state)
{
    static const struct {
        const char *word, *answer, *token;
    } cases[] = {
        {"orange", "Orange", "\xe2\x96\x81Orange"},
        {"orange", "orange", "\xe2\x96\x81orange"},
        {"orange", "Blue", "\xe2\x96\x81Orange"},              /* only the answer's first letter counts */
        {"orange", "bLUE", "\xe2\x96\x81orange"},              /* whatever comes after it */
        {"Orange", "blue", "\xe2\x96\x81Orange"},              /* as the data set has it */
        {"oRANGE", "Blue", "\xe2\x96\x81Orange"},              /* capitalised: the other letters in lower case */
        {"orange", "", "\xe2\x96\x81orange"},                  /* no answer has no capital */
        {"orange", "\xc3\x89t\xc3\xa9", "\xe2\x96\x81orange"}, /* letters beyond ASCII have no case here */
        {"left side", "Left", "\xe2\x96\x81Left"},             /* the first of several tokens */
        {"", "Left", "none"},
        {"", "left", "none"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int32_t id = -2;
        assert_ok(
            cf_first_token_like(&id, &demo_runtime, cf_slice_of(cases[i].word), cf_slice_of(cases[i].answer), report));
        const cf_slice found = token_text(id);
        if (!cf_slice_is(found, cases[i].token))
            fail_msg("\"%s\" where the model says \"%s\": expected %s, found %.*s", cases[i].word, cases[i].answer,
                     cases[i].token, (int)found.n, found.data);
    }
}

static void a_word_is_cased_in_ascii_alone(void **state)
{
    static const struct {
        const char *word, *lower, *upper;
    } cases[] = {
        {"left", "left", "Left"},
        {"LEFT Side", "left side", "Left side"},
        {"2 Dogs", "2 dogs", "2 dogs"},
        {"\xc3\x89T\xc3\x89", "\xc3\x89t\xc3\x89", "\xc3\x89t\xc3\x89"},
        {"", "", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int upper = 0; upper < 2; upper++) {
            cf_str s = {0};
            assert_ok(cf_word_cased(&s, cf_slice_of(cases[i].word), upper, report));
            assert_string_equal(s.data, upper ? cases[i].upper : cases[i].lower);
            cf_str_deinit(&s);
        }
}

static void an_answer_is_the_data_sets_in_any_letter_case_of_the_models(void **state)
{
    static const struct {
        const char *answer, *expected;
        bool is;
    } cases[] = {
        {"orange", "orange", true},
        {"Orange", "orange", true},
        {"ORANGE", "orange", true},
        {"Orange.", "orange", false},
        {"orang", "orange", false},
        {"orange", "Orange", false}, /* the data set's are in lower case */
        {"", "", true},
        {"", "orange", false},
        {"\xc3\x89t\xc3\xa9", "\xc3\xa9t\xc3\xa9", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (cf_answer_is(cf_slice_of(cases[i].answer), cf_slice_of(cases[i].expected)) != cases[i].is)
            fail_msg("\"%s\" for \"%s\"", cases[i].answer, cases[i].expected);
}

static void an_end_token_that_closes_an_answer_is_no_part_of_it(void **state)
{
    static const struct {
        int32_t ids[4];
        int32_t n, length;
    } cases[] = {
        {{537, 2}, 2, 1},   /* the end token is 2 */
        {{537, 537}, 2, 2}, /* cut off at the longest answer */
        {{537}, 1, 1},
        {{2}, 1, 1}, /* an answer that ends at once is scored by the end token */
        {{2, 2}, 2, 1},
        {{537, 2, 537}, 3, 3}, /* only the last may be one: generation stops there */
        {{537, 537, 537, 2}, 4, 3},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(cf_answer_length(&demo_runtime, cases[i].ids, cases[i].n), cases[i].length);
}

int test_answer_tokens(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_word_is_scored_by_its_first_token_in_the_letter_case_of_the_answer),
        cmocka_unit_test(a_word_is_cased_in_ascii_alone),
        cmocka_unit_test(an_answer_is_the_data_sets_in_any_letter_case_of_the_models),
        cmocka_unit_test(an_end_token_that_closes_an_answer_is_no_part_of_it),
    };
    return cmocka_run_group_tests_name("tokens of answers", tests, open_demo, close_demo);
}
