/* grammar_internal.h - the tokens of the grammar of groups and flows, and the productions that both share. Inside
 * src/knockout only. */
#ifndef CF_KNOCKOUT_GRAMMAR_INTERNAL_H
#define CF_KNOCKOUT_GRAMMAR_INTERNAL_H

#include "knockout/group_expr.h"

/* A sign (+ - & @ # , : ( ) [ ]) is a token of its own, with the character as its kind. */
enum {
    CF_TOKEN_END = 256,
    CF_TOKEN_WORD,     /* words with blanks between them, up to the next sign: "Image Pad", "12" */
    CF_TOKEN_TEXT,     /* "...", with its quotes */
    CF_TOKEN_UNCLOSED, /* a text without its second quote */
    CF_TOKEN_ARROW     /* -> */
};

/* Reads one group or one flow, a token ahead. Borrows the text. */
typedef struct cf_reader {
    const char *what; /* "group" or "flow": how messages begin */
    cf_slice text;
    int kind;          /* of the token ahead */
    size_t begin, end; /* its bytes in text */
} cf_reader;

void cf_reader_begin(cf_reader *r, const char *what, cf_slice text);
void cf_reader_next(cf_reader *r);
cf_slice cf_reader_token(const cf_reader *r);
bool cf_reader_take(cf_reader *r, int kind);                  /* steps over the token ahead, where it is of this kind */
bool cf_reader_at_word(const cf_reader *r, const char *word); /* as cf_same_words */
/* CF_USAGE: the text, the place, what was expected, what was found: the text from `from` up to the token ahead, or that
 * token where it begins at `from`. among: what there is to choose from; NULL: nothing to list. */
cf_status cf_reader_refuse_among(const cf_reader *r, size_t from, const char *expected, const char *among,
                                 cf_error *err);
cf_status cf_reader_refuse(const cf_reader *r, size_t from, const char *expected, cf_error *err);
CF_MUST_USE cf_status cf_reader_need(cf_reader *r, int kind, const char *expected, cf_error *err);

/* How much of a text a message shows, in whole characters: for "%.*s". */
int cf_shown_bytes(cf_slice s);
/* Letter case and blanks at the ends ignored, runs of blanks read as one. name is written so already. */
bool cf_same_words(cf_slice text, const char *name);

/* A whole number between -999999999 and 999999999. */
CF_MUST_USE cf_status cf_read_number(int32_t *out, cf_reader *r, bool may_be_negative, cf_error *err);
/* n | n ":" n, half-open; an empty one is refused. */
CF_MUST_USE cf_status cf_read_range(cf_span *out, cf_reader *r, cf_error *err);
CF_MUST_USE cf_status cf_print_range(cf_str *out, cf_span range, cf_error *err);
/* Appends range { "+" range }, sorted and joined, to *out, which is empty before. */
CF_MUST_USE cf_status cf_read_ranges(cf_spans *out, cf_reader *r, cf_error *err);
CF_MUST_USE cf_status cf_print_ranges(cf_str *out, const cf_spans *ranges, cf_error *err);
/* group: the terms up to the first token that is no part of them. */
CF_MUST_USE cf_status cf_read_group(cf_group_expr *out, cf_reader *r, cf_error *err);

#endif
