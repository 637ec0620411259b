/* decoding.h - answers in the making: greedy decoding of several sessions, a token of each at a time, with a run's cuts or
 * without. Inside src/engine only. */
#ifndef CF_ENGINE_DECODING_H
#define CF_ENGINE_DECODING_H

#include "engine/session_internal.h"

/* A session's answer as far as it goes. */
typedef struct cf_decoding {
    cf_session *s;
    const cf_run_layer *run; /* [n_layers], or NULL for the baseline */
    float *logits;           /* [V] of the position that is last so far; the caller frees it */
    int32_t *ids;            /* [n] so far */
    int32_t n;
    bool ended;
} cf_decoding;

/* Starts from the logits of the last prompt position; what was forced after it is gone. */
CF_MUST_USE cf_status cf_decoding_open(cf_decoding *d, cf_session *s, int32_t *ids, cf_error *err);
/* A cf_row_visitor: row i's logits become those of the i-th of `user`, a list of cf_decoding pointers. */
void cf_decoding_take(void *user, int64_t i, const float *logits);
/* Tokens of all until each has ended, or has max_new_tokens. */
CF_MUST_USE cf_status cf_decode(cf_decoding *all, size_t n, int32_t max_new_tokens, cf_error *err);

#endif
