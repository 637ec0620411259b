/* json.h - read-only JSON documents. A thin face over cJSON, chosen by measurement (docs/adr/001-json.md); its types
 * stay in json.c. Nodes belong to their document. Every accessor accepts NULL and answers "absent", so that a chain of
 * look-ups needs one check at its end. */
#ifndef CF_BASE_JSON_H
#define CF_BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

typedef struct cf_json cf_json; /* a node; the root is also the document */

typedef enum cf_json_kind {
    CF_JSON_ABSENT,
    CF_JSON_NULL,
    CF_JSON_BOOL,
    CF_JSON_NUMBER,
    CF_JSON_STRING,
    CF_JSON_ARRAY,
    CF_JSON_OBJECT
} cf_json_kind;

/* `where` names the text in messages (a path). Trailing bytes other than white space are an error. */
CF_MUST_USE cf_status cf_json_parse(cf_json **out, cf_slice text, const char *where, cf_error *err);
/* Reads and parses a file of at most max_bytes. */
CF_MUST_USE cf_status cf_json_open(cf_json **out, const char *path, size_t max_bytes, cf_error *err);
void cf_json_free(cf_json *root);

cf_json_kind cf_json_kind_of(const cf_json *node);
/* Member by exact name; the first of duplicates. Linear in the number of members: walk big objects with first/next. */
const cf_json *cf_json_get(const cf_json *object, const char *name);
const cf_json *cf_json_first(const cf_json *container); /* first element or member */
const cf_json *cf_json_next(const cf_json *node);       /* its following sibling */
int64_t cf_json_count(const cf_json *container);
const char *cf_json_name(const cf_json *member); /* member name, NUL-terminated */
const char *cf_json_string(const cf_json *node); /* NULL unless a string */
double cf_json_number(const cf_json *node, double otherwise);
bool cf_json_bool(const cf_json *node, bool otherwise);
/* True and *out set where the node is a number with an exact integer value, smaller in size than 2^53. */
bool cf_json_i64(int64_t *out, const cf_json *node);

#endif
