/* attend_cuts.h - queries at the end of a sequence of 200 keys, and what is cut for some of them: whole tiles, parts of tiles
 * and single keys. */
#ifndef CF_TESTS_BACKEND_ATTEND_CUTS_H
#define CF_TESTS_BACKEND_ATTEND_CUTS_H

#include <stdint.h>

#include "base/span.h"

enum { N_KEYS = 200, N_Q = 30 };

/* The last N_Q positions. */
static const int32_t *queries(void)
{
    static const int32_t pos[N_Q] = {170, 171, 172, 173, 174, 175, 176, 177, 178, 179, 180, 181, 182, 183, 184,
                                     185, 186, 187, 188, 189, 190, 191, 192, 193, 194, 195, 196, 197, 198, 199};
    return pos;
}

/* Some queries, and keys. */
static const cf_spans late = {.items = (cf_span[]){{172, 181}, {184, 190}}, .n = 2};
static const cf_spans last = {.items = (cf_span[]){{199, 200}}, .n = 1};
static const cf_spans picture = {.items = (cf_span[]){{3, 140}}, .n = 1};
static const cf_spans words = {.items = (cf_span[]){{0, 1}, {60, 130}, {150, 171}}, .n = 3};

#endif
