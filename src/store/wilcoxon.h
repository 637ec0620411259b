/* wilcoxon.h - the signed-rank test of "the changes lie symmetrically about 0". Arrays in, numbers out; no SQL. */
#ifndef CF_STORE_WILCOXON_H
#define CF_STORE_WILCOXON_H

#include <stddef.h>

typedef struct cf_wilcoxon {
    double p; /* two-sided; NaN without a value, and where more than 13 values are all 0 */
    double
        r; /* matched-pairs rank-biserial correlation (W+ - W-) / (W+ + W-), in [-1, 1]; NaN without a non-zero value */
} cf_wilcoxon;

/* Of n finite values; scratch has room for n. The p of scipy.stats.wilcoxon (1.17) with its defaults: zeros are
 * dropped (Wilcoxon's own way), ties share the mean of their ranks, and the distribution is exact for at most 50
 * values without ties and zeros and for at most 13 with them, else normal with the correction for ties, without one
 * for continuity. */
cf_wilcoxon cf_wilcoxon_signed_rank(const double *values, size_t n, double *scratch);

#endif
