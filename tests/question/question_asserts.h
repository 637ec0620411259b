/* question_asserts.h - what the tests of every format say about a row. */
#ifndef CF_TESTS_QUESTION_QUESTION_ASSERTS_H
#define CF_TESTS_QUESTION_QUESTION_ASSERTS_H

/* cmocka wants these before its own header */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "question/question.h"

void assert_slice(cf_slice s, const char *expected);
void assert_box(const cf_object *o, int64_t x, int64_t y, int64_t w, int64_t h);
/* The set that text is, read as the file `path`; ends the test where it is refused. */
cf_question_set *parse_as(const char *path, const char *text);
/* Refused as CF_FORMAT with this message. */
void assert_refused(const char *path, const char *text, const char *message);

#endif
