/* test_accelerator.c - what only a device with memory and streams of its own can get wrong: transfers in pieces, staged lists, weights filled while they are used, memory that runs
 * out. Skipped on the cpu. Over the emulated device everything is done as late as may be (tests/cuda/whole/streams.c), which is what these tests are for. */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

static void large_transfers_go_in_pieces_and_come_back_the_same(void **state)
{
    const fixture *f = *state;
    static const int64_t counts[] = {1, 1000, (8 << 20) / 4, (8 << 20) / 4 + 1,
                                     (37 << 20) / 4 + 5}; /* pieces have 8 MiB */
    for (int64_t i = 0; i < COUNT(counts); i++) {
        float *values = random_values((uint64_t)i, counts[i], 1);
        cf_tensor a = tensor_make(f->two, CF_F32, 1, counts[i], values);
        memset(values, 0, (size_t)counts[i] * sizeof *values); /* it was read before the upload returned */
        float *again = random_values((uint64_t)i, counts[i], 1), *back = tensor_values(f->two, &a);
        check_same("transfer", counts[i], 0, 0, back, again, counts[i]);
        free(values);
        free(again);
        free(back);
        cf_backend_release(f->two, &a);
    }
}

/* Row lists of together more than the ring of staged arrays holds, each in use until its gather is done, and the host's list is gone at once. */
static void staged_lists_are_not_overwritten_before_they_are_read(void **state)
{
    const fixture *f = *state;
    if (f->compute != CF_F32) /* indices are the same in every dtype */
        skip();
    enum { ROWS = 130001, LISTS = 40, KEPT = 3, LARGE = 600001 };
    float *values = random_values(1, ROWS, 1);
    cf_tensor x = tensor_make(f->two, CF_F32, ROWS, 1, values), y[KEPT],
              large = tensor_make(f->two, CF_F32, LARGE, 1, NULL);
    int32_t *rows = malloc(LARGE * sizeof *rows);
    assert_non_null(rows);
    for (int i = 0; i < KEPT; i++)
        y[i] = tensor_make(f->two, CF_F32, ROWS, 1, NULL);
    for (int64_t l = 0; l < LISTS; l++) {
        for (int64_t i = 0; i < ROWS; i++)
            rows[i] = (int32_t)((i * 7 + l * 1009) % ROWS);
        OK(cf_gather(f->two, &y[l % KEPT], &x, rows, &err));
        memset(rows, 0, ROWS * sizeof *rows);
    }
    for (int64_t i = 0; i < LARGE; i++) /* longer than a block of the ring */
        rows[i] = (int32_t)(i * 11 % ROWS);
    OK(cf_gather(f->two, &large, &x, rows, &err));
    memset(rows, 0, LARGE * sizeof *rows);
    for (int64_t l = LISTS - KEPT; l < LISTS; l++) {
        float *got = tensor_values(f->two, &y[l % KEPT]);
        for (int64_t i = 0; i < ROWS; i++)
            if (got[i] != values[(i * 7 + l * 1009) % ROWS])
                fail_msg("list %lld: row %lld", (long long)l, (long long)i);
        free(got);
        cf_backend_release(f->two, &y[l % KEPT]);
    }
    float *got = tensor_values(f->two, &large);
    for (int64_t i = 0; i < LARGE; i++)
        if (got[i] != values[i * 11 % ROWS])
            fail_msg("large list: row %lld", (long long)i);
    free(got);
    free(rows);
    free(values);
    cf_backend_release(f->two, &x);
    cf_backend_release(f->two, &large);
}

/* A walk over layers that take turns in one weight: nothing waits in between, and each product has the weight of its turn. */
static void a_weight_is_filled_again_while_the_one_before_is_used(void **state)
{
    const fixture *f = *state;
    enum { M = 2, N = 600, K = 1500, TURNS = 7 };
    static const cf_dtype dtypes[] = {CF_F32, CF_F16, CF_BF16};
    float *xs = random_values(1, M * K, 1);
    round_values(xs, M * K, f->compute);
    cf_tensor x = tensor_make(f->two, f->compute, M, K, xs), y[TURNS];
    for (int64_t d = 0; d < COUNT(dtypes); d++) {
        const size_t bytes = (size_t)(N * K) * cf_dtype_bytes(dtypes[d]);
        unsigned char *file = malloc(bytes);
        assert_non_null(file);
        const cf_tensor host = cf_tensor_2d(file, dtypes[d], N, K);
        cf_weight *w = NULL;
        for (int turn = 0; turn < TURNS; turn++) {
            float *ws = random_values((uint64_t)(10 + turn), N * K, 1);
            if (dtypes[d] == CF_F32)
                memcpy(file, ws, bytes);
            else
                for (int64_t i = 0; i < N * K; i++) /* some values of either dtype: 1 to 2 in f16, tiny to 4 in bf16 */
                    ((uint16_t *)(void *)file)[i] = (uint16_t)(0x3c00 + (int)((ws[i] + 1) * 511));
            free(ws);
            y[turn] = tensor_make(f->two, CF_F32, M, N, NULL);
            if (turn == 0)
                OK(cf_weight_create(f->two, &w, &host, &err));
            else
                OK(cf_weight_fill(f->two, w, &host, &err));
            OK(cf_linear(f->two, &y[turn], &x, w, NULL, false, &err));
            memset(file, 0, bytes);
        }
        for (int turn = TURNS - 1; turn >= 0; turn--) { /* each anew, on its own */
            float *ws = random_values((uint64_t)(10 + turn), N * K, 1);
            if (dtypes[d] == CF_F32)
                memcpy(file, ws, bytes);
            else
                for (int64_t i = 0; i < N * K; i++)
                    ((uint16_t *)(void *)file)[i] = (uint16_t)(0x3c00 + (int)((ws[i] + 1) * 511));
            free(ws);
            cf_weight *alone = NULL;
            OK(cf_weight_create(f->two, &alone, &host, &err));
            cf_tensor z = tensor_make(f->two, CF_F32, M, N, NULL);
            OK(cf_linear(f->two, &z, &x, alone, NULL, false, &err));
            float *got = tensor_values(f->two, &y[turn]), *expected = tensor_values(f->two, &z);
            check_same("turn", (int64_t)dtypes[d], turn, 0, got, expected, M * N);
            free(got);
            free(expected);
            cf_weight_free(f->two, alone);
            cf_backend_release(f->two, &z);
            cf_backend_release(f->two, &y[turn]);
        }
        cf_weight_free(f->two, w);
        free(file);
    }
    cf_backend_release(f->two, &x);
    free(xs);
}

static void memory_that_runs_out_is_one_line_and_the_device_goes_on(void **state)
{
    const fixture *f = *state;
    cf_tensor huge = {0};
    cf_error err = {0};
    assert_int_equal(cf_backend_alloc(f->two, &huge, CF_F32, 1 << 20, 1 << 24, &err), CF_NOMEM);
    assert_null(huge.data);
    assert_non_null(strstr(err.text, "no memory for a tensor: 70368744177664 bytes asked for, "));
    assert_non_null(strstr(err.text, " free of "));
    assert_int_equal(strncmp(err.text, f->device, strlen(f->device)), 0);
    const float values[] = {1, 2, 3};
    cf_tensor t = tensor_make(f->two, CF_F32, 1, 3, values);
    float *back = tensor_values(f->two, &t);
    check_same("after running out", 0, 0, 0, back, values, 3);
    free(back);
    cf_backend_release(f->two, &t);
}

static void attention_with_heads_that_have_no_kernel_is_refused(void **state)
{
    const fixture *f = *state;
    enum { DIM = 264 };
    const int32_t pos[] = {0};
    cf_tensor q = tensor_make(f->two, CF_F32, 1, DIM, NULL), out = tensor_make(f->two, CF_F32, 1, DIM, NULL);
    const cf_attn_segment s = {.n_q = 1, .q_pos = pos, .n_own = 1, .n_keys = 1};
    const cf_attn a = {
        .n_heads = 1, .n_kv_heads = 1, .head_dim = DIM, .scale = 1, .causal = true, .segments = &s, .n_segments = 1};
    cf_error err = {0};
    assert_int_equal(cf_attention(f->two, &out, &q, &q, &q, &a, &err), CF_DEVICE);
    assert_non_null(strstr(err.text, "heads of 264"));
    cf_backend_release(f->two, &q);
    cf_backend_release(f->two, &out);
}

static void values_between_operations_have_the_compute_dtype(void **state)
{
    const fixture *f = *state;
    assert_int_equal(cf_backend_value_dtype(f->one), f->compute);
    assert_int_equal(cf_backend_value_dtype(f->two), f->compute);
}

int test_accelerator(fixture *f)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(values_between_operations_have_the_compute_dtype, f),
        cmocka_unit_test_prestate(large_transfers_go_in_pieces_and_come_back_the_same, f),
        cmocka_unit_test_prestate(staged_lists_are_not_overwritten_before_they_are_read, f),
        cmocka_unit_test_prestate(a_weight_is_filled_again_while_the_one_before_is_used, f),
        cmocka_unit_test_prestate(memory_that_runs_out_is_one_line_and_the_device_goes_on, f),
        cmocka_unit_test_prestate(attention_with_heads_that_have_no_kernel_is_refused, f),
    };
    return f->is_accelerator ? cmocka_run_group_tests_name("accelerator", tests, NULL, NULL) : 0;
}
