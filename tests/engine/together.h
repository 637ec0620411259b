/* together.h - everything that walks over the layers, for several samples at a time, and the check that each ends with the
 * bits it has alone. */
#ifndef CF_TESTS_TOGETHER_H
#define CF_TESTS_TOGETHER_H

#include "drawn_runs.h"
#include "fixture.h"

enum { MOST_TOGETHER = 4, NEW_TOKENS = 6, MOST_FORCED = 3, GENERATED = 5 };

/* What is asked of a sample. */
typedef struct asked {
    cf_input input;
    int32_t forced[MOST_FORCED], n_forced;
    cf_plan *plan;      /* over the prompt and what is forced */
    cf_plan *generated; /* over NEW_TOKENS positions after the prompt */
} asked;

/* All runs of six flows, at the groups of a sample; within: also cuts between patches of the picture. */
void ask_flows(asked *a, const sample_set *set, const sample *s, const cf_model *m, bool within);
/* The first n of runs made at random, other ones for another seed. */
void ask_drawn(asked *a, const sample_set *set, const cf_model *m, uint64_t seed, size_t n);
void unask(asked *a);

/* What its session gives. */
typedef struct told {
    float *baseline; /* [V] */
    int32_t ids[NEW_TOKENS], n_ids;
    float *logits; /* [n_runs, 1 + n_forced, V], as the sweep brought them */
    size_t row;    /* (1 + n_forced) * V */
    int32_t run_ids[GENERATED][NEW_TOKENS], n_run_ids[GENERATED];
} told;

void told_open(told *t, const asked *a, int64_t vocab);
void told_close(told *t);

/* From begin to the last generated run, for sessions[n] beside each other. Returns the multiply-adds that decoder layers
 * did in the baseline. */
int64_t measure_together(told *const *out, const asked *a, cf_session *const *sessions, size_t n);
/* The same in a session of its own that shares nothing. */
int64_t measure_alone(told *out, const asked *a, const cf_model *m);
/* Fails unless they are the same bits. */
void check_told(const char *what, size_t place, const asked *a, const told *x, const told *y);

#endif
