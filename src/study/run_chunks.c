/* run_chunks.c - see run_chunks.h. */
#include "study/run_chunks.h"

#include <stdlib.h>

#include "base/memory.h"

/* Rows that one layer of the sweep takes together: more of them make no product faster, and 8192 of a 7B model are a
 * gigabyte with all that is computed of them. */
enum { MOST_ROWS = 8192, MOST_FLOWS = 1024 };

/* One past the last run of `n_flows` flows from the flow of run `begin` on. */
static size_t end_of_flows(const cf_run_set *s, size_t begin, size_t n_flows)
{
    const size_t flow_end = s->specs.items[begin].flow + n_flows;
    size_t end = begin;
    while (end < s->specs.n && s->specs.items[end].flow < flow_end)
        end++;
    return end;
}

/* Plans the portion that begins at `begin`, of *n_flows flows; of fewer, where they take too many rows. */
static cf_status plan_portion(cf_sample_plan *out, size_t *end, size_t *n_flows, const cf_run_set *s,
                              const cf_scene *scene, int64_t row, int32_t n_after, size_t begin, cf_error *err)
{
    for (;;) {
        *end = end_of_flows(s, begin, *n_flows);
        const cf_status st = cf_sample_plan_create_some(out, s, begin, *end, scene, row, n_after, err);
        if (st != CF_OK)
            return st;
        const size_t rows = (size_t)cf_plan_most_rows(out->plan);
        const size_t taken = s->specs.items[*end - 1].flow + 1 - s->specs.items[begin].flow;
        if (rows <= MOST_ROWS || taken == 1)
            return CF_OK;
        const size_t fit = taken * MOST_ROWS / rows;
        *n_flows = fit < 1 ? 1 : fit < taken ? fit : taken - 1;
        cf_sample_plan_deinit(out);
    }
}

cf_status cf_run_chunks_make(cf_run_chunks *out, const cf_run_set *s, const cf_scene *scene, int64_t row,
                             int32_t n_after, cf_error *err)
{
    cf_status st = CF_OK;
    cf_sample_plan p = {0};
    void *ends = out->ends;
    size_t n_flows = MOST_FLOWS;
    out->n = 0;
    out->lowest = scene->groups->length + n_after;
    out->row_layers = 0;
    for (size_t begin = 0, end = 0; begin < s->specs.n; begin = end) {
        CF_TRY(plan_portion(&p, &end, &n_flows, s, scene, row, n_after, begin, err));
        CF_TRY(cf_grow(&ends, &out->cap, out->n + 1, sizeof *out->ends, "portions of runs", err));
        out->ends = ends;
        out->ends[out->n++] = end;
        out->row_layers += cf_plan_row_layers(p.plan);
        if (p.plan->lowest < out->lowest)
            out->lowest = p.plan->lowest;
        cf_sample_plan_deinit(&p);
    }
done:
    cf_sample_plan_deinit(&p);
    return st;
}

void cf_run_chunks_deinit(cf_run_chunks *c)
{
    free(c->ends);
    *c = (cf_run_chunks){0};
}
