/* trace.c - the knockout job of a study: the runs of each kept sample, by the sweep or from scratch, and their scores. */
#include "study/trace.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "engine/oracle.h"
#include "engine/sweep.h"
#include "study/run_values.h"
#include "study/study.h"
#include "study/study_facts.h"

/* A sample in flight. */
typedef struct traced {
    cf_sample_plan planned;     /* of the prompt alone */
    cf_sample_plan forced;      /* and of the answer after it, where that is scored too */
    cf_sample_plan generated;   /* and of whatever is generated after it, where asked for */
    const cf_sample_plan *plan; /* the one that is swept */
    cf_run_values values;
    cf_run_answers answers;
    cf_asked asked; /* as far as it is scored */
} traced;

typedef struct tracer {
    traced *places; /* [n_places] of the study */
    size_t n_places;
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

static cf_status open_places(void *user, cf_study *s, cf_error *err)
{
    tracer *t = user;
    void *places = NULL;
    const cf_status st = cf_alloc(&places, s->n_places, sizeof *t->places, "samples", err);
    if (st == CF_OK) {
        t->places = places;
        t->n_places = s->n_places;
    }
    return st;
}

static cf_status plan_sample(void *user, cf_study *s, const cf_study_sample *x, int32_t *keep_from, cf_error *err)
{
    const tracer *t = user;
    traced *p = &t->places[x->place];
    cf_sample_plan_deinit(&p->planned);
    const cf_status st = cf_sample_plan_create(&p->planned, &s->runs, &x->scene, x->row, 0, err);
    if (st == CF_OK)
        *keep_from = p->planned.plan->lowest;
    return st;
}

/* The plans over the positions after the prompt, now that the answer is known. */
static cf_status ready_sample(void *user, cf_study *s, const cf_study_sample *x, cf_error *err)
{
    const tracer *t = user;
    traced *p = &t->places[x->place];
    cf_status st = CF_OK;
    p->asked = x->asked;
    if (!(s->o->scores & CF_SCORE_WHOLE))
        p->asked.n_answer = 1;
    p->plan = &p->planned;
    if (p->asked.n_answer > 1) {
        cf_sample_plan_deinit(&p->forced);
        CF_TRY(cf_sample_plan_create(&p->forced, &s->runs, &x->scene, x->row, p->asked.n_answer - 1, err));
        p->plan = &p->forced;
    }
    if (s->o->generate) {
        cf_sample_plan_deinit(&p->generated);
        CF_TRY(cf_sample_plan_create(&p->generated, &s->runs, &x->scene, x->row, s->o->max_new_tokens, err));
    }
done:
    return st;
}

/* ---- from scratch ---- */

/* One run from scratch: what the sweep is compared with. Its logits stay in t->logits. */
static cf_status run_oracle(tracer *t, const cf_study *s, const cf_study_sample *x, const cf_asked *asked,
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
static cf_status run_all_oracles(tracer *t, cf_study *s, const cf_study_sample *x, cf_error *err)
{
    traced *p = &t->places[x->place];
    for (size_t i = 0; i < s->runs.specs.n; i++) {
        const cf_run_status status = p->plan->plan->runs[i].status;
        if (status == CF_RUN_PLANNED) {
            const cf_status st = run_oracle(t, s, x, &p->asked, &p->plan->runs[i], &s->other_macs, err);
            if (st != CF_OK)
                return st;
        }
        if (status != CF_RUN_FULLY_CUT && status != CF_RUN_TOO_FEW_KEYS)
            cf_run_values_take(&p->values, i, status == CF_RUN_PLANNED ? t->logits : cf_session_logits(x->session));
    }
    return CF_OK;
}

enum { DRIFT_RUNS = 24 }; /* about how many runs are recomputed, on the first question */

/* What reuse changes where products are not row-invariant: runs spread over the plan, recomputed and compared. */
static cf_status measure_drift(tracer *t, cf_study *s, const cf_study_sample *x, cf_error *err)
{
    const traced *p = &t->places[x->place];
    const size_t stride = s->runs.specs.n / DRIFT_RUNS + 1;
    const int64_t vocab = cf_checkpoint_config(s->runtime.checkpoint)->text.vocab_size;
    for (size_t i = 0; i < s->runs.specs.n; i += stride) {
        if (p->plan->plan->runs[i].status != CF_RUN_PLANNED)
            continue;
        const cf_status st = run_oracle(t, s, x, &p->asked, &p->plan->runs[i], NULL, err);
        if (st != CF_OK)
            return st;
        const double fresh = cf_softmax_probability(t->logits, vocab, x->asked.first);
        s->result.reuse_error = fmax(s->result.reuse_error, fabs(fresh - p->values.scores[i].probability));
        s->result.reuse_checked++;
    }
    return CF_OK;
}

/* ---- by the sweep ---- */

static void take_run(void *user, size_t run, const float *logits)
{
    cf_run_values_take(user, run, logits);
}

typedef struct joint_tasks { /* [n] each, a task for every sample */
    cf_force_task *force;
    cf_sweep_reader *readers;
    cf_sweep_task *sweeps;
    cf_answers_task *answers;
} joint_tasks;

static cf_status create_tasks(joint_tasks *out, const tracer *t, cf_study_sample *const *samples, size_t n,
                              cf_error *err)
{
    cf_status st = CF_OK;
    void *memory = NULL;
    CF_TRY(cf_alloc(&memory, n, sizeof *out->force, "tasks", err));
    out->force = memory;
    CF_TRY(cf_alloc(&memory, n, sizeof *out->readers, "tasks", err));
    out->readers = memory;
    CF_TRY(cf_alloc(&memory, n, sizeof *out->sweeps, "tasks", err));
    out->sweeps = memory;
    CF_TRY(cf_alloc(&memory, n, sizeof *out->answers, "tasks", err));
    out->answers = memory;
    for (size_t i = 0; i < n; i++) {
        cf_session *session = samples[i]->session;
        traced *p = &t->places[samples[i]->place];
        out->force[i] = (cf_force_task){session, p->asked.answer, p->asked.n_answer - 1};
        out->readers[i] = (cf_sweep_reader){.user = &p->values, .run = take_run};
        out->sweeps[i] = (cf_sweep_task){session, p->plan->plan, &out->readers[i]};
        out->answers[i] = (cf_answers_task){&p->answers, session, p->generated.plan};
    }
done:
    return st;
}

static void free_tasks(joint_tasks *t)
{
    free(t->force);
    free(t->readers);
    free(t->sweeps);
    free(t->answers);
}

/* ---- the samples in flight ---- */

static cf_status score_runs(tracer *t, cf_study *s, cf_study_sample *const *samples, size_t n, const joint_tasks *tasks,
                            cf_error *err)
{
    cf_status st = CF_OK;
    if (s->o->reuse) {
        CF_TRY(cf_sweeps(tasks->sweeps, n, err));
        if (!s->runtime.row_invariant && s->result.reuse_checked == 0)
            CF_TRY(measure_drift(t, s, samples[0], err));
    }
    for (size_t i = 0; i < n && !s->o->reuse; i++)
        CF_TRY(run_all_oracles(t, s, samples[i], err));
done:
    return st;
}

static void finish_sample(tracer *t, cf_study *s, cf_study_sample *x)
{
    traced *p = &t->places[x->place];
    const cf_plan *plan = p->plan->plan;
    cf_run_values_finish(&p->values, s, plan, &x->results);
    if (s->o->generate) {
        x->results.answers = p->answers.items;
        x->results.n_answers = p->answers.n;
    }
    s->result.runs += (int64_t)s->runs.specs.n;
    s->result.row_layers_plain += (double)(s->runs.specs.n + 1) * (double)plan->length * (double)plan->n_layers;
}

static cf_status measure_samples(void *user, cf_study *s, cf_study_sample *const *samples, size_t n, cf_error *err)
{
    tracer *t = user;
    cf_status st = CF_OK;
    joint_tasks tasks = {0};
    CF_TRY(create_tasks(&tasks, t, samples, n, err));
    CF_TRY(cf_sessions_force(tasks.force, n, err));
    for (size_t i = 0; i < n; i++) {
        traced *p = &t->places[samples[i]->place];
        CF_TRY(cf_run_values_begin(&p->values, s, &p->asked, cf_session_logits(samples[i]->session), err));
    }
    CF_TRY(score_runs(t, s, samples, n, &tasks, err));
    if (s->o->generate)
        CF_TRY(cf_run_answers_make(tasks.answers, n, s, err));
    for (size_t i = 0; i < n; i++)
        finish_sample(t, s, samples[i]);
done:
    free_tasks(&tasks);
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
                              .open = open_places,
                              .plan = plan_sample,
                              .ready = ready_sample,
                              .measure = measure_samples,
                              .finish = finish};
    const cf_status st = cf_study_run(out, o, &job, listen, user, err);
    for (size_t i = 0; i < t.n_places; i++) {
        cf_sample_plan_deinit(&t.places[i].planned);
        cf_sample_plan_deinit(&t.places[i].forced);
        cf_sample_plan_deinit(&t.places[i].generated);
        cf_run_values_deinit(&t.places[i].values);
        cf_run_answers_deinit(&t.places[i].answers);
    }
    free(t.places);
    free(t.logits);
    return st;
}
