/* oracle.c - see oracle.h. */
#include "engine/oracle.h"

#include <stdlib.h>

#include "base/memory.h"
#include "engine/dense_mask.h"

typedef struct oracle {
    const cf_model *m;
    cf_backend *be;
    cf_scratch *scratch;
    cf_tensor x;
    int32_t *pos;
    uint64_t *open, *closed; /* masks of layers outside and inside the window */
    int32_t length;
} oracle;

static cf_status embed(oracle *o, const cf_input *in, cf_error *err)
{
    const cf_span image = cf_input_image(o->m, in);
    cf_tensor before = cf_tensor_rows(&o->x, 0, image.begin), picture = cf_tensor_rows(&o->x, image.begin, image.end);
    cf_tensor after = cf_tensor_rows(&o->x, image.end, o->length);
    cf_status st = CF_OK;
    CF_TRY(cf_vision_features(o->m, o->scratch, &picture, in->pixels, NULL, NULL, err));
    CF_TRY(cf_decoder_embed(o->m, &before, in->ids, err));
    CF_TRY(cf_decoder_embed(o->m, &after, in->ids + in->image_index + 1, err));
done:
    return st;
}

static cf_status show(const oracle *o, int64_t l, cf_oracle_tap tap, void *user, cf_error *err)
{
    if (!tap)
        return CF_OK;
    void *host = NULL;
    cf_status st = cf_alloc(&host, (size_t)cf_tensor_count(&o->x), sizeof(float), "hidden states", err);
    if (st == CF_OK)
        st = cf_backend_download(o->be, host, &o->x, err);
    if (st == CF_OK)
        tap(user, l, host, o->x.shape[0], o->x.shape[1]);
    free(host);
    return st;
}

static cf_status open_oracle(oracle *o, const cf_model *m, const cf_input *in, const cf_oracle_cut *cut, cf_error *err)
{
    const cf_text_config *t = &cf_model_config(m)->text;
    cf_status st = CF_OK;
    void *pos = NULL;
    o->m = m;
    o->be = cf_model_backend(m);
    o->length = cf_input_length(m, in);
    if (o->length > t->max_position_embeddings)
        return cf_fail(err, CF_MISMATCH, "prompt of %d positions: the model has %lld", o->length,
                       (long long)t->max_position_embeddings);
    CF_TRY(cf_scratch_create(&o->scratch, m, err));
    CF_TRY(cf_scratch_reserve(o->scratch, o->length, err));
    CF_TRY(cf_backend_alloc(o->be, &o->x, CF_F32, o->length, t->hidden_size, err));
    CF_TRY(cf_alloc(&pos, (size_t)o->length, sizeof *o->pos, "positions", err));
    o->pos = pos;
    for (int32_t i = 0; i < o->length; i++)
        o->pos[i] = i;
    CF_TRY(cf_dense_mask(&o->open, o->length, 1, NULL, NULL, NULL, err));
    if (cut->query)
        CF_TRY(
            cf_dense_mask(&o->closed, o->length, cut->heads ? t->n_heads : 1, cut->query, cut->key, cut->heads, err));
done:
    return st;
}

static void close_oracle(oracle *o)
{
    cf_backend_release(o->be, &o->x);
    cf_scratch_free(o->scratch);
    free(o->pos);
    free(o->open);
    free(o->closed);
}

cf_status cf_oracle_logits(const cf_model *m, const cf_input *in, const cf_oracle_cut *cut, float *logits,
                           int64_t *decoder_macs, cf_oracle_tap tap, void *user, cf_error *err)
{
    const cf_text_config *t = &cf_model_config(m)->text;
    cf_status st = CF_OK;
    cf_tensor out = {0};
    oracle o = {0};
    CF_TRY(open_oracle(&o, m, in, cut, err));
    CF_TRY(embed(&o, in, err));
    CF_TRY(show(&o, 0, tap, user, err));
    const int64_t before = cf_backend_counters(o.be).linear_macs;
    for (int32_t l = 0; l < t->n_layers; l++) {
        const bool inside = cut->query && l >= cut->window.first && l < cut->window.last;
        const cf_attn_segment all = {.n_q = o.length,
                                     .q_pos = o.pos,
                                     .n_own = o.length,
                                     .n_keys = o.length,
                                     .dense = inside ? o.closed : o.open,
                                     .dense_per_head = inside && cut->heads};
        const cf_layer_batch b = {.pos = o.pos, .n_q = o.length, .q_pos = o.pos, .segments = &all, .n_segments = 1};
        CF_TRY(cf_decoder_layer(m, o.scratch, l, &b, &o.x, &o.x, err));
        CF_TRY(show(&o, l + 1, tap, user, err));
    }
    if (decoder_macs)
        *decoder_macs += cf_backend_counters(o.be).linear_macs - before;
    const cf_tensor last = cf_tensor_rows(&o.x, o.length - 1, o.length);
    CF_TRY(cf_backend_alloc(o.be, &out, CF_F32, 1, t->vocab_size, err));
    CF_TRY(cf_decoder_logits(m, o.scratch, &out, &last, true, err));
    CF_TRY(cf_backend_download(o.be, logits, &out, err));
done:
    cf_backend_release(o.be, &out);
    close_oracle(&o);
    return st;
}
