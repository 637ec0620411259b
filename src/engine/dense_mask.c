/* dense_mask.c - see dense_mask.h. Written as the definition reads; its speed does not matter. */
#include "engine/dense_mask.h"

#include "base/memory.h"

static bool cuts_pair(const cf_cut *c, int64_t head, int32_t query, int32_t key)
{
    const bool in_heads = !c->heads || (c->heads[head / 64] >> (head % 64) & 1);
    return in_heads && cf_spans_contain(c->query, query) && cf_spans_contain(c->key, key);
}

cf_status cf_dense_mask(uint64_t **out, int32_t length, int64_t n_heads, int64_t window, const cf_cut *cuts,
                        size_t n_cuts, cf_error *err)
{
    const int64_t words = (length + 63) / 64;
    void *memory = NULL;
    const cf_status st =
        cf_alloc(&memory, (size_t)(n_heads * length * words), sizeof(uint64_t), "an attention mask", err);
    if (st != CF_OK)
        return st;
    uint64_t *bits = memory;
    for (int64_t h = 0; h < n_heads; h++)
        for (int32_t q = 0; q < length; q++)
            for (int32_t k = 0; k <= q; k++) {
                bool hidden = window && q - k >= window;
                for (size_t c = 0; c < n_cuts && !hidden; c++)
                    hidden = cuts_pair(&cuts[c], h, q, k);
                if (!hidden)
                    bits[(h * length + q) * words + k / 64] |= (uint64_t)1 << (k % 64);
            }
    *out = bits;
    return CF_OK;
}
