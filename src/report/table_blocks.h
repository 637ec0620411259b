/* table_blocks.h - curves of one task, style and window as aligned text. */
#ifndef CF_REPORT_TABLE_BLOCKS_H
#define CF_REPORT_TABLE_BLOCKS_H

#include <stddef.h>

#include "base/error.h"
#include "base/str.h"
#include "report/measure_text.h"
#include "store/store.h"

/* Appends the table of n curves, wrapped into blocks of layers, and a line of reading for each curve. A layer of one
 * curve that another has not is a blank cell; a layer without a number is "-". Where a flow's text is long, rows have
 * numbers, which the readings repeat before the text. */
CF_MUST_USE cf_status cf_table_curves(cf_str *out, const cf_curve *const *curves, size_t n, const cf_measure_text *m,
                                      cf_error *err);

/* The same for fixed runs, which have no layers to be columns: mean, its 95 % interval, samples. */
CF_MUST_USE cf_status cf_table_fixed(cf_str *out, const cf_curve *const *curves, size_t n, const cf_measure_text *m,
                                     cf_error *err);

#endif
