/* plot_script.h - the gnuplot script of a figure, as text. */
#ifndef CF_REPORT_PLOT_SCRIPT_H
#define CF_REPORT_PLOT_SCRIPT_H

#include <stddef.h>

#include "base/error.h"
#include "base/str.h"
#include "report/plot.h"

typedef enum cf_figure_format { CF_FIGURE_PDF, CF_FIGURE_SVG, CF_FIGURE_PNG, CF_N_FIGURE_FORMATS } cf_figure_format;

/* Appends the script that draws panels [begin, end), one or more, of the plot into `file` (a name without a folder): one
 * panel as a figure with its own key, several as panels with one key. Text that comes from outside can only ever be text
 * in it: it is quoted so that neither quotes, newlines nor backquotes (which gnuplot would run as a command) leave the
 * string. */
CF_MUST_USE cf_status cf_plot_script(cf_str *out, const cf_plot *plot, size_t begin, size_t end,
                                     cf_figure_format format, const char *file, cf_error *err);

#endif
