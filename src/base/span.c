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
