/* plan.h - what to run for one sample, as a prefix tree of layer actions. No tensors.
 *
 * In each layer a run does something: an action is a set of cuts and the places where a sublayer is zeroed (none: the
 * layer as it is). Two runs with the same actions in layers 0..m have the same states up to layer m, so runs are the
 * leaves of a tree whose nodes are (actions of layers 0..m). A node without an action so far is the baseline and is not
 * stored. The sweep computes each node once.
 *
 * Attention is causal, so nothing below the lowest changed position changes, or below the start of its block where
 * positions see one another (cf_sight_restart_row). The rows of a node at layer m:
 * - parent the baseline: only the cut queries that see a cut key and the zeroed places change (`fresh`); their keys are
 *   the baseline's.
 * - otherwise: every row from the parent's `restart` on is computed (its input may differ), and besides them the changed
 *   rows below it (`fresh`).
 * `restart` of a node is the restart row of its lowest changed one; from the next layer on, all rows of [restart, length)
 * are its own. Windows only take edges away: which layers an edge exists in is exact, and which query is left without a
 * key; the rows computed are those of a layer without a window, which may be more than change. */
#ifndef CF_KNOCKOUT_PLAN_H
#define CF_KNOCKOUT_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/span.h"
#include "knockout/parts.h"
#include "knockout/sight.h"
#include "knockout/window.h"

typedef enum cf_run_status {
    CF_RUN_PLANNED,         /* has a leaf in the tree */
    CF_RUN_EMPTY_GROUP,     /* a group is empty and nothing is left to do: the run is the baseline */
    CF_RUN_NO_VISIBLE_EDGE, /* causality or a layer's window hides every edge already, or no layer is left: the run is
                               the baseline */
    CF_RUN_FULLY_CUT,       /* some query would see no key in some head: there is no answer to measure */
    CF_RUN_TOO_FEW_KEYS     /* a random control that cannot be drawn: there is no answer to measure */
} cf_run_status;

typedef struct cf_edge { /* queries of `query` do not see keys of `key`, in the heads of the set */
    cf_spans query, key;
    uint64_t *heads; /* bit h of word h/64; NULL: all heads */
    size_t n_head_words;
} cf_edge;

typedef struct cf_action { /* what is done in one layer */
    int32_t *edges;        /* [n_edges] indices into the plan's edges, ascending */
    size_t n_edges;
    cf_spans zero_attention, zero_mlp;
} cf_action;

enum { CF_BASELINE = -1 };

typedef struct cf_node {
    int32_t layer;
    int32_t parent;  /* node at layer - 1, or CF_BASELINE */
    int32_t action;  /* index of this layer's action, or -1 */
    int32_t restart; /* lowest row that may differ from the baseline in the next layer */
    cf_spans fresh;  /* rows below the parent's restart (any row where the parent is the baseline) that this layer's
                        action changes */
} cf_node;

typedef struct cf_planned_run {
    cf_run_status status;
    int32_t leaf;     /* node at the last layer; CF_BASELINE where the status is not PLANNED */
    bool empty_group; /* a group it names is empty, also where the rest of it is planned */
} cf_planned_run;

/* Whether the run can be measured: its answer, or the baseline's where nothing changes. */
static inline bool cf_run_has_number(const cf_planned_run *r)
{
    return r->status != CF_RUN_FULLY_CUT && r->status != CF_RUN_TOO_FEW_KEYS;
}

typedef struct cf_plan {
    int32_t n_layers, length;
    cf_edge *edges; /* distinct */
    size_t n_edges, cap_edges;
    cf_action *actions; /* distinct; none is empty */
    size_t n_actions, cap_actions;
    cf_node *nodes; /* parents before children; all nodes of a layer stand together */
    size_t n_nodes, cap_nodes;
    int32_t *layer_begin; /* [n_layers + 1] nodes of layer m are layer_begin[m] .. layer_begin[m+1] - 1 */
    cf_planned_run *runs; /* [n_runs], as asked */
    size_t n_runs;
    int32_t lowest; /* lowest restart of any node; length where there is none */
} cf_plan;

/* One run: its parts, each in its own layers or in the window. Borrowed for the call. Neighbours that share their parts
 * (one flow in many windows) are planned faster than with copies of them. */
typedef struct cf_plan_run {
    const cf_parts *parts;
    const cf_spans *window;
} cf_plan_run;

/* length: positions of the prompt and of what is teacher-forced after it. n_heads: of the model. sight: borrowed for the
 * call; NULL: causality alone. */
CF_MUST_USE cf_status cf_plan_create(cf_plan **out, const cf_plan_run *runs, size_t n_runs, int32_t length,
                                     int32_t n_layers, int32_t n_heads, const cf_sight *sight, cf_error *err);
void cf_plan_free(cf_plan *p);

/* For callers that bring positions and head sets of their own: runs of one cut each, under causality alone. heads has n_head_words words, or
 * is NULL. */
typedef struct cf_edge_run {
    const cf_spans *query, *key;
    const uint64_t *heads;
    size_t n_head_words;
    cf_window window;
} cf_edge_run;
CF_MUST_USE cf_status cf_plan_create_edges(cf_plan **out, const cf_edge_run *runs, size_t n_runs, int32_t length,
                                           int32_t n_layers, int32_t n_heads, cf_error *err);

/* Rows computed by the sweep, summed over its nodes and layers, as planned (every linear operation of a layer counted
 * as one); for forecasts, never for reported work. */
int64_t cf_plan_row_layers(const cf_plan *p);
/* Rows that one layer of the sweep computes together, at most. */
int64_t cf_plan_most_rows(const cf_plan *p);

#endif
