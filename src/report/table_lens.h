/* table_lens.h - the logit lens of a study as aligned text. */
#ifndef CF_REPORT_TABLE_LENS_H
#define CF_REPORT_TABLE_LENS_H

#include "base/error.h"
#include "base/str.h"
#include "store/store.h"

/* Appends, for each task (or the one asked for) a table of the baseline's lens: a row an entry, a column a line, the
 * mean probability in %. At the end, how many runs have a lens of their own, which these tables have not. Adds the
 * number of tables to *n_tables. */
CF_MUST_USE cf_status cf_table_lens(cf_store *s, cf_str *out, const char *task, size_t *n_tables, cf_error *err);

#endif
