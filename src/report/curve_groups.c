/* curve_groups.c - see curve_groups.h. A style that is not known is shown as it is, after the others. */
#include "report/curve_groups.h"

#include <inttypes.h>
#include <string.h>

/* ---- tasks ---- */

static bool same_run(const char *spec, const char *style, int32_t window, const char *spec2, const char *style2,
                     int32_t window2)
{
    const bool same_spec = spec && spec2 ? strcmp(spec, spec2) == 0 : spec == spec2;
    const bool same_style = style && style2 ? strcmp(style, style2) == 0 : style == style2;
    return same_spec && same_style && window == window2;
}

size_t cf_curves_task_end(const cf_curve *curves, size_t n, size_t i)
{
    const cf_curve *a = &curves[i];
    size_t end = i + 1;
    while (end < n && strcmp(curves[end].task, a->task) == 0 &&
           !same_run(a->spec, a->style, a->window, curves[end].spec, curves[end].style, curves[end].window))
        end++;
    return end;
}

size_t cf_lens_curves_task_end(const cf_lens_curve *curves, size_t n, size_t i)
{
    const cf_lens_curve *a = &curves[i];
    size_t end = i + 1;
    for (; end < n && strcmp(curves[end].task, a->task) == 0; end++) {
        const cf_lens_curve *b = &curves[end];
        if (a->line == b->line && a->centre == b->centre &&
            same_run(a->spec, a->style, a->window, b->spec, b->style, b->window))
            break;
    }
    return end;
}

/* ---- windows ---- */

static const char *const styles[] = {"centre", "below", "above", "outside", "fixed"};
enum { N_STYLES = sizeof styles / sizeof *styles };

static int rank_of(const char *style)
{
    int i = 0;
    while (i < N_STYLES && strcmp(styles[i], style) != 0)
        i++;
    return i;
}

int cf_window_key_compare(const void *a, const void *b)
{
    const cf_window_key *x = a, *y = b;
    const int ranks = rank_of(x->style) - rank_of(y->style), names = strcmp(x->style, y->style);
    if (ranks || names)
        return ranks ? ranks : names;
    if (x->window != y->window)
        return x->window < y->window ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

bool cf_window_key_same(const cf_window_key *a, const cf_window_key *b)
{
    return a->window == b->window && strcmp(a->style, b->style) == 0;
}

bool cf_window_key_is(const cf_window_key *key, const char *style, int32_t window)
{
    return (!style || strcmp(style, key->style) == 0) && (window == 0 || window == key->window);
}

bool cf_style_has_layers(const char *style)
{
    return strcmp(style, "fixed") != 0;
}

cf_status cf_window_text(cf_str *out, const char *style, int32_t window, cf_error *err)
{
    if (strcmp(style, "centre") == 0)
        return cf_str_addf(out, err, "window %" PRId32, window);
    return window ? cf_str_addf(out, err, "%s %" PRId32, style, window) : cf_str_add_text(out, style, err);
}

cf_status cf_window_axis(cf_str *out, const char *style, int32_t window, cf_error *err)
{
    if (strcmp(style, "centre") == 0 && window != 1)
        return cf_str_addf(out, err, "centre layer (window of %" PRId32 ")", window);
    if (strcmp(style, "below") == 0)
        return cf_str_add_text(out, "last layer of the window (from layer 0)", err);
    if (strcmp(style, "above") == 0)
        return cf_str_add_text(out, "first layer of the window (to the top)", err);
    if (strcmp(style, "outside") == 0)
        return cf_str_addf(out, err, "centre of the %" PRId32 " layer%s left alone", window, window == 1 ? "" : "s");
    return cf_str_add_text(out, "layer", err);
}
