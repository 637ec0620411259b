/* group_positions.c - where the terms of a group lie in one sample; see group_expr.h. */
#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "knockout/group_expr.h"
#include "text/prompt.h"

static int32_t clipped(int32_t position, int32_t length)
{
    if (position < 0)
        position += length;
    return position < 0 ? 0 : position < length ? position : length;
}

/* Positions [begin, end) of the group, counted in their order. */
static cf_status indexed_positions(cf_spans *out, const cf_term *t, const cf_spans *group, cf_error *err)
{
    const int32_t n = (int32_t)cf_spans_count(group), begin = clipped(t->begin, n), end = clipped(t->end, n);
    int32_t before = 0; /* positions of the group in earlier spans */
    cf_status st = CF_OK;
    for (size_t i = 0; st == CF_OK && i < group->n; i++) {
        const cf_span s = group->items[i];
        const int32_t size = s.end - s.begin;
        const int32_t from = begin > before ? begin - before : 0, to = end < before + size ? end - before : size;
        if (from < to)
            st = cf_spans_add(out, s.begin + from, s.begin + to, err);
        before += size;
    }
    return st;
}

static cf_status named_positions(cf_spans *out, const cf_term *t, const cf_groups *groups, cf_side side,
                                 int32_t n_after, cf_error *err)
{
    if (t->indexed)
        return indexed_positions(out, t, &groups->of[t->named], err);
    cf_status st = cf_spans_copy(out, &groups->of[t->named], err);
    if (st == CF_OK && t->named == CF_GROUP_LAST && side == CF_SIDE_QUERY)
        st = cf_spans_add(out, groups->length, groups->length + n_after, err);
    return st;
}

static cf_status text_positions(cf_spans *out, const cf_term *t, const cf_scene *s, cf_error *err)
{
    const size_t after =
        (size_t)s->image.begin + 1; /* ids before it: what is written before the picture, and the picture */
    assert(after <= s->n_ids);
    cf_span found = {0};
    const cf_status st =
        cf_text_find(&found, NULL, s->tokenizer, s->ids + after, s->n_ids - after, cf_slice_of(t->text), err);
    if (st == CF_MISMATCH) /* it does not occur: a term without positions */
        return CF_OK;
    return st == CF_OK ? cf_spans_add(out, s->image.end + found.begin, s->image.end + found.end, err) : st;
}

static cf_status box_positions(cf_spans *out, const cf_term *t, const cf_scene *s, cf_error *err)
{
    const int32_t n = s->image.end - s->image.begin;
    assert(n == s->tiling->grid.n_positions);
    cf_status st = CF_OK;
    void *memory = NULL;
    CF_TRY(cf_alloc(&memory, (size_t)n, sizeof(bool), "patches of a box", err));
    bool *hit = memory;
    CF_TRY(cf_tiling_boxes(hit, s->tiling, &t->box, 1, s->preprocess, err));
    for (int32_t i = 0; i < n; i++)
        if (hit[i])
            CF_TRY(cf_spans_add(out, s->image.begin + i, s->image.begin + i + 1, err));
done:
    free(memory);
    return st;
}

static bool within(cf_span s, int32_t i)
{
    return i >= s.begin && i < s.end;
}

/* Patches are found by where they come from, so that every packing of tiles has one path. */
static cf_status patch_positions(cf_spans *out, const cf_term *t, const cf_scene *s, cf_error *err)
{
    const cf_tiling *tiling = s->tiling;
    cf_status st = CF_OK;
    for (int32_t i = 0; st == CF_OK && i < tiling->grid.n_positions; i++) {
        cf_patch_place at;
        if (cf_tiling_place(&at, tiling, i) && at.hd == t->hd && within(t->rows, at.row) &&
            within(t->columns, at.column))
            st = cf_spans_add(out, s->image.begin + i, s->image.begin + i + 1, err);
    }
    return st;
}

static cf_status term_positions(cf_spans *out, const cf_term *t, const cf_scene *s, cf_side side, int32_t n_after,
                                cf_error *err)
{
    const int32_t length = s->groups->length;
    switch (t->kind) {
    case CF_TERM_NAMED:
        return named_positions(out, t, s->groups, side, n_after, err);
    case CF_TERM_RANGE:
        return cf_spans_add(out, clipped(t->begin, length), clipped(t->end, length), err);
    case CF_TERM_TEXT:
        return text_positions(out, t, s, err);
    case CF_TERM_BOX:
        return box_positions(out, t, s, err);
    case CF_TERM_PATCH:
        return patch_positions(out, t, s, err);
    }
    return CF_OK;
}

cf_status cf_group_positions(cf_spans *out, const cf_group_expr *e, const cf_scene *s, cf_side side, int32_t n_after,
                             cf_error *err)
{
    assert(out->n == 0);
    cf_status st = CF_OK;
    cf_spans sum = {0}, term = {0}, next = {0};
    for (size_t i = 0; i < e->n; i++) {
        CF_TRY(term_positions(&term, &e->terms[i], s, side, n_after, err));
        if (e->terms[i].minus)
            CF_TRY(cf_spans_minus(&next, &sum, &term, err));
        else
            CF_TRY(cf_spans_union(&next, &sum, &term, err));
        cf_spans_deinit(&term);
        cf_spans_deinit(&sum);
        sum = next;
        next = (cf_spans){0};
    }
    cf_spans_deinit(out);
    *out = sum;
    sum = (cf_spans){0};
done:
    cf_spans_deinit(&sum);
    cf_spans_deinit(&term);
    return st;
}
