/* csv.c - see csv.h. RFC 4180; each cell is one scan, a quoted cell is moved down over its own doubled quotes. */
#include "question/csv.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

void cf_csv_init(cf_csv *r, char *text, size_t n, const char *where)
{
    static const char bom[] = "\xEF\xBB\xBF";
    const size_t skip = n >= 3 && memcmp(text, bom, 3) == 0 ? 3 : 0;
    *r = (cf_csv){.at = n ? text + skip : text, .end = n ? text + n : text, .where = where, .line = 1};
}

void cf_csv_row_deinit(cf_csv_row *row)
{
    free(row->cells);
    *row = (cf_csv_row){0};
}

/* Bytes of the line end at p: 0 where there is none. A carriage return on its own counts as none. */
static size_t line_end_bytes(const char *p, const char *end)
{
    if (p < end && *p == '\n')
        return 1;
    return end - p >= 2 && p[0] == '\r' && p[1] == '\n' ? 2 : 0;
}

static cf_status read_quoted(cf_slice *cell, cf_csv *r, cf_error *err)
{
    const int64_t opened = r->line;
    char *const begin = r->at + 1;
    char *from = begin;
    char *to = begin;
    for (;; from++) {
        if (from == r->end)
            return cf_fail(err, CF_FORMAT, "%s, line %" PRId64 ": a quoted cell is opened and never closed", r->where,
                           opened);
        if (*from == '"') {
            if (from + 1 == r->end || from[1] != '"')
                break;
            from++; /* a doubled quote stands for one */
        }
        if (*from == '\n')
            r->line++;
        *to++ = *from;
    }
    r->at = from + 1;
    if (r->at < r->end && *r->at != ',' && line_end_bytes(r->at, r->end) == 0)
        return cf_fail(err, CF_FORMAT,
                       "%s, line %" PRId64 ": expected a comma or the end of the line after a closing quote", r->where,
                       r->line);
    *cell = (cf_slice){begin, (size_t)(to - begin)};
    return CF_OK;
}

static cf_status read_plain(cf_slice *cell, cf_csv *r, cf_error *err)
{
    char *const begin = r->at;
    char *p = begin;
    while (p < r->end && *p != ',' && *p != '\n' && *p != '\r')
        p++;
    if (p < r->end && *p == '\r' && line_end_bytes(p, r->end) == 0)
        return cf_fail(err, CF_FORMAT, "%s, line %" PRId64 ": a carriage return without a line feed", r->where,
                       r->line);
    r->at = p;
    *cell = (cf_slice){begin, (size_t)(p - begin)};
    return CF_OK;
}

static void skip_blank_lines(cf_csv *r)
{
    for (size_t n; (n = line_end_bytes(r->at, r->end)) > 0; r->line++)
        r->at += n;
}

cf_status cf_csv_next(bool *more, cf_csv_row *row, cf_csv *r, cf_error *err)
{
    cf_status st = CF_OK;
    skip_blank_lines(r);
    row->n = 0;
    row->line = r->line;
    if (r->at == r->end) {
        *more = false;
        return CF_OK;
    }
    for (;;) {
        void *cells = row->cells;
        CF_TRY(cf_grow(&cells, &row->cap, row->n + 1, sizeof *row->cells, "the cells of a row", err));
        row->cells = cells;
        const bool quoted = r->at < r->end && *r->at == '"';
        CF_TRY(quoted ? read_quoted(&row->cells[row->n], r, err) : read_plain(&row->cells[row->n], r, err));
        row->n++;
        if (r->at == r->end || *r->at != ',')
            break;
        r->at++;
    }
    const size_t ended = line_end_bytes(r->at, r->end);
    r->at += ended;
    r->line += ended > 0;
    *more = true;
done:
    return st;
}
