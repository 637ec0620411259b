/* test_open.c - opening a backend, what it says of itself, and every allocation failing once. */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

#include "support/fail_alloc.h"

static void only_known_names_open(void **state)
{
    (void)state;
    static const char *const names[] = {"gpu", "", "CPU", "cpu ", "cuda:", "cuda:x", "cuda:-1", "cuda:1x", "cuda0"};
    for (int64_t i = 0; i < COUNT(names); i++) {
        cf_backend *be = NULL;
        cf_error err = {0};
        assert_int_equal(cf_backend_open(&be, names[i], &(cf_backend_options){.compute = CF_F32}, &err), CF_USAGE);
        assert_null(be);
        assert_non_null(strstr(err.text, "expected cpu, ref, cuda or cuda:N"));
        assert_false(cf_backend_has_bf16(names[i]));
    }
}

static void a_dtype_that_cannot_be_multiplied_is_refused(void **state)
{
    (void)state;
    const struct {
        const char *name;
        cf_dtype compute;
        bool has;
    } cases[] = {
        {"ref", CF_F32, true}, {"ref", CF_BF16, false}, {"ref", CF_F16, false},
        {"cpu", CF_F32, true}, {"cpu", CF_F16, false},  {"cpu", CF_BF16, cf_backend_has_bf16("cpu")},
    };
    for (int64_t i = 0; i < COUNT(cases); i++) {
        cf_backend *be = NULL;
        cf_error err = {0};
        const cf_status st =
            cf_backend_open(&be, cases[i].name, &(cf_backend_options){.compute = cases[i].compute}, &err);
        assert_int_equal(st, cases[i].has ? CF_OK : CF_UNSUPPORTED);
        assert_true((be != NULL) == cases[i].has);
        if (!cases[i].has)
            assert_non_null(strstr(err.text, cf_dtype_name(cases[i].compute)));
        cf_backend_close(be);
    }
}

static void a_backend_tells_what_it_is(void **state)
{
    (void)state;
    cf_backend *be = NULL;
    OK(cf_backend_open(&be, "cpu", &(cf_backend_options){.n_threads = 3, .compute = CF_F32}, &err));
    assert_string_equal(cf_backend_name(be), "cpu");
    assert_int_equal(cf_backend_n_threads(be), 3);
    assert_int_equal(cf_backend_compute(be), CF_F32);
    assert_non_null(strstr(cf_backend_describe(be), "oneDNN"));
    assert_non_null(strstr(cf_backend_describe(be), "f32 products"));
    cf_backend_close(be);
    OK(cf_backend_open(&be, "cpu", &(cf_backend_options){.compute = CF_F32}, &err));
    assert_true(cf_backend_n_threads(be) >= 1); /* 0 asks for one per core */
    cf_backend_close(be);
    OK(cf_backend_open(&be, "ref", &(cf_backend_options){.n_threads = 3, .compute = CF_F32}, &err));
    assert_string_equal(cf_backend_name(be), "ref");
    assert_int_equal(cf_backend_n_threads(be), 1);
    cf_backend_close(be);
}

static void values_between_operations_are_f32_on_a_processor(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        cf_dtype compute;
    } cases[] = {{"ref", CF_F32}, {"cpu", CF_F32}, {"cpu", CF_BF16}};
    for (int64_t i = 0; i < COUNT(cases); i++) {
        cf_backend *be = NULL;
        if (cases[i].compute == CF_BF16 && !cf_backend_has_bf16(cases[i].name))
            continue;
        OK(cf_backend_open(&be, cases[i].name, &(cf_backend_options){.n_threads = 1, .compute = cases[i].compute},
                           &err));
        assert_int_equal(cf_backend_value_dtype(be), CF_F32);
        cf_backend_close(be);
    }
}

static void nothing_can_be_closed_or_freed(void **state)
{
    (void)state;
    cf_backend *be = NULL;
    cf_backend_close(NULL);
    OK(cf_backend_open(&be, "cpu", &(cf_backend_options){.n_threads = 1, .compute = CF_F32}, &err));
    cf_weight_free(be, NULL);
    cf_kv_free(be, NULL);
    cf_tensor none = {0};
    cf_backend_release(be, &none);
    cf_backend_close(be);
}

static void new_memory_is_zero_and_released_memory_is_forgotten(void **state)
{
    (void)state;
    static const char *const names[] = {"cpu", "ref"};
    for (int64_t i = 0; i < COUNT(names); i++) {
        cf_backend *be = NULL;
        OK(cf_backend_open(&be, names[i], &(cf_backend_options){.n_threads = 1, .compute = CF_F32}, &err));
        cf_tensor t = {0};
        OK(cf_backend_alloc(be, &t, CF_F32, 3, 5, &err));
        float *values = tensor_values(be, &t);
        for (int j = 0; j < 15; j++)
            assert_true(values[j] == 0);
        cf_backend_release(be, &t);
        assert_null(t.data);
        assert_int_equal(t.rank, 0);
        free(values);
        cf_backend_close(be);
    }
}

/* The whole life of a backend, which takes values of the dtype; every object it makes is gone when it returns. */
static cf_status live(const char *name, cf_dtype value, cf_error *err)
{
    enum { M = 3, N = 33, K = 17, E = 17 };
    cf_status st = CF_OK;
    cf_backend *be = NULL;
    cf_weight *w = NULL;
    cf_kv *kv = NULL;
    cf_tensor x = {0}, y = {0}, q = {0}, o = {0}, table = {0};
    static float host[N * K];
    const cf_tensor matrix = cf_tensor_2d(host, CF_F32, N, K);
    bool invariant = false;
    static const int32_t pos[] = {0, 1, 2};
    CF_TRY(cf_backend_open(&be, name, &(cf_backend_options){.n_threads = 1, .compute = CF_F32}, err));
    CF_TRY(cf_weight_create(be, &w, &matrix, err));
    CF_TRY(cf_kv_create(be, &kv, 2, 3, 1, E, err));
    CF_TRY(cf_backend_alloc(be, &x, CF_F32, M, K, err));
    CF_TRY(cf_backend_alloc(be, &y, CF_F32, M, N, err));
    CF_TRY(cf_backend_alloc(be, &q, value, M, E, err));
    CF_TRY(cf_backend_alloc(be, &table, CF_F32, M, E, err));
    CF_TRY(cf_backend_alloc(be, &o, CF_F32, M, E, err));
    CF_TRY(cf_linear(be, &y, &x, w, NULL, false, err));
    CF_TRY(cf_rope(be, &q, &table, pos, 1, err));
    CF_TRY(cf_activate(be, &o, &q, &q, CF_UNARY_SILU, err));
    CF_TRY(cf_kv_put(be, kv, 1, &q, &q, pos, err));
    const cf_attn_segment s = {.n_q = M, .q_pos = pos, .kv = kv, .own_begin = 1, .own_row = 1, .n_own = 2, .n_keys = 3};
    CF_TRY(cf_attention(be, &o, &q, &q, &q,
                        &(cf_attn){.n_heads = 1,
                                   .n_kv_heads = 1,
                                   .head_dim = E,
                                   .scale = 1,
                                   .causal = true,
                                   .layer = 1,
                                   .segments = &s,
                                   .n_segments = 1},
                        err));
    CF_TRY(cf_backend_probe(be, &invariant, w, 5, err));
done:
    if (be) {
        cf_backend_release(be, &x);
        cf_backend_release(be, &y);
        cf_backend_release(be, &q);
        cf_backend_release(be, &o);
        cf_backend_release(be, &table);
        cf_kv_free(be, kv);
        cf_weight_free(be, w);
        cf_backend_close(be);
    }
    return st;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        cf_dtype value;
    } cases[] = {{"cpu", CF_F32}, {"ref", CF_F32}, {"ref", CF_F16}};
    for (int64_t i = 0; i < COUNT(cases); i++) {
        int64_t n = 1;
        for (;; n++) {
            cf_error err = {0};
            fail_alloc_at(n);
            const cf_status st = live(cases[i].name, cases[i].value, &err);
            if (!fail_alloc_off()) {
                assert_int_equal(st, CF_OK);
                break;
            }
            assert_int_equal(st, CF_NOMEM);
            assert_true(err.text[0] != '\0');
        }
        assert_true(n > 10); /* the failures did happen */
    }
}

/* A product that could not get its memory must not be taken for a prepared one the next time. */
static void a_product_can_be_tried_again_after_a_failed_allocation(void **state)
{
    (void)state;
    enum { M = 7, N = 70, K = 130 };
    cf_backend *be = NULL;
    OK(cf_backend_open(&be, "cpu", &(cf_backend_options){.n_threads = 1, .compute = CF_F32}, &err));
    float *xs = random_values(1, M * K, 1), *ws = random_values(2, N * K, 1);
    const cf_tensor matrix = cf_tensor_2d(ws, CF_F32, N, K);
    cf_weight *w = NULL;
    OK(cf_weight_create(be, &w, &matrix, &err));
    cf_tensor x = tensor_make(be, CF_F32, M, K, xs), y = tensor_make(be, CF_F32, M, N, NULL);
    fail_alloc_at(1);
    cf_error failure = {0};
    const cf_status st = cf_linear(be, &y, &x, w, NULL, false, &failure);
    const bool failed = fail_alloc_off(); /* a shape may need no scratch memory */
    assert_int_equal(st, failed ? CF_NOMEM : CF_OK);
    OK(cf_linear(be, &y, &x, w, NULL, false, &err));
    float *first = tensor_values(be, &y);
    OK(cf_linear(be, &y, &x, w, NULL, false, &err));
    float *second = tensor_values(be, &y);
    check_same("product after a failure", M, N, K, first, second, M * N);
    free(first);
    free(second);
    free(xs);
    free(ws);
    cf_backend_release(be, &x);
    cf_backend_release(be, &y);
    cf_weight_free(be, w);
    cf_backend_close(be);
}

int test_open(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_known_names_open),
        cmocka_unit_test(a_dtype_that_cannot_be_multiplied_is_refused),
        cmocka_unit_test(a_backend_tells_what_it_is),
        cmocka_unit_test(values_between_operations_are_f32_on_a_processor),
        cmocka_unit_test(nothing_can_be_closed_or_freed),
        cmocka_unit_test(new_memory_is_zero_and_released_memory_is_forgotten),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(a_product_can_be_tried_again_after_a_failed_allocation),
    };
    return cmocka_run_group_tests_name("open", tests, NULL, NULL);
}
