/* map_flows.h - the flows of a map: one for each of its cells, as text in the grammar of flows (docs/maps.md). */
#ifndef CF_STUDY_MAP_FLOWS_H
#define CF_STUDY_MAP_FLOWS_H

#include "image/tiling.h"
#include "study/settings.h"

typedef struct cf_map_grid { /* in patches; 0 x 0: none */
    int32_t rows, columns;
} cf_map_grid;

/* What the samples of a map need at most. Zero-initialise. */
typedef struct cf_map_extent {
    cf_map_grid base, hd;
    int32_t n_tokens; /* of the group of the queries */
} cf_map_extent;

/* Widens the extent to a picture's grids. */
void cf_map_extent_add(cf_map_extent *e, const cf_tile_grid *g);
/* Appends "base 24x24, hd 48x72". */
CF_MUST_USE cf_status cf_map_extent_print(cf_str *out, const cf_map_extent *e, cf_error *err);

/* Checks what a map is made from, and appends its group (patches, tokens) or flow (heads) in canonical form. CF_USAGE: a
 * tile below 1; for tokens a group that is not a named one alone; for heads a flow that is no cut, or that has layers or
 * heads of its own. */
CF_MUST_USE cf_status cf_map_canonical(cf_str *out, const cf_map_options *m, cf_error *err);
/* Appends the flows, comma-separated, in the order of docs/maps.md. m is canonical; layers: of a tokens map. */
CF_MUST_USE cf_status cf_map_flows(cf_str *out, const cf_map_options *m, const cf_map_extent *e, cf_span layers,
                                   cf_error *err);

#endif
