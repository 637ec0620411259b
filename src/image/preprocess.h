/* preprocess.h - RGB8 to the pixel_values of CLIPImageProcessor (Pillow backend), and boxes to the patches they
 * touch.
 *
 * Bit-exact throughout (docs/preprocessing.md): Pillow's antialiased bicubic resize with its fixed-point
 * coefficients, then (x * rescale - mean) / std with the roundings of transformers' numpy code. */
#ifndef CF_IMAGE_PREPROCESS_H
#define CF_IMAGE_PREPROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "image/image.h"

typedef enum cf_image_fit {
    CF_FIT_CROP,  /* short side to the crop size, centre crop: Hugging Face LLaVA-1.5 */
    CF_FIT_PAD,   /* pad to a square with the mean colour (LLaVA's expand2square), then resize: original LLaVA-1.5 */
    CF_FIT_ANYRES /* the whole picture squeezed into a square as base tile; HD tiles at the pinpoint that suits it best
                     (image/tiling.h): LLaVA-NeXT */
} cf_image_fit;

/* A resolution that HD tiles may fill, in pixels; a multiple of the tile both ways. */
typedef struct cf_pinpoint {
    int32_t height, width;
} cf_pinpoint;

enum { CF_MAX_PINPOINTS = 64 };

typedef struct cf_preprocess {
    cf_image_fit fit;
    int32_t shortest_edge;  /* size.shortest_edge; 0 where size gives height and width */
    int32_t size_h, size_w; /* size.height, size.width; 0 where shortest_edge is given */
    int32_t crop_h, crop_w; /* crop_size; the shape of pixel_values */
    bool do_resize, do_center_crop, do_rescale, do_normalize;
    int32_t resample; /* PIL filter number; 3 = bicubic, the only one supported */
    double rescale_factor;
    double mean[3], std[3];
    int32_t n_pinpoints;                     /* 0 until a configuration gives them */
    cf_pinpoint pinpoints[CF_MAX_PINPOINTS]; /* in the configuration's order: the first of equals is chosen */
} cf_preprocess;

/* From preprocessor_config.json (transformers 4 and 5), or processor_config.json with an "image_processor" member;
 * sizes may be numbers or objects, as both exist in published folders. `where` names the file in messages. fit is
 * ANYRES for a LlavaNextImageProcessor, PAD where a LlavaImageProcessor has do_pad, else CROP; the caller may change
 * it. Without do_center_crop, crop_h and
 * crop_w are set to what the resize gives, which must be the same for every picture. CF_UNSUPPORTED names a
 * processor, filter or size rule that is not implemented, CF_FORMAT a value of the wrong kind. */
CF_MUST_USE cf_status cf_preprocess_parse(cf_preprocess *out, const cf_json *json, const char *where, cf_error *err);

/* CLIP's own rules for pictures of size x size (openai/clip-vit-large-patch14-336, preprocessor_config.json): what original
 * LLaVA checkpoints use, whose folders do not say so. */
cf_preprocess cf_preprocess_clip(int32_t size);

/* Replaces the pinpoints and leaves fit alone: for an original LLaVA folder, whose config.json has them. Their order
 * decides between equals, and there it is of (width, height) pairs. `where` names their source in messages.
 * CF_FORMAT: a pinpoint that is no multiple of the tile, or too large a one; CF_UNSUPPORTED: none, more than
 * CF_MAX_PINPOINTS, or a tile that is not square. */
CF_MUST_USE cf_status cf_preprocess_set_pinpoints(cf_preprocess *p, const cf_pinpoint *pinpoints, int64_t n,
                                                  const char *where, cf_error *err);

/* Antialiased bicubic (Keys a = -0.5, support scaled when shrinking), both passes, rounding as Pillow. */
CF_MUST_USE cf_status cf_image_resize(cf_image *out, const cf_image *in, int32_t width, int32_t height, cf_error *err);

/* The geometry half: resize, crop or pad; out is crop_w x crop_h RGB8 and overwritten on success only. Only the crop
 * is ever resized, however long the picture. With CF_FIT_ANYRES this is the base tile. */
CF_MUST_USE cf_status cf_preprocess_fit(cf_image *out, const cf_image *in, const cf_preprocess *p, cf_error *err);

/* The arithmetic half: pixels[3, crop_h, crop_w] f32 from a fitted picture. */
void cf_preprocess_values(float *pixels, const cf_image *fitted, const cf_preprocess *p);

/* In pixels of the original picture; x + w and y + h are inside the box, as PIL draws a rectangle. */
typedef struct cf_box {
    int64_t x, y, w, h;
} cf_box;

/* hit[(crop_h / patch) * (crop_w / patch)], row-major: true where a patch keeps at least one pixel of the pure box
 * colour after the boxes, drawn as filled rectangles on a mask of the picture's size (red on green), have gone
 * through fit. Drawing clips at the border; a box that does not meet the picture at all, or has a negative extent, is
 * CF_MISMATCH and named by its index. No box gives no hit. patch_size is positive; it need not divide the crop, what
 * is left over belongs to no patch. */
CF_MUST_USE cf_status cf_preprocess_boxes(bool *hit, int32_t width, int32_t height, const cf_box *boxes,
                                          int64_t n_boxes, int32_t patch_size, const cf_preprocess *p, cf_error *err);

#endif
