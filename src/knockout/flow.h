/* flow.h - what one kind of run does to the model, as the user writes it. One grammar, parsed and printed here.
 *
 *     flow   := ["cut" ":"] edges                     hide the keys of each edge's source from its target's queries
 *             | "keep" ["(" group {"," group} ")"] ":" edges
 *                                                     cut every edge between different groups of the partition (default
 *                                                     Image, Question, Last) except these
 *             | "random" ":" edges                    the control: each query loses as many keys, drawn at random
 *             | "zero attention" ":" places           the sublayer adds nothing at these positions
 *             | "zero mlp" ":" places
 *     edges  := edge { "&" edge }                     cut together
 *     edge   := group "->" group [ "@" ranges ] [ "#" ( ranges | "each" ) ]
 *     places := group [ "@" ranges ]
 *     ranges := range { "+" range }
 *     range  := n | n ":" n                           half-open
 *
 * "@" gives an edge layers of its own, where it would otherwise be cut in the run's window; "#" the heads it is cut in,
 * where it would otherwise be all of them, and "#each" one flow per head, the same head in every edge that says so.
 * group_expr.h has the groups. Letter case and blanks around signs do not matter. */
#ifndef CF_KNOCKOUT_FLOW_H
#define CF_KNOCKOUT_FLOW_H

#include "knockout/group_expr.h"
#include "knockout/index_table.h"

typedef enum cf_mode {
    CF_MODE_CUT,
    CF_MODE_KEEP,
    CF_MODE_RANDOM,
    CF_MODE_ZERO_ATTENTION,
    CF_MODE_ZERO_MLP,
    CF_N_MODES
} cf_mode;
const char *cf_mode_name(cf_mode m); /* "cut", "keep", "random", "zero attention", "zero mlp" */

typedef struct cf_flow_edge {
    cf_group_expr source; /* keys; empty in the zero modes */
    cf_group_expr target; /* queries, or the places whose sublayer is zeroed */
    cf_spans layers;      /* none: the run's window */
    cf_spans heads;       /* none: every head */
    bool each_head;       /* as written; gone after cf_flows_expand */
} cf_flow_edge;

typedef struct cf_flow { /* zero-initialise; owns everything */
    cf_mode mode;
    cf_flow_edge *edges; /* zero modes: one */
    size_t n_edges, cap_edges;
    cf_group_expr *partition; /* keep: as written; none: Image, Question, Last */
    size_t n_partition, cap_partition;
} cf_flow;

void cf_flow_deinit(cf_flow *f);
CF_MUST_USE cf_status cf_flow_copy(cf_flow *out, const cf_flow *f, cf_error *err);
/* The whole text as one flow; CF_USAGE, with the place and what may stand there. keep: each edge must lead from one
 * group of the partition to another one, and has no layers or heads of its own. */
CF_MUST_USE cf_status cf_flow_parse(cf_flow *out, cf_slice text, cf_error *err);
/* Appends the canonical form, e.g. "Image Central Object->Question", "keep: Image->Question & Question->Last",
 * "Image->Last@0:4 & Question->Last#0+2". "cut:" is not written. Parsing it gives an equal flow. */
CF_MUST_USE cf_status cf_flow_print(cf_str *out, const cf_flow *flow, cf_error *err);
bool cf_flow_equal(const cf_flow *a, const cf_flow *b);
/* Whether every edge has layers of its own: then a run has no centre, and there is one run instead of one per layer. */
bool cf_flow_is_fixed(const cf_flow *f);
/* Appends "all", or the heads where every edge has the same set ("0+2"), or "mixed". */
CF_MUST_USE cf_status cf_flow_heads(cf_str *out, const cf_flow *f, cf_error *err);

typedef struct cf_flows { /* zero-initialise; owns everything */
    cf_flow *items;
    size_t n, cap;
    cf_index_table by_text; /* the items by what they print as: there may be thousands */
} cf_flows;

void cf_flows_deinit(cf_flows *f);
/* Adds a copy of one flow, unless an equal one is there already. */
CF_MUST_USE cf_status cf_flows_add(cf_flows *f, const cf_flow *flow, cf_error *err);
/* Adds the flows of a comma-separated list; the word "paper" stands for the paper's six. On failure f is as before. */
CF_MUST_USE cf_status cf_flows_parse(cf_flows *f, cf_slice list, cf_error *err);
/* Writes out "#each", and checks layers and heads against the model's: CF_USAGE for one it does not have. */
CF_MUST_USE cf_status cf_flows_expand(cf_flows *f, int32_t n_layers, int32_t n_heads, cf_error *err);
CF_MUST_USE cf_status cf_flows_print(cf_str *out, const cf_flows *f, cf_error *err); /* canonical, comma-separated */

#endif
