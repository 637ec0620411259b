/* kernels.h - the vector kernels of the cpu backend, one table per instruction set. Pure functions over caller's
 * memory; threading is the caller's. */
#ifndef CF_BACKEND_CPU_KERNELS_H
#define CF_BACKEND_CPU_KERNELS_H

#include <stdint.h>

#include "backend/backend.h"

enum {
    CF_TILE = 64,        /* keys in an attention tile, aligned at position 0 */
    CF_ATTEND_ROWS = 48, /* query rows of a call, at most */
    CF_V_ALIGN = 16      /* rows of a value tile are padded to this many floats */
};

/* 64 consecutive keys of one kv head: kt[head_dim][64] (keys transposed), v[64][padded head_dim]. */
typedef struct cf_tile {
    const float *kt, *v;
} cf_tile;

typedef struct cf_kernels {
    const char *isa;
    /* One row each; y is f32, or bf16 where y_dtype says so. */
    void (*rms_norm)(void *y, cf_dtype y_dtype, const float *x, const float *gamma, float eps, int64_t d);
    void (*layer_norm)(void *y, cf_dtype y_dtype, const float *x, const float *gamma, const float *beta, float eps,
                       int64_t d);
    void (*rope)(float *row, const float *angles, int64_t n_heads, int64_t head_dim);
    void (*activate)(void *y, cf_dtype y_dtype, const float *x, const float *times, cf_unary f, int64_t n);
    /* acc[r] (padded head_dim floats each) = attention output of rows r < n_rows <= CF_ATTEND_ROWS over n_tiles tiles;
     * visible[r * n_tiles + t] holds a bit per key. Every row must see a key. What a row's bits depend on: its query,
     * the tiles, its visible words; not on the rows beside it. */
    void (*attend)(float *acc, const float *const *q, int n_rows, const cf_tile *tiles, int64_t n_tiles,
                   const uint64_t *visible, float scale, int64_t head_dim);
    /* y[n] = x[n] as bf16, nearest even; and f16 to f32. */
    void (*to_bf16)(uint16_t *y, const float *x, int64_t n);
    void (*from_f16)(float *y, const uint16_t *x, int64_t n);
} cf_kernels;

extern const cf_kernels cf_kernels_avx512, cf_kernels_avx2, cf_kernels_base;

/* Rows of the kernel files in one table: kernels_attend.c defines attend, kernels_rows.c the rest and the table. */
void cf_attend_avx512(float *acc, const float *const *q, int n_rows, const cf_tile *tiles, int64_t n_tiles,
                      const uint64_t *visible, float scale, int64_t head_dim);
void cf_attend_avx2(float *acc, const float *const *q, int n_rows, const cf_tile *tiles, int64_t n_tiles,
                    const uint64_t *visible, float scale, int64_t head_dim);
void cf_attend_base(float *acc, const float *const *q, int n_rows, const cf_tile *tiles, int64_t n_tiles,
                    const uint64_t *visible, float scale, int64_t head_dim);

#endif
