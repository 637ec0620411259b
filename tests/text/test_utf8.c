/* test_utf8.c - invalid UTF-8 as Python's bytes.decode("utf-8", errors="replace") reads it, and the classes of characters. */
#include "test_text.h"

#include "text/text_internal.h"

#define BAD "\xEF\xBF\xBD"

static void invalid_pieces_become_one_replacement_each(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text, *repaired;
    } cases[] = {
        {"nothing", "", ""},
        {"plain", "abc", "abc"},
        {"2, 3 and 4 bytes", "\xC3\xA9\xE2\x96\x81\xF0\x9F\x98\x80", "\xC3\xA9\xE2\x96\x81\xF0\x9F\x98\x80"},
        {"lone continuation bytes", "a\x80\xBF", "a" BAD BAD},
        {"bytes that never occur", "\xFF\xFE\xC0\xC1\xF5", BAD BAD BAD BAD BAD},
        {"cut after one of two", "\xC3", BAD},
        {"cut after two of three", "\xE2\x96", BAD},
        {"cut after three of four", "\xF0\x9F\x98", BAD},
        {"cut before a letter", "\xE2\x96x", BAD "x"},
        {"cut before another character", "\xF0\x9F\xC3\xA9", BAD "\xC3\xA9"},
        {"overlong, two bytes", "\xC0\x80", BAD BAD},
        {"overlong, three bytes", "\xE0\x80\x80", BAD BAD BAD},
        {"overlong, four bytes", "\xF0\x80\x80\x80", BAD BAD BAD BAD},
        {"a surrogate", "\xED\xA0\x80", BAD BAD BAD},
        {"over 10FFFF", "\xF4\x90\x80\x80", BAD BAD BAD BAD},
        {"the last code", "\xF4\x8F\xBF\xBF", "\xF4\x8F\xBF\xBF"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cf_str out = {0};
        cf_error err = {0};
        assert_int_equal(cf_utf8_repair(&out, cf_slice_of(cases[i].text), &err), CF_OK);
        if (!cf_slice_is(cf_str_slice(&out), cases[i].repaired))
            fail_msg("%s: found %s", cases[i].name, out.data);
        assert_int_equal(cf_utf8_valid(cf_slice_of(cases[i].text)),
                         cf_slice_is(cf_slice_of(cases[i].text), cases[i].repaired));
        cf_str_deinit(&out);
    }
}

static void one_bad_byte_anywhere_makes_a_text_invalid(void **state)
{
    (void)state;
    char text[] = "twenty-four plain bytes.";
    assert_true(cf_utf8_valid(cf_slice_of(text)));
    for (size_t i = 0; text[i]; i++) {
        const char kept = text[i];
        text[i] = '\x80';
        assert_false(cf_utf8_valid(cf_slice_of(text)));
        text[i] = kept;
    }
}

static void characters_are_read_in_both_directions(void **state)
{
    (void)state;
    const char text[] = "a\xC3\xA9\xE2\x96\x81\xF0\x9F\x98\x80";
    const uint32_t codes[] = {0x61, 0xE9, 0x2581, 0x1F600};
    const char *at = text;
    for (size_t i = 0; i < 4; i++) {
        uint32_t code = 0;
        assert_int_equal(cf_utf8_next(&code, at, text + sizeof text - 1), i + 1);
        assert_int_equal(code, codes[i]);
        at += i + 1;
    }
    for (size_t i = 4; i-- > 0;) {
        uint32_t code = 0;
        assert_int_equal(cf_utf8_previous(&code, text, at), i + 1);
        assert_int_equal(code, codes[i]);
        at -= i + 1;
    }
}

/* Counts over all code points, from the library: a token with rstrip takes 25 characters; one with single_word stops at 144,667 in Unicode
 * 16.0, of which 139,612 are in Unicode 15.0. */
static void the_classes_of_characters_are_those_of_the_library(void **state)
{
    (void)state;
    int spaces = 0, words = 0;
    for (uint32_t c = 0; c < 0x110000; c++) {
        spaces += cf_char_is_space(c);
        words += cf_char_is_word(c);
    }
    assert_int_equal(spaces, 25);
    assert_true(words >= 139612 && words <= 144667);
    static const uint32_t word[] = {'a', 'Z', '0', '_', 0xE9, 0x301, 0x203F, 0x200D, 0x24B6, 0x2167, 0x4E00, 0x1F130};
    static const uint32_t other[] = {' ', '-', '.', 0xB2, 0x2581, 0x1F600, 0x200B, 0xFFFD};
    for (size_t i = 0; i < sizeof word / sizeof word[0]; i++)
        assert_true(cf_char_is_word(word[i]));
    for (size_t i = 0; i < sizeof other / sizeof other[0]; i++)
        assert_false(cf_char_is_word(other[i]));
}

int test_utf8(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(invalid_pieces_become_one_replacement_each),
        cmocka_unit_test(one_bad_byte_anywhere_makes_a_text_invalid),
        cmocka_unit_test(characters_are_read_in_both_directions),
        cmocka_unit_test(the_classes_of_characters_are_those_of_the_library),
    };
    return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
