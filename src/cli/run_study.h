/* run_study.h - what trace and lens do alike: parse, run with progress, say what was done. */
#ifndef CF_CLI_RUN_STUDY_H
#define CF_CLI_RUN_STUDY_H

#include "cli/study_options.h"

typedef struct cf_study_command {
    const char *name, *usage, *about;
    cf_status (*run)(cf_study_result *out, const cf_study_options *o, cf_study_listener listen, void *user,
                     cf_error *err);
} cf_study_command;

/* a has all its options; it is deinitialised. Returns the exit status. */
int cf_run_study(const cf_study_command *c, cf_study_arguments *a, int argc, char **argv);

/* Appends "crossflow COMMAND argv...", as provenance. */
CF_MUST_USE cf_status cf_command_text(cf_str *out, const char *command, int argc, char **argv, cf_error *err);
/* Prints to stderr what was done, and what was saved by not doing it the plain way. */
void cf_print_summary(const cf_study_result *r, const char *out);

#endif
