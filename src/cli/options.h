/* options.h - command lines as tables: what a subcommand takes, its help, and parsing. */
#ifndef CF_CLI_OPTIONS_H
#define CF_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

typedef enum cf_option_kind {
    CF_OPT_FLAG,  /* bool: set true */
    CF_OPT_TEXT,  /* const char *: borrowed from argv */
    CF_OPT_NEED,  /* the same, and the command cannot do without it */
    CF_OPT_INT,   /* int32_t */
    CF_OPT_COUNT, /* int64_t */
    CF_OPT_LIST   /* cf_str: appended, separated by commas; may be given several times */
} cf_option_kind;

typedef struct cf_option {
    const char *name; /* without the dashes */
    char letter;      /* 0: none */
    cf_option_kind kind;
    void *target;      /* of kind's type */
    const char *value; /* how help shows the value; NULL for a flag */
    const char *help;
} cf_option;

typedef struct cf_command_line {
    const char *usage;     /* "crossflow ask MODEL --image FILE --question TEXT [options]" */
    const char *about;     /* a paragraph or two */
    const char **operands; /* filled: [max_operands] */
    size_t min_operands, max_operands;
    const cf_option *options;
    size_t n_options;
} cf_command_line;

/* Parses argv[0..argc). --help prints the help and sets *helped; operands and required options are not missed then.
 * CF_USAGE for an unknown option, a missing or malformed value, too few or too many operands (those not given stay
 * NULL), a required option not given. `--` ends the options. */
CF_MUST_USE cf_status cf_options_parse(const cf_command_line *c, int argc, char **argv, bool *helped, cf_error *err);

#endif
