/* image_internal.h - what the files of image/ share and nobody else sees. */
#ifndef CF_IMAGE_IMAGE_INTERNAL_H
#define CF_IMAGE_IMAGE_INTERNAL_H

#include "image/image.h"
#include "image/tiling.h"

/* A rectangle of pixels; may lie in a picture that is never computed whole, hence the width of its fields. */
typedef struct cf_window {
    int64_t x, y;
    int32_t width, height;
} cf_window;

/* cf_image_create with the picture's name in the message. */
CF_MUST_USE cf_status cf_image_create_named(cf_image *out, int64_t width, int64_t height, const char *name,
                                            cf_error *err);

/* One format each; *out is an empty picture and stays so on failure. */
CF_MUST_USE cf_status cf_jpeg_decode(cf_image *out, const unsigned char *data, size_t n, const char *name,
                                     cf_error *err);
CF_MUST_USE cf_status cf_png_decode(cf_image *out, const unsigned char *data, size_t n, const char *name,
                                    cf_error *err);

/* Computes only `window` of the picture that `in` becomes when it is resized to width x height, and stores it in
 * `out` with its first pixel at (at_x, at_y). The window lies inside the resized picture and fits in `out`. The bytes
 * are those that resizing all of it and then cropping gives. */
CF_MUST_USE cf_status cf_image_resize_window(cf_image *out, int32_t at_x, int32_t at_y, const cf_image *in,
                                             int64_t width, int64_t height, cf_window window, cf_error *err);

/* *out = the picture centred in the smallest square that holds it, the rest filled with rgb. */
CF_MUST_USE cf_status cf_image_pad_square(cf_image *out, const cf_image *in, const uint8_t rgb[3], cf_error *err);

/* Where the first pixel of the fitted picture lies in the original, and how much of it each pixel is. */
typedef struct cf_placement {
    double x, y, dx, dy;
} cf_placement;
cf_placement cf_preprocess_placement(int32_t picture_w, int32_t picture_h, const cf_preprocess *p);

/* *out = one tile of the picture, 0 the base tile; tile_w x tile_h, overwritten on success only. */
CF_MUST_USE cf_status cf_tile_make(cf_image *out, const cf_image *picture, const cf_tile_grid *g, int32_t tile,
                                   const cf_preprocess *p, cf_error *err);

#endif
