/* sight.c - see sight.h.
 *
 * Neither end of the keys that a query sees falls from one query to the next, and neighbours share a key or touch: so
 * the keys that a span of queries sees are one span, too. */
#include "knockout/sight.h"

/* The block that holds a position; the position alone where none does. */
static cf_span block_of(const cf_sight *s, int32_t position)
{
    for (size_t i = 0; i < s->n_blocks && s->blocks[i].begin <= position; i++)
        if (position < s->blocks[i].end)
            return s->blocks[i];
    return (cf_span){position, position + 1};
}

int32_t cf_sight_window(const cf_sight *s, int32_t layer)
{
    return s->window ? s->window[layer] : 0;
}

cf_span cf_sight_keys(const cf_sight *s, int32_t layer, int32_t query)
{
    const int32_t window = cf_sight_window(s, layer);
    const cf_span block = block_of(s, query);
    const int32_t first = window && query >= window ? query - window + 1 : 0;
    return (cf_span){first < block.begin ? first : block.begin, block.end};
}

bool cf_sight_meets(const cf_sight *s, int32_t layer, const cf_spans *query, const cf_spans *key)
{
    for (size_t q = 0; q < query->n; q++) {
        const cf_span queries = query->items[q];
        const int32_t begin = cf_sight_keys(s, layer, queries.begin).begin;
        const int32_t end = cf_sight_keys(s, layer, queries.end - 1).end;
        for (size_t k = 0; k < key->n; k++)
            if (key->items[k].begin < end && begin < key->items[k].end)
                return true;
    }
    return false;
}

int32_t cf_sight_restart_row(const cf_sight *s, int32_t q0)
{
    return block_of(s, q0).begin;
}
