/* export_map.c - a map as one table: a row for every measure of every cell of every sample. */
#include <inttypes.h>

#include "store/map.h"
#include "store/store_internal.h"

static const char header[] = "task,row,question_id,image,question,predicted,map,to,grid,patch_row,patch_column,patch_"
                             "rows,patch_columns,head,token,"
                             "window,layer,flow,measure,baseline,value,difference,change,flag\n";

typedef struct table {
    cf_store *store;
    cf_map map;
    sqlite3_stmt *values;
    cf_out_file file;
    cf_str sample, line; /* the sample's cells, each with its comma; a whole line */
} table;

static cf_status add_cell(cf_str *out, const char *text, cf_error *err)
{
    const cf_status st = cf_csv_add_field(out, text, err);
    return st == CF_OK ? cf_str_add_text(out, ",", err) : st;
}

/* Nothing before the comma where there is none. */
static cf_status add_index(cf_str *out, int32_t v, cf_error *err)
{
    return v < 0 ? cf_str_add_text(out, ",", err) : cf_str_addf(out, err, "%" PRId32 ",", v);
}

static cf_status add_place(cf_str *out, const cf_map *m, const cf_map_cell *c, cf_error *err)
{
    const bool patches = m->kind != CF_MAP_HEADS;
    cf_status st = CF_OK;
    CF_TRY(add_cell(out, cf_map_kind_name(m->kind), err));
    CF_TRY(add_cell(out, m->to ? m->to : "", err));
    CF_TRY(cf_str_add_text(out, !patches ? "," : c->hd ? "hd," : "base,", err));
    CF_TRY(add_index(out, c->row, err));
    CF_TRY(add_index(out, c->column, err));
    CF_TRY(add_index(out, patches ? c->n_rows : -1, err));
    CF_TRY(add_index(out, patches ? c->n_columns : -1, err));
    CF_TRY(add_index(out, c->head, err));
    CF_TRY(add_index(out, c->token, err));
done:
    return st;
}

static cf_status add_value(void *user, const cf_sample *sample, const cf_value_row *row, cf_error *err)
{
    table *t = user;
    const cf_value *v = &row->value;
    const cf_store_run *r = &row->run;
    cf_status st = CF_OK;
    cf_map_cell cell = {0};
    (void)sample;
    cf_str_clear(&t->line);
    CF_TRY(cf_map_cell_of(&cell, &t->map, r->spec, err));
    CF_TRY(cf_str_add(&t->line, cf_str_slice(&t->sample), err));
    CF_TRY(add_place(&t->line, &t->map, &cell, err));
    CF_TRY(add_index(&t->line, cf_style_has_window(r->style) ? r->window : -1, err));
    CF_TRY(add_index(&t->line, cf_style_has_centre(r->style) ? r->centre : -1, err));
    CF_TRY(add_cell(&t->line, r->spec, err));
    CF_TRY(cf_str_add_text(&t->line, cf_measure_name(v->measure), err));
    CF_TRY(cf_csv_add_double(&t->line, row->baseline, err));
    CF_TRY(cf_csv_add_double(&t->line, v->value, err));
    CF_TRY(cf_csv_add_double(&t->line, v->value - row->baseline, err));
    CF_TRY(cf_csv_add_double(&t->line, cf_measure_change(v->measure, row->baseline, v->value), err));
    CF_TRY(cf_str_addf(&t->line, err, ",%s\n", cf_value_flag_name(v->flag)));
    CF_TRY(cf_out_file_add(&t->file, cf_str_slice(&t->line), err));
done:
    return st;
}

static cf_status add_sample(void *user, int64_t id, const cf_sample *x, cf_error *err)
{
    table *t = user;
    const char *const cells[] = {x->question_id, x->image, x->question, x->predicted};
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

cf_status cf_export_map(cf_store *s, const char *path, bool *is_map, cf_error *err)
{
    cf_status st = CF_OK;
    table t = {.store = s};
    CF_TRY(cf_store_map(s, &t.map, is_map, err));
    if (!*is_map)
        goto done;
    CF_TRY(cf_values_prepare(s, &t.values, err));
    CF_TRY(cf_out_file_open(&t.file, path, err));
    CF_TRY(cf_out_file_add(&t.file, cf_slice_of(header), err));
    CF_TRY(cf_samples_each(s, &(cf_sample_filter){.kept = true}, add_sample, &t, err));
    CF_TRY(cf_out_file_close(&t.file, err));
done:
    cf_str_deinit(&t.line);
    cf_str_deinit(&t.sample);
    cf_out_file_deinit(&t.file);
    sqlite3_finalize(t.values);
    cf_map_deinit(&t.map);
    return st;
}
