/* tiling.c - the tiles of a picture and the positions of their patches; see tiling.h. Where they lie is tile_grid.c.
 *
 * Source of the positions: transformers 5.17.0, LlavaNextModel.pack_image_features; of the two orders that transformers
 * does not know, the original LLaVA's llava_arch.py. */
#include "image/tiling.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "image/image_internal.h"

/* Columns or rows [from, from + n) of the resized picture that lie in one tile, and where in the tile they land; n is 0
 * where the tile is padding throughout. */
static void overlap(int64_t *from, int32_t *n, int32_t *at, int32_t tile_begin, int32_t tile_extent, int32_t padding,
                    int32_t resized)
{
    const int32_t begin = tile_begin - padding, end = begin + tile_extent;
    const int32_t first = begin < 0 ? 0 : begin, last = end < resized ? end : resized;
    *from = first;
    *n = last > first ? last - first : 0;
    *at = first - begin;
}

/* HD tile `index` of the picture, cut from what resizing and padding all of it gives; only what the tile shows is
 * computed. */
static cf_status cut_tile(cf_image *out, const cf_image *picture, const cf_tile_grid *g, int32_t index, cf_error *err)
{
    const int32_t row = index / g->tile_cols, col = index % g->tile_cols;
    cf_window window = {0};
    int32_t at_x = 0, at_y = 0;
    overlap(&window.x, &window.width, &at_x, col * g->tile_w, g->tile_w, g->left, g->resized_w);
    overlap(&window.y, &window.height, &at_y, row * g->tile_h, g->tile_h, g->top, g->resized_h);
    cf_status st = cf_image_create_named(out, g->tile_w, g->tile_h, "tile of an image", err);
    if (st == CF_OK && window.width && window.height)
        st = cf_image_resize_window(out, at_x, at_y, picture, g->resized_w, g->resized_h, window, err);
    return st;
}

cf_status cf_tile_make(cf_image *out, const cf_image *picture, const cf_tile_grid *g, int32_t tile,
                       const cf_preprocess *p, cf_error *err)
{
    if (tile == 0)
        return cf_preprocess_fit(out, picture, p, err);
    /* Each tile goes through the whole processor as a picture would: nothing changes where size and crop_size agree. */
    cf_preprocess steps = *p;
    steps.fit = CF_FIT_CROP;
    cf_image cut = {0};
    cf_status st = cut_tile(&cut, picture, g, tile - 1, err);
    if (st == CF_OK)
        st = cf_preprocess_fit(out, &cut, &steps, err);
    cf_image_deinit(&cut);
    return st;
}

static void add(cf_merge_plan *m, int32_t source, cf_patch_role role)
{
    m->source[m->n] = source;
    m->role[m->n++] = role;
}

/* Row by row across the tiles, of which the base tile is number 0. */
static void add_rows(cf_merge_plan *m, const cf_tile_grid *g)
{
    for (int32_t y = g->first_row; y < g->first_row + g->n_rows; y++) {
        for (int32_t x = g->first_col; x < g->first_col + g->n_cols; x++) {
            const int32_t tile = 1 + y / g->patch_rows * g->tile_cols + x / g->patch_cols;
            const int32_t row = tile * g->patch_rows + y % g->patch_rows;
            add(m, row * g->patch_cols + x % g->patch_cols, CF_PATCH_HD);
        }
        if (g->newline)
            add(m, CF_SOURCE_NEWLINE, CF_PATCH_NEWLINE);
    }
}

cf_status cf_tiling_plan(cf_tiling *out, int32_t width, int32_t height, const cf_preprocess *p, const cf_packing *k,
                         cf_error *err)
{
    cf_status st = CF_OK;
    cf_tiling t = {0};
    void *source = NULL, *role = NULL;
    CF_TRY(cf_tile_grid_of(&t.grid, width, height, p, k, err));
    CF_TRY(cf_alloc(&source, (size_t)t.grid.n_positions, sizeof *t.merge.source, "positions of an image", err));
    CF_TRY(cf_alloc(&role, (size_t)t.grid.n_positions, sizeof *t.merge.role, "positions of an image", err));
    t.merge.source = source;
    t.merge.role = role;
    source = role = NULL;
    const int32_t n_patches = t.grid.patch_rows * t.grid.patch_cols;
    while (t.merge.n < n_patches)
        add(&t.merge, t.merge.n, CF_PATCH_BASE);
    if (k->order == CF_HD_FLAT)
        while (t.merge.n < t.grid.n_tiles * n_patches)
            add(&t.merge, t.merge.n, CF_PATCH_HD);
    else
        add_rows(&t.merge, &t.grid);
    assert(t.merge.n == t.grid.n_positions);
    *out = t;
done:
    free(source);
    free(role);
    return st;
}

cf_status cf_tiling_create(cf_tiling *out, const cf_image *picture, const cf_preprocess *p, const cf_packing *k,
                           cf_error *err)
{
    cf_status st = CF_OK;
    cf_tiling t = {0};
    void *tiles = NULL;
    CF_TRY(cf_tiling_plan(&t, picture->width, picture->height, p, k, err));
    CF_TRY(cf_alloc(&tiles, (size_t)t.grid.n_tiles, sizeof *t.tiles, "tiles of an image", err));
    t.tiles = tiles;
    for (int32_t i = 0; i < t.grid.n_tiles; i++)
        CF_TRY(cf_tile_make(&t.tiles[i], picture, &t.grid, i, p, err));
    *out = t;
    t = (cf_tiling){0};
done:
    cf_tiling_deinit(&t);
    return st;
}

void cf_tiling_deinit(cf_tiling *t)
{
    for (int32_t i = 0; t->tiles && i < t->grid.n_tiles; i++)
        cf_image_deinit(&t->tiles[i]);
    free(t->tiles);
    free(t->merge.source);
    free(t->merge.role);
    *t = (cf_tiling){0};
}

bool cf_tiling_place(cf_patch_place *out, const cf_tiling *t, int32_t i)
{
    const cf_tile_grid *g = &t->grid;
    const int32_t n = g->patch_rows * g->patch_cols, source = t->merge.source[i];
    if (source == CF_SOURCE_NEWLINE)
        return false;
    const int32_t tile = source / n, patch = source % n;
    *out = (cf_patch_place){.hd = tile > 0, .row = patch / g->patch_cols, .column = patch % g->patch_cols};
    if (out->hd) {
        out->row += (tile - 1) / g->tile_cols * g->patch_rows - g->first_row;
        out->column += (tile - 1) % g->tile_cols * g->patch_cols - g->first_col;
    }
    return true;
}

void cf_tiling_values(float *pixels, const cf_tiling *t, const cf_preprocess *p)
{
    const size_t n = (size_t)t->grid.tile_h * (size_t)t->grid.tile_w * 3;
    for (int32_t i = 0; i < t->grid.n_tiles; i++)
        cf_preprocess_values(pixels + (size_t)i * n, &t->tiles[i], p);
}
