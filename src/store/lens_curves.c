/* lens_curves.c - the mean lens at the last position, layer by layer, for the baseline and each point of a run.
 *
 * As in curves.c, samples are added up in the order of task and row, and the repeats of a random control are averaged
 * within the sample first. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "store/store_internal.h"

enum { MOST_ENTRIES = 1 << 14 }; /* layers and one, far beyond any model: a damaged file asks for no more memory */

typedef struct cell { /* one line at one layer */
    int64_t n;        /* repeats of the sample at hand */
    double sum;
    cf_mean task, all;
} cell;

typedef struct entry {
    cell lines[CF_N_LENS_LINES];
} entry;

typedef struct source { /* the baseline, or a point */
    entry *layers;
    size_t n, cap;
} source;

typedef struct tally {
    cf_store *store;
    cf_run_table runs;
    cf_run_index *index;
    source *sources; /* [runs.n + 1]: the baseline, then by the point's first run */
    bool begun;      /* there is a sample at hand */
    int64_t id;
    cf_str task;
    cf_lens_curve *curves;
    size_t n_curves, cap_curves;
} tally;

/* ---- names ---- */

const char *cf_lens_line_name(cf_lens_line l)
{
    static const char *const names[CF_N_LENS_LINES] = {[CF_LENS_ANSWER] = "Noncapitalized Answer",
                                                       [CF_LENS_OPTION] = "Noncapitalized False Option",
                                                       [CF_LENS_ANSWER_UPPER] = "Capitalized Answer",
                                                       [CF_LENS_OPTION_UPPER] = "Capitalized False Option"};
    return names[l];
}

bool cf_lens_line_is_option(cf_lens_line l)
{
    return l == CF_LENS_OPTION || l == CF_LENS_OPTION_UPPER;
}

/* ---- sums to curves ---- */

static void curve_deinit(cf_lens_curve *c)
{
    free(c->task);
    free(c->spec);
    free(c->style);
    free(c->points);
}

/* run NULL: the baseline. */
static cf_status name_curve(cf_lens_curve *c, const char *task, const cf_run_entry *run, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_strdup(&c->task, cf_slice_of(task), err));
    if (run) {
        CF_TRY(cf_strdup(&c->spec, cf_slice_of(run->label), err));
        CF_TRY(cf_strdup(&c->style, cf_slice_of(run->style), err));
        c->window = run->window;
        c->centre = run->centre;
    }
done:
    return st;
}

/* task NULL: of all tasks. Nothing where the line has no value. */
static cf_status add_curve(tally *t, const char *task, size_t at, cf_lens_line line, cf_error *err)
{
    const source *x = &t->sources[at];
    cf_status st = CF_OK;
    cf_lens_curve c = {.line = line};
    void *points = NULL, *items = NULL;
    CF_TRY(cf_alloc(&points, x->n, sizeof *c.points, "a curve", err));
    c.points = points;
    for (size_t i = 0; i < x->n; i++) {
        const cell *y = &x->layers[i].lines[line];
        const cf_mean *mean = task ? &y->task : &y->all;
        if (mean->n)
            c.points[c.n_points++] = cf_mean_point(mean, (int32_t)i);
    }
    if (c.n_points == 0)
        goto done;
    CF_TRY(name_curve(&c, task ? task : "all", at ? &t->runs.items[at - 1] : NULL, err));
    items = t->curves;
    CF_TRY(cf_grow(&items, &t->cap_curves, t->n_curves + 1, sizeof *t->curves, "curves", err));
    t->curves = items;
    t->curves[t->n_curves++] = c;
    c = (cf_lens_curve){0};
done:
    curve_deinit(&c);
    return st;
}

static cf_status add_curves(tally *t, const char *task, cf_error *err)
{
    cf_status st = CF_OK;
    for (size_t i = 0; i <= t->runs.n; i++)
        for (int line = 0; line < CF_N_LENS_LINES; line++)
            CF_TRY(add_curve(t, task, i, (cf_lens_line)line, err));
done:
    return st;
}

/* ---- adding up ---- */

static void end_sample_entry(entry *e)
{
    for (int line = 0; line < CF_N_LENS_LINES; line++) {
        cell *c = &e->lines[line];
        if (c->n == 0)
            continue;
        const double mean = c->sum / (double)c->n;
        cf_mean_add(&c->task, mean);
        cf_mean_add(&c->all, mean);
        c->n = 0;
        c->sum = 0.0;
    }
}

static void end_sample(tally *t)
{
    for (size_t i = 0; i <= t->runs.n; i++)
        for (size_t j = 0; j < t->sources[i].n; j++)
            end_sample_entry(&t->sources[i].layers[j]);
}

static cf_status end_task(tally *t, cf_error *err)
{
    if (!t->begun)
        return CF_OK;
    const cf_status st = add_curves(t, t->task.data, err);
    for (size_t i = 0; i <= t->runs.n; i++)
        for (size_t j = 0; j < t->sources[i].n; j++)
            for (int line = 0; line < CF_N_LENS_LINES; line++)
                t->sources[i].layers[j].lines[line].task = (cf_mean){0};
    return st;
}

static cf_status begin_sample(tally *t, int64_t id, const char *task, cf_error *err)
{
    cf_status st = CF_OK;
    if (t->begun && t->id == id)
        goto done;
    end_sample(t);
    if (!t->begun || strcmp(t->task.data, task) != 0) {
        CF_TRY(end_task(t, err));
        cf_str_clear(&t->task);
        CF_TRY(cf_str_add_text(&t->task, task, err));
    }
    t->id = id;
    t->begun = true;
done:
    return st;
}

static cf_status reach_layer(source *x, size_t layer, cf_error *err)
{
    void *items = x->layers;
    const cf_status st = cf_grow(&items, &x->cap, layer + 1, sizeof *x->layers, "the lens", err);
    if (st != CF_OK)
        return st;
    x->layers = items;
    while (x->n <= layer)
        x->layers[x->n++] = (entry){0};
    return CF_OK;
}

/* Columns: id, task, run, layer, then those of CF_LENS_COLUMNS. */
static cf_status add_entry(tally *t, sqlite3_stmt *q, cf_error *err)
{
    const int64_t run = sqlite3_column_int64(q, 2), layer = sqlite3_column_int64(q, 3);
    cf_status st = CF_OK;
    size_t at = 0;
    if (run != CF_NO_RUN) {
        if (!cf_run_index_find(&at, t->index, run))
            return cf_fail(err, CF_FORMAT, "%s: a lens entry names run %" PRId64 ", which is not in the study",
                           t->store->path, run);
        at = t->runs.items[at].point + 1;
    }
    if (layer < 0 || layer >= MOST_ENTRIES)
        return cf_fail(err, CF_FORMAT, "%s: a lens entry: expected a layer below %d, found %" PRId64, t->store->path,
                       MOST_ENTRIES, layer);
    CF_TRY(begin_sample(t, sqlite3_column_int64(q, 0), cf_column_text(q, 1), err));
    CF_TRY(reach_layer(&t->sources[at], (size_t)layer, err));
    for (int line = 0; line < CF_N_LENS_LINES; line++) {
        const double p = cf_column_f64(q, 4 + line);
        cell *c = &t->sources[at].layers[layer].lines[line];
        if (isnan(p))
            continue;
        c->n++;
        c->sum += 100.0 * p;
    }
done:
    return st;
}

static cf_status read_entries(tally *t, cf_error *err)
{
    cf_status st = CF_OK;
    sqlite3_stmt *q = NULL;
    CF_TRY(cf_store_prepare(t->store, &q,
                            "SELECT s.id, s.task, l.run, l.layer, " CF_LENS_COLUMNS
                            " FROM sample s CROSS JOIN lens l ON l.sample = s.id "
                            "WHERE s.status = 'done' AND l.position = s.n_tokens - 1 ORDER BY s.task, s.row, l.run",
                            err));
    int rc;
    while ((rc = sqlite3_step(q)) == SQLITE_ROW)
        CF_TRY(add_entry(t, q, err));
    if (rc != SQLITE_DONE)
        st = cf_store_fault(t->store, err, "read the lens");
done:
    sqlite3_finalize(q);
    return st;
}

static cf_status tally_init(tally *t, cf_error *err)
{
    cf_status st = CF_OK;
    void *sources = NULL;
    CF_TRY(cf_run_table_read(t->store, &t->runs, err));
    CF_TRY(cf_run_index_make(&t->index, &t->runs, err));
    CF_TRY(cf_alloc(&sources, t->runs.n + 1, sizeof *t->sources, "the lens", err));
    t->sources = sources;
done:
    return st;
}

static void tally_deinit(tally *t)
{
    for (size_t i = 0; t->sources && i <= t->runs.n; i++)
        free(t->sources[i].layers);
    free(t->sources);
    cf_lens_curves_free(t->curves, t->n_curves);
    cf_str_deinit(&t->task);
    cf_run_index_free(t->index);
    cf_run_table_deinit(&t->runs);
}

cf_status cf_store_lens_curves(cf_store *s, cf_lens_curve **out, size_t *n, bool all_tasks, cf_error *err)
{
    cf_status st = CF_OK;
    tally t = {.store = s};
    CF_TRY(tally_init(&t, err));
    CF_TRY(read_entries(&t, err));
    end_sample(&t);
    CF_TRY(end_task(&t, err));
    if (all_tasks)
        CF_TRY(add_curves(&t, NULL, err));
    *out = t.curves;
    *n = t.n_curves;
    t.curves = NULL;
    t.n_curves = 0;
done:
    tally_deinit(&t);
    return st;
}

void cf_lens_curves_free(cf_lens_curve *curves, size_t n)
{
    for (size_t i = 0; i < n; i++)
        curve_deinit(&curves[i]);
    free(curves);
}
