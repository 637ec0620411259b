/* test_boxes.c - which patches a box touches, against the published rule carried out by Pillow and transformers. */
#include "test_image.h"

#include <stdlib.h>
#include <string.h>

#include "image_golden.h"
#include "support/fail_alloc.h"

enum { MAX_BOXES = 4, MAX_PATCHES = 24 * 24 };

static size_t read_boxes(cf_box boxes[MAX_BOXES], const cf_json *list)
{
    size_t n = 0;
    for (const cf_json *b = cf_json_first(list); b; b = cf_json_next(b), n++) {
        assert_true(n < MAX_BOXES);
        boxes[n] = (cf_box){golden_item(b, 0), golden_item(b, 1), golden_item(b, 2), golden_item(b, 3)};
    }
    return n;
}

static void patches_hit_are_those_of_the_published_rule(void **state)
{
    int n = 0, n_wrong = 0;
    for (const cf_json *c = cf_json_first(cf_json_get(*state, "boxes")); c; c = cf_json_next(c), n++) {
        const char *name = cf_json_string(cf_json_get(c, "name"));
        const char *expected = cf_json_string(cf_json_get(c, "hits"));
        const cf_json *size = cf_json_get(c, "size");
        const int32_t patch = (int32_t)golden_i64(c, "patch");
        cf_preprocess p = {0};
        cf_box boxes[MAX_BOXES];
        cf_error err = {0};
        golden_config(&p, c);
        const size_t n_boxes = read_boxes(boxes, cf_json_get(c, "boxes"));
        const size_t n_patches = (size_t)((p.crop_h / patch) * (p.crop_w / patch));
        assert_int_equal(strlen(expected), n_patches);
        bool hit[MAX_PATCHES];
        assert_int_equal(cf_preprocess_boxes(hit, (int32_t)golden_item(size, 0), (int32_t)golden_item(size, 1), boxes,
                                             (int64_t)n_boxes, patch, &p, &err),
                         CF_OK);
        char found[MAX_PATCHES + 1] = {0};
        for (size_t i = 0; i < n_patches; i++)
            found[i] = hit[i] ? '1' : '0';
        if (strcmp(found, expected) != 0) {
            print_error("%s: expected %s, found %s\n", name, expected, found);
            n_wrong++;
        }
    }
    assert_true(n > 30);
    assert_int_equal(n_wrong, 0);
}

static const cf_preprocess crop28 = {
    .fit = CF_FIT_CROP, .shortest_edge = 28, .crop_h = 28, .crop_w = 28, .do_resize = true, .do_center_crop = true};

static void boxes_that_cannot_be_drawn_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        cf_box box;
        const char *says;
    } cases[] = {
        {"negative width", {5, 5, -1, 5}, "negative extent"},
        {"negative height", {5, 5, 5, -1}, "negative extent"},
        {"smallest width", {5, 5, INT64_MIN, 5}, "negative extent"},
        {"right of the picture", {50, 5, 5, 5}, "does not meet the picture of 50 x 40"},
        {"below the picture", {5, 40, 5, 5}, "does not meet the picture of 50 x 40"},
        {"left of the picture", {-6, 5, 5, 5}, "does not meet"},
        {"above the picture", {5, -6, 5, 5}, "does not meet"},
        {"far away", {INT64_MAX, 5, INT64_MAX, 5}, "does not meet"},
        {"far away on the other side", {INT64_MIN, 5, 5, 5}, "does not meet"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const cf_box boxes[2] = {{0, 0, 9, 9}, cases[i].box};
        bool hit[4] = {true, false, true, false};
        cf_error err = {0};
        if (cf_preprocess_boxes(hit, 50, 40, boxes, 2, 14, &crop28, &err) != CF_MISMATCH ||
            !strstr(err.text, cases[i].says) || !strstr(err.text, "box 1 ")) {
            print_error("%s: %s\n", cases[i].name, err.text);
            fail();
        }
        assert_true(hit[0] && !hit[1] && hit[2] && !hit[3]);
    }
}

static void the_largest_box_covers_everything(void **state)
{
    (void)state;
    const cf_box box = {-3, INT64_MIN, INT64_MAX, INT64_MAX};
    bool hit[4] = {false};
    cf_error err = {0};
    assert_int_equal(cf_preprocess_boxes(hit, 50, 40, &box, 1, 14, &crop28, &err), CF_MISMATCH); /* ends at y = -1 */
    const cf_box covering = {-3, -3, INT64_MAX, INT64_MAX};
    assert_int_equal(cf_preprocess_boxes(hit, 50, 40, &covering, 1, 14, &crop28, &err), CF_OK);
    assert_true(hit[0] && hit[1] && hit[2] && hit[3]);
}

static void memory_that_runs_out_leaves_the_hits_alone(void **state)
{
    (void)state;
    const cf_box box = {0, 0, 49, 39};
    cf_error err = {0};
    int64_t n = 1;
    for (;; n++) {
        bool hit[4] = {false};
        fail_alloc_at(n);
        const cf_status st = cf_preprocess_boxes(hit, 50, 40, &box, 1, 14, &crop28, &err);
        const bool failed = fail_alloc_off();
        assert_int_equal(st, failed ? CF_NOMEM : CF_OK);
        assert_true(hit[0] == !failed);
        if (!failed)
            break;
    }
    assert_true(n > 5);
}

int test_boxes(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patches_hit_are_those_of_the_published_rule),
        cmocka_unit_test(boxes_that_cannot_be_drawn_are_named),
        cmocka_unit_test(the_largest_box_covers_everything),
        cmocka_unit_test(memory_that_runs_out_leaves_the_hits_alone),
    };
    return cmocka_run_group_tests_name("boxes", tests, golden_open, golden_close);
}
