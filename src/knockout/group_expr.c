/* group_expr.c - unions and differences of groups: their life and their grammar; see group_expr.h. Their positions are in
 * group_positions.c. */
#include "knockout/group_expr.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "knockout/grammar_internal.h"

void cf_group_expr_deinit(cf_group_expr *e)
{
    for (size_t i = 0; i < e->n; i++)
        free(e->terms[i].text);
    free(e->terms);
    *e = (cf_group_expr){0};
}

/* Takes the term over, its text too, on success only. */
static cf_status add_term(cf_group_expr *e, const cf_term *term, cf_error *err)
{
    void *terms = e->terms;
    const cf_status st = cf_grow(&terms, &e->cap, e->n + 1, sizeof *e->terms, "terms of a group", err);
    if (st != CF_OK)
        return st;
    e->terms = terms;
    e->terms[e->n++] = *term;
    return CF_OK;
}

cf_status cf_group_expr_copy(cf_group_expr *out, const cf_group_expr *e, cf_error *err)
{
    cf_status st = CF_OK;
    cf_group_expr copy = {0};
    for (size_t i = 0; st == CF_OK && i < e->n; i++) {
        cf_term t = e->terms[i];
        t.text = NULL;
        if (e->terms[i].text)
            st = cf_strdup(&t.text, cf_slice_of(e->terms[i].text), err);
        if (st == CF_OK)
            st = add_term(&copy, &t, err);
        if (st != CF_OK)
            free(t.text);
    }
    if (st == CF_OK)
        *out = copy;
    else
        cf_group_expr_deinit(&copy);
    return st;
}

static bool equal_spans(cf_span a, cf_span b)
{
    return a.begin == b.begin && a.end == b.end;
}

static bool equal_terms(const cf_term *a, const cf_term *b)
{
    if (a->minus != b->minus || a->kind != b->kind)
        return false;
    switch (a->kind) {
    case CF_TERM_NAMED:
        return a->named == b->named && a->indexed == b->indexed && a->begin == b->begin && a->end == b->end;
    case CF_TERM_RANGE:
        return a->begin == b->begin && a->end == b->end;
    case CF_TERM_TEXT:
        return strcmp(a->text, b->text) == 0;
    case CF_TERM_BOX:
        return a->box.x == b->box.x && a->box.y == b->box.y && a->box.w == b->box.w && a->box.h == b->box.h;
    case CF_TERM_PATCH:
        return a->hd == b->hd && equal_spans(a->rows, b->rows) && equal_spans(a->columns, b->columns);
    }
    return false;
}

bool cf_group_expr_equal(const cf_group_expr *a, const cf_group_expr *b)
{
    bool equal = a->n == b->n;
    for (size_t i = 0; equal && i < a->n; i++)
        equal = equal_terms(&a->terms[i], &b->terms[i]);
    return equal;
}

static cf_status refuse_group(const cf_reader *r, cf_error *err)
{
    cf_str known = {0};
    cf_status st = cf_str_add_text(
        &known, "groups: [begin:end], \"text\", box(x,y,w,h), patch(row,column), hd(row,column), ", err);
    if (st == CF_OK)
        st = cf_group_names(&known, err);
    if (st == CF_OK)
        st = cf_reader_refuse_among(r, r->begin, "a group", known.data, err);
    cf_str_deinit(&known);
    return st;
}

/* Whether no prompt is long enough to have a position there. */
static bool never_holds(int32_t begin, int32_t end)
{
    return (begin < 0) == (end < 0) ? begin >= end : end == 0;
}

static cf_status read_index(cf_term *t, cf_reader *r, cf_error *err)
{
    cf_status st = CF_OK;
    const size_t from = r->begin;
    t->end = INT32_MAX;
    CF_TRY(cf_reader_need(r, '[', "\"[\"", err));
    if (r->kind != ':')
        CF_TRY(cf_read_number(&t->begin, r, true, err));
    if (!cf_reader_take(r, ':')) {
        if (t->begin != -1) /* the last one ends at the end: -1 + 1 would be the prompt's begin */
            t->end = t->begin + 1;
        CF_TRY(cf_reader_need(r, ']', "\":\" or \"]\"", err));
    } else {
        if (r->kind != ']')
            CF_TRY(cf_read_number(&t->end, r, true, err));
        CF_TRY(cf_reader_need(r, ']', "\"]\"", err));
    }
    if (never_holds(t->begin, t->end))
        st = cf_reader_refuse(r, from, "a range that is not empty", err);
done:
    return st;
}

static cf_status read_text(cf_term *t, cf_reader *r, cf_error *err)
{
    const cf_slice quoted = cf_reader_token(r);
    const char *expected = NULL;
    size_t n = 0;
    char *text = malloc(quoted.n);
    if (!text)
        return cf_fail(err, CF_NOMEM, "no memory for a text of %zu bytes", quoted.n);
    for (size_t i = 1; i + 1 < quoted.n && !expected; i++) {
        if (quoted.data[i] == '\\') {
            i++; /* what closes the text is not escaped: there is another character */
            if (quoted.data[i] != '"' && quoted.data[i] != '\\')
                expected = "\\\" or \\\\ where a text has a backslash";
        }
        if (quoted.data[i] == '\0')
            expected = "a text without NUL";
        text[n++] = quoted.data[i];
    }
    if (!expected && n == 0)
        expected = "a text that is not empty";
    if (expected) {
        free(text);
        return cf_reader_refuse(r, r->begin, expected, err);
    }
    text[n] = '\0';
    t->kind = CF_TERM_TEXT;
    t->text = text;
    cf_reader_next(r);
    return CF_OK;
}

static cf_status read_box(cf_term *t, cf_reader *r, cf_error *err)
{
    cf_status st = CF_OK;
    int32_t v[4] = {0};
    cf_reader_next(r);
    CF_TRY(cf_reader_need(r, '(', "\"(\" after \"box\"", err));
    for (int i = 0; i < 4; i++) {
        CF_TRY(cf_read_number(&v[i], r, i < 2, err)); /* a corner may lie outside the picture, an extent is 0 or more */
        CF_TRY(cf_reader_need(r, i < 3 ? ',' : ')', i < 3 ? "\",\" (x,y,w,h)" : "\")\"", err));
    }
    t->kind = CF_TERM_BOX;
    t->box = (cf_box){.x = v[0], .y = v[1], .w = v[2], .h = v[3]};
done:
    return st;
}

/* "patch(" range "," range ")", or "hd(" */
static cf_status read_patch(cf_term *t, cf_reader *r, cf_error *err)
{
    cf_status st = CF_OK;
    t->kind = CF_TERM_PATCH;
    t->hd = cf_reader_at_word(r, "hd");
    cf_reader_next(r);
    CF_TRY(cf_reader_need(r, '(', t->hd ? "\"(\" after \"hd\"" : "\"(\" after \"patch\"", err));
    CF_TRY(cf_read_range(&t->rows, r, err));
    CF_TRY(cf_reader_need(r, ',', "\",\" (rows,columns)", err));
    CF_TRY(cf_read_range(&t->columns, r, err));
    CF_TRY(cf_reader_need(r, ')', "\")\"", err));
done:
    return st;
}

static cf_status read_term(cf_term *t, cf_reader *r, cf_error *err)
{
    if (r->kind == '[') {
        t->kind = CF_TERM_RANGE;
        return read_index(t, r, err);
    }
    if (r->kind == CF_TOKEN_TEXT)
        return read_text(t, r, err);
    if (r->kind == CF_TOKEN_UNCLOSED)
        return cf_reader_refuse(r, r->begin, "a text that ends in a quote", err);
    if (cf_reader_at_word(r, "box"))
        return read_box(t, r, err);
    if (cf_reader_at_word(r, "patch") || cf_reader_at_word(r, "hd"))
        return read_patch(t, r, err);
    if (r->kind != CF_TOKEN_WORD || !cf_group_find(&t->named, cf_reader_token(r)))
        return refuse_group(r, err);
    t->kind = CF_TERM_NAMED;
    cf_reader_next(r);
    t->indexed = r->kind == '[';
    return t->indexed ? read_index(t, r, err) : CF_OK;
}

cf_status cf_read_group(cf_group_expr *out, cf_reader *r, cf_error *err)
{
    cf_status st = CF_OK;
    cf_group_expr e = {0};
    cf_term t = {0};
    for (bool more = true; more;) {
        CF_TRY(read_term(&t, r, err));
        CF_TRY(add_term(&e, &t, err));
        t = (cf_term){.minus = r->kind == '-'};
        more = cf_reader_take(r, '+') || cf_reader_take(r, '-');
    }
    *out = e;
    e = (cf_group_expr){0};
done:
    free(t.text);
    cf_group_expr_deinit(&e);
    return st;
}

cf_status cf_group_expr_parse(cf_group_expr *out, cf_slice text, cf_error *err)
{
    cf_reader r;
    cf_group_expr e = {0};
    cf_reader_begin(&r, "group", text);
    cf_status st = cf_read_group(&e, &r, err);
    if (st == CF_OK)
        st = cf_reader_need(&r, CF_TOKEN_END, "\"+\", \"-\" or the end", err);
    if (st == CF_OK)
        *out = e;
    else
        cf_group_expr_deinit(&e);
    return st;
}

static cf_status print_index(cf_str *out, const cf_term *t, cf_error *err)
{
    const int32_t next = t->begin == -1 ? INT32_MAX : t->begin + 1;
    if (t->end == next)
        return cf_str_addf(out, err, "[%d]", (int)t->begin);
    if (t->end == INT32_MAX)
        return cf_str_addf(out, err, "[%d:]", (int)t->begin);
    return cf_str_addf(out, err, "[%d:%d]", (int)t->begin, (int)t->end);
}

static cf_status print_text(cf_str *out, const char *text, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_str_add_text(out, "\"", err));
    for (const char *c = text; *c; c++) {
        if (*c == '"' || *c == '\\')
            CF_TRY(cf_str_add_text(out, "\\", err));
        CF_TRY(cf_str_add(out, (cf_slice){c, 1}, err));
    }
    CF_TRY(cf_str_add_text(out, "\"", err));
done:
    return st;
}

static cf_status print_named(cf_str *out, const cf_term *t, cf_error *err)
{
    const cf_status st = cf_str_add_text(out, cf_group_name(t->named), err);
    return st == CF_OK && t->indexed ? print_index(out, t, err) : st;
}

static cf_status print_patch(cf_str *out, const cf_term *t, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_str_add_text(out, t->hd ? "hd(" : "patch(", err));
    CF_TRY(cf_print_range(out, t->rows, err));
    CF_TRY(cf_str_add_text(out, ",", err));
    CF_TRY(cf_print_range(out, t->columns, err));
    CF_TRY(cf_str_add_text(out, ")", err));
done:
    return st;
}

static cf_status print_term(cf_str *out, const cf_term *t, cf_error *err)
{
    switch (t->kind) {
    case CF_TERM_NAMED:
        return print_named(out, t, err);
    case CF_TERM_RANGE:
        return print_index(out, t, err);
    case CF_TERM_TEXT:
        return print_text(out, t->text, err);
    case CF_TERM_BOX:
        return cf_str_addf(out, err, "box(%lld,%lld,%lld,%lld)", (long long)t->box.x, (long long)t->box.y,
                           (long long)t->box.w, (long long)t->box.h);
    case CF_TERM_PATCH:
        return print_patch(out, t, err);
    }
    return CF_OK;
}

cf_status cf_group_expr_print(cf_str *out, const cf_group_expr *e, cf_error *err)
{
    cf_status st = CF_OK;
    for (size_t i = 0; st == CF_OK && i < e->n; i++) {
        if (i)
            st = cf_str_add_text(out, e->terms[i].minus ? " - " : " + ", err);
        if (st == CF_OK)
            st = print_term(out, &e->terms[i], err);
    }
    return st;
}
