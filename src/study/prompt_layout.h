/* prompt_layout.h - where the parts of one prompt are: question, options, object's name, instruction, role words. */
#ifndef CF_STUDY_PROMPT_LAYOUT_H
#define CF_STUDY_PROMPT_LAYOUT_H

#include "knockout/group.h"
#include "question/question.h"
#include "study/runtime.h"

typedef struct cf_prompt_parts { /* zero-initialise; positions, empty spans where there is no such text */
    cf_span image, question, true_option, false_option, noun, instruction;
    cf_spans role_words;
} cf_prompt_parts;

void cf_prompt_parts_deinit(cf_prompt_parts *p);

/* Finds them by the published rule (cf_text_find): among the tokens after the picture; role words also before it, but
 * not in the question; the instruction only after the question. A question that does not occur is CF_MISMATCH; an option
 * or a name that does not, or that occurs more than once, is a line appended to *notes. */
CF_MUST_USE cf_status cf_prompt_parts_find(cf_prompt_parts *out, cf_str *notes, const cf_runtime *r,
                                           const cf_prompt *prompt, int32_t n_image, const cf_question *q,
                                           cf_error *err);

#endif
