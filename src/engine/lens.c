/* lens.c - the logit lens of the baseline; see session.h. What the lens of a knocked-out run reads is in sweep_read.c.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "engine/session_internal.h"

typedef struct lens_entry {
    cf_lens_visitor visit;
    void *user;
    int64_t entry;
    int32_t begin;
} lens_entry;

static void visit_row(void *user, int64_t i, const float *logits)
{
    const lens_entry *e = user;
    e->visit(e->user, e->entry, e->begin + (int32_t)i, logits);
}

/* rows[n] = the last layer's output at positions [begin, end), which the baseline computes for the last one only. Their
 * inputs are kept, and all keys and values are at hand. */
static cf_status last_layer(cf_session *s, cf_tensor *rows, int32_t begin, int32_t end, cf_error *err)
{
    const int64_t layer = cf_model_config(s->model)->text.n_layers - 1;
    const cf_tensor kept = cf_session_kept(s, layer);
    const cf_tensor x = cf_tensor_rows(&kept, begin - s->keep_from, end - s->keep_from);
    const int32_t n = end - begin;
    const cf_attn_segment segment = {
        .n_q = n, .q_pos = s->pos + begin, .kv = s->kv, .own_begin = s->length, .n_keys = s->length};
    const cf_layer_batch b = {
        .pos = s->pos + begin, .kv_begin = n, .n_q = n, .q_pos = s->pos + begin, .segments = &segment, .n_segments = 1};
    cf_status st = cf_gather(s->be, rows, &x, NULL, err);
    if (st == CF_OK)
        st = cf_stack_layer(s->stack, layer, &b, rows, rows, err);
    return st;
}

cf_status cf_session_lens(cf_session *s, int32_t begin, int32_t end, bool normed, cf_lens_visitor visit, void *user,
                          cf_error *err)
{
    const cf_text_config *t = &cf_model_config(s->model)->text;
    assert(begin >= s->keep_from && begin < end && end <= s->length);
    cf_status st = CF_OK;
    lens_entry e = {visit, user, 0, begin};
    for (; e.entry < t->n_layers; e.entry++) {
        const cf_tensor kept = cf_session_kept(s, e.entry);
        const cf_tensor rows = cf_tensor_rows(&kept, begin - s->keep_from, end - s->keep_from);
        CF_TRY(cf_stack_read(s->stack, &rows, NULL, end - begin, normed, visit_row, &e, err));
    }
    if (begin == s->length - 1) { /* computed already */
        visit(user, e.entry, begin, s->logits);
        goto done;
    }
    CF_TRY(cf_stack_reserve(s->stack, end - begin, err));
    cf_tensor rows = cf_tensor_rows(&s->stack->x, 0, end - begin);
    CF_TRY(last_layer(s, &rows, begin, end, err));
    CF_TRY(cf_stack_read(s->stack, &rows, NULL, end - begin, true, visit_row, &e, err));
done:
    return st;
}
