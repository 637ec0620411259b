/* single_question.h - one question that stands in no file, as a question set: what runs on sets runs on it too. */
#ifndef CF_STUDY_SINGLE_QUESTION_H
#define CF_STUDY_SINGLE_QUESTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

typedef struct cf_single_question { /* texts: NULL where there is none */
    const char *image;              /* the picture's file name, without its folder */
    const char *text;
    const char *answer, *true_option, *false_option;
    const char *object; /* name */
    bool has_box;
    int64_t x, y, w, h; /* of the object, in pixels of the picture */
} cf_single_question;

/* Appends it in the published CSV's form (docs/questions.md); "-" for what there is none of. */
CF_MUST_USE cf_status cf_single_question_print(cf_str *out, const cf_single_question *q, cf_error *err);

#endif
