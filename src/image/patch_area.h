/* patch_area.h - where the positions of a picture lie in it: the way back from patches to pixels, for showing. */
#ifndef CF_IMAGE_PATCH_AREA_H
#define CF_IMAGE_PATCH_AREA_H

#include "image/tiling.h"

/* Patches in rows. Patch (row, column) is the position at + row * (columns + newline) + column of the picture and
 * covers, in pixels of the original, from (x + column * dx, y + row * dy) on a rectangle of dx times dy. It may reach
 * over the picture's border (padding), and the areas need not cover all of it (a crop). */
typedef struct cf_patch_area {
    cf_patch_role role; /* CF_PATCH_BASE or CF_PATCH_HD */
    int32_t at;
    int32_t rows, columns;
    bool newline; /* a newline's position follows each row */
    double x, y, dx, dy;
} cf_patch_area;

/* The areas of a picture in the order of its positions: the base tile, then the high-resolution tiles as one area, or as
 * one each where tile follows tile. p and k made the grid. The caller frees *out. */
CF_MUST_USE cf_status cf_patch_areas(cf_patch_area **out, size_t *n, const cf_tile_grid *g, const cf_preprocess *p,
                                     const cf_packing *k, cf_error *err);

#endif
