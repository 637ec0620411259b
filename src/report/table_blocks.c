/* table_blocks.c - see table_blocks.h. Everything said about a curve is computed from its points. */
#include "report/table_blocks.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "report/table_text.h"

enum { MAX_COLUMNS = 12, MIN_CELL = 6, LONGEST_LABEL = 40, READING_INDENT = 4 };

static void print_cell(char cell[CF_CHANGE_BYTES], const cf_measure_text *m, const cf_point *p)
{
    if (!p)
        cell[0] = '\0';
    else if (p->n == 0)
        (void)snprintf(cell, CF_CHANGE_BYTES, "-");
    else
        cf_change_print(cell, m, p->mean);
}

/* ---- rows ---- */

typedef struct grid {
    const cf_curve *const *curves;
    size_t n_curves;
    const cf_measure_text *m;
    bool numbered; /* rows are "[1]", not the flow's text */
    int label_width;
    int32_t *layers; /* [n_layers], ascending */
    int *widths;     /* [n_layers], of a cell with the blank before it */
    size_t n_layers;
} grid;

static void measure_labels(grid *g)
{
    g->label_width = cf_table_width("layer");
    for (size_t i = 0; i < g->n_curves; i++) {
        const int w = cf_table_width(g->curves[i]->spec);
        g->label_width = w > g->label_width ? w : g->label_width;
    }
    if (g->label_width > LONGEST_LABEL) {
        g->numbered = true;
        const int w = snprintf(NULL, 0, "[%zu]", g->n_curves);
        g->label_width = w > cf_table_width("layer") ? w : cf_table_width("layer");
    }
}

static cf_status add_label(cf_str *out, const grid *g, const char *label, cf_error *err)
{
    const cf_status st = cf_table_text(out, label, err);
    return st == CF_OK ? cf_str_addf(out, err, "%*s", g->label_width - cf_table_width(label), "") : st;
}

static cf_status add_row_label(cf_str *out, const grid *g, size_t i, cf_error *err)
{
    char number[32];
    (void)snprintf(number, sizeof number, "[%zu]", i + 1);
    return add_label(out, g, g->numbered ? number : g->curves[i]->spec, err);
}

/* "[1] Image->Question" or "Image->Question", as a line below the table begins. */
static cf_status add_flow(cf_str *out, const grid *g, size_t i, cf_error *err)
{
    cf_status st = CF_OK;
    if (g->numbered)
        CF_TRY(cf_str_addf(out, err, "[%zu] ", i + 1));
    CF_TRY(cf_table_text(out, g->curves[i]->spec, err));
done:
    return st;
}

/* ---- the table ---- */

static int compare_layers(const void *a, const void *b)
{
    const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static const cf_point *point_at(const cf_curve *c, int32_t layer)
{
    for (size_t i = 0; i < c->n_points; i++)
        if (c->points[i].layer == layer)
            return &c->points[i];
    return NULL;
}

/* The layers of all curves, sorted, each once. */
static cf_status collect_layers(grid *g, cf_error *err)
{
    cf_status st = CF_OK;
    size_t n = 0;
    void *p = NULL;
    for (size_t i = 0; i < g->n_curves; i++)
        n += g->curves[i]->n_points;
    CF_TRY(cf_alloc(&p, n, sizeof *g->layers, "layers", err));
    g->layers = p;
    CF_TRY(cf_alloc(&p, n, sizeof *g->widths, "layers", err));
    g->widths = p;
    n = 0;
    for (size_t i = 0; i < g->n_curves; i++)
        for (size_t j = 0; j < g->curves[i]->n_points; j++)
            g->layers[n++] = g->curves[i]->points[j].layer;
    qsort(g->layers, n, sizeof *g->layers, compare_layers);
    for (size_t i = 0; i < n; i++)
        if (g->n_layers == 0 || g->layers[g->n_layers - 1] != g->layers[i])
            g->layers[g->n_layers++] = g->layers[i];
done:
    return st;
}

static void measure_cells(grid *g)
{
    char cell[CF_CHANGE_BYTES];
    for (size_t j = 0; j < g->n_layers; j++) {
        int widest = snprintf(cell, sizeof cell, "%" PRId32, g->layers[j]);
        for (size_t i = 0; i < g->n_curves; i++) {
            print_cell(cell, g->m, point_at(g->curves[i], g->layers[j]));
            const int w = (int)strlen(cell);
            widest = w > widest ? w : widest;
        }
        g->widths[j] = widest + 1 > MIN_CELL ? widest + 1 : MIN_CELL;
    }
}

/* One past the last layer of the block that begins at `begin`, of at most max_columns. */
static size_t block_end(const grid *g, size_t begin, size_t max_columns)
{
    size_t end = begin + 1;
    int width = g->label_width + g->widths[begin];
    while (end < g->n_layers && end - begin < max_columns && width + g->widths[end] <= CF_TABLE_COLUMNS)
        width += g->widths[end++];
    return end;
}

/* 32 layers in three blocks are 11, 11 and 10 wide, not 12, 12 and 8. */
static size_t even_columns(const grid *g)
{
    size_t n_blocks = 0;
    for (size_t j = 0; j < g->n_layers; j = block_end(g, j, MAX_COLUMNS))
        n_blocks++;
    return n_blocks ? (g->n_layers + n_blocks - 1) / n_blocks : 1;
}

static cf_status add_block(cf_str *out, const grid *g, size_t begin, size_t end, cf_error *err)
{
    cf_status st = CF_OK;
    char cell[CF_CHANGE_BYTES];
    CF_TRY(add_label(out, g, "layer", err));
    for (size_t j = begin; j < end; j++)
        CF_TRY(cf_str_addf(out, err, "%*" PRId32, g->widths[j], g->layers[j]));
    CF_TRY(cf_str_add_text(out, "\n", err));
    for (size_t i = 0; i < g->n_curves; i++) {
        CF_TRY(add_row_label(out, g, i, err));
        for (size_t j = begin; j < end; j++) {
            print_cell(cell, g->m, point_at(g->curves[i], g->layers[j]));
            CF_TRY(cf_str_addf(out, err, "%*s", g->widths[j], cell));
        }
        CF_TRY(cf_str_add_text(out, "\n", err));
    }
    CF_TRY(cf_str_add_text(out, "\n", err));
done:
    return st;
}

/* ---- the reading ---- */

/* sign -1: at or below minus the notable change; +1: at or above it. As shown, so that no line contradicts the table. */
static bool is_notable(const cf_measure_text *m, const cf_point *p, int sign)
{
    return p->n > 0 && sign * cf_change_shown(m, p->mean) >= m->notable;
}

/* ", layers 0-1 and 4-6 at or below -5 %"; nothing where there is no such layer. Neighbours are joined to ranges. */
static cf_status add_ranges(cf_str *out, const cf_measure_text *m, const cf_curve *c, int sign, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str ranges = {0}, last = {0};
    size_t n_ranges = 0, n_layers = 0;
    for (size_t i = 0, end; i < c->n_points; i = end) {
        end = i + 1;
        if (!is_notable(m, &c->points[i], sign))
            continue;
        while (end < c->n_points && is_notable(m, &c->points[end], sign) &&
               c->points[end].layer == c->points[end - 1].layer + 1)
            end++;
        if (last.n)
            CF_TRY(cf_str_addf(&ranges, err, "%s%s", ranges.n ? ", " : "", last.data));
        cf_str_clear(&last);
        CF_TRY(cf_str_addf(&last, err, "%" PRId32, c->points[i].layer));
        if (end > i + 1)
            CF_TRY(cf_str_addf(&last, err, "-%" PRId32, c->points[end - 1].layer));
        n_ranges++;
        n_layers += end - i;
    }
    if (n_ranges == 0)
        goto done;
    CF_TRY(cf_str_addf(out, err, ", layer%s %s%s%s at or %s %g%s", n_layers == 1 ? "" : "s",
                       n_ranges > 1 ? ranges.data : "", n_ranges > 1 ? " and " : "", last.data,
                       sign < 0 ? "below" : "above", sign * m->notable, m->unit));
done:
    cf_str_deinit(&last);
    cf_str_deinit(&ranges);
    return st;
}

static const cf_point *strongest_of(const cf_curve *c)
{
    const cf_point *strongest = NULL;
    for (size_t i = 0; i < c->n_points; i++)
        if (c->points[i].n > 0 && (!strongest || fabs(c->points[i].mean) > fabs(strongest->mean)))
            strongest = &c->points[i];
    return strongest;
}

static cf_status add_reading(cf_str *out, const grid *g, size_t i, cf_error *err)
{
    const cf_measure_text *m = g->m;
    const cf_curve *c = g->curves[i];
    const cf_point *strongest = strongest_of(c);
    cf_status st = CF_OK;
    cf_str line = {0};
    char cell[CF_CHANGE_BYTES];
    CF_TRY(add_flow(&line, g, i, err));
    if (!strongest) {
        CF_TRY(cf_str_add_text(&line, ": no number at any layer", err));
    } else if (!(fabs(cf_change_shown(m, strongest->mean)) > 0.0)) {
        CF_TRY(cf_str_add_text(&line, ": no change at any layer", err));
    } else {
        cf_change_print(cell, m, strongest->mean);
        CF_TRY(cf_str_addf(&line, err, ": strongest at layer %" PRId32 " (%s%s)", strongest->layer, cell, m->unit));
        if (fabs(cf_change_shown(m, strongest->mean)) < m->notable)
            CF_TRY(cf_str_addf(&line, err, ", every layer within %g%s", m->notable, m->unit));
        CF_TRY(add_ranges(&line, m, c, -1, err));
        CF_TRY(add_ranges(&line, m, c, +1, err));
    }
    CF_TRY(cf_table_wrapped(out, line.data, READING_INDENT, err));
    CF_TRY(cf_str_add_text(out, "\n", err));
done:
    cf_str_deinit(&line);
    return st;
}

cf_status cf_table_curves(cf_str *out, const cf_curve *const *curves, size_t n, const cf_measure_text *m, cf_error *err)
{
    cf_status st = CF_OK;
    grid g = {.curves = curves, .n_curves = n, .m = m};
    CF_TRY(collect_layers(&g, err));
    measure_labels(&g);
    measure_cells(&g);
    const size_t columns = even_columns(&g);
    for (size_t j = 0, end; j < g.n_layers; j = end) {
        end = block_end(&g, j, columns);
        CF_TRY(add_block(out, &g, j, end, err));
    }
    for (size_t i = 0; i < n; i++)
        CF_TRY(add_reading(out, &g, i, err));
done:
    free(g.widths);
    free(g.layers);
    return st;
}

/* ---- without layers ---- */

static cf_status add_fixed_row(cf_str *out, const grid *g, size_t i, const cf_point *p, cf_error *err)
{
    cf_status st = CF_OK;
    char mean[CF_CHANGE_BYTES] = "-", low[CF_CHANGE_BYTES] = "-", high[CF_CHANGE_BYTES] = "-";
    if (p->n) {
        cf_change_print(mean, g->m, p->mean);
        cf_change_print(low, g->m, p->low);
        cf_change_print(high, g->m, p->high);
    }
    CF_TRY(add_row_label(out, g, i, err));
    CF_TRY(cf_str_addf(out, err, " %9s %9s %9s %9" PRId64 "\n", mean, low, high, p->n));
done:
    return st;
}

cf_status cf_table_fixed(cf_str *out, const cf_curve *const *curves, size_t n, const cf_measure_text *m, cf_error *err)
{
    cf_status st = CF_OK;
    grid g = {.curves = curves, .n_curves = n, .m = m};
    measure_labels(&g);
    CF_TRY(cf_str_addf(out, err, "%*s %9s %9s %9s %9s\n", g.label_width, "", "mean", "low", "high", "samples"));
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < curves[i]->n_points; j++)
            CF_TRY(add_fixed_row(out, &g, i, &curves[i]->points[j], err));
    for (size_t i = 0; i < n && g.numbered; i++) {
        cf_str line = {0};
        if (i == 0)
            CF_TRY(cf_str_add_text(out, "\n", err));
        st = add_flow(&line, &g, i, err);
        if (st == CF_OK)
            st = cf_table_wrapped(out, line.data, READING_INDENT, err);
        if (st == CF_OK)
            st = cf_str_add_text(out, "\n", err);
        cf_str_deinit(&line);
        CF_TRY(st);
    }
done:
    return st;
}
