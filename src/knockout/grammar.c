/* grammar.c - the tokens of groups and flows, numbers and ranges; see grammar_internal.h. The productions themselves are
 * in group_expr.c and flow_parse.c. */
#include "knockout/grammar_internal.h"

#include <string.h>

enum { MAX_NUMBER = 999999999, MAX_SHOWN_BYTES = 80 };

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_sign(char c)
{
    return c != '\0' && strchr("+-&@#,:()[]", c) != NULL;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool cf_same_words(cf_slice text, const char *name)
{
    text = cf_slice_trim(text);
    size_t i = 0;
    for (; i < text.n && *name; name++) {
        if (lower(is_blank(text.data[i]) ? ' ' : text.data[i]) != lower(*name))
            return false;
        for (i++; *name == ' ' && is_blank(text.data[i]); i++) /* a trimmed text does not end in a blank */
            ;
    }
    return i == text.n && *name == '\0';
}

/* Past the second quote of the text that begins at `at`; the end of the text and *closed false where there is none. */
static size_t end_of_quotes(cf_slice text, size_t at, bool *closed)
{
    for (at++; at < text.n; at++) {
        if (text.data[at] == '"') {
            *closed = true;
            return at + 1;
        }
        if (text.data[at] == '\\' && at + 1 < text.n)
            at++;
    }
    *closed = false;
    return text.n;
}

void cf_reader_begin(cf_reader *r, const char *what, cf_slice text)
{
    *r = (cf_reader){.what = what, .text = text.n ? text : cf_slice_of("")};
    cf_reader_next(r);
}

void cf_reader_next(cf_reader *r)
{
    const cf_slice t = r->text;
    size_t at = r->end;
    while (at < t.n && is_blank(t.data[at]))
        at++;
    r->begin = r->end = at;
    if (at == t.n) {
        r->kind = CF_TOKEN_END;
    } else if (t.data[at] == '"') {
        bool closed = false;
        r->end = end_of_quotes(t, at, &closed);
        r->kind = closed ? CF_TOKEN_TEXT : CF_TOKEN_UNCLOSED;
    } else if (t.data[at] == '-' && at + 1 < t.n && t.data[at + 1] == '>') {
        r->end = at + 2;
        r->kind = CF_TOKEN_ARROW;
    } else if (is_sign(t.data[at])) {
        r->end = at + 1;
        r->kind = t.data[at];
    } else {
        for (; at < t.n && !is_sign(t.data[at]) && t.data[at] != '"'; at++)
            if (!is_blank(t.data[at]))
                r->end = at + 1;
        r->kind = CF_TOKEN_WORD;
    }
}

cf_slice cf_reader_token(const cf_reader *r)
{
    return (cf_slice){r->text.data + r->begin, r->end - r->begin};
}

bool cf_reader_take(cf_reader *r, int kind)
{
    if (r->kind != kind)
        return false;
    cf_reader_next(r);
    return true;
}

bool cf_reader_at_word(const cf_reader *r, const char *word)
{
    return r->kind == CF_TOKEN_WORD && cf_same_words(cf_reader_token(r), word);
}

int cf_shown_bytes(cf_slice s)
{
    size_t n = s.n < MAX_SHOWN_BYTES ? s.n : MAX_SHOWN_BYTES;
    while (n < s.n && n && ((unsigned char)s.data[n] & 0xC0) == 0x80)
        n--;
    return (int)n;
}

cf_status cf_reader_refuse_among(const cf_reader *r, size_t from, const char *expected, const char *among,
                                 cf_error *err)
{
    const cf_slice found =
        from == r->begin ? cf_reader_token(r) : cf_slice_trim((cf_slice){r->text.data + from, r->begin - from});
    size_t place = 1; /* in characters: a text may hold longer ones than a byte */
    for (size_t i = 0; i < from; i++)
        place += ((unsigned char)r->text.data[i] & 0xC0) != 0x80;
    const bool at_end = found.n == 0;
    return cf_fail(err, CF_USAGE, "%s \"%.*s\", character %zu: expected %s, found %s%.*s%s%s%s%s", r->what,
                   cf_shown_bytes(r->text), r->text.data, place, expected, at_end ? "the end" : "\"",
                   cf_shown_bytes(found), found.data, at_end ? "" : "\"", among ? " (" : "", among ? among : "",
                   among ? ")" : "");
}

cf_status cf_reader_refuse(const cf_reader *r, size_t from, const char *expected, cf_error *err)
{
    return cf_reader_refuse_among(r, from, expected, NULL, err);
}

cf_status cf_reader_need(cf_reader *r, int kind, const char *expected, cf_error *err)
{
    return cf_reader_take(r, kind) ? CF_OK : cf_reader_refuse(r, r->begin, expected, err);
}

cf_status cf_read_number(int32_t *out, cf_reader *r, bool may_be_negative, cf_error *err)
{
    const size_t from = r->begin;
    const bool minus = may_be_negative && cf_reader_take(r, '-');
    int64_t v = 0;
    if (r->kind != CF_TOKEN_WORD || !cf_parse_i64(&v, cf_reader_token(r)))
        return cf_reader_refuse(r, r->begin, "a whole number", err);
    cf_reader_next(r);
    if (v > MAX_NUMBER)
        return cf_reader_refuse(r, from, "a number below 1000000000", err);
    *out = (int32_t)(minus ? -v : v);
    return CF_OK;
}

cf_status cf_read_range(cf_span *out, cf_reader *r, cf_error *err)
{
    cf_status st = CF_OK;
    const size_t from = r->begin;
    int32_t begin = 0, end = 0;
    CF_TRY(cf_read_number(&begin, r, false, err));
    end = begin + 1;
    if (cf_reader_take(r, ':'))
        CF_TRY(cf_read_number(&end, r, false, err));
    if (begin >= end)
        return cf_reader_refuse(r, from, "a range that is not empty", err);
    *out = (cf_span){begin, end};
done:
    return st;
}

cf_status cf_read_ranges(cf_spans *out, cf_reader *r, cf_error *err)
{
    cf_status st = CF_OK;
    cf_spans all = {0}, one = {0}, sum = {0};
    do {
        cf_span range = {0};
        CF_TRY(cf_read_range(&range, r, err));
        CF_TRY(cf_spans_add(&one, range.begin, range.end, err));
        CF_TRY(cf_spans_union(&sum, &all, &one, err));
        cf_spans_deinit(&one);
        cf_spans_deinit(&all);
        all = sum;
        sum = (cf_spans){0};
    } while (cf_reader_take(r, '+'));
    *out = all;
    all = (cf_spans){0};
done:
    cf_spans_deinit(&all);
    cf_spans_deinit(&one);
    return st;
}

cf_status cf_print_range(cf_str *out, cf_span range, cf_error *err)
{
    if (range.end == range.begin + 1)
        return cf_str_addf(out, err, "%d", (int)range.begin);
    return cf_str_addf(out, err, "%d:%d", (int)range.begin, (int)range.end);
}

cf_status cf_print_ranges(cf_str *out, const cf_spans *ranges, cf_error *err)
{
    cf_status st = CF_OK;
    for (size_t i = 0; st == CF_OK && i < ranges->n; i++) {
        if (i)
            st = cf_str_add_text(out, "+", err);
        if (st == CF_OK)
            st = cf_print_range(out, ranges->items[i], err);
    }
    return st;
}
