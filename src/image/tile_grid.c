/* tile_grid.c - where the tiles of a picture and their patches lie: arithmetic on sizes, no pixel.
 *
 * Source: transformers 5.17.0, select_best_resolution, get_patch_output_size, LlavaNextImageProcessorPil
 * ._get_padding_size, get_anyres_image_grid_shape and unpad_image. Their divisions are floating point, and which way a
 * product falls next to a whole number shows in the result: every expression here keeps the order of theirs. */
#include <assert.h>
#include <math.h>

#include "image/tiling.h"

static double least(double a, double b)
{
    return b < a ? b : a;
}

/* The pinpoint that keeps most of the picture's pixels, of those the one that wastes least, of those the first. A
 * picture that shrinks to nothing everywhere keeps 0 pixels of each, and is given the smallest. */
static cf_pinpoint best_fit(const cf_preprocess *p, int32_t width, int32_t height)
{
    const int64_t all = (int64_t)width * height;
    int64_t most_kept = 0, least_wasted = INT64_MAX;
    cf_pinpoint best = {0};
    for (int32_t i = 0; i < p->n_pinpoints; i++) {
        const cf_pinpoint at = p->pinpoints[i];
        const double scale = least((double)at.width / width, (double)at.height / height);
        const int64_t scaled = (int64_t)(width * scale) * (int64_t)(height * scale);
        const int64_t kept = scaled < all ? scaled : all;
        const int64_t wasted = (int64_t)at.width * at.height - kept;
        if (kept > most_kept || (kept == most_kept && wasted < least_wasted)) {
            most_kept = kept;
            least_wasted = wasted;
            best = at;
        }
    }
    return best;
}

/* The picture inside the pinpoint: one side fills it, the other is centred. */
static void place_picture(cf_tile_grid *g, cf_pinpoint to)
{
    const double across = (double)to.width / g->picture_w, down = (double)to.height / g->picture_h;
    g->resized_w = to.width;
    g->resized_h = to.height;
    if (across < down)
        g->resized_h = (int32_t)least(ceil(g->picture_h * across), to.height);
    else
        g->resized_w = (int32_t)least(ceil(g->picture_w * down), to.width);
    g->left = (to.width - g->resized_w) / 2;
    g->top = (to.height - g->resized_h) / 2;
}

/* Patches of `total` that are cut away at either end when `length` of the picture was scaled like `other_length`, which
 * fills other_total. int(round(x, 7)) is what transformers takes of the product, int(x) the original LLaVA. */
static int32_t padding(int32_t total, int32_t length, int32_t other_total, int32_t other_length, cf_hd_order order)
{
    const double scale = (double)other_total / other_length, scaled = length * scale, whole = floor(scaled);
    const bool rounds_up = order == CF_HD_UNPAD && 1.0 - (scaled - whole) < 5e-8; /* both differences are exact */
    return (total - ((int32_t)whole + rounds_up)) / 2;
}

static void unpad(cf_tile_grid *g, cf_hd_order order)
{
    const double picture_aspect = (double)g->picture_w / g->picture_h, grid_aspect = (double)g->n_cols / g->n_rows;
    if (picture_aspect > grid_aspect) {
        g->first_row = padding(g->n_rows, g->picture_h, g->n_cols, g->picture_w, order);
        g->n_rows -= 2 * g->first_row;
    } else {
        g->first_col = padding(g->n_cols, g->picture_w, g->n_rows, g->picture_h, order);
        g->n_cols -= 2 * g->first_col;
    }
}

static void place_hd(cf_tile_grid *g, const cf_preprocess *p, const cf_packing *k)
{
    const cf_pinpoint to = best_fit(p, g->picture_w, g->picture_h);
    g->tile_rows = to.height / g->tile_h;
    g->tile_cols = to.width / g->tile_w;
    place_picture(g, to);
    g->n_rows = g->tile_rows * g->patch_rows;
    g->n_cols = g->tile_cols * g->patch_cols;
    if (g->n_rows && (k->order == CF_HD_UNPAD || k->order == CF_HD_UNPAD_ORIGINAL))
        unpad(g, k->order);
    g->newline = k->newline && k->order != CF_HD_FLAT;
    g->n_tiles += g->tile_rows * g->tile_cols;
    g->n_positions += g->n_rows * (g->n_cols + g->newline);
}

cf_status cf_tile_grid_of(cf_tile_grid *out, int32_t width, int32_t height, const cf_preprocess *p, const cf_packing *k,
                          cf_error *err)
{
    assert(k->patch_size > 0);
    if (width < 1 || height < 1)
        return cf_fail(err, CF_FORMAT, "a picture of %d x %d pixels has no pixel", width, height);
    if (p->fit == CF_FIT_ANYRES && p->n_pinpoints == 0)
        return cf_fail(err, CF_MISMATCH,
                       "high-resolution tiles need image_grid_pinpoints, the model's configuration has none");
    cf_tile_grid g = {.picture_w = width,
                      .picture_h = height,
                      .tile_w = p->crop_w,
                      .tile_h = p->crop_h,
                      .patch_size = k->patch_size,
                      .patch_rows = p->crop_h / k->patch_size,
                      .patch_cols = p->crop_w / k->patch_size,
                      .n_tiles = 1};
    g.n_positions = g.patch_rows * g.patch_cols;
    if (p->fit == CF_FIT_ANYRES)
        place_hd(&g, p, k);
    *out = g;
    return CF_OK;
}
