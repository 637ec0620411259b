/* sweep_stack.c - which rows a layer of the walks has: where each comes from, which of them ask, and what they see.
 *
 * The stack has two zones: first the fresh rows of every node of every walk (they ask, but their keys and values are the
 * baseline's), then every node's own rows [restart of its parent, T) (they also get keys and values, which live for this
 * layer only). */
#include "engine/sweep_internal.h"

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
            return w->rows->n_base + at->own_row + p - at->own_begin;
        const int32_t fresh = cf_walk_fresh_index(&w->plan->nodes[node->parent], p);
        if (fresh >= 0)
            return w->rows->n_base + at->fresh_row + fresh;
    }
    return w->base_row + p - w->s->keep_from;
}

static void add_row(const cf_walk *w, const cf_node *node, int32_t p)
{
    w->rows->from[w->rows->n] = source_row(w, node, p);
    w->rows->pos[w->rows->n++] = p;
}

/* Stacks the fresh rows of a layer's nodes. */
static void stack_fresh(const cf_walk *w, int32_t layer)
{
    for (int32_t i = w->plan->layer_begin[layer]; i < w->plan->layer_begin[layer + 1]; i++) {
        const cf_node *node = &w->plan->nodes[i];
        w->places[i] = (cf_place){.fresh_row = w->rows->n};
        for (size_t f = 0; f < node->fresh.n; f++)
            for (int32_t p = node->fresh.items[f].begin; p < node->fresh.items[f].end; p++)
                if (is_computed(w, layer, p))
                    add_row(w, node, p);
        w->places[i].n_fresh = w->rows->n - w->places[i].fresh_row;
    }
}

/* Stacks the own rows of a layer's nodes. */
static void stack_own(const cf_walk *w, int32_t layer)
{
    for (int32_t i = w->plan->layer_begin[layer]; i < w->plan->layer_begin[layer + 1]; i++) {
        const cf_node *node = &w->plan->nodes[i];
        cf_place *at = &w->places[i];
        at->own_row = w->rows->n;
        at->own_begin = own_begin_of(w->plan, node);
        at->n_own = w->plan->length - at->own_begin;
        for (int32_t p = at->own_begin; p < w->plan->length; p++)
            add_row(w, node, p);
    }
}

/* A segment of a node's asking rows, the first of them at ask row q_row. own: they see the node's own keys beside the
 * baseline's. */
static void add_segment(const cf_walk *w, int32_t node_index, int32_t q_row, int32_t n_q, const int32_t *q_pos,
                        bool own)
{
    const cf_node *node = &w->plan->nodes[node_index];
    const cf_place *at = &w->places[node_index];
    cf_sweep_rows *r = w->rows;
    if (n_q == 0)
        return;
    cf_attn_segment *g = &r->segments[r->n_segments++];
    *g = (cf_attn_segment){.q_row = q_row, .n_q = n_q, .q_pos = q_pos, .kv = w->s->kv, .own_begin = at->own_begin};
    g->n_keys = at->own_begin; /* a fresh row lies below the own rows, and sees none of them */
    if (own) {
        g->own_row = at->own_row - r->own_zone;
        g->n_own = at->n_own;
        g->n_keys = w->plan->length;
    }
    if (node->action < 0)
        return;
    const cf_action *action = &w->plan->actions[node->action];
    g->cuts = w->cuts + w->cuts_of[node->action];
    g->n_cuts = (int64_t)action->n_edges;
    cf_add_zeroed(r->zero_attention, &r->n_zero_attention, &action->zero_attention, q_row, n_q, q_pos);
    cf_add_zeroed(r->zero_mlp, &r->n_zero_mlp, &action->zero_mlp, q_row, n_q, q_pos);
}

/* All rows of a zone ask. */
static void ask_all(const cf_walk *w, int32_t layer, bool own)
{
    for (int32_t i = w->plan->layer_begin[layer]; i < w->plan->layer_begin[layer + 1]; i++) {
        const int32_t row = own ? w->places[i].own_row : w->places[i].fresh_row;
        add_segment(w, i, row, own ? w->places[i].n_own : w->places[i].n_fresh, w->rows->pos + row, own);
    }
}

/* Rows of a stack, the first at `row` for the position at pos[row], ask where their position is scored. */
static void ask_rows(const cf_walk *w, int32_t node_index, int32_t row, int32_t n, bool own)
{
    cf_sweep_rows *r = w->rows;
    const int32_t first = r->n_ask, node = node_index - w->plan->layer_begin[w->plan->n_layers - 1];
    for (int32_t i = row; i < row + n; i++) {
        if (r->pos[i] < w->first_scored)
            continue;
        w->score_row[node * cf_walk_n_scored(w) + r->pos[i] - w->first_scored] = r->n_ask;
        r->ask[r->n_ask] = i;
        r->ask_pos[r->n_ask++] = r->pos[i];
    }
    add_segment(w, node_index, first, r->n_ask - first, r->ask_pos + first, own);
}

/* Of a zone's rows only those of scored positions ask. */
static void ask_scored(const cf_walk *w, int32_t layer, bool own)
{
    const int32_t begin = w->plan->layer_begin[layer], end = w->plan->layer_begin[layer + 1];
    for (int32_t i = 0; !own && i < (end - begin) * cf_walk_n_scored(w); i++)
        w->score_row[i] = -1;
    for (int32_t i = begin; i < end; i++) {
        const cf_place *at = &w->places[i];
        ask_rows(w, i, own ? at->own_row : at->fresh_row, own ? at->n_own : at->n_fresh, own);
    }
}

void cf_walks_stack(const cf_walk *walks, size_t n, int32_t layer)
{
    cf_sweep_rows *r = walks[0].rows;
    r->n = r->n_ask = 0;
    r->n_segments = r->n_zero_attention = r->n_zero_mlp = 0;
    for (size_t i = 0; i < n; i++)
        stack_fresh(&walks[i], layer);
    r->own_zone = r->n;
    for (size_t i = 0; i < n; i++)
        stack_own(&walks[i], layer);
    const bool final = cf_walk_is_final(&walks[0], layer);
    for (int own = 0; own < 2; own++)
        for (size_t i = 0; i < n; i++)
            if (final)
                ask_scored(&walks[i], layer, own);
            else
                ask_all(&walks[i], layer, own);
    if (!final)
        r->n_ask = r->n;
}
