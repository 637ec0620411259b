/* curve_options.h - which curves of a study are meant: the options that show and figure share. */
#ifndef CF_CLI_CURVE_OPTIONS_H
#define CF_CLI_CURVE_OPTIONS_H

#include "cli/options.h"
#include "store/store.h"

typedef struct cf_curve_words { /* zero-initialise; as given, NULL where not */
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

/* CF_USAGE for a word that is none of these. */
CF_MUST_USE cf_status cf_curve_words_parse(const cf_curve_words *words, cf_measure *measure, bool *drop_empty,
                                           cf_error *err);

#endif
