/* kernels_few_rows.c - the sums of one block of columns. Compiled for AVX-512 and its bf16 extension; the bf16 instruction is
 * used for bf16 weights alone.
 *
 * Floor: the block's bytes by the bandwidth of memory. A step reads 256 of them and feeds four independent chains a row, so
 * even one row (a chain adds every 4 to 6 cycles) asks for more than memory gives a core. */
#include "backend/cpu/few_rows.h"

#include <immintrin.h>
#include <string.h>

enum { VECTORS = CF_FEW_COLUMNS / 16 };

#define INLINE static inline __attribute__((always_inline))

/* sum + x w, by lane; for bf16 two products a lane. x: one word of a row, w: 16 words of the block. */
INLINE __m512 add_product(__m512 sum, const char *x, __m512i w, bool bf16)
{
    int32_t word;
    memcpy(&word, x, sizeof word); /* a row of bf16 is aligned to 2 bytes only */
    const __m512i all = _mm512_set1_epi32(word);
    return bf16 ? _mm512_dpbf16_ps(sum, (__m512bh)all, (__m512bh)w)
                : _mm512_fmadd_ps(_mm512_castsi512_ps(all), _mm512_castsi512_ps(w), sum);
}

/* sums = (or +=, after the first chunk) the chunk's products over words [begin, end) of m rows. m and bf16 are constants
 * where this is inlined. */
INLINE void sum_chunk(float (*sums)[CF_FEW_COLUMNS], const char *x, int64_t n_words, const char *block, int64_t begin,
                      int64_t end, int m, bool bf16)
{
    __m512 acc[CF_FEW_ROWS][VECTORS];
    for (int r = 0; r < m; r++)
        for (int v = 0; v < VECTORS; v++)
            acc[r][v] = _mm512_setzero_ps();
    for (int64_t i = begin; i < end; i++)
        for (int v = 0; v < VECTORS; v++) {
            const __m512i w = _mm512_loadu_si512(block + (i * CF_FEW_COLUMNS + v * 16) * 4);
            for (int r = 0; r < m; r++)
                acc[r][v] = add_product(acc[r][v], x + (r * n_words + i) * 4, w, bf16);
        }
    for (int r = 0; r < m; r++)
        for (int v = 0; v < VECTORS; v++) {
            float *const sum = sums[r] + v * 16;
            _mm512_storeu_ps(sum, begin ? _mm512_add_ps(_mm512_loadu_ps(sum), acc[r][v]) : acc[r][v]);
        }
}

INLINE void sum_block(float (*sums)[CF_FEW_COLUMNS], const cf_few_rows_product *p, const void *block, int m, bool bf16)
{
    const int64_t n_words = bf16 ? p->k / 2 : p->k, chunk = bf16 ? p->chunk / 2 : p->chunk;
    for (int64_t begin = 0, end; begin < n_words; begin = end) {
        end = chunk < n_words - begin ? begin + chunk : n_words;
        sum_chunk(sums, p->x, n_words, block, begin, end, m, bf16);
    }
}

INLINE void sum_block_of(float (*sums)[CF_FEW_COLUMNS], const cf_few_rows_product *p, const void *block, bool bf16)
{
    if (p->m == 1)
        sum_block(sums, p, block, 1, bf16);
    else if (p->m == 2)
        sum_block(sums, p, block, 2, bf16);
    else if (p->m == 3)
        sum_block(sums, p, block, 3, bf16);
    else
        sum_block(sums, p, block, CF_FEW_ROWS, bf16);
}

void cf_few_rows_block(float (*sums)[CF_FEW_COLUMNS], const cf_few_rows_product *p, const void *block)
{
    if (p->bf16)
        sum_block_of(sums, p, block, true);
    else
        sum_block_of(sums, p, block, false);
}
