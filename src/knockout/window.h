/* window.h - the layers in which a run's edges are cut, around a centre. */
#ifndef CF_KNOCKOUT_WINDOW_H
#define CF_KNOCKOUT_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/span.h"
#include "base/str.h"

typedef struct cf_window {
    int32_t first, last; /* [first, last) */
} cf_window;

/* [max(0, centre - k/2), min(n_layers, centre + ceil(k/2))), k/2 rounded down: the published scripts' window. k >= 1.
 */
cf_window cf_window_around(int32_t centre, int32_t k, int32_t n_layers);

typedef enum cf_window_style {
    CF_WINDOW_CENTRE,  /* "centre": k layers around the centre */
    CF_WINDOW_BELOW,   /* "below": from the bottom up to the centre, which is included; no k */
    CF_WINDOW_ABOVE,   /* "above": from the centre, included, to the top; no k */
    CF_WINDOW_OUTSIDE, /* "outside": every layer but the k around the centre */
    CF_WINDOW_FIXED,   /* "fixed": every edge brings its own layers; no centre, no k */
    CF_N_WINDOW_STYLES
} cf_window_style;
const char *cf_window_style_name(cf_window_style s);
/* The styles a user may ask for: all but "fixed". */
bool cf_window_style_find(cf_window_style *out, cf_slice name);
bool cf_window_style_has_k(cf_window_style s); /* centre, outside */

/* *out (empty before) = the layers; none where k leaves nothing outside, or for "fixed". */
CF_MUST_USE cf_status cf_window_layers(cf_spans *out, cf_window_style style, int32_t centre, int32_t k,
                                       int32_t n_layers, cf_error *err);

#endif
