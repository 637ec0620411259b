/* str.c - see str.h. */
#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

cf_slice cf_slice_of(const char *text)
{
    return (cf_slice){text, text ? strlen(text) : 0};
}

bool cf_slice_equal(cf_slice a, cf_slice b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.data, b.data, a.n) == 0);
}

bool cf_slice_is(cf_slice a, const char *text)
{
    return cf_slice_equal(a, cf_slice_of(text));
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

cf_slice cf_slice_trim(cf_slice s)
{
    while (s.n && is_space(s.data[0])) {
        s.data++;
        s.n--;
    }
    while (s.n && is_space(s.data[s.n - 1]))
        s.n--;
    return s;
}

int64_t cf_slice_find(cf_slice hay, cf_slice needle, size_t from)
{
    if (from > hay.n || needle.n > hay.n - from)
        return -1;
    if (needle.n == 0)
        return (int64_t)from;
    const char *at = memmem(hay.data + from, hay.n - from, needle.data, needle.n);
    return at ? (int64_t)(at - hay.data) : -1;
}

void cf_str_deinit(cf_str *s)
{
    free(s->data);
    *s = (cf_str){0};
}

cf_slice cf_str_slice(const cf_str *s)
{
    return (cf_slice){s->data, s->n};
}

void cf_str_clear(cf_str *s)
{
    s->n = 0;
    if (s->data)
        s->data[0] = '\0';
}

cf_status cf_str_add(cf_str *s, cf_slice text, cf_error *err)
{
    void *data = s->data;
    const cf_status st = cf_grow(&data, &s->cap, s->n + text.n + 1, 1, "text", err);
    if (st != CF_OK)
        return st;
    s->data = data;
    if (text.n)
        memcpy(s->data + s->n, text.data, text.n);
    s->n += text.n;
    s->data[s->n] = '\0';
    return CF_OK;
}

cf_status cf_str_add_text(cf_str *s, const char *text, cf_error *err)
{
    return cf_str_add(s, cf_slice_of(text), err);
}

cf_status cf_str_addf(cf_str *s, cf_error *err, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    const int need = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    cf_status st = CF_OK;
    if (need < 0)
        st = cf_fail(err, CF_FORMAT, "a text could not be formatted");
    void *data = s->data;
    if (st == CF_OK)
        st = cf_grow(&data, &s->cap, s->n + (size_t)need + 1, 1, "text", err);
    if (st == CF_OK) {
        s->data = data;
        (void)vsnprintf(s->data + s->n, (size_t)need + 1, fmt, again);
        s->n += (size_t)need;
    }
    va_end(again);
    return st;
}

cf_status cf_str_add_float(cf_str *s, double v, cf_error *err)
{
    char digits[32];
    (void)snprintf(digits, sizeof digits, "%.9g", v);
    const bool whole = digits[strspn(digits, "-0123456789")] == '\0';
    return cf_str_addf(s, err, "%s%s", digits, whole ? ".0" : "");
}

cf_status cf_strdup(char **out, cf_slice text, cf_error *err)
{
    char *copy = malloc(text.n + 1);
    if (!copy)
        return cf_fail(err, CF_NOMEM, "no memory for text (%zu bytes)", text.n + 1);
    if (text.n)
        memcpy(copy, text.data, text.n);
    copy[text.n] = '\0';
    *out = copy;
    return CF_OK;
}

bool cf_parse_i64(int64_t *out, cf_slice text)
{
    size_t i = 0;
    const bool minus = text.n > 0 && text.data[0] == '-';
    if (text.n > 0 && (text.data[0] == '-' || text.data[0] == '+'))
        i++;
    if (i == text.n)
        return false;
    int64_t v = 0;
    for (; i < text.n; i++) {
        const char c = text.data[i];
        if (c < '0' || c > '9')
            return false;
        if (__builtin_mul_overflow(v, (int64_t)10, &v) ||
            __builtin_add_overflow(v, minus ? -(int64_t)(c - '0') : (int64_t)(c - '0'), &v))
            return false;
    }
    *out = v;
    return true;
}
