/* sweep.h - all runs of a plan on one sample, layer by layer, each state computed once (docs: ARCHITECTURE.md, "The
 * sweep"). */
#ifndef CF_ENGINE_SWEEP_H
#define CF_ENGINE_SWEEP_H

#include "engine/session.h"
#include "knockout/plan.h"

/* For tests: called for each node and layer with the rows the node has just computed (host copies): positions pos[n],
 * rows[n, hidden_size], the output of `layer`. */
typedef void (*cf_sweep_tap)(void *user, int32_t layer, int32_t node, const int32_t *pos, const float *rows, int64_t n,
                             int64_t d);

/* probability[run] of `token` at the last position for every run of the plan. Runs that are the baseline by planning
 * (EMPTY_GROUP, NO_VISIBLE_EDGE) get the baseline's; a FULLY_CUT one NaN. The session's baseline must have kept rows
 * from plan->lowest on. tap may be NULL. */
CF_MUST_USE cf_status cf_sweep(cf_session *s, const cf_plan *plan, int32_t token, double *probability, cf_sweep_tap tap,
                               void *user, cf_error *err);

#endif
