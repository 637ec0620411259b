/* plan.h - what to run for one sample: which edges are cut in which layer of which run, as a prefix tree. No tensors.
 *
 * A run gives each layer an action: a set of edges to cut (0: none). Two runs with the same actions in layers 0..m
 * have the same states up to layer m, so runs are the leaves of a tree whose nodes are (actions of layers 0..m). A
 * node without cuts so far is the baseline and is not stored. The sweep computes each node once.
 *
 * Attention is causal, so nothing below the lowest cut query changes. The rows of a node at layer m:
 * - parent the baseline: only the cut queries that see a cut key change (`fresh`); their keys are the baseline's.
 * - otherwise: every row from the parent's `restart` on is computed (its input may differ), and besides them the cut
 *   queries below it (`fresh`).
 * `restart` of a node is its lowest changed row; from the next layer on, all rows of [restart, length) are its own. */
#ifndef CF_KNOCKOUT_PLAN_H
#define CF_KNOCKOUT_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/span.h"
#include "knockout/flow.h"
#include "knockout/group.h"
#include "knockout/window.h"

/* What a run asks for; the same for every sample of a study. */
typedef struct cf_run_spec {
    cf_flow flow;
    int32_t k, centre; /* the window's size and centre, as asked */
    cf_window window;  /* the layers cut */
} cf_run_spec;

/* All runs of a study: flows x window sizes x centres [layer_begin, layer_end), in that order. The caller frees *out.
 */
CF_MUST_USE cf_status cf_run_specs(cf_run_spec **out, size_t *n, const cf_flows *flows, const int32_t *ks, size_t n_ks,
                                   int32_t layer_begin, int32_t layer_end, int32_t n_layers, cf_error *err);

typedef enum cf_run_status {
    CF_RUN_PLANNED,         /* has a leaf in the tree */
    CF_RUN_EMPTY_GROUP,     /* a group is empty: nothing to cut, the run is the baseline */
    CF_RUN_NO_VISIBLE_EDGE, /* every edge is hidden by causality already: the run is the baseline */
    CF_RUN_FULLY_CUT        /* some query would see no key: there is no answer to measure */
} cf_run_status;

typedef struct cf_edge { /* queries of `query` do not see keys of `key`, in the heads of the set */
    cf_spans query, key;
    uint64_t *heads; /* bit h of word h/64; NULL: all heads */
} cf_edge;

enum { CF_BASELINE = -1 };

typedef struct cf_node {
    int32_t layer;
    int32_t parent;  /* node at layer - 1, or CF_BASELINE */
    int32_t edge;    /* index of the edge cut in this layer, or -1 */
    int32_t restart; /* lowest row that may differ from the baseline after this layer */
    cf_spans fresh;  /* rows below the parent's restart (any row where the parent is the baseline) that this layer's cut
                        changes */
} cf_node;

typedef struct cf_planned_run {
    cf_run_status status;
    int32_t leaf; /* node at the last layer; CF_BASELINE where the status is not PLANNED */
} cf_planned_run;

typedef struct cf_plan {
    int32_t n_layers, length;
    cf_edge *edges;
    size_t n_edges, cap_edges;
    cf_node *nodes; /* parents before children; all nodes of a layer stand together */
    size_t n_nodes, cap_nodes;
    int32_t *layer_begin; /* [n_layers + 1] nodes of layer m are layer_begin[m] .. layer_begin[m+1] - 1 */
    cf_planned_run *runs; /* [n_runs], as the specs */
    size_t n_runs;
    int32_t lowest; /* lowest restart of any node; length where there is none */
} cf_plan;

/* The plan of one sample for the given runs. */
CF_MUST_USE cf_status cf_plan_create(cf_plan **out, const cf_run_spec *specs, size_t n_specs, const cf_groups *groups,
                                     int32_t n_layers, cf_error *err);
/* One run with an arbitrary edge in the layers of a window: for callers that bring their own positions and head sets.
 * heads has (n_heads + 63) / 64 words, or is NULL. */
typedef struct cf_edge_run {
    const cf_spans *query, *key;
    const uint64_t *heads;
    size_t n_head_words;
    cf_window window;
} cf_edge_run;
CF_MUST_USE cf_status cf_plan_create_edges(cf_plan **out, const cf_edge_run *runs, size_t n_runs, int32_t length,
                                           int32_t n_layers, cf_error *err);
void cf_plan_free(cf_plan *p);

/* Rows computed by the sweep, summed over its nodes and layers, as planned (every linear operation of a layer counted
 * as one); for forecasts, never for reported work. */
int64_t cf_plan_row_layers(const cf_plan *p);

#endif
