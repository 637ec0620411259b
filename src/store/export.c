/* export.c - the knocked-out runs as CSV files with the columns of the published scripts; quoting per RFC 4180, lines
 * end in LF as pandas writes them. The lens files are export_lens.c's. */
#include "store/export.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/file.h"
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
    cf_status st = CF_OK;
    CF_TRY(cf_csv_add_float(out, p1, err));
    CF_TRY(cf_csv_add_float(out, p2, err));
    CF_TRY(cf_csv_add_float(out, cf_measure_change(CF_MEASURE_PROBABILITY, p1, p2), err));
    CF_TRY(cf_str_add_text(out, "\n", err));
done:
    return st;
}

/* ---- one file ---- */

/* What the files share, and the file at hand: one repeat of the runs [begin, end) of one task. */
typedef struct csv {
    cf_store *store;
    const char *dir;
    cf_run_table runs;
    sqlite3_stmt *value; /* of a sample and a run */
    cf_export_names names;
    int64_t n_files;
    const char *task;
    size_t begin, end;
    int32_t repeat;
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

static cf_status add_sample_lines(void *user, int64_t id, const cf_sample *sample, cf_error *err)
{
    csv *c = user;
    cf_status st = CF_OK;
    cf_str_clear(&c->fields);
    CF_TRY(add_sample_fields(&c->fields, sample, c->runs.items[c->begin].label, err));
    for (size_t i = c->begin; i < c->end; i++) {
        const cf_run_entry *run = &c->runs.items[i];
        double p2 = 0.0;
        bool found = false;
        if (run->repeat != c->repeat)
            continue;
        CF_TRY(read_value(c, &p2, &found, id, run->id, err));
        if (!found)
            continue;
        CF_TRY(cf_str_add(&c->lines, cf_str_slice(&c->fields), err));
        CF_TRY(cf_str_addf(&c->lines, err, "%" PRId32, run->centre));
        CF_TRY(add_scores(&c->lines, sample->probability, p2, err));
    }
done:
    return st;
}

/* Under the name of run `first`, the first one of the repeat. */
static cf_status write_file(csv *c, const cf_run_entry *first, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str name = {0};
    char *path = NULL;
    cf_out_file file = {0};
    cf_str_clear(&c->lines);
    CF_TRY(cf_samples_each(c->store, &(cf_sample_filter){.task = c->task, .kept = true}, add_sample_lines, c, err));
    if (c->lines.n == 0)
        goto done;
    CF_TRY(cf_export_name(&c->names, &name, c->store, c->task, "", first, false, err));
    CF_TRY(cf_path_join(&path, c->dir, name.data, err));
    CF_TRY(cf_out_file_open(&file, path, err));
    CF_TRY(cf_out_file_add(&file, cf_slice_of(header), err));
    CF_TRY(cf_out_file_add(&file, cf_str_slice(&c->lines), err));
    CF_TRY(cf_out_file_close(&file, err));
    c->n_files++;
done:
    cf_out_file_deinit(&file);
    free(path);
    cf_str_deinit(&name);
    return st;
}

/* ---- all files ---- */

/* A file per repeat, in the order in which the curve's runs name them. */
static cf_status write_curve(csv *c, cf_error *err)
{
    cf_status st = CF_OK;
    for (size_t i = c->begin; i < c->end; i++) {
        bool written = false;
        for (size_t j = c->begin; j < i && !written; j++)
            written = c->runs.items[j].repeat == c->runs.items[i].repeat;
        c->repeat = c->runs.items[i].repeat;
        if (!written)
            CF_TRY(write_file(c, &c->runs.items[i], err));
    }
done:
    return st;
}

static cf_status write_task(void *user, const char *task, cf_error *err)
{
    csv *c = user;
    cf_status st = CF_OK;
    c->task = task;
    for (c->begin = 0; c->begin < c->runs.n; c->begin = c->end) {
        c->end = cf_run_table_curve_end(&c->runs, c->begin);
        CF_TRY(write_curve(c, err));
    }
done:
    return st;
}

/* A map has thousands of flows: it is one file. */
static cf_status write_map(csv *c, bool *is_map, cf_error *err)
{
    char *path = NULL;
    cf_status st = cf_path_join(&path, c->dir, "map.csv", err);
    if (st == CF_OK)
        st = cf_export_map(c->store, path, is_map, err);
    free(path);
    return st;
}

cf_status cf_export_csv(cf_store *s, const char *dir, int64_t *n_files, cf_error *err)
{
    cf_status st = CF_OK;
    csv c = {.store = s, .dir = dir};
    bool is_map = false;
    CF_TRY(cf_dir_make(dir, err));
    CF_TRY(write_map(&c, &is_map, err));
    if (is_map) {
        *n_files = 1;
        goto done;
    }
    CF_TRY(cf_run_table_read(s, &c.runs, err));
    CF_TRY(cf_store_prepare(s, &c.value,
                            "SELECT value FROM value WHERE sample = ? AND run = ? AND measure = 'probability'", err));
    CF_TRY(cf_tasks_each(s, write_task, &c, err));
    CF_TRY(cf_export_lens(s, dir, &c.runs, &c.names, &c.n_files, err));
    *n_files = c.n_files;
done:
    cf_str_deinit(&c.fields);
    cf_str_deinit(&c.lines);
    cf_str_deinit(&c.names.seen);
    sqlite3_finalize(c.value);
    cf_run_table_deinit(&c.runs);
    return st;
}
