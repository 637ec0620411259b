/* export_values.c - every value of every measure as one long table. */
#include "store/export.h"

#include <inttypes.h>

#include "store/store_internal.h"

static const char header[] = "task,row,question_id,image,question,answer,predicted,flow,mode,heads,seed,repeat,style,"
                             "window,layer,layers,measure,baseline,value,change,flag\n";

typedef struct table {
    cf_store *store;
    sqlite3_stmt *values;
    cf_out_file file;
    cf_str sample, line; /* the sample's cells, each with its comma; a whole line */
} table;

static cf_status add_cell(cf_str *out, const char *text, cf_error *err)
{
    const cf_status st = cf_csv_add_field(out, text, err);
    return st == CF_OK ? cf_str_add_text(out, ",", err) : st;
}

static cf_status add_run(cf_str *out, const cf_store_run *r, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(add_cell(out, r->spec, err));
    CF_TRY(add_cell(out, r->mode, err));
    CF_TRY(add_cell(out, r->heads, err));
    CF_TRY(cf_str_addf(out, err, "%" PRId64 ",%" PRId32 ",", r->seed, r->repeat));
    CF_TRY(cf_csv_add_field(out, r->style, err));
    CF_TRY(cf_csv_add_window(out, r->style, r->window, err));
    CF_TRY(cf_csv_add_centre(out, r->style, r->centre, err));
    CF_TRY(cf_str_add_text(out, ",", err));
    CF_TRY(add_cell(out, r->layers, err));
done:
    return st;
}

static cf_status add_value(void *user, const cf_sample *sample, const cf_value_row *row, cf_error *err)
{
    table *t = user;
    const cf_value *v = &row->value;
    cf_status st = CF_OK;
    (void)sample;
    cf_str_clear(&t->line);
    CF_TRY(cf_str_add(&t->line, cf_str_slice(&t->sample), err));
    CF_TRY(add_run(&t->line, &row->run, err));
    CF_TRY(cf_str_add_text(&t->line, cf_measure_name(v->measure), err));
    CF_TRY(cf_csv_add_double(&t->line, row->baseline, err));
    CF_TRY(cf_csv_add_double(&t->line, v->value, err));
    CF_TRY(cf_csv_add_double(&t->line, cf_measure_change(v->measure, row->baseline, v->value), err));
    CF_TRY(cf_str_addf(&t->line, err, ",%s\n", cf_value_flag_name(v->flag)));
    CF_TRY(cf_out_file_add(&t->file, cf_str_slice(&t->line), err));
done:
    return st;
}

static cf_status add_sample(void *user, int64_t id, const cf_sample *x, cf_error *err)
{
    table *t = user;
    const char *const cells[] = {x->question_id, x->image, x->question, x->answer, x->predicted};
    cf_status st = CF_OK;
    cf_str_clear(&t->sample);
    CF_TRY(add_cell(&t->sample, x->task, err));
    CF_TRY(cf_str_addf(&t->sample, err, "%" PRId64 ",", x->row));
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        CF_TRY(add_cell(&t->sample, cells[i], err));
    CF_TRY(cf_values_of(t->store, t->values, id, x, add_value, t, err));
done:
    return st;
}

cf_status cf_export_values(cf_store *s, const char *path, cf_error *err)
{
    cf_status st = CF_OK;
    table t = {.store = s};
    CF_TRY(cf_values_prepare(s, &t.values, err));
    CF_TRY(cf_out_file_open(&t.file, path, err));
    CF_TRY(cf_out_file_add(&t.file, cf_slice_of(header), err));
    CF_TRY(cf_samples_each(s, &(cf_sample_filter){0}, add_sample, &t, err));
    CF_TRY(cf_out_file_close(&t.file, err));
done:
    cf_str_deinit(&t.line);
    cf_str_deinit(&t.sample);
    cf_out_file_deinit(&t.file);
    sqlite3_finalize(t.values);
    return st;
}
