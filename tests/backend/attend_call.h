/* attend_call.h - one attention call over host arrays, in every arrangement that must not matter: which keys are shared, where rows stand, what stands beside them. */
#ifndef CF_TESTS_BACKEND_ATTEND_CALL_H
#define CF_TESTS_BACKEND_ATTEND_CALL_H

#include "fixture.h"

/* Heads, kv heads and size of a head. */
typedef struct heads {
    int64_t n, n_kv, dim;
} heads;

/* A sequence: q, k and v for every position, host memory. */
typedef struct sequence {
    heads heads;
    int64_t n_keys;
    float *q, *k, *v; /* [n_keys, n * dim], [n_keys, n_kv * dim] twice */
} sequence;

float attend_scale(heads h); /* 1 / sqrt(dim) */
sequence sequence_make(uint64_t seed, heads h, int64_t n_keys, float size);
void sequence_free(sequence *s);

/* One run over a sequence: its queries and what they see. Zero fields are the plain case: every key shared, nothing cut. */
typedef struct attend_run {
    const int32_t *q_pos; /* [n_q] */
    int64_t n_q;
    int64_t n_own; /* the last n_own keys are the run's own */
    const cf_cut *cuts;
    int64_t n_cuts;
    const uint64_t *dense;
    bool dense_per_head;
    const sequence *of; /* NULL: the call's; else one with heads of the same number and size */
} attend_run;

typedef struct attend_layout {
    bool acausal;
    int64_t window;
    cf_dtype out;        /* CF_F32 by default */
    cf_dtype in;         /* of q, k and v, those that are shared among them; likewise */
    bool in_views;       /* q, k and v are the rows of larger matrices from the second on, wherever that lies */
    int64_t rows_before; /* other rows of q, k and v that stand before the runs' */
} attend_layout;

/* Runs over one sequence, or several, in one call, as heap values [sum of n_q, n * dim] in *out (NULL on failure). Runs over one sequence share a store; from the position where every
 * one of them has keys of its own, it holds other, large values. */
cf_status attend_try(float **out, cf_backend *be, const sequence *s, const attend_run *runs, int64_t n_runs,
                     attend_layout layout, cf_error *err);
/* The same, for calls that must succeed. */
float *attend(cf_backend *be, const sequence *s, const attend_run *runs, int64_t n_runs, attend_layout layout);

#endif
