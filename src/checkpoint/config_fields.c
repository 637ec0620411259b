/* config_fields.c - see config_fields.h. */
#include "checkpoint/config_fields.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const cf_json *value_of(const cf_section *s, const char *key)
{
    const cf_json *v = cf_json_get(s->object, key);
    return cf_json_kind_of(v) == CF_JSON_NULL ? NULL : v;
}

bool cf_field_present(const cf_section *s, const char *key)
{
    return value_of(s, key) != NULL;
}

cf_status cf_field_fail(cf_error *err, const cf_section *s, const char *key, const char *expected)
{
    const cf_json *v = value_of(s, key);
    char number[32];
    const char *found = "nothing", *quote = "";
    switch (cf_json_kind_of(v)) {
    case CF_JSON_NUMBER:
        (void)snprintf(number, sizeof number, "%.15g", cf_json_number(v, 0));
        found = number;
        break;
    case CF_JSON_STRING:
        found = cf_json_string(v);
        quote = "'";
        break;
    case CF_JSON_BOOL:
        found = cf_json_bool(v, false) ? "true" : "false";
        break;
    case CF_JSON_ARRAY:
        found = "a list";
        break;
    case CF_JSON_OBJECT:
        found = "an object";
        break;
    case CF_JSON_NULL:
    case CF_JSON_ABSENT:
        break;
    }
    return cf_fail(err, CF_FORMAT, "%s: %s%s: expected %s, found %s%s%s", s->where, s->name, key, expected, quote,
                   found, quote);
}

cf_status cf_field_i64(int64_t *out, const cf_section *s, const char *key, int64_t fallback, int64_t min, int64_t max,
                       cf_error *err)
{
    int64_t v = fallback;
    if (cf_field_present(s, key) && (!cf_json_i64(&v, value_of(s, key)) || v < min || v > max)) {
        char expected[80];
        (void)snprintf(expected, sizeof expected, "an integer from %" PRId64 " to %" PRId64, min, max);
        return cf_field_fail(err, s, key, expected);
    }
    *out = v;
    return CF_OK;
}

cf_status cf_field_positive(double *out, const cf_section *s, const char *key, double fallback, cf_error *err)
{
    double v = fallback;
    if (cf_field_present(s, key)) {
        v = cf_json_number(value_of(s, key), NAN);
        if (!isfinite(v) || v <= 0)
            return cf_field_fail(err, s, key, "a number greater than 0");
    }
    *out = v;
    return CF_OK;
}

cf_status cf_field_bool(bool *out, const cf_section *s, const char *key, bool fallback, cf_error *err)
{
    const cf_json *v = value_of(s, key);
    if (v && cf_json_kind_of(v) != CF_JSON_BOOL)
        return cf_field_fail(err, s, key, "true or false");
    *out = cf_json_bool(v, fallback);
    return CF_OK;
}

cf_status cf_field_string(const char **out, const cf_section *s, const char *key, const char *fallback, cf_error *err)
{
    const cf_json *v = value_of(s, key);
    if (v && !cf_json_string(v))
        return cf_field_fail(err, s, key, "a string");
    *out = v ? cf_json_string(v) : fallback;
    return CF_OK;
}

cf_status cf_field_required(double *out, const cf_section *s, const char *key, cf_error *err)
{
    if (!cf_field_present(s, key))
        return cf_field_fail(err, s, key, "a number greater than 0");
    return cf_field_positive(out, s, key, 0, err);
}

cf_status cf_field_choice(int *out, const cf_section *s, const char *key, const char *fallback,
                          const char *const *names, int n, cf_error *err)
{
    const char *found = fallback;
    const cf_status st = cf_field_string(&found, s, key, fallback, err);
    if (st != CF_OK)
        return st;
    char list[160];
    size_t used = 0;
    for (int i = 0; i < n; i++) {
        if (strcmp(names[i], found) == 0) {
            *out = i;
            return CF_OK;
        }
        const char *before = i == 0 ? "" : i + 1 == n ? " and " : ", ";
        if (used < sizeof list)
            used += (size_t)snprintf(list + used, sizeof list - used, "%s'%s'", before, names[i]);
    }
    return cf_fail(err, CF_UNSUPPORTED, "%s: %s%s '%s' is not supported, only %s", s->where, s->name, key, found, list);
}

cf_status cf_field_section(cf_section *out, const cf_section *s, const char *key, const char *name, cf_error *err)
{
    const cf_json *v = value_of(s, key);
    if (v && cf_json_kind_of(v) != CF_JSON_OBJECT)
        return cf_field_fail(err, s, key, "an object");
    *out = (cf_section){v, s->where, name};
    return CF_OK;
}
