/* generate.c - greedy decoding, of the baseline (session.h) and of a knocked-out run (generate_run.h).
 *
 * A knocked-out run borrows the session's keys and values: its rows of the prompt go into the baseline's places, decoding
 * then is the same as the baseline's with cuts, and at the end the baseline's are computed again from its kept inputs.
 * So generation needs no memory per run, and costs two passes over the run's rows. */
#include "engine/generate_run.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "engine/pass.h"
#include "engine/score.h"
#include "engine/session_internal.h"

static bool is_end(const cf_config *c, int32_t id)
{
    for (int32_t i = 0; i < c->n_eos; i++)
        if (c->eos_token_ids[i] == id)
            return true;
    return false;
}

/* ---- decoding ---- */

/* A session's answer as far as it goes. */
typedef struct decoding {
    cf_session *s;
    const cf_run_layer *run; /* [n_layers], or NULL for the baseline */
    float *logits;           /* [V] of the position that is last so far */
    cf_tensor x;             /* [1, D] the row of the token after it */
    int32_t *ids;            /* [n] so far */
    int32_t n;
    bool ended;
} decoding;

/* Starts from the logits of the last prompt position. */
static cf_status open_decoding(decoding *d, cf_session *s, int32_t *ids, cf_error *err)
{
    const cf_text_config *t = &cf_model_config(s->model)->text;
    cf_status st = CF_OK;
    void *logits = NULL;
    *d = (decoding){.s = s, .ids = ids};
    s->n_forced = 0; /* its keys and values give way to the answer's */
    CF_TRY(cf_backend_alloc(s->be, &d->x, CF_F32, 1, t->hidden_size, err));
    CF_TRY(cf_alloc(&logits, (size_t)t->vocab_size, sizeof(float), "logits", err));
    d->logits = memcpy(logits, s->logits, (size_t)t->vocab_size * sizeof(float));
done:
    return st;
}

static void close_decoding(decoding *d)
{
    if (d->s)
        cf_backend_release(d->s->be, &d->x);
    free(d->logits);
}

static cf_status decode_layer(void *state, int64_t l, cf_error *err)
{
    decoding *d = state;
    const int32_t at = d->s->length + d->n - 1; /* where the newest token stands */
    if (d->ended)
        return CF_OK;
    return cf_session_put_rows(d->s, l, d->run ? &d->run[l] : NULL, at, at + 1, false, &d->x, &d->x, err);
}

/* Takes the next token; where there is to be another, its row. */
static cf_status take_token(decoding *d, int32_t max_new_tokens, cf_error *err)
{
    const cf_config *c = cf_model_config(d->s->model);
    const int32_t id = cf_argmax(d->logits, c->text.vocab_size);
    d->ids[d->n++] = id;
    d->ended = is_end(c, id) || d->n == max_new_tokens;
    return d->ended ? CF_OK : cf_decoder_embed(d->s->model, &d->x, &id, err);
}

static cf_status read_logits(decoding *d, cf_error *err)
{
    cf_session *s = d->s;
    const cf_status st = cf_decoder_logits(s->model, s->scratch, &s->logits_dev, &d->x, true, err);
    return st == CF_OK ? cf_backend_download(s->be, d->logits, &s->logits_dev, err) : st;
}

/* Greedy decoding of all, a token of each at a time. */
static cf_status decode_all(decoding *all, size_t n, int32_t max_new_tokens, cf_error *err)
{
    const int64_t n_layers = cf_model_config(all[0].s->model)->text.n_layers;
    cf_status st = CF_OK;
    for (int32_t token = 0; token < max_new_tokens; token++) {
        bool more = false;
        for (size_t i = 0; i < n; i++) {
            if (!all[i].ended)
                CF_TRY(take_token(&all[i], max_new_tokens, err));
            more |= !all[i].ended;
        }
        if (!more)
            break;
        CF_TRY(cf_passes_walk(all, n, sizeof *all, decode_layer, n_layers, err));
        for (size_t i = 0; i < n; i++)
            if (!all[i].ended)
                CF_TRY(read_logits(&all[i], err));
    }
done:
    return st;
}

cf_status cf_sessions_generate(cf_generate_task *tasks, size_t n, int32_t max_new_tokens, cf_error *err)
{
    cf_status st = CF_OK;
    void *memory = NULL;
    if (n == 0)
        return CF_OK;
    CF_TRY(cf_alloc(&memory, n, sizeof(decoding), "answers", err));
    decoding *all = memory;
    for (size_t i = 0; i < n; i++) {
        assert(tasks[i].session->length + max_new_tokens <= tasks[i].session->capacity);
        CF_TRY(open_decoding(&all[i], tasks[i].session, tasks[i].ids, err));
    }
    CF_TRY(decode_all(all, n, max_new_tokens, err));
    for (size_t i = 0; i < n; i++)
        tasks[i].n = all[i].n;
done:
    for (size_t i = 0; memory && i < n; i++)
        close_decoding(&((decoding *)memory)[i]);
    free(memory);
    return st;
}

cf_status cf_session_generate(cf_session *s, int32_t *ids, int32_t *n, int32_t max_new_tokens, cf_error *err)
{
    cf_generate_task task = {s, ids, 0};
    const cf_status st = cf_sessions_generate(&task, 1, max_new_tokens, err);
    if (st == CF_OK)
        *n = task.n;
    return st;
}

/* ---- a knocked-out run ---- */

static void free_layers(cf_run_layer *layers, int32_t n)
{
    for (int32_t l = 0; layers && l < n; l++)
        free(layers[l].cuts);
    free(layers);
}

/* What the nodes on the way to a leaf do. */
static cf_status layers_of(cf_run_layer **out, const cf_plan *p, int32_t leaf, cf_error *err)
{
    void *memory = NULL;
    cf_status st = cf_alloc(&memory, (size_t)p->n_layers, sizeof(cf_run_layer), "the run's layers", err);
    if (st != CF_OK)
        return st;
    cf_run_layer *layers = memory;
    for (int32_t node = leaf; node != CF_BASELINE; node = p->nodes[node].parent) {
        if (p->nodes[node].action < 0)
            continue;
        const cf_action *a = &p->actions[p->nodes[node].action];
        cf_run_layer *l = &layers[p->nodes[node].layer];
        void *cuts = NULL;
        CF_TRY(cf_alloc(&cuts, a->n_edges, sizeof *l->cuts, "the run's cuts", err));
        *l = (cf_run_layer){cuts, (int64_t)a->n_edges, &a->zero_attention, &a->zero_mlp};
        for (size_t i = 0; i < a->n_edges; i++) {
            const cf_edge *e = &p->edges[a->edges[i]];
            l->cuts[i] = (cf_cut){&e->query, &e->key, e->heads};
        }
    }
    *out = layers;
    layers = NULL;
done:
    free_layers(layers, p->n_layers);
    return st;
}

/* A run whose rows stand in the session's keys and values from `begin` on. */
typedef struct run_pass {
    cf_session *s;
    cf_run_layer *layers; /* [n_layers]; NULL: the run is the baseline, and nothing is to be done */
    int32_t begin;
    cf_tensor x;      /* [length - begin, D] */
    uint64_t picture; /* what the next sample may share is overwritten for a while */
} run_pass;

static cf_status open_run(run_pass *p, const cf_generate_run_task *task, cf_error *err)
{
    const cf_plan *plan = task->plan;
    const int32_t leaf = plan->runs[task->run].leaf;
    cf_session *s = task->session;
    cf_status st = CF_OK;
    p->s = s;
    if (leaf == CF_BASELINE)
        return CF_OK;
    const int32_t restart = plan->nodes[leaf].restart, begin = restart < s->length ? restart : s->length - 1;
    assert(begin >= s->keep_from);
    CF_TRY(layers_of(&p->layers, plan, leaf, err));
    CF_TRY(cf_scratch_reserve(s->scratch, s->length - begin, err));
    CF_TRY(cf_scratch_reserve_zeroed(s->scratch, s->length - begin, err));
    CF_TRY(cf_session_room(s, &s->x, s->length - begin, cf_model_config(s->model)->text.hidden_size, err));
    p->begin = begin;
    p->x = cf_tensor_rows(&s->x, 0, s->length - begin);
    const cf_tensor kept = cf_session_kept(s, 0), from = cf_tensor_rows(&kept, begin - s->keep_from, kept.shape[0]);
    CF_TRY(cf_gather(s->be, &p->x, &from, NULL, err));
    p->picture = s->prefix_picture;
    s->prefix_picture = 0;
done:
    return st;
}

/* The prompt's rows through the run's layers. */
static cf_status prefill_layer(void *state, int64_t l, cf_error *err)
{
    run_pass *p = state;
    if (!p->layers)
        return CF_OK;
    return cf_session_put_rows(p->s, l, &p->layers[l], p->begin, p->s->length, false, &p->x, &p->x, err);
}

/* The answer begins with what the run says at the last prompt position. */
static cf_status open_answer(decoding *d, const run_pass *p, int32_t *ids, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(open_decoding(d, p->s, ids, err));
    if (!p->layers)
        return CF_OK;
    d->run = p->layers;
    const cf_tensor last = cf_tensor_rows(&p->x, p->x.shape[0] - 1, p->x.shape[0]);
    CF_TRY(cf_gather(p->s->be, &d->x, &last, NULL, err));
    CF_TRY(read_logits(d, err));
done:
    return st;
}

/* The baseline's keys and values of the prompt, again. */
static cf_status restore_layer(void *state, int64_t l, cf_error *err)
{
    run_pass *p = state;
    cf_session *s = p->s;
    if (!p->layers)
        return CF_OK;
    const cf_tensor kept = cf_session_kept(s, l), x = cf_tensor_rows(&kept, p->begin - s->keep_from, kept.shape[0]);
    cf_tensor unread = cf_tensor_rows(&p->x, 0, 1);
    return cf_session_put_rows(s, l, NULL, p->begin, s->length, true, &unread, &x, err);
}

static cf_status generate_runs(cf_generate_run_task *tasks, run_pass *runs, decoding *answers, size_t n,
                               int32_t max_new_tokens, cf_error *err)
{
    const int64_t n_layers = tasks[0].plan->n_layers;
    cf_status st = CF_OK;
    for (size_t i = 0; i < n; i++) {
        assert(tasks[i].plan->length == tasks[i].session->length + max_new_tokens);
        CF_TRY(open_run(&runs[i], &tasks[i], err));
    }
    CF_TRY(cf_passes_walk(runs, n, sizeof *runs, prefill_layer, n_layers, err));
    for (size_t i = 0; i < n; i++)
        CF_TRY(open_answer(&answers[i], &runs[i], tasks[i].ids, err));
    CF_TRY(decode_all(answers, n, max_new_tokens, err));
    CF_TRY(cf_passes_walk(runs, n, sizeof *runs, restore_layer, n_layers, err));
    for (size_t i = 0; i < n; i++) {
        tasks[i].n = answers[i].n;
        if (runs[i].layers)
            runs[i].s->prefix_picture = runs[i].picture;
    }
done:
    return st;
}

cf_status cf_sessions_generate_run(cf_generate_run_task *tasks, size_t n, int32_t max_new_tokens, cf_error *err)
{
    cf_status st = CF_OK;
    void *runs = NULL, *answers = NULL;
    if (n == 0)
        return CF_OK;
    CF_TRY(cf_alloc(&runs, n, sizeof(run_pass), "runs", err));
    CF_TRY(cf_alloc(&answers, n, sizeof(decoding), "answers", err));
    CF_TRY(generate_runs(tasks, runs, answers, n, max_new_tokens, err));
done:
    for (size_t i = 0; runs && answers && i < n; i++) {
        free_layers(((run_pass *)runs)[i].layers, tasks[i].plan->n_layers);
        close_decoding(&((decoding *)answers)[i]);
    }
    free(runs);
    free(answers);
    return st;
}

cf_status cf_session_generate_run(cf_session *s, const cf_plan *plan, size_t run, int32_t *ids, int32_t *n,
                                  int32_t max_new_tokens, cf_error *err)
{
    cf_generate_run_task task = {s, plan, run, ids, 0};
    const cf_status st = cf_sessions_generate_run(&task, 1, max_new_tokens, err);
    if (st == CF_OK)
        *n = task.n;
    return st;
}
