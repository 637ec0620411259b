/* config_fields.h - typed reads of one section of config.json, with messages that name the key, what was expected and
 * what was found. Folder-private.
 *
 * A key that is absent or null takes the fallback: Hugging Face classes write None for "not set". Any other kind, or a
 * value out of bounds, is CF_FORMAT. */
#ifndef CF_CHECKPOINT_CONFIG_FIELDS_H
#define CF_CHECKPOINT_CONFIG_FIELDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"

typedef struct cf_section {
    const cf_json *object; /* NULL reads as empty */
    const char *where;     /* the file */
    const char *name;      /* printed before each key: "" or "text_config." */
} cf_section;

bool cf_field_present(const cf_section *s, const char *key); /* there and not null */
/* An integer in [min, max]. */
CF_MUST_USE cf_status cf_field_i64(int64_t *out, const cf_section *s, const char *key, int64_t fallback, int64_t min,
                                   int64_t max, cf_error *err);
/* A finite number greater than zero. */
CF_MUST_USE cf_status cf_field_positive(double *out, const cf_section *s, const char *key, double fallback,
                                        cf_error *err);
CF_MUST_USE cf_status cf_field_bool(bool *out, const cf_section *s, const char *key, bool fallback, cf_error *err);
/* A string; borrowed from the document, or the fallback itself. */
CF_MUST_USE cf_status cf_field_string(const char **out, const cf_section *s, const char *key, const char *fallback,
                                      cf_error *err);
/* A positive number that must be there. */
CF_MUST_USE cf_status cf_field_required(double *out, const cf_section *s, const char *key, cf_error *err);
/* *out = the index in names[n] of the string under key, `fallback` where absent. CF_UNSUPPORTED, listing names, where it
 * is none of them. */
CF_MUST_USE cf_status cf_field_choice(int *out, const cf_section *s, const char *key, const char *fallback,
                                      const char *const *names, int n, cf_error *err);
/* *out = the object under key as a section called `name`; empty where absent. */
CF_MUST_USE cf_status cf_field_section(cf_section *out, const cf_section *s, const char *key, const char *name,
                                       cf_error *err);
/* The fault of a value that is not what it should be; for callers with rules of their own. */
cf_status cf_field_fail(cf_error *err, const cf_section *s, const char *key, const char *expected);

#endif
