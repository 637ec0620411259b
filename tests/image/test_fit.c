/* test_fit.c - crop, pad and pixel_values against transformers' PIL processors. */
#include "test_image.h"

#include <stdlib.h>
#include <string.h>

#include "image_golden.h"
#include "support/fail_alloc.h"

/* Fits and computes; pixels is heap memory. */
static void preprocess(cf_image *fitted, float **pixels, const cf_image *in, const cf_preprocess *p)
{
    cf_error err = {0};
    const cf_status st = cf_preprocess_fit(fitted, in, p, &err);
    if (st != CF_OK)
        print_error("%s\n", err.text);
    assert_int_equal(st, CF_OK);
    *pixels = malloc((size_t)p->crop_w * (size_t)p->crop_h * 3 * sizeof **pixels);
    assert_non_null(*pixels);
    cf_preprocess_values(*pixels, fitted, p);
}

static void fitted_bytes_and_pixel_values_are_those_of_transformers(void **state)
{
    int n = 0, n_wrong = 0;
    for (const cf_json *c = cf_json_first(cf_json_get(*state, "fit")); c; c = cf_json_next(c), n++) {
        const char *name = cf_json_string(cf_json_get(c, "name"));
        cf_preprocess p = {0};
        cf_image in = {0}, fitted = {0};
        float *pixels = NULL;
        golden_config(&p, c);
        golden_noise(&in, c);
        preprocess(&fitted, &pixels, &in, &p);
        n_wrong += !golden_matches_image(&fitted, c, "fitted", name);
        n_wrong += !golden_matches(pixels, (size_t)p.crop_w * (size_t)p.crop_h * 3 * sizeof *pixels, c, "values", name);
        free(pixels);
        cf_image_deinit(&in);
        cf_image_deinit(&fitted);
    }
    assert_true(n > 30);
    assert_int_equal(n_wrong, 0);
}

static void pixel_values_of_the_demo_pictures_are_bit_equal(void **state)
{
    const cf_json *values = cf_json_get(*state, "values");
    const char *config = cf_json_string(cf_json_get(values, "config"));
    cf_json *json = NULL;
    cf_error err = {0};
    cf_preprocess p = {0};
    assert_int_equal(cf_json_open(&json, config, 1 << 16, &err), CF_OK);
    assert_int_equal(cf_preprocess_parse(&p, json, config, &err), CF_OK);
    cf_json_free(json);
    int n = 0;
    for (const cf_json *c = cf_json_first(cf_json_get(values, "pictures")); c; c = cf_json_next(c), n++) {
        const char *file = cf_json_string(cf_json_get(c, "file"));
        cf_image in = {0}, fitted = {0};
        float *pixels = NULL;
        assert_int_equal(cf_image_open(&in, file, &err), CF_OK);
        preprocess(&fitted, &pixels, &in, &p);
        const size_t plane = (size_t)p.crop_w * (size_t)p.crop_h;
        const cf_json *first = cf_json_first(cf_json_get(c, "first"));
        for (size_t channel = 0; channel < 3; channel++, first = cf_json_next(first))
            assert_true(pixels[channel * plane] == (float)cf_json_number(first, -99));
        assert_true(golden_matches(pixels, 3 * plane * sizeof *pixels, c, "hash", file));
        free(pixels);
        cf_image_deinit(&in);
        cf_image_deinit(&fitted);
    }
    assert_int_equal(n, 2);
}

/* 1 x 4000 would be 336 x 1,344,000 pixels, over the limit of a picture, if it were resized whole. */
static void only_the_crop_of_a_very_long_picture_is_resized(void **state)
{
    (void)state;
    cf_preprocess p = {.fit = CF_FIT_CROP, .shortest_edge = 336, .crop_h = 336, .crop_w = 336, .do_resize = true};
    p.do_center_crop = true;
    cf_image in = {0}, out = {0};
    cf_error err = {0};
    assert_int_equal(cf_image_create(&in, 1, 4000, &err), CF_OK);
    memset(in.rgb, 7, 3 * 4000);
    assert_int_equal(cf_preprocess_fit(&out, &in, &p, &err), CF_OK);
    assert_int_equal(out.rgb[336 * 336 * 3 - 1], 7);
    cf_image_deinit(&in);
    cf_image_deinit(&out);
}

static void a_shape_that_the_model_does_not_take_is_an_error(void **state)
{
    (void)state;
    cf_preprocess p = {.fit = CF_FIT_CROP, .shortest_edge = 20, .crop_h = 20, .crop_w = 20, .do_resize = true};
    cf_image in = {0}, out = {0};
    cf_error err = {0};
    assert_int_equal(cf_image_create(&in, 30, 40, &err), CF_OK);
    assert_int_equal(cf_preprocess_fit(&out, &in, &p, &err), CF_MISMATCH);
    assert_non_null(strstr(err.text, "20 x 26"));
    assert_null(out.rgb);
    cf_image_deinit(&in);
}

static void a_square_too_large_to_pad_is_refused(void **state)
{
    (void)state;
    cf_preprocess p = {.fit = CF_FIT_PAD, .shortest_edge = 20, .crop_h = 20, .crop_w = 20, .do_resize = true};
    cf_image in = {0}, out = {0};
    cf_error err = {0};
    assert_int_equal(cf_image_create(&in, 1, 20000, &err), CF_OK);
    assert_int_equal(cf_preprocess_fit(&out, &in, &p, &err), CF_FORMAT);
    assert_non_null(strstr(err.text, "20000 x 20000"));
    cf_image_deinit(&in);
}

static void memory_that_runs_out_while_fitting_is_reported_and_nothing_leaks(void **state)
{
    (void)state;
    const cf_preprocess p = {
        .fit = CF_FIT_PAD, .shortest_edge = 20, .crop_h = 14, .crop_w = 14, .do_resize = true, .do_center_crop = true};
    cf_image in = {0};
    cf_error err = {0};
    assert_int_equal(cf_image_create(&in, 30, 40, &err), CF_OK);
    int64_t n = 1;
    for (;; n++) {
        cf_image out = {0};
        fail_alloc_at(n);
        const cf_status st = cf_preprocess_fit(&out, &in, &p, &err);
        const bool failed = fail_alloc_off();
        assert_int_equal(st, failed ? CF_NOMEM : CF_OK);
        assert_true(failed == (out.rgb == NULL));
        cf_image_deinit(&out);
        if (!failed)
            break;
    }
    assert_true(n > 5);
    cf_image_deinit(&in);
}

int test_fit(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fitted_bytes_and_pixel_values_are_those_of_transformers),
        cmocka_unit_test(pixel_values_of_the_demo_pictures_are_bit_equal),
        cmocka_unit_test(only_the_crop_of_a_very_long_picture_is_resized),
        cmocka_unit_test(a_shape_that_the_model_does_not_take_is_an_error),
        cmocka_unit_test(a_square_too_large_to_pad_is_refused),
        cmocka_unit_test(memory_that_runs_out_while_fitting_is_reported_and_nothing_leaks),
    };
    return cmocka_run_group_tests_name("fit", tests, golden_open, golden_close);
}
