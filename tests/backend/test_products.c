/* test_products.c - linear() against the oracle, and what a product's bits do and do not depend on. */
#include "fixture.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/backend_internal.h"
#include "support/safetensors_writer.h"

/* Rows, outputs, inputs: ones, odd numbers, primes, around the 16, 32, 48 and 64 of the library's blocks; sums that it makes in chunks of 512 and 1,024. */
static const struct {
    int64_t m, n, k;
} shapes[] = {
    {1, 1, 1},      {1, 1, 7},    {2, 3, 1},      {3, 5, 7},     {1, 17, 64},    {16, 16, 16},
    {17, 31, 33},   {64, 64, 64}, {65, 127, 129}, {13, 192, 48}, {129, 96, 200}, {1, 512, 512},
    {40, 257, 511}, {127, 33, 1}, {6, 70, 1024},  {7, 96, 2060},
};

/* A product's operands, on the host. x and w are representable in the compute dtype. */
typedef struct operands {
    int64_t m, n, k;
    float *x, *w, *bias, *y; /* y: what accumulation adds to */
} operands;

static operands operands_make(int64_t shape, cf_dtype compute)
{
    operands o = {shapes[shape].m, shapes[shape].n, shapes[shape].k, NULL, NULL, NULL, NULL};
    o.x = random_values(1, o.m * o.k, 1);
    o.w = random_values(2, o.n * o.k, 1);
    o.bias = random_values(3, o.n, 1);
    o.y = random_values(4, o.m * o.n, 1);
    round_values(o.x, o.m * o.k, compute);
    round_values(o.w, o.n * o.k, compute);
    return o;
}

static void operands_free(operands *o)
{
    free(o->x);
    free(o->w);
    free(o->bias);
    free(o->y);
}

static cf_weight *weight_make(cf_backend *be, const operands *o)
{
    const cf_tensor matrix = cf_tensor_2d(o->w, CF_F32, o->n, o->k);
    cf_weight *w = NULL;
    OK(cf_weight_create(be, &w, &matrix, &err));
    return w;
}

/* Rows [begin, end) of the product, as heap values. */
static float *multiply(cf_backend *be, const operands *o, const cf_weight *w, int64_t begin, int64_t end,
                       bool with_bias, bool accumulate)
{
    cf_tensor x = tensor_make(be, cf_backend_compute(be), end - begin, o->k, o->x + begin * o->k);
    cf_tensor y = tensor_make(be, CF_F32, end - begin, o->n, o->y + begin * o->n);
    cf_tensor bias = tensor_make(be, CF_F32, 1, o->n, o->bias);
    OK(cf_linear(be, &y, &x, w, with_bias ? &bias : NULL, accumulate, &err));
    float *values = tensor_values(be, &y);
    cf_backend_release(be, &x);
    cf_backend_release(be, &y);
    cf_backend_release(be, &bias);
    return values;
}

/* The same, left as values of that dtype, without bias or accumulation: as rows of a larger matrix, so that they begin at an address that no row but whole ones divides. */
static float *multiply_values(cf_backend *be, const operands *o, const cf_weight *w, int64_t begin, int64_t end,
                              cf_dtype dtype)
{
    const int64_t m = end - begin;
    cf_tensor x = tensor_make(be, cf_backend_compute(be), m, o->k, o->x + begin * o->k);
    float *nan = malloc((size_t)((m + 2) * o->n) * sizeof *nan);
    assert_non_null(nan);
    for (int64_t i = 0; i < (m + 2) * o->n; i++)
        nan[i] = (float)NAN;
    cf_tensor all = tensor_make(be, dtype, m + 2, o->n, nan), y = cf_tensor_rows(&all, 1, m + 1);
    OK(cf_linear(be, &y, &x, w, NULL, false, &err));
    float *values = tensor_values(be, &all);
    for (int64_t i = 0; i < o->n; i++)
        assert_true(isnan(values[i]) && isnan(values[(m + 1) * o->n + i]));
    memmove(values, values + o->n, (size_t)(m * o->n) * sizeof *values);
    cf_backend_release(be, &x);
    cf_backend_release(be, &all);
    free(nan);
    return values;
}

/* K terms, each a product below 1 of variance 1/9, give partial sums of size sqrt(k)/3 after k terms; rounding each adds an error of variance u^2/3 times that squared, K^2 u^2/54 in all,
 * against a result of variance K/9: NMSE K u^2/6. Bias and accumulation are two more terms, the last rounding one more: (K + 4) u^2 leaves a margin of six. The largest
 * of some ten thousand errors of deviation K u/7.3 stays below (K + 4) u, seven deviations.
 * A tensor core cuts off where others round, after every 8 terms at the latest (Fasi, Higham, Mikaitis, Pranesh 2021): errors of u on average that do not cancel. Against a result of
 * size s they are below s u K/8, squared in the NMSE; the largest of the results is below five deviations, 5 sqrt(K)/3, and its partial sums two thirds of that on average: K sqrt(K) u/3
 * covers it. */
static bounds product_bounds(const fixture *f, int64_t k)
{
    const double terms = (double)(k + 4), blocks = (double)k / 8;
    if (!f->is_accelerator || f->compute == CF_F32)
        return (bounds){terms * U * U, terms * U};
    return (bounds){(terms + blocks * blocks) * U * U, (terms + (double)k * sqrt((double)k) / 3) * U};
}

static void products_agree_with_the_oracle(void **state)
{
    const fixture *f = *state;
    for (int64_t s = 0; s < COUNT(shapes); s++) {
        operands o = operands_make(s, f->compute);
        cf_weight *w = weight_make(f->two, &o), *w_ref = weight_make(f->ref, &o);
        for (int c = 0; c < 4; c++) {
            float *got = multiply(f->two, &o, w, 0, o.m, c & 1, c & 2);
            float *expected = multiply(f->ref, &o, w_ref, 0, o.m, c & 1, c & 2);
            check_close(c & 2 ? "accumulated product" : "product", o.m, o.n, o.k, got, expected, o.m * o.n,
                        product_bounds(f, o.k));
            free(got);
            free(expected);
        }
        cf_weight_free(f->two, w);
        cf_weight_free(f->ref, w_ref);
        operands_free(&o);
    }
}

static const cf_dtype all_dtypes[] = {CF_F32, CF_F16, CF_BF16};

/* A sum as exact as one left in f32, and one rounding. The oracle's has no error but that one, and u of the f32 it is compared with. */
static void products_may_leave_values(void **state)
{
    const fixture *f = *state;
    for (int64_t s = 0; s < COUNT(shapes); s++) {
        operands o = operands_make(s, f->compute);
        cf_weight *w = weight_make(f->two, &o), *w_ref = weight_make(f->ref, &o);
        float *expected = multiply(f->ref, &o, w_ref, 0, o.m, false, false);
        for (int64_t d = 0; d < COUNT(all_dtypes); d++) {
            float *by_ref = multiply_values(f->ref, &o, w_ref, 0, o.m, all_dtypes[d]);
            check_stored("oracle's product", o.m, o.n, o.k, all_dtypes[d], by_ref, expected, o.m * o.n,
                         (double)o.k * U);
            free(by_ref);
            if (all_dtypes[d] != CF_F32 && all_dtypes[d] != f->value)
                continue;
            float *got = multiply_values(f->two, &o, w, 0, o.m, all_dtypes[d]);
            check_stored("product", o.m, o.n, o.k, all_dtypes[d], got, expected, o.m * o.n,
                         product_bounds(f, o.k).max_abs);
            free(got);
        }
        free(expected);
        cf_weight_free(f->two, w);
        cf_weight_free(f->ref, w_ref);
        operands_free(&o);
    }
}

/* Multiples of 1/128 in [-1, 1) are exact in all three dtypes, so the product may not depend on the one the file has. The bytes lie at an odd multiple of 2, as in a mapped file. */
static void weights_of_every_dtype_give_the_same_product(void **state)
{
    const fixture *f = *state;
    cf_backend *const backends[] = {f->ref, f->two};
    for (int64_t b = 0; b < COUNT(backends); b++)
        for (int64_t s = 0; s < COUNT(shapes); s++) {
            operands o = operands_make(s, f->compute);
            const int64_t n = o.n * o.k;
            for (int64_t i = 0; i < n; i++)
                o.w[i] = floorf(o.w[i] * 128) / 128;
            unsigned char *bytes = malloc((size_t)n * 4 + 2);
            assert_non_null(bytes);
            float *first = NULL;
            for (int64_t d = 0; d < COUNT(all_dtypes); d++) {
                for (int64_t i = 0; i < n; i++) {
                    const uint16_t half =
                        all_dtypes[d] == CF_F16 ? safetensors_f32_to_f16(o.w[i]) : cf_f32_to_bf16(o.w[i]);
                    if (all_dtypes[d] == CF_F32)
                        memcpy(bytes + 2 + i * 4, &o.w[i], 4);
                    else
                        memcpy(bytes + 2 + i * 2, &half, 2);
                }
                const cf_tensor matrix = cf_tensor_2d(bytes + 2, all_dtypes[d], o.n, o.k);
                cf_weight *w = NULL;
                OK(cf_weight_create(backends[b], &w, &matrix, &err));
                float *y = multiply(backends[b], &o, w, 0, o.m, false, false);
                if (first)
                    check_same(cf_dtype_name(all_dtypes[d]), o.m, o.n, o.k, first, y, o.m * o.n);
                cf_weight_free(backends[b], w);
                if (first)
                    free(y);
                else
                    first = y;
            }
            free(first);
            free(bytes);
            operands_free(&o);
        }
}

static void the_same_product_twice_has_the_same_bits(void **state)
{
    const fixture *f = *state;
    for (int64_t s = 0; s < COUNT(shapes); s++) {
        operands o = operands_make(s, f->compute);
        cf_weight *w = weight_make(f->two, &o), *again = weight_make(f->two, &o);
        float *first = multiply(f->two, &o, w, 0, o.m, true, true);
        for (int i = 0; i < 2; i++) {
            float *second = multiply(f->two, &o, i ? again : w, 0, o.m, true, true);
            check_same("product repeated", o.m, o.n, o.k, first, second, o.m * o.n);
            free(second);
        }
        free(first);
        cf_weight_free(f->two, w);
        cf_weight_free(f->two, again);
        operands_free(&o);
    }
}

/* Rows from..m of the product in groups of `group` rows have the bits they have in the whole; so have those left as values. */
static void check_groups(cf_backend *be, const operands *o, const cf_weight *w, const float *whole, bool are_values,
                         int64_t group, int64_t from)
{
    for (int64_t i = from; i < o->m; i += group) {
        const int64_t end = i + group < o->m ? i + group : o->m;
        float *part = are_values ? multiply_values(be, o, w, i, end, cf_backend_value_dtype(be))
                                 : multiply(be, o, w, i, end, true, true);
        check_same(are_values ? "rows of values" : "rows of a product", o->n, o->k, group, whole + i * o->n, part,
                   (end - i) * o->n);
        free(part);
    }
}

/* The trait the sweep rests on. oneDNN does not promise it; it holds on processors with AVX-512 (measured), and where the probe says so it must hold for other data, other groups
 * and other thread counts than the probe's. */
static void rows_keep_their_bits_in_any_grouping_where_the_probe_says_so(void **state)
{
    const fixture *f = *state;
    static const int64_t groups[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 31, 100};
    int64_t n_invariant = 0;
    for (int64_t s = 0; s < COUNT(shapes); s++) {
        operands o = operands_make(s, f->compute);
        cf_weight *w = weight_make(f->two, &o), *w_one = weight_make(f->one, &o);
        bool invariant = false;
        OK(cf_backend_probe(f->two, &invariant, w, 130, &err));
        n_invariant += invariant;
        if (invariant) {
            float *whole = multiply(f->two, &o, w, 0, o.m, true, true);
            float *values = multiply_values(f->two, &o, w, 0, o.m, f->value);
            for (int64_t g = 0; g < COUNT(groups) && groups[g] <= o.m; g++) {
                check_groups(f->two, &o, w, whole, false, groups[g], g % 2 ? o.m / 3 : 0);
                if (g % f->thin == 0)
                    check_groups(f->two, &o, w, values, true, groups[g], g % 2 ? o.m / 3 : 0);
            }
            float *single = multiply(f->one, &o, w_one, 0, o.m, true, true);
            float *single_values = multiply_values(f->one, &o, w_one, 0, o.m, f->value);
            check_same("product with one thread", o.m, o.n, o.k, whole, single, o.m * o.n);
            check_same("values with one thread", o.m, o.n, o.k, values, single_values, o.m * o.n);
            free(whole);
            free(values);
            free(single);
            free(single_values);
        }
        cf_weight_free(f->two, w);
        cf_weight_free(f->one, w_one);
        operands_free(&o);
    }
    (void)printf("row invariance of %s products: %lld of %lld shapes\n", cf_dtype_name(f->compute),
                 (long long)n_invariant, (long long)COUNT(shapes));
    if (f->compute == CF_F32 && strstr(cf_backend_describe(f->two), "avx512"))
        assert_int_equal(n_invariant, COUNT(shapes));
}

static void the_oracle_is_row_invariant(void **state)
{
    const fixture *f = *state;
    operands o = operands_make(3, CF_F32);
    cf_weight *w = weight_make(f->ref, &o);
    bool invariant = false;
    OK(cf_backend_probe(f->ref, &invariant, w, 40, &err));
    assert_true(invariant);
    cf_weight_free(f->ref, w);
    operands_free(&o);
}

/* ref's product, but off by one unit in the last place where the row count is odd_count: what the probe is there to find. */
static int64_t odd_count;

static cf_status linear_with_an_odd_count(cf_backend *be, cf_tensor *y, const cf_tensor *x, const cf_weight *w,
                                          const cf_tensor *bias, bool accumulate, cf_error *err)
{
    const cf_status st = cf_backend_ref.linear(be, y, x, w, bias, accumulate, err);
    float *last = (float *)y->data + cf_tensor_count(y) - 1;
    if (x->shape[0] == odd_count)
        *last = nextafterf(*last, 1e9f);
    return st;
}

static void the_probe_finds_a_product_that_depends_on_its_row_count(void **state)
{
    const fixture *f = *state;
    operands o = operands_make(3, CF_F32);
    cf_weight *w = weight_make(f->ref, &o);
    cf_backend_ops ops = cf_backend_ref;
    ops.row_invariant = false; /* to be found out */
    ops.linear = linear_with_an_odd_count;
    struct cf_backend be = *f->ref;
    be.ops = &ops;
    static const struct {
        int64_t count;
        bool invariant;
    } cases[] = {{1, false}, {2, false}, {5, false}, {40, false}, {129, false}, {130, false}, {77, true}};
    for (int64_t i = 0; i < COUNT(cases); i++) {
        odd_count = cases[i].count;
        bool invariant = !cases[i].invariant;
        OK(cf_backend_probe(&be, &invariant, w, 130, &err));
        assert_int_equal(invariant, cases[i].invariant);
    }
    cf_weight_free(f->ref, w);
    operands_free(&o);
}

/* ref as an accelerator in bf16, whose product is off by one step where it leaves bf16 and the row count is odd_count. */
static cf_status linear_of_bf16(cf_backend *be, cf_tensor *y, const cf_tensor *x, const cf_weight *w,
                                const cf_tensor *bias, bool accumulate, cf_error *err)
{
    float *wide = malloc((size_t)cf_tensor_count(x) * sizeof *wide);
    assert_non_null(wide);
    cf_to_f32(wide, x->data, x->dtype, (size_t)cf_tensor_count(x));
    const cf_tensor as_f32 = cf_tensor_2d(wide, CF_F32, x->shape[0], x->shape[1]);
    const cf_status st = cf_backend_ref.linear(be, y, &as_f32, w, bias, accumulate, err);
    if (x->shape[0] == odd_count && y->dtype == CF_BF16)
        ((uint16_t *)y->data)[cf_tensor_count(y) - 1] ^= 1;
    free(wide);
    return st;
}

static cf_status gather_as_bf16(cf_backend *be, cf_tensor *y, const cf_tensor *x, const int32_t *rows, cf_error *err)
{
    (void)be;
    (void)err;
    assert_true(!rows && x->dtype == CF_F32 && y->dtype == CF_BF16);
    for (int64_t i = 0; i < cf_tensor_count(x); i++)
        ((uint16_t *)y->data)[i] = cf_f32_to_bf16(((const float *)x->data)[i]);
    return CF_OK;
}

static void the_probe_finds_values_that_depend_on_their_row_count(void **state)
{
    const fixture *f = *state;
    operands o = operands_make(3, CF_BF16);
    cf_weight *w = weight_make(f->ref, &o);
    cf_backend_ops ops = cf_backend_ref;
    ops.row_invariant = false;
    ops.linear = linear_of_bf16;
    ops.gather = gather_as_bf16;
    struct cf_backend be = *f->ref;
    be.ops = &ops;
    be.compute = CF_BF16;
    assert_int_equal(cf_backend_value_dtype(&be), CF_BF16);
    for (odd_count = 76; odd_count <= 77; odd_count++) { /* no group of the probe's has so many */
        bool invariant = false;
        OK(cf_backend_probe(&be, &invariant, w, 130, &err));
        assert_true(invariant);
    }
    static const int64_t counts[] = {1, 3, 64, 130};
    for (int64_t i = 0; i < COUNT(counts); i++) {
        odd_count = counts[i];
        bool invariant = true;
        OK(cf_backend_probe(&be, &invariant, w, 130, &err));
        assert_false(invariant);
    }
    cf_weight_free(f->ref, w);
    operands_free(&o);
}

static void products_are_counted_and_probes_are_not(void **state)
{
    const fixture *f = *state;
    operands o = operands_make(6, f->compute);
    cf_weight *w = weight_make(f->two, &o);
    const cf_counters before = cf_backend_counters(f->two);
    free(multiply(f->two, &o, w, 0, o.m, false, false));
    free(multiply(f->two, &o, w, 0, 2, false, false));
    free(multiply(f->two, &o, w, 1, 1, false, false)); /* no row: nothing to do, nothing counted */
    bool invariant = false;
    OK(cf_backend_probe(f->two, &invariant, w, 9, &err));
    const cf_counters after = cf_backend_counters(f->two);
    assert_int_equal(after.linear_calls - before.linear_calls, 2);
    assert_int_equal(after.linear_macs - before.linear_macs, (o.m + 2) * o.n * o.k);
    cf_weight_free(f->two, w);
    operands_free(&o);
}

/* The library takes a product's thread count from the thread that calls, not from the backend: with two backends open each has to set its own. */
static void backends_multiply_with_their_own_thread_counts(void **state)
{
    const fixture *f = *state;
    only_on_the_cpu(f, "its products have no threads");
    cf_backend *const backends[] = {f->one, f->two, f->one};
    operands o = operands_make(6, f->compute);
    for (int64_t b = 0; b < COUNT(backends); b++) {
        omp_set_num_threads(7);
        cf_weight *w = weight_make(backends[b], &o);
        assert_int_equal(omp_get_max_threads(), cf_backend_n_threads(backends[b]));
        omp_set_num_threads(7);
        free(multiply(backends[b], &o, w, 0, o.m, false, false));
        assert_int_equal(omp_get_max_threads(), cf_backend_n_threads(backends[b]));
        cf_weight_free(backends[b], w);
    }
    operands_free(&o);
}

/* More shapes than prepared products are kept for: the table is emptied on the way and the first shape still gives its bits. */
static void many_shapes_do_not_disturb_one_another(void **state)
{
    const fixture *f = *state;
    enum { N = 3, K = 2, KEPT = 4096 };
    float *xs = random_values(5, KEPT / 2 * K, 1), *ws = random_values(6, N * K, 1);
    round_values(xs, KEPT / 2 * K, f->compute);
    operands o = {1, N, K, xs, ws, ws, xs};
    cf_weight *w = weight_make(f->one, &o);
    float *first = multiply(f->one, &o, w, 0, 7, true, false);
    cf_tensor x = tensor_make(f->one, f->compute, KEPT / 2, K, xs), y = tensor_make(f->one, CF_F32, KEPT / 2, N, NULL);
    for (int64_t m = 1; m <= KEPT / 2; m++)
        for (int accumulate = 0; accumulate < 2; accumulate++) {
            const cf_tensor xm = cf_tensor_rows(&x, 0, m);
            cf_tensor ym = cf_tensor_rows(&y, 0, m);
            OK(cf_linear(f->one, &ym, &xm, w, NULL, accumulate, &err));
        }
    float *last = multiply(f->one, &o, w, 0, 7, true, false);
    check_same("product after many shapes", 7, N, K, first, last, 7 * N);
    cf_backend_release(f->one, &x);
    cf_backend_release(f->one, &y);
    free(first);
    free(last);
    cf_weight_free(f->one, w);
    free(xs);
    free(ws);
}

int test_products(fixture *f)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(products_agree_with_the_oracle, f),
        cmocka_unit_test_prestate(products_may_leave_values, f),
        cmocka_unit_test_prestate(weights_of_every_dtype_give_the_same_product, f),
        cmocka_unit_test_prestate(the_same_product_twice_has_the_same_bits, f),
        cmocka_unit_test_prestate(rows_keep_their_bits_in_any_grouping_where_the_probe_says_so, f),
        cmocka_unit_test_prestate(the_oracle_is_row_invariant, f),
        cmocka_unit_test_prestate(the_probe_finds_a_product_that_depends_on_its_row_count, f),
        cmocka_unit_test_prestate(the_probe_finds_values_that_depend_on_their_row_count, f),
        cmocka_unit_test_prestate(products_are_counted_and_probes_are_not, f),
        cmocka_unit_test_prestate(backends_multiply_with_their_own_thread_counts, f),
        cmocka_unit_test_prestate(many_shapes_do_not_disturb_one_another, f),
    };
    return cmocka_run_group_tests_name("products", tests, NULL, NULL);
}
