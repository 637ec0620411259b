/* page_runs.h - the runs of a study as a page counts them: columns in the order of their ids, each with its flow, and
 * with the point of the curve that it belongs to. */
#ifndef CF_REPORT_PAGE_RUNS_H
#define CF_REPORT_PAGE_RUNS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"
#include "store/store.h"

typedef struct cf_page_run {
    int64_t id;
    size_t flow, curve, point; /* places among flows, curves and points */
    size_t sorted_at;          /* of its point's first run, in `sorted` */
    int32_t repeat, window, centre;
    char *heads, *style, *layers;
} cf_page_run;

typedef struct cf_page_flow {
    char *text, *mode; /* text: with the seed where it is random */
} cf_page_flow;

/* Zero-initialise. */
typedef struct cf_page_runs {
    cf_page_run *items; /* by id */
    size_t n, cap;
    cf_page_flow *flows; /* by first run */
    size_t n_flows, cap_flows;
    size_t *sorted;            /* [n] places of runs by curve, point and repeat */
    size_t n_curves, n_points; /* runs with equal flow, style and window; of these, with equal layers */
} cf_page_runs;

CF_MUST_USE cf_status cf_page_runs_read(cf_page_runs *out, cf_store *s, cf_error *err);
void cf_page_runs_deinit(cf_page_runs *r);
/* False where there is none. */
bool cf_page_runs_find(size_t *out, const cf_page_runs *r, int64_t id);
bool cf_page_flow_find(size_t *out, const cf_page_runs *r, const char *text);

/* Members "flows" and "runs". */
CF_MUST_USE cf_status cf_page_runs_add(cf_str *json, const cf_page_runs *r, cf_error *err);

#endif
