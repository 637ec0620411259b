/* changes.c - how far a measure changes in each kept sample, point by point, as curves and statistics add it up.
 *
 * The repeats of a random control are averaged here, within the sample, over those that have a number: a sample counts
 * once, however often its control was drawn. */
#include "store/store_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* One point of the sample at hand. */
typedef struct part {
    bool stored; /* it has a value of any kind */
    bool empty;
    int64_t n;  /* repeats with a number */
    double sum; /* of their changes */
} part;

typedef struct walk {
    cf_store *store;
    const cf_run_table *runs;
    cf_run_index *index;
    cf_measure measure;
    bool absolute;
    cf_change_visitor visit;
    void *user;
    bool begun; /* there is a sample at hand */
    int64_t id;
    cf_str task;
    part *parts; /* [runs->n], by the point's first run */
} walk;

static cf_status end_sample(walk *w, cf_error *err)
{
    cf_status st = CF_OK;
    for (size_t i = 0; w->begun && i < w->runs->n; i++) {
        part *p = &w->parts[i];
        if (!p->stored)
            continue;
        const double change = p->n ? p->sum / (double)p->n : (double)NAN;
        const cf_change c = {.task = w->task.data, .point = i, .change = change, .empty = p->empty};
        *p = (part){0};
        CF_TRY(w->visit(w->user, &c, err));
    }
done:
    return st;
}

static cf_status begin_sample(walk *w, int64_t id, const char *task, cf_error *err)
{
    cf_status st = CF_OK;
    if (w->begun && w->id == id)
        goto done;
    CF_TRY(end_sample(w, err));
    cf_str_clear(&w->task);
    CF_TRY(cf_str_add_text(&w->task, task, err));
    w->id = id;
    w->begun = true;
done:
    return st;
}

/* Columns: id, task, row, baseline, run, value, flag. */
static cf_status add_value(walk *w, sqlite3_stmt *q, cf_error *err)
{
    const char *path = w->store->path, *task = cf_column_text(q, 1);
    const int64_t row = sqlite3_column_int64(q, 2), run = sqlite3_column_int64(q, 4);
    const double baseline = cf_column_f64(q, 3), value = cf_column_f64(q, 5);
    const double change = w->absolute ? value : cf_measure_change(w->measure, baseline, value);
    cf_value_flag flag = CF_VALUE_OK;
    size_t at = 0;
    cf_status st = CF_OK;
    if (!cf_run_index_find(&at, w->index, run))
        return cf_fail(err, CF_FORMAT, "%s: a value names run %" PRId64 ", which is not in the study", path, run);
    if (w->measure == CF_MEASURE_PROBABILITY && !(baseline > 0.0))
        return cf_fail(err, CF_FORMAT, "%s: sample %s row %" PRId64 ": expected a probability above 0, found %g", path,
                       task, row, baseline);
    if (isinf(change))
        return cf_fail(err, CF_FORMAT, "%s: sample %s row %" PRId64 ": expected a finite %s of run %" PRId64, path,
                       task, row, cf_measure_name(w->measure), run);
    CF_TRY(cf_value_flag_read(w->store, &flag, cf_column_text(q, 6), err));
    CF_TRY(begin_sample(w, sqlite3_column_int64(q, 0), task, err));
    part *p = &w->parts[w->runs->items[at].point];
    p->stored = true;
    p->empty = p->empty || flag == CF_VALUE_EMPTY_GROUP;
    if (!isnan(change))
        p->sum = p->n++ ? p->sum + change : change;
done:
    return st;
}

static cf_status add_values(walk *w, sqlite3_stmt *q, cf_error *err)
{
    cf_status st = CF_OK;
    int rc = cf_bind_text(q, 1, cf_measure_name(w->measure));
    if (rc == SQLITE_OK)
        while ((rc = sqlite3_step(q)) == SQLITE_ROW)
            CF_TRY(add_value(w, q, err));
    if (rc != SQLITE_DONE)
        st = cf_store_fault(w->store, err, "read the values");
done:
    return st;
}

cf_status cf_changes_each(cf_store *s, const cf_run_table *runs, cf_measure measure, bool absolute,
                          cf_change_visitor visit, void *user, cf_error *err)
{
    cf_status st = CF_OK;
    sqlite3_stmt *q = NULL;
    void *parts = NULL;
    walk w = {.store = s, .runs = runs, .measure = measure, .absolute = absolute, .visit = visit, .user = user};
    CF_TRY(cf_run_index_make(&w.index, runs, err));
    CF_TRY(cf_alloc(&parts, runs->n, sizeof *w.parts, "changes", err));
    w.parts = parts;
    CF_TRY(cf_store_prepare(s, &q,
                            "SELECT s.id, s.task, s.row, CASE ?1 WHEN 'probability' THEN s.probability ELSE b.value "
                            "END, v.run, v.value, v.flag FROM sample s "
                            "LEFT JOIN baseline b ON b.sample = s.id AND b.measure = ?1 "
                            "CROSS JOIN value v ON v.sample = s.id "
                            "WHERE s.status = 'done' AND v.measure = ?1 ORDER BY s.task, s.row, v.run",
                            err));
    CF_TRY(add_values(&w, q, err));
    CF_TRY(end_sample(&w, err));
done:
    sqlite3_finalize(q);
    cf_str_deinit(&w.task);
    free(w.parts);
    cf_run_index_free(w.index);
    return st;
}
