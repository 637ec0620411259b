/* run_program.h - runs the crossflow program as a user does, from the source root, and keeps what it said. CF_PROGRAM
 * is its path.
 *
 * Idle OpenMP workers of the program sleep (OMP_WAIT_POLICY=passive): tests share the machine. */
#ifndef CF_TESTS_RUN_PROGRAM_H
#define CF_TESTS_RUN_PROGRAM_H

#include <stddef.h>
#include <sys/types.h>

#include "base/str.h"

typedef struct program_result {
    int exit_status; /* -1 where a signal ended it */
    int signal;      /* 0 where none did */
    cf_str out, err;
} program_result;

typedef struct program_setting { /* zeroed: nothing out of the ordinary */
    const char *name, *value;    /* one environment variable */
    size_t address_bytes;        /* limit of the address space; 0: none */
    const char *out;             /* where standard output goes instead of into the result */
} program_setting;

/* Ends the test program where the run itself cannot be had. args: after the program's name, up to a NULL. An earlier
 * result in *r is released. */
void program_run(program_result *r, const char *const *args, const program_setting *setting);
void program_result_deinit(program_result *r);

#define RUN(r, ...) program_run((r), (const char *const[]){__VA_ARGS__, NULL}, NULL)

/* In the background, its output thrown away; to be waited for. */
pid_t program_start(const char *const *args);
/* Exit status, or minus the signal. */
int program_wait(pid_t child);
/* The same without waiting: false while it runs. */
bool program_has_ended(pid_t child, int *exit_status);

#endif
