/* statistics.c - see statistics.h. The bootstrap is B. Efron's percentile method (Annals of Statistics 7, 1979);
 * percentiles between two resamples are interpolated as numpy.percentile does by default. */
#include "store/statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "store/wilcoxon.h"

cf_bootstrap cf_bootstrap_default(void)
{
    return (cf_bootstrap){.seed = CF_BOOTSTRAP_SEED, .resamples = CF_BOOTSTRAP_RESAMPLES};
}

/* splitmix64 (G. L. Steele, D. Lea and C. H. Flood, OOPSLA 2014). */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

/* Uniform in [0, n): D. Lemire's multiplication with rejection (ACM TOMACS 29, 2019). */
static uint32_t next_below(uint64_t *state, uint32_t n, uint32_t threshold)
{
    uint64_t product;
    do
        product = (next_random(state) >> 32) * n;
    while ((uint32_t)product < threshold);
    return (uint32_t)(product >> 32);
}

/* NaN, which only the overflow of absurd values gives, sorts last. */
static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    if (isnan(x) || isnan(y))
        return (isnan(x) != 0) - (isnan(y) != 0);
    return (x > y) - (x < y);
}

/* By B. P. Welford's update, as in curves.c: the mean of a curve and of its statistics are the same bits. */
static double mean_of(const double *values, size_t n)
{
    double mean = 0.0;
    for (size_t i = 0; i < n; i++)
        mean += (values[i] - mean) / (double)(i + 1);
    return mean;
}

static double median_of(const double *values, size_t n, double *scratch)
{
    memcpy(scratch, values, n * sizeof *values);
    qsort(scratch, n, sizeof *scratch, compare);
    return n % 2 ? scratch[n / 2] : (scratch[n / 2 - 1] + scratch[n / 2]) / 2.0;
}

static double percentile(const double *sorted, size_t n, double fraction)
{
    const double at = fraction * (double)(n - 1);
    const size_t below = (size_t)at, above = below + 1 < n ? below + 1 : below;
    return sorted[below] + (at - (double)below) * (sorted[above] - sorted[below]);
}

static void add_interval(cf_statistic *s, const double *values, const cf_bootstrap *b, double *means)
{
    const uint32_t n = (uint32_t)s->n, threshold = (0U - n) % n;
    const size_t resamples = (size_t)b->resamples;
    uint64_t state = b->seed;
    for (size_t i = 0; i < resamples; i++) {
        double sum = 0.0;
        for (uint32_t j = 0; j < n; j++)
            sum += values[next_below(&state, n, threshold)];
        means[i] = sum / (double)n;
    }
    qsort(means, resamples, sizeof *means, compare);
    s->low = percentile(means, resamples, 0.025);
    s->high = percentile(means, resamples, 0.975);
}

size_t cf_statistic_scratch(size_t n, const cf_bootstrap *b)
{
    const size_t resamples = (size_t)b->resamples;
    return n > resamples ? n : resamples;
}

cf_statistic cf_statistic_of(const double *values, size_t n, const cf_bootstrap *b, double *scratch)
{
    const double nan = (double)NAN;
    cf_statistic s = {.n = (int64_t)n, .mean = nan, .low = nan, .high = nan, .median = nan, .p = nan, .r = nan};
    if (n == 0)
        return s;
    s.mean = mean_of(values, n);
    s.median = median_of(values, n, scratch);
    add_interval(&s, values, b, scratch);
    const cf_wilcoxon w = cf_wilcoxon_signed_rank(values, n, scratch);
    s.p = w.p;
    s.r = w.r;
    return s;
}
