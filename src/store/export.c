/* export.c - the study as CSV files with the columns of the published scripts; quoting per RFC 4180, lines end in LF as
 * pandas writes them. */
#include "store/export.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "store/store_internal.h"

static const char header[] = "question_id,image,goden answer,predicted answer,question,block_desc,layer,"
                             "base_score_first,new_score_first,relative diff first\n";

/* ---- text ---- */

/* The columns that all layers of a sample share, each with its comma. */
static cf_status add_sample_fields(cf_str *out, const cf_sample *sample, const char *label, cf_error *err)
{
    const char *const fields[] = {sample->question_id, sample->image,    sample->answer,
                                  sample->predicted,   sample->question, label};
    cf_status st = CF_OK;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        CF_TRY(cf_csv_add_field(out, fields[i], err));
        CF_TRY(cf_str_add_text(out, ",", err));
    }
done:
    return st;
}

static cf_status add_scores(cf_str *out, double p1, double p2, cf_error *err)
{
    if (isnan(p2))
        return cf_str_addf(out, err, "%.9g,,\n", p1);
    return cf_str_addf(out, err, "%.9g,%.9g,%.9g\n", p1, p2, cf_relative_change(p1, p2));
}

/* A name is a name in `dir` and nothing else: a task comes from outside and may hold a '/'. */
static cf_status add_name_part(cf_str *out, const char *text, cf_error *err)
{
    cf_status st = CF_OK;
    for (const char *c = text; *c; c++) {
        if (c[0] == '-' && c[1] == '>') {
            CF_TRY(cf_str_add_text(out, "-to-", err));
            c++;
        } else if (*c == '/' || (unsigned char)*c <= ' ' || *c == 0x7f)
            CF_TRY(cf_str_add_text(out, "_", err));
        else
            CF_TRY(cf_str_add(out, (cf_slice){c, 1}, err));
    }
done:
    return st;
}

/* ---- one file ---- */

/* What the files share, and the file at hand: the runs [begin, end) of one task. */
typedef struct csv {
    cf_store *store;
    const char *dir;
    cf_run_table runs;
    sqlite3_stmt *samples; /* of a task, by row */
    sqlite3_stmt *value;   /* of a sample and a run */
    cf_str names;          /* of the files written, a line each */
    int64_t n_files;
    const char *task;
    size_t begin, end;
    cf_str lines, fields;
} csv;

static cf_status read_value(csv *c, double *p2, bool *found, int64_t sample, int64_t run, cf_error *err)
{
    cf_status st = CF_OK;
    int rc = sqlite3_bind_int64(c->value, 1, sample) | sqlite3_bind_int64(c->value, 2, run);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(c->value);
    *found = rc == SQLITE_ROW;
    if (rc == SQLITE_ROW)
        *p2 = cf_column_f64(c->value, 0);
    else if (rc != SQLITE_DONE)
        st = cf_store_fault(c->store, err, "read a value of run %" PRId64, run);
    sqlite3_reset(c->value);
    return st;
}

static cf_status add_sample_lines(csv *c, cf_error *err)
{
    cf_status st = CF_OK;
    cf_sample sample = {0};
    CF_TRY(cf_sample_read(c->store, &sample, c->samples, 1, err));
    cf_str_clear(&c->fields);
    CF_TRY(add_sample_fields(&c->fields, &sample, c->runs.items[c->begin].label, err));
    for (size_t i = c->begin; i < c->end; i++) {
        const cf_run_entry *run = &c->runs.items[i];
        double p2 = 0.0;
        bool found = false;
        CF_TRY(read_value(c, &p2, &found, sqlite3_column_int64(c->samples, 0), run->id, err));
        if (!found)
            continue;
        CF_TRY(cf_str_add(&c->lines, cf_str_slice(&c->fields), err));
        CF_TRY(cf_str_addf(&c->lines, err, "%" PRId32 ",", run->centre));
        CF_TRY(add_scores(&c->lines, sample.probability, p2, err));
    }
done:
    return st;
}

static cf_status make_lines(csv *c, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str_clear(&c->lines);
    int rc = cf_bind_text(c->samples, 1, c->task);
    if (rc == SQLITE_OK)
        while ((rc = sqlite3_step(c->samples)) == SQLITE_ROW)
            CF_TRY(add_sample_lines(c, err));
    if (rc != SQLITE_DONE)
        st = cf_store_fault(c->store, err, "read the samples of %s", c->task);
done:
    sqlite3_reset(c->samples);
    return st;
}

static cf_status make_name(csv *c, cf_str *out, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str line = {0};
    const cf_run_entry *run = &c->runs.items[c->begin];
    CF_TRY(add_name_part(out, c->task, err));
    CF_TRY(cf_str_add_text(out, "_", err));
    CF_TRY(add_name_part(out, run->label, err));
    CF_TRY(cf_str_addf(out, err, "_k%" PRId32 ".csv", run->window));
    /* Tasks "a b" and "a_b" would share a file. */
    CF_TRY(cf_str_addf(&line, err, "\n%s\n", out->data));
    if (c->names.data && cf_slice_find(cf_str_slice(&c->names), cf_str_slice(&line), 0) >= 0) {
        st = cf_fail(err, CF_MISMATCH, "%s: two curves of the study would be written to %s", c->store->path, out->data);
        goto done;
    }
    CF_TRY(cf_str_add(&c->names, cf_str_slice(&line), err));
done:
    cf_str_deinit(&line);
    return st;
}

static cf_status write_curve(csv *c, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str name = {0};
    char *path = NULL;
    CF_TRY(make_lines(c, err));
    if (c->lines.n == 0)
        goto done;
    CF_TRY(make_name(c, &name, err));
    CF_TRY(cf_path_join(&path, c->dir, name.data, err));
    CF_TRY(cf_csv_replace(path, header, &c->lines, err));
    c->n_files++;
done:
    free(path);
    cf_str_deinit(&name);
    return st;
}

/* ---- all files ---- */

static cf_status write_tasks(csv *c, cf_error *err)
{
    cf_status st = CF_OK;
    sqlite3_stmt *tasks = NULL;
    CF_TRY(cf_store_prepare(c->store, &tasks, "SELECT DISTINCT task FROM sample WHERE status = 'done' ORDER BY task",
                            err));
    int rc;
    while ((rc = sqlite3_step(tasks)) == SQLITE_ROW) {
        c->task = cf_column_text(tasks, 0);
        for (c->begin = 0; c->begin < c->runs.n; c->begin = c->end) {
            c->end = cf_run_table_curve_end(&c->runs, c->begin);
            CF_TRY(write_curve(c, err));
        }
    }
    if (rc != SQLITE_DONE)
        st = cf_store_fault(c->store, err, "read the tasks");
done:
    sqlite3_finalize(tasks);
    return st;
}

cf_status cf_export_csv(cf_store *s, const char *dir, int64_t *n_files, cf_error *err)
{
    cf_status st = CF_OK;
    csv c = {.store = s, .dir = dir};
    CF_TRY(cf_dir_make(dir, err));
    CF_TRY(cf_run_table_read(s, &c.runs, err));
    CF_TRY(cf_store_prepare(
        s, &c.samples, "SELECT id, " CF_SAMPLE_COLUMNS " FROM sample WHERE task = ? AND status = 'done' ORDER BY row",
        err));
    CF_TRY(cf_store_prepare(s, &c.value,
                            "SELECT value FROM value WHERE sample = ? AND run = ? AND measure = 'probability'", err));
    CF_TRY(write_tasks(&c, err));
    *n_files = c.n_files;
done:
    cf_str_deinit(&c.fields);
    cf_str_deinit(&c.lines);
    cf_str_deinit(&c.names);
    sqlite3_finalize(c.value);
    sqlite3_finalize(c.samples);
    cf_run_table_deinit(&c.runs);
    return st;
}
