/* score.h - probabilities from logits, on the host, in double. */
#ifndef CF_ENGINE_SCORE_H
#define CF_ENGINE_SCORE_H

#include <stdint.h>

/* softmax(logits[n])[token]. */
double cf_softmax_probability(const float *logits, int64_t n, int32_t token);
/* Index of the largest logit; the first of equals. */
int32_t cf_argmax(const float *logits, int64_t n);
/* The k largest in falling order: ids[k] and their probabilities[k]; k <= n. */
void cf_top_k(const float *logits, int64_t n, int32_t k, int32_t *ids, double *probabilities);

#endif
