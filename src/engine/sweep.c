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
#include "engine/sweep.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "engine/score.h"
#include "engine/session_internal.h"

/* Where a node's rows stand in its layer's stack. */
typedef struct place {
    int32_t fresh_row, n_fresh;
    int32_t own_row, own_begin,
        n_own; /* rows of positions own_begin .. own_begin + n_own - 1; n_own 0 where the parent is the baseline */
    int32_t
        score_row; /* last layer: row of the final position in the output, or -1 where the node leaves it unchanged */
} place;

typedef struct sweep {
    cf_session *s;
    const cf_plan *plan;
    int32_t n_base;            /* rows of the baseline kept: T - keep_from */
    place *places;             /* [n_nodes] */
    cf_cut *cuts;              /* [n_edges] */
    cf_attn_segment *segments; /* [2 * most nodes of a layer] */
    int32_t *from;             /* [most rows] row of the source matrix each stacked row comes from */
    int32_t *pos;              /* [most rows] its position */
    int32_t *ask;              /* last layer: the rows that ask */
    int32_t *ask_pos;
    int32_t n_rows, n_ask, own_zone; /* of the current layer */
    int64_t n_segments;
} sweep;

static bool is_final(const sweep *w, int32_t layer)
{
    return layer == w->plan->n_layers - 1;
}

/* First position with rows of its own at this node's layer; length where there is none. */
static int32_t own_begin_of(const cf_plan *p, const cf_node *node)
{
    return node->parent == CF_BASELINE ? p->length : p->nodes[node->parent].restart;
}

/* Fresh rows of a node that are computed: in the last layer only the scored position is. */
static int32_t count_fresh(const sweep *w, const cf_node *node)
{
    if (is_final(w, node->layer))
        return cf_spans_contain(&node->fresh, w->plan->length - 1);
    return (int32_t)cf_spans_count(&node->fresh);
}

/* Index of position p among the fresh rows of a node, or -1. */
static int32_t fresh_index(const cf_node *node, int32_t p)
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
static int32_t source_row(const sweep *w, const cf_node *node, int32_t p)
{
    if (node->parent != CF_BASELINE) {
        const place *at = &w->places[node->parent];
        if (at->n_own && p >= at->own_begin)
            return w->n_base + at->own_row + p - at->own_begin;
        const int32_t fresh = fresh_index(&w->plan->nodes[node->parent], p);
        if (fresh >= 0)
            return w->n_base + at->fresh_row + fresh;
    }
    return p - w->s->keep_from;
}

static void add_row(sweep *w, const cf_node *node, int32_t p)
{
    w->from[w->n_rows] = source_row(w, node, p);
    w->pos[w->n_rows++] = p;
}

/* Stacks the fresh rows of a layer's nodes. */
static void stack_fresh(sweep *w, int32_t layer)
{
    for (int32_t i = w->plan->layer_begin[layer]; i < w->plan->layer_begin[layer + 1]; i++) {
        const cf_node *node = &w->plan->nodes[i];
        place *at = &w->places[i];
        *at = (place){.fresh_row = w->n_rows, .n_fresh = count_fresh(w, node), .score_row = -1};
        if (is_final(w, layer)) {
            if (at->n_fresh)
                add_row(w, node, w->plan->length - 1);
            continue;
        }
        for (size_t f = 0; f < node->fresh.n; f++)
            for (int32_t p = node->fresh.items[f].begin; p < node->fresh.items[f].end; p++)
                add_row(w, node, p);
    }
}

/* Stacks the own rows of a layer's nodes. */
static void stack_own(sweep *w, int32_t layer)
{
    for (int32_t i = w->plan->layer_begin[layer]; i < w->plan->layer_begin[layer + 1]; i++) {
        const cf_node *node = &w->plan->nodes[i];
        place *at = &w->places[i];
        at->own_row = w->n_rows;
        at->own_begin = own_begin_of(w->plan, node);
        at->n_own = w->plan->length - at->own_begin;
        for (int32_t p = at->own_begin; p < w->plan->length; p++)
            add_row(w, node, p);
    }
}

/* A segment of a node's asking rows, the first of them at ask row q_row. own: they see the node's own keys beside the
 * baseline's. */
static void add_segment(sweep *w, int32_t node_index, int32_t q_row, int32_t n_q, const int32_t *q_pos, bool own)
{
    const cf_node *node = &w->plan->nodes[node_index];
    const place *at = &w->places[node_index];
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
    if (node->edge >= 0) {
        g->cuts = &w->cuts[node->edge];
        g->n_cuts = 1;
    }
}

/* All rows of the stack ask. */
static void ask_all(sweep *w, int32_t layer)
{
    for (int32_t i = w->plan->layer_begin[layer]; i < w->plan->layer_begin[layer + 1]; i++)
        add_segment(w, i, w->places[i].fresh_row, w->places[i].n_fresh, w->pos + w->places[i].fresh_row, false);
    for (int32_t i = w->plan->layer_begin[layer]; i < w->plan->layer_begin[layer + 1]; i++)
        add_segment(w, i, w->places[i].own_row, w->places[i].n_own, w->pos + w->places[i].own_row, true);
    w->n_ask = w->n_rows;
}

/* Only the final position of each node asks. */
static void ask_scored(sweep *w, int32_t layer)
{
    w->n_ask = 0;
    for (int pass = 0; pass < 2; pass++)
        for (int32_t i = w->plan->layer_begin[layer]; i < w->plan->layer_begin[layer + 1]; i++) {
            place *at = &w->places[i];
            if (pass == 0 ? !at->n_fresh : !at->n_own)
                continue;
            assert(at->score_row < 0);
            at->score_row = w->n_ask;
            w->ask[w->n_ask] = pass == 0 ? at->fresh_row : at->own_row + at->n_own - 1;
            w->ask_pos[w->n_ask] = w->plan->length - 1;
            add_segment(w, i, w->n_ask, 1, &w->ask_pos[w->n_ask], pass == 1);
            w->n_ask++;
        }
}

/* Most rows any layer stacks, and most nodes any layer has. */
static void measure(const sweep *w, int64_t *most_rows, int64_t *most_nodes)
{
    *most_rows = *most_nodes = 0;
    for (int32_t l = 0; l < w->plan->n_layers; l++) {
        int64_t rows = 0;
        const int64_t nodes = w->plan->layer_begin[l + 1] - w->plan->layer_begin[l];
        for (int32_t i = w->plan->layer_begin[l]; i < w->plan->layer_begin[l + 1]; i++)
            rows +=
                cf_spans_count(&w->plan->nodes[i].fresh) + w->plan->length - own_begin_of(w->plan, &w->plan->nodes[i]);
        *most_rows = rows > *most_rows ? rows : *most_rows;
        *most_nodes = nodes > *most_nodes ? nodes : *most_nodes;
    }
}

static cf_status open_sweep(sweep *w, cf_error *err)
{
    cf_status st = CF_OK;
    int64_t rows = 0, nodes = 0;
    void *m = NULL;
    measure(w, &rows, &nodes);
    const int64_t d = cf_model_config(w->s->model)->text.hidden_size;
    for (int i = 0; i < 2; i++)
        CF_TRY(cf_session_room(w->s, &w->s->sweep_rows[i], w->n_base + rows, d, err));
    CF_TRY(cf_scratch_reserve(w->s->scratch, rows, err));
    CF_TRY(cf_alloc(&m, w->plan->n_nodes, sizeof *w->places, "the sweep's nodes", err));
    w->places = m;
    CF_TRY(cf_alloc(&m, w->plan->n_edges, sizeof *w->cuts, "the sweep's cuts", err));
    w->cuts = m;
    CF_TRY(cf_alloc(&m, (size_t)(2 * nodes), sizeof *w->segments, "the sweep's segments", err));
    w->segments = m;
    CF_TRY(cf_alloc(&m, (size_t)(2 * (rows + nodes)), sizeof *w->from, "the sweep's rows", err));
    w->from = m;
    w->pos = w->from + rows;
    w->ask = w->pos + rows;
    w->ask_pos = w->ask + nodes;
    for (size_t e = 0; e < w->plan->n_edges; e++)
        w->cuts[e] = (cf_cut){&w->plan->edges[e].query, &w->plan->edges[e].key, w->plan->edges[e].heads};
done:
    return st;
}

static void close_sweep(sweep *w)
{
    free(w->places);
    free(w->cuts);
    free(w->segments);
    free(w->from);
}

/* Shows a layer's output rows to the tap, node by node. */
static cf_status tap_layer(const sweep *w, int32_t layer, const cf_tensor *y, cf_sweep_tap tap, void *user,
                           cf_error *err)
{
    void *host = NULL;
    cf_status st = cf_alloc(&host, (size_t)cf_tensor_count(y), sizeof(float), "tapped rows", err);
    if (st == CF_OK)
        st = cf_backend_download(w->s->be, host, y, err);
    const int64_t d = y->shape[1];
    for (int32_t i = w->plan->layer_begin[layer]; st == CF_OK && i < w->plan->layer_begin[layer + 1]; i++) {
        const place *at = &w->places[i];
        if (is_final(w, layer)) {
            if (at->score_row >= 0)
                tap(user, layer, i, &w->ask_pos[at->score_row], (float *)host + at->score_row * d, 1, d);
            continue;
        }
        tap(user, layer, i, w->pos + at->fresh_row, (float *)host + at->fresh_row * d, at->n_fresh, d);
        tap(user, layer, i, w->pos + at->own_row, (float *)host + at->own_row * d, at->n_own, d);
    }
    free(host);
    return st;
}

/* One layer: stack, gather, compute. The output's rows stand in *out. */
static cf_status walk_layer(sweep *w, int32_t layer, cf_tensor *out, cf_error *err)
{
    cf_status st = CF_OK;
    cf_tensor *source = &w->s->sweep_rows[layer % 2], *target = &w->s->sweep_rows[(layer + 1) % 2];
    w->n_rows = 0;
    w->n_segments = 0;
    stack_fresh(w, layer);
    w->own_zone = w->n_rows;
    stack_own(w, layer);
    if (is_final(w, layer))
        ask_scored(w, layer);
    else
        ask_all(w, layer);
    if (w->n_ask == 0)
        return CF_OK;
    cf_tensor base = cf_tensor_rows(source, 0, w->n_base);
    const cf_tensor kept = cf_session_kept(w->s, layer);
    CF_TRY(cf_gather(w->s->be, &base, &kept, NULL, err));
    cf_tensor x = cf_tensor_rows(target, w->n_base, w->n_base + w->n_rows);
    CF_TRY(cf_gather(w->s->be, &x, source, w->from, err));
    *out = is_final(w, layer) ? cf_tensor_rows(source, 0, w->n_ask) : x;
    const cf_layer_batch b = {.pos = w->pos,
                              .kv_begin = w->own_zone,
                              .q_rows = is_final(w, layer) ? w->ask : NULL,
                              .n_q = w->n_ask,
                              .q_pos = is_final(w, layer) ? w->ask_pos : w->pos,
                              .kv = w->s->kv,
                              .segments = w->segments,
                              .n_segments = w->n_segments};
    CF_TRY(cf_session_layer(w->s, layer, &b, out, &x, err));
done:
    return st;
}

/* Probabilities of the runs, from the last layer's output rows. */
static cf_status score(const sweep *w, const cf_tensor *rows, int32_t token, double *probability, cf_error *err)
{
    const cf_plan *p = w->plan;
    const int64_t vocab = cf_model_config(w->s->model)->text.vocab_size;
    cf_status st = CF_OK;
    cf_tensor logits = {0};
    void *host = NULL;
    if (w->n_ask) {
        CF_TRY(cf_backend_alloc(w->s->be, &logits, CF_F32, w->n_ask, vocab, err));
        CF_TRY(cf_decoder_logits(w->s->model, w->s->scratch, &logits, rows, true, err));
        CF_TRY(cf_alloc(&host, (size_t)(w->n_ask * vocab), sizeof(float), "logits", err));
        CF_TRY(cf_backend_download(w->s->be, host, &logits, err));
    }
    for (size_t i = 0; i < p->n_runs; i++) {
        const cf_planned_run *r = &p->runs[i];
        const int32_t row = r->leaf == CF_BASELINE ? -1 : w->places[r->leaf].score_row;
        const float *l = row < 0 ? w->s->logits : (const float *)host + row * vocab;
        probability[i] = r->status == CF_RUN_FULLY_CUT ? (double)NAN : cf_softmax_probability(l, vocab, token);
    }
done:
    cf_backend_release(w->s->be, &logits);
    free(host);
    return st;
}

cf_status cf_sweep(cf_session *s, const cf_plan *plan, int32_t token, double *probability, cf_sweep_tap tap, void *user,
                   cf_error *err)
{
    assert(plan->length == s->length && (plan->n_nodes == 0 || plan->lowest >= s->keep_from));
    cf_status st = CF_OK;
    cf_tensor rows = {0};
    sweep w = {.s = s, .plan = plan, .n_base = s->length - s->keep_from};
    CF_TRY(open_sweep(&w, err));
    for (int32_t l = 0; l < plan->n_layers; l++) {
        CF_TRY(walk_layer(&w, l, &rows, err));
        if (tap && w.n_ask)
            CF_TRY(tap_layer(&w, l, &rows, tap, user, err));
    }
    CF_TRY(score(&w, &rows, token, probability, err));
done:
    close_sweep(&w);
    return st;
}
