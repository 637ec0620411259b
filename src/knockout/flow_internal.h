/* flow_internal.h - what the files of flow.h share: how a flow is put together. Inside src/knockout only. */
#ifndef CF_KNOCKOUT_FLOW_INTERNAL_H
#define CF_KNOCKOUT_FLOW_INTERNAL_H

#include "knockout/flow.h"

void cf_flow_edge_deinit(cf_flow_edge *e);
/* Take the edge or the group over, on success only. */
CF_MUST_USE cf_status cf_flow_add_edge(cf_flow *f, const cf_flow_edge *edge, cf_error *err);
CF_MUST_USE cf_status cf_flow_add_partition(cf_flow *f, const cf_group_expr *group, cf_error *err);

#endif
