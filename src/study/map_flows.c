/* map_flows.c - see map_flows.h. */
#include "study/map_flows.h"

#include "knockout/flow.h"

/* ---- what the pictures need ---- */

static void widen(cf_map_grid *g, int32_t rows, int32_t columns)
{
    g->rows = rows > g->rows ? rows : g->rows;
    g->columns = columns > g->columns ? columns : g->columns;
}

void cf_map_extent_add(cf_map_extent *e, const cf_tile_grid *g)
{
    widen(&e->base, g->patch_rows, g->patch_cols);
    if (g->n_rows > 0 && g->n_cols > 0) /* extreme shapes keep no patch */
        widen(&e->hd, g->n_rows, g->n_cols);
}

cf_status cf_map_extent_print(cf_str *out, const cf_map_extent *e, cf_error *err)
{
    cf_status st = cf_str_addf(out, err, "base %dx%d", e->base.rows, e->base.columns);
    if (st == CF_OK && e->hd.rows)
        st = cf_str_addf(out, err, ", hd %dx%d", e->hd.rows, e->hd.columns);
    return st;
}

/* ---- canonical form ---- */

static cf_status canonical_group(cf_str *out, const cf_map_options *m, cf_error *err)
{
    cf_status st = CF_OK;
    cf_group_expr to = {0};
    if (m->tile < 1)
        return cf_fail(err, CF_USAGE, "--tile %d: expected 1 or more patches", m->tile);
    CF_TRY(cf_group_expr_parse(&to, cf_slice_of(m->to), err));
    if (m->kind == CF_MAP_TOKENS && (to.n != 1 || to.terms[0].kind != CF_TERM_NAMED || to.terms[0].indexed)) {
        st =
            cf_fail(err, CF_USAGE, "--to %s: expected the name of one group, whose tokens are taken one by one", m->to);
        goto done;
    }
    CF_TRY(cf_group_expr_print(out, &to, err));
done:
    cf_group_expr_deinit(&to);
    return st;
}

static bool has_limits(const cf_flow *f)
{
    bool has = false;
    for (size_t i = 0; i < f->n_edges; i++)
        has = has || f->edges[i].layers.n || f->edges[i].heads.n || f->edges[i].each_head;
    return has;
}

static cf_status canonical_flow(cf_str *out, const cf_map_options *m, cf_error *err)
{
    cf_status st = CF_OK;
    cf_flow f = {0};
    CF_TRY(cf_flow_parse(&f, cf_slice_of(m->flow), err));
    if (f.mode != CF_MODE_CUT || has_limits(&f))
        st = cf_fail(err, CF_USAGE, "--flow %s: expected edges that are cut, without layers or heads of their own",
                     m->flow);
    else
        st = cf_flow_print(out, &f, err);
done:
    cf_flow_deinit(&f);
    return st;
}

cf_status cf_map_canonical(cf_str *out, const cf_map_options *m, cf_error *err)
{
    return m->kind == CF_MAP_HEADS ? canonical_flow(out, m, err) : canonical_group(out, m, err);
}

/* ---- flows ---- */

/* Every edge of the flow in each head. */
static cf_status add_heads(cf_str *out, const cf_map_options *m, cf_error *err)
{
    cf_flow f = {0};
    cf_status st = cf_flow_parse(&f, cf_slice_of(m->flow), err);
    for (size_t i = 0; st == CF_OK && i < f.n_edges; i++)
        f.edges[i].each_head = true;
    if (st == CF_OK)
        st = cf_flow_print(out, &f, err);
    cf_flow_deinit(&f);
    return st;
}

static cf_status add_range(cf_str *out, int32_t begin, int32_t end, cf_error *err)
{
    return end == begin + 1 ? cf_str_addf(out, err, "%d", begin) : cf_str_addf(out, err, "%d:%d", begin, end);
}

/* What stands behind each cell's patches. */
typedef struct target {
    const char *to;
    int32_t token; /* -1: the whole group */
    cf_span layers;
} target;

static cf_status add_target(cf_str *out, const target *t, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_str_addf(out, err, "->%s", t->to));
    if (t->token >= 0) {
        CF_TRY(cf_str_addf(out, err, "[%d]@", t->token));
        CF_TRY(add_range(out, t->layers.begin, t->layers.end, err));
    }
done:
    return st;
}

static int32_t least(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

/* Squares side by side; the last ones end where the grid does. */
static cf_status add_grid(cf_str *out, const char *name, cf_map_grid g, int32_t tile, const target *t, cf_error *err)
{
    cf_status st = CF_OK;
    for (int32_t row = 0, row_end; row < g.rows; row = row_end) {
        row_end = row + least(tile, g.rows - row);
        for (int32_t column = 0, column_end; column < g.columns; column = column_end) {
            column_end = column + least(tile, g.columns - column);
            CF_TRY(cf_str_addf(out, err, "%s%s(", out->n ? "," : "", name));
            CF_TRY(add_range(out, row, row_end, err));
            CF_TRY(cf_str_add_text(out, ",", err));
            CF_TRY(add_range(out, column, column_end, err));
            CF_TRY(cf_str_add_text(out, ")", err));
            CF_TRY(add_target(out, t, err));
        }
    }
done:
    return st;
}

cf_status cf_map_flows(cf_str *out, const cf_map_options *m, const cf_map_extent *e, cf_span layers, cf_error *err)
{
    cf_status st = CF_OK;
    if (m->kind == CF_MAP_HEADS)
        return add_heads(out, m, err);
    const bool by_token = m->kind == CF_MAP_TOKENS;
    for (int32_t i = 0; i < (by_token ? e->n_tokens : 1); i++) {
        const target t = {m->to, by_token ? i : -1, layers};
        CF_TRY(add_grid(out, "patch", e->base, m->tile, &t, err));
        CF_TRY(add_grid(out, "hd", e->hd, m->tile, &t, err));
    }
done:
    return st;
}
