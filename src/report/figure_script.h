/* figure_script.h - the gnuplot script of a figure, as text. */
#ifndef CF_REPORT_FIGURE_SCRIPT_H
#define CF_REPORT_FIGURE_SCRIPT_H

#include <stddef.h>

#include "base/error.h"
#include "base/str.h"
#include "store/store.h"

typedef enum cf_figure_format { CF_FIGURE_PDF, CF_FIGURE_SVG, CF_FIGURE_PNG } cf_figure_format;

typedef struct cf_figure_plot {
    cf_figure_format format;
    const char *file;              /* the figure, without a folder */
    const char *title;             /* of the samples: the task */
    const cf_curve *const *curves; /* [n_curves], all of one window */
    size_t n_curves;
} cf_figure_plot;

/* Appends the script. Text that comes from outside can only ever be text in it: it is quoted so that neither quotes,
 * newlines nor backquotes (which gnuplot would run as a command) leave the string. */
CF_MUST_USE cf_status cf_figure_script(cf_str *out, const cf_figure_plot *plot, cf_error *err);

#endif
