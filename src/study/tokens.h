/* tokens.h - how one prompt is laid out: every position, its token, its groups; and which patches a box touches. */
#ifndef CF_STUDY_TOKENS_H
#define CF_STUDY_TOKENS_H

#include "base/str.h"
#include "question/question.h"
#include "study/runtime.h"

/* Appends a readable listing: every position, then every named group, then those of the comma-separated list `groups`
 * (may be empty; knockout/group_expr.h has the grammar). runtime needs only its files; of the question, its text, options
 * and objects are taken. Patches are shown as a grid, '#' where a box of the objects touches one. */
CF_MUST_USE cf_status cf_tokens_text(cf_str *out, const cf_runtime *r, const char *image, const cf_question *question,
                                     cf_slice groups, cf_error *err);

#endif
