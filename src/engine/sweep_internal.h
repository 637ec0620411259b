/* sweep_internal.h - walks over plans' trees in progress, for the files of the sweep. */
#ifndef CF_ENGINE_SWEEP_INTERNAL_H
#define CF_ENGINE_SWEEP_INTERNAL_H

#include "engine/session_internal.h"
#include "engine/sweep.h"

/* Where a node's rows stand in its layer's rows. */
typedef struct cf_place {
    int32_t fresh_row, n_fresh;
    int32_t own_row, own_begin,
        n_own; /* rows of positions own_begin .. own_begin + n_own - 1; n_own 0 where the parent is the baseline */
} cf_place;

/* The rows of a layer, those of all walks together. */
typedef struct cf_sweep_rows {
    int32_t n_base;            /* rows of the baseline, of all walks */
    int32_t most, most_zeroed; /* rows that any layer has, and those of them that lie at zeroed places */
    int32_t most_segments;
    cf_attn_segment *segments; /* [most_segments] */
    int32_t *from;             /* [most] row of the source matrix each stacked row comes from */
    int32_t *pos;              /* [most] its position */
    int32_t *ask;              /* [most] last layer: the rows that ask */
    int32_t *ask_pos;
    int32_t *zero_attention, *zero_mlp; /* [most_zeroed] asking rows that a sublayer adds nothing to */
    int32_t n, n_ask, own_zone;         /* of the current layer */
    int64_t n_segments, n_zero_attention, n_zero_mlp;
} cf_sweep_rows;

/* A session's plan. */
typedef struct cf_walk {
    cf_session *s;
    const cf_plan *plan;
    const cf_sweep_reader *reader;
    cf_sweep_rows *rows;
    int32_t base_row,
        n_base;           /* the baseline's rows kept: plan->length - keep_from, from this row of a source matrix on */
    int32_t first_scored; /* the last prompt position; it and all after it are scored */
    cf_place *places;     /* [n_nodes] */
    cf_cut *cuts;         /* those of every action, one action after the other */
    size_t *cuts_of;      /* [n_actions] where an action's begin */
    int32_t *score_row;   /* [nodes of the last layer, n_scored] row of a scored position in the output, or -1 where
                                 the node leaves it unchanged */
} cf_walk;

static inline bool cf_walk_is_final(const cf_walk *w, int32_t layer)
{
    return layer == w->plan->n_layers - 1;
}

static inline int32_t cf_walk_n_scored(const cf_walk *w)
{
    return w->plan->length - w->first_scored;
}

/* Index of position p among the fresh rows of a node, or -1. */
int32_t cf_walk_fresh_index(const cf_node *node, int32_t p);

/* Which rows a layer of the walks has, and which of them ask what: into their common rows. */
void cf_walks_stack(const cf_walk *walks, size_t n, int32_t layer);

/* Gives the reader what it asked for of a layer just computed; rows: its output. */
CF_MUST_USE cf_status cf_walk_read_layer(cf_walk *w, int32_t layer, const cf_tensor *rows, cf_error *err);
/* Gives the reader the logits of every run, from the last layer's output rows. */
CF_MUST_USE cf_status cf_walk_read_runs(cf_walk *w, const cf_tensor *rows, cf_error *err);

#endif
