/* question_list.h - the question sets of a study and the order their questions are taken in. */
#ifndef CF_STUDY_QUESTION_LIST_H
#define CF_STUDY_QUESTION_LIST_H

#include "question/question.h"

typedef struct cf_list_item {
    const cf_question_set *set;
    const cf_question *question;
    int64_t row;
} cf_list_item;

typedef struct cf_question_list { /* zero-initialise */
    cf_question_set **sets;
    size_t n_sets;
    cf_list_item *items; /* questions about one picture stand together, so that the picture is read and its rows
                            computed once; otherwise by set and row */
    size_t n_items;
} cf_question_list;

/* path: one question set, or a folder whose *.csv, *.jsonl and *_questions*.json files are taken in the order of their
 * names. scene_graphs: of the sets in GQA's own format; NULL: those beside each. limit: questions of each set, 0 for
 * all. CF_MISMATCH where two sets would have the same task name, CF_USAGE where scene graphs are given and no set
 * takes them. */
CF_MUST_USE cf_status cf_question_list_open(cf_question_list *out, const char *path, const char *scene_graphs,
                                            int64_t limit, cf_error *err);
/* One set from its text; path gives the format, the task and the name in messages. */
CF_MUST_USE cf_status cf_question_list_parse(cf_question_list *out, const char *text, const char *path, int64_t limit,
                                             cf_error *err);
void cf_question_list_close(cf_question_list *l);

/* *out = path of a question's picture: images/ID, with .jpg, .jpeg or .png appended where ID has no such ending; the
 * first that exists, then a file that is named as ID alone, else the .jpg name. The caller frees. */
CF_MUST_USE cf_status cf_picture_path(char **out, const char *images, cf_slice id, cf_error *err);
/* *out = the picture folder: `images`, or images/ beside the questions. The caller frees. CF_IO where there is no such
 * folder: every question would be a fault. */
CF_MUST_USE cf_status cf_picture_dir(char **out, const char *images, const char *questions, cf_error *err);

#endif
