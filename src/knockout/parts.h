/* parts.h - a flow on one sample: which positions lose which keys, which sublayers are zeroed. Here the modes end: below
 * this there are only cuts and zeroings. */
#ifndef CF_KNOCKOUT_PARTS_H
#define CF_KNOCKOUT_PARTS_H

#include "knockout/flow.h"

typedef enum cf_part_kind { CF_PART_CUT, CF_PART_ZERO_ATTENTION, CF_PART_ZERO_MLP } cf_part_kind;

typedef struct cf_part {
    cf_part_kind kind;
    cf_spans query;  /* cut: these queries do not see the keys; zero: the places */
    cf_spans key;    /* cut only */
    uint64_t *heads; /* [n_head_words] bit h of word h/64; NULL: every head. Cut only */
    size_t n_head_words;
    cf_spans layers; /* none: the run's window */
} cf_part;

typedef struct cf_parts { /* zero-initialise; owns items */
    cf_part *items;
    size_t n, cap;
    bool empty_group;  /* a group that the flow names has no position here; what is left is still in items */
    bool too_few_keys; /* random: a query sees fewer keys outside the source than it loses; items are empty then */
} cf_parts;

void cf_parts_deinit(cf_parts *p);

/* Where a random control draws from: splitmix64. mix(x) is the first number of a generator in state x. For the query at
 * position q: state = mix(mix(mix(mix(seed) ^ row) ^ repeat) ^ q); keys = the m keys it sees (0..q) outside the sources
 * of the edges that reach it, ascending; it loses the first n after Fisher-Yates: for i in 0..n-1, swap keys[i] with
 * keys[i + next() mod (m - i)], next() being the generator's next number. They depend on nothing else, so they are the
 * same in every layer and window, and whatever else is run. */
typedef struct cf_draw {
    uint64_t seed, row;
    int32_t repeat;
} cf_draw;

/* n_after: positions after the prompt, which count as queries of Last. n_heads: of the model. draw: random flows only.
 *
 * keep: for every ordered pair of different groups of the partition that is not among the edges, a cut, in the window.
 * A position that two groups of the partition share is CF_MISMATCH.
 * random: edges with the same layers and heads are drawn for together: a query that several of them reach loses as many
 * keys as it loses to all of them, drawn outside all their sources. Queries stay within what causality shows them.
 */
CF_MUST_USE cf_status cf_parts_create(cf_parts *out, const cf_flow *flow, const cf_scene *scene, int32_t n_after,
                                      int32_t n_heads, const cf_draw *draw, cf_error *err);

#endif
