/* test_attention_exact.c - what attention's bits do not depend on, by memcmp. The sweep is exact because these hold. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attend_call.h"
#include "attend_cuts.h"

static const heads all_heads[] = {{1, 1, 8}, {2, 1, 24}, {3, 3, 32}, {4, 2, 80}, {8, 2, 128}};

/* In all heads and in some. */
static const uint64_t some_heads[] = {0xa6};
static const cf_cut cuts[] = {{&late, &picture, NULL}, {&last, &words, some_heads}, {&late, &words, some_heads}};
static const attend_run cut_run = {.n_q = N_Q, .n_own = 33, .cuts = cuts, .n_cuts = COUNT(cuts)};

static attend_run run_of(int64_t n_own, bool with_cuts)
{
    attend_run r = with_cuts ? cut_run : (attend_run){.n_q = N_Q};
    r.q_pos = queries();
    r.n_own = n_own;
    return r;
}

static void repetition_and_threads_do_not_matter(void **state)
{
    const fixture *f = *state;
    for (int64_t h = 0; h<COUNT(all_heads); h += f->thin> 1 ? 2 : 1)
        for (int with_cuts = 0; with_cuts < 2; with_cuts++) {
            sequence s = sequence_make(1, all_heads[h], N_KEYS, 2);
            const attend_run run = run_of(33, with_cuts);
            float *first = attend(f->two, &s, &run, 1, (attend_layout){0});
            for (int pass = 0; pass < 2; pass++) {
                float *again = attend(pass ? f->one : f->two, &s, &run, 1, (attend_layout){0});
                check_same(pass ? "one thread" : "repeated", h, with_cuts, 0, first, again,
                           N_Q * s.heads.n * s.heads.dim);
                free(again);
            }
            free(first);
            sequence_free(&s);
        }
}

static void a_query_row_has_its_bits_alone_in_any_block_and_at_any_place(void **state)
{
    const fixture *f = *state;
    for (int64_t h = 0; h<COUNT(all_heads); h += f->thin> 1 ? 2 : 1)
        for (int with_cuts = 0; with_cuts < 2; with_cuts++) {
            sequence s = sequence_make(2, all_heads[h], N_KEYS, 2);
            const int64_t width = s.heads.n * s.heads.dim;
            attend_run run = run_of(33, with_cuts);
            float *whole = attend(f->two, &s, &run, 1, (attend_layout){0});
            for (run.n_q = 1; run.n_q <= 13; run.n_q += f->thin)
                for (int64_t begin = 0; begin + run.n_q <= N_Q; begin += run.n_q) {
                    run.q_pos = queries() + begin;
                    float *part = attend(f->two, &s, &run, 1, (attend_layout){.rows_before = begin % 5});
                    check_same("block", h, run.n_q, begin, whole + begin * width, part, run.n_q * width);
                    free(part);
                }
            free(whole);
            sequence_free(&s);
        }
}

/* Queries, keys and values in a dtype of values: the bits of the f32 they are. On an accelerator in 16 bits also where they are rounded from f32: stored, or on their way to a product. */
static void check_values(cf_backend *be, heads h, cf_dtype dtype)
{
    sequence s = sequence_make(10, h, N_KEYS, 2);
    const int64_t n = N_Q * s.heads.n * s.heads.dim, kv_width = s.heads.n_kv * s.heads.dim;
    if (dtype != cf_backend_compute(be)) {
        round_values(s.q, N_KEYS * s.heads.n * s.heads.dim, dtype);
        round_values(s.k, N_KEYS * kv_width, dtype);
        round_values(s.v, N_KEYS * kv_width, dtype);
    }
    static const int64_t owns[] = {0, 1, 33, N_KEYS};
    for (int64_t i = 0; i < COUNT(owns); i++) {
        const attend_run run = run_of(owns[i], i % 2);
        float *expected = attend(be, &s, &run, 1, (attend_layout){0});
        for (int in_views = 0; in_views < 2; in_views++) {
            float *got =
                attend(be, &s, &run, 1, (attend_layout){.in = dtype, .in_views = in_views, .rows_before = 3 * i});
            check_same("values", h.dim, owns[i], in_views, expected, got, n);
            free(got);
        }
        free(expected);
    }
    sequence_free(&s);
}

static void attention_takes_values_as_they_are(void **state)
{
    const fixture *f = *state;
    static const heads odd_heads[] = {{5, 1, 1}, {3, 3, 7}, {2, 1, 12}, {2, 1, 24}, {8, 2, 128}};
    for (int64_t h = 0; h < COUNT(odd_heads); h++) {
        check_values(f->ref, odd_heads[h], CF_F16);
        check_values(f->ref, odd_heads[h], CF_BF16);
        check_values(f->two, odd_heads[h], f->value);
    }
}

/* Runs stacked in one call, each with its own boundary and cuts, get the bits they get alone. */
static void runs_do_not_know_one_another(void **state)
{
    const fixture *f = *state;
    for (int64_t h = 0; h<COUNT(all_heads); h += f->thin> 1 ? 2 : 1) {
        sequence s = sequence_make(3, all_heads[h], N_KEYS, 2);
        const int64_t width = s.heads.n * s.heads.dim;
        const attend_run runs[] = {run_of(33, true),  run_of(1, false), run_of(0, true),   run_of(N_KEYS, true),
                                   run_of(72, false), run_of(8, true),  run_of(136, false)};
        float *together = attend(f->two, &s, runs, COUNT(runs), (attend_layout){.rows_before = 3});
        for (int64_t i = 0; i < COUNT(runs); i++) {
            float *alone = attend(f->two, &s, &runs[i], 1, (attend_layout){0});
            check_same("stacked run", h, i, 0, together + i * N_Q * width, alone, N_Q * width);
            free(alone);
        }
        free(together);
        sequence_free(&s);
    }
}

static void it_does_not_matter_which_buffer_holds_a_key(void **state)
{
    const fixture *f = *state;
    for (int64_t h = 0; h<COUNT(all_heads); h += f->thin> 1 ? 2 : 1)
        for (int with_cuts = 0; with_cuts < 2; with_cuts++) {
            sequence s = sequence_make(4, all_heads[h], N_KEYS, 2);
            attend_run run = run_of(0, with_cuts);
            float *shared = attend(f->two, &s, &run, 1, (attend_layout){0});
            for (run.n_own = 1; run.n_own <= N_KEYS; run.n_own += 1 + 7 * (f->thin - 1)) {
                float *own = attend(f->two, &s, &run, 1, (attend_layout){0});
                check_same("own keys", h, with_cuts, run.n_own, shared, own, N_Q * s.heads.n * s.heads.dim);
                free(own);
            }
            free(shared);
            sequence_free(&s);
        }
}

static void keys_may_be_stored_in_any_order_and_in_parts(void **state)
{
    const fixture *f = *state;
    cf_backend *const backends[] = {f->ref, f->two};
    for (int64_t b = 0; b < COUNT(backends); b++)
        for (int64_t h = 0; h<COUNT(all_heads); h += f->thin> 1 ? 2 : 1) {
            sequence s = sequence_make(5, all_heads[h], N_KEYS, 2);
            const int64_t width = s.heads.n_kv * s.heads.dim, q_width = s.heads.n * s.heads.dim;
            const attend_run plain = run_of(0, false);
            float *expected = attend(backends[b], &s, &plain, 1, (attend_layout){0});
            cf_kv *kv = NULL;
            OK(cf_kv_create(backends[b], &kv, 3, N_KEYS, s.heads.n_kv, s.heads.dim, &err));
            static const int64_t parts[] = {0,   1,   5,  64,
                                            100, 199, 200}; /* a whole prompt, then a few tokens, then one */
            for (int64_t layer = 0; layer < 3; layer++)
                for (int64_t p = 0; p + 1 < COUNT(parts); p++) {
                    const int64_t begin = parts[p], n = parts[p + 1] - begin;
                    float *k = random_values((uint64_t)layer, n * width, 9),
                          *v = random_values((uint64_t)layer + 9, n * width, 9);
                    int32_t pos[N_KEYS];
                    for (int64_t i = 0; i < n; i++) { /* backwards; the layers beside it hold something else */
                        pos[i] = (int32_t)(begin + n - 1 - i);
                        if (layer == 1) {
                            memcpy(k + i * width, s.k + pos[i] * width, (size_t)width * sizeof *k);
                            memcpy(v + i * width, s.v + pos[i] * width, (size_t)width * sizeof *v);
                        }
                    }
                    cf_tensor kt = tensor_make(backends[b], CF_F32, n, width, k),
                              vt = tensor_make(backends[b], CF_F32, n, width, v);
                    OK(cf_kv_put(backends[b], kv, layer, &kt, &vt, pos, &err));
                    cf_backend_release(backends[b], &kt);
                    cf_backend_release(backends[b], &vt);
                    free(k);
                    free(v);
                }
            cf_tensor q = tensor_make(backends[b], CF_F32, N_Q, q_width, s.q + (N_KEYS - N_Q) * q_width);
            cf_tensor out = tensor_make(backends[b], CF_F32, N_Q, q_width, NULL);
            const cf_attn_segment segment = {
                .n_q = N_Q, .q_pos = queries(), .kv = kv, .own_begin = N_KEYS, .n_keys = N_KEYS};
            OK(cf_attention(backends[b], &out, &q, NULL, NULL,
                            &(cf_attn){.n_heads = s.heads.n,
                                       .n_kv_heads = s.heads.n_kv,
                                       .head_dim = s.heads.dim,
                                       .scale = attend_scale(s.heads),
                                       .causal = true,
                                       .layer = 1,
                                       .segments = &segment,
                                       .n_segments = 1},
                            &err));
            float *got = tensor_values(backends[b], &out);
            check_same("keys in parts", b, h, 0, expected, got, N_Q * q_width);
            free(expected);
            free(got);
            cf_backend_release(backends[b], &q);
            cf_backend_release(backends[b], &out);
            cf_kv_free(backends[b], kv);
            sequence_free(&s);
        }
}

/* A whole tile cut out, first, middle or last of those seen, leaves what a sequence without these 64 positions gives: nothing of the running sums was touched. What the tile holds does not
 * matter, not even NaN. */
static void a_tile_without_a_visible_key_is_as_if_it_were_not_there(void **state)
{
    const fixture *f = *state;
    for (int64_t h = 0; h<COUNT(all_heads); h += f->thin> 1 ? 2 : 1)
        for (int32_t tile = 0; tile < 3; tile++) {
            const cf_spans hidden = {.items = (cf_span[]){{tile * 64, tile * 64 + 64}}, .n = 1},
                           all = {.items = (cf_span[]){{0, N_KEYS}}, .n = 1};
            const cf_cut cut = {&all, &hidden, NULL};
            sequence s = sequence_make(6, all_heads[h], N_KEYS, 2),
                     without = sequence_make(6, all_heads[h], N_KEYS - 64, 2);
            const int64_t width = s.heads.n_kv * s.heads.dim, q_width = s.heads.n * s.heads.dim;
            for (int64_t i = 0; i < N_KEYS - 64; i++) {
                const int64_t from = i < tile * 64 ? i : i + 64;
                memcpy(without.k + i * width, s.k + from * width, (size_t)width * sizeof *s.k);
                memcpy(without.v + i * width, s.v + from * width, (size_t)width * sizeof *s.v);
                memcpy(without.q + i * q_width, s.q + from * q_width, (size_t)q_width * sizeof *s.q);
            }
            for (int64_t i = tile * 64 * width; i < (tile + 1) * 64 * width; i++)
                s.k[i] = s.v[i] = (float)NAN;
            const int32_t after[] = {192, 193, 197, 199}, after_without[] = {128, 129, 133, 135};
            float *got = attend(f->two, &s, &(attend_run){.q_pos = after, .n_q = 4, .cuts = &cut, .n_cuts = 1}, 1,
                                (attend_layout){0});
            float *expected =
                attend(f->two, &without, &(attend_run){.q_pos = after_without, .n_q = 4}, 1, (attend_layout){0});
            check_same("tile left out", h, tile, 0, got, expected, 4 * q_width);
            free(got);
            free(expected);
            sequence_free(&s);
            sequence_free(&without);
        }
}

static bool in_heads(const uint64_t *set, int64_t head)
{
    return !set || (set[head / 64] >> (head % 64) & 1);
}

/* The mask that causality, a window and cuts amount to, written down bit by bit. */
static uint64_t *dense_of(const heads h, const attend_run *run, int64_t window)
{
    const int64_t n_words = (N_KEYS + 63) / 64;
    uint64_t *mask = calloc((size_t)(h.n * run->n_q * n_words), sizeof *mask);
    assert_non_null(mask);
    for (int64_t head = 0; head < h.n; head++)
        for (int64_t i = 0; i < run->n_q; i++)
            for (int32_t key = 0; key <= run->q_pos[i]; key++) {
                bool sees = !window || key > run->q_pos[i] - window;
                for (int64_t c = 0; c < run->n_cuts; c++)
                    if (in_heads(run->cuts[c].heads, head) && cf_spans_contain(run->cuts[c].query, run->q_pos[i]) &&
                        cf_spans_contain(run->cuts[c].key, key))
                        sees = false;
                if (sees)
                    mask[(head * run->n_q + i) * n_words + key / 64] |= 1ull << (key % 64);
            }
    return mask;
}

static void a_dense_mask_equals_the_cuts_it_spells_out(void **state)
{
    const fixture *f = *state;
    cf_backend *const backends[] = {f->ref, f->two};
    for (int64_t b = 0; b < COUNT(backends); b++)
        for (int64_t h = 0; h<COUNT(all_heads); h += f->thin> 1 ? 2 : 1)
            for (int64_t n_cuts = 0; n_cuts <= COUNT(cuts); n_cuts++) {
                sequence s = sequence_make(7, all_heads[h], N_KEYS, 2);
                attend_run run = run_of(33, true);
                run.n_cuts = n_cuts;
                float *by_cuts = attend(backends[b], &s, &run, 1, (attend_layout){0});
                uint64_t *mask = dense_of(s.heads, &run, 0);
                run = run_of(33, false);
                run.dense = mask;
                for (int per_head = n_cuts >= 2; per_head < 2; per_head++) { /* from the second cut on heads differ */
                    run.dense_per_head = per_head;
                    float *by_mask = attend(backends[b], &s, &run, 1, (attend_layout){.acausal = true});
                    check_same("dense mask", b, h, n_cuts, by_cuts, by_mask, N_Q * s.heads.n * s.heads.dim);
                    free(by_mask);
                }
                free(by_cuts);
                free(mask);
                sequence_free(&s);
            }
}

static void a_window_equals_the_mask_it_spells_out(void **state)
{
    const fixture *f = *state;
    static const int64_t windows[] = {1, 9, 63, 64, 65, 130, N_KEYS - 1, N_KEYS, 1000};
    cf_backend *const backends[] = {f->ref, f->two};
    for (int64_t b = 0; b < COUNT(backends); b++)
        for (int64_t h = 0; h<COUNT(all_heads); h += f->thin> 1 ? 2 : 1)
            for (int64_t w = 0; w < COUNT(windows); w++)
                for (int with_cuts = 0; with_cuts < 2; with_cuts++) {
                    sequence s = sequence_make(7, all_heads[h], N_KEYS, 2);
                    attend_run run = run_of(33, with_cuts && windows[w] > 100); /* a query must see a key */
                    float *by_window = attend(backends[b], &s, &run, 1, (attend_layout){.window = windows[w]});
                    uint64_t *mask = dense_of(s.heads, &run, windows[w]);
                    run = run_of(33, false);
                    run.dense = mask;
                    run.dense_per_head = true;
                    float *by_mask = attend(backends[b], &s, &run, 1, (attend_layout){.acausal = true});
                    check_same("window", b, h, windows[w], by_window, by_mask, N_Q * s.heads.n * s.heads.dim);
                    free(by_window);
                    free(by_mask);
                    free(mask);
                    sequence_free(&s);
                }
}

static void cutting_keys_that_a_query_does_not_see_anyway_changes_nothing(void **state)
{
    const fixture *f = *state;
    const cf_spans early = {.items = (cf_span[]){{170, 186}}, .n = 1},
                   future = {.items = (cf_span[]){{186, 192}, {195, 200}}, .n = 2};
    const cf_spans nobody = {.items = (cf_span[]){{0, 100}}, .n = 1},
                   outside = {.items = (cf_span[]){{200, 400}}, .n = 1};
    const cf_spans everyone = {.items = (cf_span[]){{0, 200}}, .n = 1}, none = {0};
    const uint64_t no_head[] = {0};
    const cf_cut idle[] = {
        {&early, &future, NULL},        {&nobody, &picture, NULL}, {&everyone, &outside, NULL},
        {&everyone, &picture, no_head}, {&everyone, &none, NULL},  {&none, &everyone, NULL},
    };
    for (int64_t h = 0; h<COUNT(all_heads); h += f->thin> 1 ? 2 : 1) {
        sequence s = sequence_make(8, all_heads[h], N_KEYS, 2);
        attend_run run = run_of(33, false);
        float *plain = attend(f->two, &s, &run, 1, (attend_layout){0});
        run.cuts = idle;
        run.n_cuts = COUNT(idle);
        float *with = attend(f->two, &s, &run, 1, (attend_layout){0});
        check_same("idle cuts", h, 0, 0, plain, with, N_Q * s.heads.n * s.heads.dim);
        free(plain);
        free(with);
        sequence_free(&s);
    }
}

static void a_cut_changes_its_queries_in_its_heads_and_nothing_else(void **state)
{
    const fixture *f = *state;
    for (int64_t h = 0; h<COUNT(all_heads); h += f->thin> 1 ? 2 : 1) {
        sequence s = sequence_make(9, all_heads[h], N_KEYS, 2);
        const int64_t dim = s.heads.dim, width = s.heads.n * dim;
        attend_run run = run_of(33, false);
        float *plain = attend(f->two, &s, &run, 1, (attend_layout){0});
        for (uint64_t set = 1; set < 1u << s.heads.n; set = set * 3 - 1) {
            const cf_cut cut = {&late, &picture, &set};
            run.cuts = &cut;
            run.n_cuts = 1;
            float *with = attend(f->two, &s, &run, 1, (attend_layout){0});
            for (int64_t i = 0; i < N_Q; i++)
                for (int64_t head = 0; head < s.heads.n; head++) {
                    const size_t bytes = (size_t)dim * sizeof *plain;
                    const int64_t at = i * width + head * dim;
                    const bool changed = memcmp(plain + at, with + at, bytes) != 0;
                    const bool cut_here = in_heads(&set, head) && cf_spans_contain(&late, queries()[i]);
                    if (changed != cut_here)
                        fail_msg("heads %#llx, head %lld, query position %d: %s", (unsigned long long)set,
                                 (long long)head, queries()[i],
                                 changed ? "changed without a cut" : "cut without a change");
                }
            free(with);
        }
        free(plain);
        sequence_free(&s);
    }
}

int test_attention_exact(fixture *f)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(repetition_and_threads_do_not_matter, f),
        cmocka_unit_test_prestate(a_query_row_has_its_bits_alone_in_any_block_and_at_any_place, f),
        cmocka_unit_test_prestate(attention_takes_values_as_they_are, f),
        cmocka_unit_test_prestate(runs_do_not_know_one_another, f),
        cmocka_unit_test_prestate(it_does_not_matter_which_buffer_holds_a_key, f),
        cmocka_unit_test_prestate(keys_may_be_stored_in_any_order_and_in_parts, f),
        cmocka_unit_test_prestate(a_tile_without_a_visible_key_is_as_if_it_were_not_there, f),
        cmocka_unit_test_prestate(a_dense_mask_equals_the_cuts_it_spells_out, f),
        cmocka_unit_test_prestate(a_window_equals_the_mask_it_spells_out, f),
        cmocka_unit_test_prestate(cutting_keys_that_a_query_does_not_see_anyway_changes_nothing, f),
        cmocka_unit_test_prestate(a_cut_changes_its_queries_in_its_heads_and_nothing_else, f),
    };
    return cmocka_run_group_tests_name("attention, bit for bit", tests, NULL, NULL);
}
