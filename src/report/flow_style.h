/* flow_style.h - how a flow is drawn: always the same colour, and a mark of its own for prints without colour. */
#ifndef CF_REPORT_FLOW_STYLE_H
#define CF_REPORT_FLOW_STYLE_H

#include <stddef.h>

#include "store/store.h"

typedef struct cf_flow_style {
    const char *colour; /* "#rrggbb" */
    int point;          /* gnuplot's point type */
} cf_flow_style;

/* nth: how many flows outside the paper's six come before this one in the study; counted up where this is one of them.
 */
cf_flow_style cf_flow_style_of(const char *flow, size_t *nth);
cf_flow_style cf_lens_style_of(cf_lens_line line);

#endif
