/* sweep.c - walks plans' trees layer by layer.
 *
 * All nodes of a layer, of all sessions, are stacked into one matrix (sweep_stack.c), and each linear operation is done
 * once over it.
 *
 * Two matrices take turns. `source` holds the baselines' inputs of this layer for positions keep_from .. T-1 of each
 * session in its first rows, then the outputs of the layer before; one gather by index builds the other's rows, in which
 * the layer then computes in place; so that one becomes the source of the next layer.
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

/* Rows of several sessions that are stacked at most: some 4 GB of values where a row has 4,096, and far more than a product
 * needs to be at full speed. Sessions beyond it are swept after the others. */
enum { MOST_STACKED = 32768 };

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

static cf_status open_walk(cf_walk *w, const cf_sweep_task *task, cf_sweep_rows *rows, cf_error *err)
{
    cf_status st = CF_OK;
    void *m = NULL;
    cf_session *s = task->session;
    const cf_plan *plan = task->plan;
    assert(plan->length == s->length + s->n_forced && (plan->n_nodes == 0 || plan->lowest >= s->keep_from));
    *w = (cf_walk){.s = s,
                   .plan = plan,
                   .reader = task->reader,
                   .rows = rows,
                   .base_row = rows->n_base,
                   .n_base = plan->length - s->keep_from,
                   .first_scored = s->length - 1};
    const int64_t most = cf_plan_most_rows(plan), nodes = most_nodes(plan);
    CF_TRY(cf_alloc(&m, plan->n_nodes, sizeof *w->places, "the sweep's nodes", err));
    w->places = m;
    CF_TRY(lay_out_cuts(w, err));
    CF_TRY(cf_alloc(&m, (size_t)(nodes * cf_walk_n_scored(w)), sizeof *w->score_row, "the sweep's scores", err));
    w->score_row = m;
    rows->n_base += w->n_base;
    rows->most += (int32_t)most;
    rows->most_zeroed += (int32_t)most_zeroed(plan, most);
    rows->most_segments += (int32_t)(2 * nodes);
done:
    return st;
}

static void close_walk(cf_walk *w)
{
    free(w->places);
    free(w->cuts);
    free(w->cuts_of);
    free(w->score_row);
}

/* Room for the rows of all walks. */
static cf_status open_rows(cf_sweep_rows *r, cf_stack *k, cf_error *err)
{
    const size_t most = (size_t)r->most, zeroed = (size_t)r->most_zeroed;
    const int64_t d = cf_model_config(k->model)->text.hidden_size;
    cf_status st = CF_OK;
    void *m = NULL;
    for (int i = 0; i < 2; i++)
        CF_TRY(cf_room(k->be, &k->sweep_rows[i], r->n_base + r->most, d, err));
    CF_TRY(cf_scratch_reserve(k->scratch, r->most, err));
    if (zeroed)
        CF_TRY(cf_scratch_reserve_zeroed(k->scratch, r->most_zeroed, err));
    CF_TRY(cf_alloc(&m, (size_t)r->most_segments, sizeof *r->segments, "the sweep's segments", err));
    r->segments = m;
    CF_TRY(cf_alloc(&m, 4 * most + 2 * zeroed, sizeof *r->from, "the sweep's rows", err));
    r->from = m;
    r->pos = r->from + most;
    r->ask = r->pos + most;
    r->ask_pos = r->ask + most;
    r->zero_attention = r->ask_pos + most;
    r->zero_mlp = r->zero_attention + zeroed;
done:
    return st;
}

static void close_rows(cf_sweep_rows *r)
{
    free(r->segments);
    free(r->from);
}

/* The baseline's inputs of a layer, of the prompt's kept positions and the forced ones, in the walk's rows of source. */
static cf_status lay_base(const cf_walk *w, int32_t layer, const cf_tensor *source, cf_error *err)
{
    const int32_t n_prompt = w->n_base - w->s->n_forced, begin = w->base_row;
    const cf_tensor kept = cf_session_kept(w->s, layer);
    cf_tensor prompt = cf_tensor_rows(source, begin, begin + n_prompt);
    cf_status st = cf_gather(w->s->be, &prompt, &kept, NULL, err);
    if (st == CF_OK && w->s->n_forced) {
        const cf_tensor forced = cf_session_kept_forced(w->s, layer);
        cf_tensor after = cf_tensor_rows(source, begin + n_prompt, begin + w->n_base);
        st = cf_gather(w->s->be, &after, &forced, NULL, err);
    }
    return st;
}

/* Sessions that are swept together, and what they have reached. */
typedef struct sweep {
    cf_stack *stack;
    cf_walk *walks; /* [n] */
    size_t n;
    cf_sweep_rows rows;
    cf_tensor out; /* rows of the layer last computed */
} sweep;

/* One layer: stack, gather, compute. */
static cf_status sweep_layer(sweep *p, int32_t layer, cf_error *err)
{
    cf_status st = CF_OK;
    cf_sweep_rows *r = &p->rows;
    cf_tensor *source = &p->stack->sweep_rows[layer % 2], *target = &p->stack->sweep_rows[(layer + 1) % 2];
    const bool final = cf_walk_is_final(&p->walks[0], layer);
    cf_walks_stack(p->walks, p->n, layer);
    if (r->n_ask == 0)
        return CF_OK;
    for (size_t i = 0; i < p->n; i++)
        CF_TRY(lay_base(&p->walks[i], layer, source, err));
    cf_tensor x = cf_tensor_rows(target, r->n_base, r->n_base + r->n);
    CF_TRY(cf_gather(p->stack->be, &x, source, r->from, err));
    p->out = final ? cf_tensor_rows(source, 0, r->n_ask) : x;
    const cf_layer_batch b = {.pos = r->pos,
                              .kv_begin = r->own_zone,
                              .q_rows = final ? r->ask : NULL,
                              .n_q = r->n_ask,
                              .q_pos = final ? r->ask_pos : r->pos,
                              .segments = r->segments,
                              .n_segments = r->n_segments,
                              .zero_attention = r->zero_attention,
                              .n_zero_attention = r->n_zero_attention,
                              .zero_mlp = r->zero_mlp,
                              .n_zero_mlp = r->n_zero_mlp};
    CF_TRY(cf_stack_layer(p->stack, layer, &b, &p->out, &x, err));
    for (size_t i = 0; i < p->n; i++)
        CF_TRY(cf_walk_read_layer(&p->walks[i], layer, &p->out, err));
done:
    return st;
}

/* Sweeps of sessions whose rows stand in one stack. */
static cf_status sweep_stacked(const cf_sweep_task *tasks, size_t n, cf_error *err)
{
    cf_status st = CF_OK;
    void *memory = NULL;
    sweep p = {.stack = tasks[0].session->stack};
    CF_TRY(cf_alloc(&memory, n, sizeof *p.walks, "sweeps", err));
    p.walks = memory;
    for (; p.n < n; p.n++)
        CF_TRY(open_walk(&p.walks[p.n], &tasks[p.n], &p.rows, err));
    CF_TRY(open_rows(&p.rows, p.stack, err));
    for (int32_t layer = 0; layer < tasks[0].plan->n_layers; layer++)
        CF_TRY(sweep_layer(&p, layer, err));
    for (size_t i = 0; i < n; i++)
        CF_TRY(cf_walk_read_runs(&p.walks[i], &p.out, err));
done:
    for (size_t i = 0; memory && i < n; i++)
        close_walk(&p.walks[i]);
    close_rows(&p.rows);
    free(memory);
    return st;
}

cf_status cf_sweeps(const cf_sweep_task *tasks, size_t n, cf_error *err)
{
    for (size_t begin = 0, end = 0; begin < n; begin = end) {
        int64_t rows = 0;
        for (; end < n && (end == begin || rows + cf_plan_most_rows(tasks[end].plan) <= MOST_STACKED); end++) {
            assert(tasks[end].session->stack == tasks[0].session->stack &&
                   tasks[end].plan->n_layers == tasks[0].plan->n_layers);
            rows += cf_plan_most_rows(tasks[end].plan);
        }
        const cf_status st = sweep_stacked(tasks + begin, end - begin, err);
        if (st != CF_OK)
            return st;
    }
    return CF_OK;
}

cf_status cf_sweep(cf_session *s, const cf_plan *plan, const cf_sweep_reader *reader, cf_error *err)
{
    const cf_sweep_task task = {s, plan, reader};
    return cf_sweeps(&task, 1, err);
}
