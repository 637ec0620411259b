/* flow_help.h - the grammar of flows, for a reader. */
#ifndef CF_STUDY_FLOW_HELP_H
#define CF_STUDY_FLOW_HELP_H

#include "base/str.h"

/* Appends the grammar with an example of each production; with flows (comma-separated) instead the canonical form of
 * each, a line each. CF_USAGE for one that does not parse. */
CF_MUST_USE cf_status cf_flow_help(cf_str *out, cf_slice flows, cf_error *err);

#endif
