/* statistics_table.c - see statistics_table.h. */
#include "report/statistics_table.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/table_blocks.h"

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

static cf_status add_row(cf_str *out, const cf_statistic_point *p, cf_error *err)
{
    const cf_statistic *s = &p->s;
    char mean[CELL_BYTES], low[CELL_BYTES], high[CELL_BYTES], median[CELL_BYTES], chance[CELL_BYTES], r[CELL_BYTES];
    print_number(mean, s->mean);
    print_number(low, s->low);
    print_number(high, s->high);
    print_number(median, s->median);
    print_p(chance, s->p);
    print_number(r, s->r);
    return cf_str_addf(out, err, "%5" PRId32 " %7" PRId64 " %7" PRId64 " %7" PRId64 " %9s [%9s, %9s] %9s %9s %6s\n",
                       p->layer, s->n, p->n_empty, p->n_without, mean, low, high, median, chance, r);
}

static cf_status add_block(cf_str *out, const cf_statistic_curve *c, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_str_add_text(out, "\n", err));
    CF_TRY(cf_table_text(out, c->spec, err));
    CF_TRY(cf_str_addf(out, err, "\n%5s %7s %7s %7s %9s [%9s, %9s] %9s %9s %6s\n", "layer", "n", "empty", "cut", "mean",
                       "low", "high", "median", "p", "r"));
    for (size_t i = 0; i < c->n_points; i++)
        CF_TRY(add_row(out, &c->points[i], err));
done:
    return st;
}

/* ---- tasks and windows ---- */

/* The smallest window above `last`; 0 where there is none. */
static int32_t next_window(const cf_statistic_curve *curves, size_t n, int32_t last)
{
    int32_t next = 0;
    for (size_t i = 0; i < n; i++)
        if (curves[i].window > last && (next == 0 || curves[i].window < next))
            next = curves[i].window;
    return next;
}

/* The curves of one task come flow by flow and are shown window by window. */
static cf_status add_task(cf_str *out, const cf_statistic_curve *curves, size_t n, int32_t window, size_t *n_tables,
                          cf_error *err)
{
    cf_status st = CF_OK;
    for (int32_t k = next_window(curves, n, 0); k != 0; k = next_window(curves, n, k)) {
        if (window != 0 && k != window)
            continue;
        CF_TRY(cf_str_add_text(out, "\n", err));
        CF_TRY(cf_table_text(out, curves->task ? curves->task : "all tasks", err));
        CF_TRY(cf_str_addf(out, err, ", window of %" PRId32 " layer%s: change of the answer's probability in %%\n", k,
                           k == 1 ? "" : "s"));
        for (size_t i = 0; i < n; i++)
            if (curves[i].window == k)
                CF_TRY(add_block(out, &curves[i], err));
        (*n_tables)++;
    }
done:
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
        "             empty: samples with an empty group, %s n; cut: samples fully cut, left out of n\n",
        o->bootstrap.resamples, o->bootstrap.seed, o->drop_empty ? "left out of" : "as no change in");
}

cf_status cf_table_statistics(cf_store *s, cf_str *out, const cf_table_options *o, cf_error *err)
{
    const cf_statistics_options options = {.bootstrap = o->bootstrap, .drop_empty = o->drop_empty};
    cf_status st = CF_OK;
    cf_statistic_curve *curves = NULL;
    size_t n = 0, n_tables = 0;
    CF_TRY(cf_store_statistics(s, &curves, &n, &options, err));
    CF_TRY(add_legend(out, o, err));
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && same_task(curves[end].task, curves[i].task);)
            end++;
        if (!o->task || same_task(o->task, curves[i].task))
            CF_TRY(add_task(out, curves + i, end - i, o->window, &n_tables, err));
    }
    if (n_tables == 0 && (o->task || o->window))
        st = cf_fail(err, CF_USAGE, "%s: no curve of %s%s with window %" PRId32 " (0: any)", cf_store_path(s),
                     o->task ? "task " : "any task", o->task ? o->task : "", o->window);
done:
    cf_statistics_free(curves, n);
    return st;
}
