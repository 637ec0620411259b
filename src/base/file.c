/* file.c - see file.h. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static cf_status open_regular(int *fd, size_t *n, const char *path, cf_error *err)
{
    /* O_NONBLOCK: a pipe without a writer is refused below, not waited for. */
    const int f = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (f < 0)
        return cf_fail(err, CF_IO, "%s: cannot open: %s", path, strerror(errno));
    struct stat s;
    if (fstat(f, &s) != 0) {
        const int e = errno;
        close(f);
        return cf_fail(err, CF_IO, "%s: cannot stat: %s", path, strerror(e));
    }
    if (!S_ISREG(s.st_mode)) {
        close(f);
        return cf_fail(err, CF_IO, "%s: expected a file, found %s", path,
                       S_ISDIR(s.st_mode) ? "a folder" : "something else");
    }
    *fd = f;
    *n = (size_t)s.st_size;
    return CF_OK;
}

cf_status cf_file_map(cf_mapping *out, const char *path, cf_error *err)
{
    int fd = -1;
    size_t n = 0;
    const cf_status st = open_regular(&fd, &n, path, err);
    if (st != CF_OK)
        return st;
    void *p = NULL;
    if (n > 0) {
        p = mmap(NULL, n, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p == MAP_FAILED) {
            const int e = errno;
            close(fd);
            return cf_fail(err, e == ENOMEM ? CF_NOMEM : CF_IO, "%s: cannot map %zu bytes: %s", path, n, strerror(e));
        }
    }
    close(fd);
    *out = (cf_mapping){p, n};
    return CF_OK;
}

void cf_file_unmap(cf_mapping *m)
{
    if (m->data)
        munmap((void *)(uintptr_t)m->data, m->n);
    *m = (cf_mapping){0};
}

cf_status cf_file_read(cf_str *out, const char *path, size_t max_bytes, cf_error *err)
{
    cf_mapping m = {0};
    cf_status st = cf_file_map(&m, path, err);
    if (st != CF_OK)
        return st;
    if (m.n > max_bytes)
        st = cf_fail(err, CF_FORMAT, "%s: expected at most %zu bytes, found %zu", path, max_bytes, m.n);
    else
        st = cf_str_add(out, (cf_slice){(const char *)m.data, m.n}, err);
    cf_file_unmap(&m);
    return st;
}

cf_status cf_file_write(const char *path, cf_slice content, cf_error *err)
{
    FILE *f = fopen(path, "wb");
    if (!f)
        return cf_fail(err, CF_IO, "%s: cannot write: %s", path, strerror(errno));
    const bool all = content.n == 0 || fwrite(content.data, 1, content.n, f) == content.n;
    const int e = errno;
    if (fclose(f) != 0 || !all)
        return cf_fail(err, CF_IO, "%s: cannot write: %s", path, strerror(all ? errno : e));
    return CF_OK;
}

bool cf_file_exists(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && S_ISREG(s.st_mode);
}

bool cf_file_is_dir(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

cf_status cf_dir_make(const char *path, cf_error *err)
{
    cf_str part = {0};
    cf_status st = CF_OK;
    const size_t n = strlen(path);
    for (size_t i = 1; i <= n; i++) {
        if (i < n && path[i] != '/')
            continue;
        cf_str_clear(&part);
        CF_TRY(cf_str_add(&part, (cf_slice){path, i}, err));
        if (mkdir(part.data, 0777) != 0 && errno != EEXIST) {
            st = cf_fail(err, CF_IO, "%s: cannot make the folder: %s", part.data, strerror(errno));
            goto done;
        }
    }
    if (!cf_file_is_dir(path))
        st = cf_fail(err, CF_IO, "%s: expected a folder, found something else", path);
done:
    cf_str_deinit(&part);
    return st;
}

cf_status cf_path_join(char **out, const char *dir, const char *name, cf_error *err)
{
    cf_str s = {0};
    cf_status st = CF_OK;
    if (dir[0] && name[0] != '/') {
        CF_TRY(cf_str_add_text(&s, dir, err));
        if (dir[strlen(dir) - 1] != '/')
            CF_TRY(cf_str_add_text(&s, "/", err));
    }
    CF_TRY(cf_str_add_text(&s, name, err));
    *out = s.data;
    s.data = NULL;
done:
    cf_str_deinit(&s);
    return st;
}

cf_slice cf_path_stem(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');
    return (cf_slice){name, dot && dot != name ? (size_t)(dot - name) : strlen(name)};
}

cf_status cf_path_dir(char **out, const char *path, cf_error *err)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return cf_strdup(out, cf_slice_of("."), err);
    return cf_strdup(out, (cf_slice){path, slash == path ? 1 : (size_t)(slash - path)}, err);
}
