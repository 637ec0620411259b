/* read.c - counts, and walks over samples and values in the order of task, row, run. */
#include "store/store_internal.h"

#include <inttypes.h>
#include <string.h>

/* ---- names ---- */

static const char *const status_names[] = {
    [CF_SAMPLE_DONE] = "done", [CF_SAMPLE_WRONG] = "wrong", [CF_SAMPLE_FAULT] = "fault"};
static const char *const flag_names[] = {[CF_VALUE_OK] = "",
                                         [CF_VALUE_EMPTY_GROUP] = "empty_group",
                                         [CF_VALUE_NO_VISIBLE_EDGE] = "no_visible_edge",
                                         [CF_VALUE_FULLY_CUT] = "fully_cut"};
enum { N_STATUS = sizeof status_names / sizeof *status_names, N_FLAGS = sizeof flag_names / sizeof *flag_names };

const char *cf_sample_status_name(cf_sample_status s)
{
    return status_names[s];
}

const char *cf_value_flag_name(cf_value_flag f)
{
    return flag_names[f];
}

/* The schema's CHECKs hold for files that this program wrote; a file may come from elsewhere. */
static cf_status find_name(const cf_store *s, int *out, const char *const *names, int n, const char *name,
                           const char *what, cf_error *err)
{
    for (int i = 0; i < n; i++) {
        if (strcmp(names[i], name) == 0) {
            *out = i;
            return CF_OK;
        }
    }
    return cf_fail(err, CF_FORMAT, "%s: unknown %s '%s'", s->path, what, name);
}

cf_status cf_value_flag_read(const cf_store *s, cf_value_flag *out, const char *name, cf_error *err)
{
    int i = 0;
    const cf_status st = find_name(s, &i, flag_names, N_FLAGS, name, "value flag", err);
    if (st == CF_OK)
        *out = (cf_value_flag)i;
    return st;
}

double cf_relative_change(double p1, double p2)
{
    return 100.0 * (p2 - p1) / p1;
}

/* ---- counts ---- */

/* Adds up "SELECT name, count(*)" into counts[i] of names[i]. */
static cf_status count_names(cf_store *s, int64_t *counts, const char *const *names, int n, const char *sql,
                             const char *what, cf_error *err)
{
    cf_status st = CF_OK;
    sqlite3_stmt *q = NULL;
    CF_TRY(cf_store_prepare(s, &q, sql, err));
    int rc;
    while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
        int i = 0;
        CF_TRY(find_name(s, &i, names, n, cf_column_text(q, 0), what, err));
        counts[i] = sqlite3_column_int64(q, 1);
    }
    if (rc != SQLITE_DONE)
        st = cf_store_fault(s, err, "count the study's rows");
done:
    sqlite3_finalize(q);
    return st;
}

cf_status cf_store_count(cf_store *s, cf_store_counts *out, cf_error *err)
{
    int64_t samples[N_STATUS] = {0}, values[N_FLAGS] = {0};
    cf_status st = count_names(s, samples, status_names, N_STATUS,
                               "SELECT status, count(*) FROM sample GROUP BY status", "sample status", err);
    if (st == CF_OK)
        st = count_names(s, values, flag_names, N_FLAGS, "SELECT flag, count(*) FROM value GROUP BY flag", "value flag",
                         err);
    if (st != CF_OK)
        return st;
    *out = (cf_store_counts){.done = samples[CF_SAMPLE_DONE],
                             .wrong = samples[CF_SAMPLE_WRONG],
                             .fault = samples[CF_SAMPLE_FAULT],
                             .empty_group = values[CF_VALUE_EMPTY_GROUP],
                             .no_visible_edge = values[CF_VALUE_NO_VISIBLE_EDGE],
                             .fully_cut = values[CF_VALUE_FULLY_CUT]};
    return CF_OK;
}

/* ---- walks ---- */

cf_status cf_sample_read(const cf_store *s, cf_sample *out, sqlite3_stmt *q, int first, cf_error *err)
{
    int i = first, status = 0;
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
    const char *name = cf_column_text(q, i++);
    x.reason = cf_column_text(q, i++);
    x.predicted = cf_column_text(q, i++);
    x.first_token = cf_column_i32(q, i++, &fits);
    x.first_token_text = cf_column_text(q, i++);
    x.probability = cf_column_f64(q, i++);
    x.n_tokens = cf_column_i32(q, i++, &fits);
    x.groups = cf_column_text(q, i++);
    x.grid_h = cf_column_i32(q, i++, &fits);
    x.grid_w = cf_column_i32(q, i++, &fits);
    x.picture_w = cf_column_i32(q, i++, &fits);
    x.picture_h = cf_column_i32(q, i++, &fits);
    x.fitted_w = cf_column_i32(q, i++, &fits);
    x.fitted_h = cf_column_i32(q, i++, &fits);
    if (!fits)
        return cf_fail(err, CF_FORMAT, "%s: sample %s row %" PRId64 ": a number does not fit in 32 bits", s->path,
                       x.task, x.row);
    const cf_status st = find_name(s, &status, status_names, N_STATUS, name, "sample status", err);
    if (st != CF_OK)
        return st;
    x.status = (cf_sample_status)status;
    *out = x;
    return CF_OK;
}

/* What one walk hands from sample to sample: with a value visitor, the sample's values are walked too. */
typedef struct walk {
    cf_store *store;
    sqlite3_stmt *values; /* NULL: samples only */
    cf_sample_visitor sample;
    cf_value_visitor value;
    void *user;
} walk;

static cf_status visit_value(const walk *w, const cf_sample *sample, cf_error *err)
{
    sqlite3_stmt *q = w->values;
    bool fits = true;
    const cf_store_run run = {.spec = cf_column_text(q, 4),
                              .mode = cf_column_text(q, 5),
                              .heads = cf_column_text(q, 6),
                              .seed = sqlite3_column_int64(q, 7),
                              .window = cf_column_i32(q, 8, &fits),
                              .centre = cf_column_i32(q, 9, &fits),
                              .first = cf_column_i32(q, 10, &fits),
                              .last = cf_column_i32(q, 11, &fits)};
    cf_value v = {.run = sqlite3_column_int64(q, 0), .measure = cf_column_text(q, 1), .value = cf_column_f64(q, 2)};
    if (!fits)
        return cf_fail(err, CF_FORMAT, "%s: run %" PRId64 ": a number does not fit in 32 bits", w->store->path, v.run);
    const cf_status st = cf_value_flag_read(w->store, &v.flag, cf_column_text(q, 3), err);
    return st == CF_OK ? w->value(w->user, sample, &run, &v, err) : st;
}

static cf_status walk_values(const walk *w, int64_t id, const cf_sample *sample, cf_error *err)
{
    cf_status st = CF_OK;
    int rc = sqlite3_bind_int64(w->values, 1, id);
    if (rc == SQLITE_OK)
        while ((rc = sqlite3_step(w->values)) == SQLITE_ROW)
            CF_TRY(visit_value(w, sample, err));
    if (rc != SQLITE_DONE)
        st = cf_store_fault(w->store, err, "read the values of the sample %s row %" PRId64, sample->task, sample->row);
done:
    sqlite3_reset(w->values);
    return st;
}

/* The open sample statement is a read transaction: the whole walk sees one state of the study. */
static cf_status walk_samples(const walk *w, cf_error *err)
{
    cf_status st = CF_OK;
    sqlite3_stmt *q = NULL;
    CF_TRY(cf_store_prepare(w->store, &q, "SELECT id, " CF_SAMPLE_COLUMNS " FROM sample ORDER BY task, row", err));
    int rc;
    while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
        cf_sample sample = {0};
        CF_TRY(cf_sample_read(w->store, &sample, q, 1, err));
        if (w->values)
            CF_TRY(walk_values(w, sqlite3_column_int64(q, 0), &sample, err));
        else
            CF_TRY(w->sample(w->user, &sample, err));
    }
    if (rc != SQLITE_DONE)
        st = cf_store_fault(w->store, err, "read the samples");
done:
    sqlite3_finalize(q);
    return st;
}

cf_status cf_store_each_sample(cf_store *s, cf_sample_visitor visit, void *user, cf_error *err)
{
    const walk w = {.store = s, .sample = visit, .user = user};
    return walk_samples(&w, err);
}

cf_status cf_store_each_value(cf_store *s, cf_value_visitor visit, void *user, cf_error *err)
{
    walk w = {.store = s, .value = visit, .user = user};
    cf_status st = cf_store_prepare(s, &w.values,
                                    "SELECT v.run, v.measure, v.value, v.flag, p.text, p.mode, p.heads, p.seed, "
                                    "r.window, r.centre, r.first, r.last FROM value v JOIN run r ON r.id = v.run "
                                    "JOIN spec p ON p.id = r.spec WHERE v.sample = ? ORDER BY v.run, v.measure",
                                    err);
    if (st == CF_OK)
        st = walk_samples(&w, err);
    sqlite3_finalize(w.values);
    return st;
}
