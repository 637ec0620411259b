/* plot.c - see plot.h. */
#include "report/plot.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

void cf_plot_deinit(cf_plot *p)
{
    cf_str_deinit(&p->x_axis);
    cf_str_deinit(&p->window);
    free(p->panels);
    free(p->lines);
    *p = (cf_plot){0};
}

cf_status cf_plot_add_panel(cf_plot *p, const char *task, cf_error *err)
{
    void *items = p->panels;
    const cf_status st = cf_grow(&items, &p->cap_panels, p->n_panels + 1, sizeof *p->panels, "panels", err);
    p->panels = items;
    if (st == CF_OK)
        p->panels[p->n_panels++] = (cf_plot_panel){task, p->n_lines, p->n_lines};
    return st;
}

cf_status cf_plot_add_line(cf_plot *p, const cf_plot_line *line, cf_error *err)
{
    void *items = p->lines;
    const cf_status st = cf_grow(&items, &p->cap_lines, p->n_lines + 1, sizeof *p->lines, "lines of a figure", err);
    p->lines = items;
    if (st == CF_OK) {
        p->lines[p->n_lines++] = *line;
        p->panels[p->n_panels - 1].end = p->n_lines;
    }
    return st;
}

cf_plot_extent cf_plot_extent_of(const cf_plot *p)
{
    cf_plot_extent e = {.first = INT32_MAX, .last = INT32_MIN};
    for (size_t i = 0; i < p->n_lines; i++) {
        for (size_t j = 0; j < p->lines[i].n_points; j++) {
            const cf_point *x = &p->lines[i].points[j];
            e.first = x->layer < e.first ? x->layer : e.first;
            e.last = x->layer > e.last ? x->layer : e.last;
            if (isfinite(x->low) && isfinite(x->high)) {
                e.low = fmin(e.low, x->low);
                e.high = fmax(e.high, x->high);
            }
        }
    }
    if (p->is_share) {
        e.low = 0.0;
        e.high = fmin(e.high, 100.0);
    }
    return e;
}

void cf_plot_samples(const cf_plot *p, size_t panel, int64_t *least, int64_t *most)
{
    *least = INT64_MAX;
    *most = 0;
    for (size_t i = p->panels[panel].begin; i < p->panels[panel].end; i++) {
        for (size_t j = 0; j < p->lines[i].n_points; j++) {
            const int64_t n = p->lines[i].points[j].n;
            *least = n < *least ? n : *least;
            *most = n > *most ? n : *most;
        }
    }
}
