/* flow_list.h - a user's list of flows against the texts that a study has. Only texts are compared: what they mean is
 * knockout's. */
#ifndef CF_REPORT_FLOW_LIST_H
#define CF_REPORT_FLOW_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

/* The next flow of a comma-separated list, from *at on; commas in parentheses are the flow's own. False at its end. */
bool cf_flow_list_next(cf_slice *flow, cf_slice list, size_t *at);
/* Whether they are one flow, blanks and a "cut:" before it aside; a text that ends in its seed is also the one
 * without. */
bool cf_flow_is(cf_slice asked, const char *text);
/* Whether the list has it; every list that is NULL has. */
bool cf_flow_list_has(const char *list, const char *text);

#endif
