/* test_attention.c - attention against the oracle, over shapes, boundaries and masks. */
#include <math.h>
#include <stdlib.h>

#include "attend_call.h"

static const heads all_heads[] = {{1, 1, 8}, {2, 1, 24}, {3, 3, 32}, {4, 2, 64}, {6, 2, 80}, {8, 2, 128}, {5, 1, 1}};
static const int64_t key_counts[] = {1, 2, 7, 63, 64, 65, 127, 128, 130, 200};
static const float sizes[] = {1, 6}; /* of queries and keys: weights nearly even, weights on a few keys */

/* Where a run's own keys begin: nowhere, at 0, inside a tile, at a tile's edge, one from the end. */
static int64_t own_of(int64_t place, int64_t n_keys)
{
    const int64_t begins[] = {n_keys, 0, n_keys / 2, 64, n_keys - 1};
    return n_keys - (begins[place] < n_keys ? begins[place] : n_keys);
}

/* Queries: the last ones, as in a run, at most 40. */
static int64_t queries_of(int32_t *q_pos, int64_t n_keys)
{
    const int64_t n = n_keys < 40 ? n_keys : 40;
    for (int64_t i = 0; i < n; i++)
        q_pos[i] = (int32_t)(n_keys - n + i);
    return n;
}

/* A score is a walk over head_dim products of size^2 / 3, deviation u head_dim size^2 / 7.3 (test_products.c), times the scale 1/sqrt(head_dim); so weights are off by
 * d = (sqrt(head_dim) size^2 / 7 + 4) u, relative, the 4 for the exponential and the rescaling. That moves an output, a weighted mean of values below 1, by at most 2 d, in six deviations
 * 12 d; and the two sums over at most 200 keys add walks of less than 16 u. The mean square of the outputs is 1/3 times that of the weights' size, and so is that of their errors: NMSE 4 d^2
 * plus the sums' 16 u^2. Where queries, keys, values and weights are rounded to 16 bits of unit roundoff h, a score is a walk over products off by h / sqrt(3) twice, after the
 * scale size^2 h / 3.7; values and weights are off by h each: d has ((size^2 / 3) + 2) h more. */
static bounds attention_bounds(const fixture *f, int64_t head_dim, float size)
{
    const double half = !f->is_accelerator || f->compute == CF_F32 ? 0 : f->compute == CF_F16 ? U_F16 : U_BF16;
    const double d =
        (sqrt((double)head_dim) * (double)(size * size) / 7 + 4) * U + ((double)(size * size) / 3 + 2) * half;
    return (bounds){4 * d * d + 16 * U * U, 12 * d + 16 * U};
}

static void check_run(const fixture *f, const char *what, const sequence *s, const attend_run *run, bool acausal,
                      float size)
{
    const int64_t n = run->n_q * s->heads.n * s->heads.dim;
    float *expected = attend(f->ref, s, run, 1, (attend_layout){.acausal = acausal});
    float *got = attend(f->two, s, run, 1, (attend_layout){.acausal = acausal});
    check_close(what, s->heads.dim, s->n_keys, run->n_own, got, expected, n, attention_bounds(f, s->heads.dim, size));
    if (f->compute != CF_F32) {
        float *half = attend(f->two, s, run, 1, (attend_layout){.acausal = acausal, .out = f->compute});
        check_rounded(what, f->compute, half, got, n);
        free(half);
    }
    free(expected);
    free(got);
}

static void attention_agrees_with_the_oracle(void **state)
{
    const fixture *f = *state;
    for (int64_t h = 0; h < COUNT(all_heads); h++)
        for (int64_t c = h % f->thin; c < COUNT(key_counts); c += f->thin)
            for (int64_t z = 0; z < COUNT(sizes); z++) {
                sequence s = sequence_make((uint64_t)(h * 100 + c), all_heads[h], key_counts[c], sizes[z]);
                int32_t q_pos[40];
                attend_run run = {.q_pos = q_pos, .n_q = queries_of(q_pos, s.n_keys)};
                for (int64_t place = 0; place < 5; place++) {
                    run.n_own = own_of(place, s.n_keys);
                    check_run(f, "attention", &s, &run, place % 2, sizes[z]);
                }
                sequence_free(&s);
            }
}

static void attention_with_cuts_agrees_with_the_oracle(void **state)
{
    const fixture *f = *state;
    /* The question sees no picture and the last position no question, in every other head; some keys are cut twice. */
    const cf_spans late = {.items = (cf_span[]){{165, 190}, {195, 199}}, .n = 2},
                   picture = {.items = (cf_span[]){{5, 150}}, .n = 1};
    const cf_spans last = {.items = (cf_span[]){{199, 200}}, .n = 1},
                   words = {.items = (cf_span[]){{100, 128}, {160, 170}, {190, 300}}, .n = 3};
    const uint64_t some[] = {0x55};
    const cf_cut cuts[] = {{&late, &picture, NULL}, {&last, &words, some}, {&late, &words, some}};
    for (int64_t h = 0; h < COUNT(all_heads); h++)
        for (int64_t z = 0; z < COUNT(sizes); z++) {
            sequence s = sequence_make((uint64_t)h, all_heads[h], 200, sizes[z]);
            int32_t q_pos[40];
            attend_run run = {.q_pos = q_pos, .n_q = queries_of(q_pos, 200), .cuts = cuts, .n_cuts = 3};
            for (int64_t place = 0; place < 5; place++) {
                run.n_own = own_of(place, 200);
                check_run(f, "attention with cuts", &s, &run, place % 2, sizes[z]);
            }
            sequence_free(&s);
        }
}

static void attention_with_a_dense_mask_agrees_with_the_oracle(void **state)
{
    const fixture *f = *state;
    for (int64_t h = 0; h < COUNT(all_heads); h++)
        for (int per_head = 0; per_head < 2; per_head++) {
            enum { N_KEYS = 130, WORDS = 3, N_Q = 40 };
            sequence s = sequence_make((uint64_t)h, all_heads[h], N_KEYS, 1);
            const int64_t rows = N_Q * (per_head ? s.heads.n : 1);
            uint64_t *mask = calloc((size_t)(rows * WORDS), sizeof *mask);
            assert_non_null(mask);
            for (int64_t i = 0; i < rows; i++)
                for (int64_t k = 0; k < N_KEYS; k++)
                    if ((i * 31 + k * 17) % 5 < 2)
                        mask[i * WORDS + k / 64] |= 1ull << (k % 64);
            int32_t q_pos[40];
            const attend_run run = {.q_pos = q_pos,
                                    .n_q = queries_of(q_pos, N_KEYS),
                                    .n_own = 50,
                                    .dense = mask,
                                    .dense_per_head = per_head};
            check_run(f, "attention with a dense mask", &s, &run, false, 1);
            free(mask);
            sequence_free(&s);
        }
}

/* Cutting keys is a softmax in which they do not exist: the oracle is given the others only. */
static void a_cut_equals_recomputation_without_those_keys(void **state)
{
    const fixture *f = *state;
    enum { N_KEYS = 150, CUT_BEGIN = 40, CUT_END = 131, N_LEFT = N_KEYS - (CUT_END - CUT_BEGIN) };
    const cf_spans cut = {.items = (cf_span[]){{CUT_BEGIN, CUT_END}}, .n = 1},
                   query = {.items = (cf_span[]){{140, 150}}, .n = 1};
    const cf_cut cuts[] = {{&query, &cut, NULL}};
    const float large = f->is_accelerator && f->compute == CF_F16 ? 3e4f : 1e18f; /* finite where it is stored */
    for (int64_t h = 0; h < COUNT(all_heads); h++) {
        sequence s = sequence_make((uint64_t)h, all_heads[h], N_KEYS, 1);
        const int64_t q_width = s.heads.n * s.heads.dim, width = s.heads.n_kv * s.heads.dim;
        sequence left = sequence_make(1, all_heads[h], N_LEFT, 1);
        for (int64_t i = 0; i < N_LEFT; i++) {
            const int64_t from = i < CUT_BEGIN ? i : i + (CUT_END - CUT_BEGIN);
            for (int64_t x = 0; x < width; x++) {
                left.k[i * width + x] = s.k[from * width + x];
                left.v[i * width + x] = s.v[from * width + x];
            }
            for (int64_t x = 0; x < q_width; x++)
                left.q[i * q_width + x] = s.q[from * q_width + x];
        }
        for (int64_t i = CUT_BEGIN * width; i < CUT_END * width; i++) {
            s.k[i] *= large; /* an added large number would not hide these scores; a select does */
            s.v[i] *= large;
        }
        int32_t q_pos[10], q_left[10];
        for (int32_t i = 0; i < 10; i++) {
            q_pos[i] = 140 + i;
            q_left[i] = 140 + i - (CUT_END - CUT_BEGIN);
        }
        float *expected = attend(f->ref, &left, &(attend_run){.q_pos = q_left, .n_q = 10}, 1, (attend_layout){0});
        float *got = attend(f->two, &s, &(attend_run){.q_pos = q_pos, .n_q = 10, .cuts = cuts, .n_cuts = 1}, 1,
                            (attend_layout){0});
        check_close("cut keys", s.heads.n, s.heads.dim, 0, got, expected, 10 * q_width,
                    attention_bounds(f, s.heads.dim, 1));
        free(expected);
        free(got);
        sequence_free(&s);
        sequence_free(&left);
    }
}

static void a_query_that_sees_no_key_is_an_error(void **state)
{
    const fixture *f = *state;
    cf_backend *const backends[] = {f->ref, f->one, f->two};
    const cf_spans query = {.items = (cf_span[]){{70, 71}}, .n = 1}, below = {.items = (cf_span[]){{0, 70}}, .n = 1};
    const cf_spans itself = {.items = (cf_span[]){{70, 71}}, .n = 1};
    const uint64_t second[] = {2};
    const int32_t q_pos[] = {69, 70, 71};
    static const uint64_t nothing[3 * 2] = {1, 0, 0, 0, 1, 0};
    const struct {
        const char *name;
        cf_cut cuts[2];
        const uint64_t *dense;
        cf_status expected;
    } cases[] = {
        {"a key is left", {{&query, &below, NULL}, {&query, &below, NULL}}, NULL, CF_OK},
        {"none is left", {{&query, &below, NULL}, {&query, &itself, NULL}}, NULL, CF_MISMATCH},
        {"none is left in one head", {{&query, &below, NULL}, {&query, &itself, second}}, NULL, CF_MISMATCH},
        {"an empty row of a dense mask", {{0}}, nothing, CF_MISMATCH},
    };
    for (int64_t b = 0; b < COUNT(backends); b++)
        for (int64_t c = 0; c < COUNT(cases); c++)
            for (int64_t n_own = 0; n_own < 10; n_own += 9) {
                sequence s = sequence_make(1, (heads){4, 2, 8}, 72, 1);
                const attend_run run = {.q_pos = q_pos,
                                        .n_q = 3,
                                        .n_own = n_own,
                                        .cuts = cases[c].cuts,
                                        .n_cuts = cases[c].dense ? 0 : 2,
                                        .dense = cases[c].dense};
                float *out = NULL;
                cf_error err = {0};
                const cf_status st = attend_try(&out, backends[b], &s, &run, 1, (attend_layout){0}, &err);
                if (st != cases[c].expected)
                    fail_msg("%s, %s: status %d", cf_backend_name(backends[b]), cases[c].name, (int)st);
                if (st != CF_OK)
                    assert_string_equal(err.text, "attention: query position 70 sees no key");
                free(out);
                sequence_free(&s);
            }
}

int test_attention(fixture *f)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(attention_agrees_with_the_oracle, f),
        cmocka_unit_test_prestate(attention_with_cuts_agrees_with_the_oracle, f),
        cmocka_unit_test_prestate(attention_with_a_dense_mask_agrees_with_the_oracle, f),
        cmocka_unit_test_prestate(a_cut_equals_recomputation_without_those_keys, f),
        cmocka_unit_test_prestate(a_query_that_sees_no_key_is_an_error, f),
    };
    return cmocka_run_group_tests_name("attention", tests, NULL, NULL);
}
