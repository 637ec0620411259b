/* flow.h - a flow S->D: the edges from the positions of one group to those of another. One grammar, parsed and printed
 * here. */
#ifndef CF_KNOCKOUT_FLOW_H
#define CF_KNOCKOUT_FLOW_H

#include <stddef.h>

#include "base/error.h"
#include "base/str.h"
#include "knockout/group.h"

typedef struct cf_flow {
    cf_group source, target; /* keys of the source are hidden from queries of the target */
} cf_flow;

/* "SOURCE->TARGET", group names as cf_group_find reads them. CF_USAGE, listing the groups, for anything else. */
CF_MUST_USE cf_status cf_flow_parse(cf_flow *out, cf_slice text, cf_error *err);
/* Appends the canonical form, e.g. "Image Central Object->Question". */
CF_MUST_USE cf_status cf_flow_print(cf_str *out, const cf_flow *flow, cf_error *err);

typedef struct cf_flows { /* zero-initialise; owns items */
    cf_flow *items;
    size_t n, cap;
} cf_flows;

void cf_flows_deinit(cf_flows *f);
/* Adds one flow, unless it is there already. */
CF_MUST_USE cf_status cf_flows_add(cf_flows *f, const cf_flow *flow, cf_error *err);
/* Adds the flows of a comma-separated list; the word "paper" stands for the paper's six. */
CF_MUST_USE cf_status cf_flows_parse(cf_flows *f, cf_slice list, cf_error *err);
CF_MUST_USE cf_status cf_flows_print(cf_str *out, const cf_flows *f, cf_error *err); /* canonical, comma-separated */

#endif
