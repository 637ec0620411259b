/* table_counts.h - how many samples and values a study has, and what is to be said of them: faults, flags, notes. */
#ifndef CF_REPORT_TABLE_COUNTS_H
#define CF_REPORT_TABLE_COUNTS_H

#include <stdbool.h>

#include "base/error.h"
#include "base/str.h"
#include "store/store.h"

/* Appends the counts of samples with the faults by reason, of notes by kind with the first samples of each, and of
 * values by flag. drop_empty says only how the values with an empty group are spoken of. */
CF_MUST_USE cf_status cf_table_counts(cf_store *s, cf_str *out, bool drop_empty, cf_error *err);

#endif
