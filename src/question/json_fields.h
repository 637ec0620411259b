/* json_fields.h - fields of JSON objects as a question set needs them, and the members of a JSON object too large for
 * a tree.
 *
 * Two kinds of trouble: a field that is missing or of another kind than its name promises is CF_FORMAT, for the file;
 * a value that cannot be used is a fault, for the row. null stands for a field that is not there. */
#ifndef CF_QUESTION_JSON_FIELDS_H
#define CF_QUESTION_JSON_FIELDS_H

#include "base/json.h"
#include "question/question_internal.h"

/* *out = the string, or the whole number in decimal, copied into the arena; empty where the field is absent and not
 * needed. */
CF_MUST_USE cf_status cf_field_text(cf_slice *out, cf_arena *a, const cf_json *object, const char *name, bool needed,
                                    const char *where, cf_error *err);
/* The same for the fields a question cannot be without; an empty value is a fault. */
CF_MUST_USE cf_status cf_field_value(cf_slice *out, cf_question_set *s, cf_draft *d, const cf_json *object,
                                     const char *name, const char *where, cf_error *err);
/* A fault unless the node is a whole number of pixels, min or more. `field` names it. */
CF_MUST_USE cf_status cf_field_pixels(int64_t *out, cf_str *fault, const cf_json *node, const char *field, int64_t min,
                                      cf_error *err);
/* Sets o's box from four nodes, x y w h; the fault names them field.x ... field.h. */
CF_MUST_USE cf_status cf_field_box(cf_object *o, cf_str *fault, const cf_json *const xywh[4], const char *field,
                                   cf_error *err);
/* Any node as the text a fault shows. */
CF_MUST_USE cf_status cf_json_describe(cf_str *out, const cf_json *node, cf_error *err);
/* "a list", ...: what a message found in place of something else. */
const char *cf_json_kind_name(const cf_json *node);

/* The members of one JSON object, found by scanning: each value is a tree of its own while it is read, so that a file
 * of any size costs the memory of its largest member, and each byte is read twice. */
typedef struct cf_members {
    cf_slice text;
    size_t at;
    const char *where;
    bool begun;
    char *name;     /* of the member read last, owned here */
    cf_json *value; /* its value, owned here */
} cf_members;

/* text and where outlive the reader. */
void cf_members_init(cf_members *m, cf_slice text, const char *where);
/* *more = false at the end of the object; m->name and m->value are valid until the next call. */
CF_MUST_USE cf_status cf_members_next(bool *more, cf_members *m, cf_error *err);
void cf_members_deinit(cf_members *m);

#endif
