/* map_values.h - what a study measured, by question, flow, layer and measure. */
#ifndef CF_TESTS_MAP_VALUES_H
#define CF_TESTS_MAP_VALUES_H

#include "cli_fixture.h"

typedef struct map_value {
    char *task, *flow;
    int64_t row;
    int32_t layer;
    cf_measure measure;
    double value;
    cf_value_flag flag;
} map_value;

typedef struct map_values { /* release with map_values_drop */
    map_value *items;
    size_t n, cap;
} map_values;

map_values map_values_of(const char *study);
void map_values_drop(map_values *v);
/* NULL where there is none. */
const map_value *map_values_find(const map_values *v, const char *task, int64_t row, const char *flow, int32_t layer,
                                 cf_measure measure);

#endif
