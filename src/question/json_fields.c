/* json_fields.c - see json_fields.h. */
#include "question/json_fields.h"

#include <inttypes.h>

const char *cf_json_kind_name(const cf_json *node)
{
    static const char *const names[] = {
        [CF_JSON_ABSENT] = "nothing",  [CF_JSON_NULL] = "null",       [CF_JSON_BOOL] = "true or false",
        [CF_JSON_NUMBER] = "a number", [CF_JSON_STRING] = "a string", [CF_JSON_ARRAY] = "a list",
        [CF_JSON_OBJECT] = "an object"};
    return names[cf_json_kind_of(node)];
}

cf_status cf_json_describe(cf_str *out, const cf_json *node, cf_error *err)
{
    switch (cf_json_kind_of(node)) {
    case CF_JSON_STRING:
        return cf_str_add_text(out, cf_json_string(node), err);
    case CF_JSON_NUMBER:
        return cf_str_addf(out, err, "%.17g", cf_json_number(node, 0));
    default:
        return cf_str_add_text(out, cf_json_kind_name(node), err);
    }
}

static bool is_absent(const cf_json *node)
{
    const cf_json_kind k = cf_json_kind_of(node);
    return k == CF_JSON_ABSENT || k == CF_JSON_NULL;
}

cf_status cf_field_text(cf_slice *out, cf_arena *a, const cf_json *object, const char *name, bool needed,
                        const char *where, cf_error *err)
{
    const cf_json *node = cf_json_get(object, name);
    int64_t number = 0;
    if (is_absent(node)) {
        *out = (cf_slice){NULL, 0};
        return needed ? cf_fail(err, CF_FORMAT, "%s: the field \"%s\" is missing", where, name) : CF_OK;
    }
    if (cf_json_kind_of(node) == CF_JSON_STRING)
        return cf_arena_text(out, a, cf_slice_of(cf_json_string(node)), err);
    if (!cf_json_i64(&number, node))
        return cf_fail(err, CF_FORMAT, "%s: the field \"%s\": expected a string or a whole number, found %s", where,
                       name, cf_json_kind_name(node));
    cf_str text = {0};
    cf_status st = cf_str_addf(&text, err, "%" PRId64, number);
    if (st == CF_OK)
        st = cf_arena_text(out, a, cf_str_slice(&text), err);
    cf_str_deinit(&text);
    return st;
}

cf_status cf_field_value(cf_slice *out, cf_question_set *s, cf_draft *d, const cf_json *object, const char *name,
                         const char *where, cf_error *err)
{
    const cf_status st = cf_field_text(out, &s->arena, object, name, true, where, err);
    if (st != CF_OK || out->n)
        return st;
    return cf_fault(&d->fault, name, "a value", *out, err);
}

cf_status cf_field_pixels(int64_t *out, cf_str *fault, const cf_json *node, const char *field, int64_t min,
                          cf_error *err)
{
    cf_status st = CF_OK;
    cf_str found = {0};
    int64_t v = 0;
    const bool whole = cf_json_i64(&v, node);
    CF_TRY(cf_json_describe(&found, node, err));
    CF_TRY(cf_fault_pixels(out, fault, field, whole, v, min, cf_str_slice(&found), err));
done:
    cf_str_deinit(&found);
    return st;
}

cf_status cf_field_box(cf_object *o, cf_str *fault, const cf_json *const xywh[4], const char *field, cf_error *err)
{
    static const char names[] = "xywh";
    static const int64_t min[] = {-CF_MAX_PIXELS, -CF_MAX_PIXELS, 0, 0};
    int64_t *const to[] = {&o->x, &o->y, &o->w, &o->h};
    cf_status st = CF_OK;
    cf_str label = {0};
    for (int i = 0; i < 4; i++) {
        cf_str_clear(&label);
        CF_TRY(cf_str_addf(&label, err, "%s.%c", field, names[i]));
        CF_TRY(cf_field_pixels(to[i], fault, xywh[i], label.data, min[i], err));
    }
    o->has_box = fault->n == 0;
done:
    cf_str_deinit(&label);
    return st;
}
