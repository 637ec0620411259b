/* table_blocks.c - see table_blocks.h. Everything said about a curve is computed from its points. */
#include "report/table_blocks.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { MAX_COLUMNS = 12, MAX_WIDTH = 120, MIN_CELL = 6, CELL_BYTES = 32 };
static const double NOTABLE = 5.0; /* %: the change from which the reading line names a layer */

/* ---- text ---- */

cf_status cf_table_text(cf_str *out, const char *text, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_str_add_text(out, "", err));
    const size_t begin = out->n;
    CF_TRY(cf_str_add_text(out, text, err));
    for (size_t i = begin; i < out->n; i++) {
        const unsigned char c = (unsigned char)out->data[i];
        if (c < ' ' || c == 0x7f)
            out->data[i] = '?';
    }
done:
    return st;
}

/* Characters of UTF-8 text: bytes that continue none. */
static int width_of(const char *text)
{
    int n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

/* One decimal; what rounds to zero has no sign. */
static void print_change(char cell[CELL_BYTES], double v)
{
    (void)snprintf(cell, CELL_BYTES, "%.1f", v);
    if (strcmp(cell, "-0.0") == 0)
        (void)snprintf(cell, CELL_BYTES, "0.0");
}

static void print_cell(char cell[CELL_BYTES], const cf_point *p)
{
    if (!p)
        cell[0] = '\0';
    else if (p->n == 0)
        (void)snprintf(cell, CELL_BYTES, "-");
    else
        print_change(cell, p->mean);
}

/* ---- the table ---- */

typedef struct grid {
    const cf_curve *const *curves;
    size_t n_curves;
    int label_width;
    int32_t *layers; /* [n_layers], ascending */
    int *widths;     /* [n_layers], of a cell with the blank before it */
    size_t n_layers;
} grid;

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

static void measure(grid *g)
{
    char cell[CELL_BYTES];
    g->label_width = width_of("layer");
    for (size_t i = 0; i < g->n_curves; i++) {
        const int w = width_of(g->curves[i]->spec);
        g->label_width = w > g->label_width ? w : g->label_width;
    }
    for (size_t j = 0; j < g->n_layers; j++) {
        int widest = snprintf(cell, sizeof cell, "%" PRId32, g->layers[j]);
        for (size_t i = 0; i < g->n_curves; i++) {
            print_cell(cell, point_at(g->curves[i], g->layers[j]));
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
    while (end < g->n_layers && end - begin < max_columns && width + g->widths[end] <= MAX_WIDTH)
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

static cf_status add_label(cf_str *out, const grid *g, const char *label, cf_error *err)
{
    cf_status st = cf_table_text(out, label, err);
    return st == CF_OK ? cf_str_addf(out, err, "%*s", g->label_width - width_of(label), "") : st;
}

static cf_status add_block(cf_str *out, const grid *g, size_t begin, size_t end, cf_error *err)
{
    cf_status st = CF_OK;
    char cell[CELL_BYTES];
    CF_TRY(add_label(out, g, "layer", err));
    for (size_t j = begin; j < end; j++)
        CF_TRY(cf_str_addf(out, err, "%*" PRId32, g->widths[j], g->layers[j]));
    CF_TRY(cf_str_add_text(out, "\n", err));
    for (size_t i = 0; i < g->n_curves; i++) {
        CF_TRY(add_label(out, g, g->curves[i]->spec, err));
        for (size_t j = begin; j < end; j++) {
            print_cell(cell, point_at(g->curves[i], g->layers[j]));
            CF_TRY(cf_str_addf(out, err, "%*s", g->widths[j], cell));
        }
        CF_TRY(cf_str_add_text(out, "\n", err));
    }
    CF_TRY(cf_str_add_text(out, "\n", err));
done:
    return st;
}

/* ---- the reading ---- */

/* sign -1: at or below -NOTABLE; +1: at or above it. As shown, so that no line contradicts the table. */
static bool notable(const cf_point *p, int sign)
{
    return p->n > 0 && sign * round(p->mean * 10.0) >= NOTABLE * 10.0;
}

/* ", layers 0-1 and 4-6 at or below -5 %"; nothing where there is no such layer. Neighbours are joined to ranges. */
static cf_status add_ranges(cf_str *out, const cf_curve *c, int sign, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str ranges = {0}, last = {0};
    size_t n_ranges = 0, n_layers = 0;
    for (size_t i = 0, end; i < c->n_points; i = end) {
        end = i + 1;
        if (!notable(&c->points[i], sign))
            continue;
        while (end < c->n_points && notable(&c->points[end], sign) &&
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
    CF_TRY(cf_str_addf(out, err, ", layer%s %s%s%s at or %s %.0f %%", n_layers == 1 ? "" : "s",
                       n_ranges > 1 ? ranges.data : "", n_ranges > 1 ? " and " : "", last.data,
                       sign < 0 ? "below" : "above", sign * NOTABLE));
done:
    cf_str_deinit(&last);
    cf_str_deinit(&ranges);
    return st;
}

static cf_status add_reading(cf_str *out, const cf_curve *c, cf_error *err)
{
    cf_status st = CF_OK;
    char cell[CELL_BYTES];
    const cf_point *strongest = NULL;
    for (size_t i = 0; i < c->n_points; i++)
        if (c->points[i].n > 0 && (!strongest || fabs(c->points[i].mean) > fabs(strongest->mean)))
            strongest = &c->points[i];
    CF_TRY(cf_table_text(out, c->spec, err));
    if (!strongest) {
        CF_TRY(cf_str_add_text(out, ": no number at any layer\n", err));
        goto done;
    }
    print_change(cell, strongest->mean);
    if (strcmp(cell, "0.0") == 0) {
        CF_TRY(cf_str_add_text(out, ": no change at any layer\n", err));
        goto done;
    }
    CF_TRY(cf_str_addf(out, err, ": strongest at layer %" PRId32 " (%s %%)", strongest->layer, cell));
    if (fabs(round(strongest->mean * 10.0)) < NOTABLE * 10.0)
        CF_TRY(cf_str_addf(out, err, ", every layer within %.0f %%", NOTABLE));
    CF_TRY(add_ranges(out, c, -1, err));
    CF_TRY(add_ranges(out, c, +1, err));
    CF_TRY(cf_str_add_text(out, "\n", err));
done:
    return st;
}

cf_status cf_table_curves(cf_str *out, const cf_curve *const *curves, size_t n, cf_error *err)
{
    cf_status st = CF_OK;
    grid g = {.curves = curves, .n_curves = n};
    CF_TRY(collect_layers(&g, err));
    measure(&g);
    const size_t columns = even_columns(&g);
    for (size_t j = 0, end; j < g.n_layers; j = end) {
        end = block_end(&g, j, columns);
        CF_TRY(add_block(out, &g, j, end, err));
    }
    for (size_t i = 0; i < n; i++)
        CF_TRY(add_reading(out, curves[i], err));
done:
    free(g.widths);
    free(g.layers);
    return st;
}
