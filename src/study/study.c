/* study.c - see study.h: what comes before the first sample, the order of the questions, and what comes after the last. How
 * a sample is taken from its question to its row is in flight.c. */
#include "study/study.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "study/flight.h"
#include "study/study_facts.h"

cf_study_options cf_study_options_default(void)
{
    static const int32_t nine = 9;
    static const cf_window_style centre = CF_WINDOW_CENTRE;
    return (cf_study_options){.runtime = cf_runtime_options_default(),
                              .styles = &centre,
                              .n_styles = 1,
                              .windows = &nine,
                              .n_windows = 1,
                              .repeats = 1,
                              .seed = 1,
                              .max_new_tokens = 128,
                              .scores = CF_SCORE_TRUE,
                              .keep_every_ns = 10000000000,
                              .top = 50,
                              .reuse = true};
}

/* ---- opening ---- */

static cf_status open_store(cf_study *s, cf_error *err)
{
    cf_status st = CF_OK;
    cf_facts facts = {0};
    CF_TRY(cf_facts_of_study(&facts, s, err));
    CF_TRY(cf_store_create(&s->store, s->o->out, facts.items, facts.n, err));
    CF_TRY(cf_run_set_register(&s->runs, s->store, err));
done:
    cf_facts_deinit(&facts);
    return st;
}

static cf_status check_options(const cf_study_options *o, const cf_text_config *t, cf_error *err)
{
    if (o->max_new_tokens < 1 || o->max_new_tokens >= t->max_position_embeddings)
        return cf_fail(err, CF_USAGE,
                       "--max-new-tokens %d: expected 1 or more, and fewer than the model's %lld positions",
                       o->max_new_tokens, (long long)t->max_position_embeddings);
    if (o->top < 0 || o->top > t->vocab_size)
        return cf_fail(err, CF_USAGE, "--top %d: expected 0 to %lld, the size of the vocabulary", o->top,
                       (long long)t->vocab_size);
    return CF_OK;
}

/* Cheap refusals come before the weights are read. */
static cf_status open_study(cf_study *s, cf_error *err)
{
    const cf_study_options *o = s->o;
    cf_status st = CF_OK;
    CF_TRY(o->question_text ? cf_question_list_parse(&s->list, o->question_text, o->questions, o->limit, err)
                            : cf_question_list_open(&s->list, o->questions, o->scene_graphs, o->limit, err));
    CF_TRY(cf_picture_dir(&s->images, o->images, o->questions, err));
    CF_TRY(cf_runtime_open_files(&s->runtime, &o->runtime, err));
    const cf_text_config *t = &cf_checkpoint_config(s->runtime.checkpoint)->text;
    CF_TRY(check_options(o, t, err));
    CF_TRY(cf_run_set_open(&s->runs, o, s->job->default_flows, t, err));
    CF_TRY(cf_runtime_load(&s->runtime, &o->runtime, err));
    CF_TRY(cf_runtime_probe(&s->runtime, err));
    /* Where rows depend on how many are computed with them, results must not depend on how many questions fit in memory. */
    s->n_places = s->runtime.row_invariant || o->runtime.in_flight ? (size_t)s->runtime.in_flight : 1;
    if (s->job->open)
        CF_TRY(s->job->open(s->job->user, s, err));
    CF_TRY(open_store(s, err));
done:
    return st;
}

static void close_study(cf_study *s)
{
    cf_store_close(s->store);
    cf_run_set_close(&s->runs);
    cf_question_list_close(&s->list);
    free(s->images);
    cf_runtime_close(&s->runtime);
}

/* ---- the study ---- */

/* What this call did, as provenance of the study. */
static cf_status store_work(cf_study *s, cf_error *err)
{
    const cf_study_result *r = &s->result;
    cf_str work = {0};
    cf_status st = cf_str_addf(&work, err, "%.0f row-layers for %lld runs, %.0f one pass per run, %.1f s",
                               r->row_layers, (long long)r->runs, r->row_layers_plain, r->seconds);
    const cf_fact fact = {"work of the last call", work.data, false};
    if (st == CF_OK)
        st = cf_store_renew_facts(s->store, &fact, 1, err);
    cf_str_deinit(&work);
    return st;
}

static cf_status finish(cf_study *s, int64_t macs, int64_t started, cf_error *err)
{
    cf_study_result *r = &s->result;
    cf_store_counts counts;
    cf_status st = CF_OK;
    r->row_layers = (double)(macs + s->other_macs) / (double)cf_model_row_layer_macs(s->runtime.model);
    r->seconds = (double)(cf_clock_ns() - started) * 1e-9;
    CF_TRY(cf_store_count(s->store, &counts, err));
    r->wrong = counts.wrong;
    r->faults = counts.fault;
    if (r->traced)
        CF_TRY(store_work(s, err));
    if (s->job->finish)
        CF_TRY(s->job->finish(s->job->user, s, err));
    CF_TRY(cf_store_finish(s->store, err));
    if (counts.done + counts.wrong == 0)
        st = cf_fail(err, CF_MISMATCH, "%s: no question ran; all %lld had a fault (crossflow show lists the reasons)",
                     s->o->out, (long long)counts.fault);
    else if (s->o->strict && counts.fault)
        st = cf_fail(err, CF_MISMATCH, "%s: %lld questions had a fault (--strict; crossflow show lists the reasons)",
                     s->o->out, (long long)counts.fault);
done:
    return st;
}

/* What the user should know beside the numbers; cut where it is too long. */
static void write_notes(cf_study *s)
{
    char *const notes = s->result.notes;
    const size_t cap = sizeof s->result.notes;
    (void)snprintf(notes, cap, "%s, %d threads", cf_backend_describe(s->runtime.backend),
                   cf_backend_n_threads(s->runtime.backend));
    for (size_t i = 0; i < s->list.n_sets; i++) {
        const char *note = cf_question_set_note(s->list.sets[i]);
        const size_t n = strlen(notes);
        if (note[0])
            (void)snprintf(notes + n, cap - n, "\n%s", note);
    }
}

typedef struct teller { /* who is told of progress */
    cf_study_progress progress;
    cf_study_listener listen;
    void *user;
} teller;

static void tell(teller *t, const cf_study *s, const char *task)
{
    t->progress.resumed = s->result.resumed;
    t->progress.task = task;
    if (t->listen)
        t->listen(t->user, &t->progress);
}

static cf_status land(cf_flight *f, cf_study *s, teller *t, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_flight_measure(f, s, err));
    for (size_t i = 0; i < cf_flight_n(f); i++) {
        CF_TRY(cf_flight_commit(f, s, i, err));
        t->progress.done++;
        tell(t, s, cf_flight_task(f, i));
    }
    cf_flight_clear(f);
done:
    return st;
}

/* Leaves in the list what the study lacks, in its order. */
static cf_status pass_over_known(cf_study *s, teller *t, cf_error *err)
{
    cf_question_list *l = &s->list;
    cf_status st = CF_OK;
    size_t n = 0;
    for (size_t i = 0; i < l->n_items; i++) {
        const char *task = cf_question_set_task(l->items[i].set);
        bool has = false;
        CF_TRY(cf_store_has_sample(s->store, &has, task, l->items[i].row, err));
        if (has) {
            s->result.resumed++;
            t->progress.done++;
            tell(t, s, task);
        } else
            l->items[n++] = l->items[i];
    }
    l->n_items = n;
done:
    return st;
}

/* Every question of the list, in its order. */
static cf_status take_all(cf_flight *f, cf_study *s, teller *t, cf_error *err)
{
    cf_status st = CF_OK;
    for (size_t i = 0; i < s->list.n_items; i++) {
        CF_TRY(cf_flight_take(f, s, &s->list.items[i], err));
        if (cf_flight_n(f) == s->n_places)
            CF_TRY(land(f, s, t, err));
    }
    CF_TRY(land(f, s, t, err));
done:
    return st;
}

cf_status cf_study_run(cf_study_result *out, const cf_study_options *o, const cf_study_job *job,
                       cf_study_listener listen, void *user, cf_error *err)
{
    cf_status st = CF_OK;
    cf_study s = {.o = o, .job = job};
    cf_flight *flight = NULL;
    CF_TRY(open_study(&s, err));
    s.result.total = (int64_t)s.list.n_items;
    s.result.row_invariant = s.runtime.row_invariant;
    write_notes(&s);
    teller t = {{.total = s.result.total}, listen, user};
    const int64_t started = cf_clock_ns();
    tell(&t, &s, "");
    CF_TRY(pass_over_known(&s, &t, err));
    CF_TRY(cf_flight_create(&flight, &s, err));
    CF_TRY(take_all(flight, &s, &t, err));
    st = finish(&s, cf_flight_decoder_macs(flight), started, err);
    *out = s.result;
done:
    cf_flight_free(flight);
    close_study(&s);
    return st;
}
