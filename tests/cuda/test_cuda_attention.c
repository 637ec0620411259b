/* test_cuda_attention.c - the attention kernels, by the emulator, against the oracle, in each compute dtype, over head
 * sizes, boundaries and masks. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "backend/attend_call.h"
#include "cuda/emulated_backend.h"
#include "cuda/test_cuda.h"

static const cf_dtype dtypes[] = {CF_F32, CF_F16, CF_BF16};

/* Unit roundoff of a dtype. */
static double unit_of(cf_dtype dtype)
{
    return dtype == CF_F32 ? U : dtype == CF_F16 ? 0x1p-11 : U_BF16;
}

/* The oracle is given what the kernels multiply, so that a product of two values is exact in f32 in every dtype. */
static void round_sequence(sequence *s, cf_dtype dtype)
{
    round_values(s->q, s->n_keys * s->heads.n * s->heads.dim, dtype);
    round_values(s->k, s->n_keys * s->heads.n_kv * s->heads.dim, dtype);
    round_values(s->v, s->n_keys * s->heads.n_kv * s->heads.dim, dtype);
}

/* In f32 as in tests/backend/test_attention.c: d, 12 d and 16 u. In 16 bits each weight is rounded besides, by at most u_h of it (in f16 below 2^-14: by 2^-25, as a part
 * of a total of at least 1), which moves a weighted mean of values below 1 by at most u_h + 2^-25 n_keys; independent roundings of random terms leave a mean square error of
 * u_h^2 / 3 times the outputs' mean square. The tensor core's sums and 2^x are within 2 units, which the 4 in d has room for. */
static bounds bounds_of(cf_dtype dtype, const sequence *s, float size)
{
    const double d = (sqrt((double)s->heads.dim) * (double)(size * size) / 7 + 4) * U;
    const double h = dtype == CF_F32 ? 0 : unit_of(dtype), tiny = dtype == CF_F32 ? 0 : 0x1p-25 * (double)s->n_keys;
    return (bounds){h * h + 4 * d * d + 16 * U * U, h + tiny + 12 * d + 16 * U};
}

static void check_run(cf_backend *ref, cf_backend *be, const char *what, const sequence *s, const attend_run *run,
                      attend_layout layout, float size)
{
    const cf_dtype dtype = cf_backend_compute(be);
    const int64_t n = run->n_q * s->heads.n * s->heads.dim;
    float *expected = attend(ref, s, run, 1, layout), *got = attend(be, s, run, 1, layout);
    check_close(what, s->heads.dim, s->n_keys, run->n_own, got, expected, n, bounds_of(dtype, s, size));
    if (dtype != CF_F32) {
        layout.out = dtype;
        float *half = attend(be, s, run, 1, layout);
        check_rounded(what, dtype, half, got, n);
        free(half);
    }
    free(expected);
    free(got);
}

static cf_backend *open_ref(void)
{
    cf_backend *ref = NULL;
    OK(cf_backend_open(&ref, "ref", &(cf_backend_options){.compute = CF_F32}, &err));
    return ref;
}

/* Queries: the last ones, as in a run, at most 40. */
static int64_t queries_of(int32_t *q_pos, int64_t n_keys)
{
    const int64_t n = n_keys < 40 ? n_keys : 40;
    for (int64_t i = 0; i < n; i++)
        q_pos[i] = (int32_t)(n_keys - n + i);
    return n;
}

static void attention_agrees_with_the_oracle(void **state)
{
    (void)state;
    static const struct {
        heads heads;
        int64_t n_keys;
        float size;
    } cases[] = {
        {{1, 1, 8}, 1, 1},  {{2, 1, 24}, 7, 6},   {{2, 1, 24}, 64, 1},  {{3, 3, 32}, 65, 6},   {{5, 1, 1}, 130, 6},
        {{3, 1, 7}, 63, 1}, {{4, 2, 64}, 128, 6}, {{2, 1, 80}, 200, 1}, {{2, 2, 128}, 130, 6}, {{1, 1, 160}, 70, 1},
    };
    cf_backend *ref = open_ref();
    for (int64_t t = 0; t < COUNT(dtypes); t++) {
        cf_backend *be = emulated_backend_open(dtypes[t]);
        for (int64_t c = 0; c < COUNT(cases); c++) {
            const int64_t n = cases[c].n_keys;
            sequence s = sequence_make((uint64_t)c, cases[c].heads, n, cases[c].size);
            round_sequence(&s, dtypes[t]);
            int32_t q_pos[40];
            attend_run run = {.q_pos = q_pos, .n_q = queries_of(q_pos, n)};
            const int64_t owns[] = {0, n, n - n / 2, n > 64 ? n - 64 : 1};
            for (int64_t place = 0; place < COUNT(owns); place++) {
                run.n_own = owns[place];
                check_run(ref, be, "attention", &s, &run, (attend_layout){.acausal = place % 2}, cases[c].size);
            }
            sequence_free(&s);
        }
        cf_backend_close(be);
    }
    cf_backend_close(ref);
}

/* Many rows: several items, a segment cut in two, a whole prompt of own keys, the vision tower's acausal one. */
static void prompts_of_several_query_tiles_agree_with_the_oracle(void **state)
{
    (void)state;
    enum { N_KEYS = 150 };
    int32_t q_pos[N_KEYS];
    for (int32_t i = 0; i < N_KEYS; i++)
        q_pos[i] = i;
    cf_backend *ref = open_ref();
    for (int64_t t = 0; t < COUNT(dtypes); t++) {
        cf_backend *be = emulated_backend_open(dtypes[t]);
        sequence s = sequence_make(3, (heads){2, 1, 32}, N_KEYS, 2);
        round_sequence(&s, dtypes[t]);
        for (int acausal = 0; acausal < 2; acausal++)
            for (int64_t n_own = 0; n_own <= N_KEYS; n_own += N_KEYS)
                check_run(ref, be, "a prompt", &s, &(attend_run){.q_pos = q_pos, .n_q = N_KEYS, .n_own = n_own},
                          (attend_layout){.acausal = acausal}, 2);
        check_run(ref, be, "a prompt with a window", &s, &(attend_run){.q_pos = q_pos, .n_q = N_KEYS, .n_own = N_KEYS},
                  (attend_layout){.window = 30}, 2);
        sequence_free(&s);
        cf_backend_close(be);
    }
    cf_backend_close(ref);
}

/* The question sees no picture and the last position no question, in some heads; some keys are cut twice. Then a dense
 * mask over the same. */
static void attention_with_cuts_and_masks_agrees_with_the_oracle(void **state)
{
    (void)state;
    enum { N_KEYS = 200, WORDS = 4, N_Q = 40 };
    const cf_spans late = {.items = (cf_span[]){{165, 190}, {195, 199}}, .n = 2},
                   picture = {.items = (cf_span[]){{5, 150}}, .n = 1};
    const cf_spans last = {.items = (cf_span[]){{199, 200}}, .n = 1},
                   words = {.items = (cf_span[]){{100, 128}, {160, 170}, {190, 300}}, .n = 3};
    const uint64_t some[] = {0x5};
    const cf_cut cuts[] = {{&late, &picture, NULL}, {&last, &words, some}, {&late, &words, some}};
    static const heads all_heads[] = {{4, 2, 24}, {2, 1, 80}};
    cf_backend *ref = open_ref();
    for (int64_t t = 0; t < COUNT(dtypes); t++) {
        cf_backend *be = emulated_backend_open(dtypes[t]);
        for (int64_t h = 0; h < COUNT(all_heads); h++) {
            sequence s = sequence_make((uint64_t)h, all_heads[h], N_KEYS, 2);
            round_sequence(&s, dtypes[t]);
            int32_t q_pos[N_Q];
            attend_run run = {.q_pos = q_pos, .n_q = queries_of(q_pos, N_KEYS), .cuts = cuts, .n_cuts = COUNT(cuts)};
            for (run.n_own = 0; run.n_own <= 2 * N_Q; run.n_own += N_Q)
                check_run(ref, be, "attention with cuts", &s, &run, (attend_layout){.acausal = run.n_own == N_Q}, 2);
            uint64_t mask[4 * N_Q * WORDS] = {0};
            for (int64_t i = 0; i < all_heads[h].n * N_Q; i++)
                for (int64_t k = 0; k < N_KEYS; k++)
                    if ((i * 31 + k * 17) % 5 < 2)
                        mask[i * WORDS + k / 64] |= 1ull << (k % 64);
            for (int per_head = 0; per_head < 2; per_head++)
                check_run(
                    ref, be, "attention with a dense mask", &s,
                    &(attend_run){.q_pos = q_pos, .n_q = N_Q, .n_own = 50, .dense = mask, .dense_per_head = per_head},
                    (attend_layout){0}, 2);
            sequence_free(&s);
        }
        cf_backend_close(be);
    }
    cf_backend_close(ref);
}

/* Cutting keys is a softmax in which they do not exist, however large their scores are. */
static void a_cut_equals_recomputation_without_those_keys(void **state)
{
    (void)state;
    enum { N_KEYS = 150, CUT_BEGIN = 40, CUT_END = 131, N_LEFT = N_KEYS - (CUT_END - CUT_BEGIN), N_Q = 10 };
    const cf_spans cut = {.items = (cf_span[]){{CUT_BEGIN, CUT_END}}, .n = 1},
                   query = {.items = (cf_span[]){{140, 150}}, .n = 1};
    const cf_cut cuts[] = {{&query, &cut, NULL}};
    const heads h = {2, 1, 40};
    cf_backend *ref = open_ref();
    for (int64_t t = 0; t < COUNT(dtypes); t++) {
        cf_backend *be = emulated_backend_open(dtypes[t]);
        sequence s = sequence_make(5, h, N_KEYS, 1), left = sequence_make(1, h, N_LEFT, 1);
        round_sequence(&s, dtypes[t]);
        for (int64_t i = 0; i < N_LEFT; i++) {
            const int64_t from = i < CUT_BEGIN ? i : i + (CUT_END - CUT_BEGIN);
            memcpy(left.k + i * 40, s.k + from * 40, 40 * sizeof *s.k);
            memcpy(left.v + i * 40, s.v + from * 40, 40 * sizeof *s.v);
            memcpy(left.q + i * 80, s.q + from * 80, 80 * sizeof *s.q);
        }
        for (int64_t i = CUT_BEGIN * 40; i < CUT_END * 40; i++) { /* as large as the dtype can hold */
            s.k[i] *= dtypes[t] == CF_F16 ? 0x1p15f : 1e18f;
            s.v[i] *= dtypes[t] == CF_F16 ? 0x1p15f : 1e18f;
        }
        int32_t q_pos[N_Q], q_left[N_Q];
        for (int32_t i = 0; i < N_Q; i++) {
            q_pos[i] = 140 + i;
            q_left[i] = 140 + i - (CUT_END - CUT_BEGIN);
        }
        float *expected = attend(ref, &left, &(attend_run){.q_pos = q_left, .n_q = N_Q}, 1, (attend_layout){0});
        float *got =
            attend(be, &s, &(attend_run){.q_pos = q_pos, .n_q = N_Q, .cuts = cuts, .n_cuts = 1}, 1, (attend_layout){0});
        check_close("cut keys", (int64_t)dtypes[t], 0, 0, got, expected, N_Q * 80, bounds_of(dtypes[t], &s, 1));
        free(expected);
        free(got);
        sequence_free(&s);
        sequence_free(&left);
        cf_backend_close(be);
    }
    cf_backend_close(ref);
}

int test_emulated_attention(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attention_agrees_with_the_oracle),
        cmocka_unit_test(prompts_of_several_query_tiles_agree_with_the_oracle),
        cmocka_unit_test(attention_with_cuts_and_masks_agrees_with_the_oracle),
        cmocka_unit_test(a_cut_equals_recomputation_without_those_keys),
    };
    return cmocka_run_group_tests_name("attention, emulated", tests, NULL, NULL);
}

int main(void)
{
    return test_attention_plan() + test_emulated_attention() + test_emulated_attention_exact();
}
