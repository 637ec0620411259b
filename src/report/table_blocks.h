/* table_blocks.h - curves of one task and window as aligned text. */
#ifndef CF_REPORT_TABLE_BLOCKS_H
#define CF_REPORT_TABLE_BLOCKS_H

#include <stddef.h>

#include "base/error.h"
#include "base/str.h"
#include "store/store.h"

/* Appends the table of n curves, wrapped into blocks of layers, and a line of reading for each curve. A layer of one
 * curve that another has not is a blank cell; a layer without a number is "-". */
CF_MUST_USE cf_status cf_table_curves(cf_str *out, const cf_curve *const *curves, size_t n, cf_error *err);

/* Appends text from outside as one line that no terminal obeys: control characters become '?'. */
CF_MUST_USE cf_status cf_table_text(cf_str *out, const char *text, cf_error *err);

#endif
