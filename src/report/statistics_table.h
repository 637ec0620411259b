/* statistics_table.h - the statistics of a study as aligned text. */
#ifndef CF_REPORT_STATISTICS_TABLE_H
#define CF_REPORT_STATISTICS_TABLE_H

#include "base/error.h"
#include "base/str.h"
#include "report/table.h"
#include "store/store.h"

/* Appends what the columns mean, then for each task, style and window a block per flow with a row per layer. Adds the
 * number of tables to *n_tables. */
CF_MUST_USE cf_status cf_table_statistics(cf_store *s, cf_str *out, const cf_table_options *o, size_t *n_tables,
                                          cf_error *err);

#endif
