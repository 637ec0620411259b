/* trace.c - the knockout job of a study: the runs of each kept sample, by the sweep or from scratch, and their scores. */
#include "study/trace.h"

#include <stdlib.h>

#include "base/memory.h"
#include "engine/sweep.h"
#include "study/recompute.h"
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
    cf_recompute recompute;
} tracer;

cf_status cf_trace_add_facts(cf_facts *f, const cf_study_options *o, cf_error *err)
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
        out->readers[i] = (cf_sweep_reader){.user = &p->values, .run = take_run, .runs_at_once = true};
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
    if (s->o->reuse)
        CF_TRY(cf_sweeps(tasks->sweeps, n, err));
    for (size_t i = 0; i < n; i++) {
        traced *p = &t->places[samples[i]->place];
        const cf_recompute_task task = {samples[i], p->plan, &p->values, 0};
        CF_TRY(s->o->reuse ? cf_recompute_check(&t->recompute, s, &task, err)
                           : cf_recompute_runs(&t->recompute, s, &task, err));
    }
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
    const cf_status st = cf_recompute_store(s, err);
    return st == CF_OK ? cf_store_put_statistics(s->store, err) : st;
}

cf_status cf_trace(cf_study_result *out, const cf_study_options *o, cf_study_listener listen, void *user, cf_error *err)
{
    tracer t = {0};
    const cf_study_job job = {.name = "knockout",
                              .default_flows = "paper",
                              .user = &t,
                              .add_facts = cf_trace_add_facts,
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
    cf_recompute_deinit(&t.recompute);
    return st;
}
