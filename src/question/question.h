/* question.h - question sets: rows of question, answer, options, objects and boxes, from three formats told apart by
 * the file's ending: GQA's own questions (.json), one object a line (.jsonl), and the published CSV (anything else).
 * docs/questions.md describes them field by field. */
#ifndef CF_QUESTION_QUESTION_H
#define CF_QUESTION_QUESTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/str.h"

enum { CF_MAX_OBJECTS = 64 }; /* of one question; more are a fault of the row */

typedef struct cf_object {
    cf_slice name;
    int64_t x, y, w, h; /* pixels of the original picture */
    bool has_box;
} cf_object;

typedef struct cf_question { /* slices and objects belong to the set */
    cf_slice id, image, text, answer;
    cf_slice true_option, false_option; /* empty where the task has none */
    const cf_object *objects;           /* [n_objects], in the file's order */
    int32_t n_objects;                  /* at most CF_MAX_OBJECTS; the last has a name or a box */
    int64_t image_w, image_h;           /* as the file states them; 0 where it does not */
    cf_slice fault; /* why this row cannot be used (a number that is none, ...); empty for a good row */
} cf_question;

typedef struct cf_question_set cf_question_set;

/* A file whose shape is wrong (a missing column or field, a line that is not JSON, no rows, ...) is CF_FORMAT, with
 * the place; a row whose values are wrong is kept with its fault. For a .json file the scene graphs are looked for
 * beside it: FIRST_sceneGraphs.json, where FIRST is the first '_' word of its name. */
CF_MUST_USE cf_status cf_question_set_open(cf_question_set **out, const char *path, cf_error *err);
/* A .json file with its scene graphs named; NULL as cf_question_set_open. CF_USAGE where a scene graph file is given
 * for another format. */
CF_MUST_USE cf_status cf_question_set_open_gqa(cf_question_set **out, const char *path, const char *scene_graphs,
                                               cf_error *err);
/* From memory; path gives the format, the task and the name in messages. A .json text has no scene graphs here. */
CF_MUST_USE cf_status cf_question_set_parse(cf_question_set **out, cf_slice text, const char *path, cf_error *err);
CF_MUST_USE cf_status cf_question_set_parse_gqa(cf_question_set **out, cf_slice text, const char *path,
                                                cf_slice scene_text, const char *scene_path, cf_error *err);
void cf_question_set_free(cf_question_set *s);

/* Whether a path ends as GQA's own questions do. */
bool cf_question_is_gqa(const char *path);

const char *cf_question_set_path(const cf_question_set *s);
const char *cf_question_set_task(const cf_question_set *s); /* last '_' word of the file name: "ChooseAttr" */
/* What the user should know of the whole set (its questions have no boxes for want of scene graphs); "" where there is
 * nothing. */
const char *cf_question_set_note(const cf_question_set *s);
size_t cf_question_set_size(const cf_question_set *s);
const cf_question *cf_question_set_row(const cf_question_set *s, size_t i);
/* Of the file's bytes, and of the scene graphs' after them where there are any: both decide the boxes. */
void cf_question_set_hash(char out[CF_HASH_HEX_BYTES], const cf_question_set *s);

#endif
