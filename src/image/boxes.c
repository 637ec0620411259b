/* boxes.c - object boxes to the patches they touch, by the published rule: the boxes are drawn on a mask the size of
 * the picture, the mask goes through the picture's own fit, and a patch belongs to the object where one of its pixels
 * is still the pure box colour. Drawing the mask rather than mapping coordinates is what makes crop, pad and the blur
 * of the resize right in one rule. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "image/image_internal.h"

static int64_t far_edge(int64_t at, int64_t extent)
{
    return at > INT64_MAX - extent ? INT64_MAX : at + extent;
}

static cf_status check_box(const cf_box *b, int64_t index, int32_t width, int32_t height, cf_error *err)
{
    if (b->w < 0 || b->h < 0)
        return cf_fail(err, CF_MISMATCH, "box %lld (x %lld, y %lld, w %lld, h %lld) has a negative extent",
                       (long long)index, (long long)b->x, (long long)b->y, (long long)b->w, (long long)b->h);
    if (b->x >= width || b->y >= height || far_edge(b->x, b->w) < 0 || far_edge(b->y, b->h) < 0)
        return cf_fail(
            err, CF_MISMATCH, "box %lld (x %lld, y %lld, w %lld, h %lld) does not meet the picture of %d x %d",
            (long long)index, (long long)b->x, (long long)b->y, (long long)b->w, (long long)b->h, width, height);
    return CF_OK;
}

/* PIL ImageDraw.rectangle((x, y, x + w, y + h), fill): both corners included, clipped at the border. */
static void draw_red(cf_image *mask, const cf_box *b)
{
    const int64_t right = far_edge(b->x, b->w), bottom = far_edge(b->y, b->h);
    const int64_t x0 = b->x < 0 ? 0 : b->x, x1 = right < mask->width ? right : mask->width - 1;
    const int64_t y0 = b->y < 0 ? 0 : b->y, y1 = bottom < mask->height ? bottom : mask->height - 1;
    static const uint8_t red[3] = {255, 0, 0};
    for (int64_t y = y0; y <= y1; y++)
        for (int64_t x = x0; x <= x1; x++)
            memcpy(mask->rgb + (size_t)(y * mask->width + x) * 3, red, 3);
}

static cf_status draw_mask(cf_image *mask, int32_t width, int32_t height, const cf_box *boxes, int64_t n_boxes,
                           cf_error *err)
{
    cf_status st = CF_OK;
    for (int64_t i = 0; i < n_boxes; i++)
        CF_TRY(check_box(&boxes[i], i, width, height, err));
    CF_TRY(cf_image_create(mask, width, height, err));
    for (size_t i = 0; i < (size_t)width * (size_t)height; i++)
        mask->rgb[3 * i + 1] = 255;
    for (int64_t i = 0; i < n_boxes; i++)
        draw_red(mask, &boxes[i]);
done:
    return st;
}

static bool is_red(const uint8_t *px)
{
    return px[0] == 255 && px[1] == 0 && px[2] == 0;
}

/* hit[rows * cols] of one tile. */
static void find_red(bool *hit, const cf_image *tile, int32_t rows, int32_t cols, int32_t patch_size)
{
    memset(hit, 0, (size_t)rows * (size_t)cols * sizeof *hit);
    for (int32_t y = 0; y < rows * patch_size; y++) {
        const uint8_t *row = tile->rgb + (size_t)y * (size_t)tile->width * 3;
        for (int32_t x = 0; x < cols * patch_size; x++)
            if (is_red(row + 3 * (size_t)x))
                hit[(y / patch_size) * cols + x / patch_size] = true;
    }
}

cf_status cf_preprocess_boxes(bool *hit, int32_t width, int32_t height, const cf_box *boxes, int64_t n_boxes,
                              int32_t patch_size, const cf_preprocess *p, cf_error *err)
{
    assert(patch_size > 0);
    cf_status st = CF_OK;
    cf_image mask = {0}, fitted = {0};
    CF_TRY(draw_mask(&mask, width, height, boxes, n_boxes, err));
    CF_TRY(cf_preprocess_fit(&fitted, &mask, p, err));
    find_red(hit, &fitted, p->crop_h / patch_size, p->crop_w / patch_size, patch_size);
done:
    cf_image_deinit(&mask);
    cf_image_deinit(&fitted);
    return st;
}

cf_status cf_tiling_boxes(bool *hit, const cf_tiling *t, const cf_box *boxes, int64_t n_boxes, const cf_preprocess *p,
                          cf_error *err)
{
    const cf_tile_grid *g = &t->grid;
    const size_t n_patches = (size_t)g->patch_rows * (size_t)g->patch_cols;
    cf_status st = CF_OK;
    cf_image mask = {0}, tile = {0};
    void *memory = NULL;
    CF_TRY(cf_alloc(&memory, (size_t)g->n_tiles * n_patches, sizeof(bool), "patches of the object", err));
    bool *touched = memory;
    CF_TRY(draw_mask(&mask, g->picture_w, g->picture_h, boxes, n_boxes, err));
    for (int32_t i = 0; i < g->n_tiles; i++) {
        CF_TRY(cf_tile_make(&tile, &mask, g, i, p, err));
        find_red(touched + (size_t)i * n_patches, &tile, g->patch_rows, g->patch_cols, g->patch_size);
        cf_image_deinit(&tile);
    }
    for (int32_t i = 0; i < g->n_positions; i++)
        hit[i] = t->merge.source[i] >= 0 && touched[t->merge.source[i]];
done:
    cf_image_deinit(&mask);
    cf_image_deinit(&tile);
    free(memory);
    return st;
}
