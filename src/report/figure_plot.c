/* figure_plot.c - see figure_plot.h. */
#include "report/figure_plot.h"

#include <string.h>

#include "report/flow_list.h"

cf_status cf_plot_of_curves(cf_plot *p, const char *style, int32_t window, cf_measure measure, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_window_text(&p->window, style, window, err));
    CF_TRY(cf_window_axis(&p->x_axis, style, window, err));
    p->y_axis = cf_measure_label(measure);
    p->is_share = measure == CF_MEASURE_FLIP;
done:
    return st;
}

cf_status cf_plot_of_lens(cf_plot *p, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_str_add_text(&p->window, "lens at the last position", err));
    CF_TRY(cf_str_add_text(&p->x_axis, "layer (0: embeddings)", err));
    p->y_axis = "probability (%)";
    p->is_share = true;
done:
    return st;
}

cf_status cf_plot_add_curves(cf_plot *p, const char *title, const cf_curve *task, size_t n, const cf_window_key *window,
                             const char *flows, cf_error *err)
{
    cf_status st = CF_OK;
    size_t nth = 0, n_lines = 0;
    cf_flow_style style = {0};
    for (size_t i = 0; i < n; i++) {
        const cf_curve *c = &task[i];
        const cf_window_key key = {c->style, c->window, i};
        if (i == 0 || strcmp(c->spec, task[i - 1].spec) != 0) /* a flow's curves come together */
            style = cf_flow_style_of(c->spec, &nth);
        if (!cf_window_key_same(&key, window) || !cf_flow_list_has(flows, c->spec))
            continue;
        if (n_lines++ == 0)
            CF_TRY(cf_plot_add_panel(p, title, err));
        CF_TRY(cf_plot_add_line(p, &(cf_plot_line){c->spec, style, c->points, c->n_points}, err));
    }
done:
    return st;
}

cf_status cf_plot_add_lens(cf_plot *p, const char *title, const cf_lens_curve *task, size_t n, cf_error *err)
{
    cf_status st = CF_OK;
    for (size_t i = 0; i < n && !task[i].spec; i++) { /* the baseline's come first */
        const cf_lens_curve *c = &task[i];
        const cf_plot_line line = {cf_lens_line_name(c->line), cf_lens_style_of(c->line), c->points, c->n_points};
        if (i == 0)
            CF_TRY(cf_plot_add_panel(p, title, err));
        CF_TRY(cf_plot_add_line(p, &line, err));
    }
done:
    return st;
}
