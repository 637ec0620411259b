/* session_internal.h - a session's state, for the files of engine/ that walk its layers. */
#ifndef CF_ENGINE_SESSION_INTERNAL_H
#define CF_ENGINE_SESSION_INTERNAL_H

#include "engine/session.h"

struct cf_session {
    const cf_model *model;
    cf_backend *be;
    cf_scratch *scratch; /* only within a layer: sessions that work in turns share one */
    bool owns_scratch;
    bool share_prefix;

    /* the sample */
    cf_input input;
    int32_t length;     /* T */
    cf_tensor embedded; /* [>= T, D] input of layer 0 */
    cf_tensor picture;  /* [>= positions of the picture, D] of the picture in input */
    cf_kv *kv;          /* capacity positions */
    int32_t capacity;

    /* the prefix in kv that the next sample may share: prefix_ids, then the picture */
    uint64_t prefix_picture; /* 0: none */
    int32_t *prefix_ids;
    int32_t n_prefix_ids, cap_prefix_ids;

    /* the baseline */
    int32_t keep_from;    /* first kept row */
    cf_tensor kept;       /* [n_layers, T - keep_from, D]: inputs of the layers */
    cf_tensor x;          /* [>= T, D] the walk's rows */
    cf_tensor last;       /* [1, D] output of the last layer at T - 1, before the final norm */
    cf_tensor logits_dev; /* [1, V] */
    float *logits;        /* [1 + n_forced, V] host */
    size_t cap_logits;
    int32_t *pos; /* [capacity] 0, 1, 2, ... */

    /* what is forced after the prompt */
    int32_t n_forced;
    cf_tensor kept_forced; /* [n_layers, n_forced, D]: inputs of the layers */

    cf_tensor sweep_rows[2]; /* the sweep's stacks */
    cf_tensor block;         /* [rows of a block, D] rows whose logits are being read */
    cf_tensor block_logits;  /* [rows of a block, V] */
    float *block_host;       /* the same, on the host */
    int64_t decoder_macs;
};

/* The rows of an input's picture: [positions of the picture, D]. */
cf_status cf_input_picture(cf_tensor *rows, const cf_model *m, cf_scratch *scratch, const cf_input *in, cf_error *err);
/* cf_decoder_layer, counted. */
cf_status cf_session_layer(cf_session *s, int64_t layer, const cf_layer_batch *b, cf_tensor *y, const cf_tensor *x,
                           cf_error *err);
/* What a run does in one layer; cuts NULL: nothing. */
typedef struct cf_run_layer {
    cf_cut *cuts;
    int64_t n_cuts;
    const cf_spans *zero_attention, *zero_mlp;
} cf_run_layer;

/* Rows of positions [begin, end) through one layer, their keys and values into kv. only_last: y is the last row's, and is
 * not x; else y is x. run NULL: the layer as it is. */
cf_status cf_session_put_rows(cf_session *s, int64_t layer, const cf_run_layer *run, int32_t begin, int32_t end,
                              bool only_last, cf_tensor *y, const cf_tensor *x, cf_error *err);
/* Room for [rows, cols] in an f32 tensor; content is lost when it grows. */
cf_status cf_session_room(cf_session *s, cf_tensor *t, int64_t rows, int64_t cols, cf_error *err);
/* The kept input of a layer: rows of positions keep_from .. length - 1. */
cf_tensor cf_session_kept(const cf_session *s, int64_t layer);
/* The same of the forced positions. */
cf_tensor cf_session_kept_forced(const cf_session *s, int64_t layer);

/* Logits of rows[n] of x (NULL: its first n), one after the other; normed: through the final norm first. */
typedef void (*cf_row_visitor)(void *user, int64_t i, const float *logits);
cf_status cf_session_read_rows(cf_session *s, const cf_tensor *x, const int32_t *rows, int64_t n, bool normed,
                               cf_row_visitor visit, void *user, cf_error *err);

#endif
