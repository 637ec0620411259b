/* parts_internal.h - what the files that make parts share. */
#ifndef CF_KNOCKOUT_PARTS_INTERNAL_H
#define CF_KNOCKOUT_PARTS_INTERNAL_H

#include "knockout/parts.h"

typedef struct cf_reach { /* the positions of an edge */
    cf_spans query, key;
} cf_reach;

void cf_part_deinit(cf_part *part);
/* Moves the part to the end of the list; *part is empty then. */
CF_MUST_USE cf_status cf_parts_add(cf_parts *p, cf_part *part, cf_error *err);
/* Layers and heads of an edge, as copies. */
CF_MUST_USE cf_status cf_part_take_limits(cf_part *part, const cf_flow_edge *edge, int32_t n_heads, cf_error *err);

/* The parts of a random flow; reach: of its edges. length: positions of the prompt and after it. */
CF_MUST_USE cf_status cf_parts_draw(cf_parts *p, const cf_flow *flow, const cf_reach *reach, int32_t length,
                                    int32_t n_heads, const cf_draw *draw, cf_error *err);

#endif
