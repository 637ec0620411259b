/* read.c - walks over samples and their values in the order of task, row, run. */
#include "store/store_internal.h"

#include <inttypes.h>

/* ---- rows ---- */

cf_status cf_sample_read(const cf_store *s, cf_sample *out, sqlite3_stmt *q, int first, cf_error *err)
{
    int i = first;
    bool fits = true;
    cf_sample x = {0};
    x.task = cf_column_text(q, i++);
    x.row = sqlite3_column_int64(q, i++);
    x.question_id = cf_column_text(q, i++);
    x.image = cf_column_text(q, i++);
    x.question = cf_column_text(q, i++);
    x.answer = cf_column_text(q, i++);
    x.true_option = cf_column_text(q, i++);
    x.false_option = cf_column_text(q, i++);
    x.object = cf_column_text(q, i++);
    const char *status = cf_column_text(q, i++);
    x.reason = cf_column_text(q, i++);
    x.predicted = cf_column_text(q, i++);
    x.first_token = cf_column_i32(q, i++, &fits);
    x.first_token_text = cf_column_text(q, i++);
    x.probability = cf_column_f64(q, i++);
    x.n_tokens = cf_column_i32(q, i++, &fits);
    x.answer_ids = cf_column_text(q, i++);
    x.true_token = cf_column_i32(q, i++, &fits);
    x.groups = cf_column_text(q, i++);
    x.notes = cf_column_text(q, i++);
    x.grid_h = cf_column_i32(q, i++, &fits);
    x.grid_w = cf_column_i32(q, i++, &fits);
    x.picture_w = cf_column_i32(q, i++, &fits);
    x.picture_h = cf_column_i32(q, i++, &fits);
    x.fitted_w = cf_column_i32(q, i++, &fits);
    x.fitted_h = cf_column_i32(q, i++, &fits);
    x.tokens = cf_column_text(q, i++);
    x.boxes = cf_column_text(q, i++);
    x.patches = cf_column_text(q, i++);
    if (!fits)
        return cf_fail(err, CF_FORMAT, "%s: sample %s row %" PRId64 ": a number does not fit in 32 bits", s->path,
                       x.task, x.row);
    const cf_status st = cf_sample_status_read(s, &x.status, status, err);
    if (st == CF_OK)
        *out = x;
    return st;
}

cf_status cf_run_read(const cf_store *s, cf_store_run *out, sqlite3_stmt *q, int first, cf_error *err)
{
    int i = first;
    bool fits = true;
    cf_store_run x = {0};
    x.spec = cf_column_text(q, i++);
    x.mode = cf_column_text(q, i++);
    x.heads = cf_column_text(q, i++);
    x.seed = sqlite3_column_int64(q, i++);
    x.repeat = cf_column_i32(q, i++, &fits);
    x.style = cf_column_text(q, i++);
    x.window = cf_column_i32(q, i++, &fits);
    x.centre = cf_column_i32(q, i++, &fits);
    x.layers = cf_column_text(q, i++);
    if (!fits)
        return cf_fail(err, CF_FORMAT, "%s: a run of %s: a number does not fit in 32 bits", s->path, x.spec);
    *out = x;
    return CF_OK;
}

/* ---- samples ---- */

cf_status cf_samples_each(cf_store *s, const cf_sample_filter *filter, cf_sample_row_visitor visit, void *user,
                          cf_error *err)
{
    cf_status st = CF_OK;
    sqlite3_stmt *q = NULL;
    CF_TRY(cf_store_prepare(s, &q,
                            filter->task ? "SELECT id, " CF_SAMPLE_COLUMNS " FROM sample "
                                           "WHERE (NOT ?1 OR status = 'done') AND task = ?2 ORDER BY row"
                                         : "SELECT id, " CF_SAMPLE_COLUMNS " FROM sample "
                                           "WHERE (NOT ?1 OR status = 'done') ORDER BY task, row",
                            err));
    int rc = sqlite3_bind_int(q, 1, filter->kept);
    if (rc == SQLITE_OK && filter->task)
        rc = cf_bind_text(q, 2, filter->task);
    if (rc == SQLITE_OK) {
        while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
            cf_sample sample = {0};
            CF_TRY(cf_sample_read(s, &sample, q, 1, err));
            CF_TRY(visit(user, sqlite3_column_int64(q, 0), &sample, err));
        }
    }
    if (rc != SQLITE_DONE)
        st = cf_store_fault(s, err, "read the samples");
done:
    sqlite3_finalize(q);
    return st;
}

typedef struct sample_walk {
    cf_sample_visitor visit;
    void *user;
} sample_walk;

static cf_status visit_sample(void *user, int64_t id, const cf_sample *sample, cf_error *err)
{
    const sample_walk *w = user;
    (void)id;
    return w->visit(w->user, sample, err);
}

cf_status cf_store_each_sample(cf_store *s, cf_sample_visitor visit, void *user, cf_error *err)
{
    sample_walk w = {visit, user};
    return cf_samples_each(s, &(cf_sample_filter){0}, visit_sample, &w, err);
}

/* ---- tasks ---- */

cf_status cf_tasks_each(cf_store *s, cf_task_visitor visit, void *user, cf_error *err)
{
    cf_status st = CF_OK;
    sqlite3_stmt *tasks = NULL;
    CF_TRY(cf_store_prepare(s, &tasks, "SELECT DISTINCT task FROM sample WHERE status = 'done' ORDER BY task", err));
    int rc;
    while ((rc = sqlite3_step(tasks)) == SQLITE_ROW)
        CF_TRY(visit(user, cf_column_text(tasks, 0), err));
    if (rc != SQLITE_DONE)
        st = cf_store_fault(s, err, "read the tasks");
done:
    sqlite3_finalize(tasks);
    return st;
}

/* ---- values ---- */

cf_status cf_values_prepare(cf_store *s, sqlite3_stmt **out, cf_error *err)
{
    return cf_store_prepare(s, out,
                            "SELECT v.run, v.measure, v.value, v.flag, b.value, " CF_RUN_COLUMNS
                            " FROM value v JOIN run r ON r.id = v.run JOIN spec p ON p.id = r.spec "
                            "LEFT JOIN baseline b ON b.sample = v.sample AND b.measure = v.measure "
                            "WHERE v.sample = ? ORDER BY v.run, v.measure",
                            err);
}

static cf_status read_value(const cf_store *s, cf_value_row *out, sqlite3_stmt *q, const cf_sample *sample,
                            cf_error *err)
{
    cf_status st = CF_OK;
    cf_value_row x = {.value = {.run = sqlite3_column_int64(q, 0), .value = cf_column_f64(q, 2)}};
    CF_TRY(cf_measure_read(s, &x.value.measure, cf_column_text(q, 1), err));
    CF_TRY(cf_value_flag_read(s, &x.value.flag, cf_column_text(q, 3), err));
    CF_TRY(cf_run_read(s, &x.run, q, 5, err));
    x.baseline = x.value.measure == CF_MEASURE_PROBABILITY ? sample->probability : cf_column_f64(q, 4);
    *out = x;
done:
    return st;
}

cf_status cf_values_of(cf_store *s, sqlite3_stmt *q, int64_t id, const cf_sample *sample, cf_value_row_visitor visit,
                       void *user, cf_error *err)
{
    cf_status st = CF_OK;
    int rc = sqlite3_bind_int64(q, 1, id);
    if (rc == SQLITE_OK) {
        while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
            cf_value_row row = {0};
            CF_TRY(read_value(s, &row, q, sample, err));
            CF_TRY(visit(user, sample, &row, err));
        }
    }
    if (rc != SQLITE_DONE)
        st = cf_store_fault(s, err, "read the values of the sample %s row %" PRId64, sample->task, sample->row);
done:
    sqlite3_reset(q);
    return st;
}

typedef struct value_walk {
    cf_store *store;
    sqlite3_stmt *values;
    cf_value_visitor visit;
    void *user;
} value_walk;

static cf_status visit_value(void *user, const cf_sample *sample, const cf_value_row *row, cf_error *err)
{
    const value_walk *w = user;
    return w->visit(w->user, sample, &row->run, &row->value, err);
}

static cf_status visit_values(void *user, int64_t id, const cf_sample *sample, cf_error *err)
{
    value_walk *w = user;
    return cf_values_of(w->store, w->values, id, sample, visit_value, w, err);
}

cf_status cf_store_each_value(cf_store *s, cf_value_visitor visit, void *user, cf_error *err)
{
    value_walk w = {.store = s, .visit = visit, .user = user};
    cf_status st = cf_values_prepare(s, &w.values, err);
    if (st == CF_OK)
        st = cf_samples_each(s, &(cf_sample_filter){0}, visit_values, &w, err);
    sqlite3_finalize(w.values);
    return st;
}
