/* gnuplot.c - starts gnuplot with posix_spawnp and reads what it complains about. */
#include "report/gnuplot.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"

extern char **environ;

enum { MAX_COMPLAINT_BYTES = 4096 };

/* In the script's folder, nothing to read, everything said into the pipe. Only file actions: no code runs after the
 * fork. */
static int add_actions(posix_spawn_file_actions_t *a, const char *dir, int pipe_in)
{
    int e = posix_spawn_file_actions_addchdir_np(a, dir);
    if (e == 0)
        e = posix_spawn_file_actions_addopen(a, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (e == 0)
        e = posix_spawn_file_actions_adddup2(a, pipe_in, STDOUT_FILENO);
    if (e == 0)
        e = posix_spawn_file_actions_adddup2(a, pipe_in, STDERR_FILENO);
    return e;
}

/* 0 or an errno; ENOENT where PATH has no gnuplot. */
static int start(pid_t *pid, const char *dir, char *name, int pipe_in)
{
    char program[] = "gnuplot", plain[] = "-d";
    char *const arguments[] = {program, plain, name, NULL};
    posix_spawn_file_actions_t actions;
    int e = posix_spawn_file_actions_init(&actions);
    if (e != 0)
        return e;
    e = add_actions(&actions, dir, pipe_in);
    if (e == 0)
        e = posix_spawnp(pid, program, &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    return e;
}

/* Reads to the end, keeping the first bytes: gnuplot must never wait for a reader. */
static size_t read_complaint(int fd, char *text)
{
    char block[512];
    size_t n = 0;
    for (;;) {
        const ssize_t got = read(fd, block, sizeof block);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return n;
        const size_t room = MAX_COMPLAINT_BYTES - n, take = (size_t)got < room ? (size_t)got : room;
        memcpy(text + n, block, take);
        n += take;
    }
}

/* gnuplot shows the line, a mark below it, and then says what is wrong: the last line that is not blank. */
static cf_slice last_line(cf_slice text)
{
    text = cf_slice_trim(text);
    for (size_t i = text.n; i > 0; i--)
        if (text.data[i - 1] == '\n')
            return cf_slice_trim((cf_slice){text.data + i, text.n - i});
    return text;
}

static cf_status check_end(int status, const char *dir, const char *name, cf_slice complaint, cf_error *err)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return CF_OK;
    const cf_slice why = last_line(complaint);
    if (WIFSIGNALED(status))
        return cf_fail(err, CF_IO, "%s/%s: gnuplot was ended by signal %d", dir, name, WTERMSIG(status));
    return cf_fail(err, CF_IO, "%s/%s: gnuplot failed (exit status %d): %.*s", dir, name, WEXITSTATUS(status),
                   (int)why.n, why.n ? why.data : "");
}

cf_status cf_gnuplot_run(const char *dir, const char *name, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str script = {0};
    char complaint[MAX_COMPLAINT_BYTES];
    int ends[2] = {-1, -1}, status = 0;
    pid_t pid = 0;
    CF_TRY(cf_str_addf(&script, err, "./%s", name)); /* a name may begin with '-' */
    if (pipe2(ends, O_CLOEXEC) != 0) {
        st = cf_fail(err, CF_IO, "%s/%s: cannot start gnuplot: %s", dir, name, strerror(errno));
        goto done;
    }
    const int e = start(&pid, dir, script.data, ends[1]);
    if (e != 0) {
        st = e == ENOENT
                 ? cf_fail(err, CF_IO,
                           "gnuplot is not installed (package gnuplot-nox on Debian and Ubuntu, gnuplot elsewhere); "
                           "the script is kept: %s/%s",
                           dir, name)
                 : cf_fail(err, CF_IO, "%s/%s: cannot start gnuplot: %s", dir, name, strerror(e));
        goto done;
    }
    close(ends[1]);
    ends[1] = -1;
    const size_t n = read_complaint(ends[0], complaint);
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            st = cf_fail(err, CF_IO, "%s/%s: lost gnuplot: %s", dir, name, strerror(errno));
            goto done;
        }
    }
    st = check_end(status, dir, name, (cf_slice){complaint, n}, err);
done:
    if (ends[0] >= 0)
        close(ends[0]);
    if (ends[1] >= 0)
        close(ends[1]);
    cf_str_deinit(&script);
    return st;
}
