/* temp_dir.c - see temp_dir.h. */
#include "support/temp_dir.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

static void require(int ok, const char *what)
{
    if (ok)
        return;
    perror(what);
    exit(1);
}

char *temp_dir_make(void)
{
    static const char pattern[] = "/tmp/crossflow-test-XXXXXX";
    char *dir = malloc(sizeof pattern);
    require(dir != NULL, "temp_dir_make");
    memcpy(dir, pattern, sizeof pattern);
    require(mkdtemp(dir) != NULL, dir);
    return dir;
}

static int remove_one(const char *path, const struct stat *s, int kind, struct FTW *at)
{
    (void)s;
    (void)kind;
    (void)at;
    return remove(path);
}

void temp_dir_remove(char *dir)
{
    require(nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0, dir);
    free(dir);
}

char *temp_dir_path(const char *dir, const char *name)
{
    char *path = NULL;
    require(cf_path_join(&path, dir, name, NULL) == CF_OK, name);
    return path;
}

void temp_dir_write(const char *dir, const char *name, const void *bytes, size_t n)
{
    char *path = temp_dir_path(dir, name);
    require(cf_file_write(path, (cf_slice){bytes, n}, NULL) == CF_OK, path);
    free(path);
}

void temp_dir_write_text(const char *dir, const char *name, const char *text)
{
    temp_dir_write(dir, name, text, strlen(text));
}
