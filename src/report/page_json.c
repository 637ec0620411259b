/* page_json.c - see page_json.h. */
#include "report/page_json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json_text.h"

/* ---- members and elements ---- */

/* A text that ends in a bracket or colon ends in a quote: the last byte says where the writing stands. */
static bool begins(const cf_str *out)
{
    const char last = out->n ? out->data[out->n - 1] : '[';
    return last == '{' || last == '[' || last == ':';
}

cf_status cf_page_next(cf_str *out, cf_error *err)
{
    return begins(out) ? CF_OK : cf_str_add_text(out, ",", err);
}

cf_status cf_page_name(cf_str *out, const char *name, cf_error *err)
{
    return cf_str_addf(out, err, "%s\"%s\":", begins(out) ? "" : ",", name);
}

cf_status cf_page_text(cf_str *out, const char *name, const char *text, cf_error *err)
{
    const cf_status st = cf_page_name(out, name, err);
    return st == CF_OK ? cf_json_add_string(out, text ? text : "", err) : st;
}

cf_status cf_page_integer(cf_str *out, const char *name, int64_t v, cf_error *err)
{
    const cf_status st = cf_page_name(out, name, err);
    return st == CF_OK ? cf_str_addf(out, err, "%" PRId64, v) : st;
}

cf_status cf_page_bool(cf_str *out, const char *name, bool v, cf_error *err)
{
    const cf_status st = cf_page_name(out, name, err);
    return st == CF_OK ? cf_str_add_text(out, v ? "true" : "false", err) : st;
}

cf_status cf_page_index(cf_str *out, const char *name, int64_t v, cf_error *err)
{
    if (v >= 0)
        return cf_page_integer(out, name, v, err);
    const cf_status st = cf_page_name(out, name, err);
    return st == CF_OK ? cf_str_add_text(out, "null", err) : st;
}

cf_status cf_page_number(cf_str *out, const char *name, double v, cf_error *err)
{
    const cf_status st = cf_page_name(out, name, err);
    return st == CF_OK ? cf_page_add_number(out, v, err) : st;
}

cf_status cf_page_add_number(cf_str *out, double v, cf_error *err)
{
    char text[32];
    if (!isfinite(v))
        return cf_str_add_text(out, "null", err);
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, v);
        if (strtod(text, NULL) == v)
            break;
    }
    return cf_str_add_text(out, text, err);
}

/* ---- JSON of the study ---- */

static cf_status add_children(cf_str *out, const cf_json *node, int64_t most, cf_error *err)
{
    const bool is_object = cf_json_kind_of(node) == CF_JSON_OBJECT;
    cf_status st = CF_OK;
    int64_t n = 0;
    CF_TRY(cf_str_add_text(out, is_object ? "{" : "[", err));
    for (const cf_json *c = cf_json_first(node); c && (is_object || n < most); c = cf_json_next(c), n++) {
        CF_TRY(cf_page_next(out, err));
        if (is_object) {
            CF_TRY(cf_json_add_string(out, cf_json_name(c), err));
            CF_TRY(cf_str_add_text(out, ":", err));
        }
        CF_TRY(cf_page_add_node(out, c, most, err));
    }
    CF_TRY(cf_str_add_text(out, is_object ? "}" : "]", err));
done:
    return st;
}

/* As deep as the parser lets a document be. */
cf_status cf_page_add_node(cf_str *out, const cf_json *node, int64_t most, cf_error *err)
{
    switch (cf_json_kind_of(node)) {
    case CF_JSON_STRING:
        return cf_json_add_string(out, cf_json_string(node), err);
    case CF_JSON_NUMBER:
        return cf_page_add_number(out, cf_json_number(node, (double)NAN), err);
    case CF_JSON_BOOL:
        return cf_str_add_text(out, cf_json_bool(node, false) ? "true" : "false", err);
    case CF_JSON_ARRAY:
    case CF_JSON_OBJECT:
        return add_children(out, node, most, err);
    case CF_JSON_ABSENT:
    case CF_JSON_NULL:
        break;
    }
    return cf_str_add_text(out, "null", err);
}

cf_status cf_page_stored(cf_str *out, const char *name, const char *json, cf_json_kind kind, const char *where,
                         cf_error *err)
{
    cf_status st = CF_OK;
    cf_json *parsed = NULL;
    CF_TRY(cf_page_name(out, name, err));
    if (!json || !json[0]) {
        st = cf_str_add_text(out, kind == CF_JSON_OBJECT ? "{}" : "[]", err);
        goto done;
    }
    CF_TRY(cf_json_parse(&parsed, cf_slice_of(json), where, err));
    if (cf_json_kind_of(parsed) != kind) {
        st = cf_fail(err, CF_FORMAT, "%s: %s: expected %s, found %.40s", where, name,
                     kind == CF_JSON_OBJECT ? "an object" : "a list", json);
        goto done;
    }
    CF_TRY(cf_page_add_node(out, parsed, INT64_MAX, err));
done:
    cf_json_free(parsed);
    return st;
}

/* ---- into HTML ---- */

/* The bytes at c that may not stand in an element, and what stands for them; 0 where they may. */
static size_t unsafe(const char *c, size_t n, const char **instead)
{
    static const char separator[] = "\xe2\x80";
    *instead = *c == '<' ? "\\u003c" : *c == '>' ? "\\u003e" : *c == '&' ? "\\u0026" : NULL;
    if (*instead)
        return 1;
    if (n < 3 || c[0] != separator[0] || c[1] != separator[1] || (c[2] != '\xa8' && c[2] != '\xa9'))
        return 0;
    *instead = c[2] == '\xa8' ? "\\u2028" : "\\u2029";
    return 3;
}

cf_status cf_page_escape(cf_str *out, cf_slice json, cf_error *err)
{
    cf_status st = CF_OK;
    size_t begin = 0;
    for (size_t i = 0; i < json.n;) {
        const char *instead = NULL;
        const size_t n = unsafe(json.data + i, json.n - i, &instead);
        if (n) {
            CF_TRY(cf_str_add(out, (cf_slice){json.data + begin, i - begin}, err));
            CF_TRY(cf_str_add_text(out, instead, err));
            begin = i + n;
        }
        i += n ? n : 1;
    }
    CF_TRY(cf_str_add(out, (cf_slice){json.data + begin, json.n - begin}, err));
done:
    return st;
}
