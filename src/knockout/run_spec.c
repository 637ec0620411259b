/* run_spec.c - see run_spec.h. */
#include "knockout/run_spec.h"

#include <stdlib.h>

#include "base/memory.h"

static cf_status check(const cf_flows *flows, const cf_run_options *o, int32_t n_layers, cf_error *err)
{
    if (flows->n == 0)
        return cf_fail(err, CF_USAGE, "no flow to cut");
    if (o->n_styles == 0)
        return cf_fail(err, CF_USAGE, "no window style");
    for (size_t i = 0; i < o->n_ks; i++)
        if (o->ks[i] < 1)
            return cf_fail(err, CF_USAGE, "window %d: expected 1 or more layers", (int)o->ks[i]);
    for (size_t i = 0; i < o->n_styles; i++)
        if (cf_window_style_has_k(o->styles[i]) && o->n_ks == 0)
            return cf_fail(err, CF_USAGE, "window style %s: expected a number of layers, found none",
                           cf_window_style_name(o->styles[i]));
    if (o->layer_begin < 0 || o->layer_begin >= o->layer_end || o->layer_end > n_layers)
        return cf_fail(err, CF_USAGE, "layers %d:%d: expected a range inside 0:%d", (int)o->layer_begin,
                       (int)o->layer_end, (int)n_layers);
    if (o->repeats < 1)
        return cf_fail(err, CF_USAGE, "%d repeats of random flows: expected 1 or more", (int)o->repeats);
    return CF_OK;
}

/* Adds the run with its window. */
static cf_status add(cf_run_specs *s, cf_run_spec spec, int32_t n_layers, cf_error *err)
{
    void *items = s->items;
    cf_status st = cf_window_layers(&spec.layers, spec.style, spec.centre, spec.k, n_layers, err);
    if (st == CF_OK)
        st = cf_grow(&items, &s->cap, s->n + 1, sizeof *s->items, "runs", err);
    if (st != CF_OK) {
        cf_spans_deinit(&spec.layers);
        return st;
    }
    s->items = items;
    s->items[s->n++] = spec;
    return CF_OK;
}

/* One flow, one repeat: styles x window sizes x centres. */
static cf_status add_windows(cf_run_specs *s, size_t flow, int32_t repeat, const cf_run_options *o, int32_t n_layers,
                             cf_error *err)
{
    cf_status st = CF_OK;
    for (size_t i = 0; i < o->n_styles; i++) {
        const bool has_k = cf_window_style_has_k(o->styles[i]);
        for (size_t j = 0; j < (has_k ? o->n_ks : 1); j++)
            for (int32_t centre = o->layer_begin; centre < o->layer_end; centre++) {
                const cf_run_spec spec = {
                    .flow = flow, .repeat = repeat, .style = o->styles[i], .k = has_k ? o->ks[j] : 0, .centre = centre};
                CF_TRY(add(s, spec, n_layers, err));
            }
    }
done:
    return st;
}

cf_status cf_run_specs_create(cf_run_specs *out, const cf_flows *flows, const cf_run_options *o, int32_t n_layers,
                              cf_error *err)
{
    cf_status st = CF_OK;
    cf_run_specs s = {0};
    CF_TRY(check(flows, o, n_layers, err));
    for (size_t f = 0; f < flows->n; f++) {
        const cf_flow *flow = &flows->items[f];
        const int32_t repeats = flow->mode == CF_MODE_RANDOM ? o->repeats : 1;
        for (int32_t repeat = 0; repeat < repeats; repeat++) {
            if (cf_flow_is_fixed(flow))
                CF_TRY(add(&s, (cf_run_spec){.flow = f, .repeat = repeat, .style = CF_WINDOW_FIXED}, n_layers, err));
            else
                CF_TRY(add_windows(&s, f, repeat, o, n_layers, err));
        }
    }
    *out = s;
    s = (cf_run_specs){0};
done:
    cf_run_specs_deinit(&s);
    return st;
}

void cf_run_specs_deinit(cf_run_specs *s)
{
    for (size_t i = 0; i < s->n; i++)
        cf_spans_deinit(&s->items[i].layers);
    free(s->items);
    *s = (cf_run_specs){0};
}
