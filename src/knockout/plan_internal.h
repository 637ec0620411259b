/* plan_internal.h - the first half of a plan: what each run does in each layer. For the plan's own files. */
#ifndef CF_KNOCKOUT_PLAN_INTERNAL_H
#define CF_KNOCKOUT_PLAN_INTERNAL_H

#include "knockout/plan.h"

typedef struct cf_run_actions { /* zero-initialise */
    int32_t *of;                /* [n_runs, n_layers] index of the action, or -1 */
    cf_spans *changed;          /* [the plan's actions] rows that an action changes where nothing has changed before */
    size_t n, cap;              /* of changed */
    const cf_sight *sight;      /* borrowed */
} cf_run_actions;

void cf_run_actions_deinit(cf_run_actions *a);
/* Sets the runs' statuses, and the plan's edges and actions: those of the runs that are to be computed. p has its sizes
 * and room for its runs. */
CF_MUST_USE cf_status cf_run_actions_find(cf_run_actions *out, cf_plan *p, const cf_plan_run *runs, int32_t n_heads,
                                          const cf_sight *sight, cf_error *err);

#endif
