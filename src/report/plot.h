/* plot.h - what a figure shows: panels of lines over the layers. How it is drawn is plot_script.h's. */
#ifndef CF_REPORT_PLOT_H
#define CF_REPORT_PLOT_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"
#include "report/flow_style.h"
#include "store/store.h"

typedef struct cf_plot_line {
    const char *label;
    cf_flow_style style;
    const cf_point *points;
    size_t n_points;
} cf_plot_line;

typedef struct cf_plot_panel {
    const char *task;
    size_t begin, end; /* lines */
} cf_plot_panel;

/* Zero-initialise. Owns its lists, window and x_axis; borrows tasks, labels, points and y_axis. */
typedef struct cf_plot {
    cf_plot_line *lines;
    size_t n_lines, cap_lines;
    cf_plot_panel *panels;
    size_t n_panels, cap_panels;
    cf_str window;      /* what all its lines share, for titles: "window 9", "lens" */
    cf_str x_axis;      /* label */
    const char *y_axis; /* label */
    bool is_share;      /* in %: what is shown lies between 0 and 100, whatever its interval says */
} cf_plot;

void cf_plot_deinit(cf_plot *p);
/* Begins a panel without lines; the next lines are its. */
CF_MUST_USE cf_status cf_plot_add_panel(cf_plot *p, const char *task, cf_error *err);
CF_MUST_USE cf_status cf_plot_add_line(cf_plot *p, const cf_plot_line *line, cf_error *err);

typedef struct cf_plot_extent {
    int32_t first, last; /* layers */
    double low, high;    /* of the intervals, and 0 */
} cf_plot_extent;
/* Of all panels, so that figures of some of them have the same axes. */
cf_plot_extent cf_plot_extent_of(const cf_plot *p);
/* Fewest and most samples of a point of one panel. */
void cf_plot_samples(const cf_plot *p, size_t panel, int64_t *least, int64_t *most);

#endif
