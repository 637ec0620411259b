/* map.c - see map.h. The cells are read back from the flows' own texts, by the grammar that wrote them. */
#include "store/map.h"

#include <stdlib.h>
#include <string.h>

#include "knockout/flow.h"

static const char *const kind_names[CF_N_MAP_KINDS] = {
    [CF_MAP_PATCHES] = "patches", [CF_MAP_HEADS] = "heads", [CF_MAP_TOKENS] = "tokens"};

const char *cf_map_kind_name(cf_map_kind k)
{
    return kind_names[k];
}

void cf_map_deinit(cf_map *m)
{
    free(m->to);
    free(m->flow);
    *m = (cf_map){0};
}

/* *out (NULL before) = the value of a fact that this kind of map has. */
static cf_status read_fact(char **out, cf_store *s, const char *key, cf_error *err)
{
    cf_str value = {0};
    bool found = false;
    cf_status st = cf_store_fact(s, key, &value, &found, err);
    if (st == CF_OK && !found)
        st = cf_fail(err, CF_FORMAT, "%s: expected the fact \"%s\" of a map", cf_store_path(s), key);
    if (st == CF_OK)
        st = cf_strdup(out, cf_str_slice(&value), err);
    cf_str_deinit(&value);
    return st;
}

static cf_status read_kind(cf_map_kind *out, const cf_store *s, cf_slice name, cf_error *err)
{
    for (int k = 0; k < CF_N_MAP_KINDS; k++)
        if (cf_slice_is(name, kind_names[k])) {
            *out = (cf_map_kind)k;
            return CF_OK;
        }
    return cf_fail(err, CF_FORMAT, "%s: expected a map of patches, heads or tokens, found \"%.*s\"", cf_store_path(s),
                   (int)(name.n < 40 ? name.n : 40), name.data);
}

static cf_status read_tile(int32_t *out, cf_store *s, cf_error *err)
{
    char *text = NULL;
    int64_t tile = 0;
    cf_status st = read_fact(&text, s, "map tile", err);
    if (st == CF_OK && (!cf_parse_i64(&tile, cf_slice_of(text)) || tile < 1 || tile > INT32_MAX))
        st = cf_fail(err, CF_FORMAT, "%s: expected a map tile of 1 or more patches, found \"%.40s\"", cf_store_path(s),
                     text);
    if (st == CF_OK)
        *out = (int32_t)tile;
    free(text);
    return st;
}

cf_status cf_store_map(cf_store *s, cf_map *out, bool *found, cf_error *err)
{
    cf_status st = CF_OK;
    cf_map m = {0};
    cf_str kind = {0};
    bool is_map = false;
    CF_TRY(cf_store_fact(s, "map", &kind, &is_map, err));
    *found = is_map;
    if (!is_map)
        goto done;
    CF_TRY(read_kind(&m.kind, s, cf_str_slice(&kind), err));
    if (m.kind == CF_MAP_HEADS) {
        CF_TRY(read_fact(&m.flow, s, "map flow", err));
    } else {
        CF_TRY(read_fact(&m.to, s, "map to", err));
        CF_TRY(read_tile(&m.tile, s, err));
    }
    *out = m;
    m = (cf_map){0};
done:
    cf_str_deinit(&kind);
    cf_map_deinit(&m);
    return st;
}

/* ---- cells ---- */

static bool read_head(cf_map_cell *c, const cf_flow *f)
{
    const cf_spans *heads = &f->edges[0].heads;
    if (heads->n != 1 || heads->items[0].end != heads->items[0].begin + 1)
        return false;
    c->head = heads->items[0].begin;
    return true;
}

static bool read_patches(cf_map_cell *c, const cf_flow *f)
{
    const cf_group_expr *source = &f->edges[0].source;
    if (source->n != 1 || source->terms[0].kind != CF_TERM_PATCH)
        return false;
    const cf_term *t = &source->terms[0];
    c->hd = t->hd;
    c->row = t->rows.begin;
    c->column = t->columns.begin;
    c->n_rows = t->rows.end - t->rows.begin;
    c->n_columns = t->columns.end - t->columns.begin;
    return true;
}

static bool read_token(cf_map_cell *c, const cf_flow *f)
{
    const cf_group_expr *target = &f->edges[0].target;
    if (target->n != 1 || !target->terms[0].indexed || target->terms[0].begin < 0)
        return false;
    c->token = target->terms[0].begin;
    return true;
}

cf_status cf_map_cell_of(cf_map_cell *out, const cf_map *m, const char *spec, cf_error *err)
{
    cf_map_cell c = {.row = -1, .column = -1, .head = -1, .token = -1};
    cf_flow f = {0};
    cf_error unread = {0};
    bool known = cf_flow_parse(&f, cf_slice_of(spec), &unread) == CF_OK && f.mode == CF_MODE_CUT;
    if (known && m->kind == CF_MAP_HEADS)
        known = read_head(&c, &f);
    else if (known)
        known = read_patches(&c, &f) && (m->kind != CF_MAP_TOKENS || read_token(&c, &f));
    cf_flow_deinit(&f);
    if (!known)
        return cf_fail(err, CF_FORMAT, "\"%.80s\" is no flow of a map of %s", spec, cf_map_kind_name(m->kind));
    *out = c;
    return CF_OK;
}
