/* changed_checkpoint.c - a golden checkpoint with one of its files changed; see family_check.h. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "family_check.h"

#include "base/file.h"
#include "support/temp_dir.h"

static bool begins(cf_slice text, const char *with)
{
    const size_t n = strlen(with);
    return text.n >= n && memcmp(text.data, with, n) == 0;
}

static void write_changed(const char *dir, const char *path, const family_change *c)
{
    cf_str content = {0}, changed = {0};
    size_t n = 0;
    OK(cf_file_read(&content, path, 1 << 20, &err));
    for (size_t at = 0; at < content.n;) {
        const cf_slice rest = {content.data + at, content.n - at};
        const bool forth = begins(rest, c->from), back = !forth && c->swap && begins(rest, c->to);
        n += forth;
        if (forth || back)
            OK(cf_str_add_text(&changed, forth ? c->to : c->from, &err));
        else
            OK(cf_str_add(&changed, (cf_slice){rest.data, 1}, &err));
        at += forth ? strlen(c->from) : back ? strlen(c->to) : 1;
    }
    if (n == 0)
        fail_msg("%s does not hold %s", path, c->from);
    temp_dir_write(dir, c->file, changed.data, changed.n);
    cf_str_deinit(&content);
    cf_str_deinit(&changed);
}

static void link_file(const char *dir, const char *path, const char *name)
{
    char *target = realpath(path, NULL), *link = temp_dir_path(dir, name);
    assert_true(target && symlink(target, link) == 0);
    free(target);
    free(link);
}

char *changed_checkpoint(const char *name, const family_change *of)
{
    char folder[128], *dir = temp_dir_make();
    (void)snprintf(folder, sizeof folder, FAMILY "/%s", name);
    bool changed = false;
    DIR *entries = opendir(folder);
    assert_non_null(entries);
    for (const struct dirent *e; (e = readdir(entries));) {
        char *path = temp_dir_path(folder, e->d_name);
        if (strcmp(e->d_name, of->file) == 0) {
            write_changed(dir, path, of);
            changed = true;
        } else if (e->d_name[0] != '.')
            link_file(dir, path, e->d_name);
        free(path);
    }
    closedir(entries);
    assert_true(changed);
    return dir;
}
