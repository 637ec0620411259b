/* score.c - see score.h. */
#include "engine/score.h"

#include <math.h>

/* Logits of a large vocabulary are gone through in parts, which the threads share: an exponential takes 5 ns, and hundreds
 * of runs have one for each of 32,000 tokens or more. Where a part begins does not depend on the threads. */
enum { PART = 4096, MOST_PARTS = 256, LANES = 16 };

int32_t cf_argmax(const float *logits, int64_t n)
{
    float lane[LANES], largest = logits[0];
    int64_t i = 0;
    for (int l = 0; l < LANES; l++)
        lane[l] = largest;
    for (; i + LANES <= n; i += LANES)
        for (int l = 0; l < LANES; l++) /* as vectors */
            lane[l] = logits[i + l] > lane[l] ? logits[i + l] : lane[l];
    for (; i < n; i++)
        largest = logits[i] > largest ? logits[i] : largest;
    for (int l = 0; l < LANES; l++)
        largest = lane[l] > largest ? lane[l] : largest;
    for (i = 0; i < n; i++)
        if (logits[i] >= largest)
            return (int32_t)i;
    return 0; /* the first is no number */
}

static double sum_of_part(double largest, const float *logits, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += exp((double)logits[i] - largest);
    return sum;
}

/* Sum of e^(logit - largest), part by part in their order. The two stay apart: added up as a logarithm, a large logit would
 * swallow the sum. */
static double sum_beside(double largest, const float *logits, int64_t n)
{
    double sums[MOST_PARTS], sum = 0;
    const int64_t part = n <= (int64_t)PART * MOST_PARTS ? PART : (n + MOST_PARTS - 1) / MOST_PARTS;
    const int n_parts = (int)((n + part - 1) / part);
#pragma omp parallel for schedule(static) if (n_parts > 1)
    for (int i = 0; i < n_parts; i++) {
        const int64_t begin = i * part, end = begin + part < n ? begin + part : n;
        sums[i] = sum_of_part(largest, logits + begin, end - begin);
    }
    for (int i = 0; i < n_parts; i++)
        sum += sums[i];
    return sum;
}

void cf_softmax_probabilities(double *out, const int32_t *tokens, int n_tokens, const float *logits, int64_t n)
{
    const double largest = (double)logits[cf_argmax(logits, n)], sum = sum_beside(largest, logits, n);
    for (int i = 0; i < n_tokens; i++)
        out[i] = tokens[i] < 0 ? (double)NAN : exp((double)logits[tokens[i]] - largest) / sum;
}

double cf_softmax_probability(const float *logits, int64_t n, int32_t token)
{
    double p = 0;
    cf_softmax_probabilities(&p, &token, 1, logits, n);
    return p;
}

void cf_top_k(const float *logits, int64_t n, int32_t k, int32_t *ids, double *probabilities)
{
    const double largest = (double)logits[cf_argmax(logits, n)], sum = sum_beside(largest, logits, n);
    int32_t found = 0;
    for (int64_t i = 0; i < n; i++) { /* insertion into a short sorted list: k is small, and few get in */
        if (found == k && !(logits[i] > logits[ids[k - 1]]))
            continue;
        int32_t at = found;
        while (at > 0 && logits[i] > logits[ids[at - 1]])
            at--;
        if (found < k)
            found++;
        for (int32_t j = found - 1; j > at; j--)
            ids[j] = ids[j - 1];
        ids[at] = (int32_t)i;
    }
    for (int32_t i = 0; i < found; i++)
        probabilities[i] = exp((double)logits[ids[i]] - largest) / sum;
}

static double rank_of(const float *logits, int64_t n, int32_t token)
{
    int64_t larger = 0;
    for (int64_t i = 0; i < n; i++)
        larger += logits[i] > logits[token];
    return (double)(1 + larger);
}

void cf_score(cf_scores *out, const cf_asked *asked, const float *logits, int64_t n_vocab)
{
    const int32_t tokens[] = {asked->first, asked->truth, asked->answer[0]};
    double p[3];
    cf_softmax_probabilities(p, tokens, 3, logits, n_vocab);
    cf_scores s = {.probability = p[0],
                   .truth = p[1],
                   .whole = p[2],
                   .difference = (double)NAN,
                   .rank = rank_of(logits, n_vocab, asked->first),
                   .top = cf_argmax(logits, n_vocab)};
    if (asked->true_option >= 0 && asked->false_option >= 0)
        s.difference = (double)logits[asked->true_option] - (double)logits[asked->false_option];
    s.flip = s.top != asked->answer[0];
    for (int32_t i = 1; i < asked->n_answer; i++) {
        const float *row = logits + i * n_vocab;
        s.whole *= cf_softmax_probability(row, n_vocab, asked->answer[i]);
        if (cf_argmax(row, n_vocab) != asked->answer[i])
            s.flip = 1;
    }
    *out = s;
}
