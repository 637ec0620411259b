/* metaspace.c - the Metaspace pre-tokenizer (tokenizers: pre_tokenizers/metaspace.rs): blanks become a mark, the text
 * may get one in front, and may be cut before every mark. */
#include "text/text_internal.h"

void cf_metaspace_deinit(cf_metaspace *m)
{
    cf_str_deinit(&m->mark);
    *m = (cf_metaspace){0};
}

static cf_status load_scheme(cf_prepend *out, const cf_json *node, const char *where, cf_error *err)
{
    const cf_json *name = cf_json_get(node, "prepend_scheme");
    const cf_slice scheme = cf_slice_of(cf_json_string(name));
    cf_prepend p = CF_PREPEND_ALWAYS; /* also where older files leave it out */
    if (cf_slice_is(scheme, "first"))
        p = CF_PREPEND_FIRST;
    else if (cf_slice_is(scheme, "never"))
        p = CF_PREPEND_NEVER;
    else if (!cf_json_is_none(name) && !cf_slice_is(scheme, "always"))
        return cf_fail(err, CF_UNSUPPORTED,
                       "%s: Metaspace prepend_scheme \"%.*s\" is not supported (known: first, always, never)", where,
                       (int)scheme.n, scheme.n ? scheme.data : "");
    if (!cf_json_bool(cf_json_get(node, "add_prefix_space"), true) && p != CF_PREPEND_NEVER)
        return cf_fail(err, CF_FORMAT, "%s: Metaspace add_prefix_space contradicts its prepend_scheme", where);
    *out = p;
    return CF_OK;
}

cf_status cf_metaspace_load(cf_metaspace *m, const cf_json *node, const char *where, cf_error *err)
{
    cf_status st = CF_OK;
    uint32_t code = 0;
    CF_TRY(cf_string_load(&m->mark, node, "replacement", where, err));
    if (!m->mark.n || cf_utf8_next(&code, m->mark.data, m->mark.data + m->mark.n) != m->mark.n) {
        st = cf_fail(err, CF_FORMAT, "%s: Metaspace replacement: expected one character, found \"%s\"", where,
                     m->mark.data);
        goto done;
    }
    CF_TRY(load_scheme(&m->prepend, node, where, err));
    CF_TRY(cf_flag_load(&m->split, node, "split", true, where, err));
done:
    return st;
}

static bool starts_with(cf_slice text, cf_slice prefix)
{
    return text.n >= prefix.n && cf_slice_equal((cf_slice){text.data, prefix.n}, prefix);
}

cf_status cf_metaspace_apply(cf_str *out, const cf_metaspace *m, cf_slice text, bool at_start, cf_error *err)
{
    cf_status st = CF_OK;
    const cf_slice mark = cf_str_slice(&m->mark);
    const bool marked = text.n && (text.data[0] == ' ' || starts_with(text, mark));
    cf_str_clear(out);
    if (!marked && (m->prepend == CF_PREPEND_ALWAYS || (m->prepend == CF_PREPEND_FIRST && at_start)))
        CF_TRY(cf_str_add(out, mark, err));
    CF_TRY(cf_text_replace(out, text, cf_slice_of(" "), mark, err));
done:
    return st;
}

cf_slice cf_metaspace_word(const cf_metaspace *m, cf_slice text, size_t *at)
{
    const size_t begin = *at;
    const size_t step = begin < text.n ? 1 : 0; /* past the mark that begins the word */
    const int64_t end = m->split ? cf_slice_find(text, cf_str_slice(&m->mark), begin + step) : -1;
    *at = end < 0 ? text.n : (size_t)end;
    return (cf_slice){text.data + begin, *at - begin};
}
