/* table.h - a study as plain text: what it holds, and its curves as tables with a line of reading each. */
#ifndef CF_REPORT_TABLE_H
#define CF_REPORT_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"
#include "store/store.h"

typedef struct cf_table_options {
    const char *task;   /* only this task; NULL: every task, and all together where there are several */
    const char *style;  /* only windows of this style; NULL: every style */
    int32_t window;     /* only this window; 0: every window */
    cf_measure measure; /* one that has a curve; CF_USAGE for another */
    bool drop_empty;    /* samples with an empty group are left out of that curve's means */
    bool statistics;    /* statistics of every layer in place of the means */
    cf_bootstrap bootstrap;
} cf_table_options;

cf_table_options cf_table_options_default(void);

/* Appends the study: its facts, the counts of samples, faults by reason, notes by kind, and flags; then for each task,
 * style and window a table of means of the measure's change (rows are flows, columns layers), in blocks of at most 12
 * layers and 120 columns, and below it one line of reading per flow; or with `statistics` a row per layer: n, mean, its
 * 95 % interval, median, p, r. Unless a style, window or measure is asked for, the lens of each task follows, where the
 * study has one. NULL options are the default ones. CF_USAGE where something is asked for that the study has no curve
 * of. */
CF_MUST_USE cf_status cf_table_write(cf_store *s, cf_str *out, const cf_table_options *o, cf_error *err);

#endif
