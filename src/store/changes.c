/* changes.c - the relative changes of the kept samples, one after the other, as curves and statistics add them up. */
#include "store/store_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

typedef struct id_index { /* a run's place in the table, for bsearch by id */
    int64_t id;
    size_t at;
} id_index;

static int compare_ids(const void *a, const void *b)
{
    const id_index *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

static cf_status index_runs(id_index **out, const cf_run_table *runs, cf_error *err)
{
    void *p = NULL;
    const cf_status st = cf_alloc(&p, runs->n, sizeof(id_index), "runs", err);
    if (st != CF_OK)
        return st;
    id_index *by_id = p;
    for (size_t i = 0; i < runs->n; i++)
        by_id[i] = (id_index){runs->items[i].id, i};
    qsort(by_id, runs->n, sizeof *by_id, compare_ids);
    *out = by_id;
    return CF_OK;
}

/* Columns: task, row, p1, run, p2, flag. */
static cf_status read_change(const cf_store *s, cf_change *out, sqlite3_stmt *q, const id_index *by_id, size_t n_runs,
                             cf_error *err)
{
    const id_index key = {.id = sqlite3_column_int64(q, 3)};
    const id_index *run = bsearch(&key, by_id, n_runs, sizeof *by_id, compare_ids);
    if (!run)
        return cf_fail(err, CF_FORMAT, "%s: a value names run %" PRId64 ", which is not in the study", s->path, key.id);
    const char *task = cf_column_text(q, 0);
    const int64_t row = sqlite3_column_int64(q, 1);
    const double p1 = cf_column_f64(q, 2), change = cf_relative_change(p1, cf_column_f64(q, 4));
    if (!(p1 > 0.0))
        return cf_fail(err, CF_FORMAT, "%s: sample %s row %" PRId64 ": expected a probability above 0, found %g",
                       s->path, task, row, p1);
    if (isinf(change))
        return cf_fail(err, CF_FORMAT, "%s: sample %s row %" PRId64 ": expected a finite probability of run %" PRId64,
                       s->path, task, row, key.id);
    *out = (cf_change){.task = task, .run = run->at, .change = change};
    return cf_value_flag_read(s, &out->flag, cf_column_text(q, 5), err);
}

cf_status cf_changes_each(cf_store *s, const cf_run_table *runs, cf_change_visitor visit, void *user, cf_error *err)
{
    cf_status st = CF_OK;
    sqlite3_stmt *q = NULL;
    id_index *by_id = NULL;
    CF_TRY(index_runs(&by_id, runs, err));
    CF_TRY(cf_store_prepare(s, &q,
                            "SELECT s.task, s.row, s.probability, v.run, v.value, v.flag "
                            "FROM sample s CROSS JOIN value v ON v.sample = s.id "
                            "WHERE s.status = 'done' AND v.measure = 'probability' ORDER BY s.task, s.row, v.run",
                            err));
    int rc;
    while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
        cf_change c = {0};
        CF_TRY(read_change(s, &c, q, by_id, runs->n, err));
        CF_TRY(visit(user, &c, err));
    }
    if (rc != SQLITE_DONE)
        st = cf_store_fault(s, err, "read the values");
done:
    sqlite3_finalize(q);
    free(by_id);
    return st;
}
