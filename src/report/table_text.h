/* table_text.h - text from outside in plain-text tables: one that no terminal obeys, and lines that end in time. */
#ifndef CF_REPORT_TABLE_TEXT_H
#define CF_REPORT_TABLE_TEXT_H

#include <stddef.h>

#include "base/error.h"
#include "base/str.h"

enum { CF_TABLE_COLUMNS = 120 };

/* Appends text as one line; control characters become '?'. */
CF_MUST_USE cf_status cf_table_text(cf_str *out, const char *text, cf_error *err);
/* The same, from the column where *out ends, broken at blanks (in a word that is longer than a line, anywhere) so that
 * no line passes CF_TABLE_COLUMNS; further lines begin with `indent` blanks. */
CF_MUST_USE cf_status cf_table_wrapped(cf_str *out, const char *text, size_t indent, cf_error *err);
/* Characters of UTF-8 text: bytes that continue none. */
int cf_table_width(const char *text);

#endif
