/* trace.h - the knockout study: every question of some sets, every flow, every layer, into a study file. */
#ifndef CF_STUDY_TRACE_H
#define CF_STUDY_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "study/runtime.h"

typedef enum cf_keep { CF_KEEP_CORRECT, CF_KEEP_WRONG, CF_KEEP_ALL } cf_keep;

typedef struct cf_trace_options {
    cf_runtime_options runtime;
    const char *questions;    /* a question set, or a folder of them */
    const char *scene_graphs; /* of GQA's own questions; NULL: those beside them */
    const char *images;       /* folder of pictures; NULL: images/ beside the questions */
    const char *out;          /* study file */
    const char *flows;        /* comma-separated; NULL: the paper's six */
    const int32_t *windows;   /* window sizes */
    size_t n_windows;
    int32_t layer_begin, layer_end; /* centres [begin, end); end 0: all */
    cf_keep keep;
    int32_t max_new_tokens;
    int64_t limit;       /* questions of each set; 0: all */
    bool reuse;          /* false: every run from scratch */
    bool strict;         /* a fault of one question is an error at the end */
    const char *command; /* stored as provenance; may be NULL */
} cf_trace_options;
cf_trace_options cf_trace_options_default(void);

typedef struct cf_trace_progress {
    int64_t done, total; /* questions, the ones found in the study included */
    int64_t resumed;     /* of them found in the study */
    const char *task;    /* of the question just finished */
} cf_trace_progress;

typedef struct cf_trace_result {
    int64_t total, resumed, traced, wrong, faults;
    int64_t runs;            /* knocked-out runs measured now */
    double row_layers;       /* decoder rows through layers that were computed now, from the counters of the products */
    double row_layers_plain; /* what one whole forward pass per run would have computed */
    double seconds;          /* of tracing, without loading */
    bool row_invariant;
    double reuse_error; /* largest |probability difference| to recomputation on the sample checked, where products are
                           not row-invariant; else 0 */
    int64_t reuse_checked; /* runs in that check */
    char notes[1024];      /* the choices made: dtype, backend; then a line for each question set with a note */
} cf_trace_result;

/* Called once before the first question (done = 0) and after each. May be NULL. */
typedef void (*cf_trace_listener)(void *user, const cf_trace_progress *p);

/* Runs or continues the study. Faults of the model, the questions or the study file end it; a fault of one question is
 * stored and counted. Each question is committed whole, so a run that ends anywhere is continued by the same call.
 * CF_MISMATCH at the end where no question ran, or under strict where one had a fault. */
CF_MUST_USE cf_status cf_trace(cf_trace_result *out, const cf_trace_options *o, cf_trace_listener listen, void *user,
                               cf_error *err);

#endif
