/* test_tensor.c - views, the conversions of all 65,536 half values, and comparison. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "tensor/tensor.h"

static uint32_t bits_of(float f)
{
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    return u;
}

static float float_of(uint32_t u)
{
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}

/* IEEE 754, section 3.4, from the fields: sign, exponent of n_exponent bits, fraction. */
static double value_of(uint32_t bits, int n_exponent, int n_fraction)
{
    const uint32_t fraction = bits & ((1u << n_fraction) - 1);
    const int exponent = (int)(bits >> n_fraction & ((1u << n_exponent) - 1));
    const int top = (1 << n_exponent) - 1, bias = top / 2;
    const double sign = bits >> (n_exponent + n_fraction) ? -1 : 1;
    if (exponent == top)
        return fraction ? (double)NAN : sign * (double)INFINITY;
    if (exponent == 0)
        return sign * ldexp(fraction, 1 - bias - n_fraction);
    return sign * ldexp((double)(fraction + (1u << n_fraction)), exponent - bias - n_fraction);
}

static void check_value(uint32_t h, float found, double expected)
{
    if (isnan(expected)) {
        if (!isnan(found))
            fail_msg("0x%04x: expected a NaN, found %g", h, (double)found);
    } else if ((double)found != expected || !signbit(found) != !signbit(expected)) {
        fail_msg("0x%04x: expected %a, found %a", h, expected, (double)found);
    }
}

static void all_f16_values_convert_exactly(void **state)
{
    (void)state;
    for (uint32_t h = 0; h < 65536; h++)
        check_value(h, cf_f16_to_f32((uint16_t)h), value_of(h, 5, 10));
}

static void all_bf16_values_convert_exactly(void **state)
{
    (void)state;
    for (uint32_t h = 0; h < 65536; h++)
        check_value(h, cf_bf16_to_f32((uint16_t)h), value_of(h, 8, 7));
}

static void all_bf16_values_come_back_from_f32(void **state)
{
    (void)state;
    for (uint32_t h = 0; h < 65536; h++) {
        const uint16_t back = cf_f32_to_bf16(cf_bf16_to_f32((uint16_t)h));
        if (isnan(value_of(h, 8, 7)))
            assert_true(isnan(cf_bf16_to_f32(back)));
        else
            assert_int_equal(back, h);
    }
}

static void f32_rounds_to_the_nearest_bf16_and_ties_to_even(void **state)
{
    (void)state;
    static const struct {
        uint32_t f32;
        uint16_t bf16;
    } cases[] = {
        {0x3f800000, 0x3f80},                                             /* 1 */
        {0x3f807fff, 0x3f80},                                             /* below the tie */
        {0x3f808000, 0x3f80},                                             /* tie: 0x3f80 is even */
        {0x3f808001, 0x3f81},                                             /* above the tie */
        {0x3f818000, 0x3f82},                                             /* tie: up to the even 0x3f82 */
        {0x3fffffff, 0x4000},                                             /* carries into the exponent */
        {0xbf808000, 0xbf80}, {0xbf818000, 0xbf82},                       /* the sign does not matter */
        {0x00008000, 0x0000}, {0x00018000, 0x0002},                       /* subnormals round alike */
        {0x00000001, 0x0000}, {0x80000001, 0x8000}, {0x7f7f7fff, 0x7f7f}, /* the largest finite */
        {0x7f7f8000, 0x7f80},                                             /* beyond half way: infinity */
        {0x7f800000, 0x7f80}, {0xff800000, 0xff80}, {0x00000000, 0x0000}, {0x80000000, 0x8000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (cf_f32_to_bf16(float_of(cases[i].f32)) != cases[i].bf16)
            fail_msg("0x%08x: expected 0x%04x, found 0x%04x", cases[i].f32, cases[i].bf16,
                     cf_f32_to_bf16(float_of(cases[i].f32)));
}

static void no_bf16_is_nearer_than_the_one_chosen(void **state)
{
    (void)state;
    uint32_t u = 12345;
    for (int i = 0; i < 200000; i++) {
        u = u * 1664525u + 1013904223u;
        const float f = float_of(u);
        if (!isfinite(f) || fabsf(f) > 3e38f)
            continue;
        const uint16_t h = cf_f32_to_bf16(f);
        const double distance = fabs((double)cf_bf16_to_f32(h) - (double)f);
        /* neighbours in order of size; a wrap below zero gives a NaN, which is never nearer */
        assert_false(fabs((double)cf_bf16_to_f32((uint16_t)(h + 1)) - (double)f) < distance);
        assert_false(fabs((double)cf_bf16_to_f32((uint16_t)(h - 1)) - (double)f) < distance);
    }
}

static void a_nan_stays_a_nan_in_bf16(void **state)
{
    (void)state;
    static const uint32_t nans[] = {0x7f800001, 0x7f80ffff, 0x7fffffff, 0xff800001, 0xffffffff, 0x7fc00000};
    for (size_t i = 0; i < sizeof nans / sizeof *nans; i++)
        assert_true(isnan(cf_bf16_to_f32(cf_f32_to_bf16(float_of(nans[i])))));
}

static void arrays_convert_from_every_dtype(void **state)
{
    (void)state;
    const float f32[] = {1.5f, -2.25f, 0.0f};
    const uint16_t f16[] = {0x3e00, 0xc080, 0x0000}, bf16[] = {0x3fc0, 0xc010, 0x0000};
    const struct {
        const void *src;
        cf_dtype dtype;
        size_t bytes;
        const char *name;
    } cases[] = {{f32, CF_F32, 4, "f32"}, {f16, CF_F16, 2, "f16"}, {bf16, CF_BF16, 2, "bf16"}};
    for (size_t i = 0; i < 3; i++) {
        float out[4] = {9, 9, 9, 9};
        cf_to_f32(out, cases[i].src, cases[i].dtype, 3);
        assert_memory_equal(out, f32, sizeof f32);
        assert_true(out[3] == 9); /* nothing past n */
        cf_to_f32(NULL, NULL, cases[i].dtype, 0);
        assert_int_equal(cf_dtype_bytes(cases[i].dtype), cases[i].bytes);
        assert_string_equal(cf_dtype_name(cases[i].dtype), cases[i].name);
    }
}

static void f32_need_not_be_aligned(void **state)
{
    (void)state;
    const float values[] = {1.5f, -3.0f};
    unsigned char bytes[2 + sizeof values];
    memcpy(bytes + 2, values, sizeof values); /* as in a mapped checkpoint */
    float out[2];
    cf_to_f32(out, bytes + 2, CF_F32, 2);
    assert_memory_equal(out, values, sizeof values);
}

static void rows_of_a_tensor_are_a_view_of_it(void **state)
{
    (void)state;
    uint16_t data[4 * 3] = {0};
    const cf_tensor t = cf_tensor_2d(data, CF_BF16, 4, 3);
    assert_int_equal(cf_tensor_count(&t), 12);
    const cf_tensor rows = cf_tensor_rows(&t, 1, 3);
    assert_ptr_equal(rows.data, data + 3);
    assert_int_equal(rows.dtype, CF_BF16);
    assert_int_equal(rows.rank, 2);
    assert_int_equal(rows.shape[0], 2);
    assert_int_equal(rows.shape[1], 3);
    assert_int_equal(rows.shape[2], 1);
    const cf_tensor none = cf_tensor_rows(&t, 4, 4);
    assert_int_equal(cf_tensor_count(&none), 0);
    const cf_tensor scalar = {data, CF_F32, 0, {1, 1, 1, 1}};
    assert_int_equal(cf_tensor_count(&scalar), 1);
}

static void a_comparison_finds_the_largest_difference(void **state)
{
    (void)state;
    const float a[] = {1, 2, 3, -4}, b[] = {1, 2.5f, 3, -8};
    const cf_difference d = cf_compare(a, b, 4);
    assert_true(d.max_abs == 4);
    assert_int_equal(d.at, 3);
    assert_true(d.max_relative == 0.5);
    assert_true(d.nmse == (0.25 + 16) / (1 + 6.25 + 9 + 64));
}

static void equal_arrays_do_not_differ_and_zeros_divide_nothing(void **state)
{
    (void)state;
    const float zero[] = {0, -0.0f}, one[] = {1, 0};
    const cf_difference cases[] = {cf_compare(one, one, 2), cf_compare(zero, zero, 2), cf_compare(NULL, NULL, 0)};
    for (size_t i = 0; i < 3; i++) {
        assert_true(cases[i].max_abs == 0);
        assert_true(cases[i].max_relative == 0);
        assert_true(cases[i].nmse == 0);
    }
    const cf_difference d = cf_compare(one, zero, 2);
    assert_true(d.max_abs == 1);
    assert_true(isinf(d.max_relative));
    assert_true(isinf(d.nmse));
}

static void nothing_that_is_not_finite_passes_a_comparison(void **state)
{
    (void)state;
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < 3; i++)
        for (int side = 0; side < 3; side++) { /* in a, in b, in both */
            float a[] = {1, 2, 3}, b[] = {1, 2, 30};
            if (side != 1)
                a[1] = bad[i];
            if (side != 0)
                b[1] = bad[i];
            const cf_difference d = cf_compare(a, b, 3);
            assert_true(isinf(d.max_abs));
            assert_true(isinf(d.max_relative));
            assert_true(isinf(d.nmse));
            assert_int_equal(d.at, 1);
        }
}

static void the_helpers_of_this_test_know_one(void **state)
{
    (void)state;
    assert_int_equal(bits_of(1.0f), 0x3f800000);
    assert_true(value_of(0x3c00, 5, 10) == 1);
    assert_true(value_of(0x0001, 5, 10) == 0x1p-24);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_helpers_of_this_test_know_one),
        cmocka_unit_test(all_f16_values_convert_exactly),
        cmocka_unit_test(all_bf16_values_convert_exactly),
        cmocka_unit_test(all_bf16_values_come_back_from_f32),
        cmocka_unit_test(f32_rounds_to_the_nearest_bf16_and_ties_to_even),
        cmocka_unit_test(no_bf16_is_nearer_than_the_one_chosen),
        cmocka_unit_test(a_nan_stays_a_nan_in_bf16),
        cmocka_unit_test(arrays_convert_from_every_dtype),
        cmocka_unit_test(f32_need_not_be_aligned),
        cmocka_unit_test(rows_of_a_tensor_are_a_view_of_it),
        cmocka_unit_test(a_comparison_finds_the_largest_difference),
        cmocka_unit_test(equal_arrays_do_not_differ_and_zeros_divide_nothing),
        cmocka_unit_test(nothing_that_is_not_finite_passes_a_comparison),
    };
    return cmocka_run_group_tests_name("tensor", tests, NULL, NULL);
}
