/* run_values.c - see run_values.h. */
#include "study/run_values.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "engine/generate_run.h"

static const cf_scores no_scores = {NAN, NAN, NAN, NAN, NAN, NAN, -1};

cf_status cf_run_values_begin(cf_run_values *v, const cf_study *s, const cf_asked *asked, cf_error *err)
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
    cf_score(&v->baseline, asked, cf_session_logits(s->session), v->vocab);
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

static cf_status generate(cf_str *text, cf_study *s, const cf_plan *plan, size_t run, cf_error *err)
{
    void *ids = NULL;
    int32_t n = 0;
    cf_status st = cf_alloc(&ids, (size_t)s->o->max_new_tokens, sizeof(int32_t), "answer tokens", err);
    if (st == CF_OK)
        st = cf_session_generate_run(s->session, plan, run, ids, &n, s->o->max_new_tokens, err);
    if (st == CF_OK)
        st = cf_answer_text(text, &s->runtime, ids, n, err);
    free(ids);
    return st;
}

cf_status cf_run_answers_make(cf_run_answers *a, cf_study *s, const cf_plan *plan, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str text = {0};
    char *copy = NULL;
    void *items = a->items;
    clear_answers(a);
    CF_TRY(cf_grow(&items, &a->cap, plan->n_runs, sizeof *a->items, "answers", err));
    a->items = items;
    for (size_t i = 0; i < plan->n_runs; i++) {
        if (plan->runs[i].status == CF_RUN_FULLY_CUT || plan->runs[i].status == CF_RUN_TOO_FEW_KEYS)
            continue;
        const char *known = same_state(a, plan, s->runs.ids, i);
        cf_str_clear(&text);
        if (known)
            CF_TRY(cf_str_add_text(&text, known, err));
        else
            CF_TRY(generate(&text, s, plan, i, err));
        CF_TRY(cf_strdup(&copy, cf_str_slice(&text), err));
        a->items[a->n++] = (cf_run_answer){s->runs.ids[i], copy};
    }
done:
    cf_str_deinit(&text);
    return st;
}
