/* changed_checkpoint.c - a golden checkpoint under another config.json; see family_check.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "family_check.h"

#include "base/file.h"
#include "support/temp_dir.h"

static void link_file(const char *dir, const char *name, const char *file)
{
    char path[128];
    (void)snprintf(path, sizeof path, FAMILY "/%s/%s", name, file);
    char *target = realpath(path, NULL), *link = temp_dir_path(dir, file);
    assert_true(target && symlink(target, link) == 0);
    free(target);
    free(link);
}

char *changed_checkpoint(const char *name, const char *from, const char *to)
{
    static const char *const files[] = {"generation_config.json", "model.safetensors", "preprocessor_config.json",
                                        "tokenizer.json", "tokenizer_config.json"};
    char path[128], *dir = temp_dir_make();
    cf_str config = {0}, changed = {0};
    (void)snprintf(path, sizeof path, FAMILY "/%s/config.json", name);
    OK(cf_file_read(&config, path, 1 << 16, &err));
    const int64_t at = cf_slice_find(cf_str_slice(&config), cf_slice_of(from), 0);
    assert_true(at >= 0);
    OK(cf_str_addf(&changed, &err, "%.*s%s%s", (int)at, config.data, to, config.data + at + strlen(from)));
    temp_dir_write_text(dir, "config.json", changed.data);
    for (size_t i = 0; i < COUNT(files); i++)
        link_file(dir, name, files[i]);
    cf_str_deinit(&config);
    cf_str_deinit(&changed);
    return dir;
}
