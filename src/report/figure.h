/* figure.h - the paper's figure: one line per flow over the layers, drawn by gnuplot from a script that stays beside
 * it. */
#ifndef CF_REPORT_FIGURE_H
#define CF_REPORT_FIGURE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"
#include "store/store.h"

/* Draws the mean change of the answer's probability with its 95 % interval into out_path; the ending .pdf, .svg or
 * .png says the format (CF_USAGE for another). task NULL: all samples together. window 0: the study's only window, or
 * its smallest. CF_USAGE, listing what there is, where the study has no such curves.
 *
 * The gnuplot script is written first, as out_path with the ending .gp. It holds its data and names the figure without
 * a folder: change it and run gnuplot on it in its folder. As soon as it is written its path is appended to
 * *script_path (may be NULL), also where gnuplot is missing (CF_IO, naming the package) or fails (CF_IO, with its own
 * words). */
CF_MUST_USE cf_status cf_figure_write(cf_store *s, const char *out_path, const char *task, int32_t window,
                                      cf_str *script_path, cf_error *err);

/* The tasks that a figure can be drawn for, by name. Free with cf_figure_tasks_free. */
CF_MUST_USE cf_status cf_figure_tasks(cf_store *s, char ***out, size_t *n, cf_error *err);
void cf_figure_tasks_free(char **tasks, size_t n);

#endif
