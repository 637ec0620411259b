/* added_tokens.c - added tokens: their ids, and finding them in a text (tokenizers: tokenizer/added_vocabulary.rs).
 *
 * Two sets: tokens with normalized = false are looked for in the text as given; the others, themselves normalised, in
 * each normalised piece between those. At one place the longest pattern wins. The search goes on behind the pattern,
 * also where single_word drops the match or rstrip takes blanks behind it; a blank may thus belong to two tokens, as
 * in the library. Stricter than the library: refused are an id that differs from the one it would give itself, a token
 * listed twice, and two tokens that normalisation makes equal (the library's choice between them changes from run to
 * run). */
#include "text/text_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

void cf_added_set_deinit(cf_added_set *s)
{
    for (size_t i = 0; i < s->n; i++)
        cf_str_deinit(&s->items[i].pattern);
    free(s->items);
    *s = (cf_added_set){0};
}

/* ---- loading ---- */

/* The id that the library gives a token: the vocabulary's, or the count of tokens so far. */
static int64_t expected_id(const cf_vocab *v, cf_slice content)
{
    const int32_t id = cf_vocab_find(v, content);
    return id >= 0 ? id : (int64_t)v->count;
}

static cf_status required_flag(bool *out, const cf_json *node, const char *name, const char *where, cf_error *err)
{
    if (cf_json_kind_of(cf_json_get(node, name)) != CF_JSON_BOOL)
        return cf_fail(err, CF_FORMAT, "%s: an added token has no true or false as \"%s\"", where, name);
    *out = cf_json_bool(cf_json_get(node, name), false);
    return CF_OK;
}

/* Reads one entry; *content is its text as written. */
static cf_status load_token(cf_added *a, cf_str *content, const cf_json *node, const char *where, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str_clear(content);
    CF_TRY(cf_string_load(content, node, "content", where, err));
    CF_TRY(required_flag(&a->single_word, node, "single_word", where, err));
    CF_TRY(required_flag(&a->lstrip, node, "lstrip", where, err));
    CF_TRY(required_flag(&a->rstrip, node, "rstrip", where, err));
    CF_TRY(required_flag(&a->normalized, node, "normalized", where, err));
    CF_TRY(required_flag(&a->special, node, "special", where, err));
    if (!content->n)
        st = cf_fail(err, CF_FORMAT, "%s: an added token is empty", where);
done:
    return st;
}

static cf_status add_to_vocab(cf_added *a, cf_vocab *v, cf_slice content, int64_t id, const char *where, cf_error *err)
{
    cf_status st = CF_OK;
    const int64_t expected = expected_id(v, content);
    if (id != expected) {
        st = cf_fail(err, CF_MISMATCH, "%s: added token \"%.*s\": expected id %lld, found %lld", where, (int)content.n,
                     content.data, (long long)expected, (long long)id);
        goto done;
    }
    if (cf_vocab_find(v, content) < 0)
        CF_TRY(cf_vocab_add(v, content, id, where, err));
    if (v->tokens[id].added) {
        st = cf_fail(err, CF_FORMAT, "%s: added token \"%.*s\" is listed twice", where, (int)content.n, content.data);
        goto done;
    }
    v->tokens[id].added = true;
    v->tokens[id].special = a->special;
    a->id = (int32_t)id;
done:
    return st;
}

/* What the token is looked for as. A pattern that differs from the content is the stored form too, and hides the token
 * from those who leave special tokens out, because the library compares stored forms with contents. */
static cf_status make_pattern(cf_added *a, cf_vocab *v, const cf_normalizer *z, cf_slice content, const char *where,
                              cf_error *err)
{
    cf_status st = CF_OK;
    if (!a->normalized)
        return cf_str_add(&a->pattern, content, err);
    CF_TRY(cf_normalizer_apply(&a->pattern, z, content, err));
    if (!a->pattern.n) {
        st = cf_fail(err, CF_UNSUPPORTED, "%s: nothing is left of added token \"%.*s\" after normalisation", where,
                     (int)content.n, content.data);
    } else if (!cf_slice_equal(cf_str_slice(&a->pattern), content)) {
        CF_TRY(cf_vocab_show(v, a->id, cf_str_slice(&a->pattern), err));
        v->tokens[a->id].special = false;
    }
done:
    return st;
}

static cf_status set_add(cf_added_set *s, cf_added *a, cf_error *err)
{
    void *items = s->items;
    const cf_status st = cf_grow(&items, &s->cap, s->n + 1, sizeof *s->items, "added tokens", err);
    if (st != CF_OK)
        return st;
    s->items = items;
    s->items[s->n++] = *a;
    *a = (cf_added){0};
    return CF_OK;
}

static int by_search_order(const void *x, const void *y)
{
    const cf_added *a = x, *b = y;
    const unsigned char p = (unsigned char)a->pattern.data[0], q = (unsigned char)b->pattern.data[0];
    if (p != q)
        return p < q ? -1 : 1;
    if (a->pattern.n != b->pattern.n)
        return a->pattern.n > b->pattern.n ? -1 : 1;
    return memcmp(a->pattern.data, b->pattern.data, a->pattern.n);
}

cf_status cf_added_index(cf_added_set *s, const char *where, cf_error *err)
{
    size_t i = 0;
    if (s->n)
        qsort(s->items, s->n, sizeof *s->items, by_search_order);
    for (size_t k = 1; k < s->n; k++)
        if (cf_slice_equal(cf_str_slice(&s->items[k - 1].pattern), cf_str_slice(&s->items[k].pattern)))
            return cf_fail(err, CF_UNSUPPORTED, "%s: added tokens %d and %d are the same, \"%s\", after normalisation",
                           where, s->items[k - 1].id, s->items[k].id, s->items[k].pattern.data);
    for (size_t b = 0; b < 256; b++) {
        s->first[b] = i;
        while (i < s->n && (unsigned char)s->items[i].pattern.data[0] == b)
            i++;
    }
    s->first[256] = i;
    return CF_OK;
}

cf_status cf_added_load(cf_added_set *raw, cf_added_set *normal, cf_vocab *v, const cf_normalizer *z,
                        const cf_json *node, const char *where, cf_error *err)
{
    cf_status st = CF_OK;
    cf_added a = {0};
    cf_str content = {0};
    if (!cf_json_is_none(node) && cf_json_kind_of(node) != CF_JSON_ARRAY) {
        st = cf_fail(err, CF_FORMAT, "%s: added_tokens is not a list", where);
        goto done;
    }
    for (const cf_json *t = cf_json_first(node); t; t = cf_json_next(t)) {
        CF_TRY(load_token(&a, &content, t, where, err));
        int64_t id = -1;
        if (!cf_json_i64(&id, cf_json_get(t, "id")))
            id = -1;
        CF_TRY(add_to_vocab(&a, v, cf_str_slice(&content), id, where, err));
        CF_TRY(make_pattern(&a, v, z, cf_str_slice(&content), where, err));
        CF_TRY(set_add(a.normalized ? normal : raw, &a, err));
    }
    CF_TRY(cf_added_index(raw, where, err));
    CF_TRY(cf_added_index(normal, where, err));
done:
    cf_str_deinit(&a.pattern);
    cf_str_deinit(&content);
    return st;
}

cf_status cf_added_add(cf_added_set *raw, cf_vocab *v, cf_slice content, int64_t id, bool special, const char *where,
                       cf_error *err)
{
    cf_status st = CF_OK;
    cf_added a = {.special = special};
    CF_TRY(add_to_vocab(&a, v, content, id, where, err));
    CF_TRY(cf_str_add(&a.pattern, content, err));
    CF_TRY(set_add(raw, &a, err));
done:
    cf_str_deinit(&a.pattern);
    return st;
}

/* ---- splitting ---- */

static const cf_added *match_at(const cf_added_set *s, cf_slice text, size_t at)
{
    const unsigned char b = (unsigned char)text.data[at];
    for (size_t i = s->first[b]; i < s->first[b + 1]; i++) {
        const cf_slice p = cf_str_slice(&s->items[i].pattern);
        if (p.n <= text.n - at && memcmp(text.data + at, p.data, p.n) == 0)
            return &s->items[i];
    }
    return NULL;
}

/* A pattern begins and ends with whole characters, so its neighbours are whole too. */
static bool stands_alone(cf_slice text, size_t begin, size_t end)
{
    uint32_t code = 0;
    if (begin > 0) {
        (void)cf_utf8_previous(&code, text.data, text.data + begin);
        if (cf_char_is_word(code))
            return false;
    }
    if (end < text.n) {
        (void)cf_utf8_next(&code, text.data + end, text.data + text.n);
        if (cf_char_is_word(code))
            return false;
    }
    return true;
}

static size_t strip_left(cf_slice text, size_t begin, size_t least)
{
    while (begin > least) {
        uint32_t code = 0;
        const size_t n = cf_utf8_previous(&code, text.data + least, text.data + begin);
        if (!cf_char_is_space(code))
            break;
        begin -= n;
    }
    return begin;
}

static size_t strip_right(cf_slice text, size_t end)
{
    while (end < text.n) {
        uint32_t code = 0;
        const size_t n = cf_utf8_next(&code, text.data + end, text.data + text.n);
        if (!cf_char_is_space(code))
            break;
        end += n;
    }
    return end;
}

cf_status cf_splits_add(cf_splits *out, int32_t id, size_t begin, size_t end, cf_error *err)
{
    void *items = out->items;
    const cf_status st = cf_grow(&items, &out->cap, out->n + 1, sizeof *out->items, "pieces of text", err);
    if (st != CF_OK)
        return st;
    out->items = items;
    out->items[out->n++] = (cf_split){id, begin, end};
    return CF_OK;
}

cf_status cf_added_split(cf_splits *out, const cf_added_set *s, cf_slice text, cf_error *err)
{
    cf_status st = CF_OK;
    size_t done_to = 0; /* end of the last token found, blanks included */
    out->n = 0;
    for (size_t at = 0; s->n && at < text.n;) {
        const cf_added *a = match_at(s, text, at);
        if (!a) {
            at++;
            continue;
        }
        size_t begin = at, end = at + a->pattern.n;
        at = end;
        if (a->single_word && !stands_alone(text, begin, end))
            continue;
        if (a->lstrip && begin > done_to)
            begin = strip_left(text, begin, done_to);
        if (a->rstrip)
            end = strip_right(text, end);
        if (done_to < begin)
            CF_TRY(cf_splits_add(out, -1, done_to, begin, err));
        CF_TRY(cf_splits_add(out, a->id, begin, end, err));
        done_to = end;
    }
    if (done_to < text.n)
        CF_TRY(cf_splits_add(out, -1, done_to, text.n, err));
done:
    return st;
}
