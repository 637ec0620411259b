/* session_internal.h - a session's state, for the files of engine/ that walk its layers. */
#ifndef CF_ENGINE_SESSION_INTERNAL_H
#define CF_ENGINE_SESSION_INTERNAL_H

#include "engine/session.h"
#include "engine/stack.h"

struct cf_session {
    const cf_model *model;
    cf_backend *be;
    cf_stack *stack; /* of all sessions beside each other */
    bool owns_stack;
    bool share_prefix;

    /* the sample */
    cf_input input;
    int32_t length;     /* T */
    cf_tensor embedded; /* [>= T, D] input of layer 0 */
    cf_kv *kv;          /* capacity positions */
    int32_t capacity;

    /* the prefix in kv that the next sample may share: prefix_ids, then the picture */
    uint64_t prefix_picture; /* 0: none; from begin() on only where the sample begins with it */
    int32_t *prefix_ids;
    int32_t n_prefix_ids, cap_prefix_ids;

    /* the baseline */
    int32_t keep_from; /* first kept row */
    cf_tensor kept;    /* [n_layers, T - keep_from, D]: inputs of the layers */
    cf_tensor last;    /* [1, D] output of the last layer at T - 1, before the final norm */
    float *logits;     /* [1 + n_forced, V] host */
    size_t cap_logits;
    int32_t *pos; /* [capacity] 0, 1, 2, ... */

    /* what is forced after the prompt */
    int32_t n_forced;
    cf_tensor kept_forced; /* [n_layers, n_forced, D]: inputs of the layers */
};

/* The rows of an input's picture: [positions of the picture, D]. */
cf_status cf_input_picture(cf_tensor *rows, const cf_model *m, cf_scratch *scratch, const cf_input *in, cf_error *err);
/* The kept input of a layer: rows of positions keep_from .. length - 1. */
cf_tensor cf_session_kept(const cf_session *s, int64_t layer);
/* The same of the forced positions. */
cf_tensor cf_session_kept_forced(const cf_session *s, int64_t layer);
/* Whether the input begins with these ids and then this picture, so that a session may share their rows. */
bool cf_session_begins_with(const cf_session *s, const cf_input *in, const int32_t *ids, int32_t n_ids,
                            uint64_t picture);

#endif
