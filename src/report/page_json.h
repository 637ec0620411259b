/* page_json.h - the JSON of a page: members and elements that put their own commas, numbers as short as they read back,
 * and the one way in which JSON gets into HTML. */
#ifndef CF_REPORT_PAGE_JSON_H
#define CF_REPORT_PAGE_JSON_H

#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "base/str.h"

/* Begins a member: a comma unless it is the object's first, and its name. */
CF_MUST_USE cf_status cf_page_name(cf_str *out, const char *name, cf_error *err);
/* Begins an element: a comma unless it is the list's first. */
CF_MUST_USE cf_status cf_page_next(cf_str *out, cf_error *err);

/* Members. */
CF_MUST_USE cf_status cf_page_text(cf_str *out, const char *name, const char *text, cf_error *err);
CF_MUST_USE cf_status cf_page_integer(cf_str *out, const char *name, int64_t v, cf_error *err);
CF_MUST_USE cf_status cf_page_bool(cf_str *out, const char *name, bool v, cf_error *err);
CF_MUST_USE cf_status cf_page_number(cf_str *out, const char *name, double v, cf_error *err);
/* An integer, null where it is below 0. */
CF_MUST_USE cf_status cf_page_index(cf_str *out, const char *name, int64_t v, cf_error *err);
/* JSON that a study holds, written anew from what it says. CF_FORMAT where it is not JSON of that kind; `where` names
 * it in messages. */
CF_MUST_USE cf_status cf_page_stored(cf_str *out, const char *name, const char *json, cf_json_kind kind,
                                     const char *where, cf_error *err);

/* A number by itself: the shortest of 15 to 17 digits that reads back as the same double; null where it is not finite. */
CF_MUST_USE cf_status cf_page_add_number(cf_str *out, double v, cf_error *err);
/* A node and all below it; of the document's lists that are longer than `most`, the first elements. */
CF_MUST_USE cf_status cf_page_add_node(cf_str *out, const cf_json *node, int64_t most, cf_error *err);

/* Appends JSON as the text of a <script> element. <, >, & and U+2028 and U+2029, which JSON has in strings only, become
 * \u escapes: whatever a string says, it neither ends the element nor begins a comment in it. */
CF_MUST_USE cf_status cf_page_escape(cf_str *out, cf_slice json, cf_error *err);

#endif
