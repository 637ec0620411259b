/* run_program.c - see run_program.h. fork rather than posix_spawn: the limit of the address space must be set in the
 * child. */
#include "run_program.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_ARGS = 64 };

static void require(bool ok, const char *what)
{
    if (ok)
        return;
    perror(what);
    exit(1);
}

static _Noreturn void become_program(const char *const *args, const program_setting *setting, int out, int err)
{
    char *argv[MAX_ARGS + 2];
    int n = 0;
    argv[n++] = (char *)(uintptr_t)CF_PROGRAM; /* execv takes them as it would have them const */
    while (*args && n <= MAX_ARGS)
        argv[n++] = (char *)(uintptr_t)*args++;
    argv[n] = NULL;
    const int in = open("/dev/null", O_RDONLY);
    if (setting && setting->out)
        out = open(setting->out, O_WRONLY);
    bool ok = !*args && in >= 0 && dup2(in, 0) == 0 && dup2(out, 1) == 1 && dup2(err, 2) == 2;
    ok = ok && setenv("OMP_WAIT_POLICY", "passive", 1) == 0;
    if (setting && setting->name)
        ok = ok && setenv(setting->name, setting->value, 1) == 0;
    if (setting && setting->address_bytes) {
        const struct rlimit bytes = {setting->address_bytes, setting->address_bytes}, no_core = {0, 0};
        ok = ok && setrlimit(RLIMIT_CORE, &no_core) == 0 && setrlimit(RLIMIT_AS, &bytes) == 0;
    }
    if (ok)
        execv(CF_PROGRAM, argv);
    _exit(126);
}

static pid_t start(const char *const *args, const program_setting *setting, int out, int err)
{
    fflush(NULL);
    const pid_t child = fork();
    require(child >= 0, "fork");
    if (child == 0)
        become_program(args, setting, out, err);
    return child;
}

static void read_back(cf_str *text, FILE *f)
{
    char part[4096];
    size_t n;
    cf_str_clear(text);
    require(fseek(f, 0, SEEK_SET) == 0, "output of the program");
    while ((n = fread(part, 1, sizeof part, f)) > 0)
        require(cf_str_add(text, (cf_slice){part, n}, NULL) == CF_OK, "output of the program");
    require(cf_str_add(text, (cf_slice){NULL, 0}, NULL) == CF_OK, "output of the program"); /* data is never NULL */
    require(fclose(f) == 0, "output of the program");
}

static int status_of(int how)
{
    return WIFSIGNALED(how) ? -WTERMSIG(how) : WEXITSTATUS(how);
}

int program_wait(pid_t child)
{
    int how = 0;
    require(waitpid(child, &how, 0) == child, "waitpid");
    return status_of(how);
}

bool program_has_ended(pid_t child, int *exit_status)
{
    int how = 0;
    const pid_t ended = waitpid(child, &how, WNOHANG);
    require(ended >= 0, "waitpid");
    if (ended == child)
        *exit_status = status_of(how);
    return ended == child;
}

void program_run(program_result *r, const char *const *args, const program_setting *setting)
{
    FILE *out = tmpfile(), *err = tmpfile();
    require(out && err, "tmpfile");
    const int status = program_wait(start(args, setting, fileno(out), fileno(err)));
    if (status == 126) {
        (void)fprintf(stderr, "%s cannot be run\n", CF_PROGRAM);
        exit(1);
    }
    r->exit_status = status < 0 ? -1 : status;
    r->signal = status < 0 ? -status : 0;
    read_back(&r->out, out);
    read_back(&r->err, err);
}

void program_result_deinit(program_result *r)
{
    cf_str_deinit(&r->out);
    cf_str_deinit(&r->err);
}

pid_t program_start(const char *const *args)
{
    const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    require(nowhere >= 0, "/dev/null");
    const pid_t child = start(args, NULL, nowhere, nowhere);
    close(nowhere);
    return child;
}
