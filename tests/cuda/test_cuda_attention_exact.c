/* test_cuda_attention_exact.c - what the bits of the attention kernels do not depend on, by memcmp, in each compute
 * dtype: the sweep is exact because these hold. By the emulator, so that the device's own arithmetic is taken to be the
 * same for the same operands. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "backend/attend_call.h"
#include "backend/attend_cuts.h"
#include "backend/cuda/attention.h"
#include "cuda/emulated_backend.h"
#include "cuda/emulator/machine.h"
#include "cuda/test_cuda.h"

static const cf_dtype dtypes[] = {CF_F32, CF_F16, CF_BF16};
static const heads two_heads = {2, 1, 24};
enum { WIDTH = 48 }; /* of a row of q and out */

/* In all heads and in one. */
static const uint64_t second_head[] = {2};
static const cf_cut cuts[] = {{&late, &picture, NULL}, {&last, &words, second_head}, {&late, &words, second_head}};

static attend_run run_of(int64_t n_own, bool with_cuts)
{
    attend_run r = {.q_pos = queries(), .n_q = N_Q, .n_own = n_own};
    if (with_cuts) {
        r.cuts = cuts;
        r.n_cuts = COUNT(cuts);
    }
    return r;
}

/* Queries, keys and values in the compute dtype, at any address, have the bits of f32 ones, which are rounded to it: own keys before the call, stored ones when they are. */
static void it_does_not_matter_whether_values_come_rounded(void **state)
{
    (void)state;
    static const heads all_heads[] = {{2, 1, 24}, {3, 1, 7}, {2, 1, 12}, {1, 1, 128}};
    static const int64_t owns[] = {0, 33, N_KEYS};
    for (int64_t t = 1; t < COUNT(dtypes); t++) {
        cf_backend *be = emulated_backend_open(dtypes[t]);
        for (int64_t h = 0; h < COUNT(all_heads); h++)
            for (int64_t i = 0; i < COUNT(owns); i++) {
                sequence s = sequence_make(1, all_heads[h], N_KEYS, 2);
                const attend_run run = run_of(owns[i], true);
                float *expected = attend(be, &s, &run, 1, (attend_layout){0});
                for (int in_views = 0; in_views < 2; in_views++) {
                    float *got = attend(be, &s, &run, 1,
                                        (attend_layout){.in = dtypes[t], .in_views = in_views, .rows_before = i});
                    check_same("values", t, h, i, expected, got, N_Q * s.heads.n * s.heads.dim);
                    free(got);
                }
                free(expected);
                sequence_free(&s);
            }
        cf_backend_close(be);
    }
}

/* A store has one dtype, and a call's queries have it or f32. */
static void values_of_another_dtype_are_refused(void **state)
{
    (void)state;
    static uint16_t memory[CF_KEY_TILE];
    const cf_kv kv = {.n_layers = 1,
                      .n_kv_heads = 1,
                      .head_dim = 1,
                      .capacity = CF_KEY_TILE,
                      .dtype = CF_F16,
                      .k = memory,
                      .v = memory};
    const cf_cuda_attend_call call = {.q_dtype = CF_BF16, .compute = CF_F16, .n_kv_heads = 1, .head_dim = 1};
    assert_int_equal(cf_cuda_kv_put(NULL, &kv, 0, memory, memory, CF_BF16, NULL, 1), cudaErrorInvalidValue);
    assert_int_equal(cf_cuda_attend(NULL, &call), cudaErrorInvalidValue);
}

static void the_order_of_threads_does_not_matter(void **state)
{
    (void)state;
    for (int64_t t = 0; t < COUNT(dtypes); t++) {
        cf_backend *be = emulated_backend_open(dtypes[t]);
        sequence s = sequence_make(1, two_heads, N_KEYS, 2);
        const attend_run run = run_of(33, true);
        float *expected = attend(be, &s, &run, 1, (attend_layout){0});
        for (int order = CF_EMULATOR_FORWARD; order <= CF_EMULATOR_RANDOM; order++) {
            cf_emulator_set_order((cf_emulator_order)order, 5);
            float *got = attend(be, &s, &run, 1, (attend_layout){0});
            check_same("order", t, order, 0, expected, got, N_Q * WIDTH);
            free(got);
        }
        cf_emulator_set_order(CF_EMULATOR_FORWARD, 0);
        free(expected);
        sequence_free(&s);
        cf_backend_close(be);
    }
}

static void a_query_row_has_its_bits_alone_in_any_block_and_at_any_place(void **state)
{
    (void)state;
    static const int64_t sizes[] = {1, 3, 7, 13};
    for (int64_t t = 0; t < COUNT(dtypes); t++) {
        cf_backend *be = emulated_backend_open(dtypes[t]);
        sequence s = sequence_make(2, two_heads, N_KEYS, 2);
        attend_run run = run_of(33, true);
        float *whole = attend(be, &s, &run, 1, (attend_layout){0});
        for (int64_t i = 0; i < COUNT(sizes); i++) {
            run.n_q = sizes[i];
            for (int64_t begin = 0; begin + run.n_q <= N_Q; begin += run.n_q) {
                run.q_pos = queries() + begin;
                float *part = attend(be, &s, &run, 1, (attend_layout){.rows_before = begin % 5});
                check_same("block", t, run.n_q, begin, whole + begin * WIDTH, part, run.n_q * WIDTH);
                free(part);
            }
        }
        free(whole);
        sequence_free(&s);
        cf_backend_close(be);
    }
}

/* Runs stacked in one call, each with its own boundary and cuts, get the bits they get alone: warps and items hold rows
 * of several. */
static void runs_do_not_know_one_another(void **state)
{
    (void)state;
    const attend_run runs[] = {run_of(33, true),  run_of(1, false), run_of(0, true),   run_of(N_KEYS, true),
                               run_of(72, false), run_of(8, true),  run_of(136, false)};
    for (int64_t t = 0; t < COUNT(dtypes); t++) {
        cf_backend *be = emulated_backend_open(dtypes[t]);
        sequence s = sequence_make(3, two_heads, N_KEYS, 2);
        float *together = attend(be, &s, runs, COUNT(runs), (attend_layout){.rows_before = 3});
        for (int64_t i = 0; i < COUNT(runs); i++) {
            float *alone = attend(be, &s, &runs[i], 1, (attend_layout){0});
            check_same("stacked run", t, i, 0, together + i * N_Q * WIDTH, alone, N_Q * WIDTH);
            free(alone);
        }
        free(together);
        sequence_free(&s);
        cf_backend_close(be);
    }
}

static void it_does_not_matter_which_buffer_holds_a_key(void **state)
{
    (void)state;
    static const int64_t owns[] = {1, 7, 8, 9, 33, 72, 73, 100, 136, 199, N_KEYS};
    for (int64_t t = 0; t < COUNT(dtypes); t++) {
        cf_backend *be = emulated_backend_open(dtypes[t]);
        sequence s = sequence_make(4, two_heads, N_KEYS, 2);
        attend_run run = run_of(0, true);
        float *shared = attend(be, &s, &run, 1, (attend_layout){0});
        for (int64_t i = 0; i < COUNT(owns); i++) {
            run.n_own = owns[i];
            float *own = attend(be, &s, &run, 1, (attend_layout){0});
            check_same("own keys", t, run.n_own, 0, shared, own, N_Q * WIDTH);
            free(own);
        }
        free(shared);
        sequence_free(&s);
        cf_backend_close(be);
    }
}

/* A whole tile cut out, first, middle or last of those seen, leaves what a sequence without these 64 positions gives,
 * though the rows beside it see that tile, and whatever it holds: NaN here. */
static void a_tile_without_a_visible_key_is_as_if_it_were_not_there(void **state)
{
    (void)state;
    const cf_spans some = {.items = (cf_span[]){{192, 194}, {199, 200}}, .n = 2};
    const int32_t after[] = {192, 193, 197, 199}, after_without[] = {128, 129, 133, 135};
    for (int64_t t = 0; t < COUNT(dtypes); t++)
        for (int32_t tile = 0; tile < 3; tile++) {
            cf_backend *be = emulated_backend_open(dtypes[t]);
            const cf_spans hidden = {.items = (cf_span[]){{tile * 64, tile * 64 + 64}}, .n = 1};
            const cf_cut cut = {&some, &hidden, NULL};
            sequence s = sequence_make(6, two_heads, N_KEYS, 2), without = sequence_make(6, two_heads, N_KEYS - 64, 2);
            for (int64_t i = 0; i < N_KEYS - 64; i++) {
                const int64_t from = i < tile * 64 ? i : i + 64;
                memcpy(without.k + i * 24, s.k + from * 24, 24 * sizeof *s.k);
                memcpy(without.v + i * 24, s.v + from * 24, 24 * sizeof *s.v);
                memcpy(without.q + i * WIDTH, s.q + from * WIDTH, WIDTH * sizeof *s.q);
            }
            for (int64_t i = tile * 64 * 24; i < (tile + 1) * 64 * 24; i++)
                s.k[i] = s.v[i] = (float)NAN;
            float *got = attend(be, &s, &(attend_run){.q_pos = after, .n_q = 4, .cuts = &cut, .n_cuts = 1}, 1,
                                (attend_layout){0});
            float *expected =
                attend(be, &without, &(attend_run){.q_pos = after_without, .n_q = 4}, 1, (attend_layout){0});
            for (int64_t i = 0; i < 4; i++)
                if (i == 2) /* sees the tile */
                    assert_true(isnan(got[i * WIDTH]));
                else
                    check_same("tile left out", t, tile, i, got + i * WIDTH, expected + i * WIDTH, WIDTH);
            free(got);
            free(expected);
            sequence_free(&s);
            sequence_free(&without);
            cf_backend_close(be);
        }
}

static bool in_heads(const uint64_t *set, int64_t head)
{
    return !set || (set[head / 64] >> (head % 64) & 1);
}

/* The mask that causality, a window and cuts amount to, written down bit by bit. */
static void dense_of(uint64_t *mask, const attend_run *run, int64_t window)
{
    enum { WORDS = (N_KEYS + 63) / 64 };
    memset(mask, 0, 2 * N_Q * WORDS * sizeof *mask);
    for (int64_t head = 0; head < 2; head++)
        for (int64_t i = 0; i < run->n_q; i++)
            for (int32_t key = 0; key <= run->q_pos[i]; key++) {
                bool sees = !window || key > run->q_pos[i] - window;
                for (int64_t c = 0; c < run->n_cuts; c++)
                    if (in_heads(run->cuts[c].heads, head) && cf_spans_contain(run->cuts[c].query, run->q_pos[i]) &&
                        cf_spans_contain(run->cuts[c].key, key))
                        sees = false;
                if (sees)
                    mask[(head * run->n_q + i) * WORDS + key / 64] |= 1ull << (key % 64);
            }
}

static void a_dense_mask_equals_the_cuts_and_the_window_it_spells_out(void **state)
{
    (void)state;
    static const int64_t windows[] = {0, 9, 64, 130, N_KEYS};
    static uint64_t mask[2 * N_Q * ((N_KEYS + 63) / 64)];
    for (int64_t t = 0; t < COUNT(dtypes); t++) {
        cf_backend *be = emulated_backend_open(dtypes[t]);
        sequence s = sequence_make(7, two_heads, N_KEYS, 2);
        for (int64_t w = 0; w < COUNT(windows); w++) {
            attend_run run = run_of(33, !windows[w] || windows[w] > 100); /* a query must see a key */
            float *by_cuts = attend(be, &s, &run, 1, (attend_layout){.window = windows[w]});
            dense_of(mask, &run, windows[w]);
            run = run_of(33, false);
            run.dense = mask;
            run.dense_per_head = true;
            float *by_mask = attend(be, &s, &run, 1, (attend_layout){.acausal = true});
            check_same("dense mask", t, windows[w], 0, by_cuts, by_mask, N_Q * WIDTH);
            free(by_cuts);
            free(by_mask);
        }
        sequence_free(&s);
        cf_backend_close(be);
    }
}

static void a_cut_changes_its_queries_in_its_heads_and_nothing_else(void **state)
{
    (void)state;
    const cf_spans everyone = {.items = (cf_span[]){{0, 200}}, .n = 1},
                   outside = {.items = (cf_span[]){{200, 400}}, .n = 1};
    const cf_spans early = {.items = (cf_span[]){{170, 186}}, .n = 1},
                   future = {.items = (cf_span[]){{186, 192}}, .n = 1};
    const uint64_t sets[] = {0, 1, 2, 3};
    for (int64_t t = 0; t < COUNT(dtypes); t++) {
        cf_backend *be = emulated_backend_open(dtypes[t]);
        sequence s = sequence_make(9, two_heads, N_KEYS, 2);
        attend_run run = run_of(33, false);
        float *plain = attend(be, &s, &run, 1, (attend_layout){0});
        for (int64_t set = 0; set < COUNT(sets); set++) {
            const cf_cut some[] = {{&late, &picture, &sets[set]}, {&everyone, &outside, NULL}, {&early, &future, NULL}};
            run.cuts = some;
            run.n_cuts = COUNT(some);
            float *with = attend(be, &s, &run, 1, (attend_layout){0});
            for (int64_t i = 0; i < N_Q; i++)
                for (int64_t head = 0; head < 2; head++) {
                    const int64_t at = i * WIDTH + head * 24;
                    const bool changed = memcmp(plain + at, with + at, 24 * sizeof *plain) != 0;
                    if (changed != (in_heads(&sets[set], head) && cf_spans_contain(&late, queries()[i])))
                        fail_msg("heads %#llx, head %lld, query position %d: %s", (unsigned long long)sets[set],
                                 (long long)head, queries()[i], changed ? "changed" : "unchanged");
                }
            free(with);
        }
        free(plain);
        sequence_free(&s);
        cf_backend_close(be);
    }
}

int test_emulated_attention_exact(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_order_of_threads_does_not_matter),
        cmocka_unit_test(it_does_not_matter_whether_values_come_rounded),
        cmocka_unit_test(values_of_another_dtype_are_refused),
        cmocka_unit_test(a_query_row_has_its_bits_alone_in_any_block_and_at_any_place),
        cmocka_unit_test(runs_do_not_know_one_another),
        cmocka_unit_test(it_does_not_matter_which_buffer_holds_a_key),
        cmocka_unit_test(a_tile_without_a_visible_key_is_as_if_it_were_not_there),
        cmocka_unit_test(a_dense_mask_equals_the_cuts_and_the_window_it_spells_out),
        cmocka_unit_test(a_cut_changes_its_queries_in_its_heads_and_nothing_else),
    };
    return cmocka_run_group_tests_name("attention, emulated, bit for bit", tests, NULL, NULL);
}
