/* plan.c - builds the prefix tree of one sample; see plan.h.
 *
 * Invariants
 * (1) edges of the plan are distinct, so "the same action" is "the same edge index".
 * (2) nodes are made layer by layer, so a parent stands before its children and a layer's nodes stand together.
 * (3) a node exists only if its state can differ from the baseline's. */
#include "knockout/plan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static bool same_heads(const uint64_t *a, const uint64_t *b, size_t n_words)
{
    return a && b ? memcmp(a, b, n_words * sizeof *a) == 0 : a == b;
}

/* Index of an edge in the plan, added if new. */
static cf_status add_edge(int32_t *out, cf_plan *p, const cf_edge_run *r, cf_error *err)
{
    for (size_t i = 0; i < p->n_edges; i++) {
        const cf_edge *e = &p->edges[i];
        if (cf_spans_equal(&e->query, r->query) && cf_spans_equal(&e->key, r->key) &&
            same_heads(e->heads, r->heads, r->n_head_words)) {
            *out = (int32_t)i;
            return CF_OK;
        }
    }
    cf_status st = CF_OK;
    cf_edge e = {0};
    void *edges = p->edges, *heads = NULL;
    CF_TRY(cf_spans_copy(&e.query, r->query, err));
    CF_TRY(cf_spans_copy(&e.key, r->key, err));
    if (r->heads) {
        CF_TRY(cf_alloc(&heads, r->n_head_words, sizeof *e.heads, "a head set", err));
        e.heads = memcpy(heads, r->heads, r->n_head_words * sizeof *e.heads);
        heads = NULL;
    }
    CF_TRY(cf_grow(&edges, &p->cap_edges, p->n_edges + 1, sizeof *p->edges, "edges", err));
    p->edges = edges;
    *out = (int32_t)p->n_edges;
    p->edges[p->n_edges++] = e;
    e = (cf_edge){0};
done:
    cf_spans_deinit(&e.query);
    cf_spans_deinit(&e.key);
    free(e.heads);
    free(heads);
    return st;
}

/* The queries of an edge that see at least one of its keys, below position `end`: those at or after the first key. */
static cf_status seeing_queries(cf_spans *out, const cf_edge *e, int32_t end, cf_error *err)
{
    cf_status st = CF_OK;
    const int32_t first_key = e->key.items[0].begin;
    for (size_t i = 0; i < e->query.n; i++) {
        const int32_t begin = e->query.items[i].begin > first_key ? e->query.items[i].begin : first_key;
        CF_TRY(cf_spans_add(out, begin, e->query.items[i].end < end ? e->query.items[i].end : end, err));
    }
done:
    return st;
}

/* Whether some query of the edge loses every key it could see: then its keys begin at 0 and one span reaches past a
 * query. */
static bool cuts_a_query_fully(const cf_edge *e)
{
    const cf_span first = e->key.items[0];
    for (size_t i = 0; first.begin == 0 && i < e->query.n; i++)
        if (e->query.items[i].begin < first.end)
            return true;
    return false;
}

static cf_run_status classify(const cf_edge_run *r, int32_t length)
{
    if (r->query->n == 0 || r->key->n == 0 || r->window.first >= r->window.last)
        return CF_RUN_EMPTY_GROUP;
    const int32_t last_query = r->query->items[r->query->n - 1].end - 1;
    assert(last_query < length && r->key->items[r->key->n - 1].end <= length);
    (void)length;
    if (r->key->items[0].begin > last_query)
        return CF_RUN_NO_VISIBLE_EDGE;
    const cf_edge e = {*r->query, *r->key, NULL};
    return cuts_a_query_fully(&e) ? CF_RUN_FULLY_CUT : CF_RUN_PLANNED;
}

/* The child of `parent` at `layer` with the given action, made if new; CF_BASELINE where nothing has been cut yet. */
static cf_status step(int32_t *out, cf_plan *p, int32_t layer, int32_t parent, int32_t edge, cf_error *err)
{
    if (parent == CF_BASELINE && edge < 0) {
        *out = CF_BASELINE;
        return CF_OK;
    }
    for (size_t i = (size_t)p->layer_begin[layer]; i < p->n_nodes; i++)
        if (p->nodes[i].parent == parent && p->nodes[i].edge == edge) {
            *out = (int32_t)i;
            return CF_OK;
        }
    cf_status st = CF_OK;
    const int32_t from = parent == CF_BASELINE ? p->length : p->nodes[parent].restart;
    cf_node node = {.layer = layer, .parent = parent, .edge = edge, .restart = from};
    void *nodes = p->nodes;
    if (edge >= 0)
        CF_TRY(seeing_queries(&node.fresh, &p->edges[edge], from, err));
    if (node.fresh.n)
        node.restart = node.fresh.items[0].begin;
    CF_TRY(cf_grow(&nodes, &p->cap_nodes, p->n_nodes + 1, sizeof *p->nodes, "plan nodes", err));
    p->nodes = nodes;
    *out = (int32_t)p->n_nodes;
    p->nodes[p->n_nodes++] = node;
    node = (cf_node){0};
    if (p->nodes[*out].restart < p->lowest)
        p->lowest = p->nodes[*out].restart;
done:
    cf_spans_deinit(&node.fresh);
    return st;
}

cf_status cf_plan_create_edges(cf_plan **out, const cf_edge_run *runs, size_t n_runs, int32_t length, int32_t n_layers,
                               cf_error *err)
{
    cf_status st = CF_OK;
    void *planned = NULL, *begins = NULL, *edge_of = NULL;
    cf_plan *p = calloc(1, sizeof *p);
    if (!p)
        return cf_fail(err, CF_NOMEM, "no memory for a plan");
    *p = (cf_plan){.n_layers = n_layers, .length = length, .n_runs = n_runs, .lowest = length};
    CF_TRY(cf_alloc(&planned, n_runs, sizeof *p->runs, "planned runs", err));
    p->runs = planned;
    CF_TRY(cf_alloc(&begins, (size_t)n_layers + 1, sizeof *p->layer_begin, "plan layers", err));
    p->layer_begin = begins;
    CF_TRY(cf_alloc(&edge_of, n_runs, sizeof(int32_t), "edges of runs", err));
    int32_t *edge = edge_of;
    for (size_t i = 0; i < n_runs; i++) {
        p->runs[i] = (cf_planned_run){classify(&runs[i], length), CF_BASELINE};
        if (p->runs[i].status == CF_RUN_PLANNED)
            CF_TRY(add_edge(&edge[i], p, &runs[i], err));
    }
    for (int32_t layer = 0; layer < n_layers; layer++) {
        p->layer_begin[layer] = (int32_t)p->n_nodes;
        for (size_t i = 0; i < n_runs; i++)
            if (p->runs[i].status == CF_RUN_PLANNED) {
                const bool open = layer >= runs[i].window.first && layer < runs[i].window.last;
                CF_TRY(step(&p->runs[i].leaf, p, layer, p->runs[i].leaf, open ? edge[i] : -1, err));
            }
    }
    p->layer_begin[n_layers] = (int32_t)p->n_nodes;
    *out = p;
    p = NULL;
done:
    free(edge_of);
    cf_plan_free(p);
    return st;
}

cf_status cf_plan_create(cf_plan **out, const cf_run_spec *specs, size_t n_specs, const cf_groups *groups,
                         int32_t n_layers, cf_error *err)
{
    void *memory = NULL;
    cf_status st = cf_alloc(&memory, n_specs, sizeof(cf_edge_run), "edges of runs", err);
    if (st != CF_OK)
        return st;
    cf_edge_run *runs = memory;
    for (size_t i = 0; i < n_specs; i++)
        runs[i] = (cf_edge_run){&groups->of[specs[i].flow.target], &groups->of[specs[i].flow.source], NULL, 0,
                                specs[i].window};
    st = cf_plan_create_edges(out, runs, n_specs, groups->length, n_layers, err);
    free(memory);
    return st;
}

void cf_plan_free(cf_plan *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->n_edges; i++) {
        cf_spans_deinit(&p->edges[i].query);
        cf_spans_deinit(&p->edges[i].key);
        free(p->edges[i].heads);
    }
    for (size_t i = 0; i < p->n_nodes; i++)
        cf_spans_deinit(&p->nodes[i].fresh);
    free(p->edges);
    free(p->nodes);
    free(p->layer_begin);
    free(p->runs);
    free(p);
}

int64_t cf_plan_row_layers(const cf_plan *p)
{
    int64_t n = 0;
    for (size_t i = 0; i < p->n_nodes; i++) {
        const cf_node *node = &p->nodes[i];
        n += cf_spans_count(&node->fresh);
        if (node->parent != CF_BASELINE)
            n += p->length - p->nodes[node->parent].restart;
    }
    return n;
}
