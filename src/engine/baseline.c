/* baseline.c - the baseline pass, and rows that are forced after it; see session.h.
 *
 * Both put the rows of consecutive positions through the layers, and keep each layer's input. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "engine/pass.h"
#include "engine/session_internal.h"

static cf_status reserve_logits(cf_session *s, int64_t rows, cf_error *err)
{
    void *logits = s->logits;
    const cf_status st = cf_grow(&logits, &s->cap_logits, (size_t)(rows * cf_model_config(s->model)->text.vocab_size),
                                 sizeof *s->logits, "logits", err);
    s->logits = logits;
    return st;
}

/* ---- the baseline ---- */

typedef struct baseline_pass {
    cf_session *s;
    int32_t begin; /* first position that goes through the layers */
    cf_tensor x;   /* [length - begin, D] */
} baseline_pass;

static cf_status open_baseline(baseline_pass *b, cf_session *s, int32_t keep_from, cf_error *err)
{
    const cf_text_config *t = &cf_model_config(s->model)->text;
    const int32_t n = s->length;
    cf_status st = CF_OK;
    s->keep_from = keep_from < n - 1 ? keep_from : n - 1;
    s->n_forced = 0;
    /* Rows below `begin` are in kv already; they are needed again only where their inputs must be kept. */
    int32_t begin = s->prefix_picture ? cf_input_image(s->model, &s->input).end : 0;
    begin = begin < s->keep_from ? begin : s->keep_from;
    CF_TRY(reserve_logits(s, 1, err));
    CF_TRY(cf_session_room(s, &s->kept, t->n_layers * (n - s->keep_from), t->hidden_size, err));
    CF_TRY(cf_session_room(s, &s->x, n, t->hidden_size, err));
    *b = (baseline_pass){s, begin, cf_tensor_rows(&s->x, begin, n)};
    const cf_tensor embedded = cf_tensor_rows(&s->embedded, begin, n);
    CF_TRY(cf_gather(s->be, &b->x, &embedded, NULL, err));
done:
    return st;
}

static cf_status baseline_layer(void *state, int64_t l, cf_error *err)
{
    baseline_pass *b = state;
    cf_session *s = b->s;
    const bool final = l == cf_model_config(s->model)->text.n_layers - 1; /* above it only the last position is read */
    const cf_tensor keep = cf_tensor_rows(&b->x, s->keep_from - b->begin, s->length - b->begin);
    cf_tensor kept = cf_session_kept(s, l);
    const cf_status st = cf_gather(s->be, &kept, &keep, NULL, err);
    if (st != CF_OK)
        return st;
    return cf_session_put_rows(s, l, NULL, b->begin, s->length, final, final ? &s->last : &b->x, &b->x, err);
}

static cf_status remember_prefix(cf_session *s, cf_error *err)
{
    const cf_input *in = &s->input;
    size_t cap = (size_t)s->cap_prefix_ids;
    void *ids = s->prefix_ids;
    const cf_status st = cf_grow(&ids, &cap, (size_t)in->image_index + 1, sizeof *s->prefix_ids, "prompt ids", err);
    if (st != CF_OK)
        return st;
    s->prefix_ids = ids;
    s->cap_prefix_ids = (int32_t)cap;
    s->n_prefix_ids = in->image_index;
    memcpy(s->prefix_ids, in->ids, (size_t)in->image_index * sizeof *in->ids);
    s->prefix_picture = in->picture;
    return CF_OK;
}

static cf_status close_baseline(cf_session *s, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_decoder_logits(s->model, s->scratch, &s->logits_dev, &s->last, true, err));
    CF_TRY(cf_backend_download(s->be, s->logits, &s->logits_dev, err));
    if (s->share_prefix)
        CF_TRY(remember_prefix(s, err));
done:
    return st;
}

cf_status cf_sessions_baseline(const cf_baseline_task *tasks, size_t n, cf_error *err)
{
    cf_status st = CF_OK;
    void *memory = NULL;
    if (n == 0)
        return CF_OK;
    CF_TRY(cf_alloc(&memory, n, sizeof(baseline_pass), "passes", err));
    baseline_pass *passes = memory;
    for (size_t i = 0; i < n; i++)
        CF_TRY(open_baseline(&passes[i], tasks[i].session, tasks[i].keep_from, err));
    CF_TRY(cf_passes_walk(passes, n, sizeof *passes, baseline_layer,
                          cf_model_config(tasks[0].session->model)->text.n_layers, err));
    for (size_t i = 0; i < n; i++)
        CF_TRY(close_baseline(tasks[i].session, err));
done:
    free(memory);
    return st;
}

cf_status cf_session_baseline(cf_session *s, int32_t keep_from, cf_error *err)
{
    const cf_baseline_task task = {s, keep_from};
    return cf_sessions_baseline(&task, 1, err);
}

/* ---- forced rows ---- */

typedef struct forced_pass {
    cf_session *s;
    int32_t n;   /* 0: nothing is forced */
    cf_tensor x; /* [n, D] */
} forced_pass;

static cf_status open_forced(forced_pass *f, const cf_force_task *task, cf_error *err)
{
    cf_session *s = task->session;
    const cf_text_config *t = &cf_model_config(s->model)->text;
    const int32_t n = task->n;
    assert(s->length + n <= s->capacity);
    cf_status st = CF_OK;
    *f = (forced_pass){s, n, {0}};
    s->n_forced = 0;
    if (n == 0)
        return CF_OK;
    CF_TRY(reserve_logits(s, 1 + (int64_t)n, err));
    CF_TRY(cf_scratch_reserve(s->scratch, n, err));
    CF_TRY(cf_session_room(s, &s->kept_forced, t->n_layers * n, t->hidden_size, err));
    CF_TRY(cf_session_room(s, &s->x, n, t->hidden_size, err));
    f->x = cf_tensor_rows(&s->x, 0, n);
    CF_TRY(cf_decoder_embed(s->model, &f->x, task->ids, err));
done:
    return st;
}

static cf_status forced_layer(void *state, int64_t l, cf_error *err)
{
    forced_pass *f = state;
    cf_session *s = f->s;
    if (f->n == 0)
        return CF_OK;
    cf_tensor kept = cf_tensor_rows(&s->kept_forced, l * f->n, (l + 1) * f->n);
    const cf_status st = cf_gather(s->be, &kept, &f->x, NULL, err);
    if (st != CF_OK)
        return st;
    return cf_session_put_rows(s, l, NULL, s->length, s->length + f->n, false, &f->x, &f->x, err);
}

/* Rows of forced logits, behind the last prompt position's. */
static void keep_logits(void *user, int64_t i, const float *logits)
{
    const cf_session *s = user;
    const int64_t vocab = cf_model_config(s->model)->text.vocab_size;
    memcpy(s->logits + (i + 1) * vocab, logits, (size_t)vocab * sizeof *logits);
}

static cf_status close_forced(const forced_pass *f, cf_error *err)
{
    const cf_status st = f->n ? cf_session_read_rows(f->s, &f->x, NULL, f->n, true, keep_logits, f->s, err) : CF_OK;
    if (st == CF_OK)
        f->s->n_forced = f->n;
    return st;
}

cf_status cf_sessions_force(const cf_force_task *tasks, size_t n, cf_error *err)
{
    cf_status st = CF_OK;
    void *memory = NULL;
    bool any = false;
    if (n == 0)
        return CF_OK;
    CF_TRY(cf_alloc(&memory, n, sizeof(forced_pass), "passes", err));
    forced_pass *passes = memory;
    for (size_t i = 0; i < n; i++) {
        CF_TRY(open_forced(&passes[i], &tasks[i], err));
        any |= tasks[i].n > 0;
    }
    if (any)
        CF_TRY(cf_passes_walk(passes, n, sizeof *passes, forced_layer,
                              cf_model_config(tasks[0].session->model)->text.n_layers, err));
    for (size_t i = 0; i < n; i++)
        CF_TRY(close_forced(&passes[i], err));
done:
    free(memory);
    return st;
}

cf_status cf_session_force(cf_session *s, const int32_t *ids, int32_t n, cf_error *err)
{
    const cf_force_task task = {s, ids, n};
    return cf_sessions_force(&task, 1, err);
}
