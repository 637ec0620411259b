/* stack.h - what sessions that walk together have in common: the matrices in which their rows stand one below the other,
 * and what a pass needs beside them. Inside src/engine only.
 *
 * A walk takes every layer once for all its sessions, with all their rows in one matrix: products are then as large as can
 * be, and a layer that is not in memory is read once. Rows do not see each other but by their segments, and products are
 * row-invariant (or the study says that they are not), so that each session ends as it would alone.
 *
 * Nothing here outlives a walk but the picture: samples about one picture follow each other, and it is embedded once. */
#ifndef CF_ENGINE_STACK_H
#define CF_ENGINE_STACK_H

#include "model/model.h"

typedef struct cf_session cf_session;

typedef struct cf_stack {
    const cf_model *model;
    cf_backend *be;
    cf_scratch *scratch;
    uint64_t picture_name; /* of the picture in `picture`, 0: none */
    cf_tensor picture;     /* [>= its positions, D] */
    cf_tensor x;           /* [rows, D] of a pass */
    cf_tensor asking;      /* [rows, D] what a layer puts out where not all rows ask */
    cf_tensor sweep_rows[2];
    cf_tensor block;           /* [rows of a block, D] rows whose logits are being read */
    cf_tensor block_logits;    /* [rows of a block, V] */
    float *block_host;         /* the same, on the host */
    cf_attn_segment *segments; /* of a batch that is put, as are those below; grown and kept */
    cf_kv_update *updates;
    int32_t *positions;
    size_t cap_segments, cap_updates, cap_positions;
    int64_t decoder_macs; /* multiply-adds of all decoder layers so far, from the backend's own counters */
} cf_stack;

CF_MUST_USE cf_status cf_stack_create(cf_stack **out, const cf_model *m, cf_error *err);
void cf_stack_free(cf_stack *k);

/* Room for [rows, cols] in an f32 tensor; content is lost when it grows. */
CF_MUST_USE cf_status cf_room(cf_backend *be, cf_tensor *t, int64_t rows, int64_t cols, cf_error *err);

/* cf_decoder_layer, counted. */
CF_MUST_USE cf_status cf_stack_layer(cf_stack *k, int64_t layer, const cf_layer_batch *b, cf_tensor *y,
                                     const cf_tensor *x, cf_error *err);

/* What a run does in one layer. */
typedef struct cf_run_layer {
    cf_cut *cuts;
    int64_t n_cuts;
    const cf_spans *zero_attention, *zero_mlp;
} cf_run_layer;

/* Rows of a sequence's positions [begin, end) on their way through the layers, their keys and values into its kv. */
typedef struct cf_put {
    cf_session *session;
    int32_t begin, end;
    const cf_run_layer *run; /* NULL: the layer as it is */
    const cf_session *like;  /* unless NULL: keys and values of positions 0 .. begin-1 are as in this session's kv, once
                                the rows of all puts are stored */
} cf_put;

/* Room in the stack for passes of so many rows. */
CF_MUST_USE cf_status cf_stack_reserve(cf_stack *k, int64_t rows, cf_error *err);
/* A put's rows in the stack's x, the first at *row, which moves on behind them. */
cf_tensor cf_stack_next(const cf_stack *k, int64_t *row, const cf_put *p);

/* Rows of all puts, in x one put below the other, through one layer. only_last: y, which is not x, has a row for the last
 * position of each; else y is x. */
CF_MUST_USE cf_status cf_stack_put(cf_stack *k, int64_t layer, const cf_put *puts, size_t n, bool only_last,
                                   cf_tensor *y, const cf_tensor *x, cf_error *err);

/* Notes which asking rows, the first of them q_row, lie at places (NULL: none) that a sublayer adds nothing to: into
 * rows[*n] and on. */
void cf_add_zeroed(int32_t *rows, int64_t *n, const cf_spans *places, int64_t q_row, int64_t n_q, const int32_t *q_pos);

/* Logits of rows[n] of x (NULL: its first n), a block of them at a time: logits[n_block, V] of those from begin on. normed:
 * through the final norm first. */
typedef void (*cf_block_visitor)(void *user, int64_t begin, int64_t n_block, const float *logits);
CF_MUST_USE cf_status cf_stack_read_blocks(cf_stack *k, const cf_tensor *x, const int32_t *rows, int64_t n, bool normed,
                                           cf_block_visitor visit, void *user, cf_error *err);
/* The same, one row after the other. */
typedef void (*cf_row_visitor)(void *user, int64_t i, const float *logits);
CF_MUST_USE cf_status cf_stack_read(cf_stack *k, const cf_tensor *x, const int32_t *rows, int64_t n, bool normed,
                                    cf_row_visitor visit, void *user, cf_error *err);

#endif
