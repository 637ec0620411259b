/* walk.h - one sweep with everything it computed kept: each node's rows, each run's chain of nodes, each run's
 * logits. */
#ifndef CF_TESTS_WALK_H
#define CF_TESTS_WALK_H

#include "engine/oracle.h"
#include "engine/sweep.h"
#include "fixture.h"

typedef struct node_rows { /* what a node computed */
    int32_t n, *pos;
    float *rows; /* [n, D] */
} node_rows;

typedef struct walk {
    const loaded_model *m;
    cf_session *session; /* after the baseline and the sweep */
    cf_plan *plan;
    int32_t token;       /* whose probability is kept */
    int64_t n_scored;    /* the last prompt position and what was forced */
    node_rows *nodes;    /* [plan->n_nodes] */
    double *probability; /* [plan->n_runs]; NaN where a run has no number */
    float *logits;       /* [plan->n_runs, n_scored, V], or NULL with WALK_SCORE */
    bool *seen;          /* [plan->n_runs] the reader was given the run */
} walk;

typedef enum walk_what {
    WALK_SCORE,    /* probabilities only; the baseline keeps rows from the plan's lowest on */
    WALK_KEEP,     /* and every row that is computed */
    WALK_KEEP_ALL, /* and the baseline keeps all its rows */
} walk_what;

/* begin, baseline, sweep. The session is the caller's where one is given, else made. */
void walk_open(walk *w, const loaded_model *m, cf_session *session, const sample *s, const cf_edge_run *runs, size_t n,
               walk_what what);
/* The same for any plan, which becomes the walk's: begin, baseline, force, sweep. */
void walk_open_plan(walk *w, const loaded_model *m, cf_session *session, const sample *s, cf_plan *plan,
                    const int32_t *forced, int32_t n_forced, walk_what what);
void walk_close(walk *w, bool keep_session);

/* Node of a run at each layer, CF_BASELINE before its first cut: node[n_layers]. */
void walk_chain(int32_t *node, const walk *w, size_t run);
/* The row a node computed at a position; NULL where it did not. */
const float *walk_row(const walk *w, int32_t node, int32_t position);
/* logits[n_scored, V] that a run's reader was given. Not with WALK_SCORE. */
const float *walk_logits(const walk *w, size_t run);

/* The sweep with a reader that takes the token's probability of each run; NaN where it has none. */
void sweep_probabilities(double *probability, cf_session *session, const cf_plan *plan, const cf_model *m,
                         int32_t token);

/* The cut of a flow on a sample, in the window around a centre. */
cf_edge_run flow_run(const sample_set *set, const sample *s, size_t flow, int32_t k, int32_t centre);

/* An edge run as the oracle takes it. */
typedef struct oracle_edge {
    cf_part cut;
    cf_parts parts;
    cf_span layers;
    cf_spans window;
    cf_oracle_run run; /* refers to what stands above */
} oracle_edge;
void oracle_edge_init(oracle_edge *out, const cf_edge_run *r);

#endif
