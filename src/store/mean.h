/* mean.h - a mean and its 95 % interval, one number after the other. */
#ifndef CF_STORE_MEAN_H
#define CF_STORE_MEAN_H

#include "store/store.h"

typedef struct cf_mean { /* zero-initialise */
    int64_t n;
    double mean, m2; /* m2: sum of squared distances from the mean */
} cf_mean;

void cf_mean_add(cf_mean *m, double v);
cf_point cf_mean_point(const cf_mean *m, int32_t layer);

#endif
