/* map_study.h - causal maps: a knockout study whose flows are made from the pictures and the question, one for each cell
 * (docs/maps.md). */
#ifndef CF_STUDY_MAP_STUDY_H
#define CF_STUDY_MAP_STUDY_H

#include "base/str.h"
#include "study/settings.h"

/* See cf_study_run. o->map says what is mapped, o->flows is not looked at; in a tokens map the layers of o are those that
 * are cut. Progress is in runs. A sample that takes long is kept while it is measured (cf_store_put_unfinished), and taken
 * up where it was left. CF_USAGE for what no map can be made from. */
CF_MUST_USE cf_status cf_map_run(cf_study_result *out, const cf_study_options *o, cf_study_listener listen, void *user,
                                 cf_error *err);

/* Appends what that will take: cells, runs, row-layers, time in matrix products. Loads one weight, to time a product. */
CF_MUST_USE cf_status cf_map_cost(cf_str *out, const cf_study_options *o, cf_error *err);

#endif
