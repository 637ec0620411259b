/* patch_area.c - see patch_area.h. What the fit did to the whole picture is undone for corners of patches. */
#include "image/patch_area.h"

#include "base/memory.h"
#include "image/image_internal.h"

static cf_patch_area base_area(const cf_tile_grid *g, const cf_preprocess *p)
{
    const cf_placement at = cf_preprocess_placement(g->picture_w, g->picture_h, p);
    return (cf_patch_area){.role = CF_PATCH_BASE,
                           .rows = g->patch_rows,
                           .columns = g->patch_cols,
                           .x = at.x,
                           .y = at.y,
                           .dx = at.dx * g->patch_size,
                           .dy = at.dy * g->patch_size};
}

/* Patches of the grid of all tiles, from (row, column) on. A tile's pixels that belong to no patch are shared among
 * its patches, so that rows of several tiles stay one area. */
static cf_patch_area hd_area(const cf_tile_grid *g, int32_t row, int32_t column)
{
    const double across = (double)g->picture_w / g->resized_w, down = (double)g->picture_h / g->resized_h;
    const double patch_w = (double)g->tile_w / g->patch_cols, patch_h = (double)g->tile_h / g->patch_rows;
    return (cf_patch_area){.role = CF_PATCH_HD,
                           .x = (column * patch_w - g->left) * across,
                           .y = (row * patch_h - g->top) * down,
                           .dx = patch_w * across,
                           .dy = patch_h * down};
}

cf_status cf_patch_areas(cf_patch_area **out, size_t *n, const cf_tile_grid *g, const cf_preprocess *p,
                         const cf_packing *k, cf_error *err)
{
    const int32_t n_base = g->patch_rows * g->patch_cols, n_hd = g->n_tiles - 1;
    const bool in_rows = k->order != CF_HD_FLAT;
    void *memory = NULL;
    const cf_status st = cf_alloc(&memory, (size_t)g->n_tiles + 1, sizeof(cf_patch_area), "areas of patches", err);
    if (st != CF_OK)
        return st;
    cf_patch_area *areas = memory;
    size_t n_areas = 0;
    areas[n_areas++] = base_area(g, p);
    if (in_rows && g->n_rows > 0 && g->n_cols > 0) {
        cf_patch_area *hd = &areas[n_areas++];
        *hd = hd_area(g, g->first_row, g->first_col);
        hd->at = n_base;
        hd->rows = g->n_rows;
        hd->columns = g->n_cols;
        hd->newline = g->newline;
    }
    for (int32_t tile = 0; !in_rows && tile < n_hd; tile++) {
        cf_patch_area *hd = &areas[n_areas++];
        *hd = hd_area(g, tile / g->tile_cols * g->patch_rows, tile % g->tile_cols * g->patch_cols);
        hd->at = n_base * (tile + 1);
        hd->rows = g->patch_rows;
        hd->columns = g->patch_cols;
    }
    *out = areas;
    *n = n_areas;
    return CF_OK;
}
