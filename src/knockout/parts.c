/* parts.c - see parts.h. The draw of random flows is parts_random.c's. */
#include "knockout/parts.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "knockout/parts_internal.h"

void cf_part_deinit(cf_part *part)
{
    cf_spans_deinit(&part->query);
    cf_spans_deinit(&part->key);
    cf_spans_deinit(&part->layers);
    free(part->heads);
    *part = (cf_part){0};
}

void cf_parts_deinit(cf_parts *p)
{
    for (size_t i = 0; i < p->n; i++)
        cf_part_deinit(&p->items[i]);
    free(p->items);
    *p = (cf_parts){0};
}

cf_status cf_parts_add(cf_parts *p, cf_part *part, cf_error *err)
{
    void *items = p->items;
    const cf_status st = cf_grow(&items, &p->cap, p->n + 1, sizeof *p->items, "parts of a flow", err);
    if (st != CF_OK)
        return st;
    p->items = items;
    p->items[p->n++] = *part;
    *part = (cf_part){0};
    return CF_OK;
}

cf_status cf_part_take_limits(cf_part *part, const cf_flow_edge *edge, int32_t n_heads, cf_error *err)
{
    cf_status st = CF_OK;
    void *heads = NULL;
    assert(!edge->each_head);
    CF_TRY(cf_spans_copy(&part->layers, &edge->layers, err));
    if (edge->heads.n) {
        assert(edge->heads.items[edge->heads.n - 1].end <= n_heads);
        part->n_head_words = ((size_t)n_heads + 63) / 64;
        CF_TRY(cf_alloc(&heads, part->n_head_words, sizeof *part->heads, "a head set", err));
        part->heads = heads;
        for (size_t i = 0; i < edge->heads.n; i++)
            for (int32_t h = edge->heads.items[i].begin; h < edge->heads.items[i].end; h++)
                part->heads[h / 64] |= (uint64_t)1 << (h % 64);
    }
done:
    return st;
}

/* ---- what one cf_parts_create works with ---- */

typedef struct maker {
    const cf_flow *flow;
    const cf_scene *scene;
    int32_t n_after, n_heads;
    cf_parts parts;
} maker;

static void free_reaches(cf_reach *r, size_t n)
{
    for (size_t i = 0; r && i < n; i++) {
        cf_spans_deinit(&r[i].query);
        cf_spans_deinit(&r[i].key);
    }
    free(r);
}

static cf_status positions(cf_spans *out, maker *m, const cf_group_expr *group, cf_side side, cf_error *err)
{
    const cf_status st = cf_group_positions(out, group, m->scene, side, m->n_after, err);
    if (st == CF_OK && out->n == 0)
        m->parts.empty_group = true;
    return st;
}

/* Adds a cut, or nothing where a side has no position. edge: where it takes layers and heads from, or NULL. */
static cf_status add_cut(maker *m, const cf_spans *query, const cf_spans *key, const cf_flow_edge *edge, cf_error *err)
{
    cf_status st = CF_OK;
    cf_part part = {.kind = CF_PART_CUT};
    if (query->n == 0 || key->n == 0)
        return CF_OK;
    CF_TRY(cf_spans_copy(&part.query, query, err));
    CF_TRY(cf_spans_copy(&part.key, key, err));
    if (edge)
        CF_TRY(cf_part_take_limits(&part, edge, m->n_heads, err));
    CF_TRY(cf_parts_add(&m->parts, &part, err));
done:
    cf_part_deinit(&part);
    return st;
}

/* ---- cut and random ---- */

static cf_status edges_to_parts(maker *m, const cf_draw *draw, cf_error *err)
{
    cf_status st = CF_OK;
    const cf_flow *flow = m->flow;
    void *memory = NULL;
    cf_reach *reach = NULL;
    CF_TRY(cf_alloc(&memory, flow->n_edges, sizeof *reach, "positions of edges", err));
    reach = memory;
    for (size_t i = 0; i < flow->n_edges; i++) {
        CF_TRY(positions(&reach[i].query, m, &flow->edges[i].target, CF_SIDE_QUERY, err));
        CF_TRY(positions(&reach[i].key, m, &flow->edges[i].source, CF_SIDE_KEY, err));
        if (flow->mode == CF_MODE_CUT)
            CF_TRY(add_cut(m, &reach[i].query, &reach[i].key, &flow->edges[i], err));
    }
    if (flow->mode == CF_MODE_RANDOM)
        CF_TRY(cf_parts_draw(&m->parts, flow, reach, m->scene->groups->length + m->n_after, m->n_heads, draw, err));
done:
    free_reaches(reach, flow->n_edges);
    return st;
}

/* ---- keep ---- */

static cf_status refuse_overlap(const cf_group_expr *a, const cf_group_expr *b, int32_t position, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str names[2] = {{0}};
    CF_TRY(cf_group_expr_print(&names[0], a, err));
    CF_TRY(cf_group_expr_print(&names[1], b, err));
    st = cf_fail(err, CF_MISMATCH,
                 "the groups '%s' and '%s' of a partition share position %d; expected none in two groups",
                 names[0].data, names[1].data, position);
done:
    cf_str_deinit(&names[0]);
    cf_str_deinit(&names[1]);
    return st;
}

static cf_status check_disjoint(const cf_group_expr *groups, const cf_reach *reach, size_t n, cf_error *err)
{
    cf_status st = CF_OK;
    for (size_t a = 0; a < n; a++)
        for (size_t b = a + 1; b < n; b++) {
            cf_spans both = {0};
            st = cf_spans_both(&both, &reach[a].query, &reach[b].query, err);
            if (st == CF_OK && both.n)
                st = refuse_overlap(&groups[a], &groups[b], both.items[0].begin, err);
            cf_spans_deinit(&both);
            if (st != CF_OK)
                return st;
        }
    return st;
}

static bool is_kept(const cf_flow *flow, const cf_group_expr *source, const cf_group_expr *target)
{
    for (size_t i = 0; i < flow->n_edges; i++)
        if (cf_group_expr_equal(&flow->edges[i].source, source) && cf_group_expr_equal(&flow->edges[i].target, target))
            return true;
    return false;
}

static cf_status keep_to_parts(maker *m, const cf_group_expr *groups, size_t n, cf_error *err)
{
    cf_status st = CF_OK;
    void *memory = NULL;
    cf_reach *reach = NULL; /* each group as queries and as keys */
    CF_TRY(cf_alloc(&memory, n, sizeof *reach, "positions of groups", err));
    reach = memory;
    for (size_t i = 0; i < n; i++) {
        CF_TRY(positions(&reach[i].query, m, &groups[i], CF_SIDE_QUERY, err));
        CF_TRY(positions(&reach[i].key, m, &groups[i], CF_SIDE_KEY, err));
    }
    CF_TRY(check_disjoint(groups, reach, n, err));
    for (size_t source = 0; source < n; source++)
        for (size_t target = 0; target < n; target++)
            if (source != target && !is_kept(m->flow, &groups[source], &groups[target]))
                CF_TRY(add_cut(m, &reach[target].query, &reach[source].key, NULL, err));
done:
    free_reaches(reach, n);
    return st;
}

static cf_status keep_in_partition(maker *m, cf_error *err)
{
    cf_term terms[] = {{.kind = CF_TERM_NAMED, .named = CF_GROUP_IMAGE},
                       {.kind = CF_TERM_NAMED, .named = CF_GROUP_QUESTION},
                       {.kind = CF_TERM_NAMED, .named = CF_GROUP_LAST}};
    const cf_group_expr usual[] = {{&terms[0], 1, 1}, {&terms[1], 1, 1}, {&terms[2], 1, 1}};
    return m->flow->n_partition ? keep_to_parts(m, m->flow->partition, m->flow->n_partition, err)
                                : keep_to_parts(m, usual, sizeof usual / sizeof *usual, err);
}

/* ---- zero ---- */

static cf_status places_to_parts(maker *m, cf_part_kind kind, cf_error *err)
{
    cf_status st = CF_OK;
    cf_part part = {0};
    for (size_t i = 0; i < m->flow->n_edges; i++) {
        part.kind = kind;
        CF_TRY(positions(&part.query, m, &m->flow->edges[i].target, CF_SIDE_QUERY, err));
        CF_TRY(cf_spans_copy(&part.layers, &m->flow->edges[i].layers, err));
        if (part.query.n)
            CF_TRY(cf_parts_add(&m->parts, &part, err));
        cf_part_deinit(&part);
    }
done:
    cf_part_deinit(&part);
    return st;
}

cf_status cf_parts_create(cf_parts *out, const cf_flow *flow, const cf_scene *scene, int32_t n_after, int32_t n_heads,
                          const cf_draw *draw, cf_error *err)
{
    cf_status st = CF_OK;
    maker m = {.flow = flow, .scene = scene, .n_after = n_after, .n_heads = n_heads};
    switch (flow->mode) {
    case CF_MODE_CUT:
    case CF_MODE_RANDOM:
        CF_TRY(edges_to_parts(&m, draw, err));
        break;
    case CF_MODE_KEEP:
        CF_TRY(keep_in_partition(&m, err));
        break;
    case CF_MODE_ZERO_ATTENTION:
        CF_TRY(places_to_parts(&m, CF_PART_ZERO_ATTENTION, err));
        break;
    case CF_MODE_ZERO_MLP:
        CF_TRY(places_to_parts(&m, CF_PART_ZERO_MLP, err));
        break;
    case CF_N_MODES:
        break; /* no mode */
    }
    *out = m.parts;
    m.parts = (cf_parts){0};
done:
    cf_parts_deinit(&m.parts);
    return st;
}
