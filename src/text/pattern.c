/* pattern.c - regular expressions of pre-tokenizers, on PCRE2 (UTF, Unicode properties, JIT).
 *
 * The library uses Oniguruma, with Ruby's syntax. What pre-tokenizers in use contain (classes, properties, \s, (?i:),
 * lookahead, repetition) means the same in both, with the exception of newer characters: newer_unicode.c. What would
 * mean something else is refused. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "text/text_internal.h"

#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

struct cf_pattern {
    pcre2_code *code;
    char *where; /* names the file when matching fails */
};

struct cf_matcher {
    pcre2_match_data *data;
    cf_str text; /* the text with stand-ins */
};

enum { MESSAGE_BYTES = 160 };

static const char *message(int code, char out[MESSAGE_BYTES])
{
    if (pcre2_get_error_message(code, (PCRE2_UCHAR *)out, MESSAGE_BYTES) < 0)
        out[0] = '\0';
    return out;
}

/* ---- what means something else to Oniguruma ---- */

/* \w and \b rest on another class of letters; \h and \v are single characters there. */
static const char other_escapes[] = "wWbBhHvV";
static const char *const groups[] = {"(?:", "(?=", "(?!", "(?>", "(?<=", "(?<!", "(?i:", "(?i)"};

static bool begins(cf_slice s, const char *prefix)
{
    const cf_slice p = cf_slice_of(prefix);
    return s.n >= p.n && memcmp(s.data, p.data, p.n) == 0;
}

static bool group_is_known(cf_slice rest)
{
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++)
        if (begins(rest, groups[i]))
            return true;
    return !begins(rest, "(?") && !begins(rest, "(*");
}

/* Length of the escape at the start of rest; *part is set to it where it is not to be had. */
static size_t escape(cf_slice rest, cf_slice *part)
{
    const size_t n = rest.n < 2 ? rest.n : 2;
    if (n == 2 && rest.data[1] && strchr(other_escapes, rest.data[1]))
        *part = (cf_slice){rest.data, n};
    const int64_t close = begins(rest, "\\p{") || begins(rest, "\\P{") ? cf_slice_find(rest, cf_slice_of("}"), 0) : -1;
    return close < 0 ? n : (size_t)close + 1; /* a property's braces count nothing */
}

/* The first part of the pattern that is not taken, or an empty slice. */
static cf_slice other_meaning(cf_slice p)
{
    cf_slice part = {0};
    bool in_class = false;
    for (size_t i = 0; i < p.n && !part.n;) {
        const cf_slice rest = {p.data + i, p.n - i};
        size_t step = 1;
        if (p.data[i] == '\\')
            step = escape(rest, &part);
        else if (in_class && (begins(rest, "[") || begins(rest, "&&"))) /* classes in classes, and their intersection */
            part = (cf_slice){rest.data, 1};
        else if (p.data[i] == '[' || p.data[i] == ']')
            in_class = p.data[i] == '[';
        else if (!in_class && (!group_is_known(rest) || begins(rest, "}+"))) /* {n,m}+ is not possessive there */
            part = (cf_slice){rest.data, rest.n < 3 ? rest.n : 3};
        i += step;
    }
    return part;
}

/* ---- compiling ---- */

cf_status cf_pattern_compile(cf_pattern **out, cf_slice pattern, bool literal, const char *where, cf_error *err)
{
    cf_status st = CF_OK;
    char text[MESSAGE_BYTES];
    int code = 0;
    PCRE2_SIZE at = 0;
    pcre2_compile_context *lines = NULL;
    const uint32_t options =
        literal ? PCRE2_UTF | PCRE2_LITERAL : PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C;
    cf_slice other = {0};
    if (!literal)
        other = other_meaning(pattern);
    if (other.n)
        return cf_fail(err, CF_UNSUPPORTED, "%s: pattern \"%.*s\": %.*s is not supported", where, (int)pattern.n,
                       pattern.data, (int)other.n, other.data);
    cf_pattern *p = calloc(1, sizeof *p);
    if (!p)
        return cf_fail(err, CF_NOMEM, "no memory for a pattern of %s", where);
    CF_TRY(cf_strdup(&p->where, cf_slice_of(where), err));
    lines = pcre2_compile_context_create(NULL);
    if (!lines || pcre2_set_newline(lines, PCRE2_NEWLINE_LF) != 0) { /* whatever the library was built with */
        st = cf_fail(err, CF_NOMEM, "no memory for a pattern of %s", where);
        goto done;
    }
    p->code = pcre2_compile((PCRE2_SPTR)pattern.data, pattern.n, options, &code, &at, lines);
    if (!p->code) {
        st = cf_fail(err, CF_UNSUPPORTED, "%s: pattern \"%.*s\": %s at byte %zu", where, (int)pattern.n, pattern.data,
                     message(code, text), (size_t)at);
        goto done;
    }
    (void)pcre2_jit_compile(p->code, PCRE2_JIT_COMPLETE); /* where there is no JIT, matching is slower and the same */
    *out = p;
    p = NULL;
done:
    pcre2_compile_context_free(lines);
    cf_pattern_free(p);
    return st;
}

void cf_pattern_free(cf_pattern *p)
{
    if (!p)
        return;
    pcre2_code_free(p->code);
    free(p->where);
    free(p);
}

/* ---- matching ---- */

cf_status cf_matcher_create(cf_matcher **out, cf_error *err)
{
    cf_matcher *m = calloc(1, sizeof *m);
    if (m)
        m->data = pcre2_match_data_create(1, NULL); /* the whole match is all that is read */
    if (!m || !m->data) {
        free(m);
        return cf_fail(err, CF_NOMEM, "no memory for a match");
    }
    *out = m;
    return CF_OK;
}

void cf_matcher_free(cf_matcher *m)
{
    if (!m)
        return;
    pcre2_match_data_free(m->data);
    cf_str_deinit(&m->text);
    free(m);
}

/* The next match at or after `from`: *found is false at the end. The interpreter takes over where the JIT's stack is
 * too small. */
static cf_status next_match(bool *found, size_t *begin, size_t *end, const cf_pattern *p, cf_slice text, size_t from,
                            cf_matcher *m, cf_error *err)
{
    int n = pcre2_match(p->code, (PCRE2_SPTR)text.data, text.n, from, PCRE2_NO_UTF_CHECK, m->data, NULL);
    if (n == PCRE2_ERROR_JIT_STACKLIMIT)
        n = pcre2_match(p->code, (PCRE2_SPTR)text.data, text.n, from, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, m->data, NULL);
    if (n < 0 && n != PCRE2_ERROR_NOMATCH) {
        char what[MESSAGE_BYTES];
        return cf_fail(err, CF_UNSUPPORTED, "%s: the pre-tokenizer's pattern on %zu bytes: %s", p->where, text.n,
                       message(n, what));
    }
    *found = n >= 0;
    if (n >= 0) {
        const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(m->data);
        *end = ends[1];
        *begin = ends[0] <= ends[1] ? ends[0] : ends[1]; /* \K in a lookahead can turn them round */
    }
    return CF_OK;
}

cf_status cf_pattern_cut(cf_splits *out, const cf_pattern *p, cf_slice text, cf_matcher *m, cf_error *err)
{
    cf_status st = CF_OK;
    bool found = true, matched = false;
    size_t kept = 0, from = 0, begin = 0, end = 0; /* kept: end of the last match */
    out->n = 0;
    cf_str_clear(&m->text);
    CF_TRY(cf_unicode_stand_ins(&m->text, text, err));
    const cf_slice seen = m->text.n ? cf_str_slice(&m->text) : text;
    while (from <= text.n) {
        CF_TRY(next_match(&found, &begin, &end, p, seen, from, m, err));
        if (!found)
            break;
        if (begin == end && matched && end == kept) { /* nothing again, right behind the last match */
            uint32_t code = 0;
            from += from < seen.n ? cf_utf8_next(&code, seen.data + from, seen.data + seen.n) : 1;
            continue;
        }
        if (kept < begin)
            CF_TRY(cf_splits_add(out, -1, kept, begin, err));
        if (begin < end)
            CF_TRY(cf_splits_add(out, -1, begin, end, err));
        matched = true;
        kept = from = end;
    }
    if (kept < text.n)
        CF_TRY(cf_splits_add(out, -1, kept, text.n, err));
done:
    return st;
}
