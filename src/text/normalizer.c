/* normalizer.c - Prepend and Replace, alone or in a Sequence (tokenizers: normalizers/prepend.rs, replace.rs,
 * utils.rs). A Replace with a regular expression is refused. */
#include "text/text_internal.h"

#include <stdlib.h>

#include "base/memory.h"

void cf_normalizer_deinit(cf_normalizer *z)
{
    for (size_t i = 0; i < z->n; i++) {
        cf_str_deinit(&z->steps[i].pattern);
        cf_str_deinit(&z->steps[i].content);
    }
    free(z->steps);
    *z = (cf_normalizer){0};
}

cf_status cf_replace_load(cf_str *pattern, cf_str *content, const cf_json *node, const char *where, cf_error *err)
{
    cf_status st = CF_OK;
    const cf_json *kinds = cf_json_get(node, "pattern");
    if (cf_json_get(kinds, "Regex"))
        return cf_fail(err, CF_UNSUPPORTED, "%s: Replace with a regular expression is not supported (known: String)",
                       where);
    CF_TRY(cf_string_load(pattern, kinds, "String", where, err));
    CF_TRY(cf_string_load(content, node, "content", where, err));
    if (!pattern->n)
        st = cf_fail(err, CF_UNSUPPORTED, "%s: Replace of an empty string is not supported", where);
done:
    return st;
}

cf_status cf_normalizer_load(cf_normalizer *z, const cf_json *node, const char *where, cf_error *err)
{
    cf_status st = CF_OK;
    if (cf_json_is_none(node))
        return CF_OK;
    if (cf_type_is(node, "Sequence")) {
        const cf_json *parts = cf_json_get(node, "normalizers");
        if (cf_json_kind_of(parts) != CF_JSON_ARRAY)
            return cf_fail(err, CF_FORMAT, "%s: the normalizer Sequence has no list of normalizers", where);
        for (const cf_json *p = cf_json_first(parts); p; p = cf_json_next(p))
            CF_TRY(cf_normalizer_load(z, p, where, err));
        return CF_OK;
    }
    const bool prepend = cf_type_is(node, "Prepend");
    if (!prepend && !cf_type_is(node, "Replace"))
        return cf_type_refused(err, where, "a normalizer", node, "Sequence, Prepend, Replace");
    void *steps = z->steps;
    CF_TRY(cf_grow(&steps, &z->cap, z->n + 1, sizeof *z->steps, "normalizers", err));
    z->steps = steps;
    cf_normal_step *s = &z->steps[z->n++];
    *s = (cf_normal_step){.prepend = prepend};
    if (prepend)
        CF_TRY(cf_string_load(&s->content, node, "prepend", where, err));
    else
        CF_TRY(cf_replace_load(&s->pattern, &s->content, node, where, err));
done:
    return st;
}

cf_status cf_text_replace(cf_str *out, cf_slice text, cf_slice pattern, cf_slice content, cf_error *err)
{
    cf_status st = CF_OK;
    size_t kept = 0;
    if (!text.n)
        return CF_OK;
    for (int64_t at = cf_slice_find(text, pattern, 0); at >= 0; at = cf_slice_find(text, pattern, kept)) {
        CF_TRY(cf_str_add(out, (cf_slice){text.data + kept, (size_t)at - kept}, err));
        CF_TRY(cf_str_add(out, content, err));
        kept = (size_t)at + pattern.n;
    }
    CF_TRY(cf_str_add(out, (cf_slice){text.data + kept, text.n - kept}, err));
done:
    return st;
}

cf_status cf_normalizer_apply(cf_str *out, const cf_normalizer *z, cf_slice text, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str next = {0};
    cf_str_clear(out);
    CF_TRY(cf_str_add(out, text, err));
    for (size_t i = 0; i < z->n && out->n; i++) {
        const cf_normal_step *s = &z->steps[i];
        cf_str_clear(&next);
        if (s->prepend) {
            CF_TRY(cf_str_add(&next, cf_str_slice(&s->content), err));
            CF_TRY(cf_str_add(&next, cf_str_slice(out), err));
        } else {
            CF_TRY(
                cf_text_replace(&next, cf_str_slice(out), cf_str_slice(&s->pattern), cf_str_slice(&s->content), err));
        }
        const cf_str swap = *out;
        *out = next;
        next = swap;
    }
done:
    cf_str_deinit(&next);
    return st;
}
