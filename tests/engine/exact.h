/* exact.h - the check that a sweep is the oracle, bit for bit: each run's every row in every layer, and its logits.
 *
 * The oracle computes a run from the pixels, all positions in all layers, its cuts spelled out as a dense mask; it
 * shares with the sweep the model's layers and nothing of plans, nodes, stacks or kept rows. Rows that the sweep did
 * not compute must be the baseline's. */
#ifndef CF_TESTS_EXACT_H
#define CF_TESTS_EXACT_H

#include "walk.h"

/* Every run of the plan on one sample, runs[i] being the plan's run i; all have the same forced ids. The plan is
 * freed. Returns how many rows the sweep computed, as the runs see them. */
int64_t hold_exact(const loaded_model *m, const sample *s, cf_plan *plan, const cf_oracle_run *runs);

#endif
