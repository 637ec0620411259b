/* progress.h - progress of a study on stderr: one line rewritten on a terminal, a plain line now and then elsewhere. */
#ifndef CF_CLI_PROGRESS_H
#define CF_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "study/settings.h"

typedef struct cf_progress {
    bool terminal;
    int64_t started_ns, shown_ns;
} cf_progress;

void cf_progress_init(cf_progress *p);
/* A cf_study_listener; user is the cf_progress. */
void cf_progress_show(void *user, const cf_study_progress *t);
void cf_progress_end(cf_progress *p); /* leaves the terminal's line */

#endif
