/* page.h - studies as one self-contained HTML page: what crossflow report writes.
 *
 * The page is web/dist (the program that draws it, from web/src) around data whose shape web/src/data.ts describes. It
 * asks nothing of any network. Equal studies give equal bytes. */
#ifndef CF_REPORT_PAGE_H
#define CF_REPORT_PAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"
#include "store/store.h"

typedef struct cf_page_options {
    int64_t n_samples;        /* shown with their pictures; see page_choice.h */
    const char *const *named; /* "TASK.ROW", [n_named]: some of them */
    size_t n_named;
    int64_t seed;
    const char *images; /* folder of the pictures; NULL: what each study says */
    int64_t resamples;  /* of the bootstrap */
    int64_t n_numbers;  /* values of single samples that the page may hold; beyond, only chosen samples' */
} cf_page_options;
cf_page_options cf_page_options_default(void);

/* Writes the page to path, whole or not at all, replacing what is there. Appends to *notes (may be NULL) a line for each
 * thing that the page has not and says so: pictures that cannot be read, values that were left out. CF_USAGE for a
 * sample that no study has, and for a study that is there twice; CF_FORMAT for a study that holds what no study has;
 * CF_IO where the page cannot be written. */
CF_MUST_USE cf_status cf_page_write(cf_store *const *stores, size_t n, const char *path, const cf_page_options *o,
                                    cf_str *notes, cf_error *err);

#endif
