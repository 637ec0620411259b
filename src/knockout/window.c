/* window.c - see window.h. */
#include "knockout/window.h"

static const char *const names[CF_N_WINDOW_STYLES] = {
    [CF_WINDOW_CENTRE] = "centre",   [CF_WINDOW_BELOW] = "below", [CF_WINDOW_ABOVE] = "above",
    [CF_WINDOW_OUTSIDE] = "outside", [CF_WINDOW_FIXED] = "fixed",
};

cf_window cf_window_around(int32_t centre, int32_t k, int32_t n_layers)
{
    const int32_t below = k / 2, above = k - k / 2; /* above = ceil(k/2), without the overflow of (k + 1) / 2 */
    return (cf_window){.first = centre > below ? centre - below : 0,
                       .last = n_layers - centre > above ? centre + above : n_layers};
}

const char *cf_window_style_name(cf_window_style s)
{
    return names[s];
}

bool cf_window_style_find(cf_window_style *out, cf_slice name)
{
    for (int s = 0; s < CF_N_WINDOW_STYLES; s++)
        if (s != CF_WINDOW_FIXED && cf_slice_is(name, names[s])) {
            *out = (cf_window_style)s;
            return true;
        }
    return false;
}

bool cf_window_style_has_k(cf_window_style s)
{
    return s == CF_WINDOW_CENTRE || s == CF_WINDOW_OUTSIDE;
}

/* [0, below) and [above, n_layers), joined where they touch. */
static cf_status two_ends(cf_spans *out, int32_t below, int32_t above, int32_t n_layers, cf_error *err)
{
    cf_spans made = {0};
    cf_status st = cf_spans_add(&made, 0, below, err);
    if (st == CF_OK)
        st = cf_spans_add(&made, above, n_layers, err);
    if (st == CF_OK)
        *out = made;
    else
        cf_spans_deinit(&made);
    return st;
}

cf_status cf_window_layers(cf_spans *out, cf_window_style style, int32_t centre, int32_t k, int32_t n_layers,
                           cf_error *err)
{
    const cf_window w = cf_window_around(centre, k, n_layers);
    switch (style) {
    case CF_WINDOW_CENTRE:
        return cf_spans_add(out, w.first, w.last, err);
    case CF_WINDOW_BELOW:
        return cf_spans_add(out, 0, centre + 1, err);
    case CF_WINDOW_ABOVE:
        return cf_spans_add(out, centre, n_layers, err);
    case CF_WINDOW_OUTSIDE:
        return two_ends(out, w.first, w.last, n_layers, err);
    case CF_WINDOW_FIXED:
    case CF_N_WINDOW_STYLES:
        break;
    }
    return CF_OK;
}
