/* page_curves.h - a study's curves with their statistics, and its lens, as a page has them. */
#ifndef CF_REPORT_PAGE_CURVES_H
#define CF_REPORT_PAGE_CURVES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"
#include "report/page_runs.h"
#include "store/store.h"

/* Member "measures": those that has[] names. */
CF_MUST_USE cf_status cf_page_measures_add(cf_str *json, const bool has[CF_N_MEASURES], cf_error *err);
/* Member "curves": every measure that the study has values of, by task, and all tasks together where there
 * are several. has[m]: whether there is a curve of it. */
CF_MUST_USE cf_status cf_page_curves_add(cf_str *json, cf_store *s, const cf_page_runs *runs, int64_t resamples,
                                         bool has[CF_N_MEASURES], cf_error *err);
/* Member "lens". *n_layers grows to its last entry: that of layer l is the output of layer l - 1. */
CF_MUST_USE cf_status cf_page_lens_add(cf_str *json, cf_store *s, const cf_page_runs *runs, int64_t n_tasks,
                                       int64_t *n_layers, cf_error *err);

#endif
