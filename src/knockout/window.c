/* window.c - see window.h. */
#include "knockout/window.h"

cf_window cf_window_around(int32_t centre, int32_t k, int32_t n_layers)
{
    const int32_t below = k / 2, above = k - k / 2; /* above = ceil(k/2), without the overflow of (k + 1) / 2 */
    return (cf_window){.first = centre > below ? centre - below : 0,
                       .last = n_layers - centre > above ? centre + above : n_layers};
}
