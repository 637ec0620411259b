/* post_processor.c - TemplateProcessing of a single text, ByteLevel, both in a Sequence, or none (tokenizers:
 * processors/): the ids before and after the text's. ByteLevel changes offsets alone, which are not kept. The template
 * for pairs is not read: crossflow never encodes pairs. */
#include "text/text_internal.h"

void cf_template_deinit(cf_template *p)
{
    cf_ids_deinit(&p->before);
    cf_ids_deinit(&p->after);
}

/* The ids of one SpecialToken piece. */
static cf_status add_special(cf_ids *out, const cf_vocab *v, const cf_json *piece, const cf_json *specials,
                             const char *where, cf_error *err)
{
    const char *name = cf_json_string(cf_json_get(piece, "id"));
    const cf_json *ids = name ? cf_json_get(cf_json_get(specials, name), "ids") : NULL;
    if (cf_json_kind_of(ids) != CF_JSON_ARRAY)
        return cf_fail(err, CF_FORMAT, "%s: the post-processor's special_tokens give no ids for \"%s\"", where,
                       name ? name : "?");
    for (const cf_json *i = cf_json_first(ids); i; i = cf_json_next(i)) {
        int64_t id = -1;
        if (!cf_json_i64(&id, i) || id < 0 || id > INT32_MAX || !cf_vocab_has(v, (int32_t)id))
            return cf_fail(err, CF_MISMATCH, "%s: the post-processor's \"%s\" has id %lld, which is no token", where,
                           name, (long long)id);
        const cf_status st = cf_ids_add(out, (int32_t)id, err);
        if (st != CF_OK)
            return st;
    }
    return CF_OK;
}

static cf_status load_single(cf_template *p, const cf_vocab *v, const cf_json *node, const char *where, cf_error *err)
{
    cf_status st = CF_OK;
    const cf_json *single = cf_json_get(node, "single");
    int n_texts = 0;
    for (const cf_json *piece = cf_json_first(single); piece; piece = cf_json_next(piece)) {
        const cf_json *special = cf_json_get(piece, "SpecialToken");
        const char *text = cf_json_string(cf_json_get(cf_json_get(piece, "Sequence"), "id"));
        if (special) {
            CF_TRY(add_special(n_texts ? &p->after : &p->before, v, special, cf_json_get(node, "special_tokens"), where,
                               err));
        } else if (text && cf_slice_is(cf_slice_of(text), "A")) {
            n_texts++;
        } else {
            st = cf_fail(err, CF_UNSUPPORTED,
                         "%s: the post-processor's template has a piece other than SpecialToken and Sequence A", where);
            goto done;
        }
    }
    if (n_texts != 1)
        st = cf_fail(err, CF_UNSUPPORTED,
                     "%s: the post-processor's single template: expected Sequence A once, found it %d times", where,
                     n_texts);
done:
    return st;
}

cf_status cf_template_load(cf_template *p, const cf_vocab *v, const cf_json *node, const char *where, cf_error *err)
{
    if (cf_json_is_none(node) || cf_type_is(node, "ByteLevel"))
        return CF_OK;
    if (cf_type_is(node, "TemplateProcessing")) {
        if (p->before.n || p->after.n)
            return cf_fail(err, CF_UNSUPPORTED, "%s: two TemplateProcessing post-processors are not supported", where);
        return load_single(p, v, node, where, err);
    }
    if (!cf_type_is(node, "Sequence"))
        return cf_type_refused(err, where, "a post-processor", node, "Sequence, TemplateProcessing, ByteLevel");
    const cf_json *parts = cf_json_get(node, "processors");
    if (cf_json_kind_of(parts) != CF_JSON_ARRAY)
        return cf_fail(err, CF_FORMAT, "%s: the post-processor Sequence has no list of processors", where);
    cf_status st = CF_OK;
    for (const cf_json *part = cf_json_first(parts); part; part = cf_json_next(part))
        CF_TRY(cf_template_load(p, v, part, where, err));
done:
    return st;
}
