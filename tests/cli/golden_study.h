/* golden_study.h - studies of the questions in a golden of flows (docs/goldens.md), and what the program exports of
 * them as JSON Lines. */
#ifndef CF_TESTS_GOLDEN_STUDY_H
#define CF_TESTS_GOLDEN_STUDY_H

#define GOLDEN_FLOWS_DEMO "tests/engine/golden/flows_demo.json"
#define GOLDEN_FLOWS_BITES "tests/engine/golden/flows_bites.json"

#include "base/json.h"
#include "cli_fixture.h"
#include "text/tokenizer.h"

typedef struct golden_study {
    cf_json *golden;
    cf_tokenizer *tokenizer; /* of the model */
    char *questions;         /* folder: the rows of the golden where they stand in the demo's sets; before and between
                                them rows without a picture, which are faults */
    int n_samples;           /* of the golden that are in the questions */
    cf_json **lines;         /* [n_lines] exported, a sample each; faults are left out */
    size_t n_lines;
} golden_study;

/* Only rows below `rows` of each set. golden: the model's, a file. */
void golden_study_open(golden_study *g, const fixture *f, const char *model, const char *golden, int64_t rows);
void golden_study_close(golden_study *g);
/* Exports a study and takes its lines. */
void golden_study_read(golden_study *g, fixture *f, const char *study);
/* The sample that a line is about. */
const cf_json *golden_sample(const golden_study *g, const cf_json *line);

const char *text_of(const cf_json *object, const char *name); /* ends the test where there is none */
double number_of(const cf_json *object, const char *name);    /* NaN where there is none */
const cf_json *element_of(const cf_json *list, int64_t at);   /* NULL where there is none */

#endif
