/* run_spec.h - the runs of a study: what is done, and in which layers. The same for every sample. */
#ifndef CF_KNOCKOUT_RUN_SPEC_H
#define CF_KNOCKOUT_RUN_SPEC_H

#include "knockout/flow.h"
#include "knockout/window.h"

typedef struct cf_run_spec {
    size_t flow;    /* index in the study's flows */
    int32_t repeat; /* of a random flow, from 0; else 0 */
    cf_window_style style;
    int32_t k;       /* 0 where the style has none */
    int32_t centre;  /* 0 where there is none */
    cf_spans layers; /* the window */
} cf_run_spec;

typedef struct cf_run_specs { /* zero-initialise; owns items and their layers */
    cf_run_spec *items;
    size_t n, cap;
} cf_run_specs;

typedef struct cf_run_options {
    const cf_window_style *styles; /* without repetition */
    size_t n_styles;
    const int32_t *ks; /* for the styles that have k */
    size_t n_ks;
    int32_t layer_begin, layer_end; /* centres [begin, end) */
    int32_t repeats;                /* of random flows; 1 or more */
} cf_run_options;

/* Flows x repeats x styles x window sizes x centres, in that order; a fixed flow (cf_flow_is_fixed) has one run per
 * repeat. flows have been expanded. CF_USAGE for no flow, k < 1, no style, a range outside the model's layers, repeats
 * below 1. */
CF_MUST_USE cf_status cf_run_specs_create(cf_run_specs *out, const cf_flows *flows, const cf_run_options *o,
                                          int32_t n_layers, cf_error *err);
void cf_run_specs_deinit(cf_run_specs *s);

#endif
