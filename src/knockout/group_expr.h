/* group_expr.h - unions and differences of groups, as the user writes them, and their positions in one sample.
 *
 *     group := term { ("+" | "-") term }              from left to right
 *     term  := NAME [ index ]                         as cf_group_find reads it; with an index only those of its
 *                                                     positions in the prompt, counted in their order
 *            | index                                  positions of the prompt
 *            | '"' text '"'                           the first occurrence after the picture; \" and \\ inside
 *            | "box(" x "," y "," w "," h ")"         patches touched by a box, in pixels of the picture
 *            | "patch(" range "," range ")"           patches of the base tile: rows, columns
 *            | "hd(" range "," range ")"              patches of the high-resolution grid, across its tiles
 *     index := "[" n "]" | "[" [n] ":" [n] "]"        half-open; -1 is the last one
 *     range := n | n ":" n                            half-open
 *
 * Numbers are below 1000000000, of a box x and y may be negative. A text and a range that can have no position in any
 * prompt are refused: "", [5:3], [-1:0]. Letter case and runs of blanks matter in a text only.
 *
 * flow.h has the rest of the grammar; both are parsed and printed by the same files. */
#ifndef CF_KNOCKOUT_GROUP_EXPR_H
#define CF_KNOCKOUT_GROUP_EXPR_H

#include "image/preprocess.h"
#include "knockout/group.h"
#include "text/tokenizer.h"

typedef enum cf_term_kind { CF_TERM_NAMED, CF_TERM_RANGE, CF_TERM_TEXT, CF_TERM_BOX, CF_TERM_PATCH } cf_term_kind;

typedef struct cf_term {
    bool minus; /* taken away from what stands before it; never of the first term */
    cf_term_kind kind;
    cf_group named;
    bool indexed;       /* named: only its positions [begin, end) */
    int32_t begin, end; /* range or index; negative counts from the end, end INT32_MAX is the end */
    char *text;         /* owned */
    cf_box box;
    bool hd;               /* patch: of the high-resolution grid */
    cf_span rows, columns; /* patch */
} cf_term;

typedef struct cf_group_expr { /* zero-initialise; owns terms */
    cf_term *terms;
    size_t n, cap;
} cf_group_expr;

void cf_group_expr_deinit(cf_group_expr *e);
CF_MUST_USE cf_status cf_group_expr_copy(cf_group_expr *out, const cf_group_expr *e, cf_error *err);
/* The whole text as one group; CF_USAGE, with the place and what may stand there. */
CF_MUST_USE cf_status cf_group_expr_parse(cf_group_expr *out, cf_slice text, cf_error *err);
/* Groups separated by commas; a comma inside a text or a box separates nothing. Free with cf_group_list_free. */
CF_MUST_USE cf_status cf_group_list_parse(cf_group_expr **out, size_t *n, cf_slice list, cf_error *err);
void cf_group_list_free(cf_group_expr *groups, size_t n);
/* Appends the canonical form: 'Question - True Option', '[3:7] + "white chest"'. Parsing it gives an equal group. */
CF_MUST_USE cf_status cf_group_expr_print(cf_str *out, const cf_group_expr *e, cf_error *err);
bool cf_group_expr_equal(const cf_group_expr *a, const cf_group_expr *b);

/* One sample, as the terms see it. Borrowed for the call. */
typedef struct cf_scene {
    const cf_groups *groups;
    /* texts */
    const cf_tokenizer *tokenizer;
    const int32_t *ids; /* the prompt with ONE image token */
    size_t n_ids;
    cf_span image; /* positions of the picture; ids after the image token begin at image.end */
    /* boxes */
    const cf_preprocess *preprocess;
    const cf_tiling *tiling; /* of the picture; its tiles are not needed */
} cf_scene;

typedef enum cf_side { CF_SIDE_KEY, CF_SIDE_QUERY } cf_side;

/* Appends nothing and leaves *out empty where the group has no position: a range beyond the prompt and a text that does
 * not occur have none, and patches beyond the grid. As queries, Last also stands for the n_after positions after the
 * prompt (generated or teacher-forced); no other term does, nor Last with an index. out must be empty. CF_MISMATCH for a
 * box that does not meet the picture. */
CF_MUST_USE cf_status cf_group_positions(cf_spans *out, const cf_group_expr *e, const cf_scene *s, cf_side side,
                                         int32_t n_after, cf_error *err);

#endif
