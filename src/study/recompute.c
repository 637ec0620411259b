/* recompute.c - see recompute.h. */
#include "study/recompute.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "engine/oracle.h"

enum { CHECKED_RUNS = 24 }; /* about how many */

/* One run, into r->logits. macs: NULL, or increased by the decoder's multiply-adds. */
static cf_status run_from_scratch(cf_recompute *r, const cf_study *s, const cf_recompute_task *t, size_t run,
                                  int64_t *macs, cf_error *err)
{
    const cf_asked *asked = &t->values->asked;
    const cf_plan_run *what = &t->planned->runs[run];
    const cf_oracle_run as_asked = {what->parts, what->window, asked->answer, asked->n_answer - 1};
    const size_t n = (size_t)(asked->n_answer * t->values->vocab);
    void *logits = r->logits;
    const cf_status st = cf_grow(&logits, &r->cap, n, sizeof *r->logits, "logits", err);
    r->logits = logits;
    if (st != CF_OK)
        return st;
    return cf_oracle_logits(s->runtime.model, &t->sample->prepared.input, &as_asked, r->logits, macs, NULL, NULL, err);
}

cf_status cf_recompute_runs(cf_recompute *r, cf_study *s, const cf_recompute_task *t, cf_error *err)
{
    const cf_plan *plan = t->planned->plan;
    const float *baseline = cf_session_logits(t->sample->session);
    for (size_t i = 0; i < plan->n_runs; i++) {
        const cf_run_status status = plan->runs[i].status;
        if (status == CF_RUN_PLANNED) {
            const cf_status st = run_from_scratch(r, s, t, i, &s->other_macs, err);
            if (st != CF_OK)
                return st;
        }
        if (cf_run_has_number(&plan->runs[i]))
            cf_run_values_take(t->values, t->first + i, status == CF_RUN_PLANNED ? r->logits : baseline);
    }
    return CF_OK;
}

cf_status cf_recompute_check(cf_recompute *r, cf_study *s, const cf_recompute_task *t, cf_error *err)
{
    const cf_plan *plan = t->planned->plan;
    const cf_run_values *v = t->values;
    if (s->runtime.row_invariant || s->result.reuse_checked)
        return CF_OK;
    for (size_t i = 0; i < plan->n_runs; i += plan->n_runs / CHECKED_RUNS + 1) {
        if (plan->runs[i].status != CF_RUN_PLANNED)
            continue;
        const cf_status st = run_from_scratch(r, s, t, i, NULL, err);
        if (st != CF_OK)
            return st;
        const double fresh = cf_softmax_probability(r->logits, v->vocab, v->asked.first);
        s->result.reuse_error = fmax(s->result.reuse_error, fabs(fresh - v->scores[t->first + i].probability));
        s->result.reuse_checked++;
    }
    return CF_OK;
}

cf_status cf_recompute_store(const cf_study *s, cf_error *err)
{
    const cf_study_result *r = &s->result;
    cf_str difference = {0};
    if (!r->reuse_checked)
        return CF_OK;
    cf_status st = cf_str_addf(&difference, err, "%.3g in probability over %lld runs", r->reuse_error,
                               (long long)r->reuse_checked);
    const cf_fact fact = {"largest difference to recomputing", difference.data, false};
    if (st == CF_OK)
        st = cf_store_renew_facts(s->store, &fact, 1, err);
    cf_str_deinit(&difference);
    return st;
}

void cf_recompute_deinit(cf_recompute *r)
{
    free(r->logits);
    *r = (cf_recompute){0};
}
