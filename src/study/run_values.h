/* run_values.h - from the logits of a sample's runs to the values that are stored, and the answers generated in runs. */
#ifndef CF_STUDY_RUN_VALUES_H
#define CF_STUDY_RUN_VALUES_H

#include "study/study.h"

typedef struct cf_run_values { /* zero-initialise; keeps its memory from sample to sample */
    cf_asked asked;
    int64_t vocab;
    cf_scores *scores; /* [runs] of the sample at hand; NaN throughout where a run has no number */
    cf_scores baseline;
    cf_value *values;
    size_t n_values;
    cf_baseline baselines[CF_N_MEASURES];
    size_t n_baselines;
} cf_run_values;

/* Takes a sample; its baseline is scored: logits[n_answer, vocab]. */
CF_MUST_USE cf_status cf_run_values_begin(cf_run_values *v, const cf_study *s, const cf_asked *asked,
                                          const float *logits, cf_error *err);
/* Scores a run: logits[n_answer, vocab]. Several threads may score a run each. */
void cf_run_values_take(cf_run_values *v, size_t run, const float *logits);
/* Fills out's values and baselines: those that the study's options ask for and that exist for the sample. */
void cf_run_values_finish(cf_run_values *v, const cf_study *s, const cf_plan *plan, cf_results *out);
void cf_run_values_deinit(cf_run_values *v);

typedef struct cf_run_answers { /* zero-initialise; owns the texts */
    cf_run_answer *items;
    size_t n, cap;
} cf_run_answers;

typedef struct cf_answers_task {
    cf_run_answers *answers;
    cf_session *session;
    const cf_plan *plan; /* over the prompt and max_new_tokens */
} cf_answers_task;

/* The answer of every run that has a number, of several samples together; runs that are one state in the plan share it. */
CF_MUST_USE cf_status cf_run_answers_make(const cf_answers_task *tasks, size_t n, const cf_study *s, cf_error *err);
void cf_run_answers_deinit(cf_run_answers *a);

#endif
