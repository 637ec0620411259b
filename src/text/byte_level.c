/* byte_level.c - GPT-2's alphabet (tokenizers: pre_tokenizers/byte_level.rs): the 188 bytes that are visible characters
 * of Latin-1 stand for themselves; the others, in order, are U+0100 and on, so that a blank is U+0120 and a newline
 * U+010A. */
#include "text/text_internal.h"

/* Bytes without a visible character: 0 to ' ', DEL to U+00A0, the soft hyphen. */
enum { FIRST_CODE = 0x100, N_LOW = 0x21, N_HIGH = 0x22, LAST_CODE = FIRST_CODE + N_LOW + N_HIGH };

static unsigned code_of(unsigned char byte)
{
    if (byte < N_LOW)
        return FIRST_CODE + byte;
    if (byte >= 0x7F && byte < 0x7F + N_HIGH)
        return FIRST_CODE + N_LOW + byte - 0x7F;
    return byte == 0xAD ? (unsigned)LAST_CODE : byte;
}

/* The byte a character stands for, or -1. */
static int byte_of(uint32_t code)
{
    if (code == LAST_CODE)
        return 0xAD;
    if (code >= FIRST_CODE + N_LOW && code < LAST_CODE)
        return (int)(code - FIRST_CODE - N_LOW + 0x7F);
    if (code >= FIRST_CODE && code < LAST_CODE)
        return (int)(code - FIRST_CODE);
    return code < FIRST_CODE && code_of((unsigned char)code) == code ? (int)code : -1;
}

cf_status cf_bytes_to_alphabet(cf_str *out, cf_slice text, cf_error *err)
{
    cf_status st = CF_OK;
    for (size_t i = 0; i < text.n; i++) {
        const unsigned code = code_of((unsigned char)text.data[i]);
        const char two[] = {(char)(0xC0 | code >> 6), (char)(0x80 | (code & 0x3F))}, one = (char)code;
        CF_TRY(cf_str_add(out, code < 0x80 ? (cf_slice){&one, 1} : (cf_slice){two, 2}, err));
    }
done:
    return st;
}

cf_status cf_alphabet_to_bytes(cf_str *out, cf_slice token, cf_error *err)
{
    cf_status st = CF_OK;
    const size_t n_before = out->n;
    for (size_t i = 0; i < token.n;) {
        uint32_t code = 0;
        i += cf_utf8_next(&code, token.data + i, token.data + token.n);
        const int byte = byte_of(code);
        if (byte < 0) {
            out->n = n_before;
            return cf_str_add(out, token, err);
        }
        const char c = (char)byte;
        CF_TRY(cf_str_add(out, (cf_slice){&c, 1}, err));
    }
done:
    return st;
}
