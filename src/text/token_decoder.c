/* token_decoder.c - tokens to text: Replace, ByteFallback, Fuse, Strip, Metaspace and ByteLevel, alone or in a Sequence
 * (tokenizers: decoders/ and normalizers/replace.rs). Every step turns a list of strings into another; the last list
 * is joined. */
#include "text/text_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

typedef enum step_kind { STEP_REPLACE, STEP_BYTES, STEP_FUSE, STEP_STRIP, STEP_METASPACE, STEP_BYTE_LEVEL } step_kind;

struct cf_decode_step {
    step_kind kind;
    cf_str pattern, content; /* Replace; content of Strip: one character */
    int64_t start, stop;     /* Strip: at most so many at the two ends */
    cf_metaspace metaspace;
};

/* ---- lists of strings ---- */

void cf_strings_deinit(cf_strings *s)
{
    cf_str_deinit(&s->bytes);
    free(s->ends);
    *s = (cf_strings){0};
}

/* Ends the string whose bytes have been appended to s->bytes. */
static cf_status strings_end(cf_strings *s, cf_error *err)
{
    void *ends = s->ends;
    const cf_status st = cf_grow(&ends, &s->cap, s->n + 1, sizeof *s->ends, "strings", err);
    if (st != CF_OK)
        return st;
    s->ends = ends;
    s->ends[s->n++] = s->bytes.n;
    return CF_OK;
}

cf_status cf_strings_add(cf_strings *s, cf_slice text, cf_error *err)
{
    const cf_status st = cf_str_add(&s->bytes, text, err);
    return st == CF_OK ? strings_end(s, err) : st;
}

static cf_slice strings_at(const cf_strings *s, size_t i)
{
    const size_t begin = i ? s->ends[i - 1] : 0;
    return (cf_slice){s->bytes.data ? s->bytes.data + begin : "", s->ends[i] - begin};
}

/* ---- loading ---- */

void cf_decoder_deinit(cf_decoder *d)
{
    for (size_t i = 0; i < d->n; i++) {
        cf_str_deinit(&d->steps[i].pattern);
        cf_str_deinit(&d->steps[i].content);
        cf_metaspace_deinit(&d->steps[i].metaspace);
    }
    free(d->steps);
    *d = (cf_decoder){0};
}

static cf_status load_strip(cf_decode_step *s, const cf_json *node, const char *where, cf_error *err)
{
    cf_status st = CF_OK;
    uint32_t code = 0;
    CF_TRY(cf_string_load(&s->content, node, "content", where, err));
    if (!s->content.n || cf_utf8_next(&code, s->content.data, s->content.data + s->content.n) != s->content.n)
        st = cf_fail(err, CF_FORMAT, "%s: decoder Strip: expected one character, found \"%s\"", where, s->content.data);
    else if (!cf_json_i64(&s->start, cf_json_get(node, "start")) || !cf_json_i64(&s->stop, cf_json_get(node, "stop")) ||
             s->start < 0 || s->stop < 0)
        st = cf_fail(err, CF_FORMAT, "%s: decoder Strip: start and stop must be counts", where);
done:
    return st;
}

static cf_status add_step(cf_decoder *d, const cf_json *node, const char *where, cf_error *err)
{
    static const char *const names[] = {"Replace", "ByteFallback", "Fuse",
                                        "Strip",   "Metaspace",    "ByteLevel"}; /* by step_kind */
    cf_status st = CF_OK;
    size_t kind = 0;
    while (kind < sizeof names / sizeof names[0] && !cf_type_is(node, names[kind]))
        kind++;
    if (kind == sizeof names / sizeof names[0])
        return cf_type_refused(err, where, "a decoder", node,
                               "Sequence, Replace, ByteFallback, Fuse, Strip, Metaspace, ByteLevel");
    void *steps = d->steps;
    CF_TRY(cf_grow(&steps, &d->cap, d->n + 1, sizeof *d->steps, "decoders", err));
    d->steps = steps;
    cf_decode_step *s = &d->steps[d->n++];
    *s = (cf_decode_step){.kind = (step_kind)kind};
    if (s->kind == STEP_REPLACE)
        CF_TRY(cf_replace_load(&s->pattern, &s->content, node, where, err));
    else if (s->kind == STEP_STRIP)
        CF_TRY(load_strip(s, node, where, err));
    else if (s->kind == STEP_METASPACE)
        CF_TRY(cf_metaspace_load(&s->metaspace, node, where, err));
done:
    return st;
}

cf_status cf_decoder_load(cf_decoder *d, const cf_json *node, const char *where, cf_error *err)
{
    if (cf_json_is_none(node))
        return CF_OK;
    d->present = true;
    if (!cf_type_is(node, "Sequence"))
        return add_step(d, node, where, err);
    const cf_json *parts = cf_json_get(node, "decoders");
    if (cf_json_kind_of(parts) != CF_JSON_ARRAY)
        return cf_fail(err, CF_FORMAT, "%s: the decoder Sequence has no list of decoders", where);
    cf_status st = CF_OK;
    for (const cf_json *p = cf_json_first(parts); p; p = cf_json_next(p))
        CF_TRY(cf_decoder_load(d, p, where, err));
done:
    return st;
}

/* ---- decoding ---- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    const char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* The byte that "<0xNN>" means, or -1. NOTE: the library reads NN as Rust does, so that "+N" is a number too. */
static int byte_of(cf_slice t)
{
    if (t.n != 6 || memcmp(t.data, "<0x", 3) != 0 || t.data[5] != '>')
        return -1;
    const int high = t.data[3] == '+' ? 0 : hex_digit(t.data[3]);
    const int low = hex_digit(t.data[4]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* A run of byte tokens becomes one string if it is valid UTF-8, otherwise one U+FFFD a byte. */
static cf_status flush_bytes(cf_strings *out, cf_str *run, cf_error *err)
{
    cf_status st = CF_OK;
    if (run->n && cf_utf8_valid(cf_str_slice(run)))
        CF_TRY(cf_strings_add(out, cf_str_slice(run), err));
    else
        for (size_t i = 0; i < run->n; i++)
            CF_TRY(cf_strings_add(out, cf_slice_of("\xEF\xBF\xBD"), err));
    cf_str_clear(run);
done:
    return st;
}

static cf_status join_bytes(cf_strings *out, const cf_strings *in, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str run = {0};
    for (size_t i = 0; i < in->n; i++) {
        const int byte = byte_of(strings_at(in, i));
        if (byte >= 0) {
            const char c = (char)byte;
            CF_TRY(cf_str_add(&run, (cf_slice){&c, 1}, err));
            continue;
        }
        CF_TRY(flush_bytes(out, &run, err));
        CF_TRY(cf_strings_add(out, strings_at(in, i), err));
    }
    CF_TRY(flush_bytes(out, &run, err));
done:
    cf_str_deinit(&run);
    return st;
}

static cf_slice strip(const cf_decode_step *s, cf_slice t)
{
    const cf_slice c = cf_str_slice(&s->content);
    for (int64_t i = 0; i < s->start && t.n >= c.n && memcmp(t.data, c.data, c.n) == 0; i++)
        t = (cf_slice){t.data + c.n, t.n - c.n};
    for (int64_t i = 0; i < s->stop && t.n >= c.n && memcmp(t.data + t.n - c.n, c.data, c.n) == 0; i++)
        t.n -= c.n;
    return t;
}

/* One string through Replace, Strip or Metaspace, which look at each string by itself. */
static cf_status step_string(cf_strings *out, const cf_decode_step *s, cf_slice t, bool first, cf_error *err)
{
    cf_status st = CF_OK;
    if (s->kind == STEP_STRIP)
        return cf_strings_add(out, strip(s, t), err);
    if (s->kind == STEP_REPLACE) {
        CF_TRY(cf_text_replace(&out->bytes, t, cf_str_slice(&s->pattern), cf_str_slice(&s->content), err));
    } else {
        const bool drop =
            first && s->metaspace.prepend != CF_PREPEND_NEVER; /* every mark of the first string, as the library does */
        CF_TRY(cf_text_replace(&out->bytes, t, cf_str_slice(&s->metaspace.mark), cf_slice_of(drop ? "" : " "), err));
    }
    CF_TRY(strings_end(out, err));
done:
    return st;
}

/* All strings as bytes, in one string; what is not UTF-8 among them as U+FFFD. */
static cf_status join_alphabet(cf_strings *out, const cf_strings *in, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str bytes = {0};
    for (size_t i = 0; i < in->n; i++)
        CF_TRY(cf_alphabet_to_bytes(&bytes, strings_at(in, i), err));
    CF_TRY(cf_utf8_repair(&out->bytes, cf_str_slice(&bytes), err));
    CF_TRY(strings_end(out, err));
done:
    cf_str_deinit(&bytes);
    return st;
}

static cf_status apply_step(cf_strings *out, const cf_decode_step *s, const cf_strings *in, cf_error *err)
{
    cf_status st = CF_OK;
    if (s->kind == STEP_BYTES)
        return join_bytes(out, in, err);
    if (s->kind == STEP_BYTE_LEVEL)
        return join_alphabet(out, in, err);
    if (s->kind == STEP_FUSE)
        return cf_strings_add(out, cf_str_slice(&in->bytes), err);
    for (size_t i = 0; i < in->n; i++)
        CF_TRY(step_string(out, s, strings_at(in, i), i == 0, err));
done:
    return st;
}

cf_status cf_decoder_apply(cf_str *out, const cf_decoder *d, cf_strings *tokens, cf_error *err)
{
    cf_status st = CF_OK;
    cf_strings next = {0};
    for (size_t i = 0; i < d->n; i++) {
        next.n = 0;
        cf_str_clear(&next.bytes);
        CF_TRY(apply_step(&next, &d->steps[i], tokens, err));
        const cf_strings swap = *tokens;
        *tokens = next;
        next = swap;
    }
    for (size_t i = 0; i < tokens->n; i++) {
        if (i && !d->present)
            CF_TRY(cf_str_add_text(out, " ", err));
        CF_TRY(cf_str_add(out, strings_at(tokens, i), err));
    }
done:
    cf_strings_deinit(&next);
    return st;
}
