/* study_statistics.c - the statistics of every curve of a study.
 *
 * Invariants
 * (1) The values are read once. A point's changes lie in one array in the order of task and row, so that a task is a
 *     slice of it and all tasks together are the whole.
 * (2) A point's statistics depend on its slice and the options alone: neither the order in which samples were written,
 *     nor the number of threads, nor which other runs the study has changes a bit. */
#include "store/store_internal.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

typedef struct counts {
    int64_t stored; /* samples with a value of any kind: without one, this is no point of the curve */
    int64_t n_empty, n_without;
} counts;

typedef struct series { /* of one point */
    double *changes;    /* those that count, in the order of task and row */
    size_t n, cap;
    size_t begin; /* of the task at hand */
    counts task, all;
} series;

typedef struct job { /* one point: its changes and where its statistics go */
    cf_statistic *out;
    size_t point, begin, n;
} job;

typedef struct collector {
    cf_store *store;
    const cf_statistics_options *o;
    cf_run_table runs;
    series *series; /* [runs.n] by the point's first run */
    cf_str task;    /* the task at hand */
    size_t n_tasks;
    cf_statistic_curve *curves;
    size_t n_curves, cap_curves;
    job *jobs;
    size_t n_jobs, cap_jobs;
} collector;

static void collector_deinit(collector *c)
{
    for (size_t i = 0; c->series && i < c->runs.n; i++)
        free(c->series[i].changes);
    free(c->series);
    free(c->jobs);
    cf_statistics_free(c->curves, c->n_curves);
    cf_str_deinit(&c->task);
    cf_run_table_deinit(&c->runs);
}

/* ---- curves without their numbers ---- */

static cf_status name_curve(cf_statistic_curve *c, const char *task, const cf_run_entry *run, cf_error *err)
{
    cf_status st = CF_OK;
    if (task)
        CF_TRY(cf_strdup(&c->task, cf_slice_of(task), err));
    CF_TRY(cf_strdup(&c->spec, cf_slice_of(run->label), err));
    CF_TRY(cf_strdup(&c->mode, cf_slice_of(run->mode), err));
    CF_TRY(cf_strdup(&c->style, cf_slice_of(run->style), err));
    c->window = run->window;
done:
    return st;
}

static void curve_deinit(cf_statistic_curve *c)
{
    free(c->task);
    free(c->spec);
    free(c->mode);
    free(c->style);
    free(c->points);
}

static cf_status add_point(collector *c, cf_statistic_curve *curve, size_t point, bool all_tasks, cf_error *err)
{
    const series *x = &c->series[point];
    const counts *n = all_tasks ? &x->all : &x->task;
    const size_t begin = all_tasks ? 0 : x->begin;
    if (n->stored == 0)
        return CF_OK;
    void *items = c->jobs;
    const cf_status st = cf_grow(&items, &c->cap_jobs, c->n_jobs + 1, sizeof *c->jobs, "statistics", err);
    if (st != CF_OK)
        return st;
    c->jobs = items;
    cf_statistic_point *p = &curve->points[curve->n_points++];
    *p = (cf_statistic_point){.run = c->runs.items[point].id,
                              .layer = c->runs.items[point].centre,
                              .n_empty = n->n_empty,
                              .n_without = n->n_without};
    c->jobs[c->n_jobs++] = (job){&p->s, point, begin, x->n - begin};
    return CF_OK;
}

/* Appends the curve of runs [begin, end); nothing where there is no value of them. task NULL: of all tasks. */
static cf_status add_curve(collector *c, const char *task, size_t begin, size_t end, cf_error *err)
{
    cf_status st = CF_OK;
    cf_statistic_curve x = {0};
    void *items = NULL, *points = NULL;
    CF_TRY(cf_alloc(&points, end - begin, sizeof *x.points, "statistics", err));
    x.points = points;
    for (size_t i = begin; i < end; i++)
        CF_TRY(add_point(c, &x, i, !task, err));
    if (x.n_points == 0)
        goto done;
    CF_TRY(name_curve(&x, task, &c->runs.items[begin], err));
    items = c->curves;
    CF_TRY(cf_grow(&items, &c->cap_curves, c->n_curves + 1, sizeof *c->curves, "statistics", err));
    c->curves = items;
    c->curves[c->n_curves++] = x;
    x = (cf_statistic_curve){0};
done:
    curve_deinit(&x);
    return st;
}

static cf_status add_curves(collector *c, const char *task, cf_error *err)
{
    cf_status st = CF_OK;
    for (size_t i = 0, end; i < c->runs.n; i = end) {
        end = cf_run_table_curve_end(&c->runs, i);
        CF_TRY(add_curve(c, task, i, end, err));
    }
done:
    return st;
}

/* ---- reading ---- */

static cf_status end_task(collector *c, cf_error *err)
{
    if (!c->task.data)
        return CF_OK;
    const cf_status st = add_curves(c, c->task.data, err);
    for (size_t i = 0; i < c->runs.n; i++) {
        series *x = &c->series[i];
        x->begin = x->n;
        x->all.stored += x->task.stored;
        x->all.n_empty += x->task.n_empty;
        x->all.n_without += x->task.n_without;
        x->task = (counts){0};
    }
    c->n_tasks++;
    return st;
}

static cf_status add_change(void *user, const cf_change *change, cf_error *err)
{
    collector *c = user;
    cf_status st = CF_OK;
    if (!c->task.data || strcmp(c->task.data, change->task) != 0) {
        CF_TRY(end_task(c, err));
        cf_str_clear(&c->task);
        CF_TRY(cf_str_add_text(&c->task, change->task, err));
    }
    series *x = &c->series[change->point];
    x->task.stored++;
    x->task.n_without += isnan(change->change) != 0;
    x->task.n_empty += change->empty;
    if (isnan(change->change) || (change->empty && c->o->drop_empty))
        goto done;
    if (x->n == UINT32_MAX) { /* what the bootstrap can draw from */
        st = cf_fail(err, CF_UNSUPPORTED, "%s: expected fewer than 2^32 samples, found more", c->store->path);
        goto done;
    }
    void *items = x->changes;
    CF_TRY(cf_grow(&items, &x->cap, x->n + 1, sizeof *x->changes, "changes", err));
    x->changes = items;
    x->changes[x->n++] = change->change;
done:
    return st;
}

static cf_status collect(collector *c, cf_error *err)
{
    cf_status st = CF_OK;
    void *p = NULL;
    CF_TRY(cf_run_table_read(c->store, &c->runs, err));
    CF_TRY(cf_alloc(&p, c->runs.n, sizeof *c->series, "changes", err));
    c->series = p;
    CF_TRY(cf_changes_each(c->store, &c->runs, c->o->measure, false, add_change, c, err));
    CF_TRY(end_task(c, err));
    if (c->n_tasks > 1)
        CF_TRY(add_curves(c, NULL, err));
done:
    return st;
}

/* ---- the numbers ---- */

static cf_status compute(collector *c, cf_error *err)
{
    const cf_bootstrap *b = &c->o->bootstrap;
    const int n_threads = omp_get_max_threads();
    const int64_t n_jobs = (int64_t)c->n_jobs;
    cf_status st = CF_OK;
    size_t most = 0, per_thread = 0, all = 0;
    void *memory = NULL;
    for (size_t i = 0; i < c->n_jobs; i++)
        most = c->jobs[i].n > most ? c->jobs[i].n : most;
    per_thread = cf_statistic_scratch(most, b);
    CF_TRY(cf_mul_size(&all, per_thread, (size_t)n_threads, err));
    CF_TRY(cf_alloc(&memory, all, sizeof(double), "statistics", err));
    double *const scratch = memory;
#pragma omp parallel for schedule(dynamic) num_threads(n_threads)
    for (int64_t i = 0; i < n_jobs; i++) {
        const job *x = &c->jobs[i];
        const double *changes = c->series[x->point].changes;
        *x->out = cf_statistic_of(changes ? changes + x->begin : NULL, x->n, b,
                                  scratch + (size_t)omp_get_thread_num() * per_thread);
    }
done:
    free(memory);
    return st;
}

cf_statistics_options cf_statistics_options_default(void)
{
    return (cf_statistics_options){.bootstrap = cf_bootstrap_default()};
}

cf_status cf_store_statistics(cf_store *s, cf_statistic_curve **out, size_t *n, const cf_statistics_options *o,
                              cf_error *err)
{
    const int64_t resamples = o->bootstrap.resamples;
    cf_status st = CF_OK;
    collector c = {.store = s, .o = o};
    if (resamples < 1 || resamples > CF_MAX_RESAMPLES)
        return cf_fail(err, CF_USAGE, "%lld resamples: expected 1 to %d", (long long)resamples, CF_MAX_RESAMPLES);
    CF_TRY(cf_measure_check_curve(o->measure, err));
    CF_TRY(collect(&c, err));
    CF_TRY(compute(&c, err));
    *out = c.curves;
    *n = c.n_curves;
    c.curves = NULL;
    c.n_curves = 0;
done:
    collector_deinit(&c);
    return st;
}

void cf_statistics_free(cf_statistic_curve *curves, size_t n)
{
    for (size_t i = 0; i < n; i++)
        curve_deinit(&curves[i]);
    free(curves);
}
