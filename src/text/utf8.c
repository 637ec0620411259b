/* utf8.c - UTF-8 characters and two of their classes.
 *
 * Decoding: The Unicode Standard, table 3-7 (well-formed byte sequences); the length of an invalid piece is its
 * "maximal subpart", as in Python's bytes.decode("utf-8", errors="replace"). Classes: Unicode Technical Standard 18,
 * annex C, as Rust's regex crate has them. NOTE: \w comes from utf8proc, which knows Unicode 15.0 where tokenizers
 * 0.23.3 knows 16.0; on every character that both know they agree (checked over all code points). It decides only what
 * stands beside an added token with single_word. */
#include "text/text_internal.h"

#include <string.h>

#include <utf8proc.h>

size_t cf_utf8_next(uint32_t *code, const char *at, const char *end)
{
    const unsigned char *p = (const unsigned char *)at;
    const size_t left = (size_t)(end - at);
    size_t more = 0;
    unsigned low = 0x80,
             high =
                 0xBF; /* bounds of the second byte: they shut out overlong forms, surrogates and codes over 10FFFF */
    uint32_t c = p[0];
    if (p[0] < 0x80) {
        *code = c;
        return 1;
    }
    if (p[0] >= 0xC2 && p[0] <= 0xDF) {
        more = 1;
        c = p[0] & 0x1Fu;
    } else if (p[0] >= 0xE0 && p[0] <= 0xEF) {
        more = 2;
        c = p[0] & 0x0Fu;
        low = p[0] == 0xE0 ? 0xA0 : low;
        high = p[0] == 0xED ? 0x9F : high;
    } else if (p[0] >= 0xF0 && p[0] <= 0xF4) {
        more = 3;
        c = p[0] & 0x07u;
        low = p[0] == 0xF0 ? 0x90 : low;
        high = p[0] == 0xF4 ? 0x8F : high;
    } else {
        *code = CF_UTF8_INVALID;
        return 1;
    }
    for (size_t i = 1; i <= more; i++) {
        if (i >= left || p[i] < low || p[i] > high) {
            *code = CF_UTF8_INVALID;
            return i;
        }
        c = c << 6 | (p[i] & 0x3Fu);
        low = 0x80;
        high = 0xBF;
    }
    *code = c;
    return more + 1;
}

size_t cf_utf8_previous(uint32_t *code, const char *begin, const char *at)
{
    const char *p = at - 1;
    while (p > begin && ((unsigned char)*p & 0xC0) == 0x80)
        p--;
    (void)cf_utf8_next(code, p, at);
    return (size_t)(at - p);
}

bool cf_utf8_valid(cf_slice text)
{
    for (size_t i = 0; i < text.n;) {
        uint64_t eight = 0;
        if (text.n - i >= sizeof eight) { /* files are ASCII for the most part */
            memcpy(&eight, text.data + i, sizeof eight);
            if (!(eight & 0x8080808080808080u)) {
                i += sizeof eight;
                continue;
            }
        }
        uint32_t c = 0;
        i += cf_utf8_next(&c, text.data + i, text.data + text.n);
        if (c == CF_UTF8_INVALID)
            return false;
    }
    return true;
}

cf_status cf_utf8_repair(cf_str *out, cf_slice text, cf_error *err)
{
    cf_status st = CF_OK;
    size_t kept = 0; /* end of what has been appended */
    if (!text.n)
        return CF_OK;
    for (size_t i = 0; i < text.n;) {
        uint32_t c = 0;
        const size_t n = cf_utf8_next(&c, text.data + i, text.data + text.n);
        if (c == CF_UTF8_INVALID) {
            CF_TRY(cf_str_add(out, (cf_slice){text.data + kept, i - kept}, err));
            CF_TRY(cf_str_add_text(out, "\xEF\xBF\xBD", err));
            kept = i + n;
        }
        i += n;
    }
    CF_TRY(cf_str_add(out, (cf_slice){text.data + kept, text.n - kept}, err));
done:
    return st;
}

bool cf_char_is_space(uint32_t c)
{
    return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

bool cf_char_is_word(uint32_t c)
{
    switch (utf8proc_category((utf8proc_int32_t)c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_PC:
        return true;
    default:
        break;
    }
    /* Join_Control, and the symbols that are Alphabetic: circled and squared letters. */
    return c == 0x200C || c == 0x200D || (c >= 0x24B6 && c <= 0x24E9) || (c >= 0x1F130 && c <= 0x1F149) ||
           (c >= 0x1F150 && c <= 0x1F169) || (c >= 0x1F170 && c <= 0x1F189);
}
