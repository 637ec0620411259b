/* baseline.c - the baseline pass, and rows that are forced after it; see session.h.
 *
 * Both put the rows of consecutive positions of every session through the layers, and keep each layer's input. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
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

/* What is to be put of a session: all of its rows, or those after a prefix that it has, or that one before it puts. Rows
 * of the prefix are needed again only where their inputs must be kept. */
static cf_put put_of(cf_session *s, const cf_put *before, size_t n)
{
    cf_put p = {.session = s, .end = s->length};
    for (size_t i = 0; !s->prefix_picture && !p.like && i < n; i++) {
        const cf_input *in = &before[i].session->input;
        if (cf_session_begins_with(s, &s->input, in->ids, in->image_index, in->picture))
            p.like = before[i].session;
    }
    const int32_t end = s->prefix_picture || p.like ? cf_input_image(s->model, &s->input).end : 0;
    p.begin = end < s->keep_from ? end : s->keep_from;
    return p;
}

static cf_status open_baselines(const cf_baseline_task *tasks, size_t n, cf_put *puts, int64_t *rows, cf_error *err)
{
    cf_status st = CF_OK;
    *rows = 0;
    for (size_t i = 0; i < n; i++) {
        cf_session *s = tasks[i].session;
        const cf_text_config *t = &cf_model_config(s->model)->text;
        assert(s->stack == tasks[0].session->stack);
        s->keep_from = tasks[i].keep_from < s->length - 1 ? tasks[i].keep_from : s->length - 1;
        s->n_forced = 0;
        CF_TRY(reserve_logits(s, 1, err));
        CF_TRY(cf_room(s->be, &s->kept, t->n_layers * (s->length - s->keep_from), t->hidden_size, err));
        puts[i] = put_of(s, puts, i);
        *rows += puts[i].end - puts[i].begin;
    }
done:
    return st;
}

static cf_status embed_all(cf_stack *k, const cf_put *puts, size_t n, cf_error *err)
{
    int64_t row = 0;
    for (size_t i = 0; i < n; i++) {
        cf_tensor x = cf_stack_next(k, &row, &puts[i]);
        const cf_tensor embedded = cf_tensor_rows(&puts[i].session->embedded, puts[i].begin, puts[i].end);
        const cf_status st = cf_gather(k->be, &x, &embedded, NULL, err);
        if (st != CF_OK)
            return st;
    }
    return CF_OK;
}

/* The layer's inputs of kept positions. */
static cf_status keep_inputs(const cf_stack *k, int64_t layer, const cf_put *puts, size_t n, cf_error *err)
{
    int64_t row = 0;
    for (size_t i = 0; i < n; i++) {
        const cf_session *s = puts[i].session;
        const cf_tensor x = cf_stack_next(k, &row, &puts[i]);
        const cf_tensor keep = cf_tensor_rows(&x, s->keep_from - puts[i].begin, x.shape[0]);
        cf_tensor kept = cf_session_kept(s, layer);
        const cf_status st = cf_gather(k->be, &kept, &keep, NULL, err);
        if (st != CF_OK)
            return st;
    }
    return CF_OK;
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

static void take_logits(void *user, int64_t i, const float *logits)
{
    const cf_session *s = ((const cf_put *)user)[i].session;
    memcpy(s->logits, logits, (size_t)cf_model_config(s->model)->text.vocab_size * sizeof *logits);
}

/* last[n, D]: the last layer's output at each session's last position. */
static cf_status close_baselines(cf_stack *k, cf_put *puts, size_t n, const cf_tensor *last, cf_error *err)
{
    cf_status st = CF_OK;
    for (size_t i = 0; i < n; i++) {
        cf_session *s = puts[i].session;
        const cf_tensor row = cf_tensor_rows(last, (int64_t)i, (int64_t)i + 1);
        CF_TRY(cf_gather(k->be, &s->last, &row, NULL, err));
        if (s->share_prefix)
            CF_TRY(remember_prefix(s, err));
    }
    CF_TRY(cf_stack_read(k, last, NULL, (int64_t)n, true, take_logits, puts, err));
done:
    return st;
}

cf_status cf_sessions_baseline(const cf_baseline_task *tasks, size_t n, cf_error *err)
{
    cf_status st = CF_OK;
    void *memory = NULL;
    int64_t rows = 0;
    if (n == 0)
        return CF_OK;
    cf_stack *k = tasks[0].session->stack;
    const cf_text_config *t = &cf_model_config(k->model)->text;
    CF_TRY(cf_alloc(&memory, n, sizeof(cf_put), "passes", err));
    cf_put *puts = memory;
    CF_TRY(open_baselines(tasks, n, puts, &rows, err));
    CF_TRY(cf_stack_reserve(k, rows, err));
    CF_TRY(cf_room(k->be, &k->asking, (int64_t)n, t->hidden_size, err));
    CF_TRY(embed_all(k, puts, n, err));
    cf_tensor x = cf_tensor_rows(&k->x, 0, rows), last = cf_tensor_rows(&k->asking, 0, (int64_t)n);
    for (int64_t l = 0; l < t->n_layers; l++) {
        const bool final = l == t->n_layers - 1; /* above it only the last position is read */
        CF_TRY(keep_inputs(k, l, puts, n, err));
        CF_TRY(cf_stack_put(k, l, puts, n, final, final ? &last : &x, &x, err));
    }
    CF_TRY(close_baselines(k, puts, n, &last, err));
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

/* The rows of all that is forced; sessions without any have no part in it. */
static cf_status open_forced(const cf_force_task *tasks, size_t n, cf_put *puts, size_t *n_puts, int64_t *rows,
                             cf_error *err)
{
    cf_status st = CF_OK;
    *n_puts = 0;
    *rows = 0;
    for (size_t i = 0; i < n; i++) {
        cf_session *s = tasks[i].session;
        const cf_text_config *t = &cf_model_config(s->model)->text;
        const int32_t forced = tasks[i].n;
        assert(s->length + forced <= s->capacity);
        s->n_forced = 0;
        if (forced == 0)
            continue;
        CF_TRY(reserve_logits(s, 1 + (int64_t)forced, err));
        CF_TRY(cf_room(s->be, &s->kept_forced, t->n_layers * forced, t->hidden_size, err));
        puts[(*n_puts)++] = (cf_put){.session = s, .begin = s->length, .end = s->length + forced};
        *rows += forced;
    }
done:
    return st;
}

static cf_status embed_forced(cf_stack *k, const cf_force_task *tasks, size_t n, cf_error *err)
{
    int64_t row = 0;
    for (size_t i = 0; i < n; i++) {
        cf_tensor x = cf_tensor_rows(&k->x, row, row + tasks[i].n);
        const cf_status st = tasks[i].n ? cf_decoder_embed(k->model, &x, tasks[i].ids, err) : CF_OK;
        if (st != CF_OK)
            return st;
        tasks[i].session->n_forced = tasks[i].n;
        row += tasks[i].n;
    }
    return CF_OK;
}

static cf_status keep_forced(const cf_stack *k, int64_t layer, const cf_put *puts, size_t n, cf_error *err)
{
    int64_t row = 0;
    for (size_t i = 0; i < n; i++) {
        const cf_tensor x = cf_stack_next(k, &row, &puts[i]);
        cf_tensor kept = cf_session_kept_forced(puts[i].session, layer);
        const cf_status st = cf_gather(k->be, &kept, &x, NULL, err);
        if (st != CF_OK)
            return st;
    }
    return CF_OK;
}

/* Behind the last prompt position's. user: the put that row i, counted from its first, belongs to. */
typedef struct forced_rows {
    const cf_put *put;
    int64_t first; /* row of put */
} forced_rows;

static void take_forced_logits(void *user, int64_t i, const float *logits)
{
    forced_rows *f = user;
    if (i - f->first == f->put->end - f->put->begin) {
        f->first = i;
        f->put++;
    }
    const cf_session *s = f->put->session;
    const int64_t vocab = cf_model_config(s->model)->text.vocab_size;
    memcpy(s->logits + (i - f->first + 1) * vocab, logits, (size_t)vocab * sizeof *logits);
}

cf_status cf_sessions_force(const cf_force_task *tasks, size_t n, cf_error *err)
{
    cf_status st = CF_OK;
    void *memory = NULL;
    size_t n_puts = 0;
    int64_t rows = 0;
    if (n == 0)
        return CF_OK;
    cf_stack *k = tasks[0].session->stack;
    CF_TRY(cf_alloc(&memory, n, sizeof(cf_put), "passes", err));
    cf_put *puts = memory;
    CF_TRY(open_forced(tasks, n, puts, &n_puts, &rows, err));
    if (n_puts == 0)
        goto done;
    CF_TRY(cf_stack_reserve(k, rows, err));
    CF_TRY(embed_forced(k, tasks, n, err));
    cf_tensor x = cf_tensor_rows(&k->x, 0, rows);
    for (int64_t l = 0; l < cf_model_config(k->model)->text.n_layers; l++) {
        CF_TRY(keep_forced(k, l, puts, n_puts, err));
        CF_TRY(cf_stack_put(k, l, puts, n_puts, false, &x, &x, err));
    }
    forced_rows f = {puts, 0};
    CF_TRY(cf_stack_read(k, &x, NULL, rows, true, take_forced_logits, &f, err));
done:
    free(memory);
    return st;
}

cf_status cf_session_force(cf_session *s, const int32_t *ids, int32_t n, cf_error *err)
{
    const cf_force_task task = {s, ids, n};
    return cf_sessions_force(&task, 1, err);
}
