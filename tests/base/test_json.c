/* test_json.c - reading JSON documents. */
#include "test_base.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/json_text.h"
#include "support/temp_dir.h"

static cf_json *parsed(const char *text)
{
    cf_json *root = NULL;
    cf_error err = {0};
    if (cf_json_parse(&root, cf_slice_of(text), "test", &err) != CF_OK)
        fail_msg("%s: %s", text, err.text);
    return root;
}

static void every_kind_of_value_is_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        cf_json_kind kind;
    } cases[] = {
        {"null", CF_JSON_NULL},   {"true", CF_JSON_BOOL}, {"false", CF_JSON_BOOL},    {"-1.5e3", CF_JSON_NUMBER},
        {"\"\"", CF_JSON_STRING}, {"[]", CF_JSON_ARRAY},  {" {} \n", CF_JSON_OBJECT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cf_json *j = parsed(cases[i].text);
        assert_int_equal(cf_json_kind_of(j), cases[i].kind);
        cf_json_free(j);
    }
    assert_int_equal(cf_json_kind_of(NULL), CF_JSON_ABSENT);
}

static void bad_text_is_refused_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
        size_t n;
    } cases[] = {
        {"nothing", "", 0},
        {"blank", "  ", 2},
        {"open object", "{\"a\":1", 6},
        {"open string", "\"abc", 4},
        {"missing comma", "[1 2]", 5},
        {"bare word", "nul", 3},
        {"single quotes", "{'a':1}", 7},
        {"NaN", "NaN", 3},
        {"two values", "{} {}", 5},
        {"text after", "[1]x", 4},
        {"NUL after", "{}\0", 3},
        {"NUL and text after", "{}\0 x", 5},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cf_json *j = NULL;
        cf_error err = {0};
        /* a heap copy without a terminator, so that a read past its end is seen by the sanitizer */
        char *text = malloc(cases[i].n ? cases[i].n : 1);
        assert_non_null(text);
        memcpy(text, cases[i].text, cases[i].n);
        if (cf_json_parse(&j, (cf_slice){text, cases[i].n}, "x.json", &err) != CF_FORMAT)
            fail_msg("%s was accepted", cases[i].name);
        assert_null(j);
        assert_memory_equal(err.text, "x.json: ", 8);
        assert_non_null(strstr(err.text, "at byte "));
        free(text);
    }
}

static void a_text_need_not_be_terminated(void **state)
{
    (void)state;
    static const char *const texts[] = {"12", "{\"a\":[1,2,{\"b\":null}]}", "\"x\"", "[1] \t\r\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const size_t n = strlen(texts[i]);
        char *text = malloc(n);
        assert_non_null(text);
        memcpy(text, texts[i], n);
        cf_json *j = NULL;
        cf_error err = {0};
        assert_int_equal(cf_json_parse(&j, (cf_slice){text, n}, "x", &err), CF_OK);
        cf_json_free(j);
        free(text);
    }
}

static void deep_nesting_is_refused_and_not_followed_down_the_stack(void **state)
{
    (void)state;
    enum { DEPTH = 1 << 20 };
    char *text = malloc(DEPTH);
    assert_non_null(text);
    memset(text, '[', DEPTH);
    cf_json *j = NULL;
    cf_error err = {0};
    assert_int_equal(cf_json_parse(&j, (cf_slice){text, DEPTH}, "deep", &err), CF_FORMAT);
    free(text);
}

static void members_are_found_by_exact_name_and_walked_in_order(void **state)
{
    (void)state;
    cf_json *j = parsed("{\"b\": 1, \"B\": 2, \"a\": {\"x\": [10, 20]}, \"b\": 3}");
    assert_int_equal(cf_json_count(j), 4);
    assert_true(cf_json_number(cf_json_get(j, "b"), 0) == 1); /* the first of duplicates */
    assert_true(cf_json_number(cf_json_get(j, "B"), 0) == 2);
    assert_null(cf_json_get(j, "c"));
    static const char *const names[] = {"b", "B", "a", "b"};
    size_t n = 0;
    for (const cf_json *m = cf_json_first(j); m; m = cf_json_next(m))
        assert_string_equal(cf_json_name(m), names[n++]);
    assert_int_equal(n, 4);
    const cf_json *list = cf_json_get(cf_json_get(j, "a"), "x");
    assert_int_equal(cf_json_count(list), 2);
    assert_true(cf_json_number(cf_json_next(cf_json_first(list)), 0) == 20);
    assert_null(cf_json_name(cf_json_first(list)));
    assert_null(cf_json_get(list, "x")); /* a list has no members */
    cf_json_free(j);
}

static void what_is_absent_answers_absent(void **state)
{
    (void)state;
    int64_t v = 5;
    assert_null(cf_json_get(NULL, "a"));
    assert_null(cf_json_first(NULL));
    assert_null(cf_json_next(NULL));
    assert_null(cf_json_name(NULL));
    assert_null(cf_json_string(NULL));
    assert_int_equal(cf_json_count(NULL), 0);
    assert_true(cf_json_number(NULL, 7) == 7);
    assert_true(cf_json_bool(NULL, true));
    assert_false(cf_json_i64(&v, NULL));
    assert_int_equal(v, 5);
    cf_json_free(NULL);
}

static void values_of_another_kind_take_the_fallback(void **state)
{
    (void)state;
    cf_json *j = parsed("[\"5\", true, 1, null]");
    const cf_json *text = cf_json_first(j), *yes = cf_json_next(text), *one = cf_json_next(yes);
    assert_true(cf_json_number(text, 9) == 9);
    assert_true(cf_json_number(yes, 9) == 9);
    assert_false(cf_json_bool(one, false));
    assert_true(cf_json_bool(yes, false));
    assert_null(cf_json_string(one));
    assert_string_equal(cf_json_string(text), "5");
    cf_json_free(j);
}

static void strings_keep_their_escapes_and_their_utf8(void **state)
{
    (void)state;
    cf_json *j = parsed("\"a\\n\\\"\\u00e9\\ud83d\\ude00 \xe2\x96\x81\"");
    assert_string_equal(cf_json_string(j), "a\n\"\xc3\xa9\xf0\x9f\x98\x80 \xe2\x96\x81");
    cf_json_free(j);
}

static void integers_are_exact_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool ok;
        int64_t value;
    } cases[] = {
        {"0", true, 0},
        {"-7", true, -7},
        {"1e3", true, 1000},
        {"2.0", true, 2},
        {"4294967296", true, 4294967296},
        {"9007199254740991", true, 9007199254740991},
        {"-9007199254740991", true, -9007199254740991},
        {"9007199254740992", false, 0}, /* 2^53 may have been written as 2^53 + 1 */
        {"9007199254740993", false, 0},
        {"9223372036854775807", false, 0},
        {"1e400", false, 0},
        {"-1e400", false, 0},
        {"0.5", false, 0},
        {"\"1\"", false, 0},
        {"true", false, 0},
        {"null", false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cf_json *j = parsed(cases[i].text);
        int64_t v = 55;
        if (cf_json_i64(&v, j) != cases[i].ok)
            fail_msg("%s", cases[i].text);
        assert_true(v == (cases[i].ok ? cases[i].value : 55));
        cf_json_free(j);
    }
}

static void a_file_is_read_within_its_limit(void **state)
{
    cf_error err = {0};
    cf_json *j = NULL;
    temp_dir_write_text(*state, "a.json", "{\"a\": 1}");
    temp_dir_write_text(*state, "bad.json", "{\"a\": ");
    char *good = temp_dir_path(*state, "a.json"), *bad = temp_dir_path(*state, "bad.json");
    assert_int_equal(cf_json_open(&j, good, 7, &err), CF_FORMAT);
    assert_int_equal(cf_json_open(&j, bad, 100, &err), CF_FORMAT);
    assert_non_null(strstr(err.text, bad));
    assert_int_equal(cf_json_open(&j, *state, 100, &err), CF_IO);
    assert_null(j);
    assert_int_equal(cf_json_open(&j, good, 8, &err), CF_OK);
    assert_true(cf_json_number(cf_json_get(j, "a"), 0) == 1);
    cf_json_free(j);
    free(bad);
    free(good);
}

static int make_dir(void **state)
{
    *state = temp_dir_make();
    return 0;
}

static int remove_dir(void **state)
{
    temp_dir_remove(*state);
    return 0;
}

static void lines_become_a_list_of_strings(void **state)
{
    (void)state;
    static const struct {
        const char *text, *json;
    } cases[] = {{"", "[]"},
                 {"one", "[\"one\"]"},
                 {"one\ntwo", "[\"one\",\"two\"]"},
                 {"ends\n", "[\"ends\"]"},
                 {"\n\n", "[\"\",\"\"]"},
                 {"a \"b\"\nc\xff", "[\"a \\\"b\\\"\",\"c\xef\xbf\xbd\"]"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cf_str out = {0};
        cf_error err = {0};
        assert_int_equal(cf_json_add_lines(&out, cases[i].text, &err), CF_OK);
        assert_string_equal(out.data, cases[i].json);
        cf_str_deinit(&out);
    }
}

int test_json(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_value_is_told_apart),
        cmocka_unit_test(bad_text_is_refused_with_its_place),
        cmocka_unit_test(a_text_need_not_be_terminated),
        cmocka_unit_test(deep_nesting_is_refused_and_not_followed_down_the_stack),
        cmocka_unit_test(members_are_found_by_exact_name_and_walked_in_order),
        cmocka_unit_test(what_is_absent_answers_absent),
        cmocka_unit_test(values_of_another_kind_take_the_fallback),
        cmocka_unit_test(strings_keep_their_escapes_and_their_utf8),
        cmocka_unit_test(integers_are_exact_or_refused),
        cmocka_unit_test(lines_become_a_list_of_strings),
        cmocka_unit_test_setup_teardown(a_file_is_read_within_its_limit, make_dir, remove_dir),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
