/* test_find.c - where a string lies among tokens. The vocabulary is made so that strings begin and end inside tokens. */
#include "test_text.h"

#include <string.h>

#include "support/fail_alloc.h"
#include "text/prompt.h"

static const char document[] = "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"\xE2\x96\x81the\":0,\"\xE2\x96\x81re\":1,"
                               "\"d\":2,\"\xE2\x96\x81moo\":3,\"n\":4,\"?\":5,"
                               "\"aa\":6,\"a\":7,\"<0x0A>\":8,\"\xE2\x96\x81\":9},\"merges\":[]}}";

static int setup(void **state)
{
    cf_tokenizer *t = NULL;
    cf_error err = {0};
    if (cf_tokenizer_parse(&t, cf_slice_of(document), "find.json", &err) != CF_OK)
        return -1;
    *state = t;
    return 0;
}

static void the_first_occurrence_and_every_token_that_overlaps_it(void **state)
{
    static const int32_t ids[] = {0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4}; /* " the| re|d| moo|n|?| the| re|d| moo|n" */
    static const int32_t as[] = {6, 6, 7};                          /* "aa|aa|a" */
    static const int32_t holes[] = {-1, 99, 7, -1, 99, 7, -1};      /* ids without a token take no room */
    static const int32_t byte[] = {7, 8, 9, 7};                     /* "a|<0x0A>| |a" */
    static const struct {
        const char *name;
        const int32_t *ids;
        size_t n;
        const char *text;
        int32_t begin, end;
        int64_t n_found;
    } cases[] = {
        {"whole tokens", ids, 11, " red", 1, 3, 2},
        {"begins inside a token", ids, 11, "red", 1, 3, 2},
        {"ends inside a token", ids, 11, " the r", 0, 2, 2},
        {"inside one token", ids, 11, "oo", 3, 4, 2},
        {"over many tokens, both ends inside", ids, 11, "he red moo", 0, 4, 2},
        {"the rest of the tokens", ids, 11, "? the red moon", 5, 11, 1},
        {"everything", ids, 6, " the red moon?", 0, 6, 1},
        {"the last token alone", ids, 6, "?", 5, 6, 1},
        {"occurrences that overlap are counted", as, 3, "aa", 0, 1, 4},
        {"over a token border", as, 3, "aaa", 0, 2, 3},
        {"between ids without tokens", holes, 7, "a", 2, 3, 2},
        {"over ids without tokens", holes, 7, "aa", 2, 6, 1},
        {"a byte token in its stored form", byte, 4, "<0x0A> a", 1, 4, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cf_span span = {-1, -1};
        int64_t n_found = -1;
        cf_error err = {0};
        if (cf_text_find(&span, &n_found, *state, cases[i].ids, cases[i].n, cf_slice_of(cases[i].text), &err) != CF_OK)
            fail_msg("%s: %s", cases[i].name, err.text);
        if (span.begin != cases[i].begin || span.end != cases[i].end || n_found != cases[i].n_found)
            fail_msg("%s: found [%d, %d), %lld times", cases[i].name, span.begin, span.end, (long long)n_found);
    }
}

/* Llama-3's way: U+0120 is a blank, U+010A a newline; a character of several bytes stays in the alphabet of bytes. */
static const char byte_document[] =
    "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"\xC4\xA0the\":0,\"\xC4\xA0red\":1,\"\xC4\x8A\":2,\"\xC4\xA0\xC4\x8A\":3,"
    "\"\xC3\x83\xC2\xA9\":4,\"\xE2\x96\x81\":5,\"<|eot_id|>\":6,\"?\xC4\x8A\xC4\x8A\":7},\"merges\":[]},"
    "\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false}}";

static void among_byte_level_tokens_the_marks_of_blank_and_newline_are_read(void **state)
{
    (void)state;
    static const int32_t ids[] = {2, 0, 1, 7, 3, 4, 5, 6}; /* "\n| the| red|?\n\n| \n|(e acute)|(mark)|<|eot_id|>" */
    static const struct {
        const char *name, *text;
        int32_t begin, end;
        int64_t n_found;
    } cases[] = {
        {"words", "the red?", 1, 4, 1},
        {"a blank", " red", 2, 3, 1},
        {"a newline alone", "\n", 0, 1, 4},
        {"newlines inside a token", "?\n", 3, 4, 1},
        {"over both marks", "\n\n \n", 3, 5, 1},
        {"a special token", "<|eot", 7, 8, 1},
        {"SentencePiece's mark as itself", "\xE2\x96\x81", 6, 7, 1},
        {"a letter by its bytes' characters", "\xC3\x83\xC2\xA9", 5, 6, 1},
        {"a letter as such", "\xC3\xA9", -1, -1, 0},
        {"the marks themselves", "\xC4\xA0red", -1, -1, 0},
    };
    cf_tokenizer *t = NULL;
    cf_error err = {0};
    assert_int_equal(cf_tokenizer_parse(&t, cf_slice_of(byte_document), "bytes.json", &err), CF_OK);
    assert_true(cf_tokenizer_is_byte_level(t));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cf_span span = {-1, -1};
        int64_t n_found = 0;
        const cf_status st = cf_text_find(&span, &n_found, t, ids, 8, cf_slice_of(cases[i].text), &err);
        if (st != (cases[i].n_found ? CF_OK : CF_MISMATCH) || span.begin != cases[i].begin ||
            span.end != cases[i].end || n_found != cases[i].n_found)
            fail_msg("%s: status %d, found [%d, %d), %lld times", cases[i].name, (int)st, span.begin, span.end,
                     (long long)n_found);
    }
    cf_tokenizer_close(t);
}

static void a_text_that_does_not_occur_is_refused_by_name(void **state)
{
    static const int32_t ids[] = {0, 1, 2, 8};
    static const char *const absent[] = {"blue", "the  re", "red ", " the red<0x0A>d", "\xE2\x96\x81the", "\n"};
    for (size_t i = 0; i < sizeof absent / sizeof absent[0]; i++) {
        cf_span span = {7, 9};
        int64_t n_found = 5;
        cf_error err = {0};
        assert_int_equal(cf_text_find(&span, &n_found, *state, ids, 4, cf_slice_of(absent[i]), &err), CF_MISMATCH);
        assert_true(span.begin == 7 && span.end == 9 && n_found == 5);
        if (absent[i][0] != '\n')
            assert_non_null(strstr(err.text, absent[i]));
    }
}

static void without_tokens_nothing_is_found(void **state)
{
    cf_span span = {0};
    cf_error err = {0};
    assert_int_equal(cf_text_find(&span, NULL, *state, NULL, 0, cf_slice_of("a"), &err), CF_MISMATCH);
}

static void an_empty_text_is_refused(void **state)
{
    static const int32_t ids[] = {0};
    cf_span span = {0};
    cf_error err = {0};
    assert_int_equal(cf_text_find(&span, NULL, *state, ids, 1, cf_slice_of(""), &err), CF_USAGE);
}

static void check_failing_find(const cf_tokenizer *t)
{
    static const int32_t ids[] = {0, 1, 2};
    for (int64_t n = 1;; n++) {
        cf_span span = {7, 9};
        cf_error err = {0};
        fail_alloc_at(n);
        const cf_status st = cf_text_find(&span, NULL, t, ids, 3, cf_slice_of("red"), &err);
        if (!fail_alloc_off()) {
            assert_int_equal(st, CF_OK);
            break;
        }
        assert_int_equal(st, CF_NOMEM);
        assert_int_equal(span.begin, 7);
    }
}

static void every_failing_allocation_is_reported(void **state)
{
    cf_tokenizer *t = NULL;
    cf_error err = {0};
    check_failing_find(*state);
    assert_int_equal(cf_tokenizer_parse(&t, cf_slice_of(byte_document), "bytes.json", &err), CF_OK);
    check_failing_find(t);
    cf_tokenizer_close(t);
}

int test_find(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_occurrence_and_every_token_that_overlaps_it),
        cmocka_unit_test(among_byte_level_tokens_the_marks_of_blank_and_newline_are_read),
        cmocka_unit_test(a_text_that_does_not_occur_is_refused_by_name),
        cmocka_unit_test(without_tokens_nothing_is_found),
        cmocka_unit_test(an_empty_text_is_refused),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests_name("find", tests, setup, demo_close);
}
