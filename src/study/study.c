/* study.c - see study.h. One sample follows one_question from its question to its committed row. */
#include "study/study.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "study/answer_tokens.h"
#include "study/sample_row.h"
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
    void *ids = NULL;
    CF_TRY(cf_question_list_open(&s->list, o->questions, o->scene_graphs, o->limit, err));
    CF_TRY(cf_picture_dir(&s->images, o->images, o->questions, err));
    CF_TRY(cf_runtime_open_files(&s->runtime, &o->runtime, err));
    const cf_text_config *t = &cf_checkpoint_config(s->runtime.checkpoint)->text;
    CF_TRY(check_options(o, t, err));
    CF_TRY(cf_run_set_open(&s->runs, o, s->job->default_flows, t, err));
    CF_TRY(cf_alloc(&ids, (size_t)o->max_new_tokens, sizeof *s->answer_ids, "answer tokens", err));
    s->answer_ids = ids;
    CF_TRY(cf_runtime_load(&s->runtime, &o->runtime, err));
    CF_TRY(cf_runtime_probe(&s->runtime, err));
    CF_TRY(cf_session_create(&s->session, s->runtime.model, o->reuse && s->runtime.row_invariant, err));
    if (s->job->open)
        CF_TRY(s->job->open(s->job->user, s, err));
    CF_TRY(open_store(s, err));
done:
    return st;
}

static void close_study(cf_study *s)
{
    cf_store_close(s->store);
    cf_session_free(s->session);
    cf_picture_deinit(&s->picture);
    cf_run_set_close(&s->runs);
    free(s->answer_ids);
    cf_question_list_close(&s->list);
    free(s->images);
    cf_runtime_close(&s->runtime);
}

/* ---- one sample ---- */

static void sample_deinit(cf_study_sample *x)
{
    cf_prepared_deinit(&x->prepared);
    cf_str_deinit(&x->predicted);
}

/* Faults that belong to one question; anything else ends the study. */
static bool is_row_fault(cf_status s)
{
    return s == CF_IO || s == CF_FORMAT || s == CF_MISMATCH || s == CF_UNSUPPORTED;
}

static bool is_kept(cf_keep keep, bool correct)
{
    return keep == CF_KEEP_ALL || (keep == CF_KEEP_CORRECT) == correct;
}

/* The tokens that the sample is scored by. */
static cf_status choose_tokens(const cf_study *s, cf_study_sample *x, int32_t n_generated, cf_error *err)
{
    const cf_question *q = x->question;
    const cf_slice predicted = cf_str_slice(&x->predicted);
    cf_asked *a = &x->asked;
    cf_status st = CF_OK;
    *a = (cf_asked){.answer = s->answer_ids,
                    .n_answer = cf_answer_length(&s->runtime, s->answer_ids, n_generated),
                    .first = s->answer_ids[0],
                    .true_option = -1,
                    .false_option = -1};
    CF_TRY(cf_first_token_like(&a->truth, &s->runtime, q->answer, predicted, err));
    if (q->true_option.n && q->false_option.n) {
        CF_TRY(cf_first_token_like(&a->true_option, &s->runtime, q->true_option, predicted, err));
        CF_TRY(cf_first_token_like(&a->false_option, &s->runtime, q->false_option, predicted, err));
    }
done:
    return st;
}

/* Picture, prompt, baseline pass, answer. */
static cf_status answer_sample(cf_study *s, cf_study_sample *x, const char *path, cf_error *err)
{
    cf_status st = CF_OK;
    int32_t keep_from = 0, n = 0;
    CF_TRY(cf_prepare_question(&x->prepared, &s->picture, &s->runtime, x->question, path, err));
    x->scene = cf_prepared_scene(&x->prepared, &s->runtime, &s->picture);
    CF_TRY(s->job->plan(s->job->user, s, x, &keep_from, err));
    CF_TRY(cf_session_begin(s->session, &x->prepared.input, s->o->max_new_tokens, err));
    CF_TRY(cf_session_baseline(s->session, keep_from, err));
    CF_TRY(cf_session_generate(s->session, s->answer_ids, &n, s->o->max_new_tokens, err));
    CF_TRY(cf_answer_text(&x->predicted, &s->runtime, s->answer_ids, n, err));
    CF_TRY(choose_tokens(s, x, n, err));
done:
    return st;
}

static cf_status measure_sample(cf_study *s, cf_study_sample *x, const char *path, cf_sample_row *row,
                                cf_results *results, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(answer_sample(s, x, path, err));
    CF_TRY(cf_sample_row_answer(row, s, x, err));
    row->sample.status = CF_SAMPLE_WRONG;
    if (is_kept(s->o->keep, cf_answer_is(cf_str_slice(&x->predicted), x->question->answer))) {
        CF_TRY(s->job->measure(s->job->user, s, x, results, err));
        row->sample.status = CF_SAMPLE_DONE;
    }
done:
    return st;
}

/* A question from its text to its committed row. */
static cf_status one_question(cf_study *s, const cf_list_item *item, cf_error *err)
{
    const char *task = cf_question_set_task(item->set);
    cf_status st = CF_OK;
    cf_sample_row row = {0};
    cf_study_sample x = {.question = item->question, .row = item->row};
    cf_results results = {0};
    char *path = NULL;
    bool has = false;
    cf_error fault = {0};
    CF_TRY(cf_store_has_sample(s->store, &has, task, item->row, err));
    if (has) {
        s->result.resumed++;
        goto done;
    }
    CF_TRY(cf_picture_path(&path, s->images, x.question->image, err));
    CF_TRY(cf_sample_row_question(&row, x.question, task, item->row, path, err));
    st = measure_sample(s, &x, path, &row, &results, &fault);
    if (st != CF_OK && !is_row_fault(st)) {
        *err = fault;
        goto done;
    }
    if (st != CF_OK) {
        row.sample.status = CF_SAMPLE_FAULT;
        row.sample.reason = fault.text;
        results = (cf_results){0};
    }
    CF_TRY(cf_store_put_sample(s->store, &row.sample, &results, err));
    s->result.traced += row.sample.status == CF_SAMPLE_DONE;
    s->result.noted += row.sample.notes[0] != '\0';
done:
    cf_sample_row_deinit(&row);
    sample_deinit(&x);
    free(path);
    return st;
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

static cf_status finish(cf_study *s, int64_t started, cf_error *err)
{
    cf_study_result *r = &s->result;
    cf_store_counts counts;
    cf_status st = CF_OK;
    r->row_layers = (double)(cf_session_decoder_macs(s->session) + s->other_macs) /
                    (double)cf_model_row_layer_macs(s->runtime.model);
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

cf_status cf_study_run(cf_study_result *out, const cf_study_options *o, const cf_study_job *job,
                       cf_study_listener listen, void *user, cf_error *err)
{
    cf_status st = CF_OK;
    cf_study s = {.o = o, .job = job};
    CF_TRY(open_study(&s, err));
    s.result.total = (int64_t)s.list.n_items;
    s.result.row_invariant = s.runtime.row_invariant;
    write_notes(&s);
    cf_study_progress progress = {.total = s.result.total, .task = ""};
    const int64_t started = cf_clock_ns();
    if (listen)
        listen(user, &progress);
    for (size_t i = 0; i < s.list.n_items; i++) {
        CF_TRY(one_question(&s, &s.list.items[i], err));
        progress.done++;
        progress.resumed = s.result.resumed;
        progress.task = cf_question_set_task(s.list.items[i].set);
        if (listen)
            listen(user, &progress);
    }
    st = finish(&s, started, err);
    *out = s.result;
done:
    close_study(&s);
    return st;
}
