/* dense_mask.h - one run's attention mask spelled out edge by edge: the oracle's, independent of the plan and of the
 * sweep. */
#ifndef CF_ENGINE_DENSE_MASK_H
#define CF_ENGINE_DENSE_MASK_H

#include <stdint.h>

#include "base/error.h"
#include "base/span.h"

/* *out: bit k of row (h * length + q), (length + 63) / 64 words a row, set where query q sees key k in head h of
 * n_heads: k <= q, unless q is in query, k in key and h in heads (NULL: all heads, and then one set of rows serves
 * them all: n_heads is 1). query NULL: causality alone. The caller frees. */
CF_MUST_USE cf_status cf_dense_mask(uint64_t **out, int32_t length, int64_t n_heads, const cf_spans *query,
                                    const cf_spans *key, const uint64_t *heads, cf_error *err);

#endif
