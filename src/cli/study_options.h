/* study_options.h - the options of a study, shared by trace and lens (which run one) and info (which forecasts one). */
#ifndef CF_CLI_STUDY_OPTIONS_H
#define CF_CLI_STUDY_OPTIONS_H

#include "cli/options.h"
#include "study/settings.h"

enum { CF_STUDY_MAX_OPTIONS = 32 };

/* Values as they stand on the command line, before they are made into cf_study_options. Zero-initialise. */
typedef struct cf_study_arguments {
    cf_study_options o;
    cf_str flows, styles, scores; /* joined by commas */
    const char *windows, *layers, *keep, *reuse, *norm;
    int32_t *window_list;
    cf_window_style style_list[CF_N_WINDOW_STYLES];
    int32_t threads;
    bool paper;
    cf_option options[CF_STUDY_MAX_OPTIONS];
    size_t n_options;
} cf_study_arguments;

/* Defaults, and no options yet. */
void cf_study_arguments_begin(cf_study_arguments *a);
/* The same with the rows common to all in a->options; the caller may append. */
void cf_study_arguments_init(cf_study_arguments *a);
/* Appends what a command that writes a study takes. */
void cf_study_arguments_add_output(cf_study_arguments *a);
void cf_study_arguments_add(cf_study_arguments *a, const cf_option *option);
/* After parsing: checks the values and completes a->o. */
CF_MUST_USE cf_status cf_study_arguments_finish(cf_study_arguments *a, cf_error *err);
void cf_study_arguments_deinit(cf_study_arguments *a);

#endif
