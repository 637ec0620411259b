/* session.h - one sample in flight: its prompt, its baseline pass, its greedy answer.
 *
 * Order of calls: begin, baseline, then any of generate, hidden, lens, force, the sweep (sweep.h), and generate_run
 * (generate_run.h). A session keeps its memory from sample to sample.
 *
 * Several samples in flight are several sessions of one model, created beside each other. What walks over all layers has a
 * form that takes a task of each (cf_sessions_...): their rows go through every layer in one stack, so that products are
 * large and a layer that is not in memory is read once; and each session ends as it would alone. Those that begin with the
 * same picture compute its rows once. A failure leaves all of them to begin anew. */
#ifndef CF_ENGINE_SESSION_H
#define CF_ENGINE_SESSION_H

#include <stdint.h>

#include "base/error.h"
#include "base/span.h"
#include "model/model.h"

typedef struct cf_session cf_session;

/* What a sample brings; borrowed until the next begin. */
typedef struct cf_input {
    const int32_t *ids; /* the prompt with ONE image token */
    int32_t n_ids;
    int32_t image_index; /* where it stands */
    const float *pixels; /* [n_tiles, 3, S, S] */
    int32_t n_tiles;     /* 0 is 1 */
    cf_merge_plan merge; /* the picture's positions, lists borrowed; n 0: the patches of the one tile, in order */
    uint64_t picture;    /* names the picture: samples with equal, non-zero names bring the same pixels */
} cf_input;

/* share_prefix: the rows up to the end of the picture are kept from one sample to the next that begins alike (same
 * picture, same ids before it). Exact where products are row-invariant, because those rows do not depend on what
 * follows. */
CF_MUST_USE cf_status cf_session_create(cf_session **out, const cf_model *m, bool share_prefix, cf_error *err);
/* Another one for the same model and thread, which works in other's stack; other must outlive it. */
CF_MUST_USE cf_status cf_session_create_beside(cf_session **out, const cf_session *other, cf_error *err);
void cf_session_free(cf_session *s);

/* Positions the prompt of this input takes, and where the picture's are. */
int32_t cf_input_length(const cf_model *m, const cf_input *in);
cf_span cf_input_image(const cf_model *m, const cf_input *in);

/* Takes a sample: runs the vision tower and lays out the embeddings. CF_MISMATCH where prompt and max_new_tokens do
 * not fit the model's positions. */
CF_MUST_USE cf_status cf_session_begin(cf_session *s, const cf_input *in, int32_t max_new_tokens, cf_error *err);
int32_t cf_session_length(const cf_session *s); /* of the prompt */

/* The baseline pass: fills keys and values of all layers, and keeps each layer's input for rows [keep_from, length)
 * (at least the last row). Nothing is forced after it. */
CF_MUST_USE cf_status cf_session_baseline(cf_session *s, int32_t keep_from, cf_error *err);
typedef struct cf_baseline_task {
    cf_session *session;
    int32_t keep_from;
} cf_baseline_task;
CF_MUST_USE cf_status cf_sessions_baseline(const cf_baseline_task *tasks, size_t n, cf_error *err);

/* logits[1 + n_forced, vocab_size] of the last prompt position and of the forced ones; belongs to the session, valid
 * until the next baseline or force. */
const float *cf_session_logits(const cf_session *s);

/* Greedy continuation: appends at most max_new_tokens ids to ids[] (room for that many); stops after an end token,
 * which is included. *n is how many. What was forced is gone afterwards. */
CF_MUST_USE cf_status cf_session_generate(cf_session *s, int32_t *ids, int32_t *n, int32_t max_new_tokens,
                                          cf_error *err);
typedef struct cf_generate_task {
    cf_session *session;
    int32_t *ids; /* [max_new_tokens] */
    int32_t n;    /* out */
} cf_generate_task;
CF_MUST_USE cf_status cf_sessions_generate(cf_generate_task *tasks, size_t n, int32_t max_new_tokens, cf_error *err);

/* Teacher forcing: puts ids[n] after the prompt, in place of what was forced before. Their rows take part in every
 * sweep that follows, and are scored there. n is at most max_new_tokens of begin. */
CF_MUST_USE cf_status cf_session_force(cf_session *s, const int32_t *ids, int32_t n, cf_error *err);
typedef struct cf_force_task {
    cf_session *session;
    const int32_t *ids; /* [n] */
    int32_t n;
} cf_force_task;
CF_MUST_USE cf_status cf_sessions_force(const cf_force_task *tasks, size_t n, cf_error *err);
int32_t cf_session_n_forced(const cf_session *s);

/* Copies hidden state l (0: embeddings; n_layers: after the final norm, as Hugging Face returns it) of kept positions
 * [begin, end) to rows[end - begin, hidden_size]. State n_layers exists for the last position only. */
CF_MUST_USE cf_status cf_session_hidden(cf_session *s, int64_t l, int32_t begin, int32_t end, float *rows,
                                        cf_error *err);

/* The logit lens of the baseline: for each kept position [begin, end) and each entry 0..n_layers, the hidden state's
 * product with the output embedding; normed: through the final norm first, which the last entry always goes through.
 * visit is called entry by entry, position by position; logits[vocab_size] are valid during the call. */
typedef void (*cf_lens_visitor)(void *user, int64_t entry, int32_t position, const float *logits);
CF_MUST_USE cf_status cf_session_lens(cf_session *s, int32_t begin, int32_t end, bool normed, cf_lens_visitor visit,
                                      void *user, cf_error *err);

/* Multiply-adds that decoder layers have done for this session and those beside it, from the backend's own counters. */
int64_t cf_session_decoder_macs(const cf_session *s);

#endif
