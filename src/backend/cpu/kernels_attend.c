/* kernels_attend.c - the attention kernel: query rows against tiles of 64 keys, online softmax (Milakov and Gimelshein
 * 2018, arXiv 1805.02867).
 *
 * Cost per row and tile: 2 * 64 * head_dim fused multiply-adds and 64 exponentials. Six rows share each loaded key and
 * value vector, which makes the loop bound by arithmetic; a single row is bound by loads from the cache. All rows of a
 * call see a few tiles before any sees the next, so that long sequences are read into the near cache once, not once for
 * every six rows.
 *
 * Why the bits are the row's own: each score is one chain of fused multiply-adds over head_dim in order; each output
 * element one chain over keys in position order; a tile in which the row sees nothing is left out before its running
 * maximum is touched. How many rows stand beside it changes which registers are used, nothing else. A key the row does
 * not see, inside a tile it does, gets weight exactly 0 (its value is finite, so adding 0 times it changes nothing). */
#include "backend/cpu/kernels.h"

#include <assert.h>

#include "backend/cpu/simd.h"

enum {
    BLOCK_ROWS = 6, /* with VF_BLOCK vectors each, their sums fill the register file */
    BLOCK_TILES = 8 /* 512 kB of keys and values at 128 elements a head */
};

#define UNROLL _Pragma("GCC unroll 8")
#define INLINE static inline __attribute__((always_inline))

/* score[r][j] = scale * dot(q[r], key j) for the n rows; n is a constant after inlining, so that the sums stay in
 * registers. */
INLINE void scores_of(const int n, float (*score)[CF_TILE], const float *const *q, const float *kt, int64_t head_dim,
                      float scale)
{
    for (int j = 0; j < CF_TILE; j += VF_BLOCK * VF_LANES) {
        vf sum[BLOCK_ROWS][VF_BLOCK];
        UNROLL for (int r = 0; r < n; r++) UNROLL for (int b = 0; b < VF_BLOCK; b++) sum[r][b] = vf_set1(0);
        for (int64_t x = 0; x < head_dim; x++) {
            vf key[VF_BLOCK];
            UNROLL for (int b = 0; b < VF_BLOCK; b++) key[b] = vf_load(kt + x * CF_TILE + j + b * VF_LANES);
            UNROLL for (int r = 0; r < n; r++)
            {
                const vf qx = vf_set1(q[r][x]);
                UNROLL for (int b = 0; b < VF_BLOCK; b++) sum[r][b] = vf_fma(qx, key[b], sum[r][b]);
            }
        }
        UNROLL for (int r = 0; r < n; r++) UNROLL for (int b = 0; b < VF_BLOCK; b++)
            vf_store(&score[r][j + b * VF_LANES], sum[r][b] * vf_set1(scale));
    }
}

/* acc[r] += sum over keys j < n_keys of weight[r][j] * v[j], for n_vectors vectors starting at element x. */
INLINE void values_of(const int n, const int n_vectors, float *const *acc, const float (*weight)[CF_TILE],
                      const float *v, int64_t padded, int64_t x, int n_keys)
{
    vf sum[BLOCK_ROWS][VF_BLOCK];
    UNROLL for (int r = 0; r < n; r++) UNROLL for (int b = 0; b < n_vectors; b++) sum[r][b] =
        vf_load(acc[r] + x + b * VF_LANES);
    for (int j = 0; j < n_keys; j++) {
        vf value[VF_BLOCK];
        UNROLL for (int b = 0; b < n_vectors; b++) value[b] = vf_load(v + j * padded + x + b * VF_LANES);
        UNROLL for (int r = 0; r < n; r++)
        {
            const vf w = vf_set1(weight[r][j]);
            UNROLL for (int b = 0; b < n_vectors; b++) sum[r][b] = vf_fma(w, value[b], sum[r][b]);
        }
    }
    UNROLL for (int r = 0; r < n; r++) UNROLL for (int b = 0; b < n_vectors; b++)
        vf_store(acc[r] + x + b * VF_LANES, sum[r][b]);
}

INLINE void all_values_of(const int n, float *const *acc, const float (*weight)[CF_TILE], const float *v,
                          int64_t padded, int n_keys)
{
    int64_t x = 0;
    for (; x + VF_BLOCK * VF_LANES <= padded; x += VF_BLOCK * VF_LANES)
        values_of(n, VF_BLOCK, acc, weight, v, padded, x, n_keys);
    for (; x + 2 * VF_LANES <= padded; x += 2 * VF_LANES)
        values_of(n, 2, acc, weight, v, padded, x, n_keys);
    for (; x < padded; x += VF_LANES)
        values_of(n, 1, acc, weight, v, padded, x, n_keys);
}

/* Turns one row's scores into weights e^(score - maximum), rescales what the row has so far, and returns the new
 * maximum. */
static float soften(float *score, uint64_t visible, float maximum, float *total, float *acc, int64_t padded)
{
    vf largest = vf_set1(-INFINITY);
    for (int j = 0; j < CF_TILE; j += VF_LANES) {
        const vf s = vf_keep(vf_load(score + j), (uint32_t)(visible >> j));
        vf_store(score + j, s);
        largest = vf_max(largest, s);
    }
    const float tile_maximum = vf_largest(largest);
    const float now = tile_maximum > maximum ? tile_maximum : maximum;
    vf sum = vf_set1(0);
    for (int j = 0; j < CF_TILE; j += VF_LANES) {
        const vf w = vf_exp(vf_load(score + j) - vf_set1(now));
        vf_store(score + j, w);
        sum = sum + w;
    }
    if (now == maximum) {
        *total += vf_sum(sum);
        return now;
    }
    if (maximum == -INFINITY) { /* the first tile it sees: there is nothing to rescale */
        *total = vf_sum(sum);
        return now;
    }
    float fade[VF_LANES];
    vf_store(fade, vf_exp(vf_set1(maximum - now)));
    *total = *total * fade[0] + vf_sum(sum);
    for (int64_t x = 0; x < padded; x += VF_LANES)
        vf_store(acc + x, vf_load(acc + x) * vf_set1(fade[0]));
    return now;
}

/* What a row has seen so far. */
typedef struct row_state {
    const float *q;
    float *acc; /* sum of weighted values */
    float maximum, total;
} row_state;

/* One tile for up to BLOCK_ROWS rows; visible[r * stride] says which of its keys row r sees. */
static void see_tile(row_state *rows, int n_rows, const cf_tile *tile, const uint64_t *visible, int64_t stride,
                     float scale, int64_t head_dim, int64_t padded)
{
    float score[BLOCK_ROWS][CF_TILE];
    const float *q[BLOCK_ROWS]; /* of the rows that see a key of this tile, closed up */
    float *acc[BLOCK_ROWS];
    int seeing[BLOCK_ROWS], n = 0;
    uint64_t any = 0;
    for (int r = 0; r < n_rows; r++)
        if (visible[r * stride]) {
            q[n] = rows[r].q;
            acc[n] = rows[r].acc;
            any |= visible[r * stride];
            seeing[n++] = r;
        }
    const int n_keys = any ? 64 - __builtin_clzll(any) : 0;
    switch (n) {
#define ROWS(count)                                                                                                    \
    case count:                                                                                                        \
        scores_of(count, score, q, tile->kt, head_dim, scale);                                                         \
        for (int i = 0; i < count; i++) {                                                                              \
            row_state *s = &rows[seeing[i]];                                                                           \
            s->maximum = soften(score[i], visible[seeing[i] * stride], s->maximum, &s->total, s->acc, padded);         \
        }                                                                                                              \
        all_values_of(count, acc, (const float(*)[CF_TILE])score, tile->v, padded, n_keys);                            \
        break;
        ROWS(1)
        ROWS(2)
        ROWS(3)
        ROWS(4)
        ROWS(5)
        ROWS(6)
#undef ROWS
    default: /* no row sees this tile */
        break;
    }
}

void CF_ISA_NAME(cf_attend)(float *acc, const float *const *q, int n_rows, const cf_tile *tiles, int64_t n_tiles,
                            const uint64_t *visible, float scale, int64_t head_dim)
{
    assert(n_rows >= 1 && n_rows <= CF_ATTEND_ROWS);
    const int64_t padded = (head_dim + CF_V_ALIGN - 1) / CF_V_ALIGN * CF_V_ALIGN;
    row_state rows[CF_ATTEND_ROWS];
    for (int r = 0; r < n_rows; r++) {
        rows[r] = (row_state){q[r], acc + r * padded, -INFINITY, 0};
        for (int64_t x = 0; x < padded; x++)
            rows[r].acc[x] = 0;
    }
    for (int64_t begin = 0; begin < n_tiles; begin += BLOCK_TILES) {
        const int64_t end = begin + BLOCK_TILES < n_tiles ? begin + BLOCK_TILES : n_tiles;
        for (int r = 0; r < n_rows; r += BLOCK_ROWS) {
            const int n = n_rows - r < BLOCK_ROWS ? n_rows - r : BLOCK_ROWS;
            for (int64_t t = begin; t < end; t++)
                see_tile(rows + r, n, &tiles[t], visible + r * n_tiles + t, n_tiles, scale, head_dim, padded);
        }
    }
    for (int r = 0; r < n_rows; r++)
        for (int64_t x = 0; x < padded; x++)
            rows[r].acc[x] /= rows[r].total;
}
