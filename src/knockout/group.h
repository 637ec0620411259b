/* group.h - the named position groups of one sample, after the image token has been expanded.
 *
 * Names and meanings are the published scripts' (docs/protocol.md), with a few of our own below them. A group may be
 * empty: in a model without high-resolution tiles the HD groups are. */
#ifndef CF_KNOCKOUT_GROUP_H
#define CF_KNOCKOUT_GROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/span.h"
#include "base/str.h"
#include "image/tiling.h"

typedef enum cf_group {
    CF_GROUP_IMAGE,        /* "Image": every image position, newline positions included */
    CF_GROUP_QUESTION,     /* "Question": the question's own characters: no instruction, no role words */
    CF_GROUP_LAST,         /* "Last": the final prompt position */
    CF_GROUP_OBJECT,       /* "Image Central Object": patches touched by the object's boxes, base tile and HD tiles */
    CF_GROUP_REST,         /* "Image Without Central Object": the other patches, without newlines */
    CF_GROUP_TRUE_OPTION,  /* "True Option": in the text after the picture */
    CF_GROUP_FALSE_OPTION, /* "False Option" */
    CF_GROUP_NOUN,         /* "Central Object": the object's name in the text after the picture */
    CF_GROUP_QUESTION_WITHOUT_OPTIONS, /* "Question without Options" */
    CF_GROUP_PAD,                      /* "Image Pad": the newline positions */
    CF_GROUP_REST_WITH_PAD,            /* "Image Without Central Object with pad" */
    CF_GROUP_BASE,                     /* "Image Original Patch": the base tile */
    CF_GROUP_HD,                       /* "Image HD Patch Indice": every image position after the base tile, newlines
                                          included */
    CF_GROUP_OBJECT_HD,                /* "Image Central Object in HD Patch Indice" */
    CF_GROUP_REST_HD,     /* "Image HD Patch Without Central Object Indice": HD without the object, newlines included */
    CF_GROUP_INSTRUCTION, /* "Instruction": the prompt's own words after the question, without role words */
    CF_GROUP_ROLE,        /* "Role Words": "USER:", "ASSISTANT:" */
    CF_GROUP_TEMPLATE,    /* "Template": every position that is neither Image nor Question */
    CF_GROUP_ALL,         /* "All": every position of the prompt */
    CF_N_GROUPS
} cf_group;

const char *cf_group_name(cf_group g);
/* By name, letter case ignored, blanks at the ends ignored and runs of blanks read as one; false where there is none. */
bool cf_group_find(cf_group *out, cf_slice name);
/* Appends the names, comma-separated: for messages and help. */
CF_MUST_USE cf_status cf_group_names(cf_str *out, cf_error *err);

/* Where the parts of one prompt are; what the named groups are made from. Borrowed for the call. */
typedef struct cf_layout {
    int32_t length;             /* positions of the prompt */
    cf_span image;              /* the positions of the picture */
    const cf_patch_role *roles; /* [image.end - image.begin]; NULL: all base */
    const bool *hit;            /* [image.end - image.begin]: touched by a box of the object; NULL: no box is known */
    cf_span question;           /* empty spans below: what they name does not occur */
    cf_span true_option, false_option, noun;
    cf_span instruction;
    const cf_spans *role_words; /* NULL: none */
    const cf_span *blocks; /* [n_blocks] positions that see one another (sight.h), ascending; of no model of today */
    size_t n_blocks;
} cf_layout;

typedef struct cf_groups { /* zero-initialise; owns the spans */
    int32_t length;
    cf_spans of[CF_N_GROUPS];
    cf_span *blocks; /* [n_blocks] the layout's */
    size_t n_blocks;
} cf_groups;

/* Without boxes (hit NULL) the Object groups and the groups that leave the object out are empty. */
CF_MUST_USE cf_status cf_groups_build(cf_groups *out, const cf_layout *layout, cf_error *err);
void cf_groups_deinit(cf_groups *g);
/* Appends {"Image":[[4,148]],...}; groups without a position are left out. */
CF_MUST_USE cf_status cf_groups_json(cf_str *out, const cf_groups *g, cf_error *err);

#endif
