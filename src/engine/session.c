/* session.c - taking a sample; see session.h.
 *
 * Invariants
 * (1) kv holds the baseline's keys and values of positions 0 .. length - 1 from baseline() on; decoding writes
 *     positions at and after length only, so a sweep may follow it. Forcing writes them anew.
 * (2) kept[l] is the input of layer l, written by the baseline and read-only afterwards.
 * (3) A shared prefix is only what causality makes independent of the rest: the ids before the picture, and the
 *     picture. */
#include "engine/session_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static cf_status create(cf_session **out, const cf_model *m, const cf_session *beside, bool share_prefix, cf_error *err)
{
    cf_status st = CF_OK;
    cf_session *s = calloc(1, sizeof *s);
    if (!s)
        return cf_fail(err, CF_NOMEM, "no memory for a session");
    s->model = m;
    s->be = cf_model_backend(m);
    s->share_prefix = share_prefix;
    if (beside)
        s->stack = beside->stack;
    else
        CF_TRY(cf_stack_create(&s->stack, m, err));
    s->owns_stack = !beside;
    CF_TRY(cf_backend_alloc(s->be, &s->last, CF_F32, 1, cf_model_config(m)->text.hidden_size, err));
    *out = s;
    s = NULL;
done:
    cf_session_free(s);
    return st;
}

cf_status cf_session_create(cf_session **out, const cf_model *m, bool share_prefix, cf_error *err)
{
    return create(out, m, NULL, share_prefix, err);
}

cf_status cf_session_create_beside(cf_session **out, const cf_session *other, cf_error *err)
{
    return create(out, other->model, other, other->share_prefix, err);
}

void cf_session_free(cf_session *s)
{
    if (!s)
        return;
    cf_tensor *all[] = {&s->embedded, &s->kept, &s->last, &s->kept_forced};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        cf_backend_release(s->be, all[i]);
    cf_kv_free(s->be, s->kv);
    if (s->owns_stack)
        cf_stack_free(s->stack);
    free(s->prefix_ids);
    free(s->logits);
    free(s->pos);
    free(s);
}

cf_tensor cf_session_kept(const cf_session *s, int64_t layer)
{
    const int64_t n = s->length - s->keep_from;
    return cf_tensor_rows(&s->kept, layer * n, (layer + 1) * n);
}

cf_tensor cf_session_kept_forced(const cf_session *s, int64_t layer)
{
    return cf_tensor_rows(&s->kept_forced, layer * s->n_forced, (layer + 1) * s->n_forced);
}

int64_t cf_session_decoder_macs(const cf_session *s)
{
    return s->stack->decoder_macs;
}

cf_span cf_input_image(const cf_model *m, const cf_input *in)
{
    const int32_t n = in->merge.n ? in->merge.n : (int32_t)cf_model_n_patches(m);
    return (cf_span){in->image_index, in->image_index + n};
}

int32_t cf_input_length(const cf_model *m, const cf_input *in)
{
    const cf_span image = cf_input_image(m, in);
    return in->n_ids - 1 + image.end - image.begin;
}

cf_status cf_input_picture(cf_tensor *rows, const cf_model *m, cf_scratch *scratch, const cf_input *in, cf_error *err)
{
    return cf_picture_embed(m, scratch, rows, in->pixels, in->n_tiles ? in->n_tiles : 1,
                            in->merge.n ? &in->merge : NULL, err);
}

int32_t cf_session_length(const cf_session *s)
{
    return s->length;
}

int32_t cf_session_n_forced(const cf_session *s)
{
    return s->n_forced;
}

const float *cf_session_logits(const cf_session *s)
{
    return s->logits;
}

/* Keys and values for `positions` positions; what was in them is lost when they grow. */
static cf_status reserve_positions(cf_session *s, int32_t positions, cf_error *err)
{
    if (positions <= s->capacity)
        return CF_OK;
    const cf_text_config *t = &cf_model_config(s->model)->text;
    const int32_t most = (int32_t)t->max_position_embeddings;
    const int32_t want = positions + positions / 8 < most ? positions + positions / 8 : most;
    int32_t *pos = realloc(s->pos, (size_t)want * sizeof *pos);
    if (!pos)
        return cf_fail(err, CF_NOMEM, "no memory for %d positions", want);
    s->pos = pos;
    for (int32_t i = 0; i < want; i++)
        pos[i] = i;
    cf_kv_free(s->be, s->kv);
    s->kv = NULL;
    s->capacity = 0;
    s->prefix_picture = 0;
    const cf_status st = cf_kv_create(s->be, &s->kv, t->n_layers, want, t->n_kv_heads, t->head_dim, err);
    if (st == CF_OK)
        s->capacity = want;
    return st;
}

bool cf_session_begins_with(const cf_session *s, const cf_input *in, const int32_t *ids, int32_t n_ids,
                            uint64_t picture)
{
    return s->share_prefix && in->picture && in->picture == picture && in->image_index == n_ids &&
           memcmp(in->ids, ids, (size_t)n_ids * sizeof *ids) == 0;
}

/* embedded = ids before the picture, its features, ids after it. */
static cf_status embed(cf_session *s, cf_error *err)
{
    const cf_input *in = &s->input;
    const cf_span image = cf_input_image(s->model, in);
    cf_status st = CF_OK;
    CF_TRY(cf_room(s->be, &s->embedded, s->length, cf_model_config(s->model)->text.hidden_size, err));
    cf_tensor before = cf_tensor_rows(&s->embedded, 0, image.begin),
              picture = cf_tensor_rows(&s->embedded, image.begin, image.end);
    cf_tensor after = cf_tensor_rows(&s->embedded, image.end, s->length);
    CF_TRY(cf_decoder_embed(s->model, &before, in->ids, err));
    const cf_tensor kept = cf_tensor_rows(&s->stack->picture, 0, image.end - image.begin);
    CF_TRY(cf_gather(s->be, &picture, &kept, NULL, err));
    CF_TRY(cf_decoder_embed(s->model, &after, in->ids + in->image_index + 1, err));
done:
    return st;
}

/* The stack's picture = the rows of the input's, unless it is the one at hand. */
static cf_status see(cf_session *s, cf_error *err)
{
    cf_stack *k = s->stack;
    const cf_span image = cf_input_image(s->model, &s->input);
    const int64_t n = image.end - image.begin;
    cf_status st = CF_OK;
    if (s->share_prefix && s->input.picture && s->input.picture == k->picture_name)
        return CF_OK;
    k->picture_name = 0;
    CF_TRY(cf_room(s->be, &k->picture, n, cf_model_config(s->model)->text.hidden_size, err));
    cf_tensor rows = cf_tensor_rows(&k->picture, 0, n);
    CF_TRY(cf_input_picture(&rows, s->model, k->scratch, &s->input, err));
    k->picture_name = s->input.picture;
done:
    return st;
}

cf_status cf_session_begin(cf_session *s, const cf_input *in, int32_t max_new_tokens, cf_error *err)
{
    const int64_t most = cf_model_config(s->model)->text.max_position_embeddings;
    const int32_t length = cf_input_length(s->model, in);
    cf_status st = CF_OK;
    if ((int64_t)length + max_new_tokens > most)
        return cf_fail(err, CF_MISMATCH, "prompt of %d positions and %d new tokens: the model has %lld positions",
                       length, max_new_tokens, (long long)most);
    if (!cf_session_begins_with(s, in, s->prefix_ids, s->n_prefix_ids, s->prefix_picture))
        s->prefix_picture = 0;
    CF_TRY(reserve_positions(s, length + max_new_tokens, err));
    CF_TRY(cf_scratch_reserve(s->stack->scratch, length, err));
    s->input = *in;
    s->length = length;
    s->n_forced = 0;
    CF_TRY(see(s, err));
    CF_TRY(embed(s, err));
done:
    return st;
}

cf_status cf_session_hidden(cf_session *s, int64_t l, int32_t begin, int32_t end, float *rows, cf_error *err)
{
    const cf_text_config *t = &cf_model_config(s->model)->text;
    if (l < t->n_layers) {
        assert(begin >= s->keep_from && end <= s->length);
        const cf_tensor kept = cf_session_kept(s, l),
                        view = cf_tensor_rows(&kept, begin - s->keep_from, end - s->keep_from);
        return cf_backend_download(s->be, rows, &view, err);
    }
    assert(l == t->n_layers && begin == s->length - 1 && end == s->length);
    cf_tensor y = {0};
    cf_status st = cf_backend_alloc(s->be, &y, CF_F32, 1, t->hidden_size, err);
    if (st == CF_OK)
        st = cf_decoder_norm(s->model, &y, &s->last, err);
    if (st == CF_OK)
        st = cf_backend_download(s->be, rows, &y, err);
    cf_backend_release(s->be, &y);
    return st;
}
