/* page_curves.c - see page_curves.h. Changes, values and statistics are three walks of the store over the same points in
 * the same order; they are joined here. */
#include "report/page_curves.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "report/curve_groups.h"
#include "report/flow_style.h"
#include "report/page_json.h"

/* ---- lists: a member for each number of a point ---- */

typedef struct row {
    double layer, n, n_empty, n_without;
    double mean, low, high;
    double boot_low, boot_high, median, p, r;
    double absolute, absolute_low, absolute_high;
} row;

typedef struct column {
    const char *name;
    size_t offset;
} column;

static const column curve_columns[] = {
    {"layer", offsetof(row, layer)},
    {"n", offsetof(row, n)},
    {"nEmpty", offsetof(row, n_empty)},
    {"nWithout", offsetof(row, n_without)},
    {"mean", offsetof(row, mean)},
    {"low", offsetof(row, low)},
    {"high", offsetof(row, high)},
    {"bootLow", offsetof(row, boot_low)},
    {"bootHigh", offsetof(row, boot_high)},
    {"median", offsetof(row, median)},
    {"p", offsetof(row, p)},
    {"r", offsetof(row, r)},
    {"absolute", offsetof(row, absolute)},
    {"absoluteLow", offsetof(row, absolute_low)},
    {"absoluteHigh", offsetof(row, absolute_high)},
};
static const column lens_columns[] = {
    {"layer", offsetof(row, layer)}, {"n", offsetof(row, n)},       {"mean", offsetof(row, mean)},
    {"low", offsetof(row, low)},     {"high", offsetof(row, high)},
};

static cf_status add_columns(cf_str *json, const column *columns, size_t n_columns, const row *rows, size_t n,
                             cf_error *err)
{
    cf_status st = CF_OK;
    for (size_t c = 0; c < n_columns; c++) {
        CF_TRY(cf_page_name(json, columns[c].name, err));
        CF_TRY(cf_str_add_text(json, "[", err));
        for (size_t i = 0; i < n; i++) {
            double v = 0;
            memcpy(&v, (const char *)&rows[i] + columns[c].offset, sizeof v);
            CF_TRY(cf_page_next(json, err));
            CF_TRY(cf_page_add_number(json, v, err));
        }
        CF_TRY(cf_str_add_text(json, "]", err));
    }
done:
    return st;
}

static cf_status add_task(cf_str *json, const char *task, cf_error *err)
{
    if (task)
        return cf_page_text(json, "task", task, err);
    const cf_status st = cf_page_name(json, "task", err);
    return st == CF_OK ? cf_str_add_text(json, "null", err) : st;
}

/* ---- curves ---- */

typedef struct measured { /* one measure: the same points three times */
    cf_statistic_curve *statistics;
    cf_curve *changes, *values;
    size_t n_statistics, n_changes, n_values;
} measured;

static void measured_deinit(measured *m)
{
    cf_statistics_free(m->statistics, m->n_statistics);
    cf_curves_free(m->changes, m->n_changes);
    cf_curves_free(m->values, m->n_values);
}

static cf_status measure(measured *m, cf_store *s, cf_measure which, int64_t resamples, cf_error *err)
{
    cf_status st = CF_OK;
    cf_statistics_options so = cf_statistics_options_default();
    cf_curve_options co = {.measure = which};
    so.measure = which;
    so.bootstrap.resamples = resamples;
    CF_TRY(cf_store_statistics(s, &m->statistics, &m->n_statistics, &so, err));
    if (m->n_statistics == 0)
        goto done;
    co.all_tasks = !m->statistics[m->n_statistics - 1].task;
    CF_TRY(cf_store_curves(s, &m->changes, &m->n_changes, &co, err));
    co.absolute = true;
    CF_TRY(cf_store_curves(s, &m->values, &m->n_values, &co, err));
    if (m->n_changes != m->n_statistics || m->n_values != m->n_statistics)
        st = cf_fail(err, CF_MISMATCH, "%s: changed while it was read", cf_store_path(s));
done:
    return st;
}

static row row_of(const cf_statistic_point *s, const cf_point *change, const cf_point *value)
{
    return (row){.layer = change->layer,
                 .n = (double)change->n,
                 .n_empty = (double)change->n_empty,
                 .n_without = (double)s->n_without,
                 .mean = change->mean,
                 .low = change->low,
                 .high = change->high,
                 .boot_low = s->s.low,
                 .boot_high = s->s.high,
                 .median = s->s.median,
                 .p = s->s.p,
                 .r = s->s.r,
                 .absolute = value->mean,
                 .absolute_low = value->low,
                 .absolute_high = value->high};
}

/* For each point the columns of its runs. */
static cf_status add_point_runs(cf_str *json, const cf_page_runs *runs, const cf_statistic_curve *c, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_page_name(json, "runs", err));
    CF_TRY(cf_str_add_text(json, "[", err));
    for (size_t i = 0; i < c->n_points; i++) {
        size_t first = 0;
        CF_TRY(cf_page_next(json, err));
        CF_TRY(cf_str_add_text(json, "[", err));
        const bool found = cf_page_runs_find(&first, runs, c->points[i].run);
        for (size_t at = found ? runs->items[first].sorted_at : runs->n; at < runs->n; at++) {
            const size_t run = runs->sorted[at];
            if (runs->items[run].point != runs->items[first].point)
                break;
            CF_TRY(cf_page_next(json, err));
            CF_TRY(cf_str_addf(json, err, "%zu", run));
        }
        CF_TRY(cf_str_add_text(json, "]", err));
    }
    CF_TRY(cf_str_add_text(json, "]", err));
done:
    return st;
}

static cf_status add_curve(cf_str *json, const measured *m, size_t i, const cf_page_runs *runs, cf_measure which,
                           const cf_store *s, cf_error *err)
{
    const cf_statistic_curve *c = &m->statistics[i];
    const cf_curve *change = &m->changes[i], *value = &m->values[i];
    cf_status st = CF_OK;
    void *memory = NULL;
    size_t flow = 0;
    if (change->n_points != c->n_points || value->n_points != c->n_points || !cf_page_flow_find(&flow, runs, c->spec))
        return cf_fail(err, CF_MISMATCH, "%s: changed while it was read", cf_store_path(s));
    CF_TRY(cf_alloc(&memory, c->n_points, sizeof(row), "a curve", err));
    row *rows = memory;
    for (size_t p = 0; p < c->n_points; p++)
        rows[p] = row_of(&c->points[p], &change->points[p], &value->points[p]);
    CF_TRY(cf_page_next(json, err));
    CF_TRY(cf_str_add_text(json, "{", err));
    CF_TRY(add_task(json, c->task, err));
    CF_TRY(cf_page_integer(json, "flow", (int64_t)flow, err));
    CF_TRY(cf_page_text(json, "style", c->style, err));
    CF_TRY(cf_page_integer(json, "window", c->window, err));
    CF_TRY(cf_page_text(json, "measure", cf_measure_name(which), err));
    CF_TRY(add_columns(json, curve_columns, sizeof curve_columns / sizeof *curve_columns, rows, c->n_points, err));
    CF_TRY(add_point_runs(json, runs, c, err));
    CF_TRY(cf_str_add_text(json, "}", err));
done:
    free(memory);
    return st;
}

/* ---- measures ---- */

static const struct {
    const char *label, *comparison;
} absolute[CF_N_MEASURES] = {
    [CF_MEASURE_PROBABILITY] = {"the answer's probability", "relative"},
    [CF_MEASURE_TRUE] = {"the true answer's probability", "relative"},
    [CF_MEASURE_WHOLE] = {"the whole answer's probability", "relative"},
    [CF_MEASURE_DIFFERENCE] = {"the options' logit difference", "difference"},
    [CF_MEASURE_RANK] = {"the answer's rank", "difference"},
    [CF_MEASURE_FLIP] = {"share of answers that flip", "share"},
    [CF_MEASURE_TOP] = {"the most probable token", "none"},
};

static cf_status add_measure(cf_str *json, cf_measure m, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_page_next(json, err));
    CF_TRY(cf_str_add_text(json, "{", err));
    CF_TRY(cf_page_text(json, "name", cf_measure_name(m), err));
    CF_TRY(cf_page_text(json, "label", cf_measure_label(m), err));
    CF_TRY(cf_page_text(json, "absoluteLabel", absolute[m].label, err));
    CF_TRY(cf_page_text(json, "comparison", absolute[m].comparison, err));
    CF_TRY(cf_str_add_text(json, "}", err));
done:
    return st;
}

cf_status cf_page_measures_add(cf_str *json, const bool has[CF_N_MEASURES], cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_page_name(json, "measures", err));
    CF_TRY(cf_str_add_text(json, "[", err));
    for (int m = 0; m < CF_N_MEASURES; m++)
        if (has[m])
            CF_TRY(add_measure(json, (cf_measure)m, err));
    CF_TRY(cf_str_add_text(json, "]", err));
done:
    return st;
}

static cf_status add_curves_of(cf_str *json, cf_store *s, const cf_page_runs *runs, cf_measure m, int64_t resamples,
                               bool *has, cf_error *err)
{
    cf_status st = CF_OK;
    measured all = {0};
    CF_TRY(measure(&all, s, m, resamples, err));
    *has = all.n_statistics > 0;
    for (size_t i = 0; i < all.n_statistics; i++)
        CF_TRY(add_curve(json, &all, i, runs, m, s, err));
done:
    measured_deinit(&all);
    return st;
}

cf_status cf_page_curves_add(cf_str *json, cf_store *s, const cf_page_runs *runs, int64_t resamples,
                             bool has[CF_N_MEASURES], cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_page_name(json, "curves", err));
    CF_TRY(cf_str_add_text(json, "[", err));
    for (int m = 0; m < CF_N_MEASURES; m++)
        if (runs->n && cf_measure_label((cf_measure)m))
            CF_TRY(add_curves_of(json, s, runs, (cf_measure)m, resamples, &has[m], err));
    CF_TRY(cf_str_add_text(json, "]", err));
done:
    return st;
}

/* ---- lens ---- */

static cf_status add_lens_curve(cf_str *json, const cf_lens_curve *c, bool all, const cf_page_runs *runs, cf_error *err)
{
    cf_status st = CF_OK;
    void *memory = NULL;
    size_t flow = 0;
    const bool cut = c->spec && cf_page_flow_find(&flow, runs, c->spec);
    CF_TRY(cf_alloc(&memory, c->n_points, sizeof(row), "a lens curve", err));
    row *rows = memory;
    for (size_t i = 0; i < c->n_points; i++) {
        const cf_point *p = &c->points[i];
        rows[i] = (row){.layer = p->layer, .n = (double)p->n, .mean = p->mean, .low = p->low, .high = p->high};
    }
    CF_TRY(cf_page_next(json, err));
    CF_TRY(cf_str_add_text(json, "{", err));
    CF_TRY(add_task(json, all ? NULL : c->task, err));
    CF_TRY(cf_page_index(json, "flow", cut ? (int64_t)flow : -1, err));
    if (cut)
        CF_TRY(cf_page_text(json, "style", c->style, err));
    else
        CF_TRY(cf_page_index(json, "style", -1, err));
    CF_TRY(cf_page_integer(json, "window", c->window, err));
    CF_TRY(cf_page_integer(json, "centre", c->centre, err));
    CF_TRY(cf_page_text(json, "line", cf_lens_line_name(c->line), err));
    CF_TRY(cf_page_text(json, "colour", cf_lens_style_of(c->line).colour, err));
    CF_TRY(add_columns(json, lens_columns, sizeof lens_columns / sizeof *lens_columns, rows, c->n_points, err));
    CF_TRY(cf_str_add_text(json, "}", err));
done:
    free(memory);
    return st;
}

cf_status cf_page_lens_add(cf_str *json, cf_store *s, const cf_page_runs *runs, int64_t n_tasks, int64_t *n_layers,
                           cf_error *err)
{
    cf_status st = CF_OK;
    cf_lens_curve *curves = NULL;
    size_t n = 0;
    CF_TRY(cf_store_lens_curves(s, &curves, &n, n_tasks > 1, err));
    CF_TRY(cf_page_name(json, "lens", err));
    CF_TRY(cf_str_add_text(json, "[", err));
    for (size_t i = 0, end; i < n; i = end) {
        end = cf_lens_curves_task_end(curves, n, i);
        const bool all = n_tasks > 1 && end == n;
        for (size_t k = i; k < end; k++) {
            const cf_lens_curve *c = &curves[k];
            CF_TRY(add_lens_curve(json, c, all, runs, err));
            if (c->n_points && c->points[c->n_points - 1].layer > *n_layers)
                *n_layers = c->points[c->n_points - 1].layer;
        }
    }
    CF_TRY(cf_str_add_text(json, "]", err));
done:
    cf_lens_curves_free(curves, n);
    return st;
}
