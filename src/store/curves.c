/* curves.c - means over samples, layer by layer, with their 95 % intervals.
 *
 * Values are added up in the order of task and row, whatever the order in which they were written, by Welford's update
 * (B. P. Welford, Technometrics 4, 1962): equal studies give equal bits. */
#include "store/store_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static const double Z_95 = 1.96; /* normal quantile of a two-sided 95 % interval, as seaborn's figures of the paper */

typedef struct sum {
    int64_t stored;     /* values of any kind: without one, the run is no point of this curve */
    int64_t n, n_empty; /* in the mean */
    double mean, m2;    /* m2: sum of squared distances from the mean */
} sum;

typedef struct tally {
    cf_store *store;
    bool drop_empty;
    cf_run_table runs;
    sum *task_sums; /* [runs.n], of the task at hand */
    sum *all_sums;  /* [runs.n] */
    cf_str task;    /* the task at hand */
    cf_curve *curves;
    size_t n_curves, cap_curves;
} tally;

static cf_status tally_init(tally *t, cf_error *err)
{
    cf_status st = CF_OK;
    void *p = NULL;
    CF_TRY(cf_run_table_read(t->store, &t->runs, err));
    CF_TRY(cf_alloc(&p, t->runs.n, sizeof *t->task_sums, "means", err));
    t->task_sums = p;
    CF_TRY(cf_alloc(&p, t->runs.n, sizeof *t->all_sums, "means", err));
    t->all_sums = p;
done:
    return st;
}

static void tally_deinit(tally *t)
{
    cf_curves_free(t->curves, t->n_curves);
    cf_str_deinit(&t->task);
    free(t->all_sums);
    free(t->task_sums);
    cf_run_table_deinit(&t->runs);
}

/* ---- adding up ---- */

static void add(sum *m, double change, cf_value_flag flag, bool drop_empty)
{
    m->stored++;
    if (isnan(change) || (flag == CF_VALUE_EMPTY_GROUP && drop_empty))
        return;
    m->n++;
    m->n_empty += flag == CF_VALUE_EMPTY_GROUP;
    const double step = change - m->mean;
    m->mean += step / (double)m->n;
    m->m2 += step * (change - m->mean);
}

/* ---- sums to curves ---- */

static cf_point point_of(const sum *m, int32_t layer)
{
    cf_point p = {.layer = layer, .n = m->n, .n_empty = m->n_empty, .mean = m->n ? m->mean : (double)NAN};
    const double n = (double)m->n;
    const double half = m->n < 2 ? 0.0 : Z_95 * sqrt(m->m2 / (n - 1.0) / n);
    p.low = p.mean - half;
    p.high = p.mean + half;
    return p;
}

/* Appends the curve of runs [begin, end); nothing where the task has no value of them. */
static cf_status add_curve(tally *t, const sum *sums, const char *task, size_t begin, size_t end, cf_error *err)
{
    cf_status st = CF_OK;
    cf_curve c = {.window = t->runs.items[begin].window};
    void *items = NULL, *points = NULL;
    CF_TRY(cf_alloc(&points, end - begin, sizeof *c.points, "a curve", err));
    c.points = points;
    for (size_t i = begin; i < end; i++)
        if (sums[i].stored)
            c.points[c.n_points++] = point_of(&sums[i], t->runs.items[i].centre);
    if (c.n_points == 0)
        goto done;
    CF_TRY(cf_strdup(&c.task, cf_slice_of(task), err));
    CF_TRY(cf_strdup(&c.spec, cf_slice_of(t->runs.items[begin].label), err));
    items = t->curves;
    CF_TRY(cf_grow(&items, &t->cap_curves, t->n_curves + 1, sizeof *t->curves, "curves", err));
    t->curves = items;
    t->curves[t->n_curves++] = c;
    c = (cf_curve){0};
done:
    free(c.points);
    free(c.task);
    free(c.spec);
    return st;
}

static cf_status add_curves(tally *t, const sum *sums, const char *task, cf_error *err)
{
    cf_status st = CF_OK;
    for (size_t i = 0, end; i < t->runs.n; i = end) {
        end = cf_run_table_curve_end(&t->runs, i);
        CF_TRY(add_curve(t, sums, task, i, end, err));
    }
done:
    return st;
}

static cf_status end_task(tally *t, cf_error *err)
{
    const cf_status st = add_curves(t, t->task_sums, t->task.data ? t->task.data : "", err);
    memset(t->task_sums, 0, t->runs.n * sizeof *t->task_sums);
    return st;
}

static cf_status add_change(void *user, const cf_change *c, cf_error *err)
{
    tally *t = user;
    cf_status st = CF_OK;
    if (!t->task.data || strcmp(t->task.data, c->task) != 0) {
        CF_TRY(end_task(t, err));
        cf_str_clear(&t->task);
        CF_TRY(cf_str_add_text(&t->task, c->task, err));
    }
    add(&t->task_sums[c->run], c->change, c->flag, t->drop_empty);
    add(&t->all_sums[c->run], c->change, c->flag, t->drop_empty);
done:
    return st;
}

cf_status cf_store_curves(cf_store *s, cf_curve **out, size_t *n, bool drop_empty, bool all_tasks, cf_error *err)
{
    cf_status st = CF_OK;
    tally t = {.store = s, .drop_empty = drop_empty};
    CF_TRY(tally_init(&t, err));
    CF_TRY(cf_changes_each(s, &t.runs, add_change, &t, err));
    CF_TRY(end_task(&t, err));
    if (all_tasks)
        CF_TRY(add_curves(&t, t.all_sums, "all", err));
    *out = t.curves;
    *n = t.n_curves;
    t.curves = NULL;
    t.n_curves = 0;
done:
    tally_deinit(&t);
    return st;
}

void cf_curves_free(cf_curve *curves, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(curves[i].task);
        free(curves[i].spec);
        free(curves[i].points);
    }
    free(curves);
}
