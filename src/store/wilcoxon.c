/* wilcoxon.c - see wilcoxon.h. F. Wilcoxon, Biometrics Bulletin 1, 1945; the effect size is D. S. Kerby's simple
 * difference (Comprehensive Psychology 3, 2014). Ranks are kept doubled, so that the mean rank of a tie is a whole
 * number and sums are exact. */
#include "store/wilcoxon.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

enum {
    MOST_EXACT = 50,     /* values; 2^50 assignments of signs are still counted exactly in a double */
    MOST_EXACT_TIED = 13 /* 2^13 assignments: as many as scipy's permutation test goes through one by one */
};

typedef struct ranking {
    size_t n;           /* non-zero values */
    double plus, minus; /* doubled rank sums W+ and W- */
    double ties;        /* sum of t^3 - t over groups of t equal sizes */
    bool tied;
    int doubled[MOST_EXACT]; /* the doubled ranks, of the first MOST_EXACT values */
} ranking;

static int compare_sizes(const void *a, const void *b)
{
    const double x = fabs(*(const double *)a), y = fabs(*(const double *)b);
    return (x > y) - (x < y);
}

/* Sorts the non-zero values by size into scratch and ranks them. */
static ranking rank(const double *values, size_t n, double *scratch)
{
    ranking r = {0};
    for (size_t i = 0; i < n; i++)
        if (values[i] != 0.0)
            scratch[r.n++] = values[i];
    qsort(scratch, r.n, sizeof *scratch, compare_sizes);
    for (size_t i = 0, end; i < r.n; i = end) {
        for (end = i + 1; end < r.n && fabs(scratch[end]) == fabs(scratch[i]);)
            end++;
        const double doubled = (double)(i + 1 + end), t = (double)(end - i);
        for (size_t j = i; j < end; j++) {
            *(scratch[j] > 0.0 ? &r.plus : &r.minus) += doubled;
            if (j < MOST_EXACT)
                r.doubled[j] = (int)doubled;
        }
        r.ties += t * t * t - t;
        r.tied = r.tied || end - i > 1;
    }
    return r;
}

/* Every assignment of signs is equally likely: counts how many give a W+ of at most, and of at least, the one found. */
static double exact_p(const ranking *r)
{
    double counts[MOST_EXACT * (MOST_EXACT + 1) + 1] = {1.0}; /* [doubled W+] */
    int highest = 0;
    assert(r->n <= MOST_EXACT);
    for (size_t i = 0; i < r->n; i++) {
        for (int w = highest; w >= 0; w--)
            counts[w + r->doubled[i]] += counts[w];
        highest += r->doubled[i];
    }
    const int found = (int)r->plus;
    double low = 0.0, high = 0.0;
    for (int w = 0; w <= found; w++)
        low += counts[w];
    for (int w = found; w <= highest; w++)
        high += counts[w];
    return fmin(1.0, 2.0 * fmin(low, high) / ldexp(1.0, (int)r->n));
}

static double normal_p(const ranking *r)
{
    const double n = (double)r->n;
    const double variance = (n * (n + 1.0) * (2.0 * n + 1.0) - r->ties / 2.0) / 24.0;
    const double z = (r->plus / 2.0 - n * (n + 1.0) / 4.0) / sqrt(variance); /* 0 / 0 where every value is 0 */
    return erfc(fabs(z) / sqrt(2.0));
}

cf_wilcoxon cf_wilcoxon_signed_rank(const double *values, size_t n, double *scratch)
{
    if (n == 0)
        return (cf_wilcoxon){(double)NAN, (double)NAN};
    const ranking r = rank(values, n, scratch);
    const bool plain = !r.tied && r.n == n;
    return (cf_wilcoxon){.p = n <= (plain ? MOST_EXACT : MOST_EXACT_TIED) ? exact_p(&r) : normal_p(&r),
                         .r = r.n ? (r.plus - r.minus) / (r.plus + r.minus) : (double)NAN};
}
