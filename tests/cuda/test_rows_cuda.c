/* test_rows_cuda.c - the launches of src/backend/cuda/rows.h: against the oracle, row by row bit for bit, at any alignment, in every order of the threads. */
#include "backend/row_operands.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "backend/cuda/rows.h"
#include "device_array.h"

#ifdef CF_EMULATED
#include "cuda/emulator/machine.h"
#endif

/* The order that threads run in, 0: by index. On a device the order is the device's, and what is tested is that a launch gives the same again. */
enum { N_ORDERS = 4 };
static void set_order(int i)
{
#ifdef CF_EMULATED
    cf_emulator_set_order(i < 1 ? CF_EMULATOR_FORWARD : i < 2 ? CF_EMULATOR_BACKWARD : CF_EMULATOR_RANDOM, (uint64_t)i);
#else
    (void)i;
#endif
}

/* Rows and columns: ones, primes, around a vector of four, around what one warp holds (512), around a block of 2,048 elements, around what the largest block holds (16,384). */
static const struct {
    int64_t m, d;
} shapes[] = {{1, 1},    {1, 2},    {3, 3},    {2, 4},    {5, 7},     {3, 16},    {13, 31},   {3, 80},   {7, 64},
              {2, 127},  {3, 192},  {1, 511},  {2, 512},  {2, 513},   {2, 528},   {2, 1000},  {3, 1024}, {1, 2047},
              {2, 2048}, {1, 2052}, {2, 4096}, {1, 5003}, {1, 16384}, {1, 16387}, {1, 20000}, {1, 20011}};

/* How far each array begins from an aligned address, in elements: two bits each. */
typedef enum array_of { X, Y, TIMES_OR_TABLE, GAMMA, BETA, N_ARRAYS } array_of;
enum { ALIGNED = 0, ALL_BY_ONE = 0x155 };

static int64_t offset_of(int offsets, array_of array)
{
    return offsets >> 2 * array & 3;
}

/* op on rows [begin, end) by the launch under test, x and times in a dtype of values (norms have none but f32). ROPE is in place: its dtype is that of its input. */
static float *apply_to(row_op op, const row_operands *o, int64_t begin, int64_t end, cf_dtype in, cf_dtype out,
                       int offsets)
{
    const int64_t m = end - begin, d = o->d;
    device_array x = device_make(in, o->x + begin * d, m * d, offset_of(offsets, X));
    device_array y = device_make(out, NULL, m * d, offset_of(offsets, Y));
    device_array times = device_make(in, o->times + begin * d, m * d, offset_of(offsets, TIMES_OR_TABLE));
    device_array gamma = device_make(CF_F32, o->gamma, d, offset_of(offsets, GAMMA));
    device_array beta = device_make(CF_F32, o->beta, d, offset_of(offsets, BETA));
    if (op == RMS_NORM)
        CUDA_OK(cf_cuda_rms_norm(NULL, y.data, out, x.data, gamma.data, row_eps, m, d));
    else if (op == LAYER_NORM)
        CUDA_OK(cf_cuda_layer_norm(NULL, y.data, out, x.data, gamma.data, beta.data, row_eps, m, d));
    else if (op != ROPE)
        CUDA_OK(cf_cuda_activate(NULL, y.data, out, x.data, op == SILU_TIMES ? times.data : NULL, in, row_ops[op].f,
                                 m * d));
    else {
        const int64_t e = d / heads_of(d);
        float *angles = random_values(5, N_POSITIONS * e, 1);
        int32_t *pos = row_positions(begin, m), *at = device_indices(pos, m);
        device_array table = device_make(CF_F32, angles, N_POSITIONS * e, offset_of(offsets, TIMES_OR_TABLE));
        CUDA_OK(cf_cuda_rope(NULL, x.data, in, table.data, at, m, heads_of(d), e));
        device_free(&table);
        CUDA_OK(cudaFree(at));
        free(pos);
        free(angles);
    }
    float *values = device_values(op == ROPE ? &x : &y);
    device_free(&x);
    device_free(&y);
    device_free(&times);
    device_free(&gamma);
    device_free(&beta);
    return values;
}

static float *apply(row_op op, const row_operands *o, int64_t begin, int64_t end, cf_dtype out, int offsets)
{
    return apply_to(op, o, begin, end, CF_F32, out, offsets);
}

/* rms_norm: a thread adds 16 squares, at most 20 for the longest rows here, then a tree of ten levels: each of the 30 additions rounds the sum by at most u, and rounding errors of
 *   random sign make a walk of which six deviations are sqrt(30) 6 / sqrt(3) = 19 u; the root halves it; five roundings follow: 15 u of the result, which is below sqrt(d).
 *   NMSE: that squared, without the factor sqrt(d).
 * layer_norm: the same, and an error of the mean, whose sum of terms below 1 is as exact: 19 u on a mean below 1, enlarged by the scale.
 * rope: a product rounded, and a fused sum, both below 2: 2 u.
 * activations: e^x, erf and tanh to 2 ulp, that is 4 u; three or four roundings, each relative to x at most: 8 u |x|. quick_gelu rounds 1.702 x first, which moves the sigmoid s
 *   by at most |x| s (1 - s) 2.6 u, less than u. */
static bounds bounds_of(row_op op, const row_operands *o, const float *y)
{
    const double root = sqrt((double)o->d);
    if (op == RMS_NORM)
        return (bounds){pow(15 * U, 2), 15 * U * root};
    if (op == LAYER_NORM) {
        const double scale = largest_scale(o);
        return (bounds){pow((15 + 19 * scale) * U, 2), (15 * root + 19 * scale) * U};
    }
    return op == ROPE ? (bounds){4 * U * U, 2 * U} : activation_bounds(op, o, y);
}

/* A result of another dtype is the f32 result, rounded once. */
static void check_rounded_to(const char *what, cf_dtype dtype, const float *got, const float *f32, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if ((double)got[i] != round_to(dtype, (double)f32[i]))
            fail_msg("%s in %s: element %lld: %a, rounded from %a", what, cf_dtype_name(dtype), (long long)i,
                     (double)got[i], (double)f32[i]);
}

static void row_operations_agree_with_the_oracle(void **state)
{
    const fixture *f = *state;
    for (row_op op = 0; op < N_ROW_OPS; op++)
        for (int64_t s = 0; s < COUNT(shapes); s++) {
            if (!row_op_applies(op, shapes[s].d))
                continue;
            row_operands o = row_operands_make(shapes[s].m, shapes[s].d, row_ops[op].size);
            const int64_t n = o.m * o.d;
            float *got = apply(op, &o, 0, o.m, CF_F32, ALIGNED), *expected = row_values(f->ref, op, &o, 0, o.m, CF_F32);
            check_close(row_ops[op].name, o.m, o.d, 0, got, expected, n, bounds_of(op, &o, expected));
            if (op >= GELU)
                check_activation(op, &o, got, expected);
            for (cf_dtype out = CF_F16; op != ROPE && out <= CF_BF16; out++) {
                float *half = apply(op, &o, 0, o.m, out, ALIGNED);
                check_rounded_to(row_ops[op].name, out, half, got, n);
                free(half);
            }
            free(got);
            free(expected);
            row_operands_free(&o);
        }
}

/* From values that the dtype holds: what is computed from them as f32, bit for bit and rounded once, at any address. */
static void operations_take_values_as_they_are(void **state)
{
    (void)state;
    for (row_op op = ROPE; op < N_ROW_OPS; op++)
        for (int64_t s = 0; s < COUNT(shapes); s++)
            for (cf_dtype in = CF_F16; in <= CF_BF16; in++) {
                if (!row_op_applies(op, shapes[s].d))
                    continue;
                row_operands o = row_operands_make(shapes[s].m, shapes[s].d, row_ops[op].size);
                const int64_t n = o.m * o.d;
                round_values(o.x, n, in);
                round_values(o.times, n, in);
                float *f32 = apply(op, &o, 0, o.m, CF_F32, ALIGNED);
                for (int order = 0; order < N_ORDERS; order++) { /* with each, another alignment */
                    set_order(order);
                    float *half = apply_to(op, &o, 0, o.m, in, in, order * ALL_BY_ONE);
                    check_rounded_to(row_ops[op].name, in, half, f32, n);
                    free(half);
                }
                set_order(0);
                for (array_of a = 0; op != ROPE && a <= TIMES_OR_TABLE; a++) { /* one alone that is not aligned */
                    float *wide = apply_to(op, &o, 0, o.m, in, CF_F32, 1 << 2 * a);
                    check_same(row_ops[op].name, o.m, o.d, in, f32, wide, n);
                    free(wide);
                }
                free(f32);
                row_operands_free(&o);
            }
}

/* A device has one compute dtype: nothing has both. */
static void values_of_the_other_dtype_of_16_bits_are_refused(void **state)
{
    (void)state;
    const float one = 1;
    device_array x = device_make(CF_F16, &one, 1, 0), y = device_make(CF_BF16, &one, 1, 0);
    assert_int_equal(cf_cuda_activate(NULL, y.data, CF_BF16, x.data, NULL, CF_F16, CF_UNARY_SILU, 1),
                     cudaErrorInvalidValue);
    assert_int_equal(cf_cuda_activate(NULL, x.data, CF_F16, y.data, NULL, CF_BF16, CF_UNARY_GELU, 1),
                     cudaErrorInvalidValue);
    device_free(&x);
    device_free(&y);
}

static void a_row_has_its_bits_alone_in_any_block_at_any_address_and_in_any_order(void **state)
{
    (void)state;
    for (row_op op = 0; op < N_ROW_OPS; op++)
        for (int64_t s = 0; s < COUNT(shapes); s++) {
            if (!row_op_applies(op, shapes[s].d))
                continue;
            row_operands o = row_operands_make(shapes[s].m, shapes[s].d, row_ops[op].size);
            float *whole = apply(op, &o, 0, o.m, CF_F32, ALIGNED);
            for (int order = 0; order < N_ORDERS; order++) { /* with each, another alignment */
                set_order(order);
                float *again = apply(op, &o, 0, o.m, CF_F32, order * ALL_BY_ONE);
                check_same(row_ops[op].name, o.m, o.d, order, whole, again, o.m * o.d);
                free(again);
            }
            set_order(0);
            for (array_of a = 0; a < N_ARRAYS; a++) { /* one alone that is not aligned */
                float *again = apply(op, &o, 0, o.m, CF_F32, 1 << 2 * a);
                check_same(row_ops[op].name, o.m, o.d, a, whole, again, o.m * o.d);
                free(again);
            }
            for (int64_t block = 1; block < o.m; block += 2)
                for (int64_t begin = 0; begin + block <= o.m; begin += block) {
                    float *part = apply(op, &o, begin, begin + block, CF_F32, ALIGNED);
                    check_same(row_ops[op].name, o.d, block, begin, whole + begin * o.d, part, block * o.d);
                    free(part);
                }
            free(whole);
            row_operands_free(&o);
        }
}

static void layer_norm_may_write_over_its_input(void **state)
{
    (void)state;
    for (int64_t s = 0; s < COUNT(shapes); s++)
        for (int order = 0; order < N_ORDERS; order++) {
            row_operands o = row_operands_make(shapes[s].m, shapes[s].d, 1);
            set_order(0);
            float *apart = apply(LAYER_NORM, &o, 0, o.m, CF_F32, ALIGNED);
            set_order(order);
            device_array x = device_make(CF_F32, o.x, o.m * o.d, 0), gamma = device_make(CF_F32, o.gamma, o.d, 0),
                         beta = device_make(CF_F32, o.beta, o.d, 0);
            CUDA_OK(cf_cuda_layer_norm(NULL, x.data, CF_F32, x.data, gamma.data, beta.data, row_eps, o.m, o.d));
            float *over = device_values(&x);
            check_same("layer_norm in place", o.m, o.d, order, apart, over, o.m * o.d);
            free(apart);
            free(over);
            device_free(&x);
            device_free(&gamma);
            device_free(&beta);
            row_operands_free(&o);
        }
    set_order(0);
}

/* As many heads as a model has, and head sizes that divide a block of threads and that do not. */
static void rope_turns_every_head_by_the_same_angles(void **state)
{
    const fixture *f = *state;
    static const struct {
        int64_t heads, e;
    } cases[] = {{32, 128}, {40, 128}, {16, 80}, {33, 6}, {300, 2}, {5, 96}, {2, 2100}};
    enum { M = 3 };
    for (int64_t c = 0; c < COUNT(cases); c++) {
        const int64_t heads = cases[c].heads, e = cases[c].e, d = heads * e;
        const int32_t pos[M] = {7, 0, 7};
        float *values = random_values(6, M * d, 1), *angles = random_values(7, N_POSITIONS * e, 1);
        device_array x = device_make(CF_F32, values, M * d, 0), table = device_make(CF_F32, angles, N_POSITIONS * e, 0);
        int32_t *at = device_indices(pos, M);
        CUDA_OK(cf_cuda_rope(NULL, x.data, CF_F32, table.data, at, M, heads, e));
        cf_tensor expected = tensor_make(f->ref, CF_F32, M, d, values);
        cf_tensor expected_table = tensor_make(f->ref, CF_F32, N_POSITIONS, e, angles);
        OK(cf_rope(f->ref, &expected, &expected_table, pos, heads, &err));
        float *got = device_values(&x);
        check_close("rope", M, heads, e, got, expected.data, M * d, (bounds){4 * U * U, 2 * U});
        free(got);
        for (cf_dtype dtype = CF_F16; dtype <= CF_BF16; dtype++) {
            round_values(values, M * d, dtype); /* to bf16 after f16 */
            device_array half = device_make(dtype, values, M * d, 0);
            OK(cf_backend_upload(f->ref, &expected, values, &err));
            CUDA_OK(cf_cuda_rope(NULL, half.data, dtype, table.data, at, M, heads, e));
            OK(cf_rope(f->ref, &expected, &expected_table, pos, heads, &err));
            got = device_values(&half);
            check_stored("rope", M, heads, e, dtype, got, expected.data, M * d, 2 * U);
            free(got);
            device_free(&half);
        }
        free(values);
        free(angles);
        CUDA_OK(cudaFree(at));
        device_free(&x);
        device_free(&table);
        cf_backend_release(f->ref, &expected);
        cf_backend_release(f->ref, &expected_table);
    }
}

static void activations_saturate_where_the_exponential_does(void **state)
{
    (void)state;
    static const float x[] = {-1000, -200, -100, -88.5f, 88.5f, 100, 1000, 0, -0.0f};
    for (cf_unary f = CF_UNARY_GELU; f <= CF_UNARY_SILU; f++) {
        device_array from = device_make(CF_F32, x, COUNT(x), 0), to = device_make(CF_F32, NULL, COUNT(x), 0);
        CUDA_OK(cf_cuda_activate(NULL, to.data, CF_F32, from.data, NULL, CF_F32, f, COUNT(x)));
        float *y = device_values(&to);
        for (int64_t i = 0; i < COUNT(x); i++) /* e^88 is 1.7e38: a large negative x leaves at most 1000 / e^88 */
            if (!(fabs((double)y[i] - (x[i] > 0 ? (double)x[i] : 0)) <= 1e-35))
                fail_msg("activation %d at %g: %g", (int)f, (double)x[i], (double)y[i]);
        free(y);
        device_free(&from);
        device_free(&to);
    }
}

/* Rows of x, all of them or some again and again, in y: each element as it was, or rounded once. */
static void check_gather(cf_dtype from, cf_dtype to, int64_t d, int offsets)
{
    enum { SOURCES = 5, M = 8 };
    static const int32_t rows[M] = {3, 0, 4, 4, 1, 3, 2, 0};
    float *values = random_values(6, SOURCES * d, 4);
    device_array x = device_make(from, values, SOURCES * d, offset_of(offsets, X));
    float *held = device_values(&x);
    int32_t *at = device_indices(rows, M);
    for (int all = 0; all < 2; all++) {
        const int64_t m = all ? SOURCES : M;
        device_array y = device_make(to, NULL, m * d, offset_of(offsets, Y));
        CUDA_OK(cf_cuda_gather(NULL, y.data, to, x.data, from, all ? NULL : at, m, d));
        float *got = device_values(&y);
        for (int64_t i = 0; i < m; i++)
            check_rounded_to("gather", to, got + i * d, held + (all ? i : rows[i]) * d, d);
        free(got);
        device_free(&y);
    }
    CUDA_OK(cudaFree(at));
    device_free(&x);
    free(held);
    free(values);
}

static const int64_t widths[] = {1, 2, 7, 8, 19, 300, 1023, 2048, 2049, 4100, 8200};

static void gather_picks_rows_and_converts_them(void **state)
{
    (void)state;
    for (int64_t w = 0; w < COUNT(widths); w++)
        for (cf_dtype from = CF_F32; from <= CF_BF16; from++)
            for (cf_dtype to = CF_F32; to <= CF_BF16; to++)
                for (int offsets = 0; offsets < 0x10; offsets += 3) /* (0, 0), (3, 0), (2, 1), (1, 2), (0, 3), (3, 3) */
                    check_gather(from, to, widths[w], offsets);
}

/* NaN with every payload among them. */
static void gather_without_conversion_keeps_every_bit(void **state)
{
    (void)state;
    enum { ALL = 65536, D = 257 };
    uint16_t *bits = malloc(ALL * sizeof *bits);
    assert_non_null(bits);
    for (int i = 0; i < ALL; i++)
        bits[i] = (uint16_t)(i * 40503); /* odd: each once */
    for (cf_dtype dtype = CF_F32; dtype <= CF_BF16; dtype++) {
        const int64_t n = dtype == CF_F32 ? ALL / 2 : ALL, m = n / D;
        device_array x = device_make_raw(dtype, bits, m * D, 0), y = device_make(dtype, NULL, m * D, 0);
        CUDA_OK(cf_cuda_gather(NULL, y.data, dtype, x.data, dtype, NULL, m, D));
        void *got = device_elements(&y);
        assert_memory_equal(got, bits, (size_t)(m * D) * cf_dtype_bytes(dtype));
        free(got);
        device_free(&x);
        device_free(&y);
    }
    free(bits);
}

static void conversion_keeps_infinities_nan_and_overflows_f16(void **state)
{
    (void)state;
    static const float x[] = {0,    -0.0f,    INFINITY, -INFINITY,  NAN,     65504, 65519.996f,  65520,      -65520,
                              1e9f, 0x1p-24f, 0x1p-25f, 0x1.8p-25f, 3.4e38f, 1,     1.00390625f, 1.01171875f};
    for (cf_dtype from = CF_F32; from <= CF_BF16; from++)
        for (cf_dtype to = CF_F32; to <= CF_BF16; to++) {
            device_array a = device_make(from, x, COUNT(x), 0), b = device_make(to, NULL, COUNT(x), 0);
            CUDA_OK(cf_cuda_convert(NULL, b.data, to, a.data, from, COUNT(x)));
            float *held = device_values(&a), *got = device_values(&b);
            for (int64_t i = 0; i < COUNT(x); i++) {
                const double expected = round_to(to, (double)held[i]);
                if (isnan(expected) ? !isnan(got[i])
                                    : (double)got[i] != expected || !signbit(got[i]) != !signbit(expected))
                    fail_msg("%s to %s: %a, expected %a", cf_dtype_name(from), cf_dtype_name(to), (double)got[i],
                             expected);
            }
            free(held);
            free(got);
            device_free(&a);
            device_free(&b);
        }
}

static void conversion_reaches_the_end_of_any_array(void **state)
{
    (void)state;
    static const int64_t counts[] = {1, 3, 4, 5, 8, 255, 256, 257, 2047, 2048, 2049, 4096, 10007};
    for (int64_t c = 0; c < COUNT(counts); c++)
        for (int64_t offset = 0; offset < 5; offset++) {
            float *values = random_values(9, counts[c], 3);
            device_array x = device_make(CF_F32, values, counts[c], offset);
            device_array y = device_make(CF_BF16, NULL, counts[c], offset);
            CUDA_OK(cf_cuda_convert(NULL, y.data, CF_BF16, x.data, CF_F32, counts[c]));
            float *got = device_values(&y);
            check_rounded_to("convert", CF_BF16, got, values, counts[c]);
            free(got);
            free(values);
            device_free(&x);
            device_free(&y);
        }
}

static void scatter_puts_rows_where_they_belong_and_touches_no_other(void **state)
{
    (void)state;
    enum { M = 9, N = 4 };
    static const int32_t rows[N] = {8, 0, 5, 3};
    int32_t *at = device_indices(rows, N);
    for (int64_t w = 0; w < COUNT(widths); w++)
        for (int64_t offset = 0; offset < 3; offset++) {
            const int64_t d = widths[w];
            float *expected = random_values(7, M * d, 4), *moved = random_values(8, N * d, 4);
            device_array y = device_make(CF_F32, expected, M * d, offset),
                         x = device_make(CF_F32, moved, N * d, offset);
            CUDA_OK(cf_cuda_scatter(NULL, y.data, x.data, at, N, d));
            for (int i = 0; i < N; i++)
                memcpy(expected + rows[i] * d, moved + i * d, (size_t)d * sizeof *moved);
            float *got = device_values(&y);
            check_same("scatter", w, offset, 0, got, expected, M * d);
            free(got);
            free(moved);
            free(expected);
            device_free(&x);
            device_free(&y);
        }
    CUDA_OK(cudaFree(at));
}

/* No pointer is looked at, so none need be one. */
static void no_row_is_no_work(void **state)
{
    (void)state;
    for (int empty = 0; empty < 2; empty++) {
        const int64_t n = empty ? 3 : 0, d = empty ? 0 : 3;
        CUDA_OK(cf_cuda_gather(NULL, NULL, CF_F32, NULL, CF_F32, NULL, n, d));
        CUDA_OK(cf_cuda_gather(NULL, NULL, CF_F32, NULL, CF_BF16, NULL, n, d));
        CUDA_OK(cf_cuda_scatter(NULL, NULL, NULL, NULL, n, d));
        CUDA_OK(cf_cuda_rms_norm(NULL, NULL, CF_F16, NULL, NULL, row_eps, n, d));
        CUDA_OK(cf_cuda_layer_norm(NULL, NULL, CF_F32, NULL, NULL, NULL, row_eps, n, d));
        CUDA_OK(cf_cuda_rope(NULL, NULL, CF_F32, NULL, NULL, n, 2, d));
    }
    CUDA_OK(cf_cuda_activate(NULL, NULL, CF_F32, NULL, NULL, CF_F16, CF_UNARY_SILU, 0));
    CUDA_OK(cf_cuda_convert(NULL, NULL, CF_F32, NULL, CF_F32, 0));
}

static void more_blocks_than_a_grid_has_are_refused(void **state)
{
    (void)state;
    const int64_t rows = (int64_t)1 << 31;
    assert_int_equal(cf_cuda_gather(NULL, NULL, CF_F32, NULL, CF_F32, NULL, rows, 1), cudaErrorInvalidValue);
    assert_int_equal(cf_cuda_gather(NULL, NULL, CF_F32, NULL, CF_F16, NULL, rows / 2, 5000), cudaErrorInvalidValue);
    assert_int_equal(cf_cuda_scatter(NULL, NULL, NULL, NULL, rows, 1), cudaErrorInvalidValue);
    assert_int_equal(cf_cuda_rms_norm(NULL, NULL, CF_F32, NULL, NULL, row_eps, rows, 1), cudaErrorInvalidValue);
    assert_int_equal(cf_cuda_layer_norm(NULL, NULL, CF_F32, NULL, NULL, NULL, row_eps, rows, 1), cudaErrorInvalidValue);
    assert_int_equal(cf_cuda_rope(NULL, NULL, CF_F16, NULL, NULL, rows, 1, 2), cudaErrorInvalidValue);
    assert_int_equal(cf_cuda_activate(NULL, NULL, CF_F32, NULL, NULL, CF_F32, CF_UNARY_SILU, rows * 2048 + 1),
                     cudaErrorInvalidValue);
    assert_int_equal(cf_cuda_convert(NULL, NULL, CF_F16, NULL, CF_F32, rows * 2048 + 1), cudaErrorInvalidValue);
}

#ifdef CF_EMULATED
/* Address space without memory behind it, but for the pages that are touched: a matrix of 4.5e9 elements. */
static void elements_beyond_two_to_the_32_are_reached(void **state)
{
    (void)state;
    const int64_t far = 1100000;
    const int32_t rows[] = {(int32_t)far};
    for (int64_t d = 4096; d <= 4098; d++) { /* by vector, by element */
        const size_t bytes = (size_t)((far + 1) * d) * sizeof(float);
        float *large = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (large == MAP_FAILED)
            skip();
        float *values = random_values(10, d, 1), *last = large + far * d;
        device_array y = device_make(CF_F32, NULL, d, 0), half = device_make(CF_BF16, NULL, d, 0);
        device_array x = device_make(CF_F32, values, d, 0);
        CUDA_OK(cf_cuda_scatter(NULL, large, x.data, rows, 1, d));
        check_same("scatter", far, d, 0, last, values, d);
        CUDA_OK(cf_cuda_gather(NULL, y.data, CF_F32, large, CF_F32, rows, 1, d));
        CUDA_OK(cf_cuda_gather(NULL, half.data, CF_BF16, large, CF_F32, rows, 1, d));
        float *got = device_values(&y), *got_half = device_values(&half);
        check_same("gather", far, d, 0, got, values, d);
        check_rounded_to("gather", CF_BF16, got_half, values, d);
        free(got);
        free(got_half);
        for (int64_t i = 0; i < d / 2; i++) { /* at that position a quarter turn: (a, b) becomes (-b, a) */
            last[i] = 0;
            last[d / 2 + i] = 1;
        }
        if (d % 2 == 0) {
            CUDA_OK(cf_cuda_rope(NULL, x.data, CF_F32, large, rows, 1, 1, d));
            got = device_values(&x);
            for (int64_t i = 0; i < d / 2; i++)
                assert_true(got[i] == -values[d / 2 + i] && got[d / 2 + i] == values[i]);
            free(got);
        }
        free(values);
        device_free(&x);
        device_free(&y);
        device_free(&half);
        assert_int_equal(munmap(large, bytes), 0);
    }
}
#endif

int main(void)
{
    int n_devices = 0;
    if (cudaGetDeviceCount(&n_devices) != cudaSuccess || n_devices == 0) {
        (void)printf("[  SKIPPED ] CUDA rows: no device\n");
        return 77;
    }
    fixture f = {0};
    OK(cf_backend_open(&f.ref, "ref", &(cf_backend_options){.compute = CF_F32}, &err));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(row_operations_agree_with_the_oracle, &f),
        cmocka_unit_test(operations_take_values_as_they_are),
        cmocka_unit_test(values_of_the_other_dtype_of_16_bits_are_refused),
        cmocka_unit_test(a_row_has_its_bits_alone_in_any_block_at_any_address_and_in_any_order),
        cmocka_unit_test(layer_norm_may_write_over_its_input),
        cmocka_unit_test_prestate(rope_turns_every_head_by_the_same_angles, &f),
        cmocka_unit_test(activations_saturate_where_the_exponential_does),
        cmocka_unit_test(gather_picks_rows_and_converts_them),
        cmocka_unit_test(gather_without_conversion_keeps_every_bit),
        cmocka_unit_test(conversion_keeps_infinities_nan_and_overflows_f16),
        cmocka_unit_test(conversion_reaches_the_end_of_any_array),
        cmocka_unit_test(scatter_puts_rows_where_they_belong_and_touches_no_other),
        cmocka_unit_test(no_row_is_no_work),
        cmocka_unit_test(more_blocks_than_a_grid_has_are_refused),
#ifdef CF_EMULATED
        cmocka_unit_test(elements_beyond_two_to_the_32_are_reached),
#endif
    };
    const int failed = cmocka_run_group_tests_name("CUDA rows", tests, NULL, NULL);
    cf_backend_close(f.ref);
    return failed;
}
