/* dense_mask.h - one layer's attention mask spelled out pair by pair: the oracle's, independent of the plan and of the
 * sweep. */
#ifndef CF_ENGINE_DENSE_MASK_H
#define CF_ENGINE_DENSE_MASK_H

#include <stdint.h>

#include "backend/backend.h"
#include "base/error.h"

/* *out: bit k of row (h * length + q), (length + 63) / 64 words a row, set where query q sees key k in head h of
 * n_heads: k <= q, and k > q - window unless window is 0, unless one of the cuts has q in its query, k in its key and h in its heads (NULL: all). n_heads is 1
 * where no cut has a head set: one set of rows then serves every head. The caller frees. */
CF_MUST_USE cf_status cf_dense_mask(uint64_t **out, int32_t length, int64_t n_heads, int64_t window, const cf_cut *cuts,
                                    size_t n_cuts, cf_error *err);

#endif
