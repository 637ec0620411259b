/* dense_mask.c - see dense_mask.h. Written as the definition reads; its speed does not matter. */
#include "engine/dense_mask.h"

#include "base/memory.h"

cf_status cf_dense_mask(uint64_t **out, int32_t length, int64_t n_heads, const cf_spans *query, const cf_spans *key,
                        const uint64_t *heads, cf_error *err)
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
                const bool in_heads = !heads || (heads[h / 64] >> (h % 64) & 1);
                const bool cut = query && in_heads && cf_spans_contain(query, q) && cf_spans_contain(key, k);
                if (!cut)
                    bits[(h * length + q) * words + k / 64] |= (uint64_t)1 << (k % 64);
            }
    *out = bits;
    return CF_OK;
}
