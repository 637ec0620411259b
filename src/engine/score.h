/* score.h - what logits say about an answer, on the host, in double.
 *
 * Equal logits give equal bits, whatever the threads, the instruction set and the function. A probability is off by at
 * most 4e-15 of itself over 32,000 logits and 1e-14 over 128,000; below 2e-308 of the largest it is 0. It is NaN where
 * some logit is NaN or +infinity, and where all are -infinity; the first logit is the largest where it is NaN, other NaN
 * are never. */
#ifndef CF_ENGINE_SCORE_H
#define CF_ENGINE_SCORE_H

#include <stdint.h>

/* softmax(logits[n])[token]. */
double cf_softmax_probability(const float *logits, int64_t n, int32_t token);
/* softmax(logits[n]) of several tokens; NaN for a token below 0. The bits are those of cf_softmax_probability. */
void cf_softmax_probabilities(double *out, const int32_t *tokens, int n_tokens, const float *logits, int64_t n);
/* Index of the largest logit; the first of equals. */
int32_t cf_argmax(const float *logits, int64_t n);
/* The k largest in falling order: ids[k] and their probabilities[k]; k <= n. */
void cf_top_k(const float *logits, int64_t n, int32_t k, int32_t *ids, double *probabilities);

/* What is asked about one sample; tokens below 0 are not known. */
typedef struct cf_asked {
    const int32_t *answer; /* [n_answer] the scored answer, its end token left out; n_answer >= 1 */
    int32_t n_answer;
    int32_t first;                     /* whose probability is followed: the first token of the baseline's answer */
    int32_t truth;                     /* first token of the data set's answer */
    int32_t true_option, false_option; /* first tokens of the options */
} cf_asked;

typedef struct cf_scores {
    double probability; /* of first */
    double truth;       /* of truth, NaN where it is not known */
    double whole;       /* product over the answer's tokens, each after the ones before it */
    double difference;  /* logit of the true option less that of the false one, NaN without options */
    double rank;        /* 1 + how many tokens have a larger logit than first */
    double flip;        /* 1 where some token of the answer is not the most probable at its place, else 0 */
    int32_t top;        /* the most probable token */
} cf_scores;

/* logits[n_answer, n_vocab]: at the last prompt position, and after each token of the answer but the last. */
void cf_score(cf_scores *out, const cf_asked *asked, const float *logits, int64_t n_vocab);

#endif
