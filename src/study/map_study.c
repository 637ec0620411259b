/* map_study.c - the map job of a study: the runs of each kept sample, portion by portion, and what was known of it
 * when the study was left.
 *
 * Invariants
 * (1) One sample is in flight (map_open.h): what is planned of it stays until it is measured.
 * (2) Portions follow from the sample and the runs alone, so a study that is continued has the same ones.
 * (3) A run whose value was kept is not measured again: the kept values stand in its place. */
#include "study/map_study.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "engine/sweep.h"
#include "study/map_open.h"
#include "study/recompute.h"
#include "study/run_chunks.h"
#include "study/run_values.h"
#include "study/study.h"
#include "study/study_facts.h"
#include "study/trace.h"

typedef struct mapper {
    cf_study_listener listen;
    void *user;
    cf_study_progress progress; /* in runs */
    size_t n_runs;              /* of a sample */
    /* of the sample at hand */
    cf_asked asked; /* as far as it is scored */
    cf_run_chunks chunks;
    cf_planned_run *planned; /* [runs] */
    bool *known;             /* [runs] kept when the study was left */
    cf_value *kept;          /* those values, by run and measure's name */
    size_t n_kept;
    cf_run_values values;
    size_t chunk_begin; /* of the portion being swept */
    size_t unkept;      /* runs before it are kept, or were */
    int64_t kept_ns;    /* when */
    cf_recompute recompute;
} mapper;

static cf_status add_facts(cf_facts *f, const cf_study_options *o, cf_error *err)
{
    const cf_map_options *m = o->map;
    cf_status st = CF_OK;
    CF_TRY(cf_facts_add_text(f, true, "map", cf_map_kind_name(m->kind), err));
    if (m->kind == CF_MAP_HEADS)
        CF_TRY(cf_facts_add_text(f, true, "map flow", m->flow, err));
    else {
        CF_TRY(cf_facts_add_text(f, true, "map to", m->to, err));
        CF_TRY(cf_facts_add_number(f, true, "map tile", m->tile, err));
        CF_TRY(cf_facts_add_text(f, true, "map grids", m->grids, err));
    }
    CF_TRY(cf_trace_add_facts(f, o, err));
done:
    return st;
}

static cf_status open_job(void *user, cf_study *s, cf_error *err)
{
    mapper *m = user;
    cf_status st = CF_OK;
    void *planned = NULL, *known = NULL;
    m->n_runs = s->runs.specs.n;
    CF_TRY(cf_alloc(&planned, m->n_runs, sizeof *m->planned, "runs of a sample", err));
    m->planned = planned;
    CF_TRY(cf_alloc(&known, m->n_runs, sizeof *m->known, "runs of a sample", err));
    m->known = known;
done:
    return st;
}

static cf_status plan_sample(void *user, cf_study *s, const cf_study_sample *x, int32_t *keep_from, cf_error *err)
{
    mapper *m = user;
    const cf_status st = cf_run_chunks_make(&m->chunks, &s->runs, &x->scene, x->row, 0, err);
    if (st == CF_OK)
        *keep_from = m->chunks.lowest;
    return st;
}

/* The portions over the positions after the prompt, now that the answer is known. */
static cf_status ready_sample(void *user, cf_study *s, const cf_study_sample *x, cf_error *err)
{
    mapper *m = user;
    m->asked = x->asked;
    if (!(s->o->scores & CF_SCORE_WHOLE))
        m->asked.n_answer = 1;
    const int32_t n_after = m->asked.n_answer - 1;
    return n_after ? cf_run_chunks_make(&m->chunks, &s->runs, &x->scene, x->row, n_after, err) : CF_OK;
}

/* ---- what was known when the study was left ---- */

/* Calls each for every kept value of a run of the study: both lists are in the order of runs. */
static void each_kept(mapper *m, const int64_t *ids, void (*each)(mapper *m, size_t run, const cf_value *v))
{
    for (size_t i = 0, k = 0; i < m->n_runs && k < m->n_kept;) {
        if (m->kept[k].run > ids[i])
            i++;
        else if (m->kept[k].run < ids[i])
            k++;
        else
            each(m, i, &m->kept[k++]);
    }
}

static void note_known(mapper *m, size_t run, const cf_value *v)
{
    m->known[run] = m->known[run] || v->measure == CF_MEASURE_PROBABILITY;
}

/* In the place of the value that was not measured. */
static void put_back(mapper *m, size_t run, const cf_value *v)
{
    for (size_t i = run; m->known[run] && i < m->values.n_values; i += m->n_runs) /* measure by measure */
        if (m->values.values[i].measure == v->measure)
            m->values.values[i] = *v;
}

static cf_status read_kept(mapper *m, cf_study *s, const cf_study_sample *x, cf_error *err)
{
    free(m->kept);
    m->kept = NULL;
    m->n_kept = 0;
    memset(m->known, 0, m->n_runs * sizeof *m->known);
    const cf_status st = cf_store_unfinished(s->store, &m->kept, &m->n_kept, x->task, x->row, err);
    if (st == CF_OK)
        each_kept(m, s->runs.ids, note_known);
    return st;
}

static bool all_known(const mapper *m, size_t begin, size_t end)
{
    for (size_t i = begin; i < end; i++)
        if (!m->known[i])
            return false;
    return true;
}

/* Keeps the values of the runs up to `end`, where the last ones were kept some time ago. */
static cf_status keep_values(mapper *m, cf_study *s, const cf_study_sample *x, size_t end, cf_error *err)
{
    const int64_t now = cf_clock_ns();
    const cf_plan plan = {.runs = m->planned, .n_runs = m->n_runs};
    cf_results all = {0};
    cf_status st = CF_OK;
    void *memory = NULL;
    size_t n = 0;
    if (now - m->kept_ns < s->o->keep_every_ns)
        return CF_OK;
    cf_run_values_finish(&m->values, s, &plan, &all);
    CF_TRY(cf_alloc(&memory, all.n_values, sizeof(cf_value), "values", err));
    cf_value *values = memory;
    for (size_t i = 0; i < all.n_values; i++) /* measure by measure, each in the order of the runs */
        if (i % m->n_runs >= m->unkept && i % m->n_runs < end && !m->known[i % m->n_runs])
            values[n++] = all.values[i];
    CF_TRY(cf_store_put_unfinished(s->store, x->task, x->row, values, n, err));
    m->unkept = end;
    m->kept_ns = cf_clock_ns();
done:
    free(memory);
    return st;
}

/* ---- a portion ---- */

static void take_run(void *user, size_t run, const float *logits)
{
    mapper *m = user;
    cf_run_values_take(&m->values, m->chunk_begin + run, logits);
}

static cf_status measure_portion(mapper *m, cf_study *s, const cf_study_sample *x, size_t end, cf_error *err)
{
    const cf_sweep_reader reader = {.user = m, .run = take_run, .runs_at_once = true};
    const int32_t n_after = m->asked.n_answer - 1;
    cf_status st = CF_OK;
    cf_sample_plan p = {0};
    const cf_recompute_task task = {x, &p, &m->values, m->chunk_begin};
    CF_TRY(cf_sample_plan_create_some(&p, &s->runs, m->chunk_begin, end, &x->scene, x->row, n_after, err));
    memcpy(m->planned + m->chunk_begin, p.plan->runs, p.plan->n_runs * sizeof *m->planned);
    if (s->o->reuse) {
        CF_TRY(cf_sweep(x->session, p.plan, &reader, err));
        CF_TRY(cf_recompute_check(&m->recompute, s, &task, err));
    } else
        CF_TRY(cf_recompute_runs(&m->recompute, s, &task, err));
    s->result.runs += (int64_t)p.plan->n_runs;
    s->result.row_layers_plain += (double)p.plan->n_runs * (double)p.plan->length * (double)p.plan->n_layers;
done:
    cf_sample_plan_deinit(&p);
    return st;
}

/* ---- a sample ---- */

static void tell(mapper *m, const char *task, size_t n_done, bool found)
{
    m->progress.done += (int64_t)n_done;
    m->progress.resumed += found ? (int64_t)n_done : 0;
    m->progress.task = task;
    if (m->listen)
        m->listen(m->user, &m->progress);
}

static cf_status measure_portions(mapper *m, cf_study *s, const cf_study_sample *x, cf_error *err)
{
    cf_status st = CF_OK;
    m->unkept = 0;
    m->kept_ns = cf_clock_ns();
    for (size_t i = 0; i < m->chunks.n; i++) {
        const size_t end = m->chunks.ends[i];
        m->chunk_begin = cf_run_chunk_begin(&m->chunks, i);
        const bool known = all_known(m, m->chunk_begin, end);
        if (!known) {
            memset(m->known + m->chunk_begin, 0, (end - m->chunk_begin) * sizeof *m->known);
            CF_TRY(measure_portion(m, s, x, end, err));
            if (end < m->n_runs)
                CF_TRY(keep_values(m, s, x, end, err));
        }
        tell(m, x->task, end - m->chunk_begin, known);
    }
done:
    return st;
}

static cf_status measure_sample(mapper *m, cf_study *s, cf_study_sample *x, cf_error *err)
{
    const cf_plan plan = {.runs = m->planned, .n_runs = m->n_runs};
    cf_status st = CF_OK;
    CF_TRY(cf_session_force(x->session, m->asked.answer, m->asked.n_answer - 1, err));
    CF_TRY(cf_run_values_begin(&m->values, s, &m->asked, cf_session_logits(x->session), err));
    CF_TRY(read_kept(m, s, x, err));
    CF_TRY(measure_portions(m, s, x, err));
    cf_run_values_finish(&m->values, s, &plan, &x->results);
    each_kept(m, s->runs.ids, put_back);
    s->result.row_layers_plain += (double)x->prepared.groups.length * (double)s->runs.n_layers;
done:
    return st;
}

static cf_status measure_samples(void *user, cf_study *s, cf_study_sample *const *samples, size_t n, cf_error *err)
{
    cf_status st = CF_OK;
    for (size_t i = 0; st == CF_OK && i < n; i++)
        st = measure_sample(user, s, samples[i], err);
    return st;
}

static cf_status finish(void *user, cf_study *s, cf_error *err)
{
    (void)user;
    const cf_status st = cf_recompute_store(s, err);
    return st == CF_OK ? cf_store_put_statistics(s->store, err) : st;
}

/* ---- the study ---- */

/* After each question: those found, left out or faulty count as all their runs. */
static void on_question(void *user, const cf_study_progress *p)
{
    mapper *m = user;
    const int64_t n_runs = m->progress.total / (p->total ? p->total : 1), done = p->done * n_runs;
    if (p->done && done == m->progress.done) /* told when its last portion was measured */
        return;
    m->progress.done = done;
    if (p->resumed * n_runs > m->progress.resumed)
        m->progress.resumed = p->resumed * n_runs;
    m->progress.task = p->task;
    if (m->listen)
        m->listen(m->user, &m->progress);
}

static cf_status count_runs(int64_t *out, const cf_map_opened *m, cf_error *err)
{
    cf_run_set runs = {0};
    const cf_text_config *text = &cf_checkpoint_config(m->runtime.checkpoint)->text;
    const cf_status st = cf_run_set_open(&runs, &m->options, NULL, text, err);
    if (st == CF_OK)
        *out = (int64_t)runs.specs.n;
    cf_run_set_close(&runs);
    return st;
}

cf_status cf_map_run(cf_study_result *out, const cf_study_options *o, cf_study_listener listen, void *user,
                     cf_error *err)
{
    cf_map_opened opened = {0};
    mapper m = {.listen = listen, .user = user, .progress = {.unit = "runs", .task = ""}};
    const cf_study_job job = {.name = "map",
                              .user = &m,
                              .add_facts = add_facts,
                              .open = open_job,
                              .plan = plan_sample,
                              .ready = ready_sample,
                              .measure = measure_samples,
                              .finish = finish};
    cf_status st = CF_OK;
    CF_TRY(cf_map_open(&opened, o, err));
    CF_TRY(count_runs(&m.progress.total, &opened, err));
    m.progress.total *= (int64_t)opened.list.n_items;
    st = cf_study_run(out, &opened.options, &job, on_question, &m, err);
done:
    cf_run_chunks_deinit(&m.chunks);
    cf_run_values_deinit(&m.values);
    cf_recompute_deinit(&m.recompute);
    free(m.planned);
    free(m.known);
    free(m.kept);
    cf_map_close(&opened);
    return st;
}
