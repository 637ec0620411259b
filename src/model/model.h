/* model.h - a LLaVA-family model in a backend's memory: vision tower, projector, decoder.
 *
 * The forward pass is written once over backend.h. A model is immutable after loading; what a pass needs beside it is
 * a cf_scratch. The model knows positions, rows and attention segments; it knows nothing of flows, windows or plans. */
#ifndef CF_MODEL_MODEL_H
#define CF_MODEL_MODEL_H

#include <stdint.h>

#include "backend/backend.h"
#include "base/error.h"
#include "checkpoint/checkpoint.h"
#include "image/merge_plan.h"

typedef struct cf_model cf_model;

/* Loads the weights of the checkpoint into the backend, which must outlive the model; so must the checkpoint where layers
 * are streamed. Matrices take at most max_weight_bytes in the backend's memory (0: no limit): where they do not fit, the last decoder layers are read again
 * from the mapped files in every walk over them, with the next one read ahead. Results do not depend on it. */
CF_MUST_USE cf_status cf_model_load(cf_model **out, cf_backend *be, const cf_checkpoint *c, int64_t max_weight_bytes,
                                    cf_error *err);
void cf_model_free(cf_model *m);

/* Bytes of matrices in the backend's memory under that limit, and how many decoder layers stay there. */
typedef struct cf_weight_plan {
    int64_t bytes;
    int64_t n_resident; /* layers; the others are streamed */
} cf_weight_plan;
cf_weight_plan cf_model_plan_weights(const cf_config *c, cf_dtype compute, int64_t max_weight_bytes);

const cf_config *cf_model_config(const cf_model *m);
int64_t cf_model_n_streamed(const cf_model *m); /* decoder layers that are read in every walk */
cf_backend *cf_model_backend(const cf_model *m);
int64_t cf_model_n_patches(
    const cf_model
        *m); /* positions of one picture: (image_size / patch_size)^2, one more where the class token is kept */
/* The distinct product weights a decoder row meets (layer 0's and the output head), for cf_backend_probe. Fills at
 * most `max`; *n is how many there are. Valid until a layer is computed. */
CF_MUST_USE cf_status cf_model_weights(const cf_model *m, const cf_weight **out, int64_t max, int64_t *n,
                                       cf_error *err);
/* Multiply-adds of one decoder row through one layer, all its products: the unit of a "row-layer"; and so the elements of
 * a layer's matrices. */
int64_t cf_text_layer_macs(const cf_text_config *t);
int64_t cf_model_row_layer_macs(const cf_model *m);

/* ---- scratch ---- */

/* Buffers of one pass at a time, grown by reserve and kept. One per worker. */
typedef struct cf_scratch cf_scratch;
CF_MUST_USE cf_status cf_scratch_create(cf_scratch **out, const cf_model *m, cf_error *err);
void cf_scratch_free(cf_scratch *s);
/* Room for layer batches of up to n_rows rows. */
CF_MUST_USE cf_status cf_scratch_reserve(cf_scratch *s, int64_t n_rows, cf_error *err);
/* Bytes that the first reserve of n_rows takes on a device (a name that cf_backend_open takes). */
int64_t cf_scratch_bytes(const cf_config *c, const char *device, cf_dtype compute, int64_t n_rows);
/* Room for n_rows rows of the vision tower beside it. */
CF_MUST_USE cf_status cf_scratch_reserve_tower(cf_scratch *s, int64_t n_rows, cf_error *err);
/* Room for up to n_rows rows of a batch that a sublayer adds nothing to. */
CF_MUST_USE cf_status cf_scratch_reserve_zeroed(cf_scratch *s, int64_t n_rows, cf_error *err);

/* ---- vision tower and projector ---- */

/* Called after each stage with a host copy of it; for tests. stage -1: embeddings after the pre-norm; stage l: after
 * layer l. */
typedef void (*cf_vision_tap)(void *user, int64_t stage, const float *rows, int64_t n_rows, int64_t d);

/* features[n_tiles * n_patches, hidden_size] (backend memory, f32) from pixels[n_tiles, 3, image_size, image_size] (host).
 * CLIPVisionModel up to hidden state feature_layer, then LlavaMultiModalProjector. The tiles' rows go through it in one
 * stack, and do not see each other. tap may be NULL. */
CF_MUST_USE cf_status cf_vision_features(const cf_model *m, cf_scratch *s, cf_tensor *features, const float *pixels,
                                         int64_t n_tiles, cf_vision_tap tap, void *user, cf_error *err);

/* rows[n, hidden_size] (backend memory, f32) = the picture's rows as the decoder takes them, by the sources of the
 * merge plan, with P = cf_model_n_patches (LlavaNextModel.pack_image_features). merge NULL: the patches of tile 0 in
 * order. pixels[n_tiles, 3, image_size,
 * image_size] (host). */
CF_MUST_USE cf_status cf_picture_embed(const cf_model *m, cf_scratch *s, cf_tensor *rows, const float *pixels,
                                       int64_t n_tiles, const cf_merge_plan *merge, cf_error *err);

/* ---- decoder ---- */

/* x[M, hidden_size] = embeddings of ids[M] (host). */
CF_MUST_USE cf_status cf_decoder_embed(const cf_model *m, cf_tensor *x, const int32_t *ids, cf_error *err);

/* Rows of one sequence whose keys and values are stored, and what is stored before them. */
typedef struct cf_kv_update {
    cf_kv *kv;
    int64_t row, n;    /* rows [row, row + n) of those that get keys and values: stored at their positions */
    const cf_kv *from; /* unless NULL: positions 0 .. n_from-1 are as in this one, once all rows are stored */
    int64_t n_from;
} cf_kv_update;

/* Rows that go through one decoder layer together: of one sequence, or of several. */
typedef struct cf_layer_batch {
    const int32_t *pos;          /* [M] sequence position of each row of x */
    int64_t kv_begin;            /* rows [kv_begin, M) get keys and values of their own; earlier ones only ask */
    const int32_t *q_rows;       /* [n_q] the rows that ask, ascending; NULL: all */
    int64_t n_q;                 /* M where q_rows is NULL */
    const int32_t *q_pos;        /* [n_q] their positions; pos where q_rows is NULL */
    const cf_kv_update *updates; /* [n_updates] before any row asks; the segments of such rows have no own rows */
    int64_t n_updates;
    const cf_attn_segment *segments; /* over the n_q asking rows; own_row counts from kv_begin */
    int64_t n_segments;
    const int32_t *zero_attention; /* [n_zero_attention] asking rows, by their place among the n_q, that attention adds
                                      nothing to */
    int64_t n_zero_attention;
    const int32_t *zero_mlp; /* [n_zero_mlp] the same, of the MLP */
    int64_t n_zero_mlp;
} cf_layer_batch;

/* One LlamaDecoderLayer: y[n_q, D] = x[q_rows] + attention, then + MLP. x[M, D] f32. Where q_rows is NULL, y is x (in
 * place); else they do not overlap. */
CF_MUST_USE cf_status cf_decoder_layer(const cf_model *m, cf_scratch *s, int64_t layer, const cf_layer_batch *b,
                                       cf_tensor *y, const cf_tensor *x, cf_error *err);

/* logits[M, vocab_size] of hidden states x[M, D]; normed: through the final norm first (as the last hidden state needs
 * it). */
CF_MUST_USE cf_status cf_decoder_logits(const cf_model *m, cf_scratch *s, cf_tensor *logits, const cf_tensor *x,
                                        bool normed, cf_error *err);
/* y[M, D] f32 = the final norm of x. */
CF_MUST_USE cf_status cf_decoder_norm(const cf_model *m, cf_tensor *y, const cf_tensor *x, cf_error *err);

#endif
