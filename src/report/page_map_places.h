/* page_map_places.h - where the cells of a causal map are in one sample's prompt. */
#ifndef CF_REPORT_PAGE_MAP_PLACES_H
#define CF_REPORT_PAGE_MAP_PLACES_H

#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "base/str.h"
#include "store/map.h"

typedef struct cf_map_places { /* zero-initialise */
    cf_json *patches, *groups; /* of the sample */
} cf_map_places;

/* path: of the study, for messages. CF_FORMAT where the sample's columns are no JSON. */
CF_MUST_USE cf_status cf_map_places_read(cf_map_places *out, const cf_sample *sample, const char *path, cf_error *err);
void cf_map_places_deinit(cf_map_places *p);
/* Appends the positions of the cell's patches to a list of JSON, without its brackets; nothing for patches that the
 * picture does not have. */
CF_MUST_USE cf_status cf_map_cell_positions(cf_str *json, const cf_map_places *p, const cf_map_cell *cell,
                                            cf_error *err);
/* The nth position of a group; -1 where it has fewer. */
int64_t cf_map_token_position(const cf_map_places *p, const char *group, int32_t nth);

#endif
