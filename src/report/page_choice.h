/* page_choice.h - which samples a page shows with their pictures. */
#ifndef CF_REPORT_PAGE_CHOICE_H
#define CF_REPORT_PAGE_CHOICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "store/store.h"

typedef struct cf_page_sample { /* a question, in whichever study */
    char *task;
    int64_t row;
    bool named;        /* by the user */
    bool mapped;       /* in a study of causal maps */
    bool done;         /* traced in a study */
    int32_t n_studies; /* that have it without a fault */
    char order[33];    /* drawn from the seed, for the choice */
    int64_t rank;      /* among the samples of its task */
} cf_page_sample;

typedef struct cf_page_choice { /* zero-initialise; by task and row once it is made */
    cf_page_sample *items;
    size_t n, cap;
} cf_page_choice;

typedef struct cf_page_choice_options {
    int64_t n;                /* samples */
    const char *const *named; /* "TASK.ROW": these come first, and all of them come */
    size_t n_named;
    int64_t seed;
} cf_page_choice_options;

/* Draws samples that are no faults from all studies together: those that the user names and those with a causal map
 * first, then evenly over the tasks, traced ones before others and those of several studies before those of one.
 * Depends on the studies' questions and the seed alone. CF_USAGE for a name that no study has, or that is none. */
CF_MUST_USE cf_status cf_page_choice_make(cf_page_choice *out, cf_store *const *stores, size_t n_stores,
                                          const cf_page_choice_options *o, cf_error *err);
void cf_page_choice_deinit(cf_page_choice *c);
bool cf_page_choice_has(const cf_page_choice *c, const char *task, int64_t row);

#endif
