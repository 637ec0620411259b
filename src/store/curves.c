/* curves.c - means over samples, layer by layer, with their 95 % intervals.
 *
 * Values are added up in the order of task and row, whatever the order in which they were written, by Welford's update
 * (B. P. Welford, Technometrics 4, 1962): equal studies give equal bits. */
#include "store/store_internal.h"

#include <inttypes.h>
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

typedef struct id_index { /* a run's place in the table, for bsearch by id */
    int64_t id;
    size_t at;
} id_index;

typedef struct tally {
    cf_store *store;
    bool drop_empty;
    cf_run_table runs;
    id_index *by_id; /* [runs.n], ascending */
    sum *task_sums;  /* [runs.n], of the task at hand */
    sum *all_sums;   /* [runs.n] */
    cf_str task;     /* the task at hand */
    cf_curve *curves;
    size_t n_curves, cap_curves;
} tally;

static int compare_ids(const void *a, const void *b)
{
    const id_index *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

static cf_status tally_init(tally *t, cf_error *err)
{
    cf_status st = CF_OK;
    void *p = NULL;
    CF_TRY(cf_run_table_read(t->store, &t->runs, err));
    CF_TRY(cf_alloc(&p, t->runs.n, sizeof *t->by_id, "runs", err));
    t->by_id = p;
    CF_TRY(cf_alloc(&p, t->runs.n, sizeof *t->task_sums, "means", err));
    t->task_sums = p;
    CF_TRY(cf_alloc(&p, t->runs.n, sizeof *t->all_sums, "means", err));
    t->all_sums = p;
    for (size_t i = 0; i < t->runs.n; i++)
        t->by_id[i] = (id_index){t->runs.items[i].id, i};
    qsort(t->by_id, t->runs.n, sizeof *t->by_id, compare_ids);
done:
    return st;
}

static void tally_deinit(tally *t)
{
    cf_curves_free(t->curves, t->n_curves);
    cf_str_deinit(&t->task);
    free(t->all_sums);
    free(t->task_sums);
    free(t->by_id);
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

static cf_status add_row(tally *t, sqlite3_stmt *q, cf_error *err)
{
    const id_index key = {.id = sqlite3_column_int64(q, 3)};
    const id_index *run = bsearch(&key, t->by_id, t->runs.n, sizeof *t->by_id, compare_ids);
    if (!run)
        return cf_fail(err, CF_FORMAT, "%s: a value names run %" PRId64 ", which is not in the study", t->store->path,
                       key.id);
    const double p1 = cf_column_f64(q, 2), p2 = cf_column_f64(q, 4);
    if (!(p1 > 0.0))
        return cf_fail(err, CF_FORMAT, "%s: sample %s row %" PRId64 ": expected a probability above 0, found %g",
                       t->store->path, cf_column_text(q, 0), (int64_t)sqlite3_column_int64(q, 1), p1);
    cf_value_flag flag = CF_VALUE_OK;
    const cf_status st = cf_value_flag_read(t->store, &flag, cf_column_text(q, 5), err);
    if (st != CF_OK)
        return st;
    const double change = cf_relative_change(p1, p2);
    add(&t->task_sums[run->at], change, flag, t->drop_empty);
    add(&t->all_sums[run->at], change, flag, t->drop_empty);
    return CF_OK;
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

static cf_status add_all_rows(tally *t, cf_error *err)
{
    cf_status st = CF_OK;
    sqlite3_stmt *q = NULL;
    CF_TRY(cf_store_prepare(t->store, &q,
                            "SELECT s.task, s.row, s.probability, v.run, v.value, v.flag "
                            "FROM sample s CROSS JOIN value v ON v.sample = s.id "
                            "WHERE s.status = 'done' AND v.measure = 'probability' ORDER BY s.task, s.row, v.run",
                            err));
    int rc;
    while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
        const char *task = cf_column_text(q, 0);
        if (!t->task.data || strcmp(t->task.data, task) != 0) {
            CF_TRY(end_task(t, err));
            cf_str_clear(&t->task);
            CF_TRY(cf_str_add_text(&t->task, task, err));
        }
        CF_TRY(add_row(t, q, err));
    }
    if (rc != SQLITE_DONE) {
        st = cf_store_fault(t->store, err, "read the values");
        goto done;
    }
    CF_TRY(end_task(t, err));
done:
    sqlite3_finalize(q);
    return st;
}

cf_status cf_store_curves(cf_store *s, cf_curve **out, size_t *n, bool drop_empty, bool all_tasks, cf_error *err)
{
    cf_status st = CF_OK;
    tally t = {.store = s, .drop_empty = drop_empty};
    CF_TRY(tally_init(&t, err));
    CF_TRY(add_all_rows(&t, err));
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
