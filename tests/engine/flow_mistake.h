/* flow_mistake.h - mistakes that could be made on the way from a flow to a run, one or more for each mode and option
 * of the grammar. They are made on purpose by test_flow_mutations.c: the comparison that passes without them must
 * refuse every one. */
#ifndef CF_TESTS_FLOW_MISTAKE_H
#define CF_TESTS_FLOW_MISTAKE_H

#include "flow_golden.h"

typedef enum flow_mistake {
    NO_MISTAKE,
    NOTHING_DONE, /* every mode */
    /* keep */
    KEEP_FIRST_PAIR_UNCUT, /* of the pairs that causality shows */
    KEEP_LAST_PAIR_UNCUT,
    KEPT_PAIR_CUT,
    KEEP_CUTS_WITHIN_A_GROUP,
    /* random */
    DRAWN_WITHIN_THE_SOURCE,
    DRAWN_ONE_KEY_TOO_FEW,
    DRAWN_WITH_ANOTHER_SEED,
    DRAWN_FOR_ANOTHER_ROW,
    DRAWN_FOR_ANOTHER_REPEAT,
    DRAWN_FOR_THE_QUERY_BEFORE,
    /* zero */
    PLACES_BEGIN_EARLIER,
    PLACES_BEGIN_LATER,
    PLACES_END_EARLIER,
    PLACES_END_LATER,
    OTHER_SUBLAYER,
    /* heads of an edge's own */
    HEADS_IGNORED,
    HEADS_SHIFTED,
    ONE_HEAD_TOO_FEW,
    ONE_HEAD_TOO_MANY,
    /* layers of an edge's own */
    OWN_LAYERS_IGNORED,
    OWN_LAYERS_BEGIN_LATER,
    OWN_LAYERS_END_EARLIER,
    OWN_LAYERS_END_LATER,
    /* window styles: below, above, outside */
    CENTRE_TOO_HIGH,
    CENTRE_TOO_LOW,
    OTHER_STYLE,
    /* the whole answer */
    FORCED_ONE_TOKEN_OFF,
    FORCED_IN_ANOTHER_ORDER,
    FORCED_POSITIONS_ARE_NOT_LAST,
    N_FLOW_MISTAKES
} flow_mistake;

const char *flow_mistake_name(flow_mistake m);
bool flow_mistake_applies(flow_mistake m, const cf_flow *flow, cf_window_style style);

/* What is asked for, as the mistake has it; without a mistake, as the golden has it. The parts are those of one line
 * of the golden: n_after positions after the prompt. */
void flow_parts(cf_parts *out, const flow_golden *g, const flow_sample *s, const flow_line *line, int32_t n_after,
                flow_mistake m);
void flow_window(cf_spans *out, const flow_golden *g, const flow_line *line, int32_t centre, flow_mistake m);
/* The ids to force, where `answer` would be right. */
void flow_forced(int32_t *forced, const int32_t *answer, int32_t n, int32_t vocab_size, flow_mistake m);

#endif
