/* json_text.c - see json_text.h. */
#include "base/json_text.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/json.h"

/* Bytes of the UTF-8 character that begins at c, 0 where there is none (Unicode 15, table 3-7: no overlong forms, no
 * surrogates, nothing above U+10FFFF). The text ends in NUL, which continues no character. */
static size_t utf8_length(const unsigned char *c)
{
    const unsigned char a = c[0];
    const size_t n = a < 0x80                 ? 1
                     : a >= 0xc2 && a <= 0xdf ? 2
                     : a >= 0xe0 && a <= 0xef ? 3
                     : a >= 0xf0 && a <= 0xf4 ? 4
                                              : 0;
    if (n < 2)
        return n;
    const unsigned char least = a == 0xe0 ? 0xa0 : a == 0xf0 ? 0x90 : 0x80;
    const unsigned char most = a == 0xed ? 0x9f : a == 0xf4 ? 0x8f : 0xbf;
    if (c[1] < least || c[1] > most)
        return 0;
    for (size_t i = 2; i < n; i++)
        if ((c[i] & 0xc0) != 0x80)
            return 0;
    return n;
}

cf_status cf_json_add_string(cf_str *out, const char *text, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_str_add_text(out, "\"", err));
    for (const char *c = text; *c;) {
        const size_t n = utf8_length((const unsigned char *)c);
        if (n == 0)
            CF_TRY(cf_str_add_text(out, "\xef\xbf\xbd", err));
        else if (*c == '"' || *c == '\\')
            CF_TRY(cf_str_addf(out, err, "\\%c", *c));
        else if (n == 1 && *c < ' ')
            CF_TRY(cf_str_addf(out, err, "\\u%04x", (unsigned)*c));
        else
            CF_TRY(cf_str_add(out, (cf_slice){c, n}, err));
        c += n ? n : 1;
    }
    CF_TRY(cf_str_add_text(out, "\"", err));
done:
    return st;
}

cf_status cf_json_add_lines(cf_str *out, const char *text, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str line = {0};
    CF_TRY(cf_str_add_text(out, "[", err));
    for (const char *c = text; *c;) {
        const size_t n = strcspn(c, "\n");
        cf_str_clear(&line);
        CF_TRY(cf_str_add(&line, (cf_slice){c, n}, err));
        CF_TRY(cf_str_add_text(out, c == text ? "" : ",", err));
        CF_TRY(cf_json_add_string(out, line.data ? line.data : "", err));
        c += n + (c[n] == '\n');
    }
    CF_TRY(cf_str_add_text(out, "]", err));
done:
    cf_str_deinit(&line);
    return st;
}

cf_status cf_json_add_number(cf_str *out, double v, cf_error *err)
{
    return isfinite(v) ? cf_str_addf(out, err, "%.17g", v) : cf_str_add_text(out, "null", err);
}

cf_status cf_json_add_json(cf_str *out, const char *json, const char *where, cf_error *err)
{
    cf_status st = CF_OK;
    cf_json *parsed = NULL;
    if (!json[0])
        return cf_str_add_text(out, "null", err);
    CF_TRY(cf_json_parse(&parsed, cf_slice_of(json), where, err));
    const size_t begin = out->n;
    CF_TRY(cf_str_add_text(out, json, err));
    for (size_t i = begin; i < out->n; i++) /* where a line could break there is white space between tokens */
        if (out->data[i] == '\n' || out->data[i] == '\r')
            out->data[i] = ' ';
done:
    cf_json_free(parsed);
    return st;
}
