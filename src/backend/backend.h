/* backend.h - the operations a model is written in, once for every kind of processor.
 *
 * Coarse operations over row-major matrices, not a graph. `ref` is plain loops with double accumulators: the oracle.
 * `cpu` is oneDNN for products and our own vector kernels for the rest. `cuda` is cuBLASLt and our own kernels, in a
 * plug-in that is loaded when it is asked for (plugin.h). Selection happens once, in cf_backend_open; no caller asks for
 * a backend by name afterwards.
 *
 * Conventions
 * (1) Tensors passed to operations lie in the backend's memory (cf_backend_alloc); index lists (positions, rows) are
 *     host arrays, read before the call returns. Operations may still be under way when their call returns: a download
 *     waits for what it reads, and reports what has gone wrong until then.
 * (2) An operation's outputs may not overlap its inputs, except where it says so.
 * (3) Every operation is deterministic, and each output row depends on its own inputs only: never on how many rows are
 *     computed with it, on threads, or on which buffer holds them. For products that is the row-invariance trait,
 *     which is measured (cf_backend_probe), not assumed.
 * (4) One backend object is used by one thread at a time; it brings its own worker threads.
 * (5) A shape that does not fit is the caller's bug (assert); memory and device faults are errors. */
#ifndef CF_BACKEND_BACKEND_H
#define CF_BACKEND_BACKEND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/span.h"
#include "base/str.h"
#include "tensor/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cf_backend cf_backend;
typedef struct cf_weight cf_weight; /* the right-hand side of a product, in the form the backend multiplies fastest */
typedef struct cf_kv cf_kv;         /* keys and values of one sequence, all layers */

typedef struct cf_backend_options {
    int n_threads;    /* 0: one per core the process may run on */
    cf_dtype compute; /* CF_F32, CF_BF16 where the processor has it, any on cuda: dtype of product inputs. Sums, norms,
                         softmax and the residual stream are f32 always */
    int ordinal;      /* the N of cuda:N; set by cf_backend_open from the name */
} cf_backend_options;

/* name: "cpu", "ref", "cuda:N", or "cuda" for cuda:0. CF_USAGE for another name, CF_UNSUPPORTED
 * for a compute dtype this processor cannot multiply or a build without CUDA, CF_MISMATCH for a plug-in of another
 * build, CF_DEVICE for a device that is not there, and from the library or driver below. */
CF_MUST_USE cf_status cf_backend_open(cf_backend **out, const char *name, const cf_backend_options *options,
                                      cf_error *err);
void cf_backend_close(cf_backend *be);

const char *cf_backend_name(const cf_backend *be);
cf_dtype cf_backend_compute(const cf_backend *be);
/* The dtype in which products without a bias best leave values for the operation that follows: the compute dtype on an
 * accelerator, where a layer's values cross the device's memory between any two operations; f32 on cpu, where they stay
 * in the last cache, and on ref. Where an operation below takes or leaves "values", they are f32 or of this dtype (ref:
 * of any): it computes from them as they are, and rounds once, when it stores. */
cf_dtype cf_backend_value_dtype(const cf_backend *be);
int cf_backend_n_threads(const cf_backend *be);
/* One line of provenance: instruction set in use and library versions. Belongs to the backend. */
const char *cf_backend_describe(const cf_backend *be);
/* Whether this processor multiplies bf16 natively (asked before a backend is opened, to choose the dtype). */
bool cf_backend_has_bf16(const char *name);
/* Whether the name is that of a device with memory of its own, and one that multiplies every dtype at full speed or
 * more: a checkpoint's own dtype is then the natural one. */
bool cf_backend_is_accelerator(const char *name);
/* Bytes of intermediate values that best stand between two products: what the last cache holds on a processor; on an
 * accelerator, whose products want many rows to fill it, far more. Asked before a backend is opened. */
int64_t cf_backend_chunk_bytes(const char *name);
/* Bytes of the memory that the device's tensors lie in: the machine's, or the accelerator's own. Errors as open. */
CF_MUST_USE cf_status cf_backend_memory(int64_t *bytes, const char *name, cf_error *err);
/* Appends a line for each device that can be opened by name; where there is no cuda device, a line that says why. */
CF_MUST_USE cf_status cf_backend_list(cf_str *out, cf_error *err);

/* Work done since open: multiply-adds over all linear() calls, those calls, and calls of weight_fill(). */
typedef struct cf_counters {
    int64_t linear_macs; /* sum of M*N*K */
    int64_t linear_calls;
    int64_t weight_fills; /* matrices put in another's place */
} cf_counters;
cf_counters cf_backend_counters(const cf_backend *be);

/* ---- memory ---- */

/* A [rows, cols] matrix of zeros in the backend's memory. */
CF_MUST_USE cf_status cf_backend_alloc(cf_backend *be, cf_tensor *out, cf_dtype dtype, int64_t rows, int64_t cols,
                                       cf_error *err);
void cf_backend_release(cf_backend *be, cf_tensor *t); /* leaves a zeroed tensor; a zeroed tensor is accepted */
/* Whole-tensor copies between the host's memory (row-major, same dtype, same count) and the backend's. */
CF_MUST_USE cf_status cf_backend_upload(cf_backend *be, cf_tensor *dst, const void *src, cf_error *err);
CF_MUST_USE cf_status cf_backend_download(cf_backend *be, void *dst, const cf_tensor *src, cf_error *err);

/* Takes a host matrix [N, K] of any dtype (2-byte alignment is enough; read now, not kept) for y = x W^T in the
 * backend's compute dtype. */
CF_MUST_USE cf_status cf_weight_create(cf_backend *be, cf_weight **out, const cf_tensor *host, cf_error *err);
void cf_weight_free(cf_backend *be, cf_weight *w);
/* Puts another matrix of the same extents in its place; equal matrices give equal bits, however they came in. */
CF_MUST_USE cf_status cf_weight_fill(cf_backend *be, cf_weight *w, const cf_tensor *host, cf_error *err);

/* Keys and values for positions 0..capacity-1 of n_layers layers, n_kv_heads heads of head_dim each, f32. */
CF_MUST_USE cf_status cf_kv_create(cf_backend *be, cf_kv **out, int64_t n_layers, int64_t capacity, int64_t n_kv_heads,
                                   int64_t head_dim, cf_error *err);
void cf_kv_free(cf_backend *be, cf_kv *kv);

/* ---- operations ---- */

/* y[M,N] = x[M,K] W^T + bias[N]; with accumulate the sum is added to what y holds. x has the compute dtype, bias is f32
 * or NULL. y is f32, or values where there is neither bias nor accumulation. */
CF_MUST_USE cf_status cf_linear(cf_backend *be, cf_tensor *y, const cf_tensor *x, const cf_weight *w,
                                const cf_tensor *bias, bool accumulate, cf_error *err);

/* y[M,D] = x[rows[i],:] for each i, rows NULL meaning 0..M-1. y has x's dtype, or is f32, or has the compute dtype
 * where x is f32. */
CF_MUST_USE cf_status cf_gather(cf_backend *be, cf_tensor *y, const cf_tensor *x, const int32_t *rows, cf_error *err);

/* y[rows[i],:] = x[i,:] for each of x's rows; the rows are distinct, both f32. */
CF_MUST_USE cf_status cf_scatter(cf_backend *be, cf_tensor *y, const cf_tensor *x, const int32_t *rows, cf_error *err);

/* y = x / sqrt(mean(x^2) + eps) * gamma, row by row; x f32, gamma[D] f32, y f32 or the compute dtype. */
CF_MUST_USE cf_status cf_rms_norm(cf_backend *be, cf_tensor *y, const cf_tensor *x, const cf_tensor *gamma, float eps,
                                  cf_error *err);
/* y = (x - mean) / sqrt(var + eps) * gamma + beta. y may be x where both are f32. */
CF_MUST_USE cf_status cf_layer_norm(cf_backend *be, cf_tensor *y, const cf_tensor *x, const cf_tensor *gamma,
                                    const cf_tensor *beta, float eps, cf_error *err);

/* Rotates x[M, n_heads*head_dim] in place. table[P, head_dim] f32 holds head_dim/2 cosines, then head_dim/2 sines, a
 * row per position; pos[M] picks the row. Element i of a head is paired with i + head_dim/2 (Hugging Face
 * rotate_half). x is values. */
CF_MUST_USE cf_status cf_rope(cf_backend *be, cf_tensor *x, const cf_tensor *table, const int32_t *pos, int64_t n_heads,
                              cf_error *err);

typedef enum cf_unary { CF_UNARY_GELU, CF_UNARY_GELU_TANH, CF_UNARY_QUICK_GELU, CF_UNARY_SILU } cf_unary;
/* y = f(x), element by element; with `times`, y = f(x) * times (SwiGLU). x and times are values of one dtype, y f32 or
 * the compute dtype. */
CF_MUST_USE cf_status cf_activate(cf_backend *be, cf_tensor *y, const cf_tensor *x, const cf_tensor *times, cf_unary f,
                                  cf_error *err);

/* Stores rows of k and v [M, G*E], values of one dtype, as those of positions pos[M] of a layer. */
CF_MUST_USE cf_status cf_kv_put(cf_backend *be, cf_kv *kv, int64_t layer, const cf_tensor *k, const cf_tensor *v,
                                const int32_t *pos, cf_error *err);

/* Positions 0..n-1 of a layer as they are in another sequence's, of equal layers, heads and head size; both have as
 * many. */
CF_MUST_USE cf_status cf_kv_copy(cf_backend *be, cf_kv *to, const cf_kv *from, int64_t layer, int64_t n, cf_error *err);

/* One cut: queries at a position in `query` do not see keys at a position in `key`, in the heads of the set. */
typedef struct cf_cut {
    const cf_spans *query, *key;
    const uint64_t *heads; /* bit h of word h/64; NULL: every head */
} cf_cut;

/* The query rows of one run, and where its keys are. Keys below own_begin come from kv, which segments may share, keys
 * own_begin + i from row own_row + i of the call's own k and v. */
typedef struct cf_attn_segment {
    int64_t q_row, n_q;   /* rows of q and out */
    const int32_t *q_pos; /* [n_q] their positions */
    const cf_kv *kv;      /* NULL where own_begin is 0 */
    int64_t own_begin;    /* first position with a row of its own */
    int64_t own_row, n_own;
    int64_t n_keys;     /* keys 0..n_keys-1 exist; own_begin + n_own == n_keys where n_own > 0 */
    const cf_cut *cuts; /* applied to this segment */
    int64_t n_cuts;
    const uint64_t *
        dense; /* or, instead of cuts, causality and window, an explicit mask: bit k of row [(head * n_q + i) * words] set
                 * where visible, words = ceil(n_keys/64); dense_per_head false: one set of rows for all heads */
    bool dense_per_head;
} cf_attn_segment;

typedef struct cf_attn {
    int64_t n_heads, n_kv_heads, head_dim; /* head h reads kv head h / (n_heads / n_kv_heads) */
    float scale;
    bool causal;    /* key position <= query position */
    int64_t window; /* with causal: and key position > query position - window; 0: no window */
    int64_t layer;  /* of every kv */
    const cf_attn_segment *segments;
    int64_t n_segments;
} cf_attn;

/* out[Mq, H*E] = softmax(q k^T * scale, cut and hidden keys left out) v. q, k, v values of one dtype, out f32 or the
 * compute dtype. Keys are reduced in position order in tiles aligned at position 0; an invisible key is removed by
 * select; a tile without a visible key is skipped. A query that sees no key is CF_MISMATCH. k and v may be NULL where no
 * segment has own rows. */
CF_MUST_USE cf_status cf_attention(cf_backend *be, cf_tensor *out, const cf_tensor *q, const cf_tensor *k,
                                   const cf_tensor *v, const cf_attn *a, cf_error *err);

/* ---- traits ---- */

/* Whether products with this weight give each row the same bits whatever the row count: multiplies n_rows
 * pseudo-random rows together, and in groups of several sizes, with and without accumulation and as values, and compares
 * by memcmp. True at once for a backend that is so by construction (ref). */
CF_MUST_USE cf_status cf_backend_probe(cf_backend *be, bool *row_invariant, const cf_weight *w, int64_t n_rows,
                                       cf_error *err);

#ifdef __cplusplus
}
#endif
#endif
