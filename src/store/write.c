/* write.c - registers runs, and writes a sample with all its results (write_results.c) in one transaction. */
#include "store/store_internal.h"

#include <assert.h>
#include <inttypes.h>

/* ---- runs ---- */

static int bind_run(sqlite3_stmt *q, int64_t spec, const cf_store_run *run)
{
    return sqlite3_bind_int64(q, 1, spec) | sqlite3_bind_int(q, 2, run->repeat) | cf_bind_text(q, 3, run->style) |
           sqlite3_bind_int(q, 4, run->window) | sqlite3_bind_int(q, 5, run->centre) | cf_bind_text(q, 6, run->layers);
}

static int bind_spec(sqlite3_stmt *q, const cf_store_run *run)
{
    return cf_bind_text(q, 1, run->spec) | cf_bind_text(q, 2, run->mode) | cf_bind_text(q, 3, run->heads) |
           sqlite3_bind_int64(q, 4, run->seed);
}

/* Runs a bound statement to its first row: *id = its first column, 0 where there is none (ids begin at 1). */
static cf_status step_id(cf_store *s, sqlite3_stmt *q, int bound, int64_t *id, const cf_store_run *run, cf_error *err)
{
    const int rc = bound == SQLITE_OK ? sqlite3_step(q) : bound;
    cf_status st = CF_OK;
    if (rc == SQLITE_ROW || rc == SQLITE_DONE)
        *id = rc == SQLITE_ROW ? sqlite3_column_int64(q, 0) : 0;
    else
        st = cf_store_fault(s, err, "register the run %s at layer %" PRId32, run->spec, run->centre);
    sqlite3_reset(q);
    return st;
}

static cf_status find_spec(cf_store *s, int64_t *id, const cf_store_run *run, cf_error *err)
{
    sqlite3_stmt *q = NULL;
    const cf_status st = cf_store_use_kept(
        s, &q, CF_KEPT_FIND_SPEC, "SELECT id FROM spec WHERE text = ? AND mode = ? AND heads = ? AND seed = ?", err);
    return st == CF_OK ? step_id(s, q, bind_spec(q, run), id, run, err) : st;
}

static cf_status find_run(cf_store *s, int64_t *id, int64_t spec, const cf_store_run *run, cf_error *err)
{
    sqlite3_stmt *q = NULL;
    const cf_status st = cf_store_use_kept(
        s, &q, CF_KEPT_FIND_RUN,
        "SELECT id FROM run WHERE spec = ? AND repeat = ? AND style = ? AND window = ? AND centre = ? AND layers = ?",
        err);
    return st == CF_OK ? step_id(s, q, bind_run(q, spec, run), id, run, err) : st;
}

static cf_status find_or_add_spec(cf_store *s, int64_t *id, const cf_store_run *run, cf_error *err)
{
    sqlite3_stmt *q = NULL;
    int64_t none = 0;
    cf_status st = find_spec(s, id, run, err);
    if (st != CF_OK || *id != 0)
        return st;
    CF_TRY(cf_store_use_kept(s, &q, CF_KEPT_ADD_SPEC, "INSERT INTO spec (text, mode, heads, seed) VALUES (?, ?, ?, ?)",
                             err));
    CF_TRY(step_id(s, q, bind_spec(q, run), &none, run, err));
    *id = sqlite3_last_insert_rowid(s->db);
done:
    return st;
}

/* Inside the caller's transaction. */
static cf_status find_or_add_run(cf_store *s, int64_t *id, const cf_store_run *run, cf_error *err)
{
    cf_status st = CF_OK;
    sqlite3_stmt *q = NULL;
    int64_t spec = 0, found = 0, none = 0;
    CF_TRY(find_or_add_spec(s, &spec, run, err));
    CF_TRY(find_run(s, &found, spec, run, err));
    if (found == 0) {
        CF_TRY(cf_store_use_kept(
            s, &q, CF_KEPT_ADD_RUN,
            "INSERT INTO run (spec, repeat, style, window, centre, layers) VALUES (?, ?, ?, ?, ?, ?)", err));
        CF_TRY(step_id(s, q, bind_run(q, spec, run), &none, run, err));
        found = sqlite3_last_insert_rowid(s->db);
    }
    *id = found;
done:
    return st;
}

cf_status cf_store_add_runs(cf_store *s, int64_t *ids, const cf_store_run *runs, size_t n, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_store_begin(s, err));
    for (size_t i = 0; i < n; i++)
        CF_TRY(find_or_add_run(s, &ids[i], &runs[i], err));
    CF_TRY(cf_store_commit(s, err));
done:
    if (st != CF_OK)
        cf_store_rollback(s);
    return st;
}

cf_status cf_store_add_run(cf_store *s, int64_t *id, const cf_store_run *run, cf_error *err)
{
    int64_t added = 0;
    const cf_status st = cf_store_add_runs(s, &added, run, 1, err);
    if (st == CF_OK)
        *id = added;
    return st;
}

/* ---- samples ---- */

cf_status cf_store_sample_id(cf_store *s, int64_t *id, const char *task, int64_t row, cf_error *err)
{
    sqlite3_stmt *q = NULL;
    cf_status st = cf_store_use_kept(s, &q, CF_KEPT_SAMPLE_ID, "SELECT id FROM sample WHERE task = ? AND row = ?", err);
    if (st != CF_OK)
        return st;
    int rc = cf_bind_text(q, 1, task) | sqlite3_bind_int64(q, 2, row);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(q);
    if (rc == SQLITE_ROW || rc == SQLITE_DONE)
        *id = rc == SQLITE_ROW ? sqlite3_column_int64(q, 0) : 0;
    else
        st = cf_store_fault(s, err, "look for the sample %s row %" PRId64, task, row);
    sqlite3_reset(q);
    sqlite3_clear_bindings(q); /* the text is the caller's */
    return st;
}

cf_status cf_store_has_sample(cf_store *s, bool *has, const char *task, int64_t row, cf_error *err)
{
    int64_t id = 0;
    const cf_status st = cf_store_sample_id(s, &id, task, row, err);
    if (st == CF_OK)
        *has = id != 0;
    return st;
}

/* In the order of CF_SAMPLE_COLUMNS. */
static int bind_sample(sqlite3_stmt *q, const cf_sample *x)
{
    int rc = SQLITE_OK, i = 0;
    rc |= cf_bind_text(q, ++i, x->task);
    rc |= sqlite3_bind_int64(q, ++i, x->row);
    rc |= cf_bind_text(q, ++i, x->question_id);
    rc |= cf_bind_text(q, ++i, x->image);
    rc |= cf_bind_text(q, ++i, x->question);
    rc |= cf_bind_text(q, ++i, x->answer);
    rc |= cf_bind_text(q, ++i, x->true_option);
    rc |= cf_bind_text(q, ++i, x->false_option);
    rc |= cf_bind_text(q, ++i, x->object);
    rc |= cf_bind_text(q, ++i, cf_sample_status_name(x->status));
    rc |= cf_bind_text(q, ++i, x->reason);
    rc |= cf_bind_text(q, ++i, x->predicted);
    rc |= sqlite3_bind_int(q, ++i, x->first_token);
    rc |= cf_bind_text(q, ++i, x->first_token_text);
    rc |= cf_bind_real(q, ++i, x->probability);
    rc |= sqlite3_bind_int(q, ++i, x->n_tokens);
    rc |= cf_bind_text(q, ++i, x->answer_ids);
    rc |= sqlite3_bind_int(q, ++i, x->true_token);
    rc |= cf_bind_text(q, ++i, x->groups);
    rc |= cf_bind_text(q, ++i, x->notes);
    rc |= sqlite3_bind_int(q, ++i, x->grid_h);
    rc |= sqlite3_bind_int(q, ++i, x->grid_w);
    rc |= sqlite3_bind_int(q, ++i, x->picture_w);
    rc |= sqlite3_bind_int(q, ++i, x->picture_h);
    rc |= sqlite3_bind_int(q, ++i, x->fitted_w);
    rc |= sqlite3_bind_int(q, ++i, x->fitted_h);
    rc |= cf_bind_text(q, ++i, x->tokens);
    rc |= cf_bind_text(q, ++i, x->boxes);
    rc |= cf_bind_text(q, ++i, x->patches);
    assert(i == CF_SAMPLE_N_COLUMNS);
    return rc;
}

static cf_status add_sample(cf_store *s, int64_t *id, const cf_sample *sample, cf_error *err)
{
    sqlite3_stmt *q = NULL;
    cf_status st =
        cf_store_use_kept(s, &q, CF_KEPT_ADD_SAMPLE,
                          "INSERT INTO sample (" CF_SAMPLE_COLUMNS ") VALUES "
                          "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
                          "?, ?)",
                          err);
    if (st != CF_OK)
        return st;
    const int rc = bind_sample(q, sample);
    if (rc == SQLITE_OK && sqlite3_step(q) == SQLITE_DONE)
        *id = sqlite3_last_insert_rowid(s->db);
    else if (sqlite3_extended_errcode(s->db) == SQLITE_CONSTRAINT_UNIQUE)
        st = cf_fail(err, CF_MISMATCH, "%s: the sample %s row %" PRId64 " is stored already", s->path, sample->task,
                     sample->row);
    else
        st = cf_store_fault(s, err, "write the sample %s row %" PRId64, sample->task, sample->row);
    sqlite3_reset(q);
    sqlite3_clear_bindings(q); /* the texts are the caller's */
    return st;
}

/* What is stored about the values is no longer about all of them. */
static cf_status clear_statistics(cf_store *s, cf_error *err)
{
    sqlite3_stmt *q = NULL;
    cf_status st = cf_store_use_kept(s, &q, CF_KEPT_CLEAR_STATISTICS, "DELETE FROM statistic", err);
    if (st != CF_OK)
        return st;
    if (sqlite3_step(q) != SQLITE_DONE)
        st = cf_store_fault(s, err, "remove the statistics");
    sqlite3_reset(q);
    return st;
}

cf_status cf_store_put_sample(cf_store *s, const cf_sample *sample, const cf_results *results, cf_error *err)
{
    cf_status st = CF_OK;
    int64_t id = 0;
    CF_TRY(cf_store_begin(s, err));
    CF_TRY(clear_statistics(s, err));
    CF_TRY(add_sample(s, &id, sample, err));
    if (results)
        CF_TRY(cf_results_add(s, id, sample, results, err));
    CF_TRY(cf_unfinished_clear(s, sample->task, sample->row, err));
    CF_TRY(cf_store_commit(s, err));
done:
    if (st != CF_OK)
        cf_store_rollback(s);
    return st;
}
