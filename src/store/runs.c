/* runs.c - the study's runs in memory, sorted into curves and their points. */
#include "store/store_internal.h"

#include <stdlib.h>
#include <inttypes.h>
#include <string.h>

#include "base/memory.h"

bool cf_style_has_window(const char *style)
{
    return strcmp(style, "centre") == 0 || strcmp(style, "outside") == 0;
}

bool cf_style_has_centre(const char *style)
{
    return strcmp(style, "fixed") != 0;
}

bool cf_run_is_random(const cf_run_entry *e)
{
    return strcmp(e->mode, "random") == 0;
}

/* The text says everything but the seed. */
cf_status cf_store_run_label(cf_str *out, const cf_store_run *run, cf_error *err)
{
    cf_status st = cf_str_add_text(out, run->spec, err);
    if (st == CF_OK && strcmp(run->mode, "random") == 0)
        st = cf_str_addf(out, err, " seed %" PRId64, run->seed);
    return st;
}

static void entry_deinit(cf_run_entry *e)
{
    free(e->label);
    free(e->mode);
    free(e->style);
    free(e->layers);
}

/* Columns: id, spec, then the run's. */
static cf_status read_entry(const cf_store *s, cf_run_entry *out, sqlite3_stmt *q, cf_error *err)
{
    cf_status st = CF_OK;
    cf_store_run run = {0};
    cf_str label = {0};
    cf_run_entry e = {.id = sqlite3_column_int64(q, 0), .spec_id = sqlite3_column_int64(q, 1)};
    CF_TRY(cf_run_read(s, &run, q, 2, err));
    e.repeat = run.repeat;
    e.window = run.window;
    e.centre = run.centre;
    CF_TRY(cf_store_run_label(&label, &run, err));
    CF_TRY(cf_strdup(&e.label, cf_str_slice(&label), err));
    CF_TRY(cf_strdup(&e.mode, cf_slice_of(run.mode), err));
    CF_TRY(cf_strdup(&e.style, cf_slice_of(run.style), err));
    CF_TRY(cf_strdup(&e.layers, cf_slice_of(run.layers), err));
    *out = e;
    e = (cf_run_entry){0};
done:
    cf_str_deinit(&label);
    entry_deinit(&e);
    return st;
}

cf_status cf_store_each_run(cf_store *s, cf_run_visitor visit, void *user, cf_error *err)
{
    cf_status st = CF_OK;
    sqlite3_stmt *q = NULL;
    CF_TRY(cf_store_prepare(
        s, &q, "SELECT r.id, " CF_RUN_COLUMNS " FROM run r JOIN spec p ON p.id = r.spec ORDER BY r.id", err));
    int rc;
    while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
        cf_store_run run = {0};
        CF_TRY(cf_run_read(s, &run, q, 1, err));
        CF_TRY(visit(user, sqlite3_column_int64(q, 0), &run, err));
    }
    if (rc != SQLITE_DONE)
        st = cf_store_fault(s, err, "read the runs");
done:
    sqlite3_finalize(q);
    return st;
}

static bool same_curve(const cf_run_entry *a, const cf_run_entry *b)
{
    return a->spec_id == b->spec_id && a->window == b->window && strcmp(a->style, b->style) == 0;
}

static bool same_point(const cf_run_entry *a, const cf_run_entry *b)
{
    return same_curve(a, b) && a->centre == b->centre && strcmp(a->layers, b->layers) == 0;
}

static cf_status add_entry(const cf_store *s, cf_run_table *t, sqlite3_stmt *q, cf_error *err)
{
    void *items = t->items;
    cf_status st = cf_grow(&items, &t->cap, t->n + 1, sizeof *t->items, "runs", err);
    if (st != CF_OK)
        return st;
    t->items = items;
    cf_run_entry *e = &t->items[t->n];
    st = read_entry(s, e, q, err);
    if (st != CF_OK)
        return st;
    e->point = t->n && same_point(e - 1, e) ? e[-1].point : t->n;
    t->n++;
    return CF_OK;
}

cf_status cf_run_table_read(cf_store *s, cf_run_table *out, cf_error *err)
{
    cf_status st = CF_OK;
    cf_run_table t = {0};
    sqlite3_stmt *q = NULL;
    CF_TRY(cf_store_prepare(s, &q,
                            "SELECT r.id, r.spec, " CF_RUN_COLUMNS " FROM run r JOIN spec p ON p.id = r.spec "
                            "ORDER BY r.spec, CASE r.style WHEN 'centre' THEN 0 WHEN 'below' THEN 1 "
                            "WHEN 'above' THEN 2 WHEN 'outside' THEN 3 ELSE 4 END, r.window, r.centre, r.layers, "
                            "r.repeat",
                            err));
    int rc;
    while ((rc = sqlite3_step(q)) == SQLITE_ROW)
        CF_TRY(add_entry(s, &t, q, err));
    if (rc != SQLITE_DONE) {
        st = cf_store_fault(s, err, "read the runs");
        goto done;
    }
    *out = t;
    t = (cf_run_table){0};
done:
    sqlite3_finalize(q);
    cf_run_table_deinit(&t);
    return st;
}

void cf_run_table_deinit(cf_run_table *t)
{
    for (size_t i = 0; i < t->n; i++)
        entry_deinit(&t->items[i]);
    free(t->items);
    *t = (cf_run_table){0};
}

size_t cf_run_table_curve_end(const cf_run_table *t, size_t i)
{
    size_t end = i + 1;
    while (end < t->n && same_curve(&t->items[i], &t->items[end]))
        end++;
    return end;
}

/* ---- by id ---- */

typedef struct id_at {
    int64_t id;
    size_t at;
} id_at;

struct cf_run_index {
    size_t n;
    id_at items[]; /* by id */
};

static int compare_ids(const void *a, const void *b)
{
    const id_at *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

cf_status cf_run_index_make(cf_run_index **out, const cf_run_table *t, cf_error *err)
{
    void *memory = NULL;
    const cf_status st = cf_alloc(&memory, sizeof(cf_run_index) + t->n * sizeof(id_at), 1, "runs", err);
    if (st != CF_OK)
        return st;
    cf_run_index *x = memory;
    x->n = t->n;
    for (size_t i = 0; i < t->n; i++)
        x->items[i] = (id_at){t->items[i].id, i};
    qsort(x->items, x->n, sizeof *x->items, compare_ids);
    *out = x;
    return CF_OK;
}

void cf_run_index_free(cf_run_index *x)
{
    free(x);
}

bool cf_run_index_find(size_t *out, const cf_run_index *x, int64_t id)
{
    const id_at key = {.id = id};
    const id_at *found = bsearch(&key, x->items, x->n, sizeof *x->items, compare_ids);
    if (found)
        *out = found->at;
    return found;
}
