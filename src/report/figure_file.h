/* figure_file.h - a figure on disk: its script, and what gnuplot makes of it. */
#ifndef CF_REPORT_FIGURE_FILE_H
#define CF_REPORT_FIGURE_FILE_H

#include "base/error.h"
#include "base/str.h"
#include "report/plot_script.h"

/* ".pdf", ".svg", ".png" */
const char *cf_figure_ending(cf_figure_format f);
/* *stem: the length of the path without the ending. CF_USAGE for another ending, or nothing before it. */
CF_MUST_USE cf_status cf_figure_format_of(cf_figure_format *out, size_t *stem, const char *path, cf_error *err);
/* A format by its name, without the dot. */
bool cf_figure_format_find(cf_figure_format *out, const char *name);

/* Writes the script of panels [begin, end) beside the figure, as out_path with the ending .gp, and has gnuplot draw it.
 * As soon as the script is written its path is appended to *script_path (may be NULL). CF_IO where it cannot be written,
 * where gnuplot is missing (naming the package) or fails (with its own words). */
CF_MUST_USE cf_status cf_figure_draw(const cf_plot *plot, size_t begin, size_t end, const char *out_path,
                                     cf_str *script_path, cf_error *err);

#endif
