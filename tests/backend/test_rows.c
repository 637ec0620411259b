/* test_rows.c - gather, norms, rotary embedding and activations: against the oracle, and row by row bit for bit. */
#include "fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum row_op { RMS_NORM, LAYER_NORM, ROPE, GELU, GELU_TANH, QUICK_GELU, SILU, SILU_TIMES } row_op;

static const struct {
    row_op op;
    const char *name;
    float size; /* inputs are uniform in [-size, size) */
} ops[] = {
    {RMS_NORM, "rms_norm", 1},    {LAYER_NORM, "layer_norm", 1},  {ROPE, "rope", 1},  {GELU, "gelu", 10},
    {GELU_TANH, "gelu_tanh", 10}, {QUICK_GELU, "quick_gelu", 20}, {SILU, "silu", 20}, {SILU_TIMES, "silu times", 20},
};

/* Rows and columns: ones, primes, around vectors of 4, 8 and 16; the last are worth two threads. */
static const struct {
    int64_t m, d;
} shapes[] = {{1, 1},   {1, 2},  {3, 3},  {2, 7},    {5, 16},   {1, 17},
              {13, 31}, {7, 64}, {3, 80}, {1, 1000}, {61, 300}, {130, 192}};

/* A row-wise operation's operands: x [m, d], and a second row-wise input; two vectors of d. */
typedef struct operands {
    int64_t m, d;
    float *x, *times, *gamma, *beta;
} operands;

enum { N_POSITIONS = 11 };
static const float eps = 1e-5f;

static operands operands_make(int64_t m, int64_t d, float size)
{
    return (operands){m,
                      d,
                      random_values(1, m * d, size),
                      random_values(2, m * d, 1),
                      random_values(3, d, 1),
                      random_values(4, d, 1)};
}

static void operands_free(operands *o)
{
    free(o->x);
    free(o->times);
    free(o->gamma);
    free(o->beta);
}

/* Heads of a row of d elements: 3 where they divide it into even halves, else 1; 0 where not even that. */
static int64_t heads_of(int64_t d)
{
    return d % 6 == 0 ? 3 : d % 2 == 0 ? 1 : 0;
}

/* op on rows [begin, end), as heap values. Row i has position (5 i) mod N_POSITIONS, wherever it stands. */
static float *apply(cf_backend *be, row_op op, const operands *o, int64_t begin, int64_t end, cf_dtype out)
{
    const int64_t m = end - begin, d = o->d;
    cf_tensor x = tensor_make(be, CF_F32, m, d, o->x + begin * d), y = tensor_make(be, out, m, d, NULL);
    cf_tensor times = tensor_make(be, CF_F32, m, d, o->times + begin * d);
    cf_tensor gamma = tensor_make(be, CF_F32, 1, d, o->gamma), beta = tensor_make(be, CF_F32, 1, d, o->beta);
    float *values = NULL;
    if (op == ROPE) {
        const int64_t heads = heads_of(d), e = d / heads;
        float *angles = random_values(5, N_POSITIONS * e, 1);
        cf_tensor table = tensor_make(be, CF_F32, N_POSITIONS, e, angles);
        int32_t *pos = malloc((size_t)(m + 1) * sizeof *pos);
        assert_non_null(pos);
        for (int64_t i = 0; i < m; i++)
            pos[i] = (int32_t)((begin + i) * 5 % N_POSITIONS);
        OK(cf_rope(be, &x, &table, pos, heads, &err));
        values = tensor_values(be, &x);
        free(pos);
        free(angles);
        cf_backend_release(be, &table);
    } else {
        if (op == RMS_NORM)
            OK(cf_rms_norm(be, &y, &x, &gamma, eps, &err));
        else if (op == LAYER_NORM)
            OK(cf_layer_norm(be, &y, &x, &gamma, &beta, eps, &err));
        else
            OK(cf_activate(be, &y, &x, op == SILU_TIMES ? &times : NULL,
                           op == GELU         ? CF_UNARY_GELU
                           : op == GELU_TANH  ? CF_UNARY_GELU_TANH
                           : op == QUICK_GELU ? CF_UNARY_QUICK_GELU
                                              : CF_UNARY_SILU,
                           &err));
        values = tensor_values(be, &y);
    }
    cf_backend_release(be, &x);
    cf_backend_release(be, &y);
    cf_backend_release(be, &times);
    cf_backend_release(be, &gamma);
    cf_backend_release(be, &beta);
    return values;
}

/* The largest |x| / sqrt(var + eps) of any row: what the mean's error is enlarged by. */
static double largest_scaled(const operands *o)
{
    double largest = 0;
    for (int64_t i = 0; i < o->m; i++) {
        double mean = 0, var = 0;
        for (int64_t j = 0; j < o->d; j++)
            mean += (double)o->x[i * o->d + j] / (double)o->d;
        for (int64_t j = 0; j < o->d; j++)
            var += ((double)o->x[i * o->d + j] - mean) * ((double)o->x[i * o->d + j] - mean) / (double)o->d;
        largest = fmax(largest, 1 / sqrt(var + (double)eps));
    }
    return largest;
}

/* rms_norm: the sum of d squares in at least 4 lanes is a walk of relative deviation u sqrt(d/4)/3, halved by the root; five more roundings. Six deviations: (sqrt(d)/2 + 8) u of the
 *   result, which is below sqrt(d). NMSE: that squared, without the factor sqrt(d).
 * layer_norm: the same, and the mean's error of (sqrt(d)/4 + 2) u, enlarged by the scale in both terms.
 * rope: two products and a sum, 2 u, and the oracle's own rounding; over a mean square of 1/3 and errors uniform, 4 u^2.
 * activations: e^x and erf to 4 u, three or four roundings, all of them errors relative to x at most: 8 u |x|. (GELU's 1 + erf cancels for negative x: relative to y nothing holds.)
 *   quick_gelu rounds 1.702 x first, which moves the sigmoid s by at most |x| s (1 - s) 2.6 u, less than u. */
static bounds bounds_of(row_op op, const operands *o, const float *y, float size)
{
    const double d = (double)o->d, sum = (sqrt(d) / 2 + 8) * U;
    if (op == RMS_NORM)
        return (bounds){sum * sum, sum * sqrt(d)};
    if (op == LAYER_NORM) {
        const double scaled = largest_scaled(o);
        return (bounds){pow(sum * (1 + scaled), 2), sum * (sqrt(d) + 1 + scaled)};
    }
    if (op == ROPE)
        return (bounds){4 * U * U, 3 * U};
    double square_x = 0, square_y = 0;
    for (int64_t i = 0; i < o->m * o->d; i++) {
        square_x += (double)o->x[i] * (double)o->x[i];
        square_y += (double)y[i] * (double)y[i];
    }
    return (bounds){64 * U * U * square_x / square_y, 8 * U * (double)size};
}

static void row_operations_agree_with_the_oracle(void **state)
{
    const fixture *f = *state;
    for (int64_t i = 0; i < COUNT(ops); i++)
        for (int64_t s = 0; s < COUNT(shapes); s++) {
            if (ops[i].op == ROPE && !heads_of(shapes[s].d))
                continue;
            operands o = operands_make(shapes[s].m, shapes[s].d, ops[i].size);
            float *got = apply(f->two, ops[i].op, &o, 0, o.m, CF_F32);
            float *expected = apply(f->ref, ops[i].op, &o, 0, o.m, CF_F32);
            check_close(ops[i].name, o.m, o.d, 0, got, expected, o.m * o.d,
                        bounds_of(ops[i].op, &o, expected, ops[i].size));
            for (int64_t j = 0; ops[i].op >= GELU && j < o.m * o.d; j++)
                if (fabs((double)got[j] - (double)expected[j]) > 8 * U * fabs((double)o.x[j]))
                    fail_msg("%s of %.9g: %.9g, expected %.9g", ops[i].name, (double)o.x[j], (double)got[j],
                             (double)expected[j]);
            if (ops[i].op != ROPE) { /* in place: it has no other dtype */
                float *half = apply(f->two, ops[i].op, &o, 0, o.m, f->compute);
                if (f->compute != CF_F32)
                    check_rounded(ops[i].name, f->compute, half, got, o.m * o.d);
                else
                    check_same(ops[i].name, o.m, o.d, 0, half, got, o.m * o.d);
                free(half);
            }
            free(got);
            free(expected);
            operands_free(&o);
        }
}

static void a_row_has_its_bits_alone_in_any_block_and_with_any_threads(void **state)
{
    const fixture *f = *state;
    for (int64_t i = 0; i < COUNT(ops); i++)
        for (int64_t s = 0; s < COUNT(shapes); s++) {
            if (ops[i].op == ROPE && !heads_of(shapes[s].d))
                continue;
            operands o = operands_make(shapes[s].m, shapes[s].d, ops[i].size);
            float *whole = apply(f->two, ops[i].op, &o, 0, o.m, CF_F32);
            for (int pass = 0; pass < 2; pass++) { /* again, and with one thread */
                float *again = apply(pass ? f->one : f->two, ops[i].op, &o, 0, o.m, CF_F32);
                check_same(ops[i].name, o.m, o.d, pass, whole, again, o.m * o.d);
                free(again);
            }
            for (int64_t block = 1; block <= 13 && block <= o.m; block += f->thin)
                for (int64_t begin = 0; begin + block <= o.m && begin < 20; begin += block) {
                    float *part = apply(f->two, ops[i].op, &o, begin, begin + block, CF_F32);
                    check_same(ops[i].name, o.d, block, begin, whole + begin * o.d, part, block * o.d);
                    free(part);
                }
            free(whole);
            operands_free(&o);
        }
}

static void layer_norm_may_write_over_its_input(void **state)
{
    const fixture *f = *state;
    cf_backend *const backends[] = {f->ref, f->two};
    for (int64_t b = 0; b < COUNT(backends); b++)
        for (int64_t s = 0; s < COUNT(shapes); s++) {
            operands o = operands_make(shapes[s].m, shapes[s].d, 1);
            float *apart = apply(backends[b], LAYER_NORM, &o, 0, o.m, CF_F32);
            cf_tensor x = tensor_make(backends[b], CF_F32, o.m, o.d, o.x);
            cf_tensor gamma = tensor_make(backends[b], CF_F32, 1, o.d, o.gamma),
                      beta = tensor_make(backends[b], CF_F32, 1, o.d, o.beta);
            OK(cf_layer_norm(backends[b], &x, &x, &gamma, &beta, eps, &err));
            float *over = tensor_values(backends[b], &x);
            check_same("layer_norm in place", b, o.m, o.d, apart, over, o.m * o.d);
            free(apart);
            free(over);
            cf_backend_release(backends[b], &x);
            cf_backend_release(backends[b], &gamma);
            cf_backend_release(backends[b], &beta);
            operands_free(&o);
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
    operands o = operands_make(1, 6, 1);
    for (int64_t i = 0; i < COUNT(ops); i++)
        free(apply(f->two, ops[i].op, &o, 0, 0, CF_F32));
    operands_free(&o);
}

int test_rows(fixture *f)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(row_operations_agree_with_the_oracle, f),
        cmocka_unit_test_prestate(a_row_has_its_bits_alone_in_any_block_and_with_any_threads, f),
        cmocka_unit_test_prestate(layer_norm_may_write_over_its_input, f),
        cmocka_unit_test_prestate(gather_picks_rows_and_converts_them, f),
        cmocka_unit_test_prestate(scatter_puts_rows_where_they_belong_and_touches_no_other, f),
        cmocka_unit_test_prestate(no_row_is_no_work, f),
    };
    return cmocka_run_group_tests_name("rows", tests, NULL, NULL);
}
