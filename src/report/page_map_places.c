/* page_map_places.c - see page_map_places.h. A sample says where its patches are in areas (image/patch_area.h): the base
 * tile, then the high-resolution patches as one area, or tile after tile as one each. */
#include "report/page_map_places.h"

#include <string.h>

#include "report/page_json.h"

void cf_map_places_deinit(cf_map_places *p)
{
    cf_json_free(p->patches);
    cf_json_free(p->groups);
    *p = (cf_map_places){0};
}

cf_status cf_map_places_read(cf_map_places *out, const cf_sample *sample, const char *path, cf_error *err)
{
    cf_status st = CF_OK;
    cf_map_places p = {0};
    CF_TRY(cf_json_parse(&p.patches, cf_slice_of(sample->patches), path, err));
    CF_TRY(cf_json_parse(&p.groups, cf_slice_of(sample->groups), path, err));
    *out = p;
    p = (cf_map_places){0};
done:
    cf_map_places_deinit(&p);
    return st;
}

typedef struct area {
    int64_t at, rows, columns, newline;
    double y;
} area;

/* False where it is none of this kind, or says nothing that can be used. */
static bool read_area(area *out, const cf_json *a, bool hd)
{
    const char *kind = cf_json_string(cf_json_get(a, "kind"));
    out->y = cf_json_number(cf_json_get(a, "y"), 0);
    return kind && strcmp(kind, hd ? "hd" : "base") == 0 && cf_json_i64(&out->at, cf_json_get(a, "at")) &&
           cf_json_i64(&out->rows, cf_json_get(a, "rows")) && cf_json_i64(&out->columns, cf_json_get(a, "columns")) &&
           cf_json_i64(&out->newline, cf_json_get(a, "newline")) && out->rows > 0 && out->columns > 0;
}

/* Areas of the kind side by side in the first row of them: one, but where tile follows tile. */
static int64_t areas_across(const cf_json *patches, bool hd)
{
    area first = {0}, a = {0};
    int64_t n = 0;
    for (const cf_json *c = cf_json_first(patches); c; c = cf_json_next(c)) {
        if (!read_area(&a, c, hd))
            continue;
        if (n == 0)
            first = a;
        else if (a.y > first.y || a.y < first.y)
            break;
        n++;
    }
    return n;
}

/* -1 where there is none. */
static int64_t position_of(const cf_json *patches, bool hd, int64_t across, int64_t row, int64_t column)
{
    area a = {0};
    int64_t nth = 0;
    for (const cf_json *c = cf_json_first(patches); c; c = cf_json_next(c)) {
        if (!read_area(&a, c, hd))
            continue;
        const int64_t top = nth / across * a.rows, left = nth % across * a.columns;
        if (row >= top && row < top + a.rows && column >= left && column < left + a.columns)
            return a.at + (row - top) * (a.columns + a.newline) + column - left;
        nth++;
    }
    return -1;
}

cf_status cf_map_cell_positions(cf_str *json, const cf_map_places *p, const cf_map_cell *cell, cf_error *err)
{
    const int64_t across = areas_across(p->patches, cell->hd);
    const int64_t bottom = (int64_t)cell->row + cell->n_rows, right = (int64_t)cell->column + cell->n_columns;
    int64_t at = 0;
    cf_status st = CF_OK;
    /* A picture's grid may be smaller than the cell: the first patch outside of it ends a row, and a row the cell. */
    for (int64_t row = cell->row, column; across && row < bottom; row++) {
        for (column = cell->column; column < right; column++) {
            at = position_of(p->patches, cell->hd, across, row, column);
            if (at < 0)
                break;
            CF_TRY(cf_page_next(json, err));
            CF_TRY(cf_str_addf(json, err, "%lld", (long long)at));
        }
        if (column == cell->column)
            break;
    }
done:
    return st;
}

int64_t cf_map_token_position(const cf_map_places *p, const char *group, int32_t nth)
{
    int64_t left = nth;
    for (const cf_json *span = cf_json_first(cf_json_get(p->groups, group)); span; span = cf_json_next(span)) {
        const cf_json *first = cf_json_first(span);
        int64_t begin = 0, end = 0;
        if (!cf_json_i64(&begin, first) || !cf_json_i64(&end, cf_json_next(first)) || end < begin)
            return -1;
        if (left < end - begin)
            return begin + left;
        left -= end - begin;
    }
    return -1;
}
