/* statistics.h - what a set of numbers says about its mean: arrays in, a struct out; no SQL, no allocation, no state.
 */
#ifndef CF_STORE_STATISTICS_H
#define CF_STORE_STATISTICS_H

#include <stddef.h>
#include <stdint.h>

typedef struct cf_bootstrap {
    uint64_t seed;
    int64_t resamples; /* 1 or more */
} cf_bootstrap;

enum { CF_BOOTSTRAP_RESAMPLES = 2000, CF_BOOTSTRAP_SEED = 1 };
cf_bootstrap cf_bootstrap_default(void);

typedef struct cf_statistic {
    int64_t n;
    double mean; /* this and the rest: NaN where n is 0 */
    double low,
        high; /* 95 % interval of the mean: percentiles 2.5 and 97.5 of the resamples' means (percentile bootstrap) */
    double median;
    double p; /* two-sided Wilcoxon signed-rank test against 0, see wilcoxon.h */
    double r; /* its effect size: matched-pairs rank-biserial correlation */
} cf_statistic;

/* Doubles that cf_statistic_of needs as scratch. */
size_t cf_statistic_scratch(size_t n, const cf_bootstrap *b);
/* Of n finite values, n below 2^32. The bits depend on the values, their order and *b alone: the generator starts anew
 * from the seed at every call. */
cf_statistic cf_statistic_of(const double *values, size_t n, const cf_bootstrap *b, double *scratch);

#endif
