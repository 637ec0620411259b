/* page_values.h - the values of single samples as a page has them: web/src/data.ts, ValueBlock and Effects. Columns of
 * values are the study's runs (page_runs.h), those of effects its curves. */
#ifndef CF_REPORT_PAGE_VALUES_H
#define CF_REPORT_PAGE_VALUES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"
#include "report/page_blob.h"
#include "report/page_runs.h"
#include "store/store.h"

typedef struct cf_page_block {
    bool used, all; /* all: of all samples that have values, not of the chosen ones only */
    double *values; /* [n, columns] */
    unsigned char *flags;
    int64_t *samples; /* [n] */
    size_t n, cap;
} cf_page_block;

typedef struct cf_page_values { /* zero-initialise */
    const cf_page_runs *runs;
    cf_page_block blocks[CF_N_MEASURES];
    cf_page_block effects;
    double *sums; /* [points of the runs] of the sample at hand: the changes of its repeats, and how many there are */
    int64_t *repeats;
} cf_page_values;

/* n_samples: those that were traced. A measure's values are kept of all of them while they fit in *room numbers, which
 * shrinks; otherwise of the chosen ones, and *left_out becomes true. Borrows runs. */
CF_MUST_USE cf_status cf_page_values_init(cf_page_values *out, const cf_page_runs *runs, const bool has[CF_N_MEASURES],
                                          int64_t n_samples, int64_t *room, bool *left_out, cf_error *err);
void cf_page_values_deinit(cf_page_values *v);
/* The values of one sample; index: its place in the study. */
CF_MUST_USE cf_status cf_page_values_put(cf_page_values *v, int64_t index, const cf_sample *x, const cf_results *r,
                                         bool chosen, const char *path, cf_error *err);
/* Members "values" and "effects". */
CF_MUST_USE cf_status cf_page_values_add(cf_str *json, cf_page_blobs *blobs, const cf_page_values *v, cf_error *err);

#endif
