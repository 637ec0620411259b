/* curves.c - means over samples, layer by layer, with their 95 % intervals.
 *
 * Values are added up in the order of task and row, whatever the order in which they were written: equal studies give
 * equal bits. */
#include "store/store_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

typedef struct sum {
    int64_t stored;  /* samples with a value of any kind: without one, this is no point of the curve */
    int64_t n_empty; /* in the mean */
    cf_mean mean;
} sum;

typedef struct tally {
    cf_store *store;
    const cf_curve_options *o;
    cf_run_table runs;
    sum *task_sums; /* [runs.n] by the point's first run, of the task at hand */
    sum *all_sums;  /* likewise, of all tasks */
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

static void add(sum *m, const cf_change *c, bool drop_empty)
{
    m->stored++;
    if (isnan(c->change) || (c->empty && drop_empty))
        return;
    m->n_empty += c->empty;
    cf_mean_add(&m->mean, c->change);
}

/* ---- sums to curves ---- */

static cf_status name_curve(cf_curve *c, const char *task, const cf_run_entry *run, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_strdup(&c->task, cf_slice_of(task), err));
    CF_TRY(cf_strdup(&c->spec, cf_slice_of(run->label), err));
    CF_TRY(cf_strdup(&c->mode, cf_slice_of(run->mode), err));
    CF_TRY(cf_strdup(&c->style, cf_slice_of(run->style), err));
    c->window = run->window;
done:
    return st;
}

static void curve_deinit(cf_curve *c)
{
    free(c->task);
    free(c->spec);
    free(c->mode);
    free(c->style);
    free(c->points);
}

/* Appends the curve of runs [begin, end); nothing where the task has no value of them. */
static cf_status add_curve(tally *t, const sum *sums, const char *task, size_t begin, size_t end, cf_error *err)
{
    cf_status st = CF_OK;
    cf_curve c = {0};
    void *items = NULL, *points = NULL;
    CF_TRY(cf_alloc(&points, end - begin, sizeof *c.points, "a curve", err));
    c.points = points;
    for (size_t i = begin; i < end; i++) {
        if (sums[i].stored == 0)
            continue;
        cf_point *p = &c.points[c.n_points++];
        *p = cf_mean_point(&sums[i].mean, t->runs.items[i].centre);
        p->n_empty = sums[i].n_empty;
    }
    if (c.n_points == 0)
        goto done;
    CF_TRY(name_curve(&c, task, &t->runs.items[begin], err));
    items = t->curves;
    CF_TRY(cf_grow(&items, &t->cap_curves, t->n_curves + 1, sizeof *t->curves, "curves", err));
    t->curves = items;
    t->curves[t->n_curves++] = c;
    c = (cf_curve){0};
done:
    curve_deinit(&c);
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
    add(&t->task_sums[c->point], c, t->o->drop_empty);
    add(&t->all_sums[c->point], c, t->o->drop_empty);
done:
    return st;
}

cf_status cf_store_curves(cf_store *s, cf_curve **out, size_t *n, const cf_curve_options *o, cf_error *err)
{
    cf_status st = CF_OK;
    tally t = {.store = s, .o = o};
    CF_TRY(cf_measure_check_curve(o->measure, err));
    CF_TRY(tally_init(&t, err));
    CF_TRY(cf_changes_each(s, &t.runs, o->measure, o->absolute, add_change, &t, err));
    CF_TRY(end_task(&t, err));
    if (o->all_tasks)
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
    for (size_t i = 0; i < n; i++)
        curve_deinit(&curves[i]);
    free(curves);
}
