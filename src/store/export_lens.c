/* export_lens.c - the logit lens as CSV files with the columns of the published script; other positions than the last
 * one in files of their own, with a column for the position. */
#include "store/export.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/file.h"
#include "store/store_internal.h"

/* What the files share, and the file at hand. */
typedef struct lens_csv {
    cf_store *store;
    const char *dir;
    const cf_run_table *runs;
    cf_export_names *names;
    int64_t *n_files;
    sqlite3_stmt *entries;
    const char *task;
    bool has_options;        /* of the task */
    const cf_run_entry *run; /* NULL: the baseline */
    bool last;               /* the last position; otherwise all others */
    cf_out_file file;        /* open from the first entry on */
    cf_str line;
} lens_csv;

static cf_status add_header(lens_csv *c, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str_clear(&c->line);
    CF_TRY(cf_str_add_text(&c->line, "question_id,image,goden answer,question,", err));
    CF_TRY(cf_str_add_text(&c->line, c->last ? "layer" : "position,layer", err));
    CF_TRY(cf_str_add_text(&c->line, ",top_k_word,top_k_score", err));
    for (int i = 0; i < CF_N_LENS_LINES; i++)
        if (c->has_options || !cf_lens_line_is_option((cf_lens_line)i))
            CF_TRY(cf_str_addf(&c->line, err, ",%s", cf_lens_line_name((cf_lens_line)i)));
    CF_TRY(cf_str_add_text(&c->line, "\n", err));
    CF_TRY(cf_out_file_add(&c->file, cf_str_slice(&c->line), err));
done:
    return st;
}

static cf_status open_file(lens_csv *c, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str name = {0};
    char *path = NULL;
    CF_TRY(cf_export_name(c->names, &name, c->store, c->task, c->last ? "_lens" : "_lens_image", c->run, true, err));
    CF_TRY(cf_path_join(&path, c->dir, name.data, err));
    CF_TRY(cf_out_file_open(&c->file, path, err));
    CF_TRY(add_header(c, err));
done:
    free(path);
    cf_str_deinit(&name);
    return st;
}

/* Columns: question_id, image, answer, question, position, layer, words, scores, then those of cf_lens_line. */
static cf_status add_entry(lens_csv *c, cf_error *err)
{
    enum { POSITION = 4, LAYER, WORDS, SCORES, LINES };
    sqlite3_stmt *q = c->entries;
    cf_status st = CF_OK;
    cf_str *line = &c->line;
    if (!c->file.stream)
        CF_TRY(open_file(c, err));
    cf_str_clear(line);
    for (int i = 0; i < POSITION; i++) {
        CF_TRY(cf_csv_add_field(line, cf_column_text(q, i), err));
        CF_TRY(cf_str_add_text(line, ",", err));
    }
    if (!c->last)
        CF_TRY(cf_str_addf(line, err, "%" PRId64 ",", (int64_t)sqlite3_column_int64(q, POSITION)));
    CF_TRY(cf_str_addf(line, err, "%" PRId64 ",", (int64_t)sqlite3_column_int64(q, LAYER)));
    CF_TRY(cf_csv_add_field(line, cf_column_text(q, WORDS), err));
    CF_TRY(cf_str_add_text(line, ",", err));
    CF_TRY(cf_csv_add_field(line, cf_column_text(q, SCORES), err));
    for (int i = 0; i < CF_N_LENS_LINES; i++)
        if (c->has_options || !cf_lens_line_is_option((cf_lens_line)i))
            CF_TRY(cf_csv_add_float(line, 100.0 * cf_column_f64(q, LINES + i), err));
    CF_TRY(cf_str_add_text(line, "\n", err));
    CF_TRY(cf_out_file_add(&c->file, cf_str_slice(line), err));
done:
    return st;
}

/* The file at hand; none where there is no entry. */
static cf_status write_file(lens_csv *c, cf_error *err)
{
    cf_status st = CF_OK;
    sqlite3_stmt *q = c->entries;
    int rc = cf_bind_text(q, 1, c->task) | sqlite3_bind_int64(q, 2, c->run ? c->run->id : CF_NO_RUN) |
             sqlite3_bind_int(q, 3, c->last);
    if (rc == SQLITE_OK)
        while ((rc = sqlite3_step(q)) == SQLITE_ROW)
            CF_TRY(add_entry(c, err));
    if (rc != SQLITE_DONE) {
        st = cf_store_fault(c->store, err, "read the lens of %s", c->task);
        goto done;
    }
    if (c->file.stream) {
        CF_TRY(cf_out_file_close(&c->file, err));
        (*c->n_files)++;
    }
done:
    cf_out_file_deinit(&c->file);
    sqlite3_reset(q);
    return st;
}

static cf_status look_for_options(lens_csv *c, cf_error *err)
{
    cf_status st = CF_OK;
    sqlite3_stmt *q = NULL;
    CF_TRY(cf_store_prepare(
        c->store, &q, "SELECT 1 FROM sample WHERE task = ? AND status = 'done' AND false_option <> '' LIMIT 1", err));
    int rc = cf_bind_text(q, 1, c->task);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(q);
    if (rc == SQLITE_ROW || rc == SQLITE_DONE)
        c->has_options = rc == SQLITE_ROW;
    else
        st = cf_store_fault(c->store, err, "read the options of %s", c->task);
done:
    sqlite3_finalize(q);
    return st;
}

static cf_status write_task(void *user, const char *task, cf_error *err)
{
    lens_csv *c = user;
    cf_status st = CF_OK;
    c->task = task;
    CF_TRY(look_for_options(c, err));
    for (size_t i = 0; i <= c->runs->n; i++) { /* the baseline, then the runs */
        c->run = i ? &c->runs->items[i - 1] : NULL;
        for (int other = 0; other < 2; other++) {
            c->last = !other;
            CF_TRY(write_file(c, err));
        }
    }
done:
    return st;
}

cf_status cf_export_lens(cf_store *s, const char *dir, const cf_run_table *runs, cf_export_names *names,
                         int64_t *n_files, cf_error *err)
{
    cf_status st = CF_OK;
    lens_csv c = {.store = s, .dir = dir, .runs = runs, .names = names, .n_files = n_files};
    int64_t any = 0;
    CF_TRY(cf_store_query_i64(s, &any, "SELECT EXISTS (SELECT 1 FROM lens)", err));
    if (!any)
        goto done;
    CF_TRY(cf_store_prepare(s, &c.entries,
                            "SELECT s.question_id, s.image, s.answer, s.question, l.position, l.layer, l.words, "
                            "l.scores, " CF_LENS_COLUMNS " FROM sample s CROSS JOIN lens l ON l.sample = s.id "
                            "WHERE s.task = ?1 AND s.status = 'done' AND l.run = ?2 "
                            "AND (l.position = s.n_tokens - 1) = ?3 ORDER BY s.row, l.position, l.layer",
                            err));
    CF_TRY(cf_tasks_each(s, write_task, &c, err));
done:
    cf_str_deinit(&c.line);
    sqlite3_finalize(c.entries);
    return st;
}
