/* changed_folder.c - see changed_folder.h. */
#include "changed_folder.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "golden_tensors.h"
#include "loaded_model.h"

#include "base/file.h"
#include "support/temp_dir.h"

char *changed_folder(const char *from, const char *to)
{
    char *dir = temp_dir_make(), *link = temp_dir_path(dir, "model.safetensors");
    char *weights = realpath(BITES_MODEL "/model.safetensors", NULL);
    cf_str config = {0}, changed = {0};
    OK(cf_file_read(&config, BITES_MODEL "/config.json", 1 << 16, &err));
    const int64_t at = cf_slice_find(cf_str_slice(&config), cf_slice_of(from), 0);
    assert_true(at >= 0 && weights && symlink(weights, link) == 0);
    OK(cf_str_addf(&changed, &err, "%.*s%s%s", (int)at, config.data, to, config.data + at + strlen(from)));
    temp_dir_write_text(dir, "config.json", changed.data);
    cf_str_deinit(&config);
    cf_str_deinit(&changed);
    free(weights);
    free(link);
    return dir;
}
