/* answer_tokens.h - which tokens a sample's answers are scored by. */
#ifndef CF_STUDY_ANSWER_TOKENS_H
#define CF_STUDY_ANSWER_TOKENS_H

#include "question/question.h"
#include "study/runtime.h"

/* *out = the first token of encode(word, no specials), -1 for an empty word or one without a token. */
CF_MUST_USE cf_status cf_first_token(int32_t *out, const cf_runtime *r, cf_slice word, cf_error *err);
/* Appends the word as the published lens writes it: lower (upper false), or the first letter upper and the rest lower.
 * Letters beyond ASCII stay as they are. */
CF_MUST_USE cf_status cf_word_cased(cf_str *out, cf_slice word, bool upper, cf_error *err);
/* The first token of a word of the data set as the model would write it: capitalised where the model's own answer begins
 * with an upper-case letter (ASCII), else as the data set has it. */
CF_MUST_USE cf_status cf_first_token_like(int32_t *out, const cf_runtime *r, cf_slice word, cf_slice answer,
                                          cf_error *err);
/* Whether the model's answer, lower-cased, is the data set's. Letters beyond ASCII are compared as they are. */
bool cf_answer_is(cf_slice answer, cf_slice expected);
/* Ids without the end token that may close them; the first one stays. */
int32_t cf_answer_length(const cf_runtime *r, const int32_t *ids, int32_t n);

#endif
