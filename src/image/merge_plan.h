/* merge_plan.h - what the vision side hands to the decoder: for each row that stands for a picture, in the order of the
 * sequence, what it is made from and what it is. The rows take the place of the prompt's one image token; they replace
 * it, nothing is added to what stood there.
 *
 * A tiling makes the plan from the picture's size (tiling.h), the model gathers the rows by source (cf_picture_embed),
 * groups are made from roles (knockout/group.h). No one else knows in which order a model packs its patches. */
#ifndef CF_IMAGE_MERGE_PLAN_H
#define CF_IMAGE_MERGE_PLAN_H

#include <stdint.h>

/* What a row of the picture is. */
typedef enum cf_patch_role {
    CF_PATCH_BASE,   /* of the base tile: the whole picture, fitted */
    CF_PATCH_HD,     /* of a high-resolution tile */
    CF_PATCH_NEWLINE /* image_newline, after a row of high-resolution patches */
} cf_patch_role;

enum { CF_SOURCE_NEWLINE = -1 }; /* the model's newline embedding */

typedef struct cf_merge_plan {
    int32_t n;           /* rows */
    int32_t *source;     /* [n] patch source % P of tile source / P, with P patches a tile; or CF_SOURCE_NEWLINE */
    cf_patch_role *role; /* [n] */
} cf_merge_plan;

#endif
