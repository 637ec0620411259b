/* test_tiling.c - tiles, positions and boxes of anyres pictures against transformers' processor and packing. */
#include "test_image.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "image/tiling.h"
#include "image_golden.h"
#include "support/fail_alloc.h"

enum { SWEEP_COLUMNS = 11, MAX_BOXES = 4 };

static void must(cf_status st, const cf_error *err)
{
    if (st != CF_OK)
        print_error("%s\n", err->text);
    assert_int_equal(st, CF_OK);
}

static bool equal(int64_t found, int64_t expected, const char *what, const char *name)
{
    if (found != expected)
        print_error("%s: %s: expected %lld, found %lld\n", name, what, (long long)expected, (long long)found);
    return found == expected;
}

/* The positions against an entry of the script's positions(). */
static bool positions_match(const cf_tiling *t, const cf_json *expected, const char *name)
{
    const size_t n = (size_t)t->grid.n_positions;
    int64_t n_newlines = 0;
    for (size_t i = 0; i < n; i++)
        n_newlines += t->merge.source[i] == -1;
    return equal(t->grid.n_positions, golden_i64(expected, "n_positions"), "n_positions", name) &&
           equal(n_newlines, golden_i64(expected, "n_newlines"), "n_newlines", name) &&
           golden_matches(t->merge.source, n * sizeof *t->merge.source, expected, "source", name) &&
           golden_matches(t->merge.role, n * sizeof *t->merge.role, expected, "role", name);
}

/* Bytes of all tiles, where `bytes` names them, and pixel values of all tiles. */
static bool pixels_match(const cf_tiling *t, const cf_preprocess *p, const cf_json *expected, const char *bytes,
                         const char *name)
{
    const size_t n = (size_t)t->grid.tile_w * (size_t)t->grid.tile_h * 3, n_tiles = (size_t)t->grid.n_tiles;
    uint8_t *all = malloc(n_tiles * n);
    float *values = malloc(n_tiles * n * sizeof *values);
    assert_true(all && values);
    for (size_t i = 0; i < n_tiles; i++) {
        assert_true(t->tiles[i].width == t->grid.tile_w && t->tiles[i].height == t->grid.tile_h);
        memcpy(all + i * n, t->tiles[i].rgb, n);
    }
    cf_tiling_values(values, t, p);
    const bool same = (!bytes || golden_matches(all, n_tiles * n, expected, bytes, name)) &&
                      golden_matches(values, n_tiles * n * sizeof *values, expected, "values", name);
    free(all);
    free(values);
    return same;
}

static const struct {
    const char *key;
    cf_hd_order order;
    bool newline;
} packings[] = {
    {"unpad", CF_HD_UNPAD, true},      {"unpad, no newline", CF_HD_UNPAD, false},     {"flat", CF_HD_FLAT, true},
    {"spatial", CF_HD_SPATIAL, false}, {"spatial_unpad", CF_HD_UNPAD_ORIGINAL, true},
};

static void tiles_and_positions_are_those_of_transformers(void **state)
{
    int n = 0, n_wrong = 0;
    for (const cf_json *c = cf_json_first(cf_json_get(*state, "tiles")); c; c = cf_json_next(c), n++) {
        const char *name = cf_json_string(cf_json_get(c, "name"));
        cf_preprocess p = {0};
        cf_image in = {0};
        cf_tiling t = {0};
        cf_error err = {0};
        golden_config(&p, c);
        assert_int_equal(p.fit, CF_FIT_ANYRES);
        golden_noise(&in, c);
        cf_packing k = {.patch_size = (int32_t)golden_i64(c, "patch"), .newline = true, .order = CF_HD_UNPAD};
        must(cf_tiling_create(&t, &in, &p, &k, &err), &err);
        n_wrong += !(equal(t.grid.n_tiles, golden_i64(c, "n_tiles"), "n_tiles", name) &&
                     equal(t.grid.tile_rows, golden_item(cf_json_get(c, "grid"), 0), "tile_rows", name) &&
                     equal(t.grid.tile_cols, golden_item(cf_json_get(c, "grid"), 1), "tile_cols", name) &&
                     pixels_match(&t, &p, c, "tiles", name));
        cf_tiling_deinit(&t);
        for (size_t i = 0; i < sizeof packings / sizeof *packings; i++) {
            k.order = packings[i].order;
            k.newline = packings[i].newline;
            must(cf_tiling_plan(&t, in.width, in.height, &p, &k, &err), &err);
            assert_null(t.tiles);
            if (!positions_match(&t, cf_json_get(cf_json_get(c, "packed"), packings[i].key), name)) {
                print_error("  ^ %s\n", packings[i].key);
                n_wrong++;
            }
            cf_tiling_deinit(&t);
        }
        cf_image_deinit(&in);
    }
    assert_true(n > 40);
    assert_int_equal(n_wrong, 0);
}

/* From the original's list of (width, height) pairs. */
static void set_original_pinpoints(cf_preprocess *p, const cf_json *list)
{
    cf_pinpoint pinpoints[CF_MAX_PINPOINTS];
    int64_t n = 0;
    cf_error err = {0};
    for (const cf_json *pair = cf_json_first(list); pair; pair = cf_json_next(pair))
        pinpoints[n++] = (cf_pinpoint){.width = (int32_t)golden_item(pair, 0), .height = (int32_t)golden_item(pair, 1)};
    must(cf_preprocess_set_pinpoints(p, pinpoints, n, "golden", &err), &err);
}

static void an_original_folder_is_tiled_as_the_original_does(void **state)
{
    int n = 0, n_wrong = 0;
    for (const cf_json *c = cf_json_first(cf_json_get(*state, "original")); c; c = cf_json_next(c), n++) {
        const char *name = cf_json_string(cf_json_get(c, "name"));
        const cf_packing k = {.patch_size = 14, .newline = true, .order = CF_HD_UNPAD_ORIGINAL};
        cf_preprocess p = {0};
        cf_image in = {0};
        cf_tiling t = {0};
        cf_error err = {0};
        golden_config(&p, c);
        golden_noise(&in, c);
        p.fit = CF_FIT_ANYRES;
        assert_int_equal(cf_tiling_create(&t, &in, &p, &k, &err), CF_MISMATCH);
        assert_non_null(strstr(err.text, "image_grid_pinpoints"));
        set_original_pinpoints(&p, cf_json_get(c, "pinpoints"));
        must(cf_tiling_create(&t, &in, &p, &k, &err), &err);
        n_wrong += !(equal(t.grid.n_tiles, golden_i64(c, "n_tiles"), "n_tiles", name) &&
                     pixels_match(&t, &p, c, NULL, name) && positions_match(&t, cf_json_get(c, "positions"), name));
        cf_tiling_deinit(&t);
        cf_image_deinit(&in);
    }
    assert_true(n >= 8);
    assert_int_equal(n_wrong, 0);
}

/* The columns of the script's sweep_case(). */
static void sweep_row(int32_t row[SWEEP_COLUMNS], int32_t width, int32_t height, const cf_preprocess *p,
                      const cf_packing *k)
{
    cf_tile_grid g = {0};
    cf_tiling t = {0};
    cf_error err = {0};
    must(cf_tile_grid_of(&g, width, height, p, k, &err), &err);
    must(cf_tiling_plan(&t, width, height, p, k, &err), &err);
    assert_int_equal(t.grid.n_positions, g.n_positions);
    const int32_t found[SWEEP_COLUMNS] = {g.tile_rows,
                                          g.tile_cols,
                                          g.resized_w,
                                          g.resized_h,
                                          g.left,
                                          g.top,
                                          g.n_tiles,
                                          g.n_rows,
                                          g.n_rows ? g.n_cols : 0,
                                          g.n_positions,
                                          g.n_rows ? t.merge.source[g.patch_rows * g.patch_cols] : 0};
    memcpy(row, found, sizeof found);
    cf_tiling_deinit(&t);
}

/* The rows of one order, hashed; `shapes` are the case's extra ones, then those of sweep_shapes(). */
static bool sweep_matches(const cf_json *c, const cf_preprocess *p, const cf_packing *k, const char *key)
{
    const cf_json *extra = cf_json_get(c, "extra");
    const int64_t n = golden_i64(c, "n");
    cf_hash *h = NULL;
    cf_error err = {0};
    char found[CF_HASH_HEX_BYTES];
    must(cf_hash_create(&h, &err), &err);
    int32_t row[SWEEP_COLUMNS];
    for (const cf_json *s = cf_json_first(extra); s; s = cf_json_next(s)) {
        sweep_row(row, (int32_t)golden_item(s, 0), (int32_t)golden_item(s, 1), p, k);
        cf_hash_add(h, row, sizeof row);
    }
    uint32_t s = 20250612;
    for (int64_t i = 0; i < n; i++) {
        int32_t side[2];
        for (int j = 0; j < 2; j++) {
            s = s * 1664525U + 1013904223U;
            side[j] = 1 + (int32_t)(s >> ((i & 1) ? 22 : 26));
        }
        sweep_row(row, side[0], side[1], p, k);
        cf_hash_add(h, row, sizeof row);
    }
    cf_hash_hex(h, found);
    cf_hash_free(h);
    const bool same = strcmp(found, cf_json_string(cf_json_get(c, key))) == 0;
    if (!same)
        print_error("%s: %s: hashes differ\n", cf_json_string(cf_json_get(c, "name")), key);
    return same;
}

static void thousands_of_shapes_are_laid_out_as_transformers_does(void **state)
{
    int n = 0, n_wrong = 0;
    for (const cf_json *c = cf_json_first(cf_json_get(*state, "sweep")); c; c = cf_json_next(c), n++) {
        cf_packing k = {.patch_size = (int32_t)golden_i64(c, "patch"), .newline = true, .order = CF_HD_UNPAD};
        cf_preprocess p = {0};
        golden_config(&p, c);
        n_wrong += !sweep_matches(c, &p, &k, "transformers");
        k.order = CF_HD_UNPAD_ORIGINAL;
        set_original_pinpoints(&p, cf_json_get(cf_json_get(c, "config"), "image_grid_pinpoints"));
        n_wrong += !sweep_matches(c, &p, &k, "original");
    }
    assert_int_equal(n, 4);
    assert_int_equal(n_wrong, 0);
}

static size_t read_boxes(cf_box boxes[MAX_BOXES], const cf_json *list)
{
    size_t n = 0;
    for (const cf_json *b = cf_json_first(list); b; b = cf_json_next(b), n++) {
        assert_true(n < MAX_BOXES);
        boxes[n] = (cf_box){golden_item(b, 0), golden_item(b, 1), golden_item(b, 2), golden_item(b, 3)};
    }
    return n;
}

static bool hits_match(const bool *hit, const cf_tiling *t, const cf_json *c)
{
    const char *name = cf_json_string(cf_json_get(c, "name"));
    const char *expected = cf_json_string(cf_json_get(c, "hits")); /* where there are not too many */
    uint8_t *bytes = calloc((size_t)t->grid.n_positions, 1);
    assert_non_null(bytes);
    int64_t n_hit = 0;
    bool same = true;
    for (int32_t i = 0; i < t->grid.n_positions; i++) {
        bytes[i] = hit[i];
        n_hit += hit[i];
        if (expected && same && expected[i] != (t->merge.role[i] == CF_PATCH_NEWLINE ? '-' : hit[i] ? '1' : '0')) {
            print_error("%s: position %d: expected %c\n", name, i, expected[i]);
            same = false;
        }
    }
    same = same && equal(n_hit, golden_i64(c, "n_hit"), "n_hit", name) &&
           golden_matches(bytes, (size_t)t->grid.n_positions, c, "hash", name);
    free(bytes);
    return same;
}

static void positions_hit_are_those_of_the_published_rule(void **state)
{
    int n = 0, n_wrong = 0;
    for (const cf_json *c = cf_json_first(cf_json_get(*state, "boxes")); c; c = cf_json_next(c), n++) {
        const cf_json *size = cf_json_get(c, "size");
        const char *base = cf_json_string(cf_json_get(c, "base"));
        const cf_packing k = {.patch_size = (int32_t)golden_i64(c, "patch"), .newline = true, .order = CF_HD_UNPAD};
        cf_preprocess p = {0};
        cf_tiling t = {0};
        cf_box boxes[MAX_BOXES];
        cf_error err = {0};
        golden_config(&p, c);
        const int64_t n_boxes = (int64_t)read_boxes(boxes, cf_json_get(c, "boxes"));
        const int32_t width = (int32_t)golden_item(size, 0), height = (int32_t)golden_item(size, 1);
        must(cf_tiling_plan(&t, width, height, &p, &k, &err), &err);
        bool *hit = calloc((size_t)t.grid.n_positions, sizeof *hit);
        assert_non_null(hit);
        must(cf_tiling_boxes(hit, &t, boxes, n_boxes, &p, &err), &err);
        n_wrong += !hits_match(hit, &t, c);
        /* The patches of the picture fitted as one square are those of the base tile. */
        memset(hit, 0, (size_t)t.grid.n_positions * sizeof *hit);
        must(cf_preprocess_boxes(hit, width, height, boxes, n_boxes, k.patch_size, &p, &err), &err);
        for (size_t i = 0; base[i]; i++)
            n_wrong += (base[i] == '1') != hit[i];
        free(hit);
        cf_tiling_deinit(&t);
    }
    assert_true(n > 20);
    assert_int_equal(n_wrong, 0);
}

/* A picture of noise, and boxes on it, by one path for all fits. */
static void a_picture_of_one_square_is_a_tiling_of_its_patches(void **state)
{
    (void)state;
    static const cf_image_fit fits[] = {CF_FIT_CROP, CF_FIT_PAD};
    for (size_t f = 0; f < 2; f++) {
        const cf_preprocess p = {.fit = fits[f],
                                 .shortest_edge = 43,
                                 .crop_h = 28,
                                 .crop_w = 43,
                                 .do_resize = true,
                                 .do_center_crop = true,
                                 .do_normalize = true,
                                 .std = {0.5, 0.5, 0.5}};
        const cf_packing k = {.patch_size = 14, .newline = true, .order = CF_HD_UNPAD};
        const cf_box box = {20, 10, 20, 20};
        cf_image in = {0}, fitted = {0};
        cf_tiling t = {0};
        cf_error err = {0};
        bool hit[6], expected[6];
        float pixels[3 * 28 * 43], reference[3 * 28 * 43];
        must(cf_image_create(&in, 60, 50, &err), &err);
        for (size_t i = 0; i < 60 * 50 * 3; i++)
            in.rgb[i] = (uint8_t)(i * 37 % 251);
        must(cf_tiling_create(&t, &in, &p, &k, &err), &err);
        must(cf_preprocess_fit(&fitted, &in, &p, &err), &err);
        assert_int_equal(t.grid.n_tiles, 1);
        assert_int_equal(t.grid.n_positions, 6);
        for (int32_t i = 0; i < 6; i++)
            assert_true(t.merge.source[i] == i && t.merge.role[i] == CF_PATCH_BASE);
        cf_tiling_values(pixels, &t, &p);
        cf_preprocess_values(reference, &fitted, &p);
        assert_memory_equal(pixels, reference, sizeof pixels);
        must(cf_tiling_boxes(hit, &t, &box, 1, &p, &err), &err);
        must(cf_preprocess_boxes(expected, 60, 50, &box, 1, 14, &p, &err), &err);
        assert_memory_equal(hit, expected, sizeof hit);
        cf_tiling_deinit(&t);
        cf_image_deinit(&in);
        cf_image_deinit(&fitted);
    }
}

static const cf_preprocess next28 = {.fit = CF_FIT_ANYRES,
                                     .shortest_edge = 28,
                                     .crop_h = 28,
                                     .crop_w = 28,
                                     .do_resize = true,
                                     .do_center_crop = true,
                                     .n_pinpoints = 2,
                                     .pinpoints = {{28, 56}, {56, 28}}};
static const cf_packing rows14 = {.patch_size = 14, .newline = true, .order = CF_HD_UNPAD};

static void faults_leave_the_results_alone(void **state)
{
    (void)state;
    const cf_box outside = {90, 5, 5, 5};
    cf_error err = {0};
    cf_tile_grid g = {.n_tiles = 77};
    assert_int_equal(cf_tile_grid_of(&g, 0, 5, &next28, &rows14, &err), CF_FORMAT);
    assert_non_null(strstr(err.text, "0 x 5"));
    assert_int_equal(g.n_tiles, 77);
    cf_tiling t = {.grid = {.n_tiles = 77}};
    assert_int_equal(cf_tiling_plan(&t, 5, -1, &next28, &rows14, &err), CF_FORMAT);
    assert_int_equal(t.grid.n_tiles, 77);
    must(cf_tiling_plan(&t, 50, 20, &next28, &rows14, &err), &err);
    bool hit[64];
    memset(hit, 1, sizeof hit);
    assert_int_equal(cf_tiling_boxes(hit, &t, &outside, 1, &next28, &err), CF_MISMATCH);
    assert_non_null(strstr(err.text, "box 0 "));
    for (size_t i = 0; i < 64; i++)
        assert_true(hit[i]);
    cf_tiling_deinit(&t);
    cf_tiling_deinit(&t);
    assert_null(t.merge.source);
}

static void memory_that_runs_out_while_tiling_is_reported_and_nothing_leaks(void **state)
{
    (void)state;
    const cf_box box = {0, 0, 29, 39};
    cf_image in = {0};
    cf_error err = {0};
    must(cf_image_create(&in, 30, 40, &err), &err);
    int64_t n = 1, n_boxes = 1;
    cf_tiling t = {0};
    for (;; n++) {
        fail_alloc_at(n);
        const cf_status st = cf_tiling_create(&t, &in, &next28, &rows14, &err);
        const bool failed = fail_alloc_off();
        assert_int_equal(st, failed ? CF_NOMEM : CF_OK);
        assert_true(failed == (t.merge.source == NULL));
        if (!failed)
            break;
    }
    assert_true(n > 15);
    for (;; n_boxes++) {
        bool hit[64] = {false};
        fail_alloc_at(n_boxes);
        const cf_status st = cf_tiling_boxes(hit, &t, &box, 1, &next28, &err);
        const bool failed = fail_alloc_off();
        assert_int_equal(st, failed ? CF_NOMEM : CF_OK);
        assert_true(hit[0] == !failed);
        if (!failed)
            break;
    }
    assert_true(n_boxes > 15);
    cf_tiling_deinit(&t);
    cf_image_deinit(&in);
}

int test_tiling(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tiles_and_positions_are_those_of_transformers),
        cmocka_unit_test(an_original_folder_is_tiled_as_the_original_does),
        cmocka_unit_test(thousands_of_shapes_are_laid_out_as_transformers_does),
        cmocka_unit_test(positions_hit_are_those_of_the_published_rule),
        cmocka_unit_test(a_picture_of_one_square_is_a_tiling_of_its_patches),
        cmocka_unit_test(faults_leave_the_results_alone),
        cmocka_unit_test(memory_that_runs_out_while_tiling_is_reported_and_nothing_leaks),
    };
    return cmocka_run_group_tests_name("tiling", tests, golden_open_tiling, golden_close);
}
