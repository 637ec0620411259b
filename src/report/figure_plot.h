/* figure_plot.h - a study's curves and lens as lines of a plot. */
#ifndef CF_REPORT_FIGURE_PLOT_H
#define CF_REPORT_FIGURE_PLOT_H

#include "report/curve_groups.h"
#include "report/plot.h"

/* The titles and axes of curves of that style and window. */
CF_MUST_USE cf_status cf_plot_of_curves(cf_plot *p, const char *style, int32_t window, cf_measure measure,
                                        cf_error *err);
/* Those of the lens. */
CF_MUST_USE cf_status cf_plot_of_lens(cf_plot *p, cf_error *err);
/* Adds a panel of the curves of one task that have this style and window, and are flows of the list; none where there is
 * none. All curves of the task, so that a colour does not depend on the choice. */
CF_MUST_USE cf_status cf_plot_add_curves(cf_plot *p, const char *title, const cf_curve *task, size_t n,
                                         const cf_window_key *window, const char *flows, cf_error *err);
/* Adds a panel of the baseline's lens of one task, where there is one. */
CF_MUST_USE cf_status cf_plot_add_lens(cf_plot *p, const char *title, const cf_lens_curve *task, size_t n,
                                       cf_error *err);

#endif
