/* window.h - the layers around a centre in which edges are cut. */
#ifndef CF_KNOCKOUT_WINDOW_H
#define CF_KNOCKOUT_WINDOW_H

#include <stdint.h>

typedef struct cf_window {
    int32_t first, last; /* [first, last) */
} cf_window;

/* [max(0, centre - k/2), min(n_layers, centre + ceil(k/2))), k/2 rounded down: the published scripts' window. k >= 1.
 */
cf_window cf_window_around(int32_t centre, int32_t k, int32_t n_layers);

#endif
