/* csv.h - records of a CSV text held in memory, by RFC 4180, cell by cell without copies.
 *
 * Owns nothing but a row's list of cells. Where the format leaves room it reads as Python's csv module and pandas do:
 * LF ends a record like CRLF, a UTF-8 byte-order mark is skipped, the last record may lack its line end, blank lines
 * are skipped, and a quote inside an unquoted cell is text. Where those two would guess, it refuses: text after a
 * closing quote, a carriage return on its own, a quote that never closes. */
#ifndef CF_QUESTION_CSV_H
#define CF_QUESTION_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

typedef struct cf_csv { /* fields are private to csv.c */
    char *at, *end;
    const char *where;
    int64_t line;
} cf_csv;

/* One record. Zero-initialise; reused from record to record. */
typedef struct cf_csv_row {
    cf_slice *cells; /* into the text given to cf_csv_init */
    size_t n, cap;
    int64_t line; /* of its first byte, from 1 */
} cf_csv_row;

/* The text is written to: quoted cells are unescaped in place. It and `where`, the name in messages, outlive the
 * reader; the text outlives the cells. */
void cf_csv_init(cf_csv *r, char *text, size_t n, const char *where);
/* *more = false and row->n = 0 at the end of the text. A fault is CF_FORMAT with its line; the row's cells are then
 * unspecified. */
CF_MUST_USE cf_status cf_csv_next(bool *more, cf_csv_row *row, cf_csv *r, cf_error *err);
void cf_csv_row_deinit(cf_csv_row *row);

#endif
