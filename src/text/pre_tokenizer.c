/* pre_tokenizer.c - a text into words: Metaspace, Split (Isolated) and ByteLevel, alone or in a Sequence (tokenizers:
 * pre_tokenizers/). Each step sees every word of the step before it by itself. */
#include "text/text_internal.h"

#include <stdlib.h>

#include "base/memory.h"

/* ByteLevel with use_regex (tokenizers: byte_level.rs; GPT-2's encoder). */
#define GPT2_PATTERN "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"

/* Files in use have up to three steps; each may add to the text, and takes a stack frame. */
enum { MAX_STEPS = 16 };

typedef enum step_kind { STEP_METASPACE, STEP_SPLIT, STEP_BLANK, STEP_BYTES } step_kind;

struct cf_cut_step {
    step_kind kind;
    cf_metaspace metaspace;
    cf_pattern *pattern; /* Split */
};

void cf_pre_tokenizer_deinit(cf_pre_tokenizer *z)
{
    for (size_t i = 0; i < z->n; i++) {
        cf_metaspace_deinit(&z->steps[i].metaspace);
        cf_pattern_free(z->steps[i].pattern);
    }
    free(z->steps);
    *z = (cf_pre_tokenizer){0};
}

/* ---- loading ---- */

static cf_status add_step(cf_cut_step **out, cf_pre_tokenizer *z, step_kind kind, const char *where, cf_error *err)
{
    if (z->n == MAX_STEPS)
        return cf_fail(err, CF_UNSUPPORTED, "%s: more than %d pre-tokenizers are not supported", where, MAX_STEPS);
    void *steps = z->steps;
    const cf_status st = cf_grow(&steps, &z->cap, z->n + 1, sizeof *z->steps, "pre-tokenizers", err);
    if (st != CF_OK)
        return st;
    z->steps = steps;
    *out = &z->steps[z->n++];
    **out = (cf_cut_step){.kind = kind};
    return CF_OK;
}

cf_status cf_pre_tokenizer_add_metaspace(cf_pre_tokenizer *z, cf_metaspace *m, const char *where, cf_error *err)
{
    cf_cut_step *s = NULL;
    const cf_status st = add_step(&s, z, STEP_METASPACE, where, err);
    if (st == CF_OK)
        s->metaspace = *m;
    else
        cf_metaspace_deinit(m);
    *m = (cf_metaspace){0};
    return st;
}

static cf_status load_metaspace(cf_pre_tokenizer *z, const cf_json *node, const char *where, cf_error *err)
{
    cf_metaspace m = {0};
    const cf_status st = cf_metaspace_load(&m, node, where, err);
    if (st == CF_OK)
        return cf_pre_tokenizer_add_metaspace(z, &m, where, err);
    cf_metaspace_deinit(&m);
    return st;
}

static cf_status load_split(cf_pre_tokenizer *z, const cf_json *node, const char *where, cf_error *err)
{
    cf_status st = CF_OK;
    cf_cut_step *s = NULL;
    bool invert = false;
    const char *behavior = cf_json_string(cf_json_get(node, "behavior"));
    const cf_json *pattern = cf_json_get(node, "pattern");
    const char *regex = cf_json_string(cf_json_get(pattern, "Regex"));
    const char *text = regex ? regex : cf_json_string(cf_json_get(pattern, "String"));
    CF_TRY(cf_flag_load(&invert, node, "invert", false, where, err));
    if (!behavior || !cf_slice_is(cf_slice_of(behavior), "Isolated") || invert) {
        st = cf_fail(err, CF_UNSUPPORTED, "%s: Split with behavior \"%s\"%s is not supported (known: Isolated)", where,
                     behavior ? behavior : "?", invert ? ", inverted," : "");
        goto done;
    }
    if (!text || !text[0]) {
        st = cf_fail(err, CF_FORMAT, "%s: Split has no pattern (a Regex or a String)", where);
        goto done;
    }
    CF_TRY(add_step(&s, z, STEP_SPLIT, where, err));
    CF_TRY(cf_pattern_compile(&s->pattern, cf_slice_of(text), !regex, where, err));
done:
    return st;
}

static cf_status load_byte_level(cf_pre_tokenizer *z, const cf_json *node, const char *where, cf_error *err)
{
    cf_status st = CF_OK;
    cf_cut_step *s = NULL;
    bool regex = true; /* trim_offsets concerns offsets alone */
    if (cf_pre_tokenizer_is_byte_level(z))
        return cf_fail(err, CF_UNSUPPORTED, "%s: two ByteLevel pre-tokenizers are not supported", where);
    if (cf_json_kind_of(cf_json_get(node, "add_prefix_space")) != CF_JSON_BOOL)
        return cf_fail(err, CF_FORMAT, "%s: ByteLevel has no true or false as \"add_prefix_space\"", where);
    CF_TRY(cf_flag_load(&regex, node, "use_regex", true, where, err));
    if (cf_json_bool(cf_json_get(node, "add_prefix_space"), false))
        CF_TRY(add_step(&s, z, STEP_BLANK, where, err));
    if (regex) {
        CF_TRY(add_step(&s, z, STEP_SPLIT, where, err));
        CF_TRY(cf_pattern_compile(&s->pattern, cf_slice_of(GPT2_PATTERN), false, where, err));
    }
    CF_TRY(add_step(&s, z, STEP_BYTES, where, err));
done:
    return st;
}

cf_status cf_pre_tokenizer_load(cf_pre_tokenizer *z, const cf_json *node, const char *where, cf_error *err)
{
    if (cf_json_is_none(node))
        return CF_OK;
    if (cf_type_is(node, "Metaspace"))
        return load_metaspace(z, node, where, err);
    if (cf_type_is(node, "Split"))
        return load_split(z, node, where, err);
    if (cf_type_is(node, "ByteLevel"))
        return load_byte_level(z, node, where, err);
    if (!cf_type_is(node, "Sequence"))
        return cf_type_refused(err, where, "a pre-tokenizer", node, "Sequence, Metaspace, Split, ByteLevel");
    const cf_json *parts = cf_json_get(node, "pretokenizers");
    if (cf_json_kind_of(parts) != CF_JSON_ARRAY)
        return cf_fail(err, CF_FORMAT, "%s: the pre-tokenizer Sequence has no list of pretokenizers", where);
    cf_status st = CF_OK;
    for (const cf_json *p = cf_json_first(parts); p; p = cf_json_next(p))
        CF_TRY(cf_pre_tokenizer_load(z, p, where, err));
done:
    return st;
}

bool cf_pre_tokenizer_asks_for_start(const cf_pre_tokenizer *z)
{
    for (size_t i = 0; i < z->n; i++)
        if (z->steps[i].kind == STEP_METASPACE && z->steps[i].metaspace.prepend == CF_PREPEND_FIRST)
            return true;
    return false;
}

bool cf_pre_tokenizer_is_byte_level(const cf_pre_tokenizer *z)
{
    for (size_t i = 0; i < z->n; i++)
        if (z->steps[i].kind == STEP_BYTES)
            return true;
    return false;
}

/* ---- applying ---- */

typedef struct step_work { /* what a step makes of a text, and its pieces */
    cf_str text;
    cf_splits pieces;
} step_work;

struct cf_cutter {
    step_work *work; /* a step each */
    size_t n;
    cf_matcher *matcher;
};

typedef struct walk {
    const cf_pre_tokenizer *z;
    cf_cutter *c;
    cf_word_fn each;
    void *context;
} walk;

cf_status cf_cutter_create(cf_cutter **out, const cf_pre_tokenizer *z, cf_error *err)
{
    cf_status st = CF_OK;
    cf_cutter *c = calloc(1, sizeof *c);
    if (c)
        c->work = calloc(z->n + 1, sizeof *c->work);
    if (!c || !c->work) {
        st = cf_fail(err, CF_NOMEM, "no memory for %zu pre-tokenizers", z->n);
        goto done;
    }
    c->n = z->n;
    CF_TRY(cf_matcher_create(&c->matcher, err));
    *out = c;
    c = NULL;
done:
    cf_cutter_free(c);
    return st;
}

void cf_cutter_free(cf_cutter *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->n; i++) {
        cf_str_deinit(&c->work[i].text);
        free(c->work[i].pieces.items);
    }
    free(c->work);
    cf_matcher_free(c->matcher);
    free(c);
}

static cf_status walk_from(const walk *w, size_t step, cf_slice text, bool at_start, cf_error *err);

static cf_status walk_metaspace(const walk *w, size_t step, cf_slice text, bool at_start, cf_error *err)
{
    cf_status st = CF_OK;
    const cf_metaspace *m = &w->z->steps[step].metaspace;
    cf_str *marked = &w->c->work[step].text;
    CF_TRY(cf_metaspace_apply(marked, m, text, at_start, err));
    for (size_t at = 0; at < marked->n;) {
        const bool first = at == 0;
        CF_TRY(walk_from(w, step + 1, cf_metaspace_word(m, cf_str_slice(marked), &at), at_start && first, err));
    }
done:
    return st;
}

static cf_status walk_split(const walk *w, size_t step, cf_slice text, bool at_start, cf_error *err)
{
    cf_status st = CF_OK;
    cf_splits *pieces = &w->c->work[step].pieces;
    CF_TRY(cf_pattern_cut(pieces, w->z->steps[step].pattern, text, w->c->matcher, err));
    for (size_t i = 0; i < pieces->n; i++) {
        const cf_split p = pieces->items[i];
        CF_TRY(walk_from(w, step + 1, (cf_slice){text.data + p.begin, p.end - p.begin}, at_start && i == 0, err));
    }
done:
    return st;
}

/* The text after one more change: a blank before it, or its bytes as characters. */
static cf_status walk_changed(const walk *w, size_t step, cf_slice text, bool at_start, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str *changed = &w->c->work[step].text;
    cf_str_clear(changed);
    if (w->z->steps[step].kind == STEP_BYTES) {
        CF_TRY(cf_bytes_to_alphabet(changed, text, err));
    } else {
        if (text.data[0] != ' ')
            CF_TRY(cf_str_add_text(changed, " ", err));
        CF_TRY(cf_str_add(changed, text, err));
    }
    CF_TRY(walk_from(w, step + 1, cf_str_slice(changed), at_start, err));
done:
    return st;
}

static cf_status walk_from(const walk *w, size_t step, cf_slice text, bool at_start, cf_error *err)
{
    if (step == w->z->n)
        return w->each(w->context, text, err);
    if (w->z->steps[step].kind == STEP_METASPACE)
        return walk_metaspace(w, step, text, at_start, err);
    if (w->z->steps[step].kind == STEP_SPLIT)
        return walk_split(w, step, text, at_start, err);
    return walk_changed(w, step, text, at_start, err);
}

cf_status cf_pre_tokenizer_apply(const cf_pre_tokenizer *z, cf_slice text, bool at_start, cf_cutter *c, cf_word_fn each,
                                 void *context, cf_error *err)
{
    const walk w = {z, c, each, context};
    return walk_from(&w, 0, text, at_start, err);
}
