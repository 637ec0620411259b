/* plan_actions.c - from the parts of runs to distinct edges, distinct actions, and an action index per run and layer.
 *
 * A run's layers fall into stretches in which the same of its parts are open; a stretch has one action. Runs that stand
 * side by side mostly have the same parts in other windows, so the edges of parts are looked up once for all of them.
 *
 * Invariants
 * (1) edges are distinct and an action's edges ascend, so "the same action" is "the same indices and places".
 * (2) an edge with nothing visible in a layer (each key after each query, or before its window) is in no action of that
 *     layer, so no action leaves a layer as it is.
 * (3) the plan has no edge and no action that no planned run has. */
#include "knockout/plan_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "knockout/index_table.h"
#include "knockout/splitmix64.h"

enum { NOT_LOOKED_UP = -1 };

typedef struct finder {
    cf_plan *plan;
    const cf_sight *sight;
    cf_run_actions *out;
    int32_t n_heads;
    cf_index_table edges, actions;
    /* of the parts at hand */
    const cf_parts *parts;
    int32_t *edge; /* index of each part's edge */
    size_t cap_edge;
    /* of the stretch of layers at hand */
    size_t *open; /* indices of the open parts with something visible */
    size_t n_open, cap_open;
    cf_action action; /* its memory is used again and again */
    size_t cap_action;
    cf_span *pieces; /* spans in any order, before they become a list */
    size_t n_pieces, cap_pieces;
} finder;

/* ---- a list from spans in any order ---- */

static cf_status add_piece(finder *f, int32_t begin, int32_t end, cf_error *err)
{
    void *pieces = f->pieces;
    const cf_status st = cf_grow(&pieces, &f->cap_pieces, f->n_pieces + 1, sizeof *f->pieces, "position spans", err);
    f->pieces = pieces;
    if (st == CF_OK && begin < end)
        f->pieces[f->n_pieces++] = (cf_span){begin, end};
    return st;
}

static int by_begin(const void *a, const void *b)
{
    const cf_span *x = a, *y = b;
    return (x->begin > y->begin) - (x->begin < y->begin);
}

/* out = the positions of the pieces, which are used up; what was in out is gone. */
static cf_status join_pieces(cf_spans *out, finder *f, cf_error *err)
{
    cf_status st = CF_OK;
    const size_t n = f->n_pieces;
    int32_t end = 0;
    out->n = f->n_pieces = 0;
    if (n > 1)
        qsort(f->pieces, n, sizeof *f->pieces, by_begin);
    for (size_t i = 0; st == CF_OK && i < n; i++) {
        const cf_span s = f->pieces[i];
        st = cf_spans_add(out, s.begin > end ? s.begin : end, s.end, err);
        end = s.end > end ? s.end : end;
    }
    return st;
}

/* ---- one part ---- */

static int32_t last_of(const cf_spans *s)
{
    return s->items[s->n - 1].end - 1;
}

/* Whether the part changes anything in a layer, if it is open there. */
static bool is_visible(const finder *f, const cf_part *part, int32_t layer)
{
    if (part->kind != CF_PART_CUT)
        return part->query.n > 0;
    return cf_sight_meets(f->sight, layer, &part->query, &part->key);
}

static const cf_spans *layers_of(const cf_part *part, const cf_plan_run *run)
{
    return part->layers.n ? &part->layers : run->window;
}

/* The first layer after `layer`, at most `end`, where the list of layers begins or ends. */
static int32_t next_change(const cf_spans *layers, int32_t layer, int32_t end)
{
    for (size_t i = 0; i < layers->n; i++) {
        const cf_span s = layers->items[i];
        const int32_t change = s.begin > layer ? s.begin : s.end;
        if (change > layer)
            return change < end ? change : end;
    }
    return end;
}

/* The first layer after `layer` with another window, or n_layers. */
static int32_t next_window(const finder *f, int32_t layer)
{
    const int32_t window = cf_sight_window(f->sight, layer);
    do
        layer++;
    while (layer < f->plan->n_layers && cf_sight_window(f->sight, layer) == window);
    return layer;
}

/* Finds the open parts at `layer`, and the *end of the stretch in which they stay so and see the same keys. */
static void open_parts(finder *f, const cf_plan_run *run, int32_t layer, int32_t *end)
{
    *end = next_window(f, layer);
    f->n_open = 0;
    for (size_t i = 0; i < run->parts->n; i++) {
        const cf_part *part = &run->parts->items[i];
        if (!is_visible(f, part, layer))
            continue;
        *end = next_change(layers_of(part, run), layer, *end);
        if (cf_spans_contain(layers_of(part, run), layer))
            f->open[f->n_open++] = i;
    }
}

/* ---- queries without a key ---- */

static bool has_head(const cf_part *part, int32_t head)
{
    return !part->heads || (part->heads[head / 64] >> (head % 64) & 1);
}

/* Where the span that holds the position ends; the position itself where there is none. */
static int32_t end_of_span(const cf_spans *s, int32_t position)
{
    for (size_t i = 0; i < s->n && s->items[i].begin <= position; i++)
        if (position < s->items[i].end)
            return s->items[i].end;
    return position;
}

/* Whether the open cuts take every key that it sees from a query in this head. */
static bool is_blind(const finder *f, int32_t layer, int32_t query, int32_t head)
{
    const cf_span keys = cf_sight_keys(f->sight, layer, query);
    int32_t lost = keys.begin, before; /* keys [keys.begin, lost) */
    do {
        before = lost;
        for (size_t i = 0; i < f->n_open; i++) {
            const cf_part *part = &f->parts->items[f->open[i]];
            if (part->kind == CF_PART_CUT && has_head(part, head) && cf_spans_contain(&part->query, query))
                lost = end_of_span(&part->key, lost);
        }
    } while (lost > before && lost < keys.end);
    return lost >= keys.end;
}

/* Whether the open cuts leave some query without a key. If a query is blind and no cut's queries begin at it, then the
 * one before it is, too: it suffers the same cuts and sees no others of the keys. So the first ones of spans tell; but in
 * a window, which leaves keys behind, every query is asked. */
static bool any_blind(const finder *f, int32_t layer)
{
    const bool sliding = cf_sight_window(f->sight, layer) > 0;
    bool from_zero = false, by_head = false;
    for (size_t i = 0; i < f->n_open; i++) {
        const cf_part *part = &f->parts->items[f->open[i]];
        from_zero = from_zero || (part->kind == CF_PART_CUT && part->key.items[0].begin == 0);
        by_head = by_head || part->heads;
    }
    if (!from_zero && !sliding)
        return false;
    for (int32_t head = 0; head < (by_head ? f->n_heads : 1); head++)
        for (size_t i = 0; i < f->n_open; i++) {
            const cf_part *part = &f->parts->items[f->open[i]];
            for (size_t s = 0; part->kind == CF_PART_CUT && s < part->query.n; s++) {
                const cf_span queries = part->query.items[s];
                for (int32_t q = queries.begin; q < (sliding ? queries.end : queries.begin + 1); q++)
                    if (is_blind(f, layer, q, head))
                        return true;
            }
        }
    return false;
}

static cf_run_status classify(finder *f, const cf_plan_run *run)
{
    bool any = false, blind = false;
    if (run->parts->too_few_keys)
        return CF_RUN_TOO_FEW_KEYS;
    if (run->parts->empty_group && run->parts->n == 0)
        return CF_RUN_EMPTY_GROUP;
    for (int32_t layer = 0, end; layer < f->plan->n_layers; layer = end) {
        open_parts(f, run, layer, &end);
        any = any || f->n_open;
        blind = blind || any_blind(f, layer);
    }
    return !any ? CF_RUN_NO_VISIBLE_EDGE : blind ? CF_RUN_FULLY_CUT : CF_RUN_PLANNED;
}

/* ---- distinct edges ---- */

static uint64_t hash_ints(uint64_t hash, const int32_t *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        hash = cf_splitmix64_mix(hash ^ (uint32_t)v[i]);
    return cf_splitmix64_mix(hash ^ n);
}

static uint64_t hash_spans(uint64_t hash, const cf_spans *s)
{
    for (size_t i = 0; i < s->n; i++)
        hash = cf_splitmix64_mix(hash ^ ((uint64_t)(uint32_t)s->items[i].begin << 32 | (uint32_t)s->items[i].end));
    return cf_splitmix64_mix(hash ^ s->n);
}

static uint64_t hash_edge(const cf_part *part)
{
    uint64_t hash = hash_spans(hash_spans(0, &part->query), &part->key);
    for (size_t i = 0; part->heads && i < part->n_head_words; i++)
        hash = cf_splitmix64_mix(hash ^ part->heads[i]);
    return hash;
}

static bool same_edge(const cf_edge *e, const cf_part *part)
{
    if (!cf_spans_equal(&e->query, &part->query) || !cf_spans_equal(&e->key, &part->key))
        return false;
    if (!e->heads || !part->heads)
        return !e->heads && !part->heads;
    return e->n_head_words == part->n_head_words &&
           memcmp(e->heads, part->heads, e->n_head_words * sizeof *e->heads) == 0;
}

static cf_status add_edge(finder *f, const cf_part *part, uint64_t hash, cf_error *err)
{
    cf_status st = CF_OK;
    cf_plan *p = f->plan;
    cf_edge e = {0};
    void *edges = p->edges, *heads = NULL;
    CF_TRY(cf_spans_copy(&e.query, &part->query, err));
    CF_TRY(cf_spans_copy(&e.key, &part->key, err));
    if (part->heads) {
        CF_TRY(cf_alloc(&heads, part->n_head_words, sizeof *e.heads, "a head set", err));
        e.heads = memcpy(heads, part->heads, part->n_head_words * sizeof *e.heads);
        e.n_head_words = part->n_head_words;
    }
    CF_TRY(cf_index_table_add(&f->edges, hash, err));
    CF_TRY(cf_grow(&edges, &p->cap_edges, p->n_edges + 1, sizeof *p->edges, "edges", err));
    p->edges = edges;
    p->edges[p->n_edges++] = e;
    e = (cf_edge){0};
done:
    cf_spans_deinit(&e.query);
    cf_spans_deinit(&e.key);
    free(e.heads);
    return st;
}

/* The index of the edge of a cut, added if new. */
static cf_status find_edge(int32_t *out, finder *f, size_t part_index, cf_error *err)
{
    const cf_part *part = &f->parts->items[part_index];
    int32_t *edge = &f->edge[part_index];
    if (*edge == NOT_LOOKED_UP) {
        assert(last_of(&part->query) < f->plan->length && last_of(&part->key) < f->plan->length);
        const uint64_t hash = hash_edge(part);
        size_t probe = 0;
        do {
            *edge = cf_index_table_find(&f->edges, hash, &probe);
        } while (*edge >= 0 && !same_edge(&f->plan->edges[*edge], part));
        if (*edge < 0) {
            const cf_status st = add_edge(f, part, hash, err);
            if (st != CF_OK)
                return st;
            *edge = (int32_t)f->plan->n_edges - 1;
        }
    }
    *out = *edge;
    return CF_OK;
}

/* ---- distinct actions ---- */

static bool same_action(const cf_action *a, const cf_action *b)
{
    return a->n_edges == b->n_edges &&
           (a->n_edges == 0 || memcmp(a->edges, b->edges, a->n_edges * sizeof *a->edges) == 0) &&
           cf_spans_equal(&a->zero_attention, &b->zero_attention) && cf_spans_equal(&a->zero_mlp, &b->zero_mlp);
}

static int by_value(const void *a, const void *b)
{
    const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

/* f->action.edges = the distinct edges of the open cuts, ascending. */
static cf_status gather_edges(finder *f, cf_error *err)
{
    cf_status st = CF_OK;
    cf_action *a = &f->action;
    size_t n = 0;
    void *edges = a->edges;
    CF_TRY(cf_grow(&edges, &f->cap_action, f->n_open, sizeof *a->edges, "edges of an action", err));
    a->edges = edges;
    for (size_t i = 0; i < f->n_open; i++)
        if (f->parts->items[f->open[i]].kind == CF_PART_CUT)
            CF_TRY(find_edge(&a->edges[n++], f, f->open[i], err));
    if (n > 1)
        qsort(a->edges, n, sizeof *a->edges, by_value);
    a->n_edges = 0;
    for (size_t i = 0; i < n; i++)
        if (i == 0 || a->edges[i] != a->edges[i - 1])
            a->edges[a->n_edges++] = a->edges[i];
done:
    return st;
}

static cf_status gather_places(cf_spans *out, finder *f, cf_part_kind kind, cf_error *err)
{
    cf_status st = CF_OK;
    f->n_pieces = 0;
    for (size_t i = 0; i < f->n_open; i++) {
        const cf_part *part = &f->parts->items[f->open[i]];
        for (size_t s = 0; part->kind == kind && s < part->query.n; s++)
            CF_TRY(add_piece(f, part->query.items[s].begin, part->query.items[s].end, err));
    }
    CF_TRY(join_pieces(out, f, err));
done:
    return st;
}

/* The rows that an action changes: the cut queries that see a cut key, windows aside: those from the first one on that
 * sees the edge's first key; and the zeroed places. */
static cf_status changed_rows(cf_spans *out, finder *f, cf_error *err)
{
    cf_status st = CF_OK;
    const cf_action *a = &f->action;
    const cf_spans *zeroed[] = {&a->zero_attention, &a->zero_mlp};
    f->n_pieces = 0;
    for (size_t i = 0; i < a->n_edges; i++) {
        const cf_edge *e = &f->plan->edges[a->edges[i]];
        const int32_t first = cf_sight_restart_row(f->sight, e->key.items[0].begin);
        for (size_t s = 0; s < e->query.n; s++)
            CF_TRY(add_piece(f, e->query.items[s].begin > first ? e->query.items[s].begin : first,
                             e->query.items[s].end, err));
    }
    for (size_t z = 0; z < sizeof zeroed / sizeof *zeroed; z++)
        for (size_t s = 0; s < zeroed[z]->n; s++)
            CF_TRY(add_piece(f, zeroed[z]->items[s].begin, zeroed[z]->items[s].end, err));
    CF_TRY(join_pieces(out, f, err));
    assert(out->n && last_of(out) < f->plan->length);
done:
    return st;
}

/* Adds a copy of f->action. */
static cf_status add_action(finder *f, uint64_t hash, cf_error *err)
{
    cf_status st = CF_OK;
    cf_plan *p = f->plan;
    cf_action a = {.n_edges = f->action.n_edges};
    cf_spans changed = {0};
    void *actions = p->actions, *edges = NULL, *rows = f->out->changed;
    CF_TRY(changed_rows(&changed, f, err));
    CF_TRY(cf_spans_copy(&a.zero_attention, &f->action.zero_attention, err));
    CF_TRY(cf_spans_copy(&a.zero_mlp, &f->action.zero_mlp, err));
    CF_TRY(cf_alloc(&edges, a.n_edges, sizeof *a.edges, "edges of an action", err));
    a.edges = edges;
    if (a.n_edges)
        memcpy(a.edges, f->action.edges, a.n_edges * sizeof *a.edges);
    CF_TRY(cf_index_table_add(&f->actions, hash, err));
    CF_TRY(cf_grow(&actions, &p->cap_actions, p->n_actions + 1, sizeof *p->actions, "actions", err));
    p->actions = actions;
    CF_TRY(cf_grow(&rows, &f->out->cap, f->out->n + 1, sizeof *f->out->changed, "rows of actions", err));
    f->out->changed = rows;
    p->actions[p->n_actions++] = a;
    f->out->changed[f->out->n++] = changed;
    a = (cf_action){0};
    changed = (cf_spans){0};
done:
    cf_spans_deinit(&changed);
    cf_spans_deinit(&a.zero_attention);
    cf_spans_deinit(&a.zero_mlp);
    free(a.edges);
    return st;
}

/* The index of the action of the open parts, added if new. */
static cf_status find_action(int32_t *out, finder *f, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(gather_edges(f, err));
    CF_TRY(gather_places(&f->action.zero_attention, f, CF_PART_ZERO_ATTENTION, err));
    CF_TRY(gather_places(&f->action.zero_mlp, f, CF_PART_ZERO_MLP, err));
    uint64_t hash = hash_ints(0, f->action.edges, f->action.n_edges);
    hash = hash_spans(hash_spans(hash, &f->action.zero_attention), &f->action.zero_mlp);
    size_t probe = 0;
    do {
        *out = cf_index_table_find(&f->actions, hash, &probe);
    } while (*out >= 0 && !same_action(&f->plan->actions[*out], &f->action));
    if (*out < 0) {
        CF_TRY(add_action(f, hash, err));
        *out = (int32_t)f->plan->n_actions - 1;
    }
done:
    return st;
}

/* ---- runs ---- */

static cf_status take_parts(finder *f, const cf_parts *parts, cf_error *err)
{
    cf_status st = CF_OK;
    if (parts == f->parts)
        return CF_OK;
    void *edge = f->edge, *open = f->open;
    CF_TRY(cf_grow(&edge, &f->cap_edge, parts->n, sizeof *f->edge, "edges of parts", err));
    f->edge = edge;
    CF_TRY(cf_grow(&open, &f->cap_open, parts->n, sizeof *f->open, "open parts", err));
    f->open = open;
    for (size_t i = 0; i < parts->n; i++)
        f->edge[i] = NOT_LOOKED_UP;
    f->parts = parts;
done:
    return st;
}

static cf_status find_run(finder *f, const cf_plan_run *run, size_t index, cf_error *err)
{
    cf_status st = CF_OK;
    const int32_t n_layers = f->plan->n_layers;
    int32_t *of = f->out->of + index * (size_t)n_layers;
    CF_TRY(take_parts(f, run->parts, err));
    const cf_run_status status = classify(f, run);
    f->plan->runs[index] = (cf_planned_run){status, CF_BASELINE, run->parts->empty_group};
    for (int32_t layer = 0, end; layer < n_layers; layer = end) {
        int32_t action = -1;
        open_parts(f, run, layer, &end);
        if (status == CF_RUN_PLANNED && f->n_open)
            CF_TRY(find_action(&action, f, err));
        for (int32_t l = layer; l < end; l++)
            of[l] = action;
    }
done:
    return st;
}

void cf_run_actions_deinit(cf_run_actions *a)
{
    for (size_t i = 0; i < a->n; i++)
        cf_spans_deinit(&a->changed[i]);
    free(a->changed);
    free(a->of);
    *a = (cf_run_actions){0};
}

cf_status cf_run_actions_find(cf_run_actions *out, cf_plan *p, const cf_plan_run *runs, int32_t n_heads,
                              const cf_sight *sight, cf_error *err)
{
    cf_status st = CF_OK;
    cf_run_actions found = {.sight = sight};
    finder f = {.plan = p, .sight = sight, .out = &found, .n_heads = n_heads};
    void *of = NULL;
    size_t n = 0;
    CF_TRY(cf_mul_size(&n, p->n_runs, (size_t)p->n_layers, err));
    CF_TRY(cf_alloc(&of, n, sizeof *found.of, "actions of runs", err));
    found.of = of;
    for (size_t i = 0; i < p->n_runs; i++)
        CF_TRY(find_run(&f, &runs[i], i, err));
    *out = found;
    found = (cf_run_actions){0};
done:
    cf_run_actions_deinit(&found);
    cf_index_table_deinit(&f.edges);
    cf_index_table_deinit(&f.actions);
    cf_spans_deinit(&f.action.zero_attention);
    cf_spans_deinit(&f.action.zero_mlp);
    free(f.action.edges);
    free(f.edge);
    free(f.open);
    free(f.pieces);
    return st;
}
