/* curve_options.h - which curves of a study are meant: the options that show and figure share. */
#ifndef CF_CLI_CURVE_OPTIONS_H
#define CF_CLI_CURVE_OPTIONS_H

#include "cli/options.h"
#include "store/store.h"

enum { CF_NO_WINDOW = INT32_MIN };

typedef struct cf_curve_words { /* as given; initialise with .window = CF_NO_WINDOW */
    int32_t window;
    const char *style, *measure, *empty;
} cf_curve_words;

/* Rows of an option table. */
#define CF_CURVE_OPTIONS(words)                                                                                        \
    {"style",        0,      CF_OPT_TEXT,                                                                              \
     &(words).style, "NAME", "only windows of this style: centre, below, above, outside, fixed"},                      \
        {"measure",        0,      CF_OPT_TEXT,                                                                        \
         &(words).measure, "NAME", "probability (default), true, whole, difference, rank or flip"},                    \
    {                                                                                                                  \
        "empty", 0, CF_OPT_TEXT, &(words).empty, "keep|drop",                                                          \
            "drop: leave samples whose group is empty out of the means"                                                \
    }

/* CF_USAGE for a word that is none of these, and a window below 1. Sets words->window to 0 where none was given. */
CF_MUST_USE cf_status cf_curve_words_parse(cf_curve_words *words, cf_measure *measure, bool *drop_empty, cf_error *err);

#endif
