/* export_jsonl.c - the study as JSON Lines: all that is known of a sample on one line. */
#include "store/export.h"

#include <inttypes.h>

#include "store/store_internal.h"

typedef struct writer {
    cf_store *store;
    sqlite3_stmt *baselines, *values, *answers, *lens;
    cf_out_file file;
    cf_str line;
    bool first; /* of the list at hand */
} writer;

/* ---- members ---- */

/* "name": with a comma before it unless it is the first member. */
static cf_status add_name(cf_str *out, const char *name, cf_error *err)
{
    const bool first = out->n == 0 || out->data[out->n - 1] == '{';
    return cf_str_addf(out, err, "%s\"%s\":", first ? "" : ",", name);
}

static cf_status add_text(cf_str *out, const char *name, const char *text, cf_error *err)
{
    const cf_status st = add_name(out, name, err);
    return st == CF_OK ? cf_json_add_string(out, text, err) : st;
}

static cf_status add_integer(cf_str *out, const char *name, int64_t v, cf_error *err)
{
    const cf_status st = add_name(out, name, err);
    return st == CF_OK ? cf_str_addf(out, err, "%" PRId64, v) : st;
}

static cf_status add_number(cf_str *out, const char *name, double v, cf_error *err)
{
    const cf_status st = add_name(out, name, err);
    return st == CF_OK ? cf_json_add_number(out, v, err) : st;
}

static cf_status add_json(cf_str *out, const char *name, const char *json, const cf_store *s, cf_error *err)
{
    const cf_status st = add_name(out, name, err);
    return st == CF_OK ? cf_json_add_json(out, json, s->path, err) : st;
}

static cf_status add_or_null(cf_str *out, const char *name, bool there, int64_t v, cf_error *err)
{
    cf_status st = add_name(out, name, err);
    if (st == CF_OK)
        st = there ? cf_str_addf(out, err, "%" PRId64, v) : cf_str_add_text(out, "null", err);
    return st;
}

static cf_status add_run(cf_str *out, const cf_store_run *r, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(add_text(out, "flow", r->spec, err));
    CF_TRY(add_text(out, "mode", r->mode, err));
    CF_TRY(add_text(out, "heads", r->heads, err));
    CF_TRY(add_integer(out, "seed", r->seed, err));
    CF_TRY(add_integer(out, "repeat", r->repeat, err));
    CF_TRY(add_text(out, "style", r->style, err));
    CF_TRY(add_or_null(out, "window", cf_style_has_window(r->style), r->window, err));
    CF_TRY(add_or_null(out, "layer", cf_style_has_centre(r->style), r->centre, err));
    CF_TRY(add_text(out, "layers", r->layers, err));
done:
    return st;
}

static cf_status add_columns(cf_str *out, const cf_store *s, const cf_sample *x, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(add_text(out, "task", x->task, err));
    CF_TRY(add_integer(out, "row", x->row, err));
    CF_TRY(add_text(out, "question_id", x->question_id, err));
    CF_TRY(add_text(out, "image", x->image, err));
    CF_TRY(add_text(out, "question", x->question, err));
    CF_TRY(add_text(out, "answer", x->answer, err));
    CF_TRY(add_text(out, "true_option", x->true_option, err));
    CF_TRY(add_text(out, "false_option", x->false_option, err));
    CF_TRY(add_text(out, "object", x->object, err));
    CF_TRY(add_text(out, "status", cf_sample_status_name(x->status), err));
    CF_TRY(add_text(out, "reason", x->reason, err));
    CF_TRY(add_text(out, "predicted", x->predicted, err));
    CF_TRY(add_integer(out, "first_token", x->first_token, err));
    CF_TRY(add_text(out, "first_token_text", x->first_token_text, err));
    CF_TRY(add_number(out, "probability", x->probability, err));
    CF_TRY(add_integer(out, "n_tokens", x->n_tokens, err));
    CF_TRY(add_json(out, "answer_ids", x->answer_ids, s, err));
    CF_TRY(add_integer(out, "true_token", x->true_token, err));
    CF_TRY(add_json(out, "groups", x->groups, s, err));
    CF_TRY(add_name(out, "notes", err));
    CF_TRY(cf_json_add_lines(out, x->notes, err));
    CF_TRY(add_integer(out, "grid_h", x->grid_h, err));
    CF_TRY(add_integer(out, "grid_w", x->grid_w, err));
    CF_TRY(add_integer(out, "picture_w", x->picture_w, err));
    CF_TRY(add_integer(out, "picture_h", x->picture_h, err));
    CF_TRY(add_integer(out, "fitted_w", x->fitted_w, err));
    CF_TRY(add_integer(out, "fitted_h", x->fitted_h, err));
    CF_TRY(add_json(out, "tokens", x->tokens, s, err));
    CF_TRY(add_json(out, "boxes", x->boxes, s, err));
    CF_TRY(add_json(out, "patches", x->patches, s, err));
done:
    return st;
}

/* ---- results ---- */

static cf_status add_value(void *user, const cf_sample *sample, const cf_value_row *row, cf_error *err)
{
    writer *w = user;
    cf_str *out = &w->line;
    cf_status st = CF_OK;
    (void)sample;
    CF_TRY(cf_str_add_text(out, w->first ? "{" : ",{", err));
    CF_TRY(add_run(out, &row->run, err));
    CF_TRY(add_text(out, "measure", cf_measure_name(row->value.measure), err));
    CF_TRY(add_number(out, "value", row->value.value, err));
    CF_TRY(add_text(out, "flag", cf_value_flag_name(row->value.flag), err));
    CF_TRY(cf_str_add_text(out, "}", err));
    w->first = false;
done:
    return st;
}

static cf_status add_values(writer *w, int64_t id, const cf_sample *sample, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(add_name(&w->line, "values", err));
    CF_TRY(cf_str_add_text(&w->line, "[", err));
    w->first = true;
    CF_TRY(cf_values_of(w->store, w->values, id, sample, add_value, w, err));
    CF_TRY(cf_str_add_text(&w->line, "]", err));
done:
    return st;
}

/* Columns: measure, value. */
static cf_status add_baseline(writer *w, sqlite3_stmt *q, cf_error *err)
{
    cf_measure m = CF_MEASURE_PROBABILITY;
    const cf_status st = cf_measure_read(w->store, &m, cf_column_text(q, 0), err);
    return st == CF_OK ? add_number(&w->line, cf_measure_name(m), cf_column_f64(q, 1), err) : st;
}

/* Columns: text, then the run's. */
static cf_status add_answer(writer *w, sqlite3_stmt *q, cf_error *err)
{
    cf_status st = CF_OK;
    cf_store_run run = {0};
    CF_TRY(cf_run_read(w->store, &run, q, 1, err));
    CF_TRY(cf_str_add_text(&w->line, w->first ? "{" : ",{", err));
    CF_TRY(add_run(&w->line, &run, err));
    CF_TRY(add_text(&w->line, "text", cf_column_text(q, 0), err));
    CF_TRY(cf_str_add_text(&w->line, "}", err));
done:
    return st;
}

/* Columns: run, position, layer, words, scores, those of CF_LENS_COLUMNS, then the run's, NULL for the baseline. */
static cf_status add_lens_entry(writer *w, sqlite3_stmt *q, cf_error *err)
{
    static const char *const names[CF_N_LENS_LINES] = {[CF_LENS_ANSWER] = "answer",
                                                       [CF_LENS_OPTION] = "option",
                                                       [CF_LENS_ANSWER_UPPER] = "answer_upper",
                                                       [CF_LENS_OPTION_UPPER] = "option_upper"};
    cf_str *out = &w->line;
    cf_status st = CF_OK;
    cf_store_run run = {0};
    CF_TRY(cf_run_read(w->store, &run, q, 5 + CF_N_LENS_LINES, err));
    CF_TRY(cf_str_add_text(out, w->first ? "{\"run\":" : ",{\"run\":", err));
    if (sqlite3_column_int64(q, 0) == CF_NO_RUN)
        CF_TRY(cf_str_add_text(out, "null", err));
    else {
        CF_TRY(cf_str_add_text(out, "{", err));
        CF_TRY(add_run(out, &run, err));
        CF_TRY(cf_str_add_text(out, "}", err));
    }
    CF_TRY(add_integer(out, "position", sqlite3_column_int64(q, 1), err));
    CF_TRY(add_integer(out, "layer", sqlite3_column_int64(q, 2), err));
    for (int i = 0; i < CF_N_LENS_LINES; i++)
        CF_TRY(add_number(out, names[i], cf_column_f64(q, 5 + i), err));
    CF_TRY(add_json(out, "words", cf_column_text(q, 3), w->store, err));
    CF_TRY(add_json(out, "scores", cf_column_text(q, 4), w->store, err));
    CF_TRY(cf_str_add_text(out, "}", err));
done:
    return st;
}

/* A member that holds the rows of one statement for one sample; brackets "[]" or "{}". */
static cf_status add_rows(writer *w, const char *name, const char *brackets, sqlite3_stmt *q, int64_t id,
                          cf_status (*add)(writer *, sqlite3_stmt *, cf_error *), cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(add_name(&w->line, name, err));
    CF_TRY(cf_str_add(&w->line, (cf_slice){brackets, 1}, err));
    w->first = true;
    int rc = sqlite3_bind_int64(q, 1, id);
    if (rc == SQLITE_OK) {
        while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
            CF_TRY(add(w, q, err));
            w->first = false;
        }
    }
    if (rc != SQLITE_DONE) {
        st = cf_store_fault(w->store, err, "read the %s of a sample", name);
        goto done;
    }
    CF_TRY(cf_str_add(&w->line, (cf_slice){brackets + 1, 1}, err));
done:
    sqlite3_reset(q);
    return st;
}

/* ---- the file ---- */

static cf_status add_sample(void *user, int64_t id, const cf_sample *x, cf_error *err)
{
    writer *w = user;
    cf_status st = CF_OK;
    cf_str_clear(&w->line);
    CF_TRY(cf_str_add_text(&w->line, "{", err));
    CF_TRY(add_columns(&w->line, w->store, x, err));
    CF_TRY(add_rows(w, "baselines", "{}", w->baselines, id, add_baseline, err));
    CF_TRY(add_values(w, id, x, err));
    CF_TRY(add_rows(w, "answers", "[]", w->answers, id, add_answer, err));
    CF_TRY(add_rows(w, "lens", "[]", w->lens, id, add_lens_entry, err));
    CF_TRY(cf_str_add_text(&w->line, "}\n", err));
    CF_TRY(cf_out_file_add(&w->file, cf_str_slice(&w->line), err));
done:
    return st;
}

static cf_status prepare(writer *w, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_store_prepare(w->store, &w->baselines,
                            "SELECT measure, value FROM baseline WHERE sample = ? ORDER BY measure", err));
    CF_TRY(cf_values_prepare(w->store, &w->values, err));
    CF_TRY(cf_store_prepare(w->store, &w->answers,
                            "SELECT a.text, " CF_RUN_COLUMNS " FROM answer a JOIN run r ON r.id = a.run "
                            "JOIN spec p ON p.id = r.spec WHERE a.sample = ? ORDER BY a.run",
                            err));
    CF_TRY(cf_store_prepare(w->store, &w->lens,
                            "SELECT l.run, l.position, l.layer, l.words, l.scores, " CF_LENS_COLUMNS ", " CF_RUN_COLUMNS
                            " FROM lens l LEFT JOIN run r ON r.id = l.run "
                            "LEFT JOIN spec p ON p.id = r.spec WHERE l.sample = ? "
                            "ORDER BY l.run, l.position, l.layer",
                            err));
done:
    return st;
}

cf_status cf_export_jsonl(cf_store *s, const char *path, cf_error *err)
{
    cf_status st = CF_OK;
    writer w = {.store = s};
    CF_TRY(prepare(&w, err));
    CF_TRY(cf_out_file_open(&w.file, path, err));
    CF_TRY(cf_samples_each(s, &(cf_sample_filter){0}, add_sample, &w, err));
    CF_TRY(cf_out_file_close(&w.file, err));
done:
    cf_str_deinit(&w.line);
    cf_out_file_deinit(&w.file);
    sqlite3_finalize(w.lens);
    sqlite3_finalize(w.answers);
    sqlite3_finalize(w.values);
    sqlite3_finalize(w.baselines);
    return st;
}
