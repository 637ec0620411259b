/* page_sample_row.h - one sample as a page has it: web/src/data.ts, Sample and Detail. */
#ifndef CF_REPORT_PAGE_SAMPLE_ROW_H
#define CF_REPORT_PAGE_SAMPLE_ROW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"
#include "report/page_runs.h"
#include "store/store.h"

/* Append an element to a list without its brackets. index: of the sample in its study; path: the study's, for messages;
 * of the results the baselines. picture: among the page's, -1 for none. CF_FORMAT where the study's JSON is none. */
CF_MUST_USE cf_status cf_page_sample_add(cf_str *list, int64_t index, const cf_sample *x, const cf_results *r,
                                         int64_t picture, bool detailed, const char *path, cf_error *err);
/* Answers in runs, and the lens with the ten top tokens of each layer. */
CF_MUST_USE cf_status cf_page_detail_add(cf_str *list, int64_t index, const cf_results *r, const cf_page_runs *runs,
                                         const char *path, cf_error *err);

#endif
