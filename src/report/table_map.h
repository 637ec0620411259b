/* table_map.h - a map of patches as aligned text: its strongest places layer by layer (or token by token), and where they
 * lie. A map of heads is a table of curves like any other. */
#ifndef CF_REPORT_TABLE_MAP_H
#define CF_REPORT_TABLE_MAP_H

#include <stddef.h>

#include "base/error.h"
#include "base/str.h"
#include "report/measure_text.h"
#include "store/map.h"

/* Appends the curves of one task and window: a line a layer (patches) or a token (tokens) with the five strongest changes
 * and their patches; then each grid as a picture, a sign a patch: the tenths of the strongest change that its own strongest
 * one has. CF_FORMAT for a curve that is none of the map's. */
CF_MUST_USE cf_status cf_table_map(cf_str *out, const cf_map *map, const cf_curve *const *curves, size_t n,
                                   const cf_measure_text *m, cf_error *err);

#endif
