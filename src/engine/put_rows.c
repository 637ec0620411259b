/* put_rows.c - rows of the sequence through one layer, their keys and values into kv; see session_internal.h. The
 * baseline, teacher forcing and decoding are this, layer after layer. */
#include <stdlib.h>

#include "base/memory.h"
#include "engine/session_internal.h"

cf_status cf_session_put_rows(cf_session *s, int64_t layer, const cf_run_layer *run, int32_t begin, int32_t end,
                              bool only_last, cf_tensor *y, const cf_tensor *x, cf_error *err)
{
    const int32_t n_q = only_last ? 1 : end - begin, q_begin = end - n_q, last = end - 1 - begin;
    cf_status st = CF_OK;
    void *memory = NULL;
    int32_t *zeroed[2] = {NULL, NULL};
    int64_t n_zeroed[2] = {0, 0};
    cf_attn_segment segment = {.n_q = n_q, .q_pos = s->pos + q_begin, .own_begin = end, .n_keys = end};
    if (run) {
        CF_TRY(cf_alloc(&memory, 2 * (size_t)n_q, sizeof(int32_t), "zeroed rows", err));
        const cf_spans *places[2] = {run->zero_attention, run->zero_mlp};
        for (int which = 0; which < 2; which++) {
            zeroed[which] = (int32_t *)memory + which * n_q;
            for (int32_t i = 0; places[which] && i < n_q; i++)
                if (cf_spans_contain(places[which], q_begin + i))
                    zeroed[which][n_zeroed[which]++] = i;
        }
        segment.cuts = run->cuts;
        segment.n_cuts = run->n_cuts;
    }
    const cf_layer_batch b = {.pos = s->pos + begin,
                              .q_rows = only_last ? &last : NULL,
                              .n_q = n_q,
                              .q_pos = segment.q_pos,
                              .kv = s->kv,
                              .kv_store = true,
                              .segments = &segment,
                              .n_segments = 1,
                              .zero_attention = zeroed[0],
                              .n_zero_attention = n_zeroed[0],
                              .zero_mlp = zeroed[1],
                              .n_zero_mlp = n_zeroed[1]};
    CF_TRY(cf_session_layer(s, layer, &b, y, x, err));
done:
    free(memory);
    return st;
}
