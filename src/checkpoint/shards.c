/* shards.c - see shards.h. The index, as save_pretrained writes it: {"metadata": {...}, "weight_map": {tensor: file}}.
 */
#include "checkpoint/shards.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define SINGLE_FILE "model.safetensors"
#define INDEX_FILE "model.safetensors.index.json"

enum { MAX_INDEX_BYTES = 64 << 20 };

/* Takes over *file on success. */
static cf_status append(cf_shards *s, cf_safetensors *file, cf_error *err)
{
    void *files = s->files;
    const cf_status st = cf_grow(&files, &s->cap, s->n + 1, sizeof *s->files, "safetensors files", err);
    if (st != CF_OK)
        return st;
    s->files = files;
    s->files[s->n++] = *file;
    *file = (cf_safetensors){0};
    return CF_OK;
}

static cf_status open_file(cf_shards *s, const char *dir, const char *name, cf_error *err)
{
    cf_status st = CF_OK;
    char *path = NULL;
    cf_safetensors file = {0};
    CF_TRY(cf_path_join(&path, dir, name, err));
    CF_TRY(cf_safetensors_open(&file, path, err));
    CF_TRY(append(s, &file, err));
done:
    cf_safetensors_deinit(&file);
    free(path);
    return st;
}

/* Shard names hold no '/', so the last component of the path is the name. */
static const cf_safetensors *opened(const cf_shards *s, const char *name)
{
    for (size_t i = 0; i < s->n; i++) {
        const char *slash = strrchr(s->files[i].path, '/');
        if (strcmp(slash ? slash + 1 : s->files[i].path, name) == 0)
            return &s->files[i];
    }
    return NULL;
}

static cf_status open_mapped(cf_shards *s, const cf_json *weight, const char *dir, const char *index, cf_error *err)
{
    const char *name = cf_json_string(weight);
    if (!name || !*name)
        return cf_fail(err, CF_FORMAT, "%s: weight_map: expected a file name for '%s'", index, cf_json_name(weight));
    /* An index is outside data: it must not reach out of its folder. */
    if (strchr(name, '/') || strstr(name, ".."))
        return cf_fail(err, CF_FORMAT, "%s: weight_map: expected a plain file name for '%s', found '%s'", index,
                       cf_json_name(weight), name);
    const cf_safetensors *file = opened(s, name);
    if (!file) {
        const cf_status st = open_file(s, dir, name, err);
        if (st != CF_OK)
            return st;
        file = &s->files[s->n - 1];
    }
    if (!cf_safetensors_find(file, cf_json_name(weight)))
        return cf_fail(err, CF_MISMATCH, "%s: weight_map: expected '%s' in %s, found no such tensor there", index,
                       cf_json_name(weight), name);
    return CF_OK;
}

static cf_status open_index(cf_shards *s, const char *dir, const char *index, cf_error *err)
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
        CF_TRY(open_mapped(s, w, dir, index, err));
done:
    cf_json_free(root);
    return st;
}

cf_status cf_shards_open(cf_shards *out, const char *dir, cf_error *err)
{
    cf_status st = CF_OK;
    cf_shards s = {0};
    char *single = NULL, *index = NULL;
    CF_TRY(cf_path_join(&single, dir, SINGLE_FILE, err));
    CF_TRY(cf_path_join(&index, dir, INDEX_FILE, err));
    if (cf_file_exists(single))
        CF_TRY(open_file(&s, dir, SINGLE_FILE, err));
    else if (cf_file_exists(index))
        CF_TRY(open_index(&s, dir, index, err));
    else {
        st = cf_fail(err, CF_IO,
                     "%s: expected " SINGLE_FILE " or " INDEX_FILE ", found neither (torch .bin files are not read)",
                     dir);
        goto done;
    }
    *out = s;
    s = (cf_shards){0};
done:
    cf_shards_deinit(&s);
    free(index);
    free(single);
    return st;
}

void cf_shards_deinit(cf_shards *s)
{
    for (size_t i = 0; i < s->n; i++)
        cf_safetensors_deinit(&s->files[i]);
    free(s->files);
    *s = (cf_shards){0};
}
