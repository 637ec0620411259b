/* table.c - the head of a study, and which curves stand together; the tables themselves are table_blocks.c's and
 * statistics_table.c's. */
#include "report/table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "report/statistics_table.h"
#include "report/table_blocks.h"

cf_table_options cf_table_options_default(void)
{
    return (cf_table_options){.bootstrap = cf_bootstrap_default()};
}

/* ---- facts ---- */

/* Facts that a reader asks for first, in this order, where the study has them; `crossflow trace` writes them. */
static const char *const shown_facts[] = {"model",     "questions",     "prompt",
                                          "image fit", "keep",          "backend",
                                          "dtype",     "row invariant", "largest difference to recomputing"};

static cf_status add_heading(cf_str *out, const char *name, cf_error *err)
{
    return cf_str_addf(out, err, "%-12s ", name);
}

static cf_status add_facts(cf_store *s, cf_str *out, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str value = {0};
    CF_TRY(add_heading(out, "study", err));
    CF_TRY(cf_table_text(out, cf_store_path(s), err));
    CF_TRY(cf_str_add_text(out, "\n", err));
    for (size_t i = 0; i < sizeof shown_facts / sizeof *shown_facts; i++) {
        bool found = false;
        cf_str_clear(&value);
        CF_TRY(cf_store_fact(s, shown_facts[i], &value, &found, err));
        if (!found)
            continue;
        CF_TRY(add_heading(out, shown_facts[i], err));
        CF_TRY(cf_table_text(out, value.data ? value.data : "", err));
        CF_TRY(cf_str_add_text(out, "\n", err));
    }
done:
    cf_str_deinit(&value);
    return st;
}

/* ---- counts ---- */

typedef struct reason {
    char *text;
    int64_t n;
} reason;

typedef struct reasons { /* zero-initialise */
    reason *items;
    size_t n, cap;
} reasons;

static cf_status note_fault(void *user, const cf_sample *sample, cf_error *err)
{
    reasons *r = user;
    if (sample->status != CF_SAMPLE_FAULT)
        return CF_OK;
    for (size_t i = 0; i < r->n; i++) {
        if (strcmp(r->items[i].text, sample->reason) == 0) {
            r->items[i].n++;
            return CF_OK;
        }
    }
    void *items = r->items;
    cf_status st = cf_grow(&items, &r->cap, r->n + 1, sizeof *r->items, "reasons", err);
    r->items = items;
    if (st != CF_OK)
        return st;
    char *text = NULL;
    st = cf_strdup(&text, cf_slice_of(sample->reason), err);
    if (st == CF_OK)
        r->items[r->n++] = (reason){text, 1};
    return st;
}

/* Most frequent first; then by text, so that a study always reads the same. */
static int compare_reasons(const void *a, const void *b)
{
    const reason *x = a, *y = b;
    return x->n != y->n ? (x->n < y->n) - (x->n > y->n) : strcmp(x->text, y->text);
}

static cf_status add_faults(cf_store *s, cf_str *out, cf_error *err)
{
    enum { SHOWN = 10 };
    cf_status st = CF_OK;
    reasons r = {0};
    CF_TRY(cf_store_each_sample(s, note_fault, &r, err));
    if (r.n)
        qsort(r.items, r.n, sizeof *r.items, compare_reasons);
    for (size_t i = 0; i < r.n && i < SHOWN; i++) {
        CF_TRY(cf_str_addf(out, err, "  fault %5" PRId64 "  ", r.items[i].n));
        CF_TRY(cf_table_text(out, r.items[i].text, err));
        CF_TRY(cf_str_add_text(out, "\n", err));
    }
    if (r.n > SHOWN)
        CF_TRY(cf_str_addf(out, err, "  fault        and %zu other reasons\n", r.n - SHOWN));
done:
    for (size_t i = 0; i < r.n; i++)
        free(r.items[i].text);
    free(r.items);
    return st;
}

static cf_status add_counts(cf_store *s, cf_str *out, bool drop_empty, cf_error *err)
{
    cf_status st = CF_OK;
    cf_store_counts c = {0};
    CF_TRY(cf_store_count(s, &c, err));
    CF_TRY(add_heading(out, "samples", err));
    CF_TRY(cf_str_addf(out, err, "%" PRId64 " done, %" PRId64 " wrong, %" PRId64 " fault\n", c.done, c.wrong, c.fault));
    CF_TRY(add_faults(s, out, err));
    CF_TRY(add_heading(out, "values", err));
    CF_TRY(cf_str_addf(out, err, "%" PRId64 " empty_group (%s), %" PRId64 " no_visible_edge, %" PRId64 " fully_cut\n",
                       c.empty_group, drop_empty ? "left out of means" : "in the means, as no change",
                       c.no_visible_edge, c.fully_cut));
done:
    return st;
}

/* ---- curves ---- */

/* "ChooseAttr, window of 9 layers, 895 samples: mean change of the answer's probability in %" */
static cf_status add_title(cf_str *out, const cf_curve *const *curves, size_t n, const char *task, cf_error *err)
{
    cf_status st = CF_OK;
    const int32_t window = curves[0]->window;
    int64_t least = INT64_MAX, most = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < curves[i]->n_points; j++) {
            const int64_t samples = curves[i]->points[j].n;
            least = samples < least ? samples : least;
            most = samples > most ? samples : most;
        }
    }
    CF_TRY(cf_str_add_text(out, "\n", err));
    CF_TRY(cf_table_text(out, task, err));
    CF_TRY(cf_str_addf(out, err, ", window of %" PRId32 " layer%s, ", window, window == 1 ? "" : "s"));
    if (least != most)
        CF_TRY(cf_str_addf(out, err, "%" PRId64 " to ", least));
    CF_TRY(cf_str_addf(out, err, "%" PRId64 " sample%s: mean change of the answer's probability in %%\n\n", most,
                       least == most && most == 1 ? "" : "s"));
done:
    return st;
}

/* By window; curves of one window stay in the study's order of flows, which is their order in memory. */
static int compare_windows(const void *a, const void *b)
{
    const cf_curve *const *x = a, *const *y = b;
    if ((*x)->window != (*y)->window)
        return (*x)->window < (*y)->window ? -1 : 1;
    return (*x > *y) - (*x < *y);
}

/* The curves of one task come flow by flow and are shown window by window. */
static cf_status add_task(cf_str *out, const cf_curve *curves, size_t n, const char *task, int32_t window,
                          size_t *n_tables, cf_error *err)
{
    cf_status st = CF_OK;
    void *memory = NULL;
    const cf_curve **sorted = NULL;
    CF_TRY(cf_alloc(&memory, n, sizeof *sorted, "curves", err));
    sorted = memory;
    for (size_t i = 0; i < n; i++)
        sorted[i] = &curves[i];
    qsort(sorted, n, sizeof *sorted, compare_windows);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && sorted[end]->window == sorted[i]->window;)
            end++;
        if (window != 0 && sorted[i]->window != window)
            continue;
        CF_TRY(add_title(out, sorted + i, end - i, task, err));
        CF_TRY(cf_table_curves(out, sorted + i, end - i, err));
        (*n_tables)++;
    }
done:
    free(sorted);
    return st;
}

static cf_status add_curves(cf_store *s, cf_str *out, const cf_table_options *o, cf_error *err)
{
    cf_status st = CF_OK;
    cf_curve *curves = NULL;
    size_t n = 0, n_tasks = 0, n_tables = 0;
    CF_TRY(cf_store_curves(s, &curves, &n, &(cf_curve_options){.drop_empty = o->drop_empty, .all_tasks = true}, err));
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && strcmp(curves[end].task, curves[i].task) == 0;)
            end++;
        const bool all = end == n; /* the last ones are of all tasks together */
        n_tasks++;
        if (o->task ? all || strcmp(o->task, curves[i].task) != 0 : all && n_tasks == 2)
            continue;
        CF_TRY(add_task(out, curves + i, end - i, all ? "all tasks" : curves[i].task, o->window, &n_tables, err));
    }
    if (n_tables == 0 && (o->task || o->window))
        st = cf_fail(err, CF_USAGE, "%s: no curve of %s%s with window %" PRId32 " (0: any)", cf_store_path(s),
                     o->task ? "task " : "any task", o->task ? o->task : "", o->window);
done:
    cf_curves_free(curves, n);
    return st;
}

cf_status cf_table_write(cf_store *s, cf_str *out, const cf_table_options *o, cf_error *err)
{
    const cf_table_options options = o ? *o : cf_table_options_default();
    cf_status st = CF_OK;
    cf_str text = {0};
    CF_TRY(add_facts(s, &text, err));
    CF_TRY(add_counts(s, &text, options.drop_empty, err));
    CF_TRY(options.statistics ? cf_table_statistics(s, &text, &options, err) : add_curves(s, &text, &options, err));
    CF_TRY(cf_str_add(out, cf_str_slice(&text), err));
done:
    cf_str_deinit(&text);
    return st;
}
