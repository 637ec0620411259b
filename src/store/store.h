/* store.h - the study file: one SQLite database that holds everything a study measured, and what it was made from.
 *
 * Tables (schema in store/schema.c): study (key, value, part of the identity or not), sample (one row a question),
 * spec (what is done), run (a spec in some layers), baseline (a measure of a sample with nothing done), value (a measure
 * of one run on one sample), answer (what the model says in a run), lens (what each layer would say), statistic (what
 * the values of a curve's point say over a task). Everything else (CSV, tables, figures) is a view of these. A sample
 * with all its values is written in one transaction: it is there whole or not at all, after a kill at any moment. One
 * writer; readers may look at any time. Only this folder knows SQL. */
#ifndef CF_STORE_STORE_H
#define CF_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"
#include "store/statistics.h"

typedef struct cf_store cf_store;

/* One fact about the study. Identity facts decide every number (checkpoint hash, dtype, prompt, flows, ...): a study
 * is continued only where all of them are equal. The others are provenance (version, threads, device line, command):
 * the last writer's are kept. */
typedef struct cf_fact {
    const char *key, *value;
    bool identity;
} cf_fact;

/* Creates the study file, or opens it to continue. An existing study with another identity is refused (CF_MISMATCH):
 * "PATH: made with KEY a, now b". CF_FORMAT for a file that is not a study or has another schema version; CF_IO where
 * it cannot be written. A file that is created and then not used (close without a sample) is left as a valid empty
 * study. */
CF_MUST_USE cf_status cf_store_create(cf_store **out, const char *path, const cf_fact *facts, size_t n_facts,
                                      cf_error *err);
/* Opens an existing study read-only. */
CF_MUST_USE cf_status cf_store_open(cf_store **out, const char *path, cf_error *err);
void cf_store_close(cf_store *s);
const char *cf_store_path(const cf_store *s);
/* The database library built with, for provenance: "SQLite 3.40.1". */
const char *cf_store_library(void);
/* The value of a fact, appended to *out; *found false where there is none. */
CF_MUST_USE cf_status cf_store_fact(cf_store *s, const char *key, cf_str *out, bool *found, cf_error *err);

/* ---- writing ---- */

/* Writes provenance that is known only after work was done; identity facts among them are passed over. */
CF_MUST_USE cf_status cf_store_renew_facts(cf_store *s, const cf_fact *facts, size_t n, cf_error *err);

/* A run as every sample shares it: which spec, in which layers. Registering the same run twice gives the same id. */
typedef struct cf_store_run {
    const char *spec;   /* canonical text, modes and heads included: "random: Image->Question#0+2" */
    const char *mode;   /* "cut", "keep", "random", "zero attention", "zero mlp" */
    const char *heads;  /* "all", a set ("0+2"), or "mixed": for queries, the text has them too */
    int64_t seed;       /* of random modes; 0 */
    int32_t repeat;     /* of random modes, from 0; 0 */
    const char *style;  /* of the window: "centre", "below", "above", "outside", "fixed" */
    int32_t window;     /* k; 0 where the style has none */
    int32_t centre;     /* layer; 0 where there is none */
    const char *layers; /* of the window: "3:6", "0:2+5:12", "" */
} cf_store_run;
CF_MUST_USE cf_status cf_store_add_run(cf_store *s, int64_t *id, const cf_store_run *run, cf_error *err);
/* The same of n runs in one transaction: all of them or none. */
CF_MUST_USE cf_status cf_store_add_runs(cf_store *s, int64_t *ids, const cf_store_run *runs, size_t n, cf_error *err);

typedef enum cf_sample_status {
    CF_SAMPLE_DONE,  /* traced */
    CF_SAMPLE_WRONG, /* answered, but left out by --keep: no run values */
    CF_SAMPLE_FAULT  /* a fault of this row; reason says which */
} cf_sample_status;
const char *cf_sample_status_name(cf_sample_status s); /* "done", "wrong", "fault" */

typedef struct cf_sample {
    const char *task; /* "ChooseAttr" */
    int64_t row;      /* zero-based row in its question file; (task, row) is unique */
    const char *question_id, *image, *question, *answer; /* as the question file has them */
    const char *true_option, *false_option;              /* "" where the task has none */
    const char *object;                                  /* names of the row's objects, as the question file has them */
    cf_sample_status status;
    const char *reason;    /* "" unless fault */
    const char *predicted; /* greedy answer, decoded, stripped; "" where a fault came before it */
    int32_t first_token;   /* its first token id */
    const char *first_token_text;
    double probability;     /* p1 */
    int32_t n_tokens;       /* prompt length T */
    const char *answer_ids; /* JSON: token ids of the scored answer, "[412,7]"; "[]" where a fault came before it */
    int32_t true_token;     /* first token of the data set's answer, as the model would write it; -1 */
    const char *groups;     /* JSON: {"Image":[[4,148]],"Question":[[150,157]],...}; spans of positions */
    const char *notes; /* lines: what a reader should know of this sample ("True Option \"left\" occurs 2 times"); "" */
    int32_t grid_h, grid_w; /* patches */
    int32_t picture_w, picture_h, fitted_w, fitted_h;
    /* JSON lists, "[]" where a fault came before them. tokens: texts of the prompt's tokens, one null for all positions of
     * the picture, ["<s>",null,"\xe2\x96\x81Is"]. boxes: of the question's objects in pixels of the picture,
     * [{"name":"circle","x":247,"y":137,"w":82,"h":82}]. patches: where the picture's positions lie in it,
     * [{"kind":"base","at":4,"rows":12,"columns":12,"newline":0,"x":0,"y":0,"dx":14,"dy":14}], a cf_patch_area each with
     * `at` as a position of the prompt. */
    const char *tokens, *boxes, *patches;
} cf_sample;

typedef enum cf_value_flag {
    CF_VALUE_OK,
    CF_VALUE_EMPTY_GROUP, /* a group of the run has no position: where it is the only one, value is the baseline's */
    CF_VALUE_NO_VISIBLE_EDGE, /* nothing visible is cut: value is the baseline's */
    CF_VALUE_FULLY_CUT,       /* a query would see no key: value is NULL (NaN in memory) */
    CF_VALUE_TOO_FEW_KEYS     /* a random control that cannot be drawn: value is NULL */
} cf_value_flag;
const char *cf_value_flag_name(cf_value_flag f); /* "", "empty_group", "no_visible_edge", "fully_cut", "too_few_keys" */

/* What is measured. How a value is compared with the baseline's is part of the measure. */
typedef enum cf_measure {
    CF_MEASURE_PROBABILITY, /* "probability": of the first token of the baseline's answer. Change: 100 (p2 - p1) / p1 */
    CF_MEASURE_TRUE,        /* "true": of the first token of the data set's answer. Likewise */
    CF_MEASURE_WHOLE,       /* "whole": joint, of all tokens of the scored answer. Likewise */
    CF_MEASURE_DIFFERENCE,  /* "difference": logit of the true option less that of the false one. Change: v2 - v1 */
    CF_MEASURE_RANK,        /* "rank": of the answer's first token, 1 the most probable. Change: v2 - v1 */
    CF_MEASURE_FLIP,        /* "flip": 1 where greedy decoding would leave the scored answer, else 0. Change: 100 v2 */
    CF_MEASURE_TOP,         /* "top": id of the most probable token. No change, no curve */
    CF_N_MEASURES
} cf_measure;
const char *cf_measure_name(cf_measure m);
bool cf_measure_find(cf_measure *out, cf_slice name);
/* What a curve of it shows: "change of the answer's probability (%)", ... NULL where there is no curve. */
const char *cf_measure_label(cf_measure m);
/* NaN where either is, where a relative change has no baseline above 0, and for a measure without a change. */
double cf_measure_change(cf_measure m, double baseline, double value);

typedef struct cf_value {
    int64_t run;
    cf_measure measure;
    double value;
    cf_value_flag flag;
} cf_value;

typedef struct cf_baseline { /* of every measure but probability, which is the sample's */
    cf_measure measure;
    double value;
} cf_baseline;

typedef struct cf_run_answer { /* greedy, freely generated in the run */
    int64_t run;
    const char *text;
} cf_run_answer;

enum { CF_NO_RUN = 0 }; /* in a lens entry: nothing is cut. Run ids begin at 1 */

/* One entry of the logit lens: the softmax of one hidden state's product with the output embedding. */
typedef struct cf_lens_entry {
    int64_t run;                 /* CF_NO_RUN: the baseline */
    int32_t position;            /* of the prompt */
    int32_t layer;               /* 0: embeddings; l: output of layer l - 1 */
    double answer, answer_upper; /* probability of the answer's first token, written in lower case and capitalised */
    double option, option_upper; /* of the false option's; each pair is NaN where there is none */
    const char *words, *scores;  /* JSON lists: the top tokens and their probabilities, falling; "[]" */
} cf_lens_entry;

typedef struct cf_results { /* of one sample */
    const cf_value *values;
    size_t n_values;
    const cf_baseline *baselines;
    size_t n_baselines;
    const cf_run_answer *answers;
    size_t n_answers;
    const cf_lens_entry *lens;
    size_t n_lens;
} cf_results;

CF_MUST_USE cf_status cf_store_has_sample(cf_store *s, bool *has, const char *task, int64_t row, cf_error *err);
/* Writes a sample and its results (NULL: none) in one transaction. CF_MISMATCH for a run that is not registered, for two
 * values of a run and a measure, and so on, and for a sample that is there. */
CF_MUST_USE cf_status cf_store_put_sample(cf_store *s, const cf_sample *sample, const cf_results *results,
                                          cf_error *err);
/* Values of a sample that is still being measured, in a table beside the samples that no reader looks at: a sample that
 * takes hours can be taken up where it was left. Each call adds to what is there, in one transaction; putting the sample
 * removes them. The runs must be registered. */
CF_MUST_USE cf_status cf_store_put_unfinished(cf_store *s, const char *task, int64_t row, const cf_value *values,
                                              size_t n, cf_error *err);
/* *out = those values, by run and measure's name; the caller frees. */
CF_MUST_USE cf_status cf_store_unfinished(cf_store *s, cf_value **out, size_t *n, const char *task, int64_t row,
                                          cf_error *err);
/* Folds the write-ahead log into the file, so that a finished study is one file. */
CF_MUST_USE cf_status cf_store_finish(cf_store *s, cf_error *err);

/* ---- reading ---- */

typedef struct cf_store_counts {
    int64_t done, wrong, fault;
    int64_t empty_group, no_visible_edge, fully_cut, too_few_keys; /* values of the probability: runs on samples */
    int64_t lens;                                                  /* samples with lens entries */
} cf_store_counts;
CF_MUST_USE cf_status cf_store_count(cf_store *s, cf_store_counts *out, cf_error *err);

/* Every fact by key. Text is valid during the call only; a status other than CF_OK stops the walk and is returned. */
typedef cf_status (*cf_fact_visitor)(void *user, const cf_fact *fact, cf_error *err);
CF_MUST_USE cf_status cf_store_each_fact(cf_store *s, cf_fact_visitor visit, void *user, cf_error *err);
/* Appends what a run's curve is called: the spec, with the seed where it is random. */
CF_MUST_USE cf_status cf_store_run_label(cf_str *out, const cf_store_run *run, cf_error *err);
/* Every run by id, likewise. */
typedef cf_status (*cf_run_visitor)(void *user, int64_t id, const cf_store_run *run, cf_error *err);
CF_MUST_USE cf_status cf_store_each_run(cf_store *s, cf_run_visitor visit, void *user, cf_error *err);

/* Row callbacks: text is valid during the call only; a status other than CF_OK stops the walk and is returned. Order:
 * task, row; then run id. */
typedef cf_status (*cf_sample_visitor)(void *user, const cf_sample *sample, cf_error *err);
CF_MUST_USE cf_status cf_store_each_sample(cf_store *s, cf_sample_visitor visit, void *user, cf_error *err);
typedef cf_status (*cf_value_visitor)(void *user, const cf_sample *sample, const cf_store_run *run,
                                      const cf_value *value, cf_error *err);
CF_MUST_USE cf_status cf_store_each_value(cf_store *s, cf_value_visitor visit, void *user, cf_error *err);

/* What was measured on one sample. Zero-initialise; may be used again for the next one. */
typedef struct cf_results_buffer {
    cf_results results; /* into the rest */
    cf_value *values;
    cf_baseline *baselines;
    cf_run_answer *answers;
    cf_lens_entry *lens;
    size_t cap_values, cap_baselines, cap_answers, cap_lens;
} cf_results_buffer;
enum { CF_READ_VALUES = 1, CF_READ_BASELINES = 2, CF_READ_ANSWERS = 4, CF_READ_LENS = 8 };
/* Reads the parts asked for (CF_READ_...), by run and measure's name; of the lens the baseline's entries at the last
 * position, by layer. A sample that is not there has none. On failure the buffer holds nothing. */
CF_MUST_USE cf_status cf_store_read_results(cf_store *s, cf_results_buffer *out, const char *task, int64_t row,
                                            unsigned parts, cf_error *err);
void cf_results_buffer_deinit(cf_results_buffer *b);

/* One point of a curve: over the kept samples of a task, the change of a measure (cf_measure_change). The repeats of a
 * random control are averaged within each sample first: a sample counts once. */
typedef struct cf_point {
    int32_t layer;
    int64_t n;       /* samples in the mean */
    int64_t n_empty; /* of them with an empty group (0 where they were dropped) */
    double mean;
    double low, high; /* 95 % interval of the mean: mean -+ 1.96 standard errors (equal to mean where n < 2) */
} cf_point;
typedef struct cf_curve {
    char *task, *spec; /* spec: the canonical text, with the seed where it is random */
    char *mode, *style;
    int32_t window; /* 0 where the style has none */
    cf_point *points;
    size_t n_points;
} cf_curve;
typedef struct cf_curve_options {
    cf_measure measure;
    bool drop_empty; /* values with an empty group are left out of the means */
    bool absolute;   /* the value itself in place of its change */
    bool all_tasks;  /* one further set of curves over all samples, task "all" */
} cf_curve_options;
/* Every (task, spec, style, window) of the study in the order of first registration (specs) and by name (tasks). Free
 * with cf_curves_free. */
CF_MUST_USE cf_status cf_store_curves(cf_store *s, cf_curve **out, size_t *n, const cf_curve_options *o, cf_error *err);
void cf_curves_free(cf_curve *curves, size_t n);

/* The lens at the last position, over the kept samples of a task. */
typedef enum cf_lens_line {
    CF_LENS_ANSWER,       /* "Noncapitalized Answer" */
    CF_LENS_OPTION,       /* "Noncapitalized False Option" */
    CF_LENS_ANSWER_UPPER, /* "Capitalized Answer" */
    CF_LENS_OPTION_UPPER, /* "Capitalized False Option" */
    CF_N_LENS_LINES
} cf_lens_line;
const char *cf_lens_line_name(cf_lens_line l);
typedef struct cf_lens_curve {
    char *task;
    char *spec; /* NULL: the baseline */
    char *style;
    int32_t window, centre; /* of the run, where there is one */
    cf_lens_line line;
    cf_point *points; /* mean probability in %, by entry 0..L */
    size_t n_points;
} cf_lens_curve;
/* By task (and "all" with all_tasks), then the baseline and each run, then line; lines without a value are left out. */
CF_MUST_USE cf_status cf_store_lens_curves(cf_store *s, cf_lens_curve **out, size_t *n, bool all_tasks, cf_error *err);
void cf_lens_curves_free(cf_lens_curve *curves, size_t n);

/* One point's statistics: over the kept samples of a task, of the measure's change. */
typedef struct cf_statistic_point {
    int64_t run;
    int32_t layer;
    int64_t n_empty;   /* samples with an empty group: within s.n, or left out where drop_empty asks for it */
    int64_t n_without; /* samples without a number (fully cut, too few keys, no such measure): left out */
    cf_statistic s;
} cf_statistic_point;
typedef struct cf_statistic_curve {
    char *task; /* NULL: all tasks together */
    char *spec, *mode, *style;
    int32_t window;
    cf_statistic_point *points;
    size_t n_points;
} cf_statistic_curve;
typedef struct cf_statistics_options {
    cf_bootstrap bootstrap; /* 1 to CF_MAX_RESAMPLES resamples, CF_USAGE otherwise */
    cf_measure measure;
    bool drop_empty; /* as in cf_store_curves */
} cf_statistics_options;
enum { CF_MAX_RESAMPLES = 1000000 };
cf_statistics_options cf_statistics_options_default(void);

/* The statistics of every point of cf_store_curves, in its order; at the end all tasks together where there are
 * several. Computed from the values by all OpenMP threads, with bits that depend on the values and *o alone. Free with
 * cf_statistics_free. */
CF_MUST_USE cf_status cf_store_statistics(cf_store *s, cf_statistic_curve **out, size_t *n,
                                          const cf_statistics_options *o, cf_error *err);
void cf_statistics_free(cf_statistic_curve *curves, size_t n);
/* Stores every task's statistics of every measure that has curves, with the default options, in the study, and these
 * options as the fact "statistics". The next cf_store_put_sample removes them, as they are no longer of all values. */
CF_MUST_USE cf_status cf_store_put_statistics(cf_store *s, cf_error *err);

#endif
