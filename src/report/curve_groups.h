/* curve_groups.h - which of a study's curves stand together: by task, then by window, which has a style and, in some
 * styles, a size; and how a window is written. */
#ifndef CF_REPORT_CURVE_GROUPS_H
#define CF_REPORT_CURVE_GROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"
#include "store/store.h"

/* One past the curves of the task that begins at i. In the order of cf_store_curves with all_tasks, the last task is all
 * of them together, also where a task has the name "all". */
size_t cf_curves_task_end(const cf_curve *curves, size_t n, size_t i);
size_t cf_lens_curves_task_end(const cf_lens_curve *curves, size_t n, size_t i);

/* A curve's place among the windows of its task. */
typedef struct cf_window_key {
    const char *style;
    int32_t window; /* 0 where the style has none */
    size_t at;      /* the curve */
} cf_window_key;

/* For qsort: by style as the study file orders them (centre, below, above, outside, fixed), by window, by `at`. */
int cf_window_key_compare(const void *a, const void *b);
bool cf_window_key_same(const cf_window_key *a, const cf_window_key *b); /* style and window */
/* style NULL and window 0 stand for any. */
bool cf_window_key_is(const cf_window_key *key, const char *style, int32_t window);

/* Whether its runs have a centre, and so a curve a layer axis: all but "fixed". */
bool cf_style_has_layers(const char *style);
/* Appends "window 9", "below", "outside 3", "fixed". */
CF_MUST_USE cf_status cf_window_text(cf_str *out, const char *style, int32_t window, cf_error *err);
/* Appends what the layer axis of such curves counts. */
CF_MUST_USE cf_status cf_window_axis(cf_str *out, const char *style, int32_t window, cf_error *err);

#endif
