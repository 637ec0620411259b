/* group.h - the position groups of one sample, after the image token has been expanded. */
#ifndef CF_KNOCKOUT_GROUP_H
#define CF_KNOCKOUT_GROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/span.h"
#include "base/str.h"

typedef enum cf_group {
    CF_GROUP_IMAGE,    /* every image position */
    CF_GROUP_QUESTION, /* the question's own characters: no instruction, no role words */
    CF_GROUP_LAST,     /* the final prompt position */
    CF_GROUP_OBJECT,   /* patches touched by the boxes of the object asked about */
    CF_GROUP_REST,     /* the other patches */
    CF_N_GROUPS
} cf_group;

/* The published names: "Image", "Question", "Last", "Image Central Object", "Image Without Central Object". */
const char *cf_group_name(cf_group g);
/* By published name, letter case and surrounding blanks ignored; false where there is none. */
bool cf_group_find(cf_group *out, cf_slice name);

typedef struct cf_groups { /* zero-initialise; owns the spans */
    int32_t length;        /* positions of the prompt */
    cf_spans of[CF_N_GROUPS];
} cf_groups;

/* image: the positions of the patches, in the order of `hit` (n_patches of them, row-major); question: where its
 * tokens are. hit NULL: no object is known, and the Object and Rest groups stay empty. */
CF_MUST_USE cf_status cf_groups_build(cf_groups *out, int32_t length, cf_span image, const bool *hit, cf_span question,
                                      cf_error *err);
void cf_groups_deinit(cf_groups *g);
/* Appends {"Image":[[4,148]],...}. */
CF_MUST_USE cf_status cf_groups_json(cf_str *out, const cf_groups *g, cf_error *err);

#endif
