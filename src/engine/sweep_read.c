/* sweep_read.c - from the rows of a walk to what its reader asked for: logits of runs, lens entries, tapped rows.
 *
 * Logits are made a block of rows at a time (cf_stack_read): thousands of runs with a vocabulary of 128,000 would
 * not fit in memory together. */
#include "engine/sweep_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* ---- a layer: tap and lens ---- */

static void show_node(const cf_walk *w, int32_t layer, int32_t node, const float *rows, int64_t d)
{
    const cf_sweep_reader *r = w->reader;
    const cf_place *at = &w->places[node];
    if (!cf_walk_is_final(w, layer)) {
        r->tap(r->user, layer, node, w->rows->pos + at->fresh_row, rows + at->fresh_row * d, at->n_fresh, d);
        r->tap(r->user, layer, node, w->rows->pos + at->own_row, rows + at->own_row * d, at->n_own, d);
        return;
    }
    const int32_t n_scored = cf_walk_n_scored(w), first = (node - w->plan->layer_begin[layer]) * n_scored;
    for (int32_t i = first; i < first + n_scored; i++)
        if (w->score_row[i] >= 0)
            r->tap(r->user, layer, node, &w->rows->ask_pos[w->score_row[i]], rows + w->score_row[i] * d, 1, d);
}

static cf_status tap_layer(const cf_walk *w, int32_t layer, const cf_tensor *rows, cf_error *err)
{
    void *host = NULL;
    cf_status st = cf_alloc(&host, (size_t)cf_tensor_count(rows), sizeof(float), "tapped rows", err);
    if (st == CF_OK)
        st = cf_backend_download(w->s->be, host, rows, err);
    for (int32_t i = w->plan->layer_begin[layer]; st == CF_OK && i < w->plan->layer_begin[layer + 1]; i++)
        show_node(w, layer, i, host, rows->shape[1]);
    free(host);
    return st;
}

/* Row of a node's last prompt position in a layer's output, or -1 where the node leaves it unchanged. */
static int32_t last_row(const cf_walk *w, int32_t layer, int32_t node)
{
    const cf_place *at = &w->places[node];
    if (cf_walk_is_final(w, layer))
        return w->score_row[(node - w->plan->layer_begin[layer]) * cf_walk_n_scored(w)];
    if (at->n_own && w->first_scored >= at->own_begin)
        return at->own_row + w->first_scored - at->own_begin;
    const int32_t fresh = cf_walk_fresh_index(&w->plan->nodes[node], w->first_scored);
    return fresh < 0 ? -1 : at->fresh_row + fresh;
}

typedef struct lens_rows {
    const cf_walk *w;
    int32_t layer;
    int32_t *rows, *nodes; /* [n] row in the output, and whose */
    int64_t n;
} lens_rows;

static void give_lens(void *user, int64_t i, const float *logits)
{
    const lens_rows *l = user;
    l->w->reader->lens(l->w->reader->user, l->layer, l->nodes[i], logits);
}

static cf_status read_lens(const cf_walk *w, int32_t layer, const cf_tensor *rows, cf_error *err)
{
    const int32_t begin = w->plan->layer_begin[layer], end = w->plan->layer_begin[layer + 1];
    void *memory = NULL;
    cf_status st = cf_alloc(&memory, 2 * (size_t)(end - begin), sizeof(int32_t), "lens rows", err);
    if (st != CF_OK)
        return st;
    lens_rows l = {.w = w, .layer = layer, .rows = memory, .nodes = (int32_t *)memory + (end - begin)};
    for (int32_t i = begin; i < end; i++) {
        l.rows[l.n] = last_row(w, layer, i);
        l.nodes[l.n] = i;
        l.n += l.rows[l.n] >= 0;
    }
    st = cf_stack_read(w->s->stack, rows, l.rows, l.n, w->reader->lens_normed || cf_walk_is_final(w, layer), give_lens,
                       &l, err);
    free(memory);
    return st;
}

cf_status cf_walk_read_layer(cf_walk *w, int32_t layer, const cf_tensor *rows, cf_error *err)
{
    cf_status st = CF_OK;
    if (w->reader->tap)
        CF_TRY(tap_layer(w, layer, rows, err));
    if (w->reader->lens)
        CF_TRY(read_lens(w, layer, rows, err));
done:
    return st;
}

/* ---- runs ---- */

enum { WORTH_SHARING = 16384 }; /* logits: scored in 15 us, and threads are called in some 5 */

typedef struct run_rows {
    const cf_walk *w;
    int32_t *rows, *leaf; /* [n] row in the output and its node, counted from the last layer's first, node by node */
    int32_t *place;       /* [n] which scored position */
    int64_t n;
    int32_t *first, *next; /* [leaves] the first run of each; [n_runs] the next run with the same leaf; -1 at the end */
    float *logits;         /* [n_scored, V] of a leaf in parts: the baseline's where it leaves a position as it is */
    int64_t vocab;
} run_rows;

static void give_leaf(const run_rows *r, int32_t leaf, const float *logits)
{
    for (int32_t run = r->first[leaf]; run >= 0; run = r->next[run])
        r->w->reader->run(r->w->reader->user, (size_t)run, logits);
}

/* Whether the leaf of row i has a row for every scored position, all of them from begin to end: then its logits are there,
 * side by side. */
static bool is_whole(const run_rows *r, int64_t i, int64_t begin, int64_t end)
{
    const int64_t first = i - r->place[i], last = first + cf_walk_n_scored(r->w) - 1;
    return first >= begin && last < end && r->leaf[first] == r->leaf[i] && r->leaf[last] == r->leaf[i];
}

/* A row of a leaf that is put together from several places. With the last one its runs are complete. */
static void take_row(const run_rows *r, int64_t i, const float *logits)
{
    const size_t row = (size_t)r->vocab * sizeof *logits;
    if (i == 0 || r->leaf[i] != r->leaf[i - 1])
        memcpy(r->logits, r->w->s->logits, (size_t)cf_walk_n_scored(r->w) * row);
    memcpy(r->logits + r->place[i] * r->vocab, logits, row);
    if (i + 1 == r->n || r->leaf[i + 1] != r->leaf[i])
        give_leaf(r, r->leaf[i], r->logits);
}

/* Rows come node by node. */
static void take_block(void *user, int64_t begin, int64_t n_block, const float *logits)
{
    const run_rows *r = user;
    const int64_t end = begin + n_block;
#pragma omp parallel for schedule(dynamic) if (r->w->reader->runs_at_once && n_block * r->vocab >= WORTH_SHARING)
    for (int64_t i = begin; i < end; i++)
        if (r->place[i] == 0 && is_whole(r, i, begin, end))
            give_leaf(r, r->leaf[i], logits + (i - begin) * r->vocab);
    for (int64_t i = begin; i < end; i++)
        if (!is_whole(r, i, begin, end))
            take_row(r, i, logits + (i - begin) * r->vocab);
}

/* Lists the rows to read; runs whose leaf has none are the baseline, as far as it is read, and are given at once. */
static void list_rows(run_rows *r)
{
    const cf_walk *w = r->w;
    const cf_plan *p = w->plan;
    const int32_t begin = p->layer_begin[p->n_layers - 1], n_leaves = p->layer_begin[p->n_layers] - begin;
    const int32_t n_scored = cf_walk_n_scored(w);
    for (int32_t i = 0; i < n_leaves; i++)
        r->first[i] = -1;
    for (int32_t i = (int32_t)p->n_runs - 1; i >= 0; i--) {
        if (!cf_run_has_number(&p->runs[i]))
            continue;
        if (p->runs[i].leaf == CF_BASELINE) {
            w->reader->run(w->reader->user, (size_t)i, w->s->logits);
            continue;
        }
        r->next[i] = r->first[p->runs[i].leaf - begin];
        r->first[p->runs[i].leaf - begin] = i;
    }
    for (int32_t leaf = 0; leaf < n_leaves; leaf++) {
        const int64_t before = r->n;
        for (int32_t i = 0; i < n_scored; i++)
            if (w->score_row[leaf * n_scored + i] >= 0) {
                r->rows[r->n] = w->score_row[leaf * n_scored + i];
                r->leaf[r->n] = leaf;
                r->place[r->n++] = i;
            }
        for (int32_t run = r->n == before ? r->first[leaf] : -1; run >= 0; run = r->next[run])
            w->reader->run(w->reader->user, (size_t)run, w->s->logits);
    }
}

cf_status cf_walk_read_runs(cf_walk *w, const cf_tensor *rows, cf_error *err)
{
    const cf_plan *p = w->plan;
    const int32_t n_leaves = p->layer_begin[p->n_layers] - p->layer_begin[p->n_layers - 1];
    const size_t most = (size_t)(n_leaves * cf_walk_n_scored(w));
    run_rows r = {.w = w, .vocab = cf_model_config(w->s->model)->text.vocab_size};
    cf_status st = CF_OK;
    void *lists = NULL, *logits = NULL;
    if (!w->reader->run)
        return CF_OK;
    CF_TRY(cf_alloc(&lists, 3 * most + (size_t)n_leaves + p->n_runs, sizeof(int32_t), "rows of runs", err));
    CF_TRY(cf_alloc(&logits, (size_t)(cf_walk_n_scored(w) * r.vocab), sizeof(float), "logits", err));
    r.rows = lists;
    r.leaf = r.rows + most;
    r.place = r.leaf + most;
    r.first = r.place + most;
    r.next = r.first + n_leaves;
    r.logits = logits;
    list_rows(&r);
    CF_TRY(cf_stack_read_blocks(w->s->stack, rows, r.rows, r.n, true, take_block, &r, err));
done:
    free(lists);
    free(logits);
    return st;
}
