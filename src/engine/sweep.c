/* sweep.c - walks a plan's tree layer by layer.
 *
 * All nodes of a layer are stacked into one matrix, in two zones: first the fresh rows of every node (they ask, but
 * their keys and values are the baseline's), then every node's own rows [restart of its parent, T) (they also get keys
 * and values, which live for this layer only). Each linear operation is done once over the stack.
 *
 * Two matrices take turns. `source` holds the baseline's inputs of this layer for positions keep_from .. T-1 in its
 * first rows, then the outputs of the layer before; one gather by index builds the other's rows, in which the layer
 * then computes in place; so that one becomes the source of the next layer.
 *
 * Invariants
 * (1) A row of a node at layer m comes from its parent's output where the parent computed it, else from the baseline:
 *     by causality it is the same.
 * (2) Nothing here writes to the baseline's keys, values or kept inputs.
 * (3) Which rows stand together is decided by the plan alone; where products are row-invariant, results do not depend
 *     on it. */
#include "engine/sweep_internal.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "engine/pass.h"

/* First position with rows of its own at this node's layer; length where there is none. */
static int32_t own_begin_of(const cf_plan *p, const cf_node *node)
{
    return node->parent == CF_BASELINE ? p->length : p->nodes[node->parent].restart;
}

/* Whether a fresh row is computed: in the last layer only the scored positions are. */
static bool is_computed(const cf_walk *w, int32_t layer, int32_t p)
{
    return !cf_walk_is_final(w, layer) || p >= w->first_scored;
}

int32_t cf_walk_fresh_index(const cf_node *node, int32_t p)
{
    int32_t before = 0;
    for (size_t i = 0; i < node->fresh.n; i++) {
        const cf_span f = node->fresh.items[i];
        if (p >= f.begin && p < f.end)
            return before + p - f.begin;
        before += f.end - f.begin;
    }
    return -1;
}

/* Row of the source matrix that holds the input of node's layer at position p. */
static int32_t source_row(const cf_walk *w, const cf_node *node, int32_t p)
{
    if (node->parent != CF_BASELINE) {
        const cf_place *at = &w->places[node->parent];
        if (at->n_own && p >= at->own_begin)
            return w->n_base + at->own_row + p - at->own_begin;
        const int32_t fresh = cf_walk_fresh_index(&w->plan->nodes[node->parent], p);
        if (fresh >= 0)
            return w->n_base + at->fresh_row + fresh;
    }
    return p - w->s->keep_from;
}

static void add_row(cf_walk *w, const cf_node *node, int32_t p)
{
    w->from[w->n_rows] = source_row(w, node, p);
    w->pos[w->n_rows++] = p;
}

/* Stacks the fresh rows of a layer's nodes. */
static void stack_fresh(cf_walk *w, int32_t layer)
{
    for (int32_t i = w->plan->layer_begin[layer]; i < w->plan->layer_begin[layer + 1]; i++) {
        const cf_node *node = &w->plan->nodes[i];
        w->places[i] = (cf_place){.fresh_row = w->n_rows};
        for (size_t f = 0; f < node->fresh.n; f++)
            for (int32_t p = node->fresh.items[f].begin; p < node->fresh.items[f].end; p++)
                if (is_computed(w, layer, p))
                    add_row(w, node, p);
        w->places[i].n_fresh = w->n_rows - w->places[i].fresh_row;
    }
}

/* Stacks the own rows of a layer's nodes. */
static void stack_own(cf_walk *w, int32_t layer)
{
    for (int32_t i = w->plan->layer_begin[layer]; i < w->plan->layer_begin[layer + 1]; i++) {
        const cf_node *node = &w->plan->nodes[i];
        cf_place *at = &w->places[i];
        at->own_row = w->n_rows;
        at->own_begin = own_begin_of(w->plan, node);
        at->n_own = w->plan->length - at->own_begin;
        for (int32_t p = at->own_begin; p < w->plan->length; p++)
            add_row(w, node, p);
    }
}

/* Notes which asking rows lie at places that a sublayer adds nothing to. */
static void add_zeroed(int32_t *rows, int64_t *n, const cf_spans *places, int32_t q_row, int32_t n_q,
                       const int32_t *q_pos)
{
    for (int32_t i = 0; places->n && i < n_q; i++)
        if (cf_spans_contain(places, q_pos[i]))
            rows[(*n)++] = q_row + i;
}

/* A segment of a node's asking rows, the first of them at ask row q_row. own: they see the node's own keys beside the
 * baseline's. */
static void add_segment(cf_walk *w, int32_t node_index, int32_t q_row, int32_t n_q, const int32_t *q_pos, bool own)
{
    const cf_node *node = &w->plan->nodes[node_index];
    const cf_place *at = &w->places[node_index];
    if (n_q == 0)
        return;
    cf_attn_segment *g = &w->segments[w->n_segments++];
    *g = (cf_attn_segment){.q_row = q_row, .n_q = n_q, .q_pos = q_pos, .own_begin = at->own_begin};
    g->n_keys = at->own_begin; /* a fresh row lies below the own rows, and sees none of them */
    if (own) {
        g->own_row = at->own_row - w->own_zone;
        g->n_own = at->n_own;
        g->n_keys = w->plan->length;
    }
    if (node->action < 0)
        return;
    const cf_action *action = &w->plan->actions[node->action];
    g->cuts = w->cuts + w->cuts_of[node->action];
    g->n_cuts = (int64_t)action->n_edges;
    add_zeroed(w->zero_attention, &w->n_zero_attention, &action->zero_attention, q_row, n_q, q_pos);
    add_zeroed(w->zero_mlp, &w->n_zero_mlp, &action->zero_mlp, q_row, n_q, q_pos);
}

/* All rows of the stack ask. */
static void ask_all(cf_walk *w, int32_t layer)
{
    for (int32_t i = w->plan->layer_begin[layer]; i < w->plan->layer_begin[layer + 1]; i++)
        add_segment(w, i, w->places[i].fresh_row, w->places[i].n_fresh, w->pos + w->places[i].fresh_row, false);
    for (int32_t i = w->plan->layer_begin[layer]; i < w->plan->layer_begin[layer + 1]; i++)
        add_segment(w, i, w->places[i].own_row, w->places[i].n_own, w->pos + w->places[i].own_row, true);
    w->n_ask = w->n_rows;
}

/* Rows of a stack, the first at `row` for the position at pos[row], ask where their position is scored. */
static void ask_rows(cf_walk *w, int32_t node_index, int32_t row, int32_t n, bool own)
{
    const int32_t first = w->n_ask, node = node_index - w->plan->layer_begin[w->plan->n_layers - 1];
    for (int32_t i = row; i < row + n; i++) {
        if (w->pos[i] < w->first_scored)
            continue;
        w->score_row[node * cf_walk_n_scored(w) + w->pos[i] - w->first_scored] = w->n_ask;
        w->ask[w->n_ask] = i;
        w->ask_pos[w->n_ask++] = w->pos[i];
    }
    add_segment(w, node_index, first, w->n_ask - first, w->ask_pos + first, own);
}

/* Only the scored positions of each node ask. */
static void ask_scored(cf_walk *w, int32_t layer)
{
    const int32_t begin = w->plan->layer_begin[layer], end = w->plan->layer_begin[layer + 1];
    for (int32_t i = 0; i < (end - begin) * cf_walk_n_scored(w); i++)
        w->score_row[i] = -1;
    w->n_ask = 0;
    for (int32_t i = begin; i < end; i++)
        ask_rows(w, i, w->places[i].fresh_row, w->places[i].n_fresh, false);
    for (int32_t i = begin; i < end; i++)
        ask_rows(w, i, w->places[i].own_row, w->places[i].n_own, true);
}

/* The most nodes that any layer has. */
static int64_t most_nodes(const cf_plan *p)
{
    int32_t most = 0;
    for (int32_t l = 0; l < p->n_layers; l++)
        if (p->layer_begin[l + 1] - p->layer_begin[l] > most)
            most = p->layer_begin[l + 1] - p->layer_begin[l];
    return most;
}

/* The most rows of one layer that lie at zeroed places: all of them, where anything is zeroed at all. */
static int64_t most_zeroed(const cf_plan *p, int64_t rows)
{
    for (size_t a = 0; a < p->n_actions; a++)
        if (p->actions[a].zero_attention.n || p->actions[a].zero_mlp.n)
            return rows;
    return 0;
}

static cf_status lay_out_cuts(cf_walk *w, cf_error *err)
{
    const cf_plan *p = w->plan;
    size_t n = 0, at = 0;
    cf_status st = CF_OK;
    void *m = NULL;
    for (size_t a = 0; a < p->n_actions; a++)
        n += p->actions[a].n_edges;
    CF_TRY(cf_alloc(&m, n, sizeof *w->cuts, "the sweep's cuts", err));
    w->cuts = m;
    CF_TRY(cf_alloc(&m, p->n_actions, sizeof *w->cuts_of, "the sweep's actions", err));
    w->cuts_of = m;
    for (size_t a = 0; a < p->n_actions; a++) {
        w->cuts_of[a] = at;
        for (size_t i = 0; i < p->actions[a].n_edges; i++) {
            const cf_edge *e = &p->edges[p->actions[a].edges[i]];
            w->cuts[at++] = (cf_cut){&e->query, &e->key, e->heads};
        }
    }
done:
    return st;
}

static cf_status open_walk(cf_walk *w, cf_error *err)
{
    cf_status st = CF_OK;
    void *m = NULL;
    const int64_t rows = cf_plan_most_rows(w->plan), nodes = most_nodes(w->plan);
    const int64_t d = cf_model_config(w->s->model)->text.hidden_size, n_scored = cf_walk_n_scored(w);
    const int64_t zeroed = most_zeroed(w->plan, rows);
    for (int i = 0; i < 2; i++)
        CF_TRY(cf_session_room(w->s, &w->s->sweep_rows[i], w->n_base + rows, d, err));
    CF_TRY(cf_scratch_reserve(w->s->scratch, rows, err));
    if (zeroed)
        CF_TRY(cf_scratch_reserve_zeroed(w->s->scratch, zeroed, err));
    CF_TRY(cf_alloc(&m, w->plan->n_nodes, sizeof *w->places, "the sweep's nodes", err));
    w->places = m;
    CF_TRY(lay_out_cuts(w, err));
    CF_TRY(cf_alloc(&m, (size_t)(2 * nodes), sizeof *w->segments, "the sweep's segments", err));
    w->segments = m;
    CF_TRY(cf_alloc(&m, (size_t)(4 * rows + 2 * zeroed + nodes * n_scored), sizeof *w->from, "the sweep's rows", err));
    w->from = m;
    w->pos = w->from + rows;
    w->ask = w->pos + rows;
    w->ask_pos = w->ask + rows;
    w->zero_attention = w->ask_pos + rows;
    w->zero_mlp = w->zero_attention + zeroed;
    w->score_row = w->zero_mlp + zeroed;
done:
    return st;
}

static void close_walk(cf_walk *w)
{
    free(w->places);
    free(w->cuts);
    free(w->cuts_of);
    free(w->segments);
    free(w->from);
}

/* The baseline's inputs of a layer, of the prompt's kept positions and the forced ones, as the first rows of source. */
static cf_status lay_base(const cf_walk *w, int32_t layer, cf_tensor *source, cf_error *err)
{
    const int32_t n_prompt = w->n_base - w->s->n_forced;
    const cf_tensor kept = cf_session_kept(w->s, layer);
    cf_tensor prompt = cf_tensor_rows(source, 0, n_prompt);
    cf_status st = cf_gather(w->s->be, &prompt, &kept, NULL, err);
    if (st == CF_OK && w->s->n_forced) {
        const cf_tensor forced = cf_session_kept_forced(w->s, layer);
        cf_tensor after = cf_tensor_rows(source, n_prompt, w->n_base);
        st = cf_gather(w->s->be, &after, &forced, NULL, err);
    }
    return st;
}

/* One layer: stack, gather, compute. The output's rows stand in *out. */
static cf_status walk_layer(cf_walk *w, int32_t layer, cf_tensor *out, cf_error *err)
{
    cf_status st = CF_OK;
    cf_tensor *source = &w->s->sweep_rows[layer % 2], *target = &w->s->sweep_rows[(layer + 1) % 2];
    const bool final = cf_walk_is_final(w, layer);
    w->n_rows = 0;
    w->n_segments = w->n_zero_attention = w->n_zero_mlp = 0;
    stack_fresh(w, layer);
    w->own_zone = w->n_rows;
    stack_own(w, layer);
    if (final)
        ask_scored(w, layer);
    else
        ask_all(w, layer);
    if (w->n_ask == 0)
        return CF_OK;
    CF_TRY(lay_base(w, layer, source, err));
    cf_tensor x = cf_tensor_rows(target, w->n_base, w->n_base + w->n_rows);
    CF_TRY(cf_gather(w->s->be, &x, source, w->from, err));
    *out = final ? cf_tensor_rows(source, 0, w->n_ask) : x;
    const cf_layer_batch b = {.pos = w->pos,
                              .kv_begin = w->own_zone,
                              .q_rows = final ? w->ask : NULL,
                              .n_q = w->n_ask,
                              .q_pos = final ? w->ask_pos : w->pos,
                              .kv = w->s->kv,
                              .segments = w->segments,
                              .n_segments = w->n_segments,
                              .zero_attention = w->zero_attention,
                              .n_zero_attention = w->n_zero_attention,
                              .zero_mlp = w->zero_mlp,
                              .n_zero_mlp = w->n_zero_mlp};
    CF_TRY(cf_session_layer(w->s, layer, &b, out, &x, err));
done:
    return st;
}

/* A walk, and what it has reached. */
typedef struct sweep_pass {
    cf_walk walk;
    cf_tensor rows; /* of the layer last computed */
} sweep_pass;

static cf_status open_sweep(sweep_pass *p, const cf_sweep_task *task, cf_error *err)
{
    cf_session *s = task->session;
    const cf_plan *plan = task->plan;
    assert(plan->length == s->length + s->n_forced && (plan->n_nodes == 0 || plan->lowest >= s->keep_from));
    p->walk = (cf_walk){.s = s,
                        .plan = plan,
                        .reader = task->reader,
                        .n_base = plan->length - s->keep_from,
                        .first_scored = s->length - 1};
    return open_walk(&p->walk, err);
}

static cf_status sweep_layer(void *state, int64_t layer, cf_error *err)
{
    sweep_pass *p = state;
    const cf_status st = walk_layer(&p->walk, (int32_t)layer, &p->rows, err);
    if (st != CF_OK || !p->walk.n_ask)
        return st;
    return cf_walk_read_layer(&p->walk, (int32_t)layer, &p->rows, err);
}

cf_status cf_sweeps(const cf_sweep_task *tasks, size_t n, cf_error *err)
{
    cf_status st = CF_OK;
    void *memory = NULL;
    if (n == 0)
        return CF_OK;
    CF_TRY(cf_alloc(&memory, n, sizeof(sweep_pass), "sweeps", err));
    sweep_pass *passes = memory;
    for (size_t i = 0; i < n; i++)
        CF_TRY(open_sweep(&passes[i], &tasks[i], err));
    CF_TRY(cf_passes_walk(passes, n, sizeof *passes, sweep_layer, tasks[0].plan->n_layers, err));
    for (size_t i = 0; i < n; i++)
        CF_TRY(cf_walk_read_runs(&passes[i].walk, &passes[i].rows, err));
done:
    for (size_t i = 0; memory && i < n; i++)
        close_walk(&((sweep_pass *)memory)[i].walk);
    free(memory);
    return st;
}

cf_status cf_sweep(cf_session *s, const cf_plan *plan, const cf_sweep_reader *reader, cf_error *err)
{
    const cf_sweep_task task = {s, plan, reader};
    return cf_sweeps(&task, 1, err);
}
