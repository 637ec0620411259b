/* generate.c - greedy decoding; see decoding.h, and session.h for the baseline's. */
#include "engine/decoding.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "engine/score.h"

static bool is_end(const cf_config *c, int32_t id)
{
    for (int32_t i = 0; i < c->n_eos; i++)
        if (c->eos_token_ids[i] == id)
            return true;
    return false;
}

/* The rows of the newest tokens: those of the sessions whose answer goes on. */
typedef struct token_rows {
    cf_put *puts;     /* [n] */
    cf_decoding **of; /* [n] whose they are */
    int32_t *tokens;  /* [n] */
    size_t n;
} token_rows;

static cf_status open_token_rows(token_rows *t, size_t n, cf_error *err)
{
    cf_status st = CF_OK;
    void *memory = NULL;
    CF_TRY(cf_alloc(&memory, n, sizeof *t->puts, "answers", err));
    t->puts = memory;
    CF_TRY(cf_alloc(&memory, n, sizeof(cf_decoding *), "answers", err));
    t->of = memory;
    CF_TRY(cf_alloc(&memory, n, sizeof *t->tokens, "answers", err));
    t->tokens = memory;
done:
    return st;
}

static void close_token_rows(token_rows *t)
{
    free(t->puts);
    free(t->of);
    free(t->tokens);
}

cf_status cf_decoding_open(cf_decoding *d, cf_session *s, int32_t *ids, cf_error *err)
{
    const cf_text_config *t = &cf_model_config(s->model)->text;
    void *logits = NULL;
    *d = (cf_decoding){.s = s, .ids = ids};
    s->n_forced = 0; /* its keys and values give way to the answer's */
    const cf_status st = cf_alloc(&logits, (size_t)t->vocab_size, sizeof(float), "logits", err);
    if (st == CF_OK)
        d->logits = memcpy(logits, s->logits, (size_t)t->vocab_size * sizeof(float));
    return st;
}

/* Takes the next token of each; where there is to be another, it gets a row. */
static void take_tokens(token_rows *t, cf_decoding *all, size_t n, int32_t max_new_tokens)
{
    t->n = 0;
    for (size_t i = 0; i < n; i++) {
        cf_decoding *d = &all[i];
        if (d->ended)
            continue;
        const cf_config *c = cf_model_config(d->s->model);
        const int32_t id = cf_argmax(d->logits, c->text.vocab_size), at = d->s->length + d->n;
        d->ids[d->n++] = id;
        d->ended = is_end(c, id) || d->n == max_new_tokens;
        if (d->ended)
            continue;
        t->puts[t->n] = (cf_put){.session = d->s, .begin = at, .end = at + 1};
        t->of[t->n] = d;
        t->tokens[t->n++] = id;
    }
}

void cf_decoding_take(void *user, int64_t i, const float *logits)
{
    const cf_decoding *d = ((cf_decoding **)user)[i];
    memcpy(d->logits, logits, (size_t)cf_model_config(d->s->model)->text.vocab_size * sizeof *logits);
}

/* The rows of the tokens through all layers, to the logits after them. */
static cf_status put_tokens(cf_stack *k, token_rows *t, cf_error *err)
{
    cf_tensor x = cf_tensor_rows(&k->x, 0, (int64_t)t->n);
    cf_status st = CF_OK;
    CF_TRY(cf_decoder_embed(k->model, &x, t->tokens, err));
    for (int64_t l = 0; l < cf_model_config(k->model)->text.n_layers; l++) {
        for (size_t i = 0; i < t->n; i++)
            t->puts[i].run = t->of[i]->run ? &t->of[i]->run[l] : NULL;
        CF_TRY(cf_stack_put(k, l, t->puts, t->n, false, &x, &x, err));
    }
    CF_TRY(cf_stack_read(k, &x, NULL, (int64_t)t->n, true, cf_decoding_take, t->of, err));
done:
    return st;
}

cf_status cf_decode(cf_decoding *all, size_t n, int32_t max_new_tokens, cf_error *err)
{
    cf_stack *k = all[0].s->stack;
    cf_status st = CF_OK;
    token_rows t = {0};
    CF_TRY(open_token_rows(&t, n, err));
    CF_TRY(cf_stack_reserve(k, (int64_t)n, err));
    for (int32_t token = 0; token < max_new_tokens; token++) {
        take_tokens(&t, all, n, max_new_tokens);
        if (t.n == 0)
            break;
        CF_TRY(put_tokens(k, &t, err));
    }
done:
    close_token_rows(&t);
    return st;
}

cf_status cf_sessions_generate(cf_generate_task *tasks, size_t n, int32_t max_new_tokens, cf_error *err)
{
    cf_status st = CF_OK;
    void *memory = NULL;
    if (n == 0)
        return CF_OK;
    CF_TRY(cf_alloc(&memory, n, sizeof(cf_decoding), "answers", err));
    cf_decoding *all = memory;
    for (size_t i = 0; i < n; i++) {
        assert(tasks[i].session->length + max_new_tokens <= tasks[i].session->capacity);
        CF_TRY(cf_decoding_open(&all[i], tasks[i].session, tasks[i].ids, err));
    }
    CF_TRY(cf_decode(all, n, max_new_tokens, err));
    for (size_t i = 0; i < n; i++)
        tasks[i].n = all[i].n;
done:
    for (size_t i = 0; memory && i < n; i++)
        free(((cf_decoding *)memory)[i].logits);
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
