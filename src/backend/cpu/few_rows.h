/* few_rows.h - products of one to four rows straight from a weight's blocked layout: what decoding needs.
 *
 * Such a product is one pass over the weight and should run at the speed of memory; the library's own reaches 0.85 of it
 * (docs/speed-log.md). Its bits have to be the library's all the same, or a row would depend on the rows beside it. The
 * library adds up a product in chunks of k: each chunk from zero in one fused chain, then chunk to chunk, then the bias,
 * then what y held. How long its chunks are is its own affair: product.c tries, and stays with the library where no
 * length gives its bits. */
#ifndef CF_BACKEND_CPU_FEW_ROWS_H
#define CF_BACKEND_CPU_FEW_ROWS_H

#include <stdbool.h>
#include <stdint.h>

enum {
    CF_FEW_ROWS = 4,    /* rows at most */
    CF_FEW_COLUMNS = 64 /* of a block of the layout */
};

typedef struct cf_few_rows_product {
    bool bf16;     /* else f32 */
    const void *x; /* [m, k] */
    const void *w; /* blocks of 64 columns: [k][64] f32 or [k/2][64][2] bf16 (k even), columns padded with zeros */
    int64_t block_stride; /* bytes from block to block */
    int64_t m, n, k;      /* m <= CF_FEW_ROWS */
    int64_t chunk;        /* of k, even */
    const float *bias;    /* [n], or NULL */
    bool accumulate;
} cf_few_rows_product;

/* y[m, n] = x W^T (+ bias) (+ y). Needs AVX-512, for bf16 its bf16 extension. */
void cf_few_rows(float *y, const cf_few_rows_product *p, int n_threads);

/* The sums of one block. A step is a 4-byte word of a row (one f32, two bf16), met by 64 words of the block.
 * sums[m][64] is written. (kernels_few_rows.c) */
void cf_few_rows_block(float (*sums)[CF_FEW_COLUMNS], const cf_few_rows_product *p, const void *block);

#endif
