/* json.c - see json.h. A cf_json is a cJSON node under another name, so walking costs nothing. */
#include "base/json.h"

#include <cjson/cJSON.h>
#include <math.h>

#include "base/file.h"

static const cJSON *inner(const cf_json *node)
{
    return (const cJSON *)(const void *)node;
}

static const cf_json *outer(const cJSON *node)
{
    return (const cf_json *)(const void *)node;
}

cf_status cf_json_parse(cf_json **out, cf_slice text, const char *where, cf_error *err)
{
    const char *end = NULL;
    cJSON *root = text.n ? cJSON_ParseWithLengthOpts(text.data, text.n, &end, 0) : NULL;
    if (!root) {
        const long long at = end && text.data ? (long long)(end - text.data) : 0;
        return cf_fail(err, CF_FORMAT, "%s: not valid JSON at byte %lld", where, at);
    }
    const cf_slice rest = cf_slice_trim((cf_slice){end, text.n - (size_t)(end - text.data)});
    if (rest.n) {
        cJSON_Delete(root);
        return cf_fail(err, CF_FORMAT, "%s: unexpected text after the JSON value at byte %lld", where,
                       (long long)(rest.data - text.data));
    }
    *out = (cf_json *)(void *)root;
    return CF_OK;
}

cf_status cf_json_open(cf_json **out, const char *path, size_t max_bytes, cf_error *err)
{
    cf_str text = {0};
    cf_status st = cf_file_read(&text, path, max_bytes, err);
    if (st == CF_OK)
        st = cf_json_parse(out, cf_str_slice(&text), path, err);
    cf_str_deinit(&text);
    return st;
}

void cf_json_free(cf_json *root)
{
    cJSON_Delete((cJSON *)(void *)root);
}

cf_json_kind cf_json_kind_of(const cf_json *node)
{
    const cJSON *j = inner(node);
    if (cJSON_IsNull(j))
        return CF_JSON_NULL;
    if (cJSON_IsBool(j))
        return CF_JSON_BOOL;
    if (cJSON_IsNumber(j))
        return CF_JSON_NUMBER;
    if (cJSON_IsString(j))
        return CF_JSON_STRING;
    if (cJSON_IsArray(j))
        return CF_JSON_ARRAY;
    return cJSON_IsObject(j) ? CF_JSON_OBJECT : CF_JSON_ABSENT;
}

const cf_json *cf_json_get(const cf_json *object, const char *name)
{
    return outer(cJSON_GetObjectItemCaseSensitive(inner(object), name));
}

const cf_json *cf_json_first(const cf_json *container)
{
    return container ? outer(inner(container)->child) : NULL;
}

const cf_json *cf_json_next(const cf_json *node)
{
    return node ? outer(inner(node)->next) : NULL;
}

int64_t cf_json_count(const cf_json *container)
{
    return container ? cJSON_GetArraySize(inner(container)) : 0;
}

const char *cf_json_name(const cf_json *member)
{
    return member ? inner(member)->string : NULL;
}

const char *cf_json_string(const cf_json *node)
{
    return cJSON_GetStringValue(inner(node));
}

double cf_json_number(const cf_json *node, double otherwise)
{
    return cJSON_IsNumber(inner(node)) ? inner(node)->valuedouble : otherwise;
}

bool cf_json_bool(const cf_json *node, bool otherwise)
{
    return cJSON_IsBool(inner(node)) ? cJSON_IsTrue(inner(node)) : otherwise;
}

bool cf_json_i64(int64_t *out, const cf_json *node)
{
    const double v = cf_json_number(node, NAN);
    if (!(fabs(v) < 9007199254740992.0) || v != floor(v)) /* from 2^53 on a double stands for several integers */
        return false;
    *out = (int64_t)v;
    return true;
}
