/* test_str.c - slices, growable strings, decimal integers. */
#include "test_base.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "support/fail_alloc.h"

static void a_slice_of_nothing_is_empty(void **state)
{
    (void)state;
    assert_int_equal(cf_slice_of(NULL).n, 0);
    assert_true(cf_slice_is(cf_slice_of(NULL), ""));
    assert_true(cf_slice_equal((cf_slice){NULL, 0}, cf_slice_of("")));
}

static void slices_compare_by_their_bytes(void **state)
{
    (void)state;
    assert_true(cf_slice_equal((cf_slice){"a\0b", 3}, (cf_slice){"a\0b", 3}));
    assert_false(cf_slice_equal((cf_slice){"a\0b", 3}, (cf_slice){"a\0c", 3}));
    assert_false(cf_slice_is(cf_slice_of("ab"), "abc"));
    assert_false(cf_slice_is(cf_slice_of("abc"), "ab"));
    assert_true(cf_slice_is((cf_slice){"abc", 2}, "ab"));
}

static void trimming_takes_white_space_at_both_ends(void **state)
{
    (void)state;
    static const struct {
        const char *text, *trimmed;
    } cases[] = {
        {"", ""},   {" \t\n\v\f\r", ""},        {"x", "x"}, {"  a b \n", "a b"}, {"\xc2\xa0x", "\xc2\xa0x"},
        {"a", "a"}, {"\x1fz\x08", "\x1fz\x08"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_true(cf_slice_is(cf_slice_trim(cf_slice_of(cases[i].text)), cases[i].trimmed));
}

static void finding_gives_the_first_position_at_or_after_a_start(void **state)
{
    (void)state;
    static const struct {
        const char *hay, *needle;
        size_t from;
        int64_t at;
    } cases[] = {
        {"abcabc", "abc", 0, 0}, {"abcabc", "abc", 1, 3}, {"abcabc", "abc", 4, -1}, {"abcabc", "abd", 0, -1},
        {"ab", "abc", 0, -1},    {"abc", "", 2, 2},       {"abc", "", 3, 3},        {"abc", "", 4, -1},
        {"", "", 0, 0},          {"aab", "ab", 0, 1},     {"abc", "c", 2, 2},       {"abc", "c", SIZE_MAX, -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(cf_slice_find(cf_slice_of(cases[i].hay), cf_slice_of(cases[i].needle), cases[i].from),
                         cases[i].at);
    assert_int_equal(cf_slice_find((cf_slice){"a\0b\0c", 5}, (cf_slice){"\0c", 2}, 0), 3);
    assert_int_equal(cf_slice_find((cf_slice){NULL, 0}, (cf_slice){NULL, 0}, 0), 0);
}

static void a_string_grows_by_text_and_by_format(void **state)
{
    (void)state;
    cf_str s = {0};
    cf_error err = {0};
    assert_null(s.data);
    assert_int_equal(cf_str_add(&s, (cf_slice){NULL, 0}, &err), CF_OK);
    assert_string_equal(s.data, "");
    size_t n = 0;
    for (int i = 0; i < 500; i++) {
        assert_int_equal(cf_str_add_text(&s, "ab", &err), CF_OK);
        assert_int_equal(cf_str_addf(&s, &err, "%03d", i), CF_OK);
        n += 5;
        assert_int_equal(s.n, n);
        assert_int_equal(strlen(s.data), n);
    }
    assert_memory_equal(s.data, "ab000ab001", 10);
    assert_memory_equal(s.data + n - 5, "ab499", 6);
    assert_int_equal(cf_str_add(&s, (cf_slice){"x\0y", 3}, &err), CF_OK);
    assert_memory_equal(cf_str_slice(&s).data + n, "x\0y", 4);
    assert_int_equal(cf_str_slice(&s).n, n + 3);
    const size_t cap = s.cap;
    cf_str_clear(&s);
    assert_int_equal(s.n, 0);
    assert_int_equal(s.cap, cap);
    assert_string_equal(s.data, "");
    cf_str_deinit(&s);
    assert_null(s.data);
    cf_str_clear(&s); /* of an empty string */
}

static void a_failed_addition_changes_nothing(void **state)
{
    (void)state;
    cf_str s = {0};
    cf_error err = {0};
    assert_int_equal(cf_str_add_text(&s, "keep", &err), CF_OK);
    fail_alloc_at(1);
    assert_int_equal(cf_str_addf(&s, &err, "%100d", 1), CF_NOMEM);
    assert_true(fail_alloc_off());
    char long_text[100];
    memset(long_text, 'x', sizeof long_text);
    fail_alloc_at(1);
    assert_int_equal(cf_str_add(&s, (cf_slice){long_text, sizeof long_text}, &err), CF_NOMEM);
    assert_true(fail_alloc_off());
    assert_string_equal(s.data, "keep");
    assert_int_equal(s.n, 4);
    cf_str_deinit(&s);
}

static void a_copy_is_terminated_and_its_own(void **state)
{
    (void)state;
    char *copy = NULL;
    cf_error err = {0};
    assert_int_equal(cf_strdup(&copy, (cf_slice){"abcdef", 3}, &err), CF_OK);
    assert_string_equal(copy, "abc");
    free(copy);
    assert_int_equal(cf_strdup(&copy, (cf_slice){NULL, 0}, &err), CF_OK);
    assert_string_equal(copy, "");
    free(copy);
    copy = NULL;
    fail_alloc_at(1);
    assert_int_equal(cf_strdup(&copy, cf_slice_of("abc"), &err), CF_NOMEM);
    assert_true(fail_alloc_off());
    assert_null(copy);
}

static void decimal_integers_are_read_whole_or_not_at_all(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool ok;
        int64_t value;
    } cases[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"+12", true, 12},
        {"-12", true, -12},
        {"007", true, 7},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"18446744073709551616", false, 0},
        {"92233720368547758070", false, 0},
        {"", false, 0},
        {"-", false, 0},
        {"+", false, 0},
        {"--1", false, 0},
        {" 1", false, 0},
        {"1 ", false, 0},
        {"1.0", false, 0},
        {"0x10", false, 0},
        {"1e3", false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t v = 55;
        if (cf_parse_i64(&v, cf_slice_of(cases[i].text)) != cases[i].ok)
            fail_msg("'%s'", cases[i].text);
        assert_true(v == (cases[i].ok ? cases[i].value : 55));
    }
    int64_t v = 0;
    assert_true(cf_parse_i64(&v, (cf_slice){"123456", 3})); /* the slice's length counts, not a NUL */
    assert_int_equal(v, 123);
    assert_false(cf_parse_i64(&v, (cf_slice){"1\0", 2}));
}

static void a_float_reads_back_and_does_not_look_like_a_whole_number(void **state)
{
    (void)state;
    static const struct {
        double v;
        const char *text;
    } cases[] = {{0, "0.0"},
                 {1, "1.0"},
                 {-50, "-50.0"},
                 {0.25, "0.25"},
                 {1e9, "1e+09"},
                 {1e-9, "1e-09"},
                 {(double)0.1F, "0.100000001"},
                 {123456789, "123456789.0"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cf_str s = {0};
        assert_int_equal(cf_str_add_float(&s, cases[i].v, NULL), CF_OK);
        assert_string_equal(s.data, cases[i].text);
        cf_str_deinit(&s);
    }
}

int test_str(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slice_of_nothing_is_empty),
        cmocka_unit_test(slices_compare_by_their_bytes),
        cmocka_unit_test(trimming_takes_white_space_at_both_ends),
        cmocka_unit_test(finding_gives_the_first_position_at_or_after_a_start),
        cmocka_unit_test(a_string_grows_by_text_and_by_format),
        cmocka_unit_test(a_failed_addition_changes_nothing),
        cmocka_unit_test(a_copy_is_terminated_and_its_own),
        cmocka_unit_test(decimal_integers_are_read_whole_or_not_at_all),
        cmocka_unit_test(a_float_reads_back_and_does_not_look_like_a_whole_number),
    };
    return cmocka_run_group_tests_name("str", tests, NULL, NULL);
}
