/* attention_plan.c - see attention_plan.h: packs rows into items and lists their steps; attention_masks.c makes the
 * masks.
 *
 * Rows are packed in the order of the call, without regard to where segments end: with runs of a few dozen rows, slots
 * left empty would cost more than the own tile of a segment that is cut in two. Only the own steps are limited: a query
 * tile full of runs of one row (->Last) would have 64 of them one after the other, while other multiprocessors idle. */
#include "backend/cuda/attention_plan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "backend/cuda/attention_masks.h"
#include "base/memory.h"

enum { MOST_OWN_STEPS = 16 }; /* of an item that is not one segment's: as many as a warp has rows */

struct cf_attend_plan {
    cf_attend_masks masks;
    cf_pool rows;                                   /* cf_attend_row */
    cf_pool items;                                  /* cf_attend_item */
    cf_pool steps;                                  /* cf_attend_step */
    cf_pool own_steps;                              /* cf_attend_step: of the open item */
    cf_pool shared;                                 /* uint64_t: bit per tile, of the open item's shared steps */
    cf_pool own;                                    /* uint64_t: likewise, of the rows being placed */
    cf_pool row_class;                              /* int32_t: of the segment being placed */
    cf_pool data;                                   /* char: the arrays, one after the other */
    size_t at_items, at_steps, at_rows, at_mask_at; /* bytes; masks stand at 0, their words need the alignment */
    int32_t n_slots;                                /* filled in the open item; 0: none is open */
};

cf_status cf_attend_plan_create(cf_attend_plan **out, cf_error *err)
{
    cf_attend_plan *p = calloc(1, sizeof *p);
    if (!p)
        return cf_fail(err, CF_NOMEM, "no memory for the attention plan");
    cf_attend_masks_init(&p->masks);
    p->rows.size = sizeof(cf_attend_row);
    p->items.size = sizeof(cf_attend_item);
    p->steps.size = p->own_steps.size = sizeof(cf_attend_step);
    p->shared.size = p->own.size = sizeof(uint64_t);
    p->row_class.size = sizeof(int32_t);
    p->data.size = 1;
    *out = p;
    return CF_OK;
}

void cf_attend_plan_free(cf_attend_plan *p)
{
    if (!p)
        return;
    cf_pool *const pools[] = {&p->rows, &p->items, &p->steps,     &p->own_steps,
                              &p->own,  &p->data,  &p->row_class, &p->shared};
    cf_attend_masks_deinit(&p->masks);
    for (size_t i = 0; i < sizeof pools / sizeof pools[0]; i++)
        free(pools[i]->items);
    free(p);
}

static int64_t tiles_of(int64_t n_keys)
{
    return (n_keys + CF_KEY_TILE - 1) / CF_KEY_TILE;
}

static size_t bit_words(const cf_attend_plan *p)
{
    return (p->masks.n_tiles + 63) / 64;
}

/* n zeroed words. */
static cf_status clear_bits(cf_pool *bits, size_t n, cf_error *err)
{
    void *memory = NULL;
    bits->n = 0;
    const cf_status st = cf_pool_extend(bits, &memory, n, err);
    if (st == CF_OK)
        memset(memory, 0, n * sizeof(uint64_t));
    return st;
}

/* bits |= tiles [begin, end), those only that `seen` (NULL: all) has. */
static void add_tiles(uint64_t *bits, const uint64_t *seen, int64_t begin, int64_t end)
{
    for (int64_t t = begin; t < end;) {
        const int64_t stop = (t / 64 + 1) * 64 < end ? (t / 64 + 1) * 64 : end;
        const uint64_t low = ~0ull << (t % 64), high = stop % 64 ? ~(~0ull << (stop % 64)) : ~0ull;
        bits[t / 64] |= low & high & (seen ? seen[t / 64] : ~0ull);
        t = stop;
    }
}

/* A step for each tile of a bitset, like *model but for the tile. */
static cf_status add_steps(cf_pool *steps, const uint64_t *bits, size_t n_words, const cf_attend_step *model,
                           cf_error *err)
{
    for (size_t w = 0; w < n_words; w++)
        for (uint64_t left = bits[w]; left; left &= left - 1) {
            void *memory = NULL;
            const cf_status st = cf_pool_extend(steps, &memory, 1, err);
            if (st != CF_OK)
                return st;
            cf_attend_step *step = memory;
            *step = *model;
            step->tile = (int32_t)(w * 64) + __builtin_ctzll(left);
        }
    return CF_OK;
}

static cf_status open_item(cf_attend_plan *p, cf_error *err)
{
    cf_status st = CF_OK;
    void *memory = NULL;
    CF_TRY(clear_bits(&p->shared, bit_words(p), err));
    p->own_steps.n = 0;
    CF_TRY(cf_pool_extend(&p->rows, &memory, CF_QUERY_TILE, err));
    cf_attend_row *rows = memory;
    for (int i = 0; i < CF_QUERY_TILE; i++)
        rows[i] = (cf_attend_row){.q_row = -1, .mask = -1};
done:
    return st;
}

static cf_status close_item(cf_attend_plan *p, cf_error *err)
{
    cf_status st = CF_OK;
    void *memory = NULL;
    if (p->n_slots == 0)
        return CF_OK;
    const size_t first = p->steps.n;
    const cf_attend_step shared = {.slot_end = CF_QUERY_TILE, .own_begin = INT32_MAX, .own_end = INT32_MAX};
    CF_TRY(add_steps(&p->steps, p->shared.items, bit_words(p), &shared, err));
    CF_TRY(cf_pool_extend(&p->steps, &memory, p->own_steps.n, err));
    if (p->own_steps.n)
        memcpy(memory, p->own_steps.items, p->own_steps.n * sizeof(cf_attend_step));
    CF_TRY(cf_pool_extend(&p->items, &memory, 1, err));
    *(cf_attend_item *)memory = (cf_attend_item){.first_step = (int32_t)first,
                                                 .n_steps = (int32_t)(p->steps.n - first),
                                                 .first_row = (int32_t)(p->rows.n - CF_QUERY_TILE)};
    p->n_slots = 0;
done:
    return st;
}

/* What query row i of a segment sees, before masks. */
static cf_attend_row row_of(const cf_attn *a, const cf_attn_segment *s, int64_t i)
{
    const int64_t position = s->q_pos[i];
    cf_attend_row r = {.q_row = (int32_t)(s->q_row + i), .key_end = (int32_t)s->n_keys, .mask = -1};
    r.n_shared = (int32_t)(s->n_own ? s->own_begin / CF_KEY_TILE : tiles_of(s->n_keys));
    if (s->dense)
        return r;
    if (a->causal && position + 1 < s->n_keys)
        r.key_end = (int32_t)position + 1;
    if (a->window && position >= a->window)
        r.key_begin = (int32_t)(position + 1 - a->window);
    return r;
}

/* Rows i .. i+n-1 of a segment into the open item's next slots, and their tiles into its bitsets. */
static cf_status place_rows(cf_attend_plan *p, const cf_attn *a, const cf_attn_segment *s, int64_t i, int32_t n,
                            cf_error *err)
{
    const int32_t *row_class = p->row_class.items;
    cf_attend_row *slots = (cf_attend_row *)p->rows.items + p->rows.n - CF_QUERY_TILE + p->n_slots;
    uint64_t *shared = p->shared.items, *own = p->own.items;
    for (int32_t j = 0; j < n; j++, i++) {
        cf_attend_row r = row_of(a, s, i);
        const uint64_t *seen = NULL;
        if (!cf_attend_masks_sees(&p->masks, row_class[i], r.key_begin, r.key_end))
            return cf_fail(err, CF_MISMATCH, "attention: query position %d sees no key", s->q_pos[i]);
        if (row_class[i] >= 0) {
            const cf_attend_class *c = (const cf_attend_class *)p->masks.classes.items + row_class[i];
            r.mask = c->mask;
            r.head_step = c->head_step;
            seen = c->tiles < 0 ? NULL : (const uint64_t *)p->masks.tile_bits.items + c->tiles;
        }
        slots[j] = r;
        const int64_t begin = r.key_begin / CF_KEY_TILE, end = tiles_of(r.key_end), border = r.n_shared;
        add_tiles(shared, seen, begin, end < border ? end : border);
        add_tiles(own, seen, begin > border ? begin : border, end);
    }
    return CF_OK;
}

static cf_status place_segment(cf_attend_plan *p, const cf_attn *a, const cf_attn_segment *s, cf_error *err)
{
    cf_status st = CF_OK;
    void *memory = NULL;
    if (s->n_q == 0)
        return CF_OK;
    p->row_class.n = 0;
    CF_TRY(cf_pool_extend(&p->row_class, &memory, (size_t)s->n_q, err));
    CF_TRY(cf_attend_masks_classify(&p->masks, memory, s, err));
    for (int64_t i = 0; i < s->n_q;) {
        if (p->n_slots == 0)
            CF_TRY(open_item(p, err));
        const int64_t left = s->n_q - i, room = CF_QUERY_TILE - p->n_slots;
        const int32_t n = (int32_t)(left < room ? left : room);
        CF_TRY(clear_bits(&p->own, bit_words(p), err));
        CF_TRY(place_rows(p, a, s, i, n, err));
        const cf_attend_step own = {.slot_begin = p->n_slots,
                                    .slot_end = p->n_slots + n,
                                    .own_begin = (int32_t)s->own_begin,
                                    .own_end = (int32_t)s->n_keys,
                                    .own_row = (int32_t)s->own_row};
        CF_TRY(add_steps(&p->own_steps, p->own.items, bit_words(p), &own, err));
        p->n_slots += n;
        i += n;
        if (p->n_slots == CF_QUERY_TILE || p->own_steps.n >= MOST_OWN_STEPS)
            CF_TRY(close_item(p, err));
    }
done:
    return st;
}

/* Most steps first: what is left for the end is short. */
static int by_work(const void *x, const void *y)
{
    const cf_attend_item *a = x, *b = y;
    if (a->n_steps != b->n_steps)
        return a->n_steps > b->n_steps ? -1 : 1;
    return (a->first_row > b->first_row) - (a->first_row < b->first_row);
}

/* Copies an array behind what the data hold, at a multiple of 8 bytes. */
static cf_status append(cf_pool *data, size_t *at, const cf_pool *array, cf_error *err)
{
    void *memory = NULL;
    const size_t bytes = array->n * array->size;
    *at = data->n;
    const cf_status st = cf_pool_extend(data, &memory, (bytes + 7) / 8 * 8, err);
    if (st == CF_OK && bytes)
        memcpy(memory, array->items, bytes);
    return st;
}

cf_status cf_attend_plan_build(cf_attend_plan *p, const cf_attn *a, cf_error *err)
{
    cf_status st = CF_OK;
    size_t at_masks = 0;
    int64_t longest = 0;
    for (int64_t i = 0; i < a->n_segments; i++) {
        const cf_attn_segment *s = &a->segments[i];
        if (s->n_keys > longest)
            longest = s->n_keys;
        if (s->n_own && s->own_row + s->n_own > INT32_MAX / (a->n_kv_heads * a->head_dim))
            return cf_fail(err, CF_UNSUPPORTED, "attention: keys of %lld rows by %lld: expected below 2^31 elements",
                           (long long)(s->own_row + s->n_own), (long long)(a->n_kv_heads * a->head_dim));
    }
    p->rows.n = p->items.n = p->steps.n = p->data.n = 0;
    p->n_slots = 0;
    CF_TRY(cf_attend_masks_begin(&p->masks, a, (size_t)tiles_of(longest), err));
    for (int64_t i = 0; i < a->n_segments; i++)
        CF_TRY(place_segment(p, a, &a->segments[i], err));
    CF_TRY(close_item(p, err));
    if (p->items.n)
        qsort(p->items.items, p->items.n, sizeof(cf_attend_item), by_work);
    CF_TRY(append(&p->data, &at_masks, &p->masks.words, err));
    CF_TRY(append(&p->data, &p->at_items, &p->items, err));
    CF_TRY(append(&p->data, &p->at_steps, &p->steps, err));
    CF_TRY(append(&p->data, &p->at_rows, &p->rows, err));
    CF_TRY(append(&p->data, &p->at_mask_at, &p->masks.at, err));
    assert(at_masks == 0);
done:
    return st;
}

const void *cf_attend_plan_data(const cf_attend_plan *p, size_t *bytes)
{
    *bytes = p->data.n;
    return p->data.items;
}

cf_attend_view cf_attend_plan_view(const cf_attend_plan *p, const void *base)
{
    const char *b = base;
    return (cf_attend_view){.items = (const cf_attend_item *)(const void *)(b + p->at_items),
                            .steps = (const cf_attend_step *)(const void *)(b + p->at_steps),
                            .rows = (const cf_attend_row *)(const void *)(b + p->at_rows),
                            .mask_at = (const int32_t *)(const void *)(b + p->at_mask_at),
                            .masks = (const uint64_t *)(const void *)b,
                            .n_items = (int32_t)p->items.n};
}
