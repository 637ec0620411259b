/* oracle.c - see oracle.h. */
#include "engine/oracle.h"

#include <stdlib.h>

#include "base/memory.h"
#include "engine/dense_mask.h"
#include "engine/session_internal.h"

typedef struct oracle {
    const cf_model *m;
    cf_backend *be;
    cf_scratch *scratch;
    cf_tensor x;
    int32_t *pos;
    int32_t *zeroed[2]; /* [length] rows that attention, the MLP, add nothing to in this layer */
    int64_t n_zeroed[2];
    cf_cut *cuts; /* [parts] those in force in this layer */
    size_t n_cuts;
    uint64_t *mask; /* of this layer */
    int64_t mask_heads;
    int32_t length;
} oracle;

static cf_status embed(oracle *o, const cf_input *in, const cf_oracle_run *run, cf_error *err)
{
    const cf_span image = cf_input_image(o->m, in);
    const int32_t prompt = cf_input_length(o->m, in);
    cf_tensor before = cf_tensor_rows(&o->x, 0, image.begin), picture = cf_tensor_rows(&o->x, image.begin, image.end);
    cf_tensor after = cf_tensor_rows(&o->x, image.end, prompt), forced = cf_tensor_rows(&o->x, prompt, o->length);
    cf_status st = CF_OK;
    CF_TRY(cf_input_picture(&picture, o->m, o->scratch, in, err));
    CF_TRY(cf_decoder_embed(o->m, &before, in->ids, err));
    CF_TRY(cf_decoder_embed(o->m, &after, in->ids + in->image_index + 1, err));
    if (run->n_forced)
        CF_TRY(cf_decoder_embed(o->m, &forced, run->forced, err));
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

static cf_status open_oracle(oracle *o, const cf_model *m, const cf_input *in, const cf_oracle_run *run, cf_error *err)
{
    const cf_text_config *t = &cf_model_config(m)->text;
    cf_status st = CF_OK;
    void *lists = NULL, *cuts = NULL;
    o->m = m;
    o->be = cf_model_backend(m);
    o->length = cf_input_length(m, in) + run->n_forced;
    if (o->length > t->max_position_embeddings)
        return cf_fail(err, CF_MISMATCH, "prompt of %d positions: the model has %lld", o->length,
                       (long long)t->max_position_embeddings);
    CF_TRY(cf_scratch_create(&o->scratch, m, err));
    CF_TRY(cf_scratch_reserve(o->scratch, o->length, err));
    CF_TRY(cf_scratch_reserve_zeroed(o->scratch, o->length, err));
    CF_TRY(cf_backend_alloc(o->be, &o->x, CF_F32, o->length, t->hidden_size, err));
    CF_TRY(cf_alloc(&lists, 3 * (size_t)o->length, sizeof *o->pos, "positions", err));
    o->pos = lists;
    o->zeroed[0] = o->pos + o->length;
    o->zeroed[1] = o->zeroed[0] + o->length;
    for (int32_t i = 0; i < o->length; i++)
        o->pos[i] = i;
    CF_TRY(cf_alloc(&cuts, run->parts ? run->parts->n : 0, sizeof *o->cuts, "cuts", err));
    o->cuts = cuts;
done:
    return st;
}

static void close_oracle(oracle *o)
{
    cf_backend_release(o->be, &o->x);
    cf_scratch_free(o->scratch);
    free(o->pos);
    free(o->cuts);
    free(o->mask);
}

static bool is_open(const cf_part *p, const cf_oracle_run *run, int32_t layer)
{
    const cf_spans *layers = p->layers.n ? &p->layers : run->window;
    return layers && cf_spans_contain(layers, layer);
}

/* Whether some part zeroes this sublayer at a position; several may. */
static bool is_zeroed(const cf_oracle_run *run, cf_part_kind sublayer, int32_t layer, int32_t position)
{
    for (size_t i = 0; run->parts && i < run->parts->n; i++) {
        const cf_part *p = &run->parts->items[i];
        if (p->kind == sublayer && is_open(p, run, layer) && cf_spans_contain(&p->query, position))
            return true;
    }
    return false;
}

/* What the run does in one layer: the mask, and the rows that a sublayer adds nothing to. */
static cf_status set_layer(oracle *o, const cf_oracle_run *run, int32_t layer, cf_error *err)
{
    o->n_cuts = 0;
    o->n_zeroed[0] = o->n_zeroed[1] = 0;
    o->mask_heads = 1;
    for (size_t i = 0; run->parts && i < run->parts->n; i++) {
        const cf_part *p = &run->parts->items[i];
        if (p->kind != CF_PART_CUT || !is_open(p, run, layer))
            continue;
        o->cuts[o->n_cuts++] = (cf_cut){&p->query, &p->key, p->heads};
        if (p->heads)
            o->mask_heads = cf_model_config(o->m)->text.n_heads;
    }
    for (int32_t q = 0; q < o->length; q++) {
        if (is_zeroed(run, CF_PART_ZERO_ATTENTION, layer, q))
            o->zeroed[0][o->n_zeroed[0]++] = q;
        if (is_zeroed(run, CF_PART_ZERO_MLP, layer, q))
            o->zeroed[1][o->n_zeroed[1]++] = q;
    }
    free(o->mask);
    o->mask = NULL;
    const int64_t window = cf_model_config(o->m)->text.layers[layer].window;
    return cf_dense_mask(&o->mask, o->length, o->mask_heads, window, o->cuts, o->n_cuts, err);
}

static cf_status run_layer(oracle *o, int32_t layer, cf_error *err)
{
    const cf_attn_segment all = {.n_q = o->length,
                                 .q_pos = o->pos,
                                 .n_own = o->length,
                                 .n_keys = o->length,
                                 .dense = o->mask,
                                 .dense_per_head = o->mask_heads > 1};
    const cf_layer_batch b = {.pos = o->pos,
                              .n_q = o->length,
                              .q_pos = o->pos,
                              .segments = &all,
                              .n_segments = 1,
                              .zero_attention = o->zeroed[0],
                              .n_zero_attention = o->n_zeroed[0],
                              .zero_mlp = o->zeroed[1],
                              .n_zero_mlp = o->n_zeroed[1]};
    return cf_decoder_layer(o->m, o->scratch, layer, &b, &o->x, &o->x, err);
}

cf_status cf_oracle_logits(const cf_model *m, const cf_input *in, const cf_oracle_run *run, float *logits,
                           int64_t *decoder_macs, cf_oracle_tap tap, void *user, cf_error *err)
{
    const cf_text_config *t = &cf_model_config(m)->text;
    cf_status st = CF_OK;
    cf_tensor out = {0};
    oracle o = {0};
    CF_TRY(open_oracle(&o, m, in, run, err));
    CF_TRY(embed(&o, in, run, err));
    CF_TRY(show(&o, 0, tap, user, err));
    const int64_t before = cf_backend_counters(o.be).linear_macs;
    for (int32_t l = 0; l < t->n_layers; l++) {
        CF_TRY(set_layer(&o, run, l, err));
        CF_TRY(run_layer(&o, l, err));
        CF_TRY(show(&o, l + 1, tap, user, err));
    }
    if (decoder_macs)
        *decoder_macs += cf_backend_counters(o.be).linear_macs - before;
    const cf_tensor scored = cf_tensor_rows(&o.x, o.length - 1 - run->n_forced, o.length);
    CF_TRY(cf_backend_alloc(o.be, &out, CF_F32, 1 + run->n_forced, t->vocab_size, err));
    CF_TRY(cf_decoder_logits(m, o.scratch, &out, &scored, true, err));
    CF_TRY(cf_backend_download(o.be, logits, &out, err));
done:
    cf_backend_release(o.be, &out);
    close_oracle(&o);
    return st;
}
