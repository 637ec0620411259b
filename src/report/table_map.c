/* table_map.c - see table_map.h. */
#include "report/table_map.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { SHOWN = 5, GRID_CELLS = 100000000 };

/* One number of the map. */
typedef struct map_spot {
    int32_t line; /* layer, or token */
    cf_map_cell cell;
    double change;
} map_spot;

typedef struct spots { /* zero-initialise */
    map_spot *items;
    size_t n, cap;
} spots;

/* Changes without a number are left out. */
static cf_status add_curve(spots *s, const cf_map *map, const cf_curve *c, cf_error *err)
{
    cf_map_cell cell = {0};
    void *items = s->items;
    cf_status st = CF_OK;
    CF_TRY(cf_map_cell_of(&cell, map, c->spec, err));
    CF_TRY(cf_grow(&items, &s->cap, s->n + c->n_points, sizeof *s->items, "a map", err));
    s->items = items;
    for (size_t i = 0; i < c->n_points; i++)
        if (c->points[i].n && !isnan(c->points[i].mean))
            s->items[s->n++] =
                (map_spot){map->kind == CF_MAP_TOKENS ? cell.token : c->points[i].layer, cell, c->points[i].mean};
done:
    return st;
}

/* By line, then the strongest first, then as they stand in the grid. */
static int compare_spots(const void *a, const void *b)
{
    const map_spot *x = a, *y = b;
    const int32_t places[][2] = {
        {x->cell.hd, y->cell.hd}, {x->cell.row, y->cell.row}, {x->cell.column, y->cell.column}};
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    if (fabs(x->change) != fabs(y->change))
        return fabs(x->change) > fabs(y->change) ? -1 : 1;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (places[i][0] != places[i][1])
            return places[i][0] < places[i][1] ? -1 : 1;
    return 0;
}

/* ---- the strongest of a line ---- */

static void print_range(char out[32], int32_t begin, int32_t n)
{
    if (n == 1)
        (void)snprintf(out, 32, "%" PRId32, begin);
    else
        (void)snprintf(out, 32, "%" PRId32 ":%" PRId64, begin, (int64_t)begin + n);
}

enum { LABEL_BYTES = 80 };

/* "patch(3,7)" */
static int print_label(char out[LABEL_BYTES], const map_spot *s)
{
    char rows[32], columns[32];
    print_range(rows, s->cell.row, s->cell.n_rows);
    print_range(columns, s->cell.column, s->cell.n_columns);
    return snprintf(out, LABEL_BYTES, "%s(%s,%s)", s->cell.hd ? "hd" : "patch", rows, columns);
}

static int widest_label(const spots *s)
{
    char label[LABEL_BYTES];
    int widest = 0;
    for (size_t i = 0; i < s->n; i++) {
        const int n = print_label(label, &s->items[i]);
        widest = n > widest ? n : widest;
    }
    return widest;
}

/* "   -12.3 patch(3,7) " */
static cf_status add_spot(cf_str *out, const map_spot *s, int width, const cf_measure_text *m, cf_error *err)
{
    char number[CF_CHANGE_BYTES], label[LABEL_BYTES];
    (void)print_label(label, s);
    cf_change_print(number, m, s->change);
    return cf_str_addf(out, err, "%7s %-*s", number, width, label);
}

/* The line that begins at `begin`, one past whose spots is `end`; what rounds to nothing is not shown. */
static cf_status add_line(cf_str *out, const spots *s, size_t begin, size_t end, int width, const cf_measure_text *m,
                          cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_str_addf(out, err, "%5" PRId32, s->items[begin].line));
    for (size_t i = begin; i < end && i < begin + SHOWN; i++)
        if (cf_change_shown(m, s->items[i].change) != 0)
            CF_TRY(add_spot(out, &s->items[i], width, m, err));
    if (cf_change_shown(m, s->items[begin].change) == 0)
        CF_TRY(cf_str_add_text(out, "      - none changes anything", err));
    while (out->data[out->n - 1] == ' ') /* of the last label's padding */
        out->data[--out->n] = '\0';
    CF_TRY(cf_str_add_text(out, "\n", err));
done:
    return st;
}

static cf_status add_lines(cf_str *out, const spots *s, const cf_map *map, const cf_measure_text *m, cf_error *err)
{
    const int width = widest_label(s);
    cf_status st = CF_OK;
    CF_TRY(cf_str_addf(out, err, "%s strongest\n", map->kind == CF_MAP_TOKENS ? "token" : "layer"));
    for (size_t begin = 0, end; begin < s->n; begin = end) {
        for (end = begin + 1; end < s->n && s->items[end].line == s->items[begin].line;)
            end++;
        CF_TRY(add_line(out, s, begin, end, width, m, err));
    }
done:
    return st;
}

/* ---- where they lie ---- */

typedef struct picture { /* of one grid, in cells */
    int32_t rows, columns, tile;
    double *strongest; /* [rows, columns] largest |change| of any line */
} picture;

static void measure_picture(picture *p, const spots *s, bool hd)
{
    for (size_t i = 0; i < s->n; i++) {
        const cf_map_cell *c = &s->items[i].cell;
        const int32_t row = c->row / p->tile, column = c->column / p->tile;
        if (c->hd == hd && row >= p->rows)
            p->rows = row + 1;
        if (c->hd == hd && column >= p->columns)
            p->columns = column + 1;
    }
}

static cf_status fill_picture(picture *p, const spots *s, bool hd, cf_error *err)
{
    void *memory = NULL;
    if ((int64_t)p->rows * p->columns > GRID_CELLS)
        return cf_fail(err, CF_FORMAT, "a map of %d x %d cells is no map of a picture", p->rows, p->columns);
    const cf_status st = cf_alloc(&memory, (size_t)p->rows * (size_t)p->columns, sizeof *p->strongest, "a map", err);
    if (st != CF_OK)
        return st;
    p->strongest = memory;
    for (size_t i = 0; i < s->n; i++) {
        const cf_map_cell *c = &s->items[i].cell;
        if (c->hd != hd)
            continue;
        double *at = &p->strongest[c->row / p->tile * p->columns + c->column / p->tile];
        *at = fmax(*at, fabs(s->items[i].change));
    }
    return CF_OK;
}

/* "." for less than a tenth of the strongest, then its tenths, 9 for all of them. */
static char sign_of(double change, double most)
{
    const int tenths = (int)(10 * change / most + 1e-6); /* two tenths may be a bit less */
    return tenths < 1 ? '.' : (char)('0' + (tenths < 9 ? tenths : 9));
}

static cf_status add_picture(cf_str *out, const spots *s, const cf_map *map, bool hd, double most, cf_error *err)
{
    cf_status st = CF_OK;
    picture p = {.tile = map->tile};
    measure_picture(&p, s, hd);
    if (p.rows == 0)
        return CF_OK;
    CF_TRY(fill_picture(&p, s, hd, err));
    CF_TRY(cf_str_addf(out, err, "\n%s, %" PRId32 " x %" PRId32 "\n", hd ? "high-resolution grid" : "base tile", p.rows,
                       p.columns));
    for (int32_t row = 0; row < p.rows; row++) {
        for (int32_t column = 0; column < p.columns; column++) {
            const char cell[2] = {' ', sign_of(p.strongest[row * p.columns + column], most)};
            CF_TRY(cf_str_add(out, (cf_slice){cell, 2}, err));
        }
        CF_TRY(cf_str_add_text(out, "\n", err));
    }
done:
    free(p.strongest);
    return st;
}

static cf_status add_pictures(cf_str *out, const spots *s, const cf_map *map, const cf_measure_text *m, cf_error *err)
{
    char number[CF_CHANGE_BYTES];
    double most = 0;
    cf_status st = CF_OK;
    for (size_t i = 0; i < s->n; i++)
        most = fmax(most, fabs(s->items[i].change));
    if (cf_change_shown(m, most) == 0)
        return CF_OK;
    cf_change_print(number, m, most);
    CF_TRY(cf_str_addf(out, err, "\neach place's strongest change, in tenths of %s%s\n", number, m->unit));
    CF_TRY(add_picture(out, s, map, false, most, err));
    CF_TRY(add_picture(out, s, map, true, most, err));
done:
    return st;
}

cf_status cf_table_map(cf_str *out, const cf_map *map, const cf_curve *const *curves, size_t n,
                       const cf_measure_text *m, cf_error *err)
{
    assert(map->kind != CF_MAP_HEADS);
    cf_status st = CF_OK;
    spots s = {0};
    for (size_t i = 0; i < n; i++)
        CF_TRY(add_curve(&s, map, curves[i], err));
    if (s.n)
        qsort(s.items, s.n, sizeof *s.items, compare_spots);
    CF_TRY(add_lines(out, &s, map, m, err));
    CF_TRY(add_pictures(out, &s, map, m, err));
done:
    free(s.items);
    return st;
}
