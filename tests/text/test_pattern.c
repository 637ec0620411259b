/* test_pattern.c - regular expressions of pre-tokenizers, and the classes of characters they rest on. */
#include "test_text.h"

#include <stdlib.h>
#include <string.h>

#include "text/text_internal.h"

static size_t put_utf8(char out[4], uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n; i-- > 1; c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3F));
    out[0] = (char)((n == 2 ? 0xC0 : n == 3 ? 0xE0 : 0xF0) | c);
    return n;
}

/* Counts over all characters, from the library (tokenizers 0.23.3, whose Oniguruma knows Unicode 16.0). */
static void classes_of_characters_are_those_of_the_library(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        int expected;
    } cases[] = {
        {"\\p{L}", 141028},      {"\\p{N}", 1911}, {"\\s", 25}, {"\\d", 760}, {"[^\\r\\n\\p{L}\\p{N}]", 969123},
        {"(?i:[strevmld])", 17},
    };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        cf_pattern *p = NULL;
        cf_matcher *m = NULL;
        cf_splits pieces = {0};
        cf_error err = {0};
        int n = 0;
        assert_int_equal(cf_pattern_compile(&p, cf_slice_of(cases[k].pattern), false, "x", &err), CF_OK);
        assert_int_equal(cf_matcher_create(&m, &err), CF_OK);
        for (uint32_t c = 0; c < 0x110000; c++) {
            if (c >= 0xD800 && c < 0xE000)
                continue;
            char twice[8];
            const size_t one = put_utf8(twice, c);
            memcpy(twice + one, twice, one); /* the same character again: one piece, unless it matches */
            assert_int_equal(cf_pattern_cut(&pieces, p, (cf_slice){twice, 2 * one}, m, &err), CF_OK);
            n += pieces.n == 2;
        }
        if (n != cases[k].expected)
            fail_msg("%s: expected %d characters, found %d", cases[k].pattern, cases[k].expected, n);
        free(pieces.items);
        cf_matcher_free(m);
        cf_pattern_free(p);
    }
}

static void a_pattern_that_would_mean_something_else_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *says;
    } cases[] = {
        {"\\w+", "\\w is not supported"},
        {"a\\b", "\\b is not supported"},
        {"[a\\W]", "\\W is not supported"},
        {"\\h", "\\h is not supported"},
        {"\\v", "\\v is not supported"},
        {"[a[bc]]", "[ is not supported"},
        {"[[:alpha:]]", "[ is not supported"},
        {"[a-z&&[^b]]", "& is not supported"},
        {"(?s).", "(?s is not supported"},
        {"(?m:.)", "(?m is not supported"},
        {"(*UCP)a", "(*U is not supported"},
        {"\\p{N}{1,3}+", "}+ is not supported"},
        {"a{2}+", "}+ is not supported"},
        {"a(", "at byte 2"},
        {"[a", "at byte 2"},
        {"\\p{Nonsense}", "at byte"},
        {"\\C", "at byte"},
        {"*", "at byte"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cf_pattern *p = NULL;
        cf_error err = {0};
        const cf_status st = cf_pattern_compile(&p, cf_slice_of(cases[i].pattern), false, "some.json", &err);
        if (st != CF_UNSUPPORTED || !strstr(err.text, cases[i].says) || strncmp(err.text, "some.json: ", 11) != 0)
            fail_msg("%s: status %d, \"%s\"", cases[i].pattern, (int)st, err.text);
        assert_null(p);
    }
}

static void the_patterns_these_are_variants_of_are_accepted(void **state)
{
    (void)state;
    static const char *const good[] = {
        "\\\\w",
        "\\p{L}+",
        "[^\\p{L}]+",
        "[]a]",
        "a{2}b+",
        "a[&]&",
        "(?:a)(?=b)(?!c)(?>d)(?<=e)(?<!f)(?i:g)(h)",
        "\\s+(?!\\S)",
        "a++",
        "\\[\\[",
        "[\\[a]",
        "(\\*)",
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        cf_pattern *p = NULL;
        cf_error err = {0};
        if (cf_pattern_compile(&p, cf_slice_of(good[i]), false, "some.json", &err) != CF_OK)
            fail_msg("%s", err.text);
        cf_pattern_free(p);
    }
}

static void a_literal_pattern_means_its_characters(void **state)
{
    (void)state;
    cf_pattern *p = NULL;
    cf_matcher *m = NULL;
    cf_splits pieces = {0};
    cf_error err = {0};
    assert_int_equal(cf_pattern_compile(&p, cf_slice_of("(?s)\\w["), true, "some.json", &err), CF_OK);
    assert_int_equal(cf_matcher_create(&m, &err), CF_OK);
    assert_int_equal(cf_pattern_cut(&pieces, p, cf_slice_of("ab(?s)\\w[cd"), m, &err), CF_OK);
    assert_int_equal(pieces.n, 3);
    assert_int_equal(pieces.items[1].begin, 2);
    assert_int_equal(pieces.items[1].end, 9);
    free(pieces.items);
    cf_matcher_free(m);
    cf_pattern_free(p);
}

/* Nested repetition that no match ends takes time without bound; PCRE2 gives up, and the text is named. */
static void a_match_that_cannot_be_decided_is_an_error(void **state)
{
    (void)state;
    cf_pattern *p = NULL;
    cf_matcher *m = NULL;
    cf_splits pieces = {0};
    cf_error err = {0};
    assert_int_equal(cf_pattern_compile(&p, cf_slice_of("(a|a)*[bz]"), false, "some.json", &err), CF_OK);
    assert_int_equal(cf_matcher_create(&m, &err), CF_OK);
    const cf_slice text = cf_slice_of("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac");
    assert_int_equal(cf_pattern_cut(&pieces, p, text, m, &err), CF_UNSUPPORTED);
    assert_non_null(strstr(err.text, "some.json: the pre-tokenizer's pattern on 57 bytes: match limit"));
    free(pieces.items);
    cf_matcher_free(m);
    cf_pattern_free(p);
}

/* Deeper than the stack of the JIT's code. */
static void a_deep_match_is_left_to_the_interpreter(void **state)
{
    (void)state;
    enum { N = 200000 };
    cf_pattern *p = NULL;
    cf_matcher *m = NULL;
    cf_splits pieces = {0};
    cf_error err = {0};
    char *text = malloc(N);
    assert_non_null(text);
    memset(text, 'a', N);
    assert_int_equal(cf_pattern_compile(&p, cf_slice_of("(a|b)*"), false, "some.json", &err), CF_OK);
    assert_int_equal(cf_matcher_create(&m, &err), CF_OK);
    if (cf_pattern_cut(&pieces, p, (cf_slice){text, N}, m, &err) != CF_OK)
        fail_msg("%s", err.text);
    assert_int_equal(pieces.n, 1);
    assert_int_equal(pieces.items[0].end, N);
    free(text);
    free(pieces.items);
    cf_matcher_free(m);
    cf_pattern_free(p);
}

static void bytes_and_their_alphabet_are_one_to_one(void **state)
{
    (void)state;
    cf_str letters = {0}, back = {0};
    cf_error err = {0};
    char all[256];
    for (int i = 0; i < 256; i++)
        all[i] = (char)i;
    assert_int_equal(cf_bytes_to_alphabet(&letters, (cf_slice){all, 256}, &err), CF_OK);
    assert_true(cf_utf8_valid(cf_str_slice(&letters)));
    assert_int_equal(cf_alphabet_to_bytes(&back, cf_str_slice(&letters), &err), CF_OK);
    assert_int_equal(back.n, 256);
    assert_memory_equal(back.data, all, 256);
    cf_str_clear(&letters);
    assert_int_equal(cf_bytes_to_alphabet(&letters, cf_slice_of(" \nA\xAD"), &err), CF_OK);
    assert_string_equal(letters.data, "\xC4\xA0\xC4\x8A"
                                      "A\xC5\x83");
    cf_str_deinit(&letters);
    cf_str_deinit(&back);
}

int test_pattern(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_of_characters_are_those_of_the_library),
        cmocka_unit_test(a_pattern_that_would_mean_something_else_is_refused),
        cmocka_unit_test(the_patterns_these_are_variants_of_are_accepted),
        cmocka_unit_test(a_literal_pattern_means_its_characters),
        cmocka_unit_test(a_match_that_cannot_be_decided_is_an_error),
        cmocka_unit_test(a_deep_match_is_left_to_the_interpreter),
        cmocka_unit_test(bytes_and_their_alphabet_are_one_to_one),
    };
    return cmocka_run_group_tests_name("pattern", tests, NULL, NULL);
}
