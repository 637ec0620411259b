/* parts_random.c - the random control: as many keys as the flow takes, from elsewhere. parts.h has the exact draw. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "knockout/parts_internal.h"
#include "knockout/splitmix64.h"

typedef struct drawer {
    cf_parts *parts;
    const cf_flow *flow;
    const cf_reach *reach; /* of the flow's edges */
    int32_t length, n_heads;
    const cf_draw *draw;
    int32_t *keys; /* [length] those that the query at hand may lose */
    bool *marked;  /* [length] */
} drawer;

static bool together(const cf_flow_edge *a, const cf_flow_edge *b)
{
    return cf_spans_equal(&a->layers, &b->layers) && cf_spans_equal(&a->heads, &b->heads);
}

/* Marks the sources of those edges, of the ones drawn for together with edge `first`, that reach the query; false where it
 * sees none of their keys. */
static bool mark_sources(drawer *d, size_t first, int32_t query)
{
    bool any = false;
    for (size_t e = first; e < d->flow->n_edges; e++) {
        const cf_spans *keys = &d->reach[e].key;
        if (!together(&d->flow->edges[first], &d->flow->edges[e]) || !cf_spans_contain(&d->reach[e].query, query))
            continue;
        for (size_t s = 0; s < keys->n && keys->items[s].begin <= query; s++) {
            if (!any)
                memset(d->marked, 0, (size_t)d->length * sizeof *d->marked);
            any = true;
            for (int32_t k = keys->items[s].begin; k < keys->items[s].end; k++)
                d->marked[k] = true;
        }
    }
    return any;
}

/* Fisher-Yates, stopped after n keys. */
static void shuffle(drawer *d, int32_t n, int32_t m, int32_t query)
{
    uint64_t state = cf_splitmix64_mix(d->draw->seed) ^ d->draw->row;
    state = cf_splitmix64_mix(state) ^ (uint64_t)d->draw->repeat;
    state = cf_splitmix64_mix(cf_splitmix64_mix(state) ^ (uint64_t)query);
    for (int32_t i = 0; i < n; i++) {
        const int32_t j = i + (int32_t)(cf_splitmix64_next(&state) % (uint64_t)(m - i));
        const int32_t key = d->keys[i];
        d->keys[i] = d->keys[j];
        d->keys[j] = key;
    }
}

static cf_status add_drawn(drawer *d, size_t first, int32_t query, int32_t n, cf_error *err)
{
    cf_status st = CF_OK;
    cf_part part = {.kind = CF_PART_CUT};
    memset(d->marked, 0, (size_t)d->length * sizeof *d->marked);
    for (int32_t i = 0; i < n; i++)
        d->marked[d->keys[i]] = true;
    for (int32_t k = 0; k <= query; k++)
        if (d->marked[k])
            CF_TRY(cf_spans_add(&part.key, k, k + 1, err));
    CF_TRY(cf_spans_add(&part.query, query, query + 1, err));
    CF_TRY(cf_part_take_limits(&part, &d->flow->edges[first], d->n_heads, err));
    CF_TRY(cf_parts_add(d->parts, &part, err));
done:
    cf_part_deinit(&part);
    return st;
}

static cf_status draw_for_query(drawer *d, size_t first, int32_t query, cf_error *err)
{
    int32_t m = 0; /* keys outside the sources */
    if (!mark_sources(d, first, query))
        return CF_OK;
    for (int32_t k = 0; k <= query; k++)
        if (!d->marked[k])
            d->keys[m++] = k;
    const int32_t n = query + 1 - m;
    if (n > m) {
        d->parts->too_few_keys = true;
        return CF_OK;
    }
    shuffle(d, n, m, query);
    return add_drawn(d, first, query, n, err);
}

/* Whether no edge before it is drawn for together with this one. */
static bool is_first(const cf_flow *flow, size_t edge)
{
    for (size_t e = 0; e < edge; e++)
        if (together(&flow->edges[e], &flow->edges[edge]))
            return false;
    return true;
}

cf_status cf_parts_draw(cf_parts *p, const cf_flow *flow, const cf_reach *reach, int32_t length, int32_t n_heads,
                        const cf_draw *draw, cf_error *err)
{
    cf_status st = CF_OK;
    void *keys = NULL, *marked = NULL;
    assert(draw);
    CF_TRY(cf_alloc(&keys, (size_t)length, sizeof(int32_t), "keys of a query", err));
    CF_TRY(cf_alloc(&marked, (size_t)length, sizeof(bool), "keys of a query", err));
    drawer d = {p, flow, reach, length, n_heads, draw, keys, marked};
    for (size_t e = 0; e < flow->n_edges; e++)
        if (is_first(flow, e))
            for (int32_t q = 0; q < length && !p->too_few_keys; q++)
                CF_TRY(draw_for_query(&d, e, q, err));
    for (; p->too_few_keys && p->n; p->n--)
        cf_part_deinit(&p->items[p->n - 1]);
done:
    free(keys);
    free(marked);
    return st;
}
