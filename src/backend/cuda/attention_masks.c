/* attention_masks.c - see attention_masks.h.
 *
 * Segments of a sweep carry few distinct lists of cuts (one per action of the plan), each many times and mostly over
 * the same query positions: a list is found by its address, and a segment whose positions are those of the segment
 * before with that list takes its classes over. */
#include "backend/cuda/attention_masks.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

typedef struct cut_list {
    const cf_cut *cuts;
    int64_t n_cuts;
    int32_t first_class;  /* or -1 */
    const int32_t *q_pos; /* of the segment last classified */
    int64_t n_q;
    size_t resolved; /* index of its rows' classes */
} cut_list;

cf_status cf_pool_extend(cf_pool *p, void **out, size_t n, cf_error *err)
{
    const cf_status st = cf_grow(&p->items, &p->cap, p->n + n, p->size, "the attention plan", err);
    if (st != CF_OK)
        return st;
    *out = (char *)p->items + p->n * p->size;
    p->n += n;
    return CF_OK;
}

void cf_attend_masks_init(cf_attend_masks *m)
{
    *m = (cf_attend_masks){.words.size = sizeof(uint64_t),
                           .at.size = sizeof(int32_t),
                           .tile_bits.size = sizeof(uint64_t),
                           .classes.size = sizeof(cf_attend_class),
                           .members.size = sizeof(int32_t),
                           .lists.size = sizeof(cut_list),
                           .buckets.size = sizeof(int32_t),
                           .resolved.size = sizeof(int32_t)};
}

void cf_attend_masks_deinit(cf_attend_masks *m)
{
    cf_pool *const pools[] = {&m->words,   &m->at,    &m->tile_bits, &m->classes,
                              &m->members, &m->lists, &m->buckets,   &m->resolved};
    for (size_t i = 0; i < sizeof pools / sizeof pools[0]; i++)
        free(pools[i]->items);
    cf_attend_masks_init(m);
}

cf_status cf_attend_masks_begin(cf_attend_masks *m, const cf_attn *a, size_t n_tiles, cf_error *err)
{
    size_t n_buckets = 16;
    while (n_buckets < 2 * (size_t)a->n_segments)
        n_buckets *= 2;
    m->n_heads = a->n_heads;
    m->n_tiles = n_tiles;
    m->words.n = m->at.n = m->tile_bits.n = m->classes.n = m->members.n = m->lists.n = m->buckets.n = m->resolved.n = 0;
    void *buckets = NULL;
    const cf_status st = cf_pool_extend(&m->buckets, &buckets, n_buckets, err);
    if (st == CF_OK)
        memset(buckets, 0xff, n_buckets * sizeof(int32_t));
    return st;
}

/* Finds the list of cuts of a segment, or takes it up. */
static cf_status find_list(cf_attend_masks *m, cut_list **out, const cf_attn_segment *s, cf_error *err)
{
    int32_t *buckets = m->buckets.items;
    const size_t last = m->buckets.n - 1;
    size_t at = (size_t)(((uintptr_t)s->cuts >> 3) * 0x9e3779b97f4a7c15u >> 32) & last;
    for (; buckets[at] >= 0; at = (at + 1) & last) {
        cut_list *l = (cut_list *)m->lists.items + buckets[at];
        if (l->cuts == s->cuts && l->n_cuts == s->n_cuts) {
            *out = l;
            return CF_OK;
        }
    }
    void *l = NULL;
    const cf_status st = cf_pool_extend(&m->lists, &l, 1, err);
    if (st != CF_OK)
        return st;
    buckets[at] = (int32_t)m->lists.n - 1;
    *out = l;
    **out = (cut_list){.cuts = s->cuts, .n_cuts = s->n_cuts, .first_class = -1};
    return CF_OK;
}

static bool in_heads(const cf_cut *cut, int64_t head)
{
    return !cut->heads || (cut->heads[head / 64] >> (head % 64) & 1);
}

/* Whether the same of a class's cuts apply in two heads. */
static bool same_cuts(const cf_attend_masks *m, const cf_cut *cuts, const cf_attend_class *c, int64_t a, int64_t b)
{
    const int32_t *member = (const int32_t *)m->members.items + c->first_cut;
    for (int32_t i = 0; i < c->n_cuts; i++)
        if (in_heads(&cuts[member[i]], a) != in_heads(&cuts[member[i]], b))
            return false;
    return true;
}

/* Clears the bits of keys [begin, end). */
static void hide_keys(uint64_t *words, size_t n_words, int64_t begin, int64_t end)
{
    const int64_t most = (int64_t)n_words * 64;
    if (end > most)
        end = most;
    for (int64_t p = begin > 0 ? begin : 0; p < end;) {
        const int64_t stop = (p / 64 + 1) * 64 < end ? (p / 64 + 1) * 64 : end;
        const uint64_t low = ~0ull << (p % 64), high = stop % 64 ? ~(~0ull << (stop % 64)) : ~0ull;
        words[p / 64] &= ~(low & high);
        p = stop;
    }
}

/* Room for n bitsets at *out; *at: the word the first begins at. */
static cf_status add_bitsets(cf_attend_masks *m, uint64_t **out, int32_t *at, size_t n, cf_error *err)
{
    void *words = NULL;
    const size_t first = m->words.n;
    if (n * m->n_tiles > INT32_MAX - first)
        return cf_fail(err, CF_UNSUPPORTED, "attention: masks of more than %d words", INT32_MAX);
    const cf_status st = cf_pool_extend(&m->words, &words, n * m->n_tiles, err);
    *out = words;
    *at = (int32_t)first;
    return st;
}

/* The bitset of a class in one head; *at is -1 where none of its cuts applies there. */
static cf_status make_bitset(cf_attend_masks *m, int32_t *at, const cf_cut *cuts, const cf_attend_class *c,
                             int64_t head, cf_error *err)
{
    const int32_t *member = (const int32_t *)m->members.items + c->first_cut;
    uint64_t *words = NULL;
    *at = -1;
    for (int32_t i = 0; i < c->n_cuts; i++) {
        if (!in_heads(&cuts[member[i]], head))
            continue;
        if (!words) {
            const cf_status st = add_bitsets(m, &words, at, 1, err);
            if (st != CF_OK)
                return st;
            memset(words, 0xff, m->n_tiles * sizeof *words);
        }
        const cf_spans *keys = cuts[member[i]].key;
        for (size_t k = 0; k < keys->n; k++)
            hide_keys(words, m->n_tiles, keys->items[k].begin, keys->items[k].end);
    }
    return CF_OK;
}

/* Which tiles a class sees a key of in some head, from its bitsets. */
static cf_status mark_tiles(cf_attend_masks *m, cf_attend_class *c, cf_error *err)
{
    const size_t n_words = (m->n_tiles + 63) / 64;
    const int32_t *at = (const int32_t *)m->at.items + c->mask;
    void *memory = NULL;
    const cf_status st = cf_pool_extend(&m->tile_bits, &memory, n_words, err);
    if (st != CF_OK)
        return st;
    uint64_t *bits = memory;
    c->tiles = (int32_t)(m->tile_bits.n - n_words);
    memset(bits, 0, n_words * sizeof *bits);
    for (int64_t h = 0; h < (c->head_step ? m->n_heads : 1); h++)
        for (size_t t = 0; t < m->n_tiles; t++)
            if (at[h] < 0 || ((const uint64_t *)m->words.items)[(size_t)at[h] + t])
                bits[t / 64] |= 1ull << (t % 64);
    return CF_OK;
}

/* Bitsets for a class whose cuts are known: one for all heads, or one for each distinct pattern of heads. */
static cf_status make_bitsets(cf_attend_masks *m, const cf_cut *cuts, cf_attend_class *c, cf_error *err)
{
    cf_status st = CF_OK;
    const int32_t *member = (const int32_t *)m->members.items + c->first_cut;
    for (int32_t i = 0; i < c->n_cuts; i++)
        if (cuts[member[i]].heads)
            c->head_step = 1;
    const int64_t n = c->head_step ? m->n_heads : 1;
    void *memory = NULL;
    CF_TRY(cf_pool_extend(&m->at, &memory, (size_t)n, err));
    int32_t *at = memory;
    c->mask = (int32_t)(m->at.n - (size_t)n);
    for (int64_t h = 0; h < n; h++) {
        int64_t like = 0;
        while (like < h && !same_cuts(m, cuts, c, like, h))
            like++;
        if (like < h)
            at[h] = at[like];
        else
            CF_TRY(make_bitset(m, &at[h], cuts, c, h, err));
    }
    CF_TRY(mark_tiles(m, c, err));
done:
    return st;
}

/* The class of rows at a position, among those of a list of cuts. */
static cf_status class_of(cf_attend_masks *m, int32_t *out, cut_list *l, int32_t position, cf_error *err)
{
    cf_status st = CF_OK;
    void *memory = NULL;
    cf_attend_class made = {.first_cut = (int32_t)m->members.n, .next = l->first_class};
    CF_TRY(cf_pool_extend(&m->members, &memory, (size_t)l->n_cuts, err));
    int32_t *member = memory;
    for (int64_t i = 0; i < l->n_cuts; i++)
        if (cf_spans_contain(l->cuts[i].query, position))
            member[made.n_cuts++] = (int32_t)i;
    m->members.n = (size_t)(made.first_cut + made.n_cuts);
    *out = -1;
    if (made.n_cuts == 0)
        return CF_OK;
    for (int32_t c = l->first_class; c >= 0;) {
        const cf_attend_class *known = (const cf_attend_class *)m->classes.items + c;
        const int32_t *others = (const int32_t *)m->members.items + known->first_cut;
        if (known->n_cuts == made.n_cuts && memcmp(others, member, (size_t)made.n_cuts * sizeof *member) == 0) {
            m->members.n = (size_t)made.first_cut;
            *out = c;
            return CF_OK;
        }
        c = known->next;
    }
    CF_TRY(make_bitsets(m, l->cuts, &made, err));
    CF_TRY(cf_pool_extend(&m->classes, &memory, 1, err));
    *(cf_attend_class *)memory = made;
    *out = l->first_class = (int32_t)m->classes.n - 1;
done:
    return st;
}

static cf_status classify_cut(cf_attend_masks *m, int32_t *row_class, const cf_attn_segment *s, cf_error *err)
{
    cf_status st = CF_OK;
    cut_list *l = NULL;
    void *memory = NULL;
    const size_t n = (size_t)s->n_q;
    CF_TRY(find_list(m, &l, s, err));
    if (l->q_pos && l->n_q == s->n_q && memcmp(l->q_pos, s->q_pos, n * sizeof *s->q_pos) == 0) {
        memcpy(row_class, (const int32_t *)m->resolved.items + l->resolved, n * sizeof *row_class);
        return CF_OK;
    }
    for (size_t i = 0; i < n; i++)
        CF_TRY(class_of(m, &row_class[i], l, s->q_pos[i], err));
    CF_TRY(cf_pool_extend(&m->resolved, &memory, n, err));
    memcpy(memory, row_class, n * sizeof *row_class);
    l->q_pos = s->q_pos;
    l->n_q = s->n_q;
    l->resolved = m->resolved.n - n;
done:
    return st;
}

/* Rows of a dense mask are bitsets already, but for their length. */
static cf_status classify_dense(cf_attend_masks *m, int32_t *row_class, const cf_attn_segment *s, cf_error *err)
{
    cf_status st = CF_OK;
    const int64_t n_sets = s->dense_per_head ? m->n_heads : 1;
    const size_t n_words = (size_t)(s->n_keys + 63) / 64, n = (size_t)s->n_q;
    uint64_t *words = NULL;
    int32_t first = 0;
    void *classes = NULL, *at = NULL;
    CF_TRY(add_bitsets(m, &words, &first, n * (size_t)n_sets, err));
    for (size_t r = 0; r < n * (size_t)n_sets; r++) {
        memcpy(words + r * m->n_tiles, s->dense + r * n_words, n_words * sizeof *words);
        memset(words + r * m->n_tiles + n_words, 0, (m->n_tiles - n_words) * sizeof *words);
    }
    CF_TRY(cf_pool_extend(&m->at, &at, n * (size_t)n_sets, err));
    CF_TRY(cf_pool_extend(&m->classes, &classes, n, err));
    for (size_t i = 0; i < n; i++) {
        const size_t mask = m->at.n - (n - i) * (size_t)n_sets;
        for (int64_t h = 0; h < n_sets; h++)
            ((int32_t *)m->at.items)[mask + (size_t)h] =
                first + (int32_t)(((size_t)h * n + i) * m->n_tiles); /* dense rows stand head by head */
        ((cf_attend_class *)classes)[i] =
            (cf_attend_class){.mask = (int32_t)mask, .head_step = s->dense_per_head, .tiles = -1};
        row_class[i] = (int32_t)(m->classes.n - n + i);
    }
done:
    return st;
}

cf_status cf_attend_masks_classify(cf_attend_masks *m, int32_t *row_class, const cf_attn_segment *s, cf_error *err)
{
    if (s->dense)
        return classify_dense(m, row_class, s, err);
    if (s->n_cuts)
        return classify_cut(m, row_class, s, err);
    memset(row_class, 0xff, (size_t)s->n_q * sizeof *row_class);
    return CF_OK;
}

/* Whether a bitset has one of keys [begin, end). Looks from the end: the nearest keys are the last ones to be cut. */
static bool has_key(const uint64_t *words, int64_t begin, int64_t end)
{
    for (int64_t t = (end - 1) / 64; t >= begin / 64; t--) {
        uint64_t w = words[t];
        if (t == (end - 1) / 64 && end % 64)
            w &= ~(~0ull << (end % 64));
        if (t == begin / 64)
            w &= ~0ull << (begin % 64);
        if (w)
            return true;
    }
    return false;
}

bool cf_attend_masks_sees(const cf_attend_masks *m, int32_t row_class, int64_t begin, int64_t end)
{
    if (begin >= end)
        return false;
    if (row_class < 0)
        return true;
    const cf_attend_class *c = (const cf_attend_class *)m->classes.items + row_class;
    const int32_t *at = (const int32_t *)m->at.items + c->mask;
    for (int64_t h = 0; h < (c->head_step ? m->n_heads : 1); h++)
        if (at[h] >= 0 && (h == 0 || at[h] != at[h - 1]) &&
            !has_key((const uint64_t *)m->words.items + at[h], begin, end))
            return false;
    return true;
}
