/* gnuplot.h - runs gnuplot on a script. */
#ifndef CF_REPORT_GNUPLOT_H
#define CF_REPORT_GNUPLOT_H

#include "base/error.h"

/* Runs gnuplot, found in PATH, on the script `name` in folder dir, without a shell and without the user's start-up
 * files. CF_IO with the package to install where there is none; CF_IO with gnuplot's last line where it fails. */
CF_MUST_USE cf_status cf_gnuplot_run(const char *dir, const char *name, cf_error *err);

#endif
