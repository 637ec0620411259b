/* progress.c - see progress.h. */
#include "cli/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"

static const int64_t terminal_ns = 200000000, plain_ns = 10000000000; /* between two lines */

void cf_progress_init(cf_progress *p)
{
    *p = (cf_progress){.terminal = isatty(STDERR_FILENO) == 1};
}

static void format_time(char out[32], double seconds)
{
    const long s = (long)(seconds + 0.5);
    if (s >= 3600)
        (void)snprintf(out, 32, "%ld h %02ld min", s / 3600, s / 60 % 60);
    else if (s >= 60)
        (void)snprintf(out, 32, "%ld min %02ld s", s / 60, s % 60);
    else
        (void)snprintf(out, 32, "%ld s", s);
}

void cf_progress_show(void *user, const cf_study_progress *t)
{
    cf_progress *p = user;
    const int64_t now = cf_clock_ns();
    if (t->done == 0) {
        p->started_ns = p->shown_ns = now;
        return;
    }
    if (now - p->shown_ns < (p->terminal ? terminal_ns : plain_ns) && t->done < t->total)
        return;
    p->shown_ns = now;
    const double seconds = (double)(now - p->started_ns) * 1e-9;
    const int64_t fresh = t->done - t->resumed; /* questions found in the study say nothing about the rate */
    char left[32] = "?";
    if (fresh > 0)
        format_time(left, seconds / (double)fresh * (double)(t->total - t->done));
    fprintf(stderr, "%s%lld of %lld %s (%.0f %%), %.2f a second, %s left%s%s", p->terminal ? "\r\x1b[K" : "",
            (long long)t->done, (long long)t->total, t->unit ? t->unit : "questions",
            100.0 * (double)t->done / (double)t->total, seconds > 0 ? (double)fresh / seconds : 0.0, left,
            t->resumed ? ", continued" : "", p->terminal ? "" : "\n");
    (void)fflush(stderr);
}

void cf_progress_end(cf_progress *p)
{
    if (p->terminal && p->started_ns)
        fprintf(stderr, "\n");
}
