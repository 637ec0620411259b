/* json_text.h - pieces of JSON (RFC 8259) as text; what is read is base/json.h's. */
#ifndef CF_BASE_JSON_TEXT_H
#define CF_BASE_JSON_TEXT_H

#include "base/error.h"
#include "base/str.h"

/* Append a JSON string; bytes that are not UTF-8 become U+FFFD. */
CF_MUST_USE cf_status cf_json_add_string(cf_str *out, const char *text, cf_error *err);
/* Append the lines of a text as a list of such strings. */
CF_MUST_USE cf_status cf_json_add_lines(cf_str *out, const char *text, cf_error *err);
/* Append a number that reads back as the same double; null where it is not finite. */
CF_MUST_USE cf_status cf_json_add_number(cf_str *out, double v, cf_error *err);
/* Append JSON that a file holds, on one line; null where it is empty. CF_FORMAT where it is not JSON, with `where`. */
CF_MUST_USE cf_status cf_json_add_json(cf_str *out, const char *json, const char *where, cf_error *err);

#endif
