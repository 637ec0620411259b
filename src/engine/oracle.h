/* oracle.h - one run from scratch: what `--reuse off` does, and what the sweep is held against.
 *
 * Vision tower, all positions, all layers, from the pixels; no kv, no plan, no sweep; its mask from dense_mask.c. Slow
 * on purpose. */
#ifndef CF_ENGINE_ORACLE_H
#define CF_ENGINE_ORACLE_H

#include "engine/session.h"
#include "knockout/window.h"

typedef struct cf_oracle_cut { /* query NULL: nothing is cut, the baseline */
    const cf_spans *query, *key;
    const uint64_t *heads; /* NULL: all heads */
    cf_window window;
} cf_oracle_cut;

/* For tests: hidden state l (0: embeddings; l: output of layer l - 1, the last before the final norm) of all
 * positions, host copy. */
typedef void (*cf_oracle_tap)(void *user, int64_t l, const float *rows, int64_t n, int64_t d);

/* logits[vocab_size] (host) at the last position. decoder_macs, unless NULL, is increased by the multiply-adds of the
 * decoder's layers. */
CF_MUST_USE cf_status cf_oracle_logits(const cf_model *m, const cf_input *in, const cf_oracle_cut *cut, float *logits,
                                       int64_t *decoder_macs, cf_oracle_tap tap, void *user, cf_error *err);

#endif
