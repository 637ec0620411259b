/* shards.c - see shards.h. The index, as save_pretrained writes it: {"metadata": {...}, "weight_map": {tensor: file}}.
 */
#include "checkpoint/shards.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "checkpoint/safetensors.h"
#include "checkpoint/torch_zip.h"

/* transformers 5.17, _get_resolved_checkpoint_files: one after the other. */
typedef struct format {
    const char *single, *index;
    cf_weight_parse *parse;
} format;

static const format formats[] = {
    {"model.safetensors", "model.safetensors.index.json", cf_safetensors_parse},
    {"pytorch_model.bin", "pytorch_model.bin.index.json", cf_torch_zip_parse},
};

enum { MAX_INDEX_BYTES = 64 << 20 };

/* Takes over *file on success. */
static cf_status append(cf_shards *s, cf_weight_file *file, cf_error *err)
{
    void *files = s->files;
    const cf_status st = cf_grow(&files, &s->cap, s->n + 1, sizeof *s->files, "weight files", err);
    if (st != CF_OK)
        return st;
    s->files = files;
    s->files[s->n++] = *file;
    *file = (cf_weight_file){0};
    return CF_OK;
}

static cf_status open_file(cf_shards *s, const char *dir, const char *name, cf_weight_parse *parse, cf_error *err)
{
    cf_status st = CF_OK;
    char *path = NULL;
    cf_weight_file file = {0};
    CF_TRY(cf_path_join(&path, dir, name, err));
    CF_TRY(cf_weight_file_open(&file, path, parse, err));
    CF_TRY(append(s, &file, err));
done:
    cf_weight_file_deinit(&file);
    free(path);
    return st;
}

/* Shard names hold no '/', so the last component of the path is the name. */
static const cf_weight_file *opened(const cf_shards *s, const char *name)
{
    for (size_t i = 0; i < s->n; i++) {
        const char *slash = strrchr(s->files[i].path, '/');
        if (strcmp(slash ? slash + 1 : s->files[i].path, name) == 0)
            return &s->files[i];
    }
    return NULL;
}

static cf_status open_mapped(cf_shards *s, const cf_json *weight, const char *dir, const char *index,
                             cf_weight_parse *parse, cf_error *err)
{
    const char *name = cf_json_string(weight);
    if (!name || !*name)
        return cf_fail(err, CF_FORMAT, "%s: weight_map: expected a file name for '%s'", index, cf_json_name(weight));
    /* An index is outside data: it must not reach out of its folder. */
    if (strchr(name, '/') || strstr(name, ".."))
        return cf_fail(err, CF_FORMAT, "%s: weight_map: expected a plain file name for '%s', found '%s'", index,
                       cf_json_name(weight), name);
    const cf_weight_file *file = opened(s, name);
    if (!file) {
        const cf_status st = open_file(s, dir, name, parse, err);
        if (st != CF_OK)
            return st;
        file = &s->files[s->n - 1];
    }
    if (!cf_weight_file_find(file, cf_json_name(weight)))
        return cf_fail(err, CF_MISMATCH, "%s: weight_map: expected '%s' in %s, found no such tensor there", index,
                       cf_json_name(weight), name);
    return CF_OK;
}

static cf_status open_index(cf_shards *s, const char *dir, const char *index, cf_weight_parse *parse, cf_error *err)
{
    cf_status st = CF_OK;
    cf_json *root = NULL;
    CF_TRY(cf_json_open(&root, index, MAX_INDEX_BYTES, err));
    const cf_json *map = cf_json_get(root, "weight_map");
    if (cf_json_kind_of(map) != CF_JSON_OBJECT || !cf_json_first(map)) {
        st = cf_fail(err, CF_FORMAT, "%s: expected an object weight_map that is not empty", index);
        goto done;
    }
    for (const cf_json *w = cf_json_first(map); w; w = cf_json_next(w))
        CF_TRY(open_mapped(s, w, dir, index, parse, err));
done:
    cf_json_free(root);
    return st;
}

/* *found = whether the folder has weights in this format. */
static cf_status open_format(bool *found, cf_shards *s, const char *dir, const format *f, cf_error *err)
{
    cf_status st = CF_OK;
    char *single = NULL, *index = NULL;
    CF_TRY(cf_path_join(&single, dir, f->single, err));
    CF_TRY(cf_path_join(&index, dir, f->index, err));
    *found = true;
    if (cf_file_exists(single))
        CF_TRY(open_file(s, dir, f->single, f->parse, err));
    else if (cf_file_exists(index))
        CF_TRY(open_index(s, dir, index, f->parse, err));
    else
        *found = false;
done:
    free(index);
    free(single);
    return st;
}

cf_status cf_shards_open(cf_shards *out, const char *dir, cf_error *err)
{
    cf_status st = CF_OK;
    cf_shards s = {0};
    bool found = false;
    for (size_t i = 0; i < sizeof formats / sizeof *formats && !found; i++)
        CF_TRY(open_format(&found, &s, dir, &formats[i], err));
    if (!found) {
        st = cf_fail(err, CF_IO,
                     "%s: expected model.safetensors or pytorch_model.bin, or the index of shards of either "
                     "(*.index.json), found none of them",
                     dir);
        goto done;
    }
    *out = s;
    s = (cf_shards){0};
done:
    cf_shards_deinit(&s);
    return st;
}

void cf_shards_deinit(cf_shards *s)
{
    for (size_t i = 0; i < s->n; i++)
        cf_weight_file_deinit(&s->files[i]);
    free(s->files);
    *s = (cf_shards){0};
}
