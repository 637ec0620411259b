/* test_oracle.c - the ref backend against values worked out by hand: the other tests trust it. */
#include "fixture.h"

#include <math.h>
#include <stdlib.h>

static cf_backend *open_ref(void)
{
    cf_backend *be = NULL;
    OK(cf_backend_open(&be, "ref", &(cf_backend_options){.compute = CF_F32}, &err));
    return be;
}

/* Compares a tensor with n values to one rounding and releases it. */
static void expect(cf_backend *be, cf_tensor *t, const char *what, const double *expected)
{
    float *got = tensor_values(be, t);
    for (int64_t i = 0; i < cf_tensor_count(t); i++)
        if (fabs((double)got[i] - expected[i]) > 2 * U * fabs(expected[i]))
            fail_msg("%s: element %lld: %.9g, expected %.9g", what, (long long)i, (double)got[i], expected[i]);
    free(got);
    cf_backend_release(be, t);
}

static void products_add_bias_and_what_y_holds(void **state)
{
    (void)state;
    cf_backend *be = open_ref();
    float ws[] = {1, 2, 3, 4, 5, 6}; /* [2 outputs, 3 inputs] */
    const cf_tensor matrix = cf_tensor_2d(ws, CF_F32, 2, 3);
    cf_weight *w = NULL;
    OK(cf_weight_create(be, &w, &matrix, &err));
    cf_tensor x = tensor_make(be, CF_F32, 2, 3, (const float[]){1, 0, -1, 2, 1, 0.5f});
    cf_tensor bias = tensor_make(be, CF_F32, 1, 2, (const float[]){10, 20});
    for (int c = 0; c < 4; c++) {
        const bool with_bias = c & 1, accumulate = c & 2;
        cf_tensor y = tensor_make(be, CF_F32, 2, 2, (const float[]){100, 200, 300, 400});
        OK(cf_linear(be, &y, &x, w, with_bias ? &bias : NULL, accumulate, &err));
        double expected[] = {-2, -2, 5.5, 16};
        for (int i = 0; i < 4; i++)
            expected[i] += (with_bias ? (i % 2 ? 20 : 10) : 0) + (accumulate ? 100 * (i + 1) : 0);
        expect(be, &y, "linear", expected);
    }
    cf_backend_release(be, &x);
    cf_backend_release(be, &bias);
    cf_weight_free(be, w);
    cf_backend_close(be);
}

static void norms_and_activations_follow_their_formulas(void **state)
{
    (void)state;
    cf_backend *be = open_ref();
    cf_tensor x = tensor_make(be, CF_F32, 1, 2, (const float[]){3, 4});
    cf_tensor gamma = tensor_make(be, CF_F32, 1, 2, (const float[]){1, 2});
    cf_tensor beta = tensor_make(be, CF_F32, 1, 2, (const float[]){0.5f, -0.5f});
    cf_tensor y = tensor_make(be, CF_F32, 1, 2, NULL);
    OK(cf_rms_norm(be, &y, &x, &gamma, 0.5f, &err)); /* sqrt(12.5 + 0.5) */
    expect(be, &y, "rms_norm", (const double[]){3 / sqrt(13), 8 / sqrt(13)});
    y = tensor_make(be, CF_F32, 1, 2, NULL);
    OK(cf_layer_norm(be, &y, &x, &gamma, &beta, 0.75f, &err)); /* variance 0.25, so the divisor is 1 */
    expect(be, &y, "layer_norm", (const double[]){-0.5 + 0.5, 1 - 0.5});
    static const struct {
        cf_unary f;
        double at_one,
            at_minus_two; /* to ten digits, from the definitions with the error function's and tanh's tables */
    } cases[] = {
        {CF_UNARY_GELU, 0.8413447461, -0.04550026390},
        {CF_UNARY_GELU_TANH, 0.8411919906, -0.04540230591},
        {CF_UNARY_QUICK_GELU, 0.8457957659, -0.06434137686},
        {CF_UNARY_SILU, 0.7310585786, -0.2384058440},
    };
    cf_tensor at = tensor_make(be, CF_F32, 1, 2, (const float[]){1, -2});
    for (int64_t i = 0; i < COUNT(cases); i++) {
        y = tensor_make(be, CF_F32, 1, 2, NULL);
        OK(cf_activate(be, &y, &at, NULL, cases[i].f, &err));
        expect(be, &y, "activate", (const double[]){cases[i].at_one, cases[i].at_minus_two});
        y = tensor_make(be, CF_F32, 1, 2, NULL);
        OK(cf_activate(be, &y, &at, &x, cases[i].f, &err));
        expect(be, &y, "activate, times", (const double[]){3 * cases[i].at_one, 4 * cases[i].at_minus_two});
    }
    cf_backend_release(be, &at);
    cf_backend_release(be, &x);
    cf_backend_release(be, &gamma);
    cf_backend_release(be, &beta);
    cf_backend_close(be);
}

static void rope_pairs_the_two_halves_of_a_head(void **state)
{
    (void)state;
    cf_backend *be = open_ref();
    /* Position 0 turns nothing; position 1 turns the first pair by 90 degrees and the second by 180. */
    cf_tensor table = tensor_make(be, CF_F32, 2, 4, (const float[]){1, 1, 0, 0, 0, -1, 1, 0});
    cf_tensor x = tensor_make(be, CF_F32, 2, 8, (const float[]){1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8});
    OK(cf_rope(be, &x, &table, (const int32_t[]){1, 0}, 2, &err));
    expect(be, &x, "rope", (const double[]){-3, -2, 1, -4, -7, -6, 5, -8, 1, 2, 3, 4, 5, 6, 7, 8});
    cf_backend_release(be, &table);
    cf_backend_close(be);
}

static void attention_weighs_values_by_the_softmax_of_what_is_seen(void **state)
{
    (void)state;
    cf_backend *be = open_ref();
    const double ln2 = log(2); /* with scale 2 the scores are 0, ln 2, 0 and the weights 1/4, 1/2, 1/4 */
    cf_tensor q = tensor_make(be, CF_F32, 3, 1, (const float[]){1, 1, 1});
    cf_tensor k = tensor_make(be, CF_F32, 3, 1, (const float[]){0, (float)(ln2 / 2), 0});
    cf_tensor v = tensor_make(be, CF_F32, 3, 1, (const float[]){4, 8, 16});
    const cf_spans last = {.items = &(cf_span){2, 3}, .n = 1}, first = {.items = &(cf_span){0, 1}, .n = 1};
    const cf_cut cut = {&last, &first, NULL};
    const struct {
        bool causal;
        int64_t n_cuts;
        double expected[3];
    } cases[] = {
        {false, 0, {9, 9, 9}},
        {true, 0, {4, (4 + 16) / 3.0, 9}},
        {true, 1, {4, (4 + 16) / 3.0, (16 + 16) / 3.0}},
    };
    for (int64_t i = 0; i < COUNT(cases); i++) {
        cf_tensor out = tensor_make(be, CF_F32, 3, 1, NULL);
        const cf_attn_segment s = {.n_q = 3,
                                   .q_pos = (const int32_t[]){0, 1, 2},
                                   .n_own = 3,
                                   .n_keys = 3,
                                   .cuts = &cut,
                                   .n_cuts = cases[i].n_cuts};
        OK(cf_attention(be, &out, &q, &k, &v,
                        &(cf_attn){.n_heads = 1,
                                   .n_kv_heads = 1,
                                   .head_dim = 1,
                                   .scale = 2,
                                   .causal = cases[i].causal,
                                   .segments = &s,
                                   .n_segments = 1},
                        &err));
        expect(be, &out, "attention", cases[i].expected);
    }
    cf_backend_release(be, &q);
    cf_backend_release(be, &k);
    cf_backend_release(be, &v);
    cf_backend_close(be);
}

/* The sum of two inputs, times 1: half way between two values of the dtype and beyond, where rounding to f32 first would lose what lies beyond; ties; subnormals; the largest. */
static void values_are_rounded_once_when_they_are_stored(void **state)
{
    (void)state;
    static const struct {
        cf_dtype dtype;
        float a, b;
        double stored;
    } cases[] = {
        {CF_F16, 1, 0x1p-11f, 1},
        {CF_F16, 1 + 0x1p-11f, 0x1p-40f, 1 + 0x1p-10},
        {CF_F16, -1 - 0x1p-11f, -0x1p-40f, -1 - 0x1p-10},
        {CF_F16, 1 + 0x1p-10f, 0x1p-11f, 1 + 0x1p-9},
        {CF_F16, 2, -0x1p-12f, 2},
        {CF_F16, 0x1p-25f, 0, 0},
        {CF_F16, 0x1p-25f, 0x1p-60f, 0x1p-24},
        {CF_F16, 0x1p-14f, -0x1p-26f, 0x1p-14},
        {CF_F16, 65504, 15.5f, 65504},
        {CF_F16, 65504, 16, INFINITY},
        {CF_F16, -1e30f, 0, -INFINITY},
        {CF_F16, 3, -3, 0},
        {CF_BF16, 1, 0x1p-8f, 1},
        {CF_BF16, 1 + 0x1p-8f, 0x1p-40f, 1 + 0x1p-7},
        {CF_BF16, 0x1p-133f, 0x1p-134f, 0x1p-132},
        {CF_BF16, -0x1.fep127f, -0x1p118f, -0x1.fep127},
        {CF_BF16, 0x1.fep127f, 0x1p119f, INFINITY},
        {CF_F32, 1, 0x1p-24f, 1},
    };
    cf_backend *be = open_ref();
    const cf_tensor ones = cf_tensor_2d((float[]){1, 1}, CF_F32, 1, 2);
    cf_weight *w = NULL;
    OK(cf_weight_create(be, &w, &ones, &err));
    for (int64_t i = 0; i < COUNT(cases); i++) {
        cf_tensor x = tensor_make(be, CF_F32, 1, 2, (const float[]){cases[i].a, cases[i].b});
        cf_tensor y = tensor_make(be, cases[i].dtype, 1, 1, NULL);
        OK(cf_linear(be, &y, &x, w, NULL, false, &err));
        float *got = tensor_values(be, &y);
        if ((double)*got != cases[i].stored)
            fail_msg("%a + %a in %s: %a, expected %a", (double)cases[i].a, (double)cases[i].b,
                     cf_dtype_name(cases[i].dtype), (double)*got, cases[i].stored);
        free(got);
        cf_backend_release(be, &x);
        cf_backend_release(be, &y);
    }
    cf_weight_free(be, w);
    cf_backend_close(be);
}

int test_oracle(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_add_bias_and_what_y_holds),
        cmocka_unit_test(norms_and_activations_follow_their_formulas),
        cmocka_unit_test(rope_pairs_the_two_halves_of_a_head),
        cmocka_unit_test(attention_weighs_values_by_the_softmax_of_what_is_seen),
        cmocka_unit_test(values_are_rounded_once_when_they_are_stored),
    };
    return cmocka_run_group_tests_name("oracle", tests, NULL, NULL);
}
