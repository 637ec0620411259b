/* trace.c - the knockout job of a study: the runs of each kept sample, by the sweep or from scratch, and their scores. */
#include "study/trace.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "engine/generate_run.h"
#include "engine/oracle.h"
#include "engine/sweep.h"
#include "study/run_values.h"
#include "study/study.h"
#include "study/study_facts.h"

typedef struct tracer {
    cf_sample_plan planned; /* of the prompt alone */
    cf_run_values values;
    cf_run_answers answers;
    float *logits; /* [vocab or more] the oracle's */
    size_t cap_logits;
} tracer;

static cf_status add_facts(cf_facts *f, const cf_study_options *o, cf_error *err)
{
    static const struct {
        unsigned bit;
        const char *name;
    } scores[] = {{CF_SCORE_TRUE, "true"},
                  {CF_SCORE_WHOLE, "whole"},
                  {CF_SCORE_DIFFERENCE, "difference"},
                  {CF_SCORE_RANK, "rank"},
                  {CF_SCORE_GREEDY, "greedy"}};
    cf_status st = CF_OK;
    cf_str text = {0};
    CF_TRY(cf_str_add_text(&text, "first", err));
    for (size_t i = 0; i < sizeof scores / sizeof scores[0]; i++)
        if (o->scores & scores[i].bit)
            CF_TRY(cf_str_addf(&text, err, ",%s", scores[i].name));
    CF_TRY(cf_facts_add_text(f, true, "scores", text.data, err));
    CF_TRY(cf_facts_add_text(f, true, "generate", o->generate ? "yes" : "no", err));
done:
    cf_str_deinit(&text);
    return st;
}

static cf_status plan_sample(void *user, cf_study *s, const cf_study_sample *x, int32_t *keep_from, cf_error *err)
{
    tracer *t = user;
    cf_sample_plan_deinit(&t->planned);
    const cf_status st = cf_sample_plan_create(&t->planned, &s->runs, &x->scene, x->row, 0, err);
    if (st == CF_OK)
        *keep_from = t->planned.plan->lowest;
    return st;
}

/* ---- from scratch ---- */

/* One run from scratch: what the sweep is compared with. Its logits stay in t->logits. */
static cf_status run_oracle(tracer *t, cf_study *s, const cf_study_sample *x, const cf_asked *asked,
                            const cf_plan_run *run, int64_t *macs, cf_error *err)
{
    const int64_t vocab = cf_checkpoint_config(s->runtime.checkpoint)->text.vocab_size;
    const cf_oracle_run as_asked = {run->parts, run->window, asked->answer, asked->n_answer - 1};
    void *logits = t->logits;
    cf_status st =
        cf_grow(&logits, &t->cap_logits, (size_t)(asked->n_answer * vocab), sizeof *t->logits, "logits", err);
    t->logits = logits;
    if (st == CF_OK)
        st = cf_oracle_logits(s->runtime.model, &x->prepared.input, &as_asked, t->logits, macs, NULL, NULL, err);
    return st;
}

/* Every run that is not the baseline, from scratch. */
static cf_status run_all_oracles(tracer *t, cf_study *s, const cf_study_sample *x, const cf_sample_plan *p,
                                 cf_error *err)
{
    for (size_t i = 0; i < s->runs.specs.n; i++) {
        const cf_run_status status = p->plan->runs[i].status;
        if (status == CF_RUN_PLANNED) {
            const cf_status st = run_oracle(t, s, x, &t->values.asked, &p->runs[i], &s->other_macs, err);
            if (st != CF_OK)
                return st;
        }
        if (status != CF_RUN_FULLY_CUT && status != CF_RUN_TOO_FEW_KEYS)
            cf_run_values_take(&t->values, i, status == CF_RUN_PLANNED ? t->logits : cf_session_logits(s->session));
    }
    return CF_OK;
}

enum { DRIFT_RUNS = 24 }; /* about how many runs are recomputed, on the first question */

/* What reuse changes where products are not row-invariant: runs spread over the plan, recomputed and compared. */
static cf_status measure_drift(tracer *t, cf_study *s, const cf_study_sample *x, const cf_sample_plan *p, cf_error *err)
{
    const size_t stride = s->runs.specs.n / DRIFT_RUNS + 1;
    const int64_t vocab = cf_checkpoint_config(s->runtime.checkpoint)->text.vocab_size;
    for (size_t i = 0; i < s->runs.specs.n; i += stride) {
        if (p->plan->runs[i].status != CF_RUN_PLANNED)
            continue;
        const cf_status st = run_oracle(t, s, x, &t->values.asked, &p->runs[i], NULL, err);
        if (st != CF_OK)
            return st;
        const double fresh = cf_softmax_probability(t->logits, vocab, x->asked.first);
        s->result.reuse_error = fmax(s->result.reuse_error, fabs(fresh - t->values.scores[i].probability));
        s->result.reuse_checked++;
    }
    return CF_OK;
}

/* ---- by the sweep ---- */

static void take_run(void *user, size_t run, const float *logits)
{
    cf_run_values_take(user, run, logits);
}

static cf_status run_sweep(tracer *t, cf_study *s, const cf_study_sample *x, const cf_sample_plan *p, cf_error *err)
{
    const cf_sweep_reader reader = {.user = &t->values, .run = take_run};
    cf_status st = cf_sweep(s->session, p->plan, &reader, err);
    if (st == CF_OK && !s->runtime.row_invariant && s->result.reuse_checked == 0)
        st = measure_drift(t, s, x, p, err);
    return st;
}

/* ---- a sample ---- */

static cf_status generate(tracer *t, cf_study *s, const cf_study_sample *x, cf_error *err)
{
    cf_status st = CF_OK;
    cf_sample_plan p = {0};
    CF_TRY(cf_sample_plan_create(&p, &s->runs, &x->scene, x->row, s->o->max_new_tokens, err));
    CF_TRY(cf_run_answers_make(&t->answers, s, p.plan, err));
done:
    cf_sample_plan_deinit(&p);
    return st;
}

static cf_status measure_sample(void *user, cf_study *s, const cf_study_sample *x, cf_results *out, cf_error *err)
{
    tracer *t = user;
    cf_status st = CF_OK;
    cf_sample_plan extended = {0};
    const cf_sample_plan *p = &t->planned;
    cf_asked asked = x->asked;
    if (!(s->o->scores & CF_SCORE_WHOLE))
        asked.n_answer = 1;
    CF_TRY(cf_session_force(s->session, asked.answer, asked.n_answer - 1, err));
    if (asked.n_answer > 1) {
        CF_TRY(cf_sample_plan_create(&extended, &s->runs, &x->scene, x->row, asked.n_answer - 1, err));
        p = &extended;
    }
    CF_TRY(cf_run_values_begin(&t->values, s, &asked, err));
    if (s->o->reuse)
        CF_TRY(run_sweep(t, s, x, p, err));
    else
        CF_TRY(run_all_oracles(t, s, x, p, err));
    cf_run_values_finish(&t->values, s, p->plan, out);
    if (s->o->generate) {
        CF_TRY(generate(t, s, x, err));
        out->answers = t->answers.items;
        out->n_answers = t->answers.n;
    }
    s->result.runs += (int64_t)s->runs.specs.n;
    s->result.row_layers_plain += (double)(s->runs.specs.n + 1) * (double)p->plan->length * (double)p->plan->n_layers;
done:
    cf_sample_plan_deinit(&extended);
    return st;
}

static cf_status finish(void *user, cf_study *s, cf_error *err)
{
    (void)user;
    const cf_study_result *r = &s->result;
    cf_status st = CF_OK;
    cf_str drift = {0};
    CF_TRY(cf_str_addf(&drift, err, "%.3g in probability over %lld runs", r->reuse_error, (long long)r->reuse_checked));
    const cf_fact fact = {"largest difference to recomputing", drift.data, false};
    if (r->reuse_checked)
        CF_TRY(cf_store_renew_facts(s->store, &fact, 1, err));
    CF_TRY(cf_store_put_statistics(s->store, err));
done:
    cf_str_deinit(&drift);
    return st;
}

cf_status cf_trace(cf_study_result *out, const cf_study_options *o, cf_study_listener listen, void *user, cf_error *err)
{
    tracer t = {0};
    const cf_study_job job = {.name = "knockout",
                              .default_flows = "paper",
                              .user = &t,
                              .add_facts = add_facts,
                              .plan = plan_sample,
                              .measure = measure_sample,
                              .finish = finish};
    const cf_status st = cf_study_run(out, o, &job, listen, user, err);
    cf_sample_plan_deinit(&t.planned);
    cf_run_values_deinit(&t.values);
    cf_run_answers_deinit(&t.answers);
    free(t.logits);
    return st;
}
