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
#include "engine/score.h"
#include "engine/session_internal.h"

/* One decoding step: the row of token `id` at position `at`; logits_dev holds its logits afterwards. run: [n_layers], or
 * NULL for the baseline. */
static cf_status decode(cf_session *s, const cf_run_layer *run, int32_t id, int32_t at, cf_tensor *x, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_decoder_embed(s->model, x, &id, err));
    for (int64_t l = 0; l < cf_model_config(s->model)->text.n_layers; l++)
        CF_TRY(cf_session_put_rows(s, l, run ? &run[l] : NULL, at, at + 1, false, x, x, err));
    CF_TRY(cf_decoder_logits(s->model, s->scratch, &s->logits_dev, x, true, err));
done:
    return st;
}

static bool is_end(const cf_config *c, int32_t id)
{
    for (int32_t i = 0; i < c->n_eos; i++)
        if (c->eos_token_ids[i] == id)
            return true;
    return false;
}

/* Greedy decoding from the logits of the last prompt position, which are used up. */
static cf_status decode_all(cf_session *s, const cf_run_layer *run, float *logits, int32_t *ids, int32_t *n,
                            int32_t max_new_tokens, cf_error *err)
{
    const cf_config *c = cf_model_config(s->model);
    cf_status st = CF_OK;
    cf_tensor x = {0};
    int32_t count = 0;
    assert(s->length + max_new_tokens <= s->capacity);
    CF_TRY(cf_backend_alloc(s->be, &x, CF_F32, 1, c->text.hidden_size, err));
    for (int32_t i = 0; i < max_new_tokens; i++) {
        ids[i] = cf_argmax(logits, c->text.vocab_size);
        count = i + 1;
        if (is_end(c, ids[i]) || i + 1 == max_new_tokens)
            break;
        CF_TRY(decode(s, run, ids[i], s->length + i, &x, err));
        CF_TRY(cf_backend_download(s->be, logits, &s->logits_dev, err));
    }
    *n = count;
done:
    cf_backend_release(s->be, &x);
    return st;
}

static cf_status copy_logits(float **out, const cf_session *s, cf_error *err)
{
    const size_t vocab = (size_t)cf_model_config(s->model)->text.vocab_size;
    void *memory = NULL;
    const cf_status st = cf_alloc(&memory, vocab, sizeof(float), "logits", err);
    if (st == CF_OK)
        *out = memcpy(memory, s->logits, vocab * sizeof(float));
    return st;
}

cf_status cf_session_generate(cf_session *s, int32_t *ids, int32_t *n, int32_t max_new_tokens, cf_error *err)
{
    float *logits = NULL;
    cf_status st = copy_logits(&logits, s, err);
    s->n_forced = 0; /* its keys and values give way to the answer's */
    if (st == CF_OK)
        st = decode_all(s, NULL, logits, ids, n, max_new_tokens, err);
    free(logits);
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

/* The prompt's rows from `begin` on through the run's layers. logits[V] of the last position. */
static cf_status prefill_run(cf_session *s, const cf_run_layer *run, int32_t begin, float *logits, cf_error *err)
{
    const cf_text_config *t = &cf_model_config(s->model)->text;
    cf_status st = CF_OK;
    CF_TRY(cf_session_room(s, &s->x, s->length - begin, t->hidden_size, err));
    cf_tensor x = cf_tensor_rows(&s->x, 0, s->length - begin);
    const cf_tensor kept = cf_session_kept(s, 0), from = cf_tensor_rows(&kept, begin - s->keep_from, kept.shape[0]);
    CF_TRY(cf_gather(s->be, &x, &from, NULL, err));
    for (int64_t l = 0; l < t->n_layers; l++)
        CF_TRY(cf_session_put_rows(s, l, &run[l], begin, s->length, false, &x, &x, err));
    const cf_tensor last = cf_tensor_rows(&x, x.shape[0] - 1, x.shape[0]);
    CF_TRY(cf_decoder_logits(s->model, s->scratch, &s->logits_dev, &last, true, err));
    CF_TRY(cf_backend_download(s->be, logits, &s->logits_dev, err));
done:
    return st;
}

/* The baseline's keys and values of the prompt from `begin` on, again. */
static cf_status restore_baseline(cf_session *s, int32_t begin, cf_error *err)
{
    const cf_text_config *t = &cf_model_config(s->model)->text;
    cf_status st = CF_OK;
    CF_TRY(cf_session_room(s, &s->x, 1, t->hidden_size, err));
    cf_tensor unread = cf_tensor_rows(&s->x, 0, 1);
    for (int64_t l = 0; l < t->n_layers; l++) {
        const cf_tensor kept = cf_session_kept(s, l), x = cf_tensor_rows(&kept, begin - s->keep_from, kept.shape[0]);
        CF_TRY(cf_session_put_rows(s, l, NULL, begin, s->length, true, &unread, &x, err));
    }
done:
    return st;
}

cf_status cf_session_generate_run(cf_session *s, const cf_plan *plan, size_t run, int32_t *ids, int32_t *n,
                                  int32_t max_new_tokens, cf_error *err)
{
    const int32_t leaf = plan->runs[run].leaf;
    assert(plan->length == s->length + max_new_tokens);
    cf_status st = CF_OK;
    cf_run_layer *layers = NULL;
    float *logits = NULL;
    s->n_forced = 0;
    CF_TRY(copy_logits(&logits, s, err));
    if (leaf == CF_BASELINE) {
        CF_TRY(decode_all(s, NULL, logits, ids, n, max_new_tokens, err));
        goto done;
    }
    const int32_t restart = plan->nodes[leaf].restart, begin = restart < s->length ? restart : s->length - 1;
    assert(begin >= s->keep_from);
    CF_TRY(layers_of(&layers, plan, leaf, err));
    CF_TRY(cf_scratch_reserve(s->scratch, s->length - begin, err));
    CF_TRY(cf_scratch_reserve_zeroed(s->scratch, s->length - begin, err));
    const uint64_t picture = s->prefix_picture;
    s->prefix_picture = 0; /* what the next sample may share is overwritten for a while */
    CF_TRY(prefill_run(s, layers, begin, logits, err));
    CF_TRY(decode_all(s, layers, logits, ids, n, max_new_tokens, err));
    CF_TRY(restore_baseline(s, begin, err));
    s->prefix_picture = picture;
done:
    free_layers(layers, plan->n_layers);
    free(logits);
    return st;
}
