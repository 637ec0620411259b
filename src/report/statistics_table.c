/* statistics_table.c - see statistics_table.h. */
#include "report/statistics_table.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "report/table_text.h"
#include "report/curve_groups.h"

enum { CELL_BYTES = 512 }; /* %.2f of the largest double has 312 characters */
static const double LEAST_P = 1e-300;

/* ---- one block ---- */

/* What rounds to zero has no sign. */
static void print_number(char cell[CELL_BYTES], double v)
{
    if (isnan(v))
        (void)snprintf(cell, CELL_BYTES, "-");
    else
        (void)snprintf(cell, CELL_BYTES, "%.2f", fabs(v) < 0.005 ? 0.0 : v);
}

static void print_p(char cell[CELL_BYTES], double p)
{
    if (isnan(p))
        (void)snprintf(cell, CELL_BYTES, "-");
    else if (p < LEAST_P)
        (void)snprintf(cell, CELL_BYTES, "<1e-300");
    else
        (void)snprintf(cell, CELL_BYTES, "%.2g", p);
}

/* A fixed run has no layer. */
static cf_status add_row(cf_str *out, const cf_statistic_point *p, bool has_layers, cf_error *err)
{
    const cf_statistic *s = &p->s;
    char layer[16] = "-", mean[CELL_BYTES], low[CELL_BYTES], high[CELL_BYTES], median[CELL_BYTES], chance[CELL_BYTES],
         r[CELL_BYTES];
    if (has_layers)
        (void)snprintf(layer, sizeof layer, "%" PRId32, p->layer);
    print_number(mean, s->mean);
    print_number(low, s->low);
    print_number(high, s->high);
    print_number(median, s->median);
    print_p(chance, s->p);
    print_number(r, s->r);
    return cf_str_addf(out, err, "%5s %7" PRId64 " %7" PRId64 " %7" PRId64 " %9s [%9s, %9s] %9s %9s %6s\n", layer, s->n,
                       p->n_empty, p->n_without, mean, low, high, median, chance, r);
}

static cf_status add_block(cf_str *out, const cf_statistic_curve *c, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_str_add_text(out, "\n", err));
    CF_TRY(cf_table_wrapped(out, c->spec, 4, err));
    CF_TRY(cf_str_addf(out, err, "\n%5s %7s %7s %7s %9s [%9s, %9s] %9s %9s %6s\n", "layer", "n", "empty", "without",
                       "mean", "low", "high", "median", "p", "r"));
    for (size_t i = 0; i < c->n_points; i++)
        CF_TRY(add_row(out, &c->points[i], cf_style_has_layers(c->style), err));
done:
    return st;
}

/* ---- tasks and windows ---- */

static cf_status add_title(cf_str *out, const cf_statistic_curve *c, cf_measure m, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_str_add_text(out, "\n", err));
    CF_TRY(cf_table_text(out, c->task ? c->task : "all tasks", err));
    CF_TRY(cf_str_add_text(out, ", ", err));
    CF_TRY(cf_window_text(out, c->style, c->window, err));
    CF_TRY(cf_str_addf(out, err, ": %s\n", cf_measure_label(m)));
done:
    return st;
}

/* The curves of one task come flow by flow and are shown window by window. */
static cf_status add_task(cf_str *out, const cf_statistic_curve *curves, size_t n, const cf_table_options *o,
                          size_t *n_tables, cf_error *err)
{
    cf_status st = CF_OK;
    void *memory = NULL;
    size_t n_keys = 0;
    CF_TRY(cf_alloc(&memory, n, sizeof(cf_window_key), "curves", err));
    cf_window_key *const keys = memory;
    for (size_t i = 0; i < n; i++) {
        const cf_window_key key = {curves[i].style, curves[i].window, i};
        if (cf_window_key_is(&key, o->style, o->window))
            keys[n_keys++] = key;
    }
    qsort(keys, n_keys, sizeof *keys, cf_window_key_compare);
    for (size_t i = 0; i < n_keys; i++) {
        const cf_statistic_curve *c = &curves[keys[i].at];
        if (i == 0 || !cf_window_key_same(&keys[i - 1], &keys[i])) {
            CF_TRY(add_title(out, c, o->measure, err));
            (*n_tables)++;
        }
        CF_TRY(add_block(out, c, err));
    }
done:
    free(memory);
    return st;
}

static bool same_task(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static cf_status add_legend(cf_str *out, const cf_table_options *o, cf_error *err)
{
    return cf_str_addf(
        out, err,
        "statistics   low, high: 95 %% interval of the mean, percentile bootstrap, %" PRId64 " resamples, seed %" PRIu64
        "\n"
        "             p: Wilcoxon signed-rank test against no change, two-sided; of its layer alone, not corrected;\n"
        "                small beside a mean near 0 it tells of a tiny change of one sign\n"
        "             r: matched-pairs rank-biserial correlation, -1 where every sample falls, 1 where every one "
        "rises\n"
        "             empty: samples with an empty group, %s n\n"
        "             without: samples without a number (fully cut, too few keys, no such measure), left out of n\n",
        o->bootstrap.resamples, o->bootstrap.seed, o->drop_empty ? "left out of" : "as no change in");
}

cf_status cf_table_statistics(cf_store *s, cf_str *out, const cf_table_options *o, size_t *n_tables, cf_error *err)
{
    const cf_statistics_options options = {
        .bootstrap = o->bootstrap, .measure = o->measure, .drop_empty = o->drop_empty};
    cf_status st = CF_OK;
    cf_statistic_curve *curves = NULL;
    size_t n = 0;
    CF_TRY(cf_store_statistics(s, &curves, &n, &options, err));
    CF_TRY(add_legend(out, o, err));
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && same_task(curves[end].task, curves[i].task);)
            end++;
        if (!o->task || same_task(o->task, curves[i].task))
            CF_TRY(add_task(out, curves + i, end - i, o, n_tables, err));
    }
done:
    cf_statistics_free(curves, n);
    return st;
}
