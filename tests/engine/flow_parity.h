/* flow_parity.h - the check that plan and sweep agree with transformers on a golden of flows: one function serves
 * the test that it passes (test_flows.c) and the test that it can fail (test_flow_mutations.c). */
#ifndef CF_TESTS_FLOW_PARITY_H
#define CF_TESTS_FLOW_PARITY_H

#include "flow_mistake.h"
#include "parity.h"

/* What was found of the runs of one flow in one style of window. */
typedef struct flow_found {
    /* Largest differences. probability, true, whole: absolute, and as natural logarithms; difference: of the largest
     * logit. */
    double absolute, logarithm, difference;
    double over; /* the largest of them all, in bounds */
    int64_t n_runs, n_values;
    int64_t n_wrong;   /* ranks, most probable tokens and statuses that are others */
    int64_t n_changed; /* runs that a mistake makes into other computations: their leaf in the plan is another one */
} flow_found;

/* Bounds. Probabilities: PROBABILITY_BOUND, absolute; and since many of them are small, their logarithms: each logit
 * is off by at most LOGIT_BOUND of the largest, so a log-softmax by twice that, and a product of n of them by n
 * times that. A difference of two logits: twice LOGIT_BOUND of the largest. */

/* Everything that the golden has of every sample_step'th sample, or, with a mistake, the flows and styles in which
 * it is one; all runs of a sample in one plan. found[n_flows * CF_N_WINDOW_STYLES], by flow, then style. True where
 * all is within the bounds. */
bool flows_hold(flow_found *found, const flow_golden *g, const loaded_model *m, size_t sample_step,
                flow_mistake mistake);

#endif
