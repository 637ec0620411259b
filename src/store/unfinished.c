/* unfinished.c - what is known of a sample that is still being measured.
 *
 * The table is no part of the schema: it is made when it is first needed and goes with the last of its rows, so a study
 * at rest does not have it. */
#include <stdlib.h>

#include "base/memory.h"
#include "store/store_internal.h"

static const char table[] = "CREATE TABLE IF NOT EXISTS unfinished ("
                            "  task TEXT NOT NULL,"
                            "  row INTEGER NOT NULL,"
                            "  run INTEGER NOT NULL REFERENCES run (id),"
                            "  measure TEXT NOT NULL,"
                            "  value REAL,"
                            "  flag TEXT NOT NULL,"
                            "  PRIMARY KEY (task, row, run, measure)"
                            ") WITHOUT ROWID";

static cf_status has_table(cf_store *s, bool *has, cf_error *err)
{
    int64_t n = 0;
    const cf_status st = cf_store_query_i64(
        s, &n, "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'unfinished'", err);
    *has = n > 0;
    return st;
}

static int bind_place(sqlite3_stmt *q, const char *task, int64_t row)
{
    return cf_bind_text(q, 1, task) | sqlite3_bind_int64(q, 2, row);
}

static int bind_value(sqlite3_stmt *q, const cf_value *v)
{
    return sqlite3_bind_int64(q, 3, v->run) | cf_bind_text(q, 4, cf_measure_name(v->measure)) |
           cf_bind_real(q, 5, v->value) | cf_bind_text(q, 6, cf_value_flag_name(v->flag));
}

cf_status cf_store_put_unfinished(cf_store *s, const char *task, int64_t row, const cf_value *values, size_t n,
                                  cf_error *err)
{
    cf_status st = CF_OK;
    sqlite3_stmt *q = NULL;
    CF_TRY(cf_store_begin(s, err));
    CF_TRY(cf_store_exec(s, table, "keep an unfinished sample", err));
    CF_TRY(cf_store_prepare(s, &q, "INSERT OR REPLACE INTO unfinished VALUES (?, ?, ?, ?, ?, ?)", err));
    for (size_t i = 0; i < n; i++) {
        const int rc = bind_place(q, task, row) | bind_value(q, &values[i]);
        if (rc != SQLITE_OK || sqlite3_step(q) != SQLITE_DONE) {
            st = cf_store_fault(s, err, "keep an unfinished sample");
            goto done;
        }
        sqlite3_reset(q);
    }
    sqlite3_finalize(q);
    q = NULL;
    CF_TRY(cf_store_commit(s, err));
done:
    sqlite3_finalize(q);
    if (st != CF_OK)
        cf_store_rollback(s);
    return st;
}

/* Columns: run, measure, value, flag. */
static cf_status read_value(const cf_store *s, cf_value *out, sqlite3_stmt *q, cf_error *err)
{
    cf_value v = {.run = sqlite3_column_int64(q, 0), .value = cf_column_f64(q, 2)};
    cf_status st = cf_measure_read(s, &v.measure, cf_column_text(q, 1), err);
    if (st == CF_OK)
        st = cf_value_flag_read(s, &v.flag, cf_column_text(q, 3), err);
    if (st == CF_OK)
        *out = v;
    return st;
}

cf_status cf_store_unfinished(cf_store *s, cf_value **out, size_t *n, const char *task, int64_t row, cf_error *err)
{
    cf_status st = CF_OK;
    sqlite3_stmt *q = NULL;
    cf_value *values = NULL;
    size_t n_values = 0, cap = 0;
    bool has = false;
    CF_TRY(has_table(s, &has, err));
    if (has) {
        CF_TRY(cf_store_prepare(s, &q,
                                "SELECT run, measure, value, flag FROM unfinished WHERE task = ? AND row = ? "
                                "ORDER BY run, measure",
                                err));
        int rc = bind_place(q, task, row);
        while (rc == SQLITE_OK || rc == SQLITE_ROW) {
            rc = sqlite3_step(q);
            if (rc != SQLITE_ROW)
                break;
            void *items = values;
            CF_TRY(cf_grow(&items, &cap, n_values + 1, sizeof *values, "values", err));
            values = items;
            CF_TRY(read_value(s, &values[n_values], q, err));
            n_values++;
        }
        if (rc != SQLITE_DONE) {
            st = cf_store_fault(s, err, "read an unfinished sample");
            goto done;
        }
    }
    *out = values;
    *n = n_values;
    values = NULL;
done:
    sqlite3_finalize(q);
    free(values);
    return st;
}

cf_status cf_unfinished_clear(cf_store *s, const char *task, int64_t row, cf_error *err)
{
    cf_status st = CF_OK;
    sqlite3_stmt *q = NULL;
    int64_t left = 0;
    bool has = false;
    CF_TRY(has_table(s, &has, err));
    if (!has)
        goto done;
    CF_TRY(cf_store_prepare(s, &q, "DELETE FROM unfinished WHERE task = ? AND row = ?", err));
    if (bind_place(q, task, row) != SQLITE_OK || sqlite3_step(q) != SQLITE_DONE) {
        st = cf_store_fault(s, err, "remove an unfinished sample");
        goto done;
    }
    sqlite3_finalize(q);
    q = NULL;
    CF_TRY(cf_store_query_i64(s, &left, "SELECT count(*) FROM (SELECT 1 FROM unfinished LIMIT 1)", err));
    if (left == 0)
        CF_TRY(cf_store_exec(s, "DROP TABLE unfinished", "remove an unfinished sample", err));
done:
    sqlite3_finalize(q);
    return st;
}
