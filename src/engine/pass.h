/* pass.h - one walk over the layers, by the passes of several sessions together. Inside src/engine only.
 *
 * A pass is what a session does layer after layer: a baseline, a sweep, a decoding step. Passes of several sessions take
 * each layer one after the other before any of them goes on to the next, so that a layer that is not in memory is read
 * once for all of them. No pass sees another's rows: results are those of one pass at a time. */
#ifndef CF_ENGINE_PASS_H
#define CF_ENGINE_PASS_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/* One layer of the pass whose state this is. */
typedef cf_status (*cf_pass_layer)(void *state, int64_t layer, cf_error *err);

/* states: [n] of `size` bytes each. */
CF_MUST_USE cf_status cf_passes_walk(void *states, size_t n, size_t size, cf_pass_layer step, int64_t n_layers,
                                     cf_error *err);

#endif
