/* mean.c - a mean and its 95 % interval, by B. P. Welford's update (Technometrics 4, 1962): numbers that come in one
 * order give the same bits. */
#include "store/mean.h"

#include <math.h>

static const double Z_95 = 1.96; /* normal quantile of a two-sided 95 % interval, as seaborn's figures of the paper */

void cf_mean_add(cf_mean *m, double v)
{
    m->n++;
    const double step = v - m->mean;
    m->mean += step / (double)m->n;
    m->m2 += step * (v - m->mean);
}

cf_point cf_mean_point(const cf_mean *m, int32_t layer)
{
    cf_point p = {.layer = layer, .n = m->n, .mean = m->n ? m->mean : (double)NAN};
    const double n = (double)m->n;
    const double half = m->n < 2 ? 0.0 : Z_95 * sqrt(m->m2 / (n - 1.0) / n);
    p.low = p.mean - half;
    p.high = p.mean + half;
    return p;
}
