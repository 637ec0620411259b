/* run_values.c - see run_values.h. */
#include "study/run_values.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "engine/generate_run.h"

static const cf_scores no_scores = {NAN, NAN, NAN, NAN, NAN, NAN, -1};

cf_status cf_run_values_begin(cf_run_values *v, const cf_study *s, const cf_asked *asked, const float *logits,
                              cf_error *err)
{
    const size_t n = s->runs.specs.n;
    cf_status st = CF_OK;
    void *scores = NULL, *values = NULL;
    if (!v->scores) {
        CF_TRY(cf_alloc(&scores, n, sizeof *v->scores, "scores", err));
        v->scores = scores;
        CF_TRY(cf_alloc(&values, n * CF_N_MEASURES, sizeof *v->values, "values", err));
        v->values = values;
    }
    v->asked = *asked;
    v->vocab = cf_checkpoint_config(s->runtime.checkpoint)->text.vocab_size;
    for (size_t i = 0; i < n; i++)
        v->scores[i] = no_scores;
    cf_score(&v->baseline, asked, logits, v->vocab);
done:
    return st;
}

void cf_run_values_take(cf_run_values *v, size_t run, const float *logits)
{
    cf_score(&v->scores[run], &v->asked, logits, v->vocab);
}

static double score_of(const cf_scores *s, cf_measure m)
{
    switch (m) {
    case CF_MEASURE_PROBABILITY:
        return s->probability;
    case CF_MEASURE_TRUE:
        return s->truth;
    case CF_MEASURE_WHOLE:
        return s->whole;
    case CF_MEASURE_DIFFERENCE:
        return s->difference;
    case CF_MEASURE_RANK:
        return s->rank;
    case CF_MEASURE_FLIP:
        return s->flip;
    case CF_MEASURE_TOP:
        return s->top < 0 ? (double)NAN : (double)s->top;
    case CF_N_MEASURES:
        break;
    }
    return (double)NAN;
}

static bool is_asked_for(cf_measure m, unsigned scores)
{
    static const unsigned bit[CF_N_MEASURES] = {[CF_MEASURE_TRUE] = CF_SCORE_TRUE,
                                                [CF_MEASURE_WHOLE] = CF_SCORE_WHOLE,
                                                [CF_MEASURE_DIFFERENCE] = CF_SCORE_DIFFERENCE,
                                                [CF_MEASURE_RANK] = CF_SCORE_RANK,
                                                [CF_MEASURE_FLIP] = CF_SCORE_GREEDY,
                                                [CF_MEASURE_TOP] = CF_SCORE_GREEDY};
    return m == CF_MEASURE_PROBABILITY || (scores & bit[m]) != 0;
}

static cf_value_flag flag_of(const cf_planned_run *r)
{
    switch (r->status) {
    case CF_RUN_NO_VISIBLE_EDGE:
        return CF_VALUE_NO_VISIBLE_EDGE;
    case CF_RUN_FULLY_CUT:
        return CF_VALUE_FULLY_CUT;
    case CF_RUN_TOO_FEW_KEYS:
        return CF_VALUE_TOO_FEW_KEYS;
    case CF_RUN_EMPTY_GROUP:
    case CF_RUN_PLANNED:
        break;
    }
    return r->empty_group ? CF_VALUE_EMPTY_GROUP : CF_VALUE_OK;
}

void cf_run_values_finish(cf_run_values *v, const cf_study *s, const cf_plan *plan, cf_results *out)
{
    v->n_values = v->n_baselines = 0;
    for (int m = 0; m < CF_N_MEASURES; m++) {
        const cf_measure measure = (cf_measure)m;
        const double baseline = score_of(&v->baseline, measure);
        if (!is_asked_for(measure, s->o->scores) || isnan(baseline)) /* a task without options has no difference */
            continue;
        if (measure != CF_MEASURE_PROBABILITY)
            v->baselines[v->n_baselines++] = (cf_baseline){measure, baseline};
        for (size_t i = 0; i < s->runs.specs.n; i++)
            v->values[v->n_values++] =
                (cf_value){s->runs.ids[i], measure, score_of(&v->scores[i], measure), flag_of(&plan->runs[i])};
    }
    out->values = v->values;
    out->n_values = v->n_values;
    out->baselines = v->baselines;
    out->n_baselines = v->n_baselines;
}

void cf_run_values_deinit(cf_run_values *v)
{
    free(v->scores);
    free(v->values);
    *v = (cf_run_values){0};
}

/* ---- generated answers ---- */

static void clear_answers(cf_run_answers *a)
{
    for (size_t i = 0; i < a->n; i++)
        free((char *)(uintptr_t)a->items[i].text);
    a->n = 0;
}

void cf_run_answers_deinit(cf_run_answers *a)
{
    clear_answers(a);
    free(a->items);
    *a = (cf_run_answers){0};
}

/* The text that an earlier run with the same state gave, or NULL. */
static const char *same_state(const cf_run_answers *a, const cf_plan *plan, const int64_t *ids, size_t run)
{
    for (size_t i = 0, at = 0; i < run && at < a->n; i++) {
        if (a->items[at].run != ids[i])
            continue;
        if (plan->runs[i].leaf == plan->runs[run].leaf)
            return a->items[at].text;
        at++;
    }
    return NULL;
}

static cf_status add_answer(cf_run_answers *a, int64_t run, cf_slice text, cf_error *err)
{
    char *copy = NULL;
    const cf_status st = cf_strdup(&copy, text, err);
    if (st == CF_OK)
        a->items[a->n++] = (cf_run_answer){run, copy};
    return st;
}

/* One run of every sample: generated where no earlier run of it was the same state. pending: [n], ids: [n,
 * max_new_tokens], both to work in. */
static cf_status answer_run(size_t run, const cf_answers_task *tasks, size_t n, const cf_study *s,
                            cf_generate_run_task *pending, int32_t *ids, cf_error *err)
{
    const int32_t most = s->o->max_new_tokens;
    cf_status st = CF_OK;
    cf_str text = {0};
    size_t n_pending = 0;
    for (size_t i = 0; i < n; i++) {
        const cf_answers_task *t = &tasks[i];
        if (!cf_run_has_number(&t->plan->runs[run]))
            continue;
        const char *known = same_state(t->answers, t->plan, s->runs.ids, run);
        if (known) {
            CF_TRY(add_answer(t->answers, s->runs.ids[run], cf_slice_of(known), err));
            continue;
        }
        pending[n_pending] = (cf_generate_run_task){t->session, t->plan, run, ids + (size_t)most * i, 0};
        n_pending++;
    }
    CF_TRY(cf_sessions_generate_run(pending, n_pending, most, err));
    for (size_t i = 0, at = 0; i < n && at < n_pending; i++) {
        if (tasks[i].session != pending[at].session)
            continue;
        cf_str_clear(&text);
        CF_TRY(cf_answer_text(&text, &s->runtime, pending[at].ids, pending[at].n, err));
        CF_TRY(add_answer(tasks[i].answers, s->runs.ids[run], cf_str_slice(&text), err));
        at++;
    }
done:
    cf_str_deinit(&text);
    return st;
}

cf_status cf_run_answers_make(const cf_answers_task *tasks, size_t n, const cf_study *s, cf_error *err)
{
    cf_status st = CF_OK;
    void *pending = NULL, *ids = NULL;
    CF_TRY(cf_alloc(&pending, n, sizeof(cf_generate_run_task), "answers", err));
    CF_TRY(cf_alloc(&ids, n * (size_t)s->o->max_new_tokens, sizeof(int32_t), "answer tokens", err));
    for (size_t i = 0; i < n; i++) {
        cf_run_answers *a = tasks[i].answers;
        void *items = a->items;
        clear_answers(a);
        CF_TRY(cf_grow(&items, &a->cap, s->runs.specs.n, sizeof *a->items, "answers", err));
        a->items = items;
    }
    for (size_t run = 0; run < s->runs.specs.n; run++)
        CF_TRY(answer_run(run, tasks, n, s, pending, ids, err));
done:
    free(pending);
    free(ids);
    return st;
}
