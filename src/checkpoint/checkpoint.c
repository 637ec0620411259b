/* checkpoint.c - see checkpoint.h. Joins the parts: the folder, the configuration, the files, the vision tower, and one
 * table of weights by canonical name. */
#include "checkpoint/checkpoint_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "checkpoint/hub.h"
#include "checkpoint/vision_tower.h"

enum { MAX_CONFIG_BYTES = 16 << 20 };

cf_checkpoint_options cf_checkpoint_options_default(void)
{
    return (cf_checkpoint_options){.vision_tower = NULL};
}

/* A JSON file of a folder, its text kept. `path` is handed over as well, for messages. */
static cf_status read_json(cf_json **out, cf_str *text, char **path, const char *dir, const char *name, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_path_join(path, dir, name, err));
    CF_TRY(cf_file_read(text, *path, MAX_CONFIG_BYTES, err));
    CF_TRY(cf_json_parse(out, cf_str_slice(text), *path, err));
done:
    return st;
}

static cf_status read_generation(cf_json **out, cf_checkpoint *c, cf_error *err)
{
    char *path = NULL;
    cf_status st = cf_path_join(&path, c->dir, "generation_config.json", err);
    const bool there = st == CF_OK && cf_file_exists(path);
    free(path);
    path = NULL;
    if (there)
        st = read_json(out, &c->generation_text, &path, c->dir, "generation_config.json", err);
    free(path);
    return st;
}

/* Where the configuration names a vision tower of its own folder: that folder, if it can be found. */
static cf_status find_tower(cf_checkpoint *c, const cf_json *config, const char *given, cf_error *err)
{
    const char *name = cf_config_vision_tower(config);
    if (name)
        return cf_vision_tower_find(&c->tower_dir, name, c->dir, given, err);
    if (given)
        return cf_fail(err, CF_USAGE, "%s: a vision tower is given (%s), but this checkpoint holds its own", c->dir,
                       given);
    return CF_OK;
}

static cf_status read_config(cf_checkpoint *c, const cf_checkpoint_options *o, cf_error *err)
{
    cf_status st = CF_OK;
    char *config_path = NULL, *tower_path = NULL;
    cf_json *config = NULL, *generation = NULL, *tower = NULL;
    CF_TRY(read_json(&config, &c->config_text, &config_path, c->dir, "config.json", err));
    CF_TRY(read_generation(&generation, c, err));
    CF_TRY(find_tower(c, config, o->vision_tower, err));
    if (c->tower_dir)
        CF_TRY(read_json(&tower, &c->tower_text, &tower_path, c->tower_dir, "config.json", err));
    const cf_config_source from = {config, generation, config_path, tower, tower_path};
    CF_TRY(cf_config_parse(&c->config, &from, err));
done:
    cf_json_free(tower);
    cf_json_free(generation);
    cf_json_free(config);
    free(tower_path);
    free(config_path);
    return st;
}

/* The weights that a tensor is. */
static cf_status add_tensor(cf_checkpoint *c, const cf_weight_file *file, const cf_stored_tensor *t, const char *name,
                            cf_error *err)
{
    cf_status st = CF_OK;
    const size_t n = cf_alias_n_parts(name);
    void *weights = c->weights;
    CF_TRY(cf_grow(&weights, &c->cap_weights, c->n_weights + n, sizeof *c->weights, "weights", err));
    c->weights = weights;
    for (size_t i = 0; i < n; i++) {
        cf_weight_entry e = {.tensor = t, .file = file};
        CF_TRY(cf_alias_part(&e.name, &e.rows, name, i, &c->config.text, err));
        c->weights[c->n_weights++] = e;
    }
    c->n_parameters += t->count;
    c->weight_bytes += (int64_t)t->n_bytes;
done:
    return st;
}

/* The tensors of files, under the names that `alias` gives them. */
static cf_status add_files(cf_checkpoint *c, const cf_shards *s, cf_alias *alias, cf_error *err)
{
    cf_status st = CF_OK;
    char *name = NULL;
    for (size_t i = 0; i < s->n; i++)
        for (size_t k = 0; k < s->files[i].n; k++) {
            const cf_stored_tensor *t = &s->files[i].tensors[k];
            CF_TRY(alias(&name, t->name, err));
            if (name)
                CF_TRY(add_tensor(c, &s->files[i], t, name, err));
            free(name);
            name = NULL;
        }
done:
    free(name);
    return st;
}

static cf_status sort_weights(cf_checkpoint *c, cf_error *err)
{
    if (c->n_weights)
        qsort(c->weights, c->n_weights, sizeof *c->weights, cf_weight_entry_order);
    for (size_t i = 1; i < c->n_weights; i++) {
        const cf_weight_entry *a = &c->weights[i - 1], *b = &c->weights[i];
        if (strcmp(a->name, b->name) == 0)
            return cf_fail(err, CF_MISMATCH, "%s: tensors '%s' and '%s' are both the weight '%s'", c->dir,
                           a->tensor->name, b->tensor->name, a->name);
    }
    return CF_OK;
}

/* LLaVA-1.5 was saved without its tower, LLaVA-1.6 with it, tuned: what the checkpoint holds goes first. */
static cf_status open_tower(cf_checkpoint *c, cf_error *err)
{
    cf_status st = CF_OK;
    if (!c->config.original || cf_checkpoint_entry(c, CF_TOWER "embeddings.patch_embedding.weight"))
        return CF_OK;
    if (!c->tower_dir)
        return cf_fail(err, CF_IO,
                       "%s: its vision tower is a checkpoint of its own, which is not at hand: download config.json, "
                       "preprocessor_config.json, and model.safetensors or pytorch_model.bin of the repository that "
                       "mm_vision_tower in its config.json names, or say in which folder they are",
                       c->dir);
    CF_TRY(cf_shards_open(&c->tower_shards, c->tower_dir, err));
    CF_TRY(add_files(c, &c->tower_shards, cf_alias_tower, err));
    CF_TRY(sort_weights(c, err));
done:
    return st;
}

cf_status cf_checkpoint_open_with(cf_checkpoint **out, const char *model, const cf_checkpoint_options *o, cf_error *err)
{
    cf_status st = CF_OK;
    cf_checkpoint *c = calloc(1, sizeof *c);
    if (!c)
        return cf_fail(err, CF_NOMEM, "no memory for the checkpoint %s", model);
    CF_TRY(cf_hub_find(&c->dir, model, err));
    CF_TRY(read_config(c, o, err));
    CF_TRY(cf_shards_open(&c->shards, c->dir, err));
    CF_TRY(add_files(c, &c->shards, cf_alias_canonical, err));
    CF_TRY(sort_weights(c, err));
    CF_TRY(open_tower(c, err));
    *out = c;
    c = NULL;
done:
    cf_checkpoint_close(c);
    return st;
}

cf_status cf_checkpoint_open(cf_checkpoint **out, const char *model, cf_error *err)
{
    const cf_checkpoint_options options = cf_checkpoint_options_default();
    return cf_checkpoint_open_with(out, model, &options, err);
}

void cf_checkpoint_close(cf_checkpoint *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->n_weights; i++)
        free(c->weights[i].name);
    free(c->weights);
    cf_shards_deinit(&c->tower_shards);
    cf_shards_deinit(&c->shards);
    cf_str_deinit(&c->tower_text);
    cf_str_deinit(&c->generation_text);
    cf_str_deinit(&c->config_text);
    free(c->tower_dir);
    free(c->dir);
    free(c);
}

const char *cf_checkpoint_dir(const cf_checkpoint *c)
{
    return c->dir;
}

const char *cf_checkpoint_vision_tower(const cf_checkpoint *c)
{
    return c->tower_dir;
}

const cf_config *cf_checkpoint_config(const cf_checkpoint *c)
{
    return &c->config;
}

int64_t cf_checkpoint_n_parameters(const cf_checkpoint *c)
{
    return c->n_parameters;
}

int64_t cf_checkpoint_weight_bytes(const cf_checkpoint *c)
{
    return c->weight_bytes;
}
