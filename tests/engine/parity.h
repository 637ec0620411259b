/* parity.h - the check that the sweep agrees with transformers, on what is asked and on what is not: one function
 * serves the parity tests and the mutation tests, so that what passes here is what fails there. */
#ifndef CF_TESTS_PARITY_H
#define CF_TESTS_PARITY_H

#include "fixture.h"

/* A mistake that an engine could make in every run. */
typedef enum change {
    AS_ASKED,
    NOT_CUT,
    WINDOW_BEGINS_EARLIER, /* by one layer; clipped at the model's ends */
    WINDOW_BEGINS_LATER,
    WINDOW_ENDS_EARLIER,
    WINDOW_ENDS_LATER,
    QUERIES_BEGIN_EARLIER, /* by one position */
    QUERIES_BEGIN_LATER,
    QUERIES_END_EARLIER,
    QUERIES_END_LATER,
    FIRST_KEY_MISSING,
    MIDDLE_KEY_MISSING,
    LAST_KEY_MISSING,
    HEAD_LEFT_UNCUT, /* this and the following: head 0, 1, 2, 3 */
    N_CHANGES = HEAD_LEFT_UNCUT + 4
} change;

/* out = positions of a list below `length`, less the one at `without` (counted within the list; -1: none), plus one
 * more position (-1: none). */
void spans_changed(cf_spans *out, const cf_spans *s, int64_t without, int32_t plus, int32_t length);

const char *change_name(change c);
/* Whether the change is one in this flow: nothing stands after Last, and nothing before it sees it. */
bool change_applies(const sample_set *set, size_t flow, change c);

/* The largest differences found in one flow. */
typedef struct parity {
    double probability; /* absolute */
    double logits;      /* of the largest logit of the run; windows of 3 layers of bites only */
    int64_t n_probabilities, n_logits;
    int64_t n_far; /* probabilities off by more than 0.1 */
} parity;

/* Bounds of f32. Logits: f32 sums in another order than transformers', through the depth of these models.
 * Probabilities: a tenth of that for logits of size one; the golden's own last digit is 1e-7 there. */
#define LOGIT_BOUND 1e-4
#define PROBABILITY_BOUND 1e-5

/* Every sample, window and centre of the flows [flow_begin, flow_end), found[] by flow. True where all are within
 * the bounds. */
bool parity_holds(parity found[N_FLOWS], const sample_set *set, const loaded_model *m, size_t flow_begin,
                  size_t flow_end, change c);

#endif
