/* test_kernels.c - the vector kernels of every instruction set this processor has, called directly, against formulas in double.
 *
 * The backend uses one table only, the best; here the others are held to the same bounds, so that a processor without AVX-512 gets tested code. */
#include "fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/cpu/kernels.h"

static bool has_base(void)
{
    return true;
}

static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); /* and f16c: older than avx2 */
}

static bool has_avx512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

static const struct {
    const char *isa;
    const cf_kernels *kernels;
    bool (*has)(void);
} tables[] = {
    {"base", &cf_kernels_base, has_base},
    {"avx2", &cf_kernels_avx2, has_avx2},
    {"avx512", &cf_kernels_avx512, has_avx512},
};

static const float guard = -12345.5f; /* what stands behind every output; a kernel must not touch it */

static float *guarded(int64_t n)
{
    float *y = malloc((size_t)(n + 1) * sizeof *y);
    assert_non_null(y);
    y[n] = guard;
    return y;
}

static void check_guard(const cf_kernels *kernels, const char *what, float *y, int64_t n)
{
    if (memcmp(&y[n], &guard, sizeof guard) != 0)
        fail_msg("%s %s of %lld elements writes past its row", kernels->isa, what, (long long)n);
    free(y);
}

static void check_relative(const cf_kernels *kernels, const char *what, double at, double got, double expected,
                           double bound)
{
    if (!(fabs(got - expected) <= bound * fabs(expected)))
        fail_msg("%s %s at %.9g: %.9g, expected %.9g, bound %.3g relative", kernels->isa, what, at, got, expected,
                 bound);
}

static void a_table_is_the_one_it_says(void **state)
{
    const cf_kernels *kernels = *state;
    for (int64_t i = 0; i < COUNT(tables); i++)
        if (tables[i].kernels == kernels)
            assert_string_equal(kernels->isa, tables[i].isa);
}

static void bf16_rounding_is_the_scalar_one_for_every_pattern(void **state)
{
    const cf_kernels *kernels = *state;
    /* Every high half (signs, exponents, infinities, NaN, subnormals) with the low halves at which rounding turns. */
    static const uint32_t low[] = {0, 1, 0x7fff, 0x8000, 0x8001, 0xffff};
    enum { N = 65536 };
    uint32_t *in = malloc(N * sizeof *in);
    uint16_t *out = malloc(N * sizeof *out);
    assert_non_null(in);
    assert_non_null(out);
    for (int64_t l = 0; l < COUNT(low); l++) {
        for (uint32_t h = 0; h < N; h++)
            in[h] = h << 16 | low[l];
        kernels->to_bf16(out, (const float *)(const void *)in, N);
        for (uint32_t h = 0; h < N; h++) {
            float x;
            memcpy(&x, &in[h], sizeof x);
            if (out[h] != cf_f32_to_bf16(x))
                fail_msg("%s to_bf16 of 0x%08x: 0x%04x", kernels->isa, in[h], out[h]);
        }
    }
    for (int64_t n = 0; n <= 40; n++) {
        memset(out, 0xab, N * sizeof *out);
        kernels->to_bf16(out, (const float *)(const void *)(in + 0x3f80), n);
        for (int64_t i = 0; i < n; i++)
            assert_int_equal(out[i], 0x3f80 + i + 1); /* the last low half, 0xffff, rounds up */
        assert_int_equal(out[n], 0xabab);
    }
    free(in);
    free(out);
}

static void every_f16_value_widens_exactly(void **state)
{
    const cf_kernels *kernels = *state;
    enum { N = 65536 };
    uint16_t *in = malloc(N * sizeof *in);
    assert_non_null(in);
    for (int i = 0; i < N; i++)
        in[i] = (uint16_t)i;
    for (int64_t begin = 0; begin < 9; begin += 4) { /* odd lengths, too: the vector loop and its rest */
        const int64_t n = N - 2 * begin;
        float *out = guarded(n);
        kernels->from_f16(out, in + begin, n);
        for (int64_t i = 0; i < n; i++) {
            const float expected = cf_f16_to_f32(in[begin + i]);
            if (isnan(expected) ? !isnan(out[i]) : memcmp(&out[i], &expected, sizeof expected) != 0)
                fail_msg("%s from_f16 of 0x%04x: %a, expected %a", kernels->isa, in[begin + i], (double)out[i],
                         (double)expected);
        }
        check_guard(kernels, "from_f16", out, n);
    }
    for (int64_t n = 0; n <= 20; n++) {
        float *out = guarded(n);
        kernels->from_f16(out, in + 0x3c00, n);
        for (int64_t i = 0; i < n; i++)
            assert_true((double)out[i] == 1 + (double)i / 1024);
        check_guard(kernels, "from_f16", out, n);
    }
    free(in);
}

/* simd.h promises e^x to 2e-7 relative. SiLU divides by 1 + e^-x, which adds three roundings: 2e-7 + 3 u = 3.8e-7. Its negative arguments reach e^x for x in (0, 87), where the
 * 1 no longer matters. */
static void silu_is_as_exact_as_the_exponential_promises(void **state)
{
    const cf_kernels *kernels = *state;
    enum { N = 200003 };
    float *x = malloc(N * sizeof *x), *y = guarded(N);
    assert_non_null(x);
    for (int i = 0; i < N; i++)
        x[i] = (float)(-87.0 + 174.0 * i / (N - 1));
    kernels->activate(y, CF_F32, x, NULL, CF_UNARY_SILU, N);
    for (int i = 0; i < N; i++) {
        const double at = (double)x[i];
        check_relative(kernels, "silu", at, (double)y[i], at / (1 + exp(-at)), 3.8e-7);
    }
    check_guard(kernels, "silu", y, N);
    free(x);
}

static void activations_saturate_where_the_exponential_does(void **state)
{
    const cf_kernels *kernels = *state;
    static const float x[] = {-1000, -200, -100, -88.5f, 88.5f, 100, 1000, 0, -0.0f};
    static const cf_unary all[] = {CF_UNARY_GELU, CF_UNARY_GELU_TANH, CF_UNARY_QUICK_GELU, CF_UNARY_SILU};
    for (int64_t f = 0; f < COUNT(all); f++) {
        float y[COUNT(x)];
        kernels->activate(y, CF_F32, x, NULL, all[f], COUNT(x));
        for (int64_t i = 0; i < COUNT(x); i++) /* e^88 is 1.7e38: a large negative x leaves at most 1000 / e^88 */
            if (!(fabs((double)y[i] - (x[i] > 0 ? (double)x[i] : 0)) <= 1e-35))
                fail_msg("%s activation %d at %g: %g", kernels->isa, (int)all[f], (double)x[i], (double)y[i]);
    }
}

/* One key scores 0 and one x: their weights are 1 / (1 + e^x) and e^x / (1 + e^x). The value of the second only is 1. */
static void softmax_weights_are_as_exact_as_the_exponential_promises(void **state)
{
    const cf_kernels *kernels = *state;
    _Alignas(64) float kt[CF_TILE] = {0}, v[CF_TILE * CF_V_ALIGN] = {0};
    v[CF_V_ALIGN] = 1;
    const cf_tile tile = {kt, v};
    const uint64_t both = 3;
    const float one = 1;
    const float *const q = &one;
    for (double x = -86.9; x < 86.9; x += 0.0137) {
        float acc[CF_V_ALIGN];
        kt[1] = (float)x;
        kernels->attend(acc, &q, 1, &tile, 1, &both, 1, 1);
        const double e = exp((double)kt[1]);
        check_relative(kernels, "softmax", x, (double)acc[0], e / (1 + e), 3.8e-7);
    }
    kt[1] = -88; /* below -87 a weight is 0 */
    float acc[CF_V_ALIGN];
    kernels->attend(acc, &q, 1, &tile, 1, &both, 1, 1);
    assert_true(acc[0] == 0);
}

/* Row lengths around one, two and four vectors of every instruction set. */
static const int64_t lengths[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 127, 1000};

/* A sum of n positive terms in lanes is off by at most n u relative, half of that after the root; five more roundings follow. */
static void norms_follow_their_formulas(void **state)
{
    const cf_kernels *kernels = *state;
    for (int64_t l = 0; l < COUNT(lengths); l++) {
        const int64_t d = lengths[l];
        float *x = random_values(1, d, 3), *g = random_values(2, d, 1), *b = random_values(3, d, 1);
        float *rms = guarded(d), *layer = guarded(d);
        const float eps = 1e-2f;
        kernels->rms_norm(rms, CF_F32, x, g, eps, d);
        kernels->layer_norm(layer, CF_F32, x, g, b, eps, d);
        double square = 0, mean = 0, var = 0;
        for (int64_t i = 0; i < d; i++) {
            square += (double)x[i] * (double)x[i] / (double)d;
            mean += (double)x[i] / (double)d;
        }
        for (int64_t i = 0; i < d; i++)
            var += ((double)x[i] - mean) * ((double)x[i] - mean) / (double)d;
        const double scale = 1 / sqrt(var + (double)eps), bound = ((double)d / 2 + 5) * U;
        for (int64_t i = 0; i < d; i++) {
            check_relative(kernels, "rms_norm", (double)d, (double)rms[i],
                           (double)x[i] / sqrt(square + (double)eps) * (double)g[i], bound);
            /* the mean is off by up to d u times the largest |x|, which the scale enlarges */
            const double expected = ((double)x[i] - mean) * scale * (double)g[i] + (double)b[i];
            if (!(fabs((double)layer[i] - expected) <= 2 * bound * (3 * scale + 1)))
                fail_msg("%s layer_norm of %lld: %.9g, expected %.9g", kernels->isa, (long long)d, (double)layer[i],
                         expected);
        }
        check_guard(kernels, "rms_norm", rms, d);
        check_guard(kernels, "layer_norm", layer, d);
        free(x);
        free(g);
        free(b);
    }
}

/* Two products and a sum of size at most 2, each rounded: 1/2 + 1/2 + 1 u on values below 1. */
static void rope_turns_each_pair_by_its_angle(void **state)
{
    const cf_kernels *kernels = *state;
    static const int64_t dims[] = {2, 4, 6, 8, 14, 24, 32, 48, 64, 80, 96, 128};
    for (int64_t c = 0; c < COUNT(dims); c++) {
        const int64_t e = dims[c], half = e / 2, heads = 3;
        float *x = random_values(4, heads * e, 1), *angles = random_values(5, e, 1), *y = guarded(heads * e);
        memcpy(y, x, (size_t)(heads * e) * sizeof *y);
        kernels->rope(y, angles, heads, e);
        for (int64_t h = 0; h < heads; h++)
            for (int64_t i = 0; i < half; i++) {
                const double a = (double)x[h * e + i], b = (double)x[h * e + half + i];
                const double cosine = (double)angles[i], sine = (double)angles[half + i];
                assert_true(fabs((double)y[h * e + i] - (a * cosine - b * sine)) <= 2 * U);
                assert_true(fabs((double)y[h * e + half + i] - (b * cosine + a * sine)) <= 2 * U);
            }
        check_guard(kernels, "rope", y, heads * e);
        free(x);
        free(angles);
    }
}

static void a_bf16_row_is_the_f32_row_rounded(void **state)
{
    const cf_kernels *kernels = *state;
    for (int64_t l = 0; l < COUNT(lengths); l++) {
        const int64_t d = lengths[l];
        float *x = random_values(6, d, 5), *g = random_values(7, d, 2), *y = guarded(d);
        uint16_t *half = malloc((size_t)(d + 1) * sizeof *half);
        assert_non_null(half);
        for (int op = 0; op < 6; op++) {
            half[d] = 0xabab;
            for (int to_half = 0; to_half < 2; to_half++) {
                void *out = to_half ? (void *)half : (void *)y;
                const cf_dtype dtype = to_half ? CF_BF16 : CF_F32;
                if (op == 0)
                    kernels->rms_norm(out, dtype, x, g, 1e-5f, d);
                else if (op == 1)
                    kernels->layer_norm(out, dtype, x, g, x, 1e-5f, d);
                else
                    kernels->activate(out, dtype, x, op % 2 ? g : NULL, (cf_unary)(op - 2), d);
            }
            for (int64_t i = 0; i < d; i++)
                assert_int_equal(half[i], cf_f32_to_bf16(y[i]));
            assert_int_equal(half[d], 0xabab);
        }
        check_guard(kernels, "a row", y, d);
        free(x);
        free(g);
        free(half);
    }
}

/* A random attention problem laid out as the kernel wants it. */
typedef struct attend_problem {
    int64_t head_dim, padded, n_tiles;
    float *q, *k, *v; /* [6, head_dim], [n_tiles * 64, head_dim] twice */
    float *kt, *vt;
    cf_tile *tiles;
    const float *rows[CF_ATTEND_ROWS];
    uint64_t *visible; /* [6, n_tiles] */
} attend_problem;

static attend_problem attend_problem_make(int64_t head_dim, int64_t n_tiles)
{
    const int64_t padded = (head_dim + CF_V_ALIGN - 1) / CF_V_ALIGN * CF_V_ALIGN, n = n_tiles * CF_TILE;
    attend_problem p = {.head_dim = head_dim, .padded = padded, .n_tiles = n_tiles};
    p.q = random_values(8, CF_ATTEND_ROWS * head_dim, 1);
    p.k = random_values(9, n * head_dim, 1);
    p.v = random_values(10, n * head_dim, 1);
    p.kt = random_values(11, n * head_dim, 1);
    p.vt = random_values(12, n * padded, 1); /* the padding holds some finite values: they must not matter */
    p.tiles = calloc((size_t)n_tiles, sizeof *p.tiles);
    p.visible = calloc((size_t)(CF_ATTEND_ROWS * n_tiles), sizeof *p.visible);
    assert_non_null(p.tiles);
    assert_non_null(p.visible);
    for (int64_t j = 0; j < n; j++)
        for (int64_t x = 0; x < head_dim; x++) {
            p.kt[(j / CF_TILE * head_dim + x) * CF_TILE + j % CF_TILE] = p.k[j * head_dim + x];
            p.vt[j * padded + x] = p.v[j * head_dim + x];
        }
    for (int64_t t = 0; t < n_tiles; t++)
        p.tiles[t] = (cf_tile){p.kt + t * CF_TILE * head_dim, p.vt + t * CF_TILE * padded};
    for (int r = 0; r < CF_ATTEND_ROWS; r++) {
        p.rows[r] = p.q + r * head_dim;
        for (int64_t t = 0; t < n_tiles;
             t++) { /* some tiles unseen, some seen in part, some whole; the last never empty */
            const uint64_t some = 0x9e3779b97f4a7c15u * (uint64_t)(r * 7 + t * 3 + 1);
            const int kind = (int)((r + t) % 4);
            p.visible[r * n_tiles + t] = kind == 0 && t + 1 < n_tiles ? 0
                                         : kind == 1                  ? ~0ull
                                         : kind == 2                  ? some | 1
                                                                      : 1ull << (r + t);
        }
    }
    return p;
}

static void attend_problem_free(attend_problem *p)
{
    free(p->q);
    free(p->k);
    free(p->v);
    free(p->kt);
    free(p->vt);
    free(p->tiles);
    free(p->visible);
}

/* Row r by the definition, in double. */
static void attend_by_definition(double *out, const attend_problem *p, int r, double scale)
{
    double total = 0;
    memset(out, 0, (size_t)p->head_dim * sizeof *out);
    for (int64_t j = 0; j < p->n_tiles * CF_TILE; j++) {
        if (!(p->visible[r * p->n_tiles + j / CF_TILE] >> (j % CF_TILE) & 1))
            continue;
        double score = 0;
        for (int64_t x = 0; x < p->head_dim; x++)
            score += (double)p->q[r * p->head_dim + x] * (double)p->k[j * p->head_dim + x];
        total += exp(score * scale);
        for (int64_t x = 0; x < p->head_dim; x++)
            out[x] += exp(score * scale) * (double)p->v[j * p->head_dim + x];
    }
    for (int64_t x = 0; x < p->head_dim; x++)
        out[x] /= total;
}

static const int64_t head_dims[] = {1, 5, 8, 16, 24, 32, 64, 80, 96, 128};

/* A score is a chain of head_dim products below 1, off by at most head_dim u, which times the scale 1 / sqrt(head_dim) moves a weight by sqrt(head_dim) u; an exponential by 4 u. The
 * sums of weights and of weighted values, at most 256 terms with partial sums below 1, are walks of 16 u. Twice all that. */
static void attention_follows_its_formula(void **state)
{
    const cf_kernels *kernels = *state;
    for (int64_t c = 0; c < COUNT(head_dims); c++)
        for (int64_t n_tiles = 1; n_tiles <= 4; n_tiles++) {
            attend_problem p = attend_problem_make(head_dims[c], n_tiles);
            const float scale = 1 / sqrtf((float)p.head_dim);
            for (int n = 1; n <= CF_ATTEND_ROWS; n++) {
                float *acc = guarded(n * p.padded);
                double expected[128];
                kernels->attend(acc, p.rows, n, p.tiles, n_tiles, p.visible, scale, p.head_dim);
                for (int r = 0; r < n; r++) {
                    attend_by_definition(expected, &p, r, (double)scale);
                    for (int64_t x = 0; x < p.head_dim; x++)
                        if (!(fabs((double)acc[r * p.padded + x] - expected[x]) <=
                              2 * (sqrt((double)p.head_dim) + 20) * U))
                            fail_msg("%s attend, head_dim %lld, %lld tiles, row %d of %d: %.9g, expected %.9g",
                                     kernels->isa, (long long)p.head_dim, (long long)n_tiles, r, n,
                                     (double)acc[r * p.padded + x], expected[x]);
                }
                check_guard(kernels, "attend", acc, n * p.padded);
            }
            attend_problem_free(&p);
        }
}

static void a_row_of_attention_does_not_know_the_rows_beside_it(void **state)
{
    const cf_kernels *kernels = *state;
    for (int64_t c = 0; c < COUNT(head_dims); c++) {
        attend_problem p = attend_problem_make(head_dims[c], 4);
        float *together = guarded(CF_ATTEND_ROWS * p.padded), *alone = guarded(p.padded);
        kernels->attend(together, p.rows, CF_ATTEND_ROWS, p.tiles, 4, p.visible, 0.3f, p.head_dim);
        for (int r = 0; r < CF_ATTEND_ROWS; r++) {
            kernels->attend(alone, &p.rows[r], 1, p.tiles, 4, p.visible + r * 4, 0.3f, p.head_dim);
            check_same(kernels->isa, p.head_dim, r, 1, together + r * p.padded, alone, p.head_dim);
        }
        for (int first = 0; first < CF_ATTEND_ROWS; first++) /* every block of neighbours */
            for (int n = 1; first + n <= CF_ATTEND_ROWS; n++) {
                float *block = guarded(n * p.padded);
                kernels->attend(block, &p.rows[first], n, p.tiles, 4, p.visible + first * 4, 0.3f, p.head_dim);
                for (int r = 0; r < n; r++)
                    check_same(kernels->isa, p.head_dim, first, n, together + (first + r) * p.padded,
                               block + r * p.padded, p.head_dim);
                check_guard(kernels, "attend", block, n * p.padded);
            }
        check_guard(kernels, "attend", together, CF_ATTEND_ROWS * p.padded);
        check_guard(kernels, "attend", alone, p.padded);
        attend_problem_free(&p);
    }
}

int test_kernels(void)
{
    int failed = 0;
    for (int64_t i = 0; i < COUNT(tables); i++) {
        if (!tables[i].has()) {
            (void)printf("[  SKIPPED ] kernels of %s: this processor does not have it\n", tables[i].isa);
            continue;
        }
        void *table = (void *)(uintptr_t)tables[i].kernels; /* cmocka hands state on without const */
        const struct CMUnitTest tests[] = {
            cmocka_unit_test_prestate(a_table_is_the_one_it_says, table),
            cmocka_unit_test_prestate(bf16_rounding_is_the_scalar_one_for_every_pattern, table),
            cmocka_unit_test_prestate(every_f16_value_widens_exactly, table),
            cmocka_unit_test_prestate(silu_is_as_exact_as_the_exponential_promises, table),
            cmocka_unit_test_prestate(activations_saturate_where_the_exponential_does, table),
            cmocka_unit_test_prestate(softmax_weights_are_as_exact_as_the_exponential_promises, table),
            cmocka_unit_test_prestate(norms_follow_their_formulas, table),
            cmocka_unit_test_prestate(rope_turns_each_pair_by_its_angle, table),
            cmocka_unit_test_prestate(a_bf16_row_is_the_f32_row_rounded, table),
            cmocka_unit_test_prestate(attention_follows_its_formula, table),
            cmocka_unit_test_prestate(a_row_of_attention_does_not_know_the_rows_beside_it, table),
        };
        failed += cmocka_run_group_tests_name(tables[i].isa, tests, NULL, NULL);
    }
    return failed;
}
