/* plan.c - builds the prefix tree of one sample; see plan.h. What a run does in a layer comes from plan_actions.c.
 *
 * Invariants
 * (1) nodes are made layer by layer, so a parent stands before its children and a layer's nodes stand together.
 * (2) a node exists only if its state can differ from the baseline's. */
#include "knockout/plan.h"

#include <stdlib.h>

#include "base/memory.h"
#include "knockout/index_table.h"
#include "knockout/plan_internal.h"
#include "knockout/splitmix64.h"

/* out = the positions of s below `end`. */
static cf_status below(cf_spans *out, const cf_spans *s, int32_t end, cf_error *err)
{
    cf_status st = CF_OK;
    for (size_t i = 0; i < s->n && s->items[i].begin < end; i++)
        CF_TRY(cf_spans_add(out, s->items[i].begin, s->items[i].end < end ? s->items[i].end : end, err));
done:
    return st;
}

static cf_status add_node(cf_plan *p, cf_node node, const cf_spans *changed, const cf_sight *sight, cf_error *err)
{
    cf_status st = CF_OK;
    void *nodes = p->nodes;
    node.restart = node.parent == CF_BASELINE ? p->length : p->nodes[node.parent].restart;
    if (changed)
        CF_TRY(below(&node.fresh, changed, node.restart, err));
    if (node.fresh.n)
        node.restart = cf_sight_restart_row(sight, node.fresh.items[0].begin);
    CF_TRY(cf_grow(&nodes, &p->cap_nodes, p->n_nodes + 1, sizeof *p->nodes, "plan nodes", err));
    p->nodes = nodes;
    p->nodes[p->n_nodes++] = node;
    if (node.restart < p->lowest)
        p->lowest = node.restart;
    node = (cf_node){0};
done:
    cf_spans_deinit(&node.fresh);
    return st;
}

/* The child of `parent` at `layer` with the given action, made if new; CF_BASELINE where nothing has been done yet.
 * in_layer: the nodes of the layer. */
static cf_status step(int32_t *out, cf_plan *p, cf_index_table *in_layer, int32_t layer, int32_t parent, int32_t action,
                      const cf_run_actions *actions, cf_error *err)
{
    cf_status st = CF_OK;
    *out = CF_BASELINE;
    if (parent == CF_BASELINE && action < 0)
        return CF_OK;
    /* One to one, so that equal hashes are equal pairs. */
    const uint64_t hash = cf_splitmix64_mix((uint64_t)(uint32_t)parent << 32 | (uint32_t)action);
    size_t probe = 0;
    const int32_t found = cf_index_table_find(in_layer, hash, &probe);
    if (found >= 0) {
        *out = p->layer_begin[layer] + found;
        return CF_OK;
    }
    CF_TRY(cf_index_table_add(in_layer, hash, err));
    CF_TRY(add_node(p, (cf_node){.layer = layer, .parent = parent, .action = action},
                    action < 0 ? NULL : &actions->changed[action], actions->sight, err));
    *out = (int32_t)p->n_nodes - 1;
done:
    return st;
}

static cf_status grow_tree(cf_plan *p, const cf_run_actions *actions, cf_error *err)
{
    cf_status st = CF_OK;
    cf_index_table in_layer = {0};
    for (int32_t layer = 0; layer < p->n_layers; layer++) {
        p->layer_begin[layer] = (int32_t)p->n_nodes;
        cf_index_table_clear(&in_layer);
        for (size_t i = 0; i < p->n_runs; i++) {
            const int32_t action = actions->of[i * (size_t)p->n_layers + (size_t)layer];
            CF_TRY(step(&p->runs[i].leaf, p, &in_layer, layer, p->runs[i].leaf, action, actions, err));
        }
    }
    p->layer_begin[p->n_layers] = (int32_t)p->n_nodes;
done:
    cf_index_table_deinit(&in_layer);
    return st;
}

cf_status cf_plan_create(cf_plan **out, const cf_plan_run *runs, size_t n_runs, int32_t length, int32_t n_layers,
                         int32_t n_heads, const cf_sight *sight, cf_error *err)
{
    static const cf_sight causal = {0};
    cf_status st = CF_OK;
    void *planned = NULL, *begins = NULL;
    cf_run_actions actions = {0};
    cf_plan *p = calloc(1, sizeof *p);
    if (!p)
        return cf_fail(err, CF_NOMEM, "no memory for a plan");
    *p = (cf_plan){.n_layers = n_layers, .length = length, .n_runs = n_runs, .lowest = length};
    CF_TRY(cf_alloc(&planned, n_runs, sizeof *p->runs, "planned runs", err));
    p->runs = planned;
    CF_TRY(cf_alloc(&begins, (size_t)n_layers + 1, sizeof *p->layer_begin, "plan layers", err));
    p->layer_begin = begins;
    CF_TRY(cf_run_actions_find(&actions, p, runs, n_heads, sight ? sight : &causal, err));
    CF_TRY(grow_tree(p, &actions, err));
    *out = p;
    p = NULL;
done:
    cf_run_actions_deinit(&actions);
    cf_plan_free(p);
    return st;
}

typedef struct edge_run { /* what a cf_plan_run borrows */
    cf_parts parts;
    cf_part cut;
    cf_span layers;
    cf_spans window;
} edge_run;

cf_status cf_plan_create_edges(cf_plan **out, const cf_edge_run *runs, size_t n_runs, int32_t length, int32_t n_layers,
                               int32_t n_heads, cf_error *err)
{
    cf_status st = CF_OK;
    void *memory = NULL, *planned = NULL;
    CF_TRY(cf_alloc(&memory, n_runs, sizeof(edge_run), "edges of runs", err));
    CF_TRY(cf_alloc(&planned, n_runs, sizeof(cf_plan_run), "edges of runs", err));
    edge_run *edges = memory;
    cf_plan_run *plan_runs = planned;
    for (size_t i = 0; i < n_runs; i++) {
        edge_run *e = &edges[i];
        const bool empty = runs[i].query->n == 0 || runs[i].key->n == 0;
        /* Shared with the caller, and only read: nothing here is deinitialised. */
        e->cut = (cf_part){.query = *runs[i].query,
                           .key = *runs[i].key,
                           .heads = (uint64_t *)runs[i].heads,
                           .n_head_words = runs[i].n_head_words};
        e->parts = (cf_parts){.items = &e->cut, .n = empty ? 0 : 1, .empty_group = empty};
        e->layers = (cf_span){runs[i].window.first, runs[i].window.last};
        e->window = (cf_spans){.items = &e->layers, .n = e->layers.begin < e->layers.end ? 1 : 0};
        plan_runs[i] = (cf_plan_run){&e->parts, &e->window};
    }
    CF_TRY(cf_plan_create(out, plan_runs, n_runs, length, n_layers, n_heads, NULL, err));
done:
    free(memory);
    free(planned);
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
    for (size_t i = 0; i < p->n_actions; i++) {
        free(p->actions[i].edges);
        cf_spans_deinit(&p->actions[i].zero_attention);
        cf_spans_deinit(&p->actions[i].zero_mlp);
    }
    for (size_t i = 0; i < p->n_nodes; i++)
        cf_spans_deinit(&p->nodes[i].fresh);
    free(p->edges);
    free(p->actions);
    free(p->nodes);
    free(p->layer_begin);
    free(p->runs);
    free(p);
}

/* Rows that the sweep computes at a node. */
static int64_t rows_of(const cf_plan *p, const cf_node *node)
{
    const int32_t own_begin = node->parent == CF_BASELINE ? p->length : p->nodes[node->parent].restart;
    return cf_spans_count(&node->fresh) + p->length - own_begin;
}

int64_t cf_plan_row_layers(const cf_plan *p)
{
    int64_t n = 0;
    for (size_t i = 0; i < p->n_nodes; i++)
        n += rows_of(p, &p->nodes[i]);
    return n;
}

int64_t cf_plan_most_rows(const cf_plan *p)
{
    int64_t most = 0;
    for (int32_t l = 0; l < p->n_layers; l++) {
        int64_t rows = 0;
        for (int32_t i = p->layer_begin[l]; i < p->layer_begin[l + 1]; i++)
            rows += rows_of(p, &p->nodes[i]);
        most = rows > most ? rows : most;
    }
    return most;
}
