/* test_error.c - the one-line message. */
#include "test_base.h"

#include <string.h>

#include "base/clock.h"
#include "base/error.h"

static void a_failure_records_its_status_and_text(void **state)
{
    (void)state;
    cf_error err = {0};
    assert_int_equal(cf_fail(&err, CF_IO, "%s: expected %d, found %d", "a.json", 3, 4), CF_IO);
    assert_int_equal(err.status, CF_IO);
    assert_string_equal(err.text, "a.json: expected 3, found 4");
}

static void a_failure_without_a_record_returns_its_status(void **state)
{
    (void)state;
    assert_int_equal(cf_fail(NULL, CF_NOMEM, "%d", 1), CF_NOMEM);
}

static void control_characters_are_shown_as_question_marks(void **state)
{
    (void)state;
    cf_error err = {0};
    (void)cf_fail(&err, CF_FORMAT, "%s", "a\nb\tc\x1b[31m\x7f caf\xc3\xa9");
    assert_string_equal(err.text, "a?b?c?[31m? caf\xc3\xa9"); /* UTF-8 stays */
}

static void a_long_text_is_cut_and_terminated(void **state)
{
    (void)state;
    struct {
        cf_error err;
        char guard[16];
    } s;
    memset(&s, 'G', sizeof s);
    char text[2 * CF_ERROR_TEXT_BYTES];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    (void)cf_fail(&s.err, CF_FORMAT, "%s", text);
    assert_int_equal(strlen(s.err.text), CF_ERROR_TEXT_BYTES - 1);
    for (size_t i = 0; i < sizeof s.guard; i++)
        assert_int_equal(s.guard[i], 'G');
}

static cf_status fails_in_the_middle(int *reached)
{
    cf_status st = CF_OK;
    *reached = 1;
    CF_TRY(CF_OK);
    *reached = 2;
    CF_TRY(CF_MISMATCH);
    *reached = 3;
done:
    return st;
}

static void try_leaves_with_the_status_of_the_first_failure(void **state)
{
    (void)state;
    int reached = 0;
    assert_int_equal(fails_in_the_middle(&reached), CF_MISMATCH);
    assert_int_equal(reached, 2);
}

static void the_clock_never_goes_back(void **state)
{
    (void)state;
    const int64_t start = cf_clock_ns();
    int64_t last = start;
    while (last < start + 1000000) { /* a clock that stands still runs into the test's time limit */
        const int64_t now = cf_clock_ns();
        assert_true(now >= last);
        last = now;
    }
}

int test_error(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_records_its_status_and_text),
        cmocka_unit_test(a_failure_without_a_record_returns_its_status),
        cmocka_unit_test(control_characters_are_shown_as_question_marks),
        cmocka_unit_test(a_long_text_is_cut_and_terminated),
        cmocka_unit_test(try_leaves_with_the_status_of_the_first_failure),
        cmocka_unit_test(the_clock_never_goes_back),
    };
    return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
