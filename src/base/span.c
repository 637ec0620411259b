/* span.c - see span.h. */
#include "base/span.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

void cf_spans_deinit(cf_spans *s)
{
    free(s->items);
    *s = (cf_spans){0};
}

cf_status cf_spans_add(cf_spans *s, int32_t begin, int32_t end, cf_error *err)
{
    if (begin >= end)
        return CF_OK;
    assert(s->n == 0 || begin >= s->items[s->n - 1].end);
    if (s->n && s->items[s->n - 1].end == begin) {
        s->items[s->n - 1].end = end;
        return CF_OK;
    }
    void *items = s->items;
    const cf_status st = cf_grow(&items, &s->cap, s->n + 1, sizeof *s->items, "position spans", err);
    if (st != CF_OK)
        return st;
    s->items = items;
    s->items[s->n++] = (cf_span){begin, end};
    return CF_OK;
}

cf_status cf_spans_copy(cf_spans *out, const cf_spans *s, cf_error *err)
{
    cf_spans copy = {0};
    for (size_t i = 0; i < s->n; i++) {
        const cf_status st = cf_spans_add(&copy, s->items[i].begin, s->items[i].end, err);
        if (st != CF_OK) {
            cf_spans_deinit(&copy);
            return st;
        }
    }
    *out = copy;
    return CF_OK;
}

bool cf_spans_equal(const cf_spans *a, const cf_spans *b)
{
    return a->n == b->n && (a->n == 0 || memcmp(a->items, b->items, a->n * sizeof *a->items) == 0);
}

bool cf_spans_contain(const cf_spans *s, int32_t position)
{
    for (size_t i = 0; i < s->n; i++)
        if (position >= s->items[i].begin && position < s->items[i].end)
            return true;
    return false;
}

int64_t cf_spans_count(const cf_spans *s)
{
    int64_t n = 0;
    for (size_t i = 0; i < s->n; i++)
        n += s->items[i].end - s->items[i].begin;
    return n;
}

/* The i-th border of a list, begins and ends in turn: a position is inside the list where an odd number of borders lies
 * at or below it. */
static int64_t border(const cf_spans *s, size_t i)
{
    if (i >= 2 * s->n)
        return INT64_MAX;
    return i % 2 ? s->items[i / 2].end : s->items[i / 2].begin;
}

/* The positions of only a, of only b, of both, as asked: one walk over the borders of the two lists. */
static cf_status combine(cf_spans *out, const cf_spans *a, const cf_spans *b, bool only_a, bool only_b, bool both,
                         cf_error *err)
{
    assert(out->n == 0);
    cf_status st = CF_OK;
    cf_spans made = {0};
    size_t i = 0, j = 0;
    for (int64_t from = 0; i < 2 * a->n || j < 2 * b->n;) {
        const int64_t at = border(a, i) < border(b, j) ? border(a, i) : border(b, j);
        const bool in_a = i % 2, in_b = j % 2;
        if ((in_a && in_b && both) || (in_a && !in_b && only_a) || (!in_a && in_b && only_b))
            CF_TRY(cf_spans_add(&made, (int32_t)from, (int32_t)at, err));
        i += border(a, i) == at;
        j += border(b, j) == at;
        from = at;
    }
    cf_spans_deinit(out);
    *out = made;
    made = (cf_spans){0};
done:
    cf_spans_deinit(&made);
    return st;
}

cf_status cf_spans_union(cf_spans *out, const cf_spans *a, const cf_spans *b, cf_error *err)
{
    return combine(out, a, b, true, true, true, err);
}

cf_status cf_spans_minus(cf_spans *out, const cf_spans *a, const cf_spans *b, cf_error *err)
{
    return combine(out, a, b, true, false, false, err);
}

cf_status cf_spans_both(cf_spans *out, const cf_spans *a, const cf_spans *b, cf_error *err)
{
    return combine(out, a, b, false, false, true, err);
}
