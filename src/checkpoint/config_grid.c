/* config_grid.c - image_grid_pinpoints: the resolutions among which an anyres picture finds its best fit. */
#include <stdlib.h>
#include <string.h>

#include "checkpoint/config_parts.h"

static const char key[] = "image_grid_pinpoints";

static cf_status add(cf_config *c, const cf_section *root, int64_t a, int64_t b, cf_grid_order order, cf_error *err)
{
    const int64_t side = c->vision.image_size, most = side * CF_MAX_GRID;
    const int64_t height = order == CF_GRID_HEIGHT_WIDTH ? a : b, width = order == CF_GRID_HEIGHT_WIDTH ? b : a;
    if (height < 1 || width < 1 || height > most || width > most || height % side != 0 || width % side != 0)
        return cf_fail(
            err, CF_FORMAT,
            "%s: %s: expected multiples of the vision tower's image_size %lld, found %lld x %lld as entry %d",
            root->where, key, (long long)side, (long long)a, (long long)b, c->n_grid);
    if (c->n_grid == CF_MAX_GRID)
        return cf_fail(err, CF_UNSUPPORTED, "%s: %s: more than %d resolutions are not supported", root->where, key,
                       CF_MAX_GRID);
    c->grid[c->n_grid++] = (cf_resolution){(int32_t)height, (int32_t)width};
    return CF_OK;
}

static cf_status read_list(cf_config *c, const cf_section *root, const cf_json *list, cf_grid_order order,
                           cf_error *err)
{
    for (const cf_json *pair = cf_json_first(list); pair; pair = cf_json_next(pair)) {
        int64_t a = 0, b = 0;
        const cf_json *first = cf_json_first(pair);
        if (cf_json_kind_of(pair) != CF_JSON_ARRAY || cf_json_count(pair) != 2 || !cf_json_i64(&a, first) ||
            !cf_json_i64(&b, cf_json_next(first)))
            return cf_fail(err, CF_FORMAT, "%s: %s: expected pairs of integers, entry %d is none", root->where, key,
                           c->n_grid);
        const cf_status st = add(c, root, a, b, order, err);
        if (st != CF_OK)
            return st;
    }
    return CF_OK;
}

/* Past white space; true where the next character is one of `any`, which is passed over too. */
static bool take(const char **at, const char *any)
{
    *at += strspn(*at, " \t\r\n");
    if (**at == '\0' || !strchr(any, **at))
        return false;
    (*at)++;
    return true;
}

static bool take_number(int64_t *out, const char **at)
{
    *at += strspn(*at, " \t\r\n");
    const size_t n = strspn(*at, "0123456789");
    const bool is = cf_parse_i64(out, (cf_slice){*at, n});
    *at += n;
    return is;
}

/* "[(336, 672), (672, 336)]": what a command line left in the file; LLaVA reads it with ast.literal_eval. */
static cf_status read_text(cf_config *c, const cf_section *root, const char *text, cf_grid_order order, cf_error *err)
{
    const char *at = text;
    bool more = true, good = take(&at, "[(");
    while (good && more) {
        int64_t a = 0, b = 0;
        good = take(&at, "[(") && take_number(&a, &at) && take(&at, ",") && take_number(&b, &at) && take(&at, "])");
        if (good) {
            const cf_status st = add(c, root, a, b, order, err);
            if (st != CF_OK)
                return st;
        }
        more = take(&at, ",");
    }
    good = good && take(&at, "])");
    at += strspn(at, " \t\r\n");
    return good && *at == '\0' ? CF_OK : cf_field_fail(err, root, key, "a list of (width, height) pairs");
}

/* LlavaNextConfig.__post_init__ */
static cf_status add_defaults(cf_config *c, const cf_section *root, cf_error *err)
{
    static const cf_resolution defaults[] = {{336, 672}, {672, 336}, {672, 672}, {1008, 336}, {336, 1008}};
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++) {
        const cf_status st = add(c, root, defaults[i].height, defaults[i].width, CF_GRID_HEIGHT_WIDTH, err);
        if (st != CF_OK)
            return st;
    }
    return CF_OK;
}

cf_status cf_config_read_grid(cf_config *c, const cf_section *root, cf_grid_order order, cf_error *err)
{
    const cf_json *v = cf_json_get(root->object, key);
    const bool of_llava = order == CF_GRID_WIDTH_HEIGHT;
    if (!of_llava && !cf_field_present(root, key))
        return add_defaults(c, root, err);
    if (of_llava && cf_json_string(v))
        return read_text(c, root, cf_json_string(v), order, err);
    if (cf_json_kind_of(v) != CF_JSON_ARRAY || !cf_json_first(v))
        return cf_field_fail(err, root, key, "a list of resolutions that is not empty");
    return read_list(c, root, v, order, err);
}
