/* drawn_runs.c - see drawn_runs.h. */
#include "drawn_runs.h"

#include <stdlib.h>

enum { MAX_PARTS = 4 };

/* splitmix64 (Steele et al. 2014). */
uint32_t draw(uint64_t *seed, uint32_t n)
{
    uint64_t z = (*seed += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (uint32_t)((z ^ (z >> 31)) % n);
}

void draw_spans(cf_spans *out, int32_t first, int32_t length, uint32_t rarity, uint64_t *seed)
{
    for (int32_t p = first; p < length; p++)
        if (draw(seed, rarity) == 0)
            OK(cf_spans_add(out, p, p + 1, &err));
}

/* Half of them queries near the end, half anywhere; layers and heads of its own with one chance in two. */
static void draw_part(cf_part *out, const sample_set *set, int32_t length, uint64_t *seed)
{
    out->kind = draw(seed, 3) ? CF_PART_CUT : draw(seed, 2) ? CF_PART_ZERO_ATTENTION : CF_PART_ZERO_MLP;
    const int32_t first = draw(seed, 2) ? length - 1 - (int32_t)draw(seed, 8) : (int32_t)draw(seed, (uint32_t)length);
    draw_spans(&out->query, first, length, 1 + draw(seed, 3), seed);
    if (out->query.n == 0)
        OK(cf_spans_add(&out->query, first, first + 1, &err));
    if (draw(seed, 2))
        draw_spans(&out->layers, 0, set->n_layers, 2, seed);
    if (out->kind != CF_PART_CUT)
        return;
    if (draw(seed, 16) == 0) /* no key is left */
        OK(cf_spans_add(&out->key, 0, first + 1, &err));
    else
        draw_spans(&out->key, 1 + (int32_t)draw(seed, (uint32_t)length - 1), length, 1 + draw(seed, 4), seed);
    if (out->key.n == 0)
        OK(cf_spans_add(&out->key, 1, 2, &err));
    if (draw(seed, 2)) {
        out->heads = malloc(sizeof *out->heads);
        assert_non_null(out->heads);
        *out->heads = 1 + draw(seed, ((uint32_t)1 << set->n_heads) - 1);
        out->n_head_words = 1;
    }
}

drawn_runs *runs_draw(const sample_set *set, int32_t length, const int32_t *forced, int32_t n_forced, uint64_t seed)
{
    drawn_runs *r = calloc(1, sizeof *r);
    assert_non_null(r);
    for (size_t i = 0; i < N_DRAWN; i++) {
        cf_parts *p =
            &r->parts[i - (i % 3 == 2)]; /* each third has the same parts as the one before, in other layers */
        draw_spans(&r->windows[i], 0, set->n_layers, 2, &seed);
        r->planned[i] = (cf_plan_run){p, &r->windows[i]};
        r->oracle[i] = (cf_oracle_run){p, &r->windows[i], forced, n_forced};
        if (p->n)
            continue;
        p->items = calloc(MAX_PARTS, sizeof *p->items);
        assert_non_null(p->items);
        p->cap = MAX_PARTS;
        for (p->n = 0; p->n < 1 + i % MAX_PARTS; p->n++)
            draw_part(&p->items[p->n], set, length, &seed);
    }
    return r;
}

void runs_free(drawn_runs *r)
{
    for (size_t i = 0; i < N_DRAWN; i++) {
        cf_parts_deinit(&r->parts[i]);
        cf_spans_deinit(&r->windows[i]);
    }
    free(r);
}
