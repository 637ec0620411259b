/* drawn_runs.h - runs made at random of everything that a plan can hold: cuts with layers and heads of their own, zeroed
 * sublayers, at any positions. */
#ifndef CF_TESTS_DRAWN_RUNS_H
#define CF_TESTS_DRAWN_RUNS_H

#include "engine/oracle.h"
#include "sample_set.h"
#include "support/thin.h"

enum { N_DRAWN = THIN ? 12 : 100 };

/* 0 .. n-1; the seed moves on. */
uint32_t draw(uint64_t *seed, uint32_t n);
/* Adds positions of [first, length), each with a chance of one in `rarity`. */
void draw_spans(cf_spans *out, int32_t first, int32_t length, uint32_t rarity, uint64_t *seed);

typedef struct drawn_runs {
    cf_parts parts[N_DRAWN];
    cf_spans windows[N_DRAWN];
    cf_plan_run planned[N_DRAWN];
    cf_oracle_run oracle[N_DRAWN];
} drawn_runs;

/* Heap; over `length` positions, the ids forced[n_forced] being the last of them (borrowed). */
drawn_runs *runs_draw(const sample_set *set, int32_t length, const int32_t *forced, int32_t n_forced, uint64_t seed);
void runs_free(drawn_runs *r);

#endif
