/* ask.h - one question about one picture: the greedy answer and what else the model considered. */
#ifndef CF_STUDY_ASK_H
#define CF_STUDY_ASK_H

#include "base/str.h"
#include "study/runtime.h"

enum { CF_ASK_TOP = 5 };

typedef struct cf_answer { /* zero-initialise */
    cf_str text;           /* stripped */
    int32_t n_tokens;      /* generated, the end token included */
    double probability;    /* of the first generated token */
    int32_t top_ids[CF_ASK_TOP];
    cf_str top_text[CF_ASK_TOP]; /* stored form */
    double top_probability[CF_ASK_TOP];
    int32_t length; /* positions of the prompt */
} cf_answer;

CF_MUST_USE cf_status cf_ask(cf_answer *out, const cf_runtime *r, const char *image, cf_slice question,
                             int32_t max_new_tokens, cf_error *err);
void cf_answer_deinit(cf_answer *a);

#endif
