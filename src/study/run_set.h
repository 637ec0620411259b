/* run_set.h - the runs of a study: parsed and listed once, registered in the store, and planned for each sample. */
#ifndef CF_STUDY_RUN_SET_H
#define CF_STUDY_RUN_SET_H

#include "knockout/plan.h"
#include "knockout/run_spec.h"
#include "store/store.h"
#include "study/settings.h"
#include "study/prepare.h"

typedef struct cf_run_set { /* zero-initialise */
    cf_flows flows;         /* expanded */
    cf_run_specs specs;
    int64_t *ids; /* [specs.n] in the store, once registered */
    int64_t seed;
    int32_t repeats, n_layers, n_heads;
    int32_t *windows; /* [n_layers] of the layers' attention; 0: none */
} cf_run_set;

/* default_flows: what NULL in o->flows stands for; NULL: no run at all. */
CF_MUST_USE cf_status cf_run_set_open(cf_run_set *out, const cf_study_options *o, const char *default_flows,
                                      const cf_text_config *text, cf_error *err);
void cf_run_set_close(cf_run_set *s);
CF_MUST_USE cf_status cf_run_set_register(cf_run_set *s, cf_store *store, cf_error *err);

/* The runs on one sample. */
typedef struct cf_sample_plan { /* zero-initialise */
    cf_parts *parts;            /* [n_parts] one per flow and repeat, in that order */
    size_t n_parts;
    cf_plan_run *runs; /* [specs.n], or as many as were asked for */
    cf_plan *plan;
} cf_sample_plan;

/* row: of the question in its set, from which random controls draw; n_after: positions after the prompt. Any failure but
 * CF_NOMEM is a fault of this question. */
CF_MUST_USE cf_status cf_sample_plan_create(cf_sample_plan *out, const cf_run_set *s, const cf_scene *scene,
                                            int64_t row, int32_t n_after, cf_error *err);
/* The same of the runs [begin, end) alone: run i of the plan is run begin + i of the set. */
CF_MUST_USE cf_status cf_sample_plan_create_some(cf_sample_plan *out, const cf_run_set *s, size_t begin, size_t end,
                                                 const cf_scene *scene, int64_t row, int32_t n_after, cf_error *err);
void cf_sample_plan_deinit(cf_sample_plan *p);

#endif
