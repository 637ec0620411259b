/* decoder.c - one decoder layer of the Llama kind over a batch of rows, the embeddings before and the head after (HF
 * LlamaForCausalLM, modeling_llama.py).
 *
 * A batch is any set of rows at any positions: a whole prompt, one new token, or the stacked rows of many runs. Which
 * keys a row sees is in the batch's segments, and in the window that the layer itself has (MistralAttention). */
#include "model/model_internal.h"

#include <assert.h>
#include <math.h>

cf_status cf_decoder_embed(const cf_model *m, cf_tensor *x, const int32_t *ids, cf_error *err)
{
    return cf_gather(m->be, x, &m->embedding, ids, err);
}

/* Stores keys and values of the rows that have them; then what others have stored. */
static cf_status update(const cf_model *m, int64_t layer, const cf_layer_batch *b, const cf_tensor *k,
                        const cf_tensor *v, cf_error *err)
{
    cf_status st = CF_OK;
    for (int64_t i = 0; i < b->n_updates; i++) {
        const cf_kv_update *u = &b->updates[i];
        const cf_tensor keys = cf_tensor_rows(k, u->row, u->row + u->n),
                        values = cf_tensor_rows(v, u->row, u->row + u->n);
        CF_TRY(cf_kv_put(m->be, u->kv, layer, &keys, &values, b->pos + b->kv_begin + u->row, err));
    }
    for (int64_t i = 0; i < b->n_updates; i++)
        if (b->updates[i].from)
            CF_TRY(cf_kv_copy(m->be, b->updates[i].kv, b->updates[i].from, layer, b->updates[i].n_from, err));
done:
    return st;
}

/* attended[n_q, H*E] for the batch; x is the layer's input. */
static cf_status attend(const cf_model *m, cf_scratch *s, const cf_text_layer *w, int64_t layer,
                        const cf_layer_batch *b, cf_tensor *attended, const cf_tensor *x, cf_error *err)
{
    const cf_text_config *t = &m->config.text;
    const int64_t n = x->shape[0], d = t->hidden_size, n_kv = n - b->kv_begin, kv_width = t->n_kv_heads * t->head_dim;
    const cf_dtype value = cf_value_dtype(m, (const cf_linear_part *const[]){&w->q, &w->k, &w->v}, 3);
    cf_status st = CF_OK;
    cf_tensor normed = cf_take(&s->normed, n, d), asking = normed;
    cf_tensor q = cf_take_as(&s->q, value, b->n_q, t->n_heads * t->head_dim);
    cf_tensor k = cf_take_as(&s->k, value, n_kv, kv_width), v = cf_take_as(&s->v, value, n_kv, kv_width);
    CF_TRY(cf_rms_norm(m->be, &normed, x, &w->attn_norm.gamma, t->rms_norm_eps, err));
    if (b->q_rows) {
        asking = cf_take(&s->gathered, b->n_q, d);
        CF_TRY(cf_gather(m->be, &asking, &normed, b->q_rows, err));
    }
    CF_TRY(cf_linear(m->be, &q, &asking, w->q.w, cf_bias(&w->q), false, err));
    CF_TRY(cf_rope(m->be, &q, w->rotary, b->q_pos, t->n_heads, err));
    if (n_kv) {
        const cf_tensor keyed = cf_tensor_rows(&normed, b->kv_begin, n);
        CF_TRY(cf_linear(m->be, &k, &keyed, w->k.w, cf_bias(&w->k), false, err));
        CF_TRY(cf_linear(m->be, &v, &keyed, w->v.w, cf_bias(&w->v), false, err));
        CF_TRY(cf_rope(m->be, &k, w->rotary, b->pos + b->kv_begin, t->n_kv_heads, err));
        CF_TRY(update(m, layer, b, &k, &v, err));
    }
    const cf_attn a = {.n_heads = t->n_heads,
                       .n_kv_heads = t->n_kv_heads,
                       .head_dim = t->head_dim,
                       .scale = (float)(1.0 / sqrt((double)t->head_dim)),
                       .causal = true,
                       .window = w->window,
                       .layer = layer,
                       .segments = b->segments,
                       .n_segments = b->n_segments};
    CF_TRY(cf_attention(m->be, attended, &q, &k, &v, &a, err));
done:
    return st;
}

/* y += down(silu(gate(norm(y))) * up(norm(y))), a chunk of rows at a time. */
static cf_status mlp(const cf_model *m, cf_scratch *s, const cf_text_layer *w, cf_tensor *y, cf_error *err)
{
    const cf_text_config *t = &m->config.text;
    const cf_dtype value = cf_value_dtype(m, (const cf_linear_part *const[]){&w->gate, &w->up}, 2);
    cf_status st = CF_OK;
    for (int64_t begin = 0; begin < y->shape[0]; begin += s->chunk) {
        const int64_t end = begin + s->chunk < y->shape[0] ? begin + s->chunk : y->shape[0], n = end - begin;
        cf_tensor rows = cf_tensor_rows(y, begin, end), normed = cf_take(&s->normed, n, t->hidden_size);
        cf_tensor gate = cf_take_as(&s->gate, value, n, t->intermediate_size),
                  up = cf_take_as(&s->up, value, n, t->intermediate_size);
        cf_tensor act = cf_take(&s->act, n, t->intermediate_size);
        CF_TRY(cf_rms_norm(m->be, &normed, &rows, &w->mlp_norm.gamma, t->rms_norm_eps, err));
        CF_TRY(cf_linear(m->be, &gate, &normed, w->gate.w, cf_bias(&w->gate), false, err));
        CF_TRY(cf_linear(m->be, &up, &normed, w->up.w, cf_bias(&w->up), false, err));
        CF_TRY(cf_activate(m->be, &act, &gate, &up, cf_unary_of(t->hidden_act), err));
        CF_TRY(cf_linear(m->be, &rows, &act, w->down.w, cf_bias(&w->down), true, err));
    }
done:
    return st;
}

/* A sublayer that adds nothing to some rows: they are saved before it and put back after it, so that they keep their
 * bits whatever its biases are. */
static cf_status save_rows(const cf_model *m, cf_scratch *s, const cf_tensor *y, const int32_t *rows, int64_t n,
                           cf_error *err)
{
    if (n == 0)
        return CF_OK;
    cf_tensor saved = cf_take(&s->saved, n, m->config.text.hidden_size);
    return cf_gather(m->be, &saved, y, rows, err);
}

static cf_status put_back_rows(const cf_model *m, const cf_scratch *s, cf_tensor *y, const int32_t *rows, int64_t n,
                               cf_error *err)
{
    if (n == 0)
        return CF_OK;
    const cf_tensor saved = cf_take(&s->saved, n, m->config.text.hidden_size);
    return cf_scatter(m->be, y, &saved, rows, err);
}

cf_status cf_decoder_layer(const cf_model *m, cf_scratch *s, int64_t layer, const cf_layer_batch *b, cf_tensor *y,
                           const cf_tensor *x, cf_error *err)
{
    const cf_text_config *t = &m->config.text;
    const int64_t n = x->shape[0];
    assert(n <= s->n_rows && y->shape[0] == b->n_q &&
           (b->q_rows ? y->data != x->data : y->data == x->data && b->n_q == n));
    cf_status st = CF_OK;
    cf_text_layer w;
    if (b->n_q == 0)
        return CF_OK;
    CF_TRY(cf_model_layer(&w, m, layer, err));
    cf_tensor attended = cf_take(&s->attended, b->n_q, t->n_heads * t->head_dim);
    CF_TRY(attend(m, s, &w, layer, b, &attended, x, err));
    if (b->q_rows)
        CF_TRY(cf_gather(m->be, y, x, b->q_rows, err));
    CF_TRY(save_rows(m, s, y, b->zero_attention, b->n_zero_attention, err));
    CF_TRY(cf_linear(m->be, y, &attended, w.o.w, cf_bias(&w.o), true, err));
    CF_TRY(put_back_rows(m, s, y, b->zero_attention, b->n_zero_attention, err));
    CF_TRY(save_rows(m, s, y, b->zero_mlp, b->n_zero_mlp, err));
    CF_TRY(mlp(m, s, &w, y, err));
    CF_TRY(put_back_rows(m, s, y, b->zero_mlp, b->n_zero_mlp, err));
done:
    return st;
}

cf_status cf_decoder_norm(const cf_model *m, cf_tensor *y, const cf_tensor *x, cf_error *err)
{
    return cf_rms_norm(m->be, y, x, &m->final_norm.gamma, m->config.text.rms_norm_eps, err);
}

cf_status cf_decoder_logits(const cf_model *m, cf_scratch *s, cf_tensor *logits, const cf_tensor *x, bool normed,
                            cf_error *err)
{
    cf_tensor in = cf_take(&s->normed, x->shape[0], m->config.text.hidden_size);
    cf_status st = CF_OK;
    if (normed)
        CF_TRY(cf_decoder_norm(m, &in, x, err));
    else
        CF_TRY(cf_gather(m->be, &in, x, NULL, err));
    CF_TRY(cf_linear(m->be, logits, &in, m->head, NULL, false, err));
done:
    return st;
}
