/* logit_kernels.h - passes over the logits of a row, or a part of one, as vectors: compiled for several instruction sets,
 * with the same bits from each, and from however many threads have a part of the row. */
#ifndef CF_ENGINE_LOGIT_KERNELS_H
#define CF_ENGINE_LOGIT_KERNELS_H

#include <stdint.h>

typedef struct cf_logit_kernels {
    const char *isa;
    /* The largest of least and logits[n]. A NaN is not larger than anything, and nothing is larger than a NaN: it comes
     * out where least is one. */
    float (*largest)(float least, const float *logits, int64_t n);
    /* How many of logits[n] are larger than bound. */
    int64_t (*n_above)(float bound, const float *logits, int64_t n);
    /* Sum of cf_exp(logit - largest) over logits[n]; largest is not below any of them. Of terms t > 0, each is off by
     * at most 3e-16 t, and adding them by 9 + n / 512 roundings of 1.2e-16 each. */
    double (*exp_sum)(double largest, const float *logits, int64_t n);
} cf_logit_kernels;

/* e^x for x <= 0, off by at most 3e-16 of it down to x = -708.39, where results stop being normal numbers; 0 below
 * -708.75. e^0 is 1, e^-infinity 0, e^NaN NaN. The bits are those of the terms of exp_sum. */
double cf_exp(double x);

/* The widest vectors that the processor has. */
const cf_logit_kernels *cf_logit_kernels_here(void);
/* All that it has, widest first, and how many; for tests. */
enum { CF_MOST_LOGIT_KERNELS = 3 };
int cf_logit_kernels_all(const cf_logit_kernels *out[CF_MOST_LOGIT_KERNELS]);

#endif
