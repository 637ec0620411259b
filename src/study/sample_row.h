/* sample_row.h - a sample's row for the store, with the texts it refers to. */
#ifndef CF_STUDY_SAMPLE_ROW_H
#define CF_STUDY_SAMPLE_ROW_H

#include "study/study.h"

typedef struct cf_sample_row {                                             /* zero-initialise */
    cf_sample sample;                                                      /* its texts are those below */
    cf_str id, image, question, answer, true_option, false_option, object; /* of the question */
    cf_str boxes;
    cf_str predicted, first_token, answer_ids, groups, notes, tokens, patches; /* of the answer */
} cf_sample_row;

/* The row as it stands before anything is known but the question; path: of the picture, which the published files name
 * with its ending. */
CF_MUST_USE cf_status cf_sample_row_question(cf_sample_row *row, const cf_question *q, const char *task, int64_t number,
                                             const char *path, cf_error *err);
/* Adds what the baseline pass and the answer gave. */
CF_MUST_USE cf_status cf_sample_row_answer(cf_sample_row *row, const cf_study *s, const cf_study_sample *x,
                                           cf_error *err);
void cf_sample_row_deinit(cf_sample_row *row);

#endif
