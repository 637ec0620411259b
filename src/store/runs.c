/* runs.c - the study's runs in memory, sorted into curves. */
#include "store/store_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* Two specs may cut the same edge in other ways; their curves must not carry one name. */
static cf_status make_label(cf_str *out, sqlite3_stmt *q, cf_error *err)
{
    cf_status st = CF_OK;
    const char *mode = cf_column_text(q, 3), *heads = cf_column_text(q, 4);
    const int64_t seed = sqlite3_column_int64(q, 5);
    CF_TRY(cf_str_add_text(out, cf_column_text(q, 2), err));
    if (strcmp(mode, "cut") != 0)
        CF_TRY(cf_str_addf(out, err, " %s", mode));
    if (strcmp(heads, "all") != 0)
        CF_TRY(cf_str_addf(out, err, " heads %s", heads));
    if (seed != 0)
        CF_TRY(cf_str_addf(out, err, " seed %" PRId64, seed));
done:
    return st;
}

static cf_status read_entry(const cf_store *s, cf_run_entry *e, sqlite3_stmt *q, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str label = {0};
    bool fits = true;
    e->id = sqlite3_column_int64(q, 0);
    e->spec_id = sqlite3_column_int64(q, 1);
    e->window = cf_column_i32(q, 6, &fits);
    e->centre = cf_column_i32(q, 7, &fits);
    if (!fits) {
        st = cf_fail(err, CF_FORMAT, "%s: run %" PRId64 ": a number does not fit in 32 bits", s->path, e->id);
        goto done;
    }
    CF_TRY(cf_strdup(&e->text, cf_slice_of(cf_column_text(q, 2)), err));
    CF_TRY(make_label(&label, q, err));
    e->label = label.data;
    label.data = NULL;
done:
    cf_str_deinit(&label);
    return st;
}

cf_status cf_run_table_read(cf_store *s, cf_run_table *out, cf_error *err)
{
    cf_status st = CF_OK;
    cf_run_table t = {0};
    sqlite3_stmt *q = NULL;
    CF_TRY(cf_store_prepare(s, &q,
                            "SELECT r.id, r.spec, p.text, p.mode, p.heads, p.seed, r.window, r.centre "
                            "FROM run r JOIN spec p ON p.id = r.spec "
                            "ORDER BY r.spec, r.window, r.centre, r.first, r.last",
                            err));
    int rc;
    while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
        void *items = t.items;
        CF_TRY(cf_grow(&items, &t.cap, t.n + 1, sizeof *t.items, "runs", err));
        t.items = items;
        t.items[t.n] = (cf_run_entry){0};
        CF_TRY(read_entry(s, &t.items[t.n++], q, err));
    }
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
    for (size_t i = 0; i < t->n; i++) {
        free(t->items[i].text);
        free(t->items[i].label);
    }
    free(t->items);
    *t = (cf_run_table){0};
}

size_t cf_run_table_curve_end(const cf_run_table *t, size_t i)
{
    size_t end = i + 1;
    while (end < t->n && t->items[end].spec_id == t->items[i].spec_id && t->items[end].window == t->items[i].window)
        end++;
    return end;
}
