/* test_attention_plan.c - the planner of attention, without kernels: what a kernel that follows a plan would see, key by
 * key, is what the call says; and what a plan costs. */
#include <stdlib.h>
#include <string.h>

#include "backend/backend_internal.h"
#include "backend/cuda/attention_plan.h"
#include "cuda/test_cuda.h"
#include "support/fail_alloc.h"

enum { MOST_KEYS = 400, MOST_HEADS = 3 };

static cf_attend_view plan_call(cf_attend_plan *p, const cf_attn *a)
{
    size_t bytes = 0;
    OK(cf_attend_plan_build(p, a, &err));
    const void *data = cf_attend_plan_data(p, &bytes);
    assert_true(data || bytes == 0);
    return cf_attend_plan_view(p, data);
}

static cf_attend_plan *new_plan(void)
{
    cf_attend_plan *p = NULL;
    OK(cf_attend_plan_create(&p, &err));
    return p;
}

/* The call's own words: as in ref_attention.c. */
static bool is_visible(const cf_attn *a, const cf_attn_segment *s, int64_t head, int64_t i, int64_t key)
{
    if (s->dense) {
        const int64_t words = (s->n_keys + 63) / 64, row = s->dense_per_head ? head * s->n_q + i : i;
        return s->dense[row * words + key / 64] >> (key % 64) & 1;
    }
    bool sees = !(a->causal && key > s->q_pos[i]) && !(a->window && key <= s->q_pos[i] - a->window);
    for (int64_t c = 0; c < s->n_cuts; c++)
        if (cf_cut_reaches(&s->cuts[c], head, s->q_pos[i]) && cf_spans_contain(s->cuts[c].key, (int32_t)key))
            sees = false;
    return sees;
}

/* Where a row finds a key: below 0 in the shared kv, at -1 - position; else that row of the own keys; NOWHERE where it
 * does not. */
enum { NOWHERE = INT32_MIN };

/* What one slot sees in one head, following the item's steps; fails where a tile comes twice or out of order. */
static void follow(int32_t *found, const cf_attend_view *v, const cf_attend_item *item, int32_t slot, int64_t head)
{
    const cf_attend_row *row = &v->rows[item->first_row + slot];
    const int32_t at = row->mask < 0 ? -1 : v->mask_at[row->mask + head * row->head_step];
    int32_t before = -1;
    for (int32_t k = 0; k < MOST_KEYS; k++)
        found[k] = NOWHERE;
    for (int32_t i = 0; i < item->n_steps; i++) {
        const cf_attend_step *s = &v->steps[item->first_step + i];
        if (slot < s->slot_begin || slot >= s->slot_end || (s->own_begin == INT32_MAX) != (s->tile < row->n_shared))
            continue;
        assert_true(s->tile > before);
        before = s->tile;
        for (int32_t k = s->tile * CF_KEY_TILE; k < (s->tile + 1) * CF_KEY_TILE; k++)
            if (k >= row->key_begin && k < row->key_end && (at < 0 || (v->masks[at + s->tile] >> (k % 64) & 1))) {
                assert_true(k < s->own_end);
                found[k] = k < s->own_begin ? -1 - k : s->own_row + k - s->own_begin;
            }
    }
}

/* Every query row in one slot, and what it sees in every head. */
static void check_plan(const char *name, const cf_attn *a, const cf_attend_view *v)
{
    int64_t n_rows = 0, n_slots = 0;
    for (int64_t i = 0; i < a->n_segments; i++)
        n_rows += a->segments[i].n_q;
    for (int32_t i = 0; i < v->n_items; i++) {
        assert_true(i == 0 || v->items[i].n_steps <= v->items[i - 1].n_steps);
        for (int32_t slot = 0; slot < CF_QUERY_TILE; slot++) {
            const cf_attend_row *row = &v->rows[v->items[i].first_row + slot];
            assert_true((row->q_row < 0) == (row->key_end == 0));
            if (row->q_row < 0)
                continue;
            n_slots++;
            const cf_attn_segment *s = a->segments;
            while (row->q_row < s->q_row || row->q_row >= s->q_row + s->n_q)
                s++;
            for (int64_t head = 0; head < a->n_heads; head++) {
                int32_t found[MOST_KEYS];
                follow(found, v, &v->items[i], slot, head);
                for (int32_t k = 0; k < MOST_KEYS; k++) {
                    const int32_t stored = k < s->own_begin ? -1 - k : (int32_t)(s->own_row + k - s->own_begin);
                    const int32_t expected =
                        k < s->n_keys && is_visible(a, s, head, row->q_row - s->q_row, k) ? stored : NOWHERE;
                    if (found[k] != expected)
                        fail_msg("%s: row %d, head %d, key %d: found at %d, expected at %d", name, row->q_row,
                                 (int)head, k, found[k], expected);
                }
            }
        }
    }
    assert_int_equal(n_slots, n_rows);
}

static const cf_spans words = {.items = (cf_span[]){{150, 175}, {190, 192}, {300, 330}}, .n = 3};
static const cf_spans last = {.items = (cf_span[]){{191, 193}, {340, 350}}, .n = 2};
static const cf_spans picture = {.items = (cf_span[]){{3, 140}}, .n = 1};
static const cf_spans some_keys = {.items = (cf_span[]){{0, 1}, {64, 128}, {150, 160}, {500, 600}}, .n = 4};
static const uint64_t second_head[] = {2};
static const cf_cut all_heads_cuts[] = {{&words, &picture, NULL}};
static const cf_cut some_heads_cuts[] = {
    {&last, &some_keys, second_head}, {&words, &picture, NULL}, {&words, &some_keys, second_head}};

enum { N_Q = 50 };

/* Segments of every kind, in one call: fresh rows, own rows from several places, single rows, everything own. */
static void every_row_sees_the_keys_the_call_says_in_order(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool causal;
        int64_t window;
    } kinds[] = {{"causal", true, 0}, {"window of 70", true, 70}, {"window of 1", true, 1}, {"acausal", false, 0}};
    static const struct {
        int64_t n_q, own_begin, n_keys;
        bool with_own;
        int cuts; /* 0: none, 1: all heads, 2: some heads, 3: dense, 4: dense per head */
    } runs[] = {{22, 200, 200, false, 1}, {22, 200, 200, false, 0}, {40, 153, 200, true, 1},  {40, 153, 200, true, 2},
                {1, 199, 200, true, 0},   {1, 199, 200, true, 2},   {50, 0, 200, true, 1},    {50, 128, 200, true, 2},
                {0, 200, 200, false, 0},  {33, 64, 200, true, 3},   {33, 200, 200, false, 4}, {50, 300, 390, true, 2},
                {7, 390, 390, false, 1}};
    cf_attend_plan *p = new_plan();
    for (int64_t kind = 0; kind < COUNT(kinds); kind++) {
        cf_attn_segment segments[COUNT(runs)];
        static int32_t pos[COUNT(runs)][N_Q];
        static uint64_t dense[2][MOST_HEADS * N_Q * 4];
        int64_t q_row = 5, own_row = 2;
        for (int64_t i = 0; i < COUNT(dense[0]) * 2; i++)
            dense[i / COUNT(dense[0])][i % COUNT(dense[0])] = ((uint64_t)i + 1) * 0x9e3779b97f4a7c15u;
        for (int64_t r = 0; r < COUNT(runs); r++) {
            const bool windowed_cut = kinds[kind].window && runs[r].cuts < 3; /* a query must see a key */
            segments[r] = (cf_attn_segment){.q_row = q_row,
                                            .n_q = runs[r].n_q,
                                            .q_pos = pos[r],
                                            .own_begin = runs[r].own_begin,
                                            .own_row = own_row,
                                            .n_own = runs[r].with_own ? runs[r].n_keys - runs[r].own_begin : 0,
                                            .n_keys = runs[r].n_keys};
            for (int64_t i = 0; i < runs[r].n_q; i++)
                pos[r][i] = (int32_t)(runs[r].n_keys - runs[r].n_q + i);
            if (runs[r].cuts >= 3) {
                segments[r].dense = dense[runs[r].cuts - 3];
                segments[r].dense_per_head = runs[r].cuts == 4;
            } else if (runs[r].cuts && !windowed_cut) {
                segments[r].cuts = runs[r].cuts == 1 ? all_heads_cuts : some_heads_cuts;
                segments[r].n_cuts = runs[r].cuts == 1 ? COUNT(all_heads_cuts) : COUNT(some_heads_cuts);
            }
            q_row += runs[r].n_q;
            own_row += segments[r].n_own;
        }
        const cf_attn a = {.n_heads = MOST_HEADS,
                           .n_kv_heads = 1,
                           .head_dim = 8,
                           .causal = kinds[kind].causal,
                           .window = kinds[kind].window,
                           .segments = segments,
                           .n_segments = COUNT(runs)};
        for (int pass = 0; pass < 2; pass++) { /* the second: nothing is left of the first */
            const cf_attend_view v = plan_call(p, &a);
            check_plan(kinds[kind].name, &a, &v);
        }
    }
    cf_attend_plan_free(p);
}

static void a_call_without_rows_has_no_items(void **state)
{
    (void)state;
    cf_attend_plan *p = new_plan();
    const cf_attn_segment empty = {.own_begin = 10, .n_keys = 10};
    const cf_attn calls[] = {{.n_heads = 1, .n_kv_heads = 1, .head_dim = 8},
                             {.n_heads = 1, .n_kv_heads = 1, .head_dim = 8, .segments = &empty, .n_segments = 1}};
    for (int64_t i = 0; i < COUNT(calls); i++)
        assert_int_equal(plan_call(p, &calls[i]).n_items, 0);
    cf_attend_plan_free(p);
}

/* A sweep's layer: runs over the same positions, with cuts that several share. */
enum { RUNS = 100, RUN_ROWS = 40, LENGTH = 621 };

static void lay_runs(cf_attn_segment *segments, int32_t *pos, const cf_cut *cuts, int64_t n_cuts)
{
    for (int64_t i = 0; i < RUN_ROWS; i++)
        pos[i] = (int32_t)(LENGTH - RUN_ROWS + i);
    for (int64_t i = 0; i < RUNS; i++)
        segments[i] = (cf_attn_segment){.q_row = i * RUN_ROWS,
                                        .n_q = RUN_ROWS,
                                        .q_pos = pos,
                                        .own_begin = LENGTH - RUN_ROWS,
                                        .own_row = i * RUN_ROWS,
                                        .n_own = RUN_ROWS,
                                        .n_keys = LENGTH,
                                        .cuts = i % 2 ? cuts : NULL,
                                        .n_cuts = i % 2 ? n_cuts : 0};
}

static const cf_spans question = {.items = (cf_span[]){{582, 603}}, .n = 1};
static const cf_spans image = {.items = (cf_span[]){{5, 581}}, .n = 1};

static void runs_with_the_same_cuts_share_their_masks(void **state)
{
    (void)state;
    static cf_attn_segment segments[RUNS];
    static int32_t pos[RUN_ROWS];
    static const uint64_t even_heads[] = {0x55555555};
    const cf_cut cut = {&question, &image, NULL}, in_some = {&question, &image, even_heads};
    const struct {
        const char *name;
        const cf_cut *cut;
        int64_t n_bitsets;
        int32_t head_step;
    } cases[] = {{"all heads", &cut, 1, 0}, {"every other head", &in_some, 1, 1}};
    cf_attend_plan *p = new_plan();
    for (int64_t c = 0; c < COUNT(cases); c++) {
        lay_runs(segments, pos, cases[c].cut, 1);
        const cf_attn a = {
            .n_heads = 32, .n_kv_heads = 32, .head_dim = 128, .causal = true, .segments = segments, .n_segments = RUNS};
        const cf_attend_view v = plan_call(p, &a);
        for (int32_t i = 0; i < v.n_items * CF_QUERY_TILE; i++) {
            const cf_attend_row *row = &v.rows[i];
            const int32_t at = row->q_row < 0 ? 0 : pos[row->q_row % RUN_ROWS];
            const bool cut_here = row->q_row >= 0 && row->q_row / RUN_ROWS % 2 && cf_spans_contain(&question, at);
            assert_int_equal(row->mask, cut_here ? 0 : -1); /* one class */
            assert_int_equal(row->head_step, cut_here ? cases[c].head_step : 0);
        }
        assert_int_equal((const char *)v.items - (const char *)v.masks,
                         (int64_t)sizeof(uint64_t) * cases[c].n_bitsets * 10);
        for (int32_t h = 0; h < (cases[c].head_step ? 32 : 1); h++)
            assert_int_equal(v.mask_at[h], h % 2 ? -1 : 0);
    }
    cf_attend_plan_free(p);
}

/* Shared tiles are read once for the runs of an item; own ones once for each of its runs. */
static void steps_are_shared_by_the_runs_of_an_item(void **state)
{
    (void)state;
    static cf_attn_segment segments[RUNS];
    static int32_t pos[RUN_ROWS];
    lay_runs(segments, pos, NULL, 0);
    const cf_attn a = {
        .n_heads = 32, .n_kv_heads = 8, .head_dim = 128, .causal = true, .segments = segments, .n_segments = RUNS};
    cf_attend_plan *p = new_plan();
    const cf_attend_view v = plan_call(p, &a);
    assert_int_equal(v.n_items, (RUNS * RUN_ROWS + CF_QUERY_TILE - 1) / CF_QUERY_TILE);
    for (int32_t i = 0; i < v.n_items; i++) {
        int32_t n_shared = 0;
        for (int32_t s = 0; s < v.items[i].n_steps; s++)
            n_shared += v.steps[v.items[i].first_step + s].own_begin == INT32_MAX;
        assert_int_equal(n_shared, 9);                     /* positions 0 .. 575 */
        assert_in_range(v.items[i].n_steps, 9 + 1, 9 + 3); /* rows of two runs, or three */
    }
    cf_attend_plan_free(p);
}

static void a_tile_that_no_row_of_an_item_sees_is_no_step(void **state)
{
    (void)state;
    int32_t pos[20];
    for (int32_t i = 0; i < 20; i++)
        pos[i] = 582 + i;
    const cf_cut cut = {&question, &image, NULL};
    const cf_attn_segment s = {
        .n_q = 20, .q_pos = pos, .own_begin = LENGTH, .n_keys = LENGTH, .cuts = &cut, .n_cuts = 1};
    const cf_attn a = {.n_heads = 1, .n_kv_heads = 1, .head_dim = 8, .causal = true, .segments = &s, .n_segments = 1};
    cf_attend_plan *p = new_plan();
    const cf_attend_view v = plan_call(p, &a);
    assert_int_equal(v.n_items, 1);
    assert_int_equal(v.items[0].n_steps, 2); /* keys 0 .. 4, and 581 on */
    assert_int_equal(v.steps[0].tile, 0);
    assert_int_equal(v.steps[1].tile, 9);
    cf_attend_plan_free(p);
}

/* Runs of one row have an own tile each: they are spread over items instead of standing one behind the other. */
static void runs_of_one_row_are_spread_over_items(void **state)
{
    (void)state;
    static cf_attn_segment segments[64];
    const int32_t pos[] = {LENGTH - 1};
    for (int64_t i = 0; i < 64; i++)
        segments[i] = (cf_attn_segment){
            .q_row = i, .n_q = 1, .q_pos = pos, .own_begin = LENGTH - 1, .own_row = i, .n_own = 1, .n_keys = LENGTH};
    const cf_attn a = {
        .n_heads = 1, .n_kv_heads = 1, .head_dim = 8, .causal = true, .segments = segments, .n_segments = 64};
    cf_attend_plan *p = new_plan();
    const cf_attend_view v = plan_call(p, &a);
    assert_int_equal(v.n_items, 4);
    for (int32_t i = 0; i < 4; i++)
        assert_int_equal(v.items[i].n_steps, 9 + 16);
    cf_attend_plan_free(p);
}

static void a_query_without_a_key_is_found_while_planning(void **state)
{
    (void)state;
    const cf_spans query = {.items = (cf_span[]){{70, 71}}, .n = 1}, below = {.items = (cf_span[]){{0, 70}}, .n = 1};
    const cf_spans near = {.items = (cf_span[]){{65, 71}}, .n = 1};
    const uint64_t second[] = {2};
    const int32_t q_pos[] = {69, 70, 71};
    static const uint64_t nothing[3 * 2] = {1, 0, 0, 0, 1, 0}, beyond[3 * 2] = {1, 0, 0, 1ull << 8, 1, 0};
    const struct {
        const char *name;
        cf_cut cuts[2];
        const uint64_t *dense;
        int64_t window;
        cf_status expected;
    } cases[] = {
        {"a key is left", {{&query, &below, NULL}, {&query, &below, NULL}}, NULL, 0, CF_OK},
        {"none is left", {{&query, &below, NULL}, {&query, &query, NULL}}, NULL, 0, CF_MISMATCH},
        {"none is left in one head", {{&query, &below, NULL}, {&query, &query, second}}, NULL, 0, CF_MISMATCH},
        {"none is left in the window", {{&query, &near, NULL}, {&query, &near, NULL}}, NULL, 6, CF_MISMATCH},
        {"one is left in the window", {{&query, &near, NULL}, {&query, &near, NULL}}, NULL, 7, CF_OK},
        {"an empty row of a dense mask", {{0}}, nothing, 0, CF_MISMATCH},
        {"a row of a dense mask that sees what is not there", {{0}}, beyond, 0, CF_MISMATCH},
    };
    cf_attend_plan *p = new_plan();
    for (int64_t c = 0; c < COUNT(cases); c++) {
        const cf_attn_segment s = {.n_q = 3,
                                   .q_pos = q_pos,
                                   .own_begin = 72,
                                   .n_keys = 72,
                                   .cuts = cases[c].cuts,
                                   .n_cuts = cases[c].dense ? 0 : 2,
                                   .dense = cases[c].dense};
        const cf_attn a = {.n_heads = 4,
                           .n_kv_heads = 2,
                           .head_dim = 8,
                           .causal = true,
                           .window = cases[c].window,
                           .segments = &s,
                           .n_segments = 1};
        cf_error err = {0};
        const cf_status st = cf_attend_plan_build(p, &a, &err);
        if (st != cases[c].expected)
            fail_msg("%s: status %d", cases[c].name, (int)st);
        if (st != CF_OK)
            assert_string_equal(err.text, "attention: query position 70 sees no key");
    }
    cf_attend_plan_free(p);
}

static void a_plan_survives_each_failed_allocation(void **state)
{
    (void)state;
    static cf_attn_segment segments[RUNS];
    static int32_t pos[RUN_ROWS];
    static const uint64_t even_heads[] = {0x5};
    const cf_cut cut = {&question, &image, even_heads};
    lay_runs(segments, pos, &cut, 1);
    const cf_attn a = {
        .n_heads = 4, .n_kv_heads = 4, .head_dim = 8, .causal = true, .segments = segments, .n_segments = RUNS};
    for (int64_t n = 1;; n++) {
        cf_attend_plan *p = NULL;
        cf_error err = {0};
        fail_alloc_at(n);
        cf_status st = cf_attend_plan_create(&p, &err);
        if (st == CF_OK)
            st = cf_attend_plan_build(p, &a, &err);
        const bool failed = fail_alloc_off();
        assert_int_equal(st, failed ? CF_NOMEM : CF_OK);
        if (p && failed) { /* and is as good as new */
            const cf_attend_view v = plan_call(p, &a);
            assert_int_equal(v.n_items, (RUNS * RUN_ROWS + CF_QUERY_TILE - 1) / CF_QUERY_TILE);
        }
        cf_attend_plan_free(p);
        if (!failed)
            break;
    }
}

int test_attention_plan(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_sees_the_keys_the_call_says_in_order),
        cmocka_unit_test(a_call_without_rows_has_no_items),
        cmocka_unit_test(runs_with_the_same_cuts_share_their_masks),
        cmocka_unit_test(steps_are_shared_by_the_runs_of_an_item),
        cmocka_unit_test(a_tile_that_no_row_of_an_item_sees_is_no_step),
        cmocka_unit_test(runs_of_one_row_are_spread_over_items),
        cmocka_unit_test(a_query_without_a_key_is_found_while_planning),
        cmocka_unit_test(a_plan_survives_each_failed_allocation),
    };
    return cmocka_run_group_tests_name("the plan of attention", tests, NULL, NULL);
}
