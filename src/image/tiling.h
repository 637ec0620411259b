/* tiling.h - a picture as the tiles that the vision tower reads and the positions that their patches take in the
 * prompt: LLaVA-NeXT's best-fit resolution, tiles, unpadding and newlines, and the one tile of the other fits, so
 * that callers have a single path for all of them.
 *
 * The base tile is the whole picture fitted to the square; with CF_FIT_ANYRES the high-resolution (HD) tiles follow,
 * row by row. Source: transformers 5.17.0, LlavaNextImageProcessorPil and LlavaNextModel.pack_image_features; the
 * original LLaVA's process_anyres_image and llava_arch.py where they differ (docs/preprocessing.md). */
#ifndef CF_IMAGE_TILING_H
#define CF_IMAGE_TILING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "image/image.h"
#include "image/merge_plan.h"
#include "image/preprocess.h"

/* In which order the patches of the HD tiles become positions: the original LLaVA's mm_patch_merge_type. */
typedef enum cf_hd_order {
    CF_HD_FLAT,          /* "flat": tile after tile */
    CF_HD_SPATIAL,       /* "spatial": rows across all tiles */
    CF_HD_UNPAD,         /* Hugging Face: rows, without the patches that only padding fills */
    CF_HD_UNPAD_ORIGINAL /* "spatial_unpad": the same with the original's rounding, now and then a row or column less */
} cf_hd_order;

/* How the model packs the patches of the tiles into positions. With CF_FIT_CROP and CF_FIT_PAD only patch_size is read:
 * the positions are the patches of the one tile. (The published "no HD, no pad" is CF_FIT_PAD on an anyres model.) */
typedef struct cf_packing {
    int32_t patch_size; /* positive; need not divide the tile, what is left over is no patch */
    cf_hd_order order;
    bool newline; /* image_newline after every row of HD patches; not with CF_HD_FLAT, which has no rows */
} cf_packing;

/* Where everything lies, from the picture's size alone. Patches are counted in the grid of all HD tiles. */
typedef struct cf_tile_grid {
    int32_t picture_w, picture_h;
    int32_t tile_w, tile_h;         /* pixels: crop_w, crop_h */
    int32_t patch_size;             /* pixels */
    int32_t patch_rows, patch_cols; /* patches of one tile */
    int32_t tile_rows, tile_cols;   /* HD tiles; 0 x 0 but with CF_FIT_ANYRES */
    int32_t resized_w, resized_h;   /* pixels of the picture inside the HD tiles */
    int32_t left, top;              /* padding before it; what is left over lies behind it */
    int32_t first_row, n_rows;      /* the patches kept after unpadding; extreme shapes keep none */
    int32_t first_col, n_cols;
    bool newline;        /* a newline follows each of the rows */
    int32_t n_tiles;     /* base tile included */
    int32_t n_positions; /* newlines included */
} cf_tile_grid;

typedef struct cf_tiling { /* zero-initialise; owns the tiles and the plan's lists */
    cf_tile_grid grid;
    cf_image *tiles; /* [n_tiles] RGB8 of tile_w x tile_h, base tile first; NULL where only positions were asked for */
    /* n_positions rows: the base patches, then the HD patches in their order. P is patch_rows * patch_cols, and a patch of
     * a tile row * patch_cols + column. */
    cf_merge_plan merge;
} cf_tiling;

/* The layout alone, without allocation. CF_FORMAT: a picture without pixels. CF_MISMATCH: CF_FIT_ANYRES without
 * pinpoints. */
CF_MUST_USE cf_status cf_tile_grid_of(cf_tile_grid *out, int32_t width, int32_t height, const cf_preprocess *p,
                                      const cf_packing *k, cf_error *err);

/* Layout and merge plan of a picture of this size, without its tiles: for planning before anything is decoded. */
CF_MUST_USE cf_status cf_tiling_plan(cf_tiling *out, int32_t width, int32_t height, const cf_preprocess *p,
                                     const cf_packing *k, cf_error *err);
/* The same with the tiles. *out is overwritten on success only. */
CF_MUST_USE cf_status cf_tiling_create(cf_tiling *out, const cf_image *picture, const cf_preprocess *p,
                                       const cf_packing *k, cf_error *err);
void cf_tiling_deinit(cf_tiling *t);

/* Where a position's patch stands in the grid of its kind: the base tile's, or that of all HD patches that are kept. */
typedef struct cf_patch_place {
    bool hd;
    int32_t row, column;
} cf_patch_place;

/* Of position i of the picture; false for a newline. */
bool cf_tiling_place(cf_patch_place *out, const cf_tiling *t, int32_t i);

/* pixels[n_tiles, 3, tile_h, tile_w] f32 of a tiling that has its tiles. */
void cf_tiling_values(float *pixels, const cf_tiling *t, const cf_preprocess *p);

/* hit[n_positions] by the rule of cf_preprocess_boxes: the mask with the boxes goes through the very same resize,
 * padding and tiling; base and HD positions alike, newlines never. t may be without tiles; p made it. */
CF_MUST_USE cf_status cf_tiling_boxes(bool *hit, const cf_tiling *t, const cf_box *boxes, int64_t n_boxes,
                                      const cf_preprocess *p, cf_error *err);

#endif
