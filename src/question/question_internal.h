/* question_internal.h - how the readers of the three formats fill a question set: row after row, through one draft. */
#ifndef CF_QUESTION_QUESTION_INTERNAL_H
#define CF_QUESTION_QUESTION_INTERNAL_H

#include "question/arena.h"
#include "question/question.h"

struct cf_question_set {
    char *path, *task;
    char *text;     /* a CSV's bytes, its quoted cells unescaped in place; NULL for the JSON formats */
    cf_arena arena; /* everything else the rows point to */
    cf_str note;
    cf_question *rows;
    size_t n, cap;
    char hash[CF_HASH_HEX_BYTES];
};

/* The row being read. Zero-initialise; reused from row to row. */
typedef struct cf_draft {
    cf_question question; /* but for its objects and its fault */
    cf_object objects[CF_MAX_OBJECTS];
    int32_t n_objects;
    cf_str fault; /* the first reason */
} cf_draft;

void cf_draft_begin(cf_draft *d);
CF_MUST_USE cf_status cf_draft_add_object(cf_draft *d, const cf_object *o, const char *field, cf_error *err);
CF_MUST_USE cf_status cf_draft_end(cf_question_set *s, const cf_draft *d, cf_error *err);
void cf_draft_deinit(cf_draft *d);

/* Boxes are added and scaled by others: bounded here, so that no sum of a few of them can overflow. */
#define CF_MAX_PIXELS ((int64_t)INT32_MAX)

/* Records in *fault why a row cannot be used; the first reason stays. */
CF_MUST_USE cf_status cf_fault(cf_str *fault, const char *field, const char *expected, cf_slice found, cf_error *err);
/* *out = v where it is a number from min to CF_MAX_PIXELS; else a fault. `found` is v as the file has it. */
CF_MUST_USE cf_status cf_fault_pixels(int64_t *out, cf_str *fault, const char *field, bool whole, int64_t v,
                                      int64_t min, cf_slice found, cf_error *err);

/* The readers. Each fills a set that has its path, and leaves it for cf_question_set_free on failure. */
CF_MUST_USE cf_status cf_read_csv(cf_question_set *s, size_t n_bytes, cf_error *err); /* of s->text */
CF_MUST_USE cf_status cf_read_jsonl(cf_question_set *s, cf_slice text, cf_error *err);
/* scene_path NULL: without scene graphs. */
CF_MUST_USE cf_status cf_read_gqa(cf_question_set *s, cf_slice text, cf_slice scene_text, const char *scene_path,
                                  cf_error *err);

#endif
