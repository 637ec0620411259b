/* score.c - see score.h. */
#include "engine/score.h"

#include <math.h>

int32_t cf_argmax(const float *logits, int64_t n)
{
    int64_t best = 0;
    for (int64_t i = 1; i < n; i++)
        if (logits[i] > logits[best])
            best = i;
    return (int32_t)best;
}

/* Sum of e^(logit - largest). The two stay apart: added up as a logarithm, a large logit would swallow the sum. */
static double sum_beside(double largest, const float *logits, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += exp((double)logits[i] - largest);
    return sum;
}

double cf_softmax_probability(const float *logits, int64_t n, int32_t token)
{
    const double largest = (double)logits[cf_argmax(logits, n)];
    return exp((double)logits[token] - largest) / sum_beside(largest, logits, n);
}

void cf_top_k(const float *logits, int64_t n, int32_t k, int32_t *ids, double *probabilities)
{
    const double largest = (double)logits[cf_argmax(logits, n)], sum = sum_beside(largest, logits, n);
    int32_t found = 0;
    for (int64_t i = 0; i < n; i++) { /* insertion into a short sorted list: k is small */
        int32_t at = found;
        while (at > 0 && logits[i] > logits[ids[at - 1]])
            at--;
        if (at == k)
            continue;
        if (found < k)
            found++;
        for (int32_t j = found - 1; j > at; j--)
            ids[j] = ids[j - 1];
        ids[at] = (int32_t)i;
    }
    for (int32_t i = 0; i < found; i++)
        probabilities[i] = exp((double)logits[ids[i]] - largest) / sum;
}
