/* prepare.h - one question and its picture, made into what the engine takes: pixels, prompt, position groups. */
#ifndef CF_STUDY_PREPARE_H
#define CF_STUDY_PREPARE_H

#include "engine/session.h"
#include "knockout/group_expr.h"
#include "question/question.h"
#include "study/runtime.h"

/* The last picture prepared: questions about one picture come together. Zero-initialise. */
typedef struct cf_picture {
    char *path;
    int32_t width, height;
    cf_tiling tiling;
    float *pixels; /* [n_tiles, 3, S, S] */
    uint64_t name; /* changes with the path; never 0 once filled */
} cf_picture;

typedef struct cf_prepared { /* zero-initialise; deinit before reuse */
    cf_prompt prompt;
    cf_input input; /* borrows from prompt and picture */
    cf_groups groups;
    bool *hit;              /* [positions of the picture], or NULL where no box was given */
    int32_t grid_h, grid_w; /* patches of a tile */
    cf_span image;          /* positions of the picture */
    cf_str notes;           /* lines: what was found twice or not at all */
} cf_prepared;

/* Loads and fits a picture, unless it is the one already held. */
CF_MUST_USE cf_status cf_picture_load(cf_picture *p, const cf_runtime *r, const char *path, cf_error *err);
void cf_picture_deinit(cf_picture *p);

/* Takes the question's text, options, and objects; without a box the object groups are empty. Any failure but CF_NOMEM is
 * a fault of this question: its boxes, its text. */
CF_MUST_USE cf_status cf_prepare(cf_prepared *out, const cf_runtime *r, const cf_picture *picture, const cf_question *q,
                                 cf_error *err);
/* A question of a set: its picture from path, its boxes, its prompt. Any failure but CF_NOMEM is a fault of this
 * question; a picture of another size than the file states is one. */
CF_MUST_USE cf_status cf_prepare_question(cf_prepared *out, cf_picture *picture, const cf_runtime *r,
                                          const cf_question *q, const char *path, cf_error *err);
void cf_prepared_deinit(cf_prepared *p);
/* The sample as the terms of a group see it; borrows from all three. */
cf_scene cf_prepared_scene(const cf_prepared *p, const cf_runtime *r, const cf_picture *picture);

/* The greedy answer as text: decoded without special tokens, stripped. Appended to *out. */
CF_MUST_USE cf_status cf_answer_text(cf_str *out, const cf_runtime *r, const int32_t *ids, int32_t n, cf_error *err);

#endif
