/* page_samples.h - the samples of a study as a page has them: what is known of each, its values in every run, how far a
 * curve moves it, and more of those that are shown with their pictures. */
#ifndef CF_REPORT_PAGE_SAMPLES_H
#define CF_REPORT_PAGE_SAMPLES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"
#include "report/page_blob.h"
#include "report/page_choice.h"
#include "report/page_pictures.h"
#include "report/page_runs.h"
#include "store/store.h"

typedef struct cf_page_samples_input {
    cf_store *store;
    const cf_page_runs *runs;
    const cf_page_choice *choice;
    const char *images; /* folder of the pictures; "": not known */
    int64_t n_done;     /* samples that were traced */
    bool has[CF_N_MEASURES];
} cf_page_samples_input;

/* Members "baselines", "samples", "nSamples", "values", "effects" and "details". All samples' values of a measure are
 * there while they fit in *room numbers, which shrinks; otherwise those of the chosen samples. *left_out: whether any
 * were. */
CF_MUST_USE cf_status cf_page_samples_add(cf_str *json, cf_page_blobs *blobs, cf_page_pictures *pictures,
                                          const cf_page_samples_input *in, int64_t *room, bool *left_out,
                                          cf_error *err);

#endif
