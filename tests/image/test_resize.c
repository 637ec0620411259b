/* test_resize.c - the bicubic resize against Pillow's bytes. */
#include "test_image.h"

#include <stdio.h>
#include <string.h>

#include "image_golden.h"
#include "support/fail_alloc.h"

static void resized_bytes_are_those_of_pillow(void **state)
{
    int n = 0, n_wrong = 0;
    for (const cf_json *c = cf_json_first(cf_json_get(*state, "resize")); c; c = cf_json_next(c), n++) {
        const cf_json *to = cf_json_get(c, "to");
        cf_image in = {0}, out = {0};
        cf_error err = {0};
        golden_noise(&in, c);
        assert_int_equal(cf_image_resize(&out, &in, (int32_t)golden_item(to, 0), (int32_t)golden_item(to, 1), &err),
                         CF_OK);
        assert_int_equal(out.width, golden_item(to, 0));
        assert_int_equal(out.height, golden_item(to, 1));
        char name[80];
        snprintf(name, sizeof name, "%d x %d to %d x %d", in.width, in.height, out.width, out.height);
        n_wrong += !golden_matches_image(&out, c, "hash", name);
        cf_image_deinit(&in);
        cf_image_deinit(&out);
    }
    assert_true(n >= 30);
    assert_int_equal(n_wrong, 0);
}

static void a_picture_of_one_colour_keeps_it_at_any_size(void **state)
{
    (void)state;
    static const int32_t sizes[] = {1, 2, 7, 30, 64, 333};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
            cf_image in = {0}, out = {0};
            cf_error err = {0};
            assert_int_equal(cf_image_create(&in, 30, 41, &err), CF_OK);
            memset(in.rgb, 255, 30 * 41 * 3);
            assert_int_equal(cf_image_resize(&out, &in, sizes[i], sizes[k], &err), CF_OK);
            for (int32_t p = 0; p < sizes[i] * sizes[k] * 3; p++)
                assert_int_equal(out.rgb[p], 255);
            cf_image_deinit(&in);
            cf_image_deinit(&out);
        }
}

static void impossible_sizes_are_refused_before_memory_is_asked_for(void **state)
{
    (void)state;
    static const struct {
        int32_t width, height;
    } sizes[] = {{0, 5}, {5, 0}, {-1, 5}, {INT32_MAX, 2}, {20000, 20000}};
    cf_image in = {0};
    cf_error err = {0};
    assert_int_equal(cf_image_create(&in, 3, 3, &err), CF_OK);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        cf_image out = {0};
        fail_alloc_at(1);
        assert_int_equal(cf_image_resize(&out, &in, sizes[i].width, sizes[i].height, &err), CF_FORMAT);
        assert_false(fail_alloc_off());
        assert_null(out.rgb);
    }
    cf_image_deinit(&in);
}

int test_resize(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resized_bytes_are_those_of_pillow),
        cmocka_unit_test(a_picture_of_one_colour_keeps_it_at_any_size),
        cmocka_unit_test(impossible_sizes_are_refused_before_memory_is_asked_for),
    };
    return cmocka_run_group_tests_name("resize", tests, golden_open, golden_close);
}
