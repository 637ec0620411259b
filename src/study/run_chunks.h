/* run_chunks.h - the runs of one sample in portions: thousands of flows stack more rows than memory holds, a portion does
 * not. A portion is whole flows, since the windows of one flow share what they have in common, and two flows rarely do.
 */
#ifndef CF_STUDY_RUN_CHUNKS_H
#define CF_STUDY_RUN_CHUNKS_H

#include "study/run_set.h"

typedef struct cf_run_chunks { /* zero-initialise; owns ends */
    size_t *ends;              /* [n] runs end .. next end: the portion begins where the one before it ends */
    size_t n, cap;
    int32_t lowest;     /* of all plans: cf_plan.lowest */
    int64_t row_layers; /* sum of cf_plan_row_layers */
} cf_run_chunks;

/* Plans every run on the sample (cf_sample_plan_create), portion by portion, and keeps where portions end. *out is reused.
 * Any failure but CF_NOMEM is a fault of the question. */
CF_MUST_USE cf_status cf_run_chunks_make(cf_run_chunks *out, const cf_run_set *s, const cf_scene *scene, int64_t row,
                                         int32_t n_after, cf_error *err);
void cf_run_chunks_deinit(cf_run_chunks *c);

static inline size_t cf_run_chunk_begin(const cf_run_chunks *c, size_t i)
{
    return i ? c->ends[i - 1] : 0;
}

#endif
