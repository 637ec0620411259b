/* question.h - question sets: rows of question, answer, options, objects and boxes. */
#ifndef CF_QUESTION_QUESTION_H
#define CF_QUESTION_QUESTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/str.h"

enum { CF_MAX_OBJECTS = 2 };

typedef struct cf_object {
    cf_slice name;
    int64_t x, y, w, h; /* pixels of the original picture */
    bool has_box;
} cf_object;

typedef struct cf_question { /* slices belong to the set */
    cf_slice id, image, text, answer;
    cf_slice true_option, false_option; /* empty where the task has none */
    cf_object objects[CF_MAX_OBJECTS];  /* "central object", or "object1", "object2" ('-' where absent) */
    int32_t n_objects;                  /* one past the last with a name or a box */
    int64_t image_w, image_h;           /* as the file states them; 0 where it does not */
    cf_slice fault; /* why this row cannot be used (a number that is none, ...); empty for a good row */
} cf_question;

typedef struct cf_question_set cf_question_set;

/* Reads a CSV as published (RFC 4180 quoting: embedded commas, quotes, newlines; CRLF or LF; a UTF-8 byte-order mark is skipped). Needed columns: question_id, img_id,
 * question, answer, and either `central object x|y|w|h` or `object1 x|y|w|h` (object2 optional); others are ignored, order is free. A missing column, an
 * empty file and a file without rows are errors that name the file and the column; a short or long row is CF_FORMAT with its line. */
CF_MUST_USE cf_status cf_question_set_open(cf_question_set **out, const char *path, cf_error *err);
CF_MUST_USE cf_status cf_question_set_parse(cf_question_set **out, cf_slice text, const char *path, cf_error *err);
void cf_question_set_free(cf_question_set *s);

const char *cf_question_set_path(const cf_question_set *s);
const char *cf_question_set_task(const cf_question_set *s); /* last '_' word of the file name: "ChooseAttr" */
size_t cf_question_set_size(const cf_question_set *s);
const cf_question *cf_question_set_row(const cf_question_set *s, size_t i);
void cf_question_set_hash(char out[CF_HASH_HEX_BYTES], const cf_question_set *s); /* of the file's bytes */

#endif
