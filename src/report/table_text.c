/* table_text.c - see table_text.h. */
#include "report/table_text.h"

cf_status cf_table_text(cf_str *out, const char *text, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_str_add_text(out, "", err));
    const size_t begin = out->n;
    CF_TRY(cf_str_add_text(out, text, err));
    for (size_t i = begin; i < out->n; i++) {
        const unsigned char c = (unsigned char)out->data[i];
        if (c < ' ' || c == 0x7f)
            out->data[i] = '?';
    }
done:
    return st;
}

static bool begins_character(char c)
{
    return ((unsigned char)c & 0xc0) != 0x80;
}

int cf_table_width(const char *text)
{
    int n = 0;
    for (; *text; text++)
        n += begins_character(*text);
    return n;
}

/* Bytes of the first n characters. */
static size_t bytes_of(cf_slice text, size_t n)
{
    size_t i = 0;
    for (; i < text.n; i++) {
        if (begins_character(text.data[i]) && n-- == 0)
            break;
    }
    return i;
}

static size_t column_of(const cf_str *out)
{
    size_t n = 0;
    for (size_t i = out->n; i > 0 && out->data[i - 1] != '\n'; i--)
        n += begins_character(out->data[i - 1]);
    return n;
}

cf_status cf_table_wrapped(cf_str *out, const char *text, size_t indent, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str line = {0};
    CF_TRY(cf_table_text(&line, text, err));
    cf_slice rest = cf_str_slice(&line);
    const size_t column = column_of(out);
    size_t room = column < CF_TABLE_COLUMNS ? CF_TABLE_COLUMNS - column : 0;
    while (rest.n) {
        size_t take = bytes_of(rest, room);
        if (take < rest.n) {
            size_t blank = take;
            while (blank && rest.data[blank] != ' ')
                blank--;
            take = blank ? blank : take;
        }
        CF_TRY(cf_str_add(out, (cf_slice){rest.data, take}, err));
        rest = (cf_slice){rest.data + take, rest.n - take};
        while (rest.n && rest.data[0] == ' ')
            rest = (cf_slice){rest.data + 1, rest.n - 1};
        if (rest.n)
            CF_TRY(cf_str_addf(out, err, "\n%*s", (int)indent, ""));
        room = CF_TABLE_COLUMNS - indent;
    }
done:
    cf_str_deinit(&line);
    return st;
}
