/* tokens.h - how one prompt is laid out: every position, its token, its groups; and which patches a box touches. */
#ifndef CF_STUDY_TOKENS_H
#define CF_STUDY_TOKENS_H

#include "base/str.h"
#include "image/preprocess.h"
#include "study/runtime.h"

/* Appends a readable listing. runtime needs only its files. Patches are shown as a grid, '#' where a box touches one.
 */
CF_MUST_USE cf_status cf_tokens_text(cf_str *out, const cf_runtime *r, const char *image, cf_slice question,
                                     const cf_box *boxes, int64_t n_boxes, cf_error *err);

#endif
