/* page_maps.h - the causal maps of a study as a page has them: web/src/data.ts, CausalMap. */
#ifndef CF_REPORT_PAGE_MAPS_H
#define CF_REPORT_PAGE_MAPS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"
#include "report/page_blob.h"
#include "report/page_choice.h"
#include "store/map.h"

/* Member "maps": of the chosen samples one for each window and measure, while they fit in *room numbers, which shrinks;
 * *left_out: whether any did not. has[m]: whether there is a map of it. *n_layers grows to one past the last layer. */
CF_MUST_USE cf_status cf_page_maps_add(cf_str *json, cf_page_blobs *blobs, cf_store *s, const cf_map *map,
                                       const cf_page_choice *choice, bool has[CF_N_MEASURES], int64_t *n_layers,
                                       int64_t *room, bool *left_out, cf_error *err);

#endif
