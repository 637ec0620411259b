/* generate_run.h - what the model says in a knocked-out run: greedy decoding with the cuts in force. */
#ifndef CF_ENGINE_GENERATE_RUN_H
#define CF_ENGINE_GENERATE_RUN_H

#include "engine/session.h"
#include "knockout/plan.h"

/* As cf_session_generate, for one run of a plan over length + max_new_tokens positions, so that its spans say what holds
 * for the new ones (the session's prompt, max_new_tokens of begin, and the baseline's kept rows are enough; what was
 * forced is gone afterwards). The run has a number. Its rows take the place of the baseline's keys and values while it lasts; these are
 * computed again at the end. After a failure the session needs a new begin and baseline. */
CF_MUST_USE cf_status cf_session_generate_run(cf_session *s, const cf_plan *plan, size_t run, int32_t *ids, int32_t *n,
                                              int32_t max_new_tokens, cf_error *err);
/* The same of several sessions, layer by layer together (session.h). */
typedef struct cf_generate_run_task {
    cf_session *session;
    const cf_plan *plan;
    size_t run;
    int32_t *ids; /* [max_new_tokens] */
    int32_t n;    /* out */
} cf_generate_run_task;
CF_MUST_USE cf_status cf_sessions_generate_run(cf_generate_run_task *tasks, size_t n, int32_t max_new_tokens,
                                               cf_error *err);

#endif
