/* few_rows.c - see few_rows.h. Blocks of columns are shared out among the threads; each reads its own part of the weight from
 * its first byte to its last. */
#include "backend/cpu/few_rows.h"

enum { PARALLEL_ELEMENTS = 1 << 18 }; /* of a weight; below this, 1 MB in f32, a fork costs more than it saves */

static void put_block(float *y, const cf_few_rows_product *p, float (*sums)[CF_FEW_COLUMNS], int64_t begin, int64_t end)
{
    for (int64_t r = 0; r < p->m; r++)
        for (int64_t i = begin; i < end; i++) {
            float *const out = y + r * p->n + i;
            float sum = sums[r][i - begin];
            if (p->bias)
                sum += p->bias[i];
            *out = p->accumulate ? sum + *out : sum;
        }
}

void cf_few_rows(float *y, const cf_few_rows_product *p, int n_threads)
{
    const int64_t n_blocks = (p->n + CF_FEW_COLUMNS - 1) / CF_FEW_COLUMNS;
#pragma omp parallel for schedule(static) num_threads(n_threads) if (p->n * p->k >= PARALLEL_ELEMENTS)
    for (int64_t b = 0; b < n_blocks; b++) {
        float sums[CF_FEW_ROWS][CF_FEW_COLUMNS];
        const int64_t begin = b * CF_FEW_COLUMNS, end = begin + CF_FEW_COLUMNS;
        cf_few_rows_block(sums, p, (const char *)p->w + b * p->block_stride);
        put_block(y, p, sums, begin, end < p->n ? end : p->n);
    }
}
