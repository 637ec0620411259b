/* test_rows.c - gather, norms, rotary embedding and activations: against the oracle, and row by row bit for bit. */
#include "row_operands.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Rows and columns: ones, primes, around vectors of 4, 8 and 16; the last are worth two threads. */
static const struct {
    int64_t m, d;
} shapes[] = {{1, 1},   {1, 2},  {3, 3},  {2, 7},    {5, 16},   {1, 17},
              {13, 31}, {7, 64}, {3, 80}, {1, 1000}, {61, 300}, {130, 192}};

/* rms_norm: the sum of d squares in at least 4 lanes is a walk of relative deviation u sqrt(d/4)/3, halved by the root; five more roundings. Six deviations: (sqrt(d)/2 + 8) u of the
 *   result, which is below sqrt(d). NMSE: that squared, without the factor sqrt(d).
 * layer_norm: the same, and the mean's error of (sqrt(d)/4 + 2) u, enlarged by the scale in both terms.
 * rope: two products and a sum, 2 u, and the oracle's own rounding; over a mean square of 1/3 and errors uniform, 4 u^2.
 * activations: e^x and erf to 4 u, three or four roundings, all of them errors relative to x at most: 8 u |x|. (GELU's 1 + erf cancels for negative x: relative to y nothing holds.)
 *   quick_gelu rounds 1.702 x first, which moves the sigmoid s by at most |x| s (1 - s) 2.6 u, less than u. */
static bounds bounds_of(row_op op, const row_operands *o, const float *y)
{
    const double d = (double)o->d, sum = (sqrt(d) / 2 + 8) * U;
    if (op == RMS_NORM)
        return (bounds){sum * sum, sum * sqrt(d)};
    if (op == LAYER_NORM) {
        const double scaled = largest_scale(o);
        return (bounds){pow(sum * (1 + scaled), 2), sum * (sqrt(d) + 1 + scaled)};
    }
    return op == ROPE ? (bounds){4 * U * U, 3 * U} : activation_bounds(op, o, y);
}

static void row_operations_agree_with_the_oracle(void **state)
{
    const fixture *f = *state;
    for (row_op op = 0; op < N_ROW_OPS; op++)
        for (int64_t s = 0; s < COUNT(shapes); s++) {
            if (!row_op_applies(op, shapes[s].d))
                continue;
            row_operands o = row_operands_make(shapes[s].m, shapes[s].d, row_ops[op].size);
            float *got = row_values(f->two, op, &o, 0, o.m, CF_F32);
            float *expected = row_values(f->ref, op, &o, 0, o.m, CF_F32);
            check_close(row_ops[op].name, o.m, o.d, 0, got, expected, o.m * o.d, bounds_of(op, &o, expected));
            if (op >= GELU)
                check_activation(op, &o, got, expected);
            if (op != ROPE) { /* in place: x's dtype is y's */
                float *half = row_values(f->two, op, &o, 0, o.m, f->compute);
                if (f->compute != CF_F32)
                    check_rounded(row_ops[op].name, f->compute, half, got, o.m * o.d);
                else
                    check_same(row_ops[op].name, o.m, o.d, 0, half, got, o.m * o.d);
                free(half);
            }
            free(got);
            free(expected);
            row_operands_free(&o);
        }
}

/* From values that the dtype holds: what is computed from them as f32, bit for bit, and rounded to the dtype it is stored in; any rows of it alone. The oracle rounds from double, so its
 * stored values are compared with its f32 ones, which are off by u of themselves. */
static void check_values(const fixture *f, cf_backend *be, row_op op, const row_operands *o, cf_dtype dtype)
{
    const char *const name = row_ops[op].name;
    const int64_t n = o->m * o->d;
    float *f32 = row_values(be, op, o, 0, o->m, CF_F32);
    float *got = row_values_of(be, op, o, 0, o->m, dtype, op == ROPE ? dtype : CF_F32);
    if (op == ROPE && be == f->ref)
        check_stored(name, o->m, o->d, 0, dtype, got, f32, n, 2 * U);
    else if (op == ROPE)
        check_rounded(name, dtype, got, f32, n);
    else
        check_same(name, o->m, o->d, dtype, f32, got, n);
    if (op != ROPE && dtype == cf_backend_compute(be)) {
        float *half = row_values_of(be, op, o, 0, o->m, dtype, dtype);
        check_rounded(name, dtype, half, f32, n);
        free(half);
    }
    for (int64_t begin = 0; begin < o->m; begin += 5) {
        const int64_t end = begin + 5 < o->m ? begin + 5 : o->m;
        float *part = row_values_of(be, op, o, begin, end, dtype, op == ROPE ? dtype : CF_F32);
        check_same(name, o->d, begin, dtype, got + begin * o->d, part, (end - begin) * o->d);
        free(part);
    }
    free(f32);
    free(got);
}

static void operations_take_values_as_they_are(void **state)
{
    const fixture *f = *state;
    static const cf_dtype dtypes[] = {CF_F16, CF_BF16};
    for (row_op op = ROPE; op < N_ROW_OPS; op++)
        for (int64_t s = 0; s < COUNT(shapes); s++)
            for (int64_t d = 0; d < COUNT(dtypes); d++) {
                if (!row_op_applies(op, shapes[s].d))
                    continue;
                row_operands o = row_operands_make(shapes[s].m, shapes[s].d, row_ops[op].size);
                round_values(o.x, o.m * o.d, dtypes[d]);
                round_values(o.times, o.m * o.d, dtypes[d]);
                check_values(f, f->ref, op, &o, dtypes[d]);
                if (dtypes[d] == f->value)
                    check_values(f, f->two, op, &o, dtypes[d]);
                row_operands_free(&o);
            }
}

static void a_row_has_its_bits_alone_in_any_block_and_with_any_threads(void **state)
{
    const fixture *f = *state;
    for (row_op op = 0; op < N_ROW_OPS; op++)
        for (int64_t s = 0; s < COUNT(shapes); s++) {
            if (!row_op_applies(op, shapes[s].d))
                continue;
            row_operands o = row_operands_make(shapes[s].m, shapes[s].d, row_ops[op].size);
            float *whole = row_values(f->two, op, &o, 0, o.m, CF_F32);
            for (int pass = 0; pass < 2; pass++) { /* again, and with one thread */
                float *again = row_values(pass ? f->one : f->two, op, &o, 0, o.m, CF_F32);
                check_same(row_ops[op].name, o.m, o.d, pass, whole, again, o.m * o.d);
                free(again);
            }
            for (int64_t block = 1; block <= 13 && block <= o.m; block += f->thin)
                for (int64_t begin = 0; begin + block <= o.m && begin < 20; begin += block) {
                    float *part = row_values(f->two, op, &o, begin, begin + block, CF_F32);
                    check_same(row_ops[op].name, o.d, block, begin, whole + begin * o.d, part, block * o.d);
                    free(part);
                }
            free(whole);
            row_operands_free(&o);
        }
}

static void layer_norm_may_write_over_its_input(void **state)
{
    const fixture *f = *state;
    cf_backend *const backends[] = {f->ref, f->two};
    for (int64_t b = 0; b < COUNT(backends); b++)
        for (int64_t s = 0; s < COUNT(shapes); s++) {
            row_operands o = row_operands_make(shapes[s].m, shapes[s].d, 1);
            float *apart = row_values(backends[b], LAYER_NORM, &o, 0, o.m, CF_F32);
            cf_tensor x = tensor_make(backends[b], CF_F32, o.m, o.d, o.x);
            cf_tensor gamma = tensor_make(backends[b], CF_F32, 1, o.d, o.gamma),
                      beta = tensor_make(backends[b], CF_F32, 1, o.d, o.beta);
            OK(cf_layer_norm(backends[b], &x, &x, &gamma, &beta, row_eps, &err));
            float *over = tensor_values(backends[b], &x);
            check_same("layer_norm in place", b, o.m, o.d, apart, over, o.m * o.d);
            free(apart);
            free(over);
            cf_backend_release(backends[b], &x);
            cf_backend_release(backends[b], &gamma);
            cf_backend_release(backends[b], &beta);
            row_operands_free(&o);
        }
}

/* Gathers rows of x into dtype y and compares with picking them on the host: exact, or one rounding to bf16. */
static void check_gather(cf_backend *be, cf_dtype from, cf_dtype to, int64_t d)
{
    enum { SOURCES = 9, M = 70 };
    float *values = random_values(6, SOURCES * d, 4);
    if (from == CF_F16)
        for (int64_t i = 0; i < SOURCES * d; i++)
            values[i] = floorf(values[i] * 32) / 32; /* exact in f16 and bf16 */
    cf_tensor x = {0};
    OK(cf_backend_alloc(be, &x, from, SOURCES, d, &err));
    uint16_t *half = malloc((size_t)(SOURCES * d) * sizeof *half);
    assert_non_null(half);
    for (int64_t i = 0; i < SOURCES * d; i++) {
        half[i] = cf_f32_to_bf16(values[i]);
        if (from ==
            CF_F16) { /* the value is m / 32, |m| <= 128: found among the f16 values by search, as no encoder is needed elsewhere */
            for (half[i] = 0; cf_f16_to_f32(half[i]) != fabsf(values[i]); half[i]++)
                assert_true(half[i] < 0x7c00);
            half[i] = (uint16_t)(half[i] | (values[i] < 0 ? 0x8000 : 0));
        }
        if (from == CF_BF16)
            values[i] = cf_bf16_to_f32(half[i]);
    }
    OK(cf_backend_upload(be, &x, from == CF_F32 ? (void *)values : (void *)half, &err));
    int32_t rows[M];
    for (int i = 0; i < M; i++)
        rows[i] = (i * 5 + 3) % SOURCES;
    for (int all = 0; all < 2; all++) {
        const int64_t m = all ? SOURCES : M;
        cf_tensor y = tensor_make(be, to, m, d, NULL);
        OK(cf_gather(be, &y, &x, all ? NULL : rows, &err));
        float *got = tensor_values(be, &y);
        for (int64_t i = 0; i < m; i++) {
            const float *row = values + (all ? i : rows[i]) * d;
            if (to != CF_F32)
                check_rounded("gather", to, got + i * d, row, d);
            else
                check_same("gather", from, to, i, got + i * d, row, d);
        }
        free(got);
        cf_backend_release(be, &y);
    }
    cf_backend_release(be, &x);
    free(values);
    free(half);
}

static void gather_picks_rows_and_converts_them(void **state)
{
    const fixture *f = *state;
    static const int64_t widths[] = {1, 7, 8, 19, 300};
    for (int64_t i = 0; i < COUNT(widths); i++) {
        static const cf_dtype froms[] = {CF_F32, CF_F16, CF_BF16};
        for (int64_t j = 0; j < COUNT(froms); j++) {
            check_gather(f->ref, froms[j], CF_F32, widths[i]);
            check_gather(f->two, froms[j], CF_F32, widths[i]);
            if (froms[j] != CF_F16) /* bf16 rows stay as they are, f32 rows become the compute dtype */
                check_gather(f->two, froms[j], froms[j] == CF_BF16 ? CF_BF16 : f->compute, widths[i]);
        }
    }
}

static void scatter_puts_rows_where_they_belong_and_touches_no_other(void **state)
{
    const fixture *f = *state;
    enum { M = 9, N = 4 };
    static const int64_t widths[] = {1, 7, 300};
    static const int32_t rows[N] = {8, 0, 5, 3};
    cf_backend *const backends[] = {f->ref, f->two};
    for (size_t b = 0; b < COUNT(backends); b++)
        for (int64_t w = 0; w < COUNT(widths); w++) {
            const int64_t d = widths[w];
            float *expected = random_values(7, M * d, 4), *moved = random_values(8, N * d, 4);
            cf_tensor y = tensor_make(backends[b], CF_F32, M, d, expected);
            cf_tensor x = tensor_make(backends[b], CF_F32, N, d, moved);
            OK(cf_scatter(backends[b], &y, &x, rows, &err));
            for (int i = 0; i < N; i++)
                memcpy(expected + rows[i] * d, moved + i * d, (size_t)d * sizeof *moved);
            float *got = tensor_values(backends[b], &y);
            assert_memory_equal(got, expected, (size_t)(M * d) * sizeof *got);
            free(got);
            free(moved);
            free(expected);
            cf_backend_release(backends[b], &x);
            cf_backend_release(backends[b], &y);
        }
}

static void no_row_is_no_work(void **state)
{
    const fixture *f = *state;
    row_operands o = row_operands_make(1, 6, 1);
    for (row_op op = 0; op < N_ROW_OPS; op++)
        free(row_values(f->two, op, &o, 0, 0, CF_F32));
    row_operands_free(&o);
}

int test_rows(fixture *f)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(row_operations_agree_with_the_oracle, f),
        cmocka_unit_test_prestate(operations_take_values_as_they_are, f),
        cmocka_unit_test_prestate(a_row_has_its_bits_alone_in_any_block_and_with_any_threads, f),
        cmocka_unit_test_prestate(layer_norm_may_write_over_its_input, f),
        cmocka_unit_test_prestate(gather_picks_rows_and_converts_them, f),
        cmocka_unit_test_prestate(scatter_puts_rows_where_they_belong_and_touches_no_other, f),
        cmocka_unit_test_prestate(no_row_is_no_work, f),
    };
    return cmocka_run_group_tests_name("rows", tests, NULL, NULL);
}
