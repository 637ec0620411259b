/* measure.h - what every benchmark program shares: repeats and their spread, the table that all of them print, and
 * programs that end where anything fails.
 *
 * The table is CSV on standard output, the same columns for every question, so that docs/performance.md is made from
 * all of it by one script (table.sh). Remarks go to standard error. */
#ifndef CF_BENCH_MEASURE_H
#define CF_BENCH_MEASURE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { MAX_REPEATS = 400 };

/* Values of one quantity, repeat by repeat. Zero-initialise. */
typedef struct series {
    double values[MAX_REPEATS];
    int n;
} series;

void series_add(series *s, double value); /* no more than MAX_REPEATS are kept */
double series_median(const series *s);
double series_min(const series *s);
double series_max(const series *s);

double seconds_since(int64_t begin_ns); /* begin_ns: of cf_clock_ns */

/* The quantity that a row of the table compares with, and what is aimed at. Zero: neither. */
typedef struct yardstick_row {
    double of;          /* in the unit of the row, 0: nothing to compare with */
    const char *target; /* of median / of, as written in the table: ">= 0.80"; NULL: none */
} yardstick_row;

void print_head(void);
/* One row: `what` says the shape, e.g. "bf16 4096x11008, 640 rows"; no commas or quotes in any text. */
void print_row(const char *question, const char *what, const char *unit, const series *s, yardstick_row beside,
               int threads);

/* Ends the program with the error's text. */
void must(cf_status st, const cf_error *err);
/* Ends the program: the result that would have been timed is wrong. */
_Noreturn void wrong(const char *fmt, ...) CF_PRINTF(1, 2);
/* n zeroed elements, or the end of the program. */
void *room(size_t n, size_t bytes);

/* The value of --name VALUE among the arguments, or `otherwise`. Ends the program where it is no positive number. */
int64_t option(int argc, char **argv, const char *name, int64_t otherwise);
/* The same of text; NULL where it is not there. */
const char *option_text(int argc, char **argv, const char *name);

#endif
