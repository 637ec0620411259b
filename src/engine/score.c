/* score.c - see score.h. */
#include "engine/score.h"

#include <math.h>

#include "engine/logit_kernels.h"

/* A row is gone through in parts, which lie in the first cache and which the threads share: for the largest logit, and
 * when that is known for the exponentials. Where a part begins does not depend on the threads. */
enum { PART = 2048, MOST_PARTS = 256, FEW = 64 };

typedef struct row_parts {
    const cf_logit_kernels *kernels;
    const float *logits; /* [n] */
    int64_t n, part;
    int n_parts;
    float largest[MOST_PARTS]; /* of the part and the row's first logit */
    double sum[MOST_PARTS];    /* of e^(logit - the row's largest) */
} row_parts;

/* What is known of a row. */
typedef struct row {
    float largest; /* NaN where the first logit is one */
    int32_t top;   /* the first with it */
    double sum;    /* of e^(logit - largest): kept apart, in one number a large logit would swallow the sum */
} row;

static void divide(row_parts *p, const float *logits, int64_t n)
{
    p->kernels = cf_logit_kernels_here();
    p->logits = logits;
    p->n = n;
    p->part = n <= (int64_t)PART * MOST_PARTS ? PART : (n + MOST_PARTS - 1) / MOST_PARTS;
    p->n_parts = (int)((n + p->part - 1) / p->part);
}

static int64_t size_of(const row_parts *p, int i)
{
    const int64_t left = p->n - i * p->part;
    return left < p->part ? left : p->part;
}

static void find_largest(row_parts *p, int i)
{
    p->largest[i] = p->kernels->largest(p->logits[0], p->logits + i * p->part, size_of(p, i));
}

static void add_up(row_parts *p, int i, float largest)
{
    p->sum[i] = p->kernels->exp_sum((double)largest, p->logits + i * p->part, size_of(p, i));
}

/* The first part with the row's largest logit, from the parts'. */
static int part_of_largest(const row_parts *p)
{
    int best = 0;
    for (int i = 1; i < p->n_parts; i++)
        if (p->largest[i] > p->largest[best])
            best = i;
    return best;
}

static int32_t first_of_largest(const row_parts *p)
{
    const int best = part_of_largest(p);
    const int64_t begin = best * p->part, end = begin + size_of(p, best);
    for (int64_t i = begin; i < end; i++)
        if (p->logits[i] >= p->largest[best])
            return (int32_t)i;
    return 0; /* the first is no number */
}

int32_t cf_argmax(const float *logits, int64_t n)
{
    row_parts p;
    divide(&p, logits, n);
    for (int i = 0; i < p.n_parts; i++)
        find_largest(&p, i);
    return first_of_largest(&p);
}

/* By several threads: one part is done sooner than they are called. */
static void share(row_parts *p)
{
#pragma omp parallel
    {
#pragma omp for schedule(static)
        for (int i = 0; i < p->n_parts; i++)
            find_largest(p, i);
        const float largest = p->largest[part_of_largest(p)];
#pragma omp for schedule(static)
        for (int i = 0; i < p->n_parts; i++)
            add_up(p, i, largest);
    }
}

static row read_row(const float *logits, int64_t n)
{
    row_parts p;
    divide(&p, logits, n);
    if (p.n_parts > 1)
        share(&p);
    else {
        find_largest(&p, 0);
        add_up(&p, 0, p.largest[0]);
    }
    row r = {.largest = p.largest[part_of_largest(&p)], .top = first_of_largest(&p)};
    for (int i = 0; i < p.n_parts; i++)
        r.sum += p.sum[i];
    return r;
}

static double probability_of(const row *r, const float *logits, int32_t token)
{
    return token < 0 ? (double)NAN : cf_exp((double)logits[token] - (double)r->largest) / r->sum;
}

void cf_softmax_probabilities(double *out, const int32_t *tokens, int n_tokens, const float *logits, int64_t n)
{
    const row r = read_row(logits, n);
    for (int i = 0; i < n_tokens; i++)
        out[i] = probability_of(&r, logits, tokens[i]);
}

double cf_softmax_probability(const float *logits, int64_t n, int32_t token)
{
    const row r = read_row(logits, n);
    return probability_of(&r, logits, token);
}

/* Puts a token into a list in falling order, of at most k, of equals behind those before it: k is small. */
static int32_t insert(int32_t *ids, int32_t found, int32_t k, const float *logits, int32_t token)
{
    if (found == k && !(logits[token] > logits[ids[k - 1]]))
        return found;
    int32_t at = found;
    while (at > 0 && logits[token] > logits[ids[at - 1]])
        at--;
    if (found < k)
        found++;
    for (int32_t j = found - 1; j > at; j--)
        ids[j] = ids[j - 1];
    ids[at] = token;
    return found;
}

void cf_top_k(const float *logits, int64_t n, int32_t k, int32_t *ids, double *probabilities)
{
    const cf_logit_kernels *kernels = cf_logit_kernels_here();
    const row r = read_row(logits, n);
    int32_t found = 0;
    for (int64_t begin = 0; begin < n; begin += FEW) {
        const int64_t end = n - begin < FEW ? n : begin + FEW;
        if (found == k && kernels->n_above(logits[ids[k - 1]], logits + begin, end - begin) == 0)
            continue; /* so it is for most: few tokens get in */
        for (int64_t i = begin; i < end; i++)
            found = insert(ids, found, k, logits, (int32_t)i);
    }
    for (int32_t i = 0; i < found; i++)
        probabilities[i] = probability_of(&r, logits, ids[i]);
}

static double rank_of(const float *logits, int64_t n, int32_t token)
{
    return (double)(1 + cf_logit_kernels_here()->n_above(logits[token], logits, n));
}

void cf_score(cf_scores *out, const cf_asked *asked, const float *logits, int64_t n_vocab)
{
    const row first = read_row(logits, n_vocab);
    cf_scores s = {.probability = probability_of(&first, logits, asked->first),
                   .truth = probability_of(&first, logits, asked->truth),
                   .whole = probability_of(&first, logits, asked->answer[0]),
                   .difference = (double)NAN,
                   .rank = rank_of(logits, n_vocab, asked->first),
                   .flip = first.top != asked->answer[0],
                   .top = first.top};
    if (asked->true_option >= 0 && asked->false_option >= 0)
        s.difference = (double)logits[asked->true_option] - (double)logits[asked->false_option];
    for (int32_t i = 1; i < asked->n_answer; i++) {
        const float *after = logits + i * n_vocab;
        const row r = read_row(after, n_vocab);
        s.whole *= probability_of(&r, after, asked->answer[i]);
        if (r.top != asked->answer[i])
            s.flip = 1;
    }
    *out = s;
}
