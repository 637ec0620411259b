/* sweep.h - all runs of a plan on one sample, layer by layer, each state computed once (docs: ARCHITECTURE.md, "The
 * sweep"). */
#ifndef CF_ENGINE_SWEEP_H
#define CF_ENGINE_SWEEP_H

#include "engine/session.h"
#include "knockout/plan.h"

/* Who takes the results, as they come. Logits are [vocab_size] rows in host memory, valid during the call. */
typedef struct cf_sweep_reader {
    void *user;
    /* logits of a run at the last prompt position and at each forced one: [1 + n_forced, vocab_size]. Once for every
     * run of the plan that has a number, in no promised order; runs that are the baseline bring the baseline's. */
    void (*run)(void *user, size_t run, const float *logits);
    bool runs_at_once; /* run may be called by several threads at once, for a run each */
    /* Unless NULL, the lens: entry layer + 1 of the runs below `node`, at the last prompt position. Not called where the
     * node leaves that position as it is in the baseline. */
    void (*lens)(void *user, int32_t layer, int32_t node, const float *logits);
    bool lens_normed; /* the final norm before every entry, not only the last */
    /* For tests, unless NULL: the rows that a node has just computed (host copies), positions pos[n], rows[n,
     * hidden_size]: the output of `layer`. */
    void (*tap)(void *user, int32_t layer, int32_t node, const int32_t *pos, const float *rows, int64_t n, int64_t d);
} cf_sweep_reader;

/* The plan is over the session's prompt and what was forced after it (cf_session_force); the session's baseline must
 * have kept rows from plan->lowest on. */
CF_MUST_USE cf_status cf_sweep(cf_session *s, const cf_plan *plan, const cf_sweep_reader *reader, cf_error *err);
/* The same of several sessions, layer by layer together (session.h); readers are called in turns. */
typedef struct cf_sweep_task {
    cf_session *session;
    const cf_plan *plan;
    const cf_sweep_reader *reader;
} cf_sweep_task;
CF_MUST_USE cf_status cf_sweeps(const cf_sweep_task *tasks, size_t n, cf_error *err);

#endif
