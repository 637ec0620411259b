/* trace.c - see trace.h. One sample follows trace_one from its question to its committed rows. */
#include "study/trace.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "engine/oracle.h"
#include "engine/score.h"
#include "engine/sweep.h"
#include "store/store.h"
#include "study/trace_facts.h"
#include "study/prepare.h"
#include "study/question_list.h"

cf_trace_options cf_trace_options_default(void)
{
    static const int32_t nine = 9;
    return (cf_trace_options){.runtime = cf_runtime_options_default(),
                              .windows = &nine,
                              .n_windows = 1,
                              .max_new_tokens = 128,
                              .reuse = true};
}

typedef struct tracer {
    const cf_trace_options *o;
    cf_runtime runtime;
    cf_question_list list;
    char *images;
    cf_flows flows;
    cf_run_spec *specs;
    size_t n_specs;
    int64_t *run_ids; /* [n_specs] in the store */
    cf_store *store;
    cf_session *session;
    cf_picture picture;
    double *probability; /* [n_specs] */
    cf_value *values;    /* [n_specs] */
    int32_t *answer_ids; /* [max_new_tokens] */
    float *logits;       /* [vocab], the oracle's */
    int64_t oracle_macs;
    cf_trace_result result;
} tracer;

/* ---- opening ---- */

static cf_status open_runs(tracer *t, cf_error *err)
{
    const cf_text_config *c = &cf_checkpoint_config(t->runtime.checkpoint)->text;
    const int32_t n_layers = (int32_t)c->n_layers;
    cf_status st = CF_OK;
    if (t->o->max_new_tokens < 1 || t->o->max_new_tokens >= c->max_position_embeddings)
        return cf_fail(err, CF_USAGE,
                       "--max-new-tokens %d: expected 1 or more, and fewer than the model's %lld positions",
                       t->o->max_new_tokens, (long long)c->max_position_embeddings);
    CF_TRY(cf_flows_parse(&t->flows, cf_slice_of(t->o->flows ? t->o->flows : "paper"), err));
    CF_TRY(cf_run_specs(&t->specs, &t->n_specs, &t->flows, t->o->windows, t->o->n_windows, t->o->layer_begin,
                        t->o->layer_end ? t->o->layer_end : n_layers, n_layers, err));
    void *m = NULL;
    CF_TRY(cf_alloc(&m, t->n_specs, sizeof *t->run_ids, "runs", err));
    t->run_ids = m;
    CF_TRY(cf_alloc(&m, t->n_specs, sizeof *t->probability, "runs", err));
    t->probability = m;
    CF_TRY(cf_alloc(&m, t->n_specs, sizeof *t->values, "runs", err));
    t->values = m;
    CF_TRY(cf_alloc(&m, (size_t)t->o->max_new_tokens, sizeof *t->answer_ids, "answer tokens", err));
    t->answer_ids = m;
    CF_TRY(cf_alloc(&m, (size_t)c->vocab_size, sizeof *t->logits, "logits", err));
    t->logits = m;
done:
    return st;
}

static cf_status register_runs(tracer *t, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str spec = {0};
    for (size_t i = 0; i < t->n_specs; i++) {
        const cf_run_spec *s = &t->specs[i];
        cf_str_clear(&spec);
        CF_TRY(cf_flow_print(&spec, &s->flow, err));
        const cf_store_run run = {.spec = spec.data,
                                  .mode = "cut",
                                  .heads = "all",
                                  .window = s->k,
                                  .centre = s->centre,
                                  .first = s->window.first,
                                  .last = s->window.last};
        CF_TRY(cf_store_add_run(t->store, &t->run_ids[i], &run, err));
    }
done:
    cf_str_deinit(&spec);
    return st;
}

static cf_status open_store(tracer *t, cf_error *err)
{
    cf_status st = CF_OK;
    cf_facts facts = {0};
    CF_TRY(cf_facts_of_trace(&facts, t->o, &t->runtime, &t->list, &t->flows, t->images, err));
    CF_TRY(cf_store_create(&t->store, t->o->out, facts.items, facts.n, err));
    CF_TRY(register_runs(t, err));
done:
    cf_facts_deinit(&facts);
    return st;
}

/* Cheap refusals come before the weights are read. */
static cf_status open_tracer(tracer *t, cf_error *err)
{
    const cf_trace_options *o = t->o;
    cf_status st = CF_OK;
    CF_TRY(cf_question_list_open(&t->list, o->questions, o->scene_graphs, o->limit, err));
    CF_TRY(cf_picture_dir(&t->images, o->images, o->questions, err));
    CF_TRY(cf_runtime_open_files(&t->runtime, &o->runtime, err));
    CF_TRY(open_runs(t, err));
    CF_TRY(cf_runtime_load(&t->runtime, &o->runtime, err));
    CF_TRY(cf_runtime_probe(&t->runtime, err));
    CF_TRY(cf_session_create(&t->session, t->runtime.model, o->reuse && t->runtime.row_invariant, err));
    CF_TRY(open_store(t, err));
done:
    return st;
}

static void close_tracer(tracer *t)
{
    cf_store_close(t->store);
    cf_session_free(t->session);
    cf_picture_deinit(&t->picture);
    free(t->specs);
    free(t->run_ids);
    free(t->probability);
    free(t->values);
    free(t->answer_ids);
    free(t->logits);
    cf_flows_deinit(&t->flows);
    cf_question_list_close(&t->list);
    free(t->images);
    cf_runtime_close(&t->runtime);
}

/* ---- one sample ---- */

/* Text of one sample's row, owned while it is written. */
typedef struct row_text {
    cf_str id, image, question, answer, true_option, false_option, object, predicted, first_token, groups;
} row_text;

static void row_text_deinit(row_text *x)
{
    cf_str *all[] = {&x->id,           &x->image,  &x->question,  &x->answer,      &x->true_option,
                     &x->false_option, &x->object, &x->predicted, &x->first_token, &x->groups};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        cf_str_deinit(all[i]);
}

static const char *text_of(const cf_str *s)
{
    return s->data ? s->data : "";
}

/* path: of the picture; the published files name it with its ending. */
static cf_status copy_question(row_text *x, const cf_question *q, const char *path, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_str_add(&x->id, q->id, err));
    CF_TRY(cf_str_add_text(&x->image, strrchr(path, '/') ? strrchr(path, '/') + 1 : path, err));
    CF_TRY(cf_str_add(&x->question, q->text, err));
    CF_TRY(cf_str_add(&x->answer, q->answer, err));
    CF_TRY(cf_str_add(&x->true_option, q->true_option, err));
    CF_TRY(cf_str_add(&x->false_option, q->false_option, err));
    for (int32_t i = 0; i < q->n_objects; i++) {
        if (i)
            CF_TRY(cf_str_add_text(&x->object, ", ", err));
        CF_TRY(cf_str_add(&x->object, q->objects[i].name, err));
    }
done:
    return st;
}

/* Faults that belong to one question; anything else ends the study. */
static bool is_row_fault(cf_status s)
{
    return s == CF_IO || s == CF_FORMAT || s == CF_MISMATCH || s == CF_UNSUPPORTED;
}

/* One run from scratch: what the sweep is compared with. */
static cf_status run_oracle(tracer *t, const cf_prepared *p, const cf_run_spec *s, int32_t token, double *probability,
                            int64_t *macs, cf_error *err)
{
    const int64_t vocab = cf_checkpoint_config(t->runtime.checkpoint)->text.vocab_size;
    const cf_oracle_cut cut = {&p->groups.of[s->flow.target], &p->groups.of[s->flow.source], NULL, s->window};
    const cf_status st = cf_oracle_logits(t->runtime.model, &p->input, &cut, t->logits, macs, NULL, NULL, err);
    if (st == CF_OK)
        *probability = cf_softmax_probability(t->logits, vocab, token);
    return st;
}

/* Every run that is not the baseline, from scratch. */
static cf_status run_all_oracles(tracer *t, const cf_prepared *p, const cf_plan *plan, int32_t token, cf_error *err)
{
    const int64_t vocab = cf_checkpoint_config(t->runtime.checkpoint)->text.vocab_size;
    const double baseline = cf_softmax_probability(cf_session_logits(t->session), vocab, token);
    for (size_t i = 0; i < t->n_specs; i++) {
        t->probability[i] = plan->runs[i].status == CF_RUN_FULLY_CUT ? (double)NAN : baseline;
        if (plan->runs[i].status != CF_RUN_PLANNED)
            continue;
        const cf_status st = run_oracle(t, p, &t->specs[i], token, &t->probability[i], &t->oracle_macs, err);
        if (st != CF_OK)
            return st;
    }
    return CF_OK;
}

enum { DRIFT_RUNS = 24 }; /* about how many runs are recomputed, on the first question */

/* What reuse changes where products are not row-invariant: runs spread over the plan, recomputed and compared. */
static cf_status measure_drift(tracer *t, const cf_prepared *p, const cf_plan *plan, int32_t token, cf_error *err)
{
    const size_t stride = t->n_specs / DRIFT_RUNS + 1;
    for (size_t i = 0; i < t->n_specs; i += stride) {
        double fresh = 0;
        if (plan->runs[i].status != CF_RUN_PLANNED)
            continue;
        const cf_status st = run_oracle(t, p, &t->specs[i], token, &fresh, NULL, err);
        if (st != CF_OK)
            return st;
        t->result.reuse_error = fmax(t->result.reuse_error, fabs(fresh - t->probability[i]));
        t->result.reuse_checked++;
    }
    return CF_OK;
}

static cf_value_flag flag_of(cf_run_status s)
{
    switch (s) {
    case CF_RUN_EMPTY_GROUP:
        return CF_VALUE_EMPTY_GROUP;
    case CF_RUN_NO_VISIBLE_EDGE:
        return CF_VALUE_NO_VISIBLE_EDGE;
    case CF_RUN_FULLY_CUT:
        return CF_VALUE_FULLY_CUT;
    case CF_RUN_PLANNED:
        break;
    }
    return CF_VALUE_OK;
}

static cf_status measure_runs(tracer *t, const cf_prepared *p, const cf_plan *plan, int32_t token, cf_error *err)
{
    cf_status st = CF_OK;
    if (t->o->reuse)
        CF_TRY(cf_sweep(t->session, plan, token, t->probability, NULL, NULL, err));
    else
        CF_TRY(run_all_oracles(t, p, plan, token, err));
    if (t->o->reuse && !t->runtime.row_invariant && t->result.reuse_checked == 0)
        CF_TRY(measure_drift(t, p, plan, token, err));
    for (size_t i = 0; i < t->n_specs; i++)
        t->values[i] = (cf_value){t->run_ids[i], "probability", t->probability[i], flag_of(plan->runs[i].status)};
    t->result.runs += (int64_t)t->n_specs;
    t->result.row_layers_plain += (double)(t->n_specs + 1) * (double)p->groups.length * (double)plan->n_layers;
done:
    return st;
}

/* Whether the answer, stripped and lower-cased, is the data set's. Letters beyond ASCII are compared as they are. */
static bool is_correct(cf_slice predicted, cf_slice answer)
{
    if (predicted.n != answer.n)
        return false;
    for (size_t i = 0; i < predicted.n; i++) {
        const char c = predicted.data[i];
        if ((c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c) != answer.data[i])
            return false;
    }
    return true;
}

static bool is_kept(cf_keep keep, bool correct)
{
    return keep == CF_KEEP_ALL || (keep == CF_KEEP_CORRECT) == correct;
}

/* Baseline, answer, filter, runs. Fills the sample's row; *n_values is 0 where the sample is not kept. */
static cf_status measure_sample(tracer *t, const cf_question *q, const char *path, cf_sample *row, row_text *x,
                                size_t *n_values, cf_error *err)
{
    cf_status st = CF_OK;
    cf_prepared p = {0};
    cf_plan *plan = NULL;
    int32_t n_tokens = 0;
    CF_TRY(cf_prepare_question(&p, &t->picture, &t->runtime, q, path, err));
    CF_TRY(cf_plan_create(&plan, t->specs, t->n_specs, &p.groups,
                          (int32_t)cf_checkpoint_config(t->runtime.checkpoint)->text.n_layers, err));
    CF_TRY(cf_session_begin(t->session, &p.input, t->o->max_new_tokens, err));
    CF_TRY(cf_session_baseline(t->session, plan->lowest, err));
    CF_TRY(cf_session_generate(t->session, t->answer_ids, &n_tokens, t->o->max_new_tokens, err));
    CF_TRY(cf_answer_text(&x->predicted, &t->runtime, t->answer_ids, n_tokens, err));
    CF_TRY(cf_str_add(&x->first_token, cf_tokenizer_token(t->runtime.tokenizer, t->answer_ids[0]), err));
    CF_TRY(cf_groups_json(&x->groups, &p.groups, err));
    row->predicted = text_of(&x->predicted);
    row->first_token = t->answer_ids[0];
    row->first_token_text = text_of(&x->first_token);
    row->probability = cf_softmax_probability(
        cf_session_logits(t->session), cf_checkpoint_config(t->runtime.checkpoint)->text.vocab_size, t->answer_ids[0]);
    row->n_tokens = p.groups.length;
    row->groups = text_of(&x->groups);
    row->grid_h = p.grid_h;
    row->grid_w = p.grid_w;
    row->picture_w = t->picture.width;
    row->picture_h = t->picture.height;
    row->fitted_w = t->picture.fitted.width;
    row->fitted_h = t->picture.fitted.height;
    row->status = CF_SAMPLE_WRONG;
    if (is_kept(t->o->keep, is_correct(cf_str_slice(&x->predicted), q->answer))) {
        CF_TRY(measure_runs(t, &p, plan, t->answer_ids[0], err));
        row->status = CF_SAMPLE_DONE;
        *n_values = t->n_specs;
    }
done:
    cf_plan_free(plan);
    cf_prepared_deinit(&p);
    return st;
}

/* A question from its text to its committed rows. */
static cf_status trace_one(tracer *t, const cf_list_item *item, cf_error *err)
{
    const cf_question *q = item->question;
    const char *task = cf_question_set_task(item->set);
    cf_status st = CF_OK;
    row_text x = {0};
    char *path = NULL;
    bool has = false;
    size_t n_values = 0;
    cf_error fault = {0};
    CF_TRY(cf_store_has_sample(t->store, &has, task, item->row, err));
    if (has) {
        t->result.resumed++;
        goto done;
    }
    CF_TRY(cf_picture_path(&path, t->images, q->image, err));
    CF_TRY(copy_question(&x, q, path, err));
    cf_sample row = {.task = task,
                     .row = item->row,
                     .question_id = text_of(&x.id),
                     .image = text_of(&x.image),
                     .question = text_of(&x.question),
                     .answer = text_of(&x.answer),
                     .true_option = text_of(&x.true_option),
                     .false_option = text_of(&x.false_option),
                     .object = text_of(&x.object),
                     .reason = "",
                     .predicted = "",
                     .first_token = -1,
                     .first_token_text = "",
                     .groups = "{}"};
    st = measure_sample(t, q, path, &row, &x, &n_values, &fault);
    if (st != CF_OK && !is_row_fault(st)) {
        *err = fault;
        goto done;
    }
    if (st != CF_OK) {
        row.status = CF_SAMPLE_FAULT;
        row.reason = fault.text;
        n_values = 0;
    }
    CF_TRY(cf_store_put_sample(t->store, &row, t->values, n_values, err));
    t->result.traced += row.status == CF_SAMPLE_DONE;
done:
    row_text_deinit(&x);
    free(path);
    return st;
}

/* ---- the study ---- */

/* What this call did, as provenance of the study. */
static cf_status store_work(tracer *t, cf_error *err)
{
    const cf_trace_result *r = &t->result;
    cf_status st = CF_OK;
    cf_str work = {0}, drift = {0};
    CF_TRY(cf_str_addf(&work, err, "%.0f row-layers for %lld runs, %.0f one pass per run, %.1f s", r->row_layers,
                       (long long)r->runs, r->row_layers_plain, r->seconds));
    CF_TRY(cf_str_addf(&drift, err, "%.3g in probability over %lld runs", r->reuse_error, (long long)r->reuse_checked));
    const cf_fact facts[] = {{"work of the last call", work.data, false},
                             {"largest difference to recomputing", drift.data, false}};
    CF_TRY(cf_store_renew_facts(t->store, facts, r->reuse_checked ? 2 : 1, err));
done:
    cf_str_deinit(&work);
    cf_str_deinit(&drift);
    return st;
}

static cf_status finish(tracer *t, int64_t started, cf_error *err)
{
    cf_trace_result *r = &t->result;
    cf_store_counts counts;
    cf_status st = CF_OK;
    r->row_layers = (double)(cf_session_decoder_macs(t->session) + t->oracle_macs) /
                    (double)cf_model_row_layer_macs(t->runtime.model);
    r->seconds = (double)(cf_clock_ns() - started) * 1e-9;
    CF_TRY(cf_store_count(t->store, &counts, err));
    r->wrong = counts.wrong;
    r->faults = counts.fault;
    if (r->runs)
        CF_TRY(store_work(t, err));
    CF_TRY(cf_store_put_statistics(t->store, err));
    CF_TRY(cf_store_finish(t->store, err));
    if (counts.done + counts.wrong == 0)
        st = cf_fail(err, CF_MISMATCH, "%s: no question ran; all %lld had a fault (crossflow show lists the reasons)",
                     t->o->out, (long long)counts.fault);
    else if (t->o->strict && counts.fault)
        st = cf_fail(err, CF_MISMATCH, "%s: %lld questions had a fault (--strict; crossflow show lists the reasons)",
                     t->o->out, (long long)counts.fault);
done:
    return st;
}

/* What the user should know beside the numbers; cut where it is too long. */
static void write_notes(tracer *t)
{
    char *const notes = t->result.notes;
    const size_t cap = sizeof t->result.notes;
    (void)snprintf(notes, cap, "%s, %d threads", cf_backend_describe(t->runtime.backend),
                   cf_backend_n_threads(t->runtime.backend));
    for (size_t i = 0; i < t->list.n_sets; i++) {
        const char *note = cf_question_set_note(t->list.sets[i]);
        const size_t n = strlen(notes);
        if (note[0])
            (void)snprintf(notes + n, cap - n, "\n%s", note);
    }
}

cf_status cf_trace(cf_trace_result *out, const cf_trace_options *o, cf_trace_listener listen, void *user, cf_error *err)
{
    cf_status st = CF_OK;
    tracer t = {.o = o};
    CF_TRY(open_tracer(&t, err));
    t.result.total = (int64_t)t.list.n_items;
    t.result.row_invariant = t.runtime.row_invariant;
    write_notes(&t);
    cf_trace_progress progress = {.total = t.result.total, .task = ""};
    const int64_t started = cf_clock_ns();
    if (listen)
        listen(user, &progress);
    for (size_t i = 0; i < t.list.n_items; i++) {
        CF_TRY(trace_one(&t, &t.list.items[i], err));
        progress.done++;
        progress.resumed = t.result.resumed;
        progress.task = cf_question_set_task(t.list.items[i].set);
        if (listen)
            listen(user, &progress);
    }
    st = finish(&t, started, err);
    *out = t.result;
done:
    close_tracer(&t);
    return st;
}
