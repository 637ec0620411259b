/* str.h - borrowed byte slices and a growable string. Text is UTF-8 by convention, never by assumption. */
#ifndef CF_BASE_STR_H
#define CF_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* A borrowed run of bytes; not NUL-terminated. */
typedef struct cf_slice {
    const char *data;
    size_t n;
} cf_slice;

cf_slice cf_slice_of(const char *text); /* of a NUL-terminated string; NULL gives an empty slice */
bool cf_slice_equal(cf_slice a, cf_slice b);
bool cf_slice_is(cf_slice a, const char *text);
/* Without the white space (blank, \t, \n, \v, \f, \r) at both ends. */
cf_slice cf_slice_trim(cf_slice s);
/* First position of needle in hay at or after `from`, or -1. An empty needle is found at once. */
int64_t cf_slice_find(cf_slice hay, cf_slice needle, size_t from);

/* A growable string. Zero-initialise; data is NUL-terminated once anything has been added (NULL before). */
typedef struct cf_str {
    char *data;
    size_t n, cap;
} cf_str;

void cf_str_deinit(cf_str *s);
cf_slice cf_str_slice(const cf_str *s);
void cf_str_clear(cf_str *s); /* length 0, capacity kept */
CF_MUST_USE cf_status cf_str_add(cf_str *s, cf_slice text, cf_error *err);
CF_MUST_USE cf_status cf_str_add_text(cf_str *s, const char *text, cf_error *err);
CF_MUST_USE cf_status cf_str_addf(cf_str *s, cf_error *err, const char *fmt, ...) CF_PRINTF(3, 4);
/* Appends v with %.9g, so that a float reads back exactly, and with ".0" where that would read as a whole number: the
 * column of a table keeps its type. v is finite. */
CF_MUST_USE cf_status cf_str_add_float(cf_str *s, double v, cf_error *err);
/* A heap copy, NUL-terminated; the caller frees it. */
CF_MUST_USE cf_status cf_strdup(char **out, cf_slice text, cf_error *err);

/* The whole slice as a decimal integer; false where it is anything else or does not fit. */
bool cf_parse_i64(int64_t *out, cf_slice text);

#endif
