/* map_open.h - what a map is made from, before anything runs: the questions, the grids of their pictures, the flows. */
#ifndef CF_STUDY_MAP_OPEN_H
#define CF_STUDY_MAP_OPEN_H

#include "study/map_flows.h"
#include "study/prepare.h"
#include "study/question_list.h"

typedef struct cf_map_opened { /* zero-initialise; close in every case */
    cf_question_list list;
    char *images;
    cf_runtime runtime; /* its files */
    cf_map_extent extent;
    cf_picture picture; /* of the first question that can be used */
    cf_prepared first;  /* that question */
    int64_t first_row;
    cf_str canonical, grids, flows;
    cf_map_options map;       /* canonical; its texts are those above */
    cf_study_options options; /* those given, with this map and its flows, one sample in flight */
} cf_map_opened;

/* CF_MISMATCH where no question can be used, with the reason where there is one question. */
CF_MUST_USE cf_status cf_map_open(cf_map_opened *m, const cf_study_options *o, cf_error *err);
void cf_map_close(cf_map_opened *m);

#endif
