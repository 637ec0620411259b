/* figure.h - one figure of a study: the curves of one task, style and window, a line per flow over the layers; or its
 * lens. */
#ifndef CF_REPORT_FIGURE_H
#define CF_REPORT_FIGURE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"
#include "store/store.h"

typedef struct cf_figure_options { /* zero: the study's own */
    const char *task;              /* NULL: all samples together */
    const char *style;             /* NULL: the first that there is of centre, below, above, outside */
    int32_t window;                /* 0: the smallest of that style */
    cf_measure measure;            /* one that has a curve */
    bool drop_empty;               /* samples with an empty group are left out of that curve's means */
    const char *flows; /* only these, comma-separated, as the study has them but for blanks; a random control with or
                        * without its seed. NULL: all */
} cf_figure_options;

/* Draws the mean of the measure's change with its 95 % interval into out_path; the ending .pdf, .svg or .png says the
 * format (CF_USAGE for another). A study that has a lens and no curve is drawn as its lens, if nothing but a task is
 * asked for. Fixed runs have no layers and are left out. CF_USAGE, listing what there is, where nothing is left.
 *
 * The gnuplot script is written first, as out_path with the ending .gp. It holds its data and names the figure without
 * a folder: change it and run gnuplot on it in its folder. As soon as it is written its path is appended to
 * *script_path (may be NULL), also where gnuplot is missing (CF_IO, naming the package) or fails (CF_IO, with its own
 * words). */
CF_MUST_USE cf_status cf_figure_write(cf_store *s, const char *out_path, const cf_figure_options *o,
                                      cf_str *script_path, cf_error *err);

#endif
