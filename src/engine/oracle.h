/* oracle.h - one run from scratch: what `--reuse off` does, and what the sweep is held against.
 *
 * Vision tower, all positions, all layers, from the pixels; no kv, no plan, no sweep; its masks from dense_mask.c. Slow
 * on purpose. */
#ifndef CF_ENGINE_ORACLE_H
#define CF_ENGINE_ORACLE_H

#include "engine/session.h"
#include "knockout/parts.h"

/* Borrowed for the call. All zero: the baseline. */
typedef struct cf_oracle_run {
    const cf_parts *parts;  /* NULL: nothing is done */
    const cf_spans *window; /* layers of the parts that have none of their own; NULL: no layer */
    const int32_t *forced;  /* [n_forced] ids after the prompt */
    int32_t n_forced;
} cf_oracle_run;

/* For tests: hidden state l (0: embeddings; l: output of layer l - 1, the last before the final norm) of all
 * positions, host copy. */
typedef void (*cf_oracle_tap)(void *user, int64_t l, const float *rows, int64_t n, int64_t d);

/* logits[1 + n_forced, vocab_size] (host) at the last prompt position and the forced ones. decoder_macs, unless NULL, is
 * increased by the multiply-adds of the decoder's layers. */
CF_MUST_USE cf_status cf_oracle_logits(const cf_model *m, const cf_input *in, const cf_oracle_run *run, float *logits,
                                       int64_t *decoder_macs, cf_oracle_tap tap, void *user, cf_error *err);

#endif
