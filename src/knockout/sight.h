/* sight.h - which keys a query sees before anything is cut: those up to itself; in a layer with sliding attention only
 * the last ones of them; and, whatever the layer, all of the block that it stands in.
 *
 * A block is a run of positions that see one another, as Gemma 3's images do, or PaliGemma's whole prompt. No model of
 * today has any. */
#ifndef CF_KNOCKOUT_SIGHT_H
#define CF_KNOCKOUT_SIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

typedef struct cf_sight {  /* borrows; zero: every query sees all keys up to itself, in every layer */
    const int32_t *window; /* [n_layers] a query at p sees keys above p - window; 0: no window. NULL: none anywhere */
    const cf_span *blocks; /* [n_blocks] ascending, disjoint; two may touch */
    size_t n_blocks;
} cf_sight;

int32_t cf_sight_window(const cf_sight *s, int32_t layer); /* 0: none */
/* The keys that a query sees in a layer; one span, with the query in it. */
cf_span cf_sight_keys(const cf_sight *s, int32_t layer, int32_t query);
/* Whether some query of one list sees some key of the other in a layer. */
bool cf_sight_meets(const cf_sight *s, int32_t layer, const cf_spans *query, const cf_spans *key);
/* The first row that a change of row q0 reaches in later layers: q0, or the first of its block. Also the first query, in
 * a layer without a window, that sees key q0. */
int32_t cf_sight_restart_row(const cf_sight *s, int32_t q0);

#endif
