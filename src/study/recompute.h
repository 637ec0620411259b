/* recompute.h - runs of a study from scratch: where reuse is off, and to check the sweep where it is on. */
#ifndef CF_STUDY_RECOMPUTE_H
#define CF_STUDY_RECOMPUTE_H

#include "study/run_values.h"
#include "study/study.h"

typedef struct cf_recompute { /* zero-initialise; keeps its memory from run to run */
    float *logits;            /* [n_answer, vocab] of the last run */
    size_t cap;
} cf_recompute;

/* The runs of a plan on a sample that has been answered. */
typedef struct cf_recompute_task {
    const cf_study_sample *sample;
    const cf_sample_plan *planned;
    cf_run_values *values; /* begun */
    size_t first;          /* run i of the plan is run first + i of the values */
} cf_recompute_task;

/* Takes every run that has a number, from the pixels. */
CF_MUST_USE cf_status cf_recompute_runs(cf_recompute *r, cf_study *s, const cf_recompute_task *t, cf_error *err);
/* What reuse changes where products are not row-invariant: about two dozen of the swept runs, spread over the plan,
 * recomputed and compared with the values; the largest difference goes to the study's result. Once in a study; afterwards,
 * or where products are row-invariant, nothing is done. */
CF_MUST_USE cf_status cf_recompute_check(cf_recompute *r, cf_study *s, const cf_recompute_task *t, cf_error *err);
/* Stores what cf_recompute_check found, where it looked. */
CF_MUST_USE cf_status cf_recompute_store(const cf_study *s, cf_error *err);
void cf_recompute_deinit(cf_recompute *r);

#endif
