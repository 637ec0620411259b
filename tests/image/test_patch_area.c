/* test_patch_area.c - patches back to pixels: a box that fills a patch's rectangle touches that patch and no other. */
#include "test_image.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/patch_area.h"

static void must(cf_status st, const cf_error *err)
{
    if (st != CF_OK)
        fail_msg("%s", err->text);
}

/* In whole pixels of the picture, two of them inside the rectangle: a blurred border is no pure colour. False where too
 * little of the rectangle is seen. */
static bool box_inside(cf_box *out, const cf_patch_area *a, int32_t row, int32_t column, const cf_tile_grid *g)
{
    const double x = a->x + column * a->dx, y = a->y + row * a->dy;
    const int64_t x0 = (int64_t)ceil(x) + 2, x1 = (int64_t)floor(x + a->dx) - 3;
    const int64_t y0 = (int64_t)ceil(y) + 2, y1 = (int64_t)floor(y + a->dy) - 3;
    *out = (cf_box){x0, y0, x1 - x0, y1 - y0};
    return x0 >= 0 && y0 >= 0 && x1 < g->picture_w && y1 < g->picture_h && x1 > x0 && y1 > y0;
}

/* The number of patches looked at. */
static int check_area(const cf_patch_area *a, const cf_tiling *t, const cf_preprocess *p, const char *name)
{
    bool *hit = calloc((size_t)t->grid.n_positions, sizeof *hit);
    int n = 0;
    cf_error err = {0};
    assert_non_null(hit);
    for (int32_t row = 0; row < a->rows; row++) {
        for (int32_t column = 0; column < a->columns; column++) {
            const int32_t stride = a->columns + a->newline, at = a->at + row * stride + column;
            cf_box box = {0};
            if (t->merge.role[at] != a->role)
                fail_msg("%s: position %d is no patch of its area", name, at);
            if (!box_inside(&box, a, row, column, &t->grid))
                continue;
            must(cf_tiling_boxes(hit, t, &box, 1, p, &err), &err);
            for (int32_t i = a->at; i < a->at + a->rows * stride; i++)
                if (hit[i] != (i == at))
                    fail_msg("%s: a box of position %d: position %d is %s", name, at, i, hit[i] ? "hit" : "not hit");
            n++;
        }
    }
    free(hit);
    return n;
}

static void a_box_that_fills_a_patch_touches_that_patch_alone(void **state)
{
    static const struct {
        const char *name;
        cf_image_fit fit;
        cf_hd_order order;
        int32_t width, height;
        size_t n_areas;
    } cases[] = {
        {"crop of a wide picture", CF_FIT_CROP, CF_HD_UNPAD, 320, 180, 1},
        {"crop of a tall picture", CF_FIT_CROP, CF_HD_UNPAD, 150, 400, 1},
        {"padded wide picture", CF_FIT_PAD, CF_HD_UNPAD, 320, 181, 1},
        {"padded tall picture", CF_FIT_PAD, CF_HD_UNPAD, 151, 300, 1},
        {"tiles, unpadded wide picture", CF_FIT_ANYRES, CF_HD_UNPAD, 400, 230, 2},
        {"tiles, unpadded tall picture", CF_FIT_ANYRES, CF_HD_UNPAD_ORIGINAL, 210, 420, 2},
        {"tiles with their padding", CF_FIT_ANYRES, CF_HD_SPATIAL, 400, 230, 2},
        {"tile after tile", CF_FIT_ANYRES, CF_HD_FLAT, 400, 300, 5},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cf_preprocess p = cf_preprocess_clip(56);
        p.fit = cases[i].fit;
        p.n_pinpoints = 1;
        p.pinpoints[0] = (cf_pinpoint){112, 112};
        const cf_packing k = {14, cases[i].order, true};
        cf_tiling t = {0};
        cf_patch_area *areas = NULL;
        size_t n = 0;
        int32_t at = 0;
        int looked_at = 0;
        cf_error err = {0};
        must(cf_tiling_plan(&t, cases[i].width, cases[i].height, &p, &k, &err), &err);
        must(cf_patch_areas(&areas, &n, &t.grid, &p, &k, &err), &err);
        assert_int_equal(n, cases[i].n_areas);
        for (size_t a = 0; a < n; a++) {
            assert_int_equal(areas[a].at, at);
            looked_at += check_area(&areas[a], &t, &p, cases[i].name);
            at += areas[a].rows * (areas[a].columns + areas[a].newline);
        }
        assert_int_equal(at, t.grid.n_positions);
        assert_true(looked_at >= 8);
        free(areas);
        cf_tiling_deinit(&t);
    }
}

/* Bytes that decode to nearly the picture that was written; equal pictures are equal bytes. */
static void a_written_jpeg_is_the_picture(void **state)
{
    cf_image im = {0}, back = {0};
    cf_str one = {0}, two = {0};
    cf_error err = {0};
    (void)state;
    must(cf_image_create(&im, 50, 33, &err), &err);
    for (size_t i = 0; i < 50 * 33; i++) {
        im.rgb[3 * i] = (uint8_t)(4 * (i % 50));
        im.rgb[3 * i + 1] = (uint8_t)(6 * (i / 50));
        im.rgb[3 * i + 2] = 90;
    }
    must(cf_str_add_text(&one, "before", &err), &err);
    must(cf_image_write_jpeg(&one, &im, 90, &err), &err);
    must(cf_image_write_jpeg(&two, &im, 90, &err), &err);
    assert_true(one.n == two.n + 6 && memcmp(one.data + 6, two.data, two.n) == 0);
    must(cf_image_decode(&back, (const unsigned char *)two.data, two.n, "written", &err), &err);
    assert_int_equal(back.width, 50);
    assert_int_equal(back.height, 33);
    for (size_t i = 0; i < (size_t)50 * 33 * 3; i++)
        assert_in_range(back.rgb[i] - im.rgb[i] + 16, 0, 32);
    cf_str_deinit(&one);
    cf_str_deinit(&two);
    cf_image_deinit(&im);
    cf_image_deinit(&back);
}

int test_patch_area(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_box_that_fills_a_patch_touches_that_patch_alone),
        cmocka_unit_test(a_written_jpeg_is_the_picture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
