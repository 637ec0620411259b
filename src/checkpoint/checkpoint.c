/* checkpoint.c - see checkpoint.h. Joins the parts: the configuration, the files, and one table of weights by
 * canonical name.
 *
 * State: everything is filled in by open and only read afterwards. weights[] is sorted by canonical name, without
 * duplicates; its entries point into files, which own the mappings. */
#include "checkpoint/checkpoint.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/str.h"
#include "checkpoint/alias.h"
#include "checkpoint/hub.h"
#include "checkpoint/shards.h"

enum {
    MAX_CONFIG_BYTES = 16 << 20,
    HASH_WHOLE_BYTES = 64 << 20, /* of each file; beyond it HASH_SAMPLE_BYTES of every HASH_STRIDE_BYTES */
    HASH_STRIDE_BYTES = 1 << 20,
    HASH_SAMPLE_BYTES = 4096
};

struct weight {
    char *name; /* canonical */
    const cf_stored_tensor *tensor;
    const cf_weight_file *file;
};

struct cf_checkpoint {
    char *dir;
    cf_str config_text, generation_text; /* as stored, for the hash */
    cf_config config;
    cf_shards shards;
    struct weight *weights;
    size_t n_weights;
    int64_t n_parameters, weight_bytes;
};

static cf_status read_config(cf_checkpoint *c, cf_error *err)
{
    cf_status st = CF_OK;
    char *config_path = NULL, *generation_path = NULL;
    cf_json *config = NULL, *generation = NULL;
    CF_TRY(cf_path_join(&config_path, c->dir, "config.json", err));
    CF_TRY(cf_path_join(&generation_path, c->dir, "generation_config.json", err));
    CF_TRY(cf_file_read(&c->config_text, config_path, MAX_CONFIG_BYTES, err));
    CF_TRY(cf_json_parse(&config, cf_str_slice(&c->config_text), config_path, err));
    if (cf_file_exists(generation_path)) {
        CF_TRY(cf_file_read(&c->generation_text, generation_path, MAX_CONFIG_BYTES, err));
        CF_TRY(cf_json_parse(&generation, cf_str_slice(&c->generation_text), generation_path, err));
    }
    CF_TRY(cf_config_parse(&c->config,
                           &(cf_config_source){.config = config, .generation = generation, .where = config_path}, err));
done:
    cf_json_free(generation);
    cf_json_free(config);
    free(generation_path);
    free(config_path);
    return st;
}

static int by_name(const void *a, const void *b)
{
    const struct weight *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static cf_status check_unique(const cf_checkpoint *c, cf_error *err)
{
    for (size_t i = 1; i < c->n_weights; i++) {
        const struct weight *a = &c->weights[i - 1], *b = &c->weights[i];
        if (strcmp(a->name, b->name) == 0)
            return cf_fail(err, CF_MISMATCH, "%s: tensors '%s' and '%s' are both the weight '%s'", c->dir,
                           a->tensor->name, b->tensor->name, a->name);
    }
    return CF_OK;
}

static cf_status build_table(cf_checkpoint *c, cf_error *err)
{
    cf_status st = CF_OK;
    size_t n = 0;
    void *weights = NULL;
    for (size_t i = 0; i < c->shards.n; i++)
        n += c->shards.files[i].n;
    CF_TRY(cf_alloc(&weights, n, sizeof *c->weights, "the table of weights", err));
    c->weights = weights;
    for (size_t i = 0; i < c->shards.n; i++) {
        const cf_weight_file *file = &c->shards.files[i];
        for (size_t k = 0; k < file->n; k++) {
            struct weight *w = &c->weights[c->n_weights];
            CF_TRY(cf_alias_canonical(&w->name, file->tensors[k].name, err));
            w->tensor = &file->tensors[k];
            w->file = file;
            c->n_weights++;
            c->n_parameters += w->tensor->count;
            c->weight_bytes += (int64_t)w->tensor->n_bytes;
        }
    }
    qsort(c->weights, c->n_weights, sizeof *c->weights, by_name);
    CF_TRY(check_unique(c, err));
done:
    return st;
}

cf_status cf_checkpoint_open(cf_checkpoint **out, const char *model, cf_error *err)
{
    cf_status st = CF_OK;
    cf_checkpoint *c = calloc(1, sizeof *c);
    if (!c)
        return cf_fail(err, CF_NOMEM, "no memory for the checkpoint %s", model);
    CF_TRY(cf_hub_find(&c->dir, model, err));
    CF_TRY(read_config(c, err));
    CF_TRY(cf_shards_open(&c->shards, c->dir, err));
    CF_TRY(build_table(c, err));
    *out = c;
    c = NULL;
done:
    cf_checkpoint_close(c);
    return st;
}

void cf_checkpoint_close(cf_checkpoint *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->n_weights; i++)
        free(c->weights[i].name);
    free(c->weights);
    cf_shards_deinit(&c->shards);
    cf_str_deinit(&c->generation_text);
    cf_str_deinit(&c->config_text);
    free(c->dir);
    free(c);
}

const char *cf_checkpoint_dir(const cf_checkpoint *c)
{
    return c->dir;
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

static const struct weight *find_exact(const cf_checkpoint *c, const char *name)
{
    struct weight key = {0};
    key.name = (char *)(uintptr_t)name; /* compared only */
    return c->n_weights ? bsearch(&key, c->weights, c->n_weights, sizeof key, by_name) : NULL;
}

/* Files of tied models leave the output embedding out. */
static const struct weight *find(const cf_checkpoint *c, const char *name)
{
    const struct weight *w = find_exact(c, name);
    if (!w && c->config.text.tie_word_embeddings && strcmp(name, "lm_head.weight") == 0)
        w = find_exact(c, "model.language_model.embed_tokens.weight");
    return w;
}

bool cf_checkpoint_has(const cf_checkpoint *c, const char *name)
{
    return find(c, name) != NULL;
}

enum { SHAPE_TEXT_BYTES = 24 * CF_MAX_RANK };

static void print_shape(char out[SHAPE_TEXT_BYTES], int32_t rank, const int64_t *shape)
{
    if (rank > CF_MAX_RANK) {
        (void)snprintf(out, SHAPE_TEXT_BYTES, "%d extents", rank);
        return;
    }
    size_t n = (size_t)snprintf(out, SHAPE_TEXT_BYTES, "[");
    for (int32_t i = 0; i < rank; i++)
        n += (size_t)snprintf(out + n, SHAPE_TEXT_BYTES - n, "%s%" PRId64, i ? ", " : "", shape[i]);
    (void)snprintf(out + n, SHAPE_TEXT_BYTES - n, "]");
}

static cf_status check_shape(const struct weight *w, int32_t rank, const int64_t *shape, cf_error *err)
{
    const cf_stored_tensor *t = w->tensor;
    if (t->rank == rank && memcmp(t->shape, shape, (size_t)rank * sizeof *shape) == 0)
        return CF_OK;
    char expected[SHAPE_TEXT_BYTES], found[SHAPE_TEXT_BYTES];
    print_shape(expected, rank, shape);
    print_shape(found, t->rank, t->shape);
    return cf_fail(err, CF_MISMATCH, "%s: tensor '%s': expected shape %s, found %s", w->file->path, t->name, expected,
                   found);
}

cf_status cf_checkpoint_weight(cf_tensor *out, const cf_checkpoint *c, const char *name, int32_t rank,
                               const int64_t *shape, cf_error *err)
{
    if (rank < 0 || rank > CF_MAX_RANK)
        return cf_fail(err, CF_USAGE, "weight '%s': expected at most %d extents, found %d", name, CF_MAX_RANK, rank);
    const struct weight *w = find(c, name);
    if (!w)
        return cf_fail(err, CF_FORMAT, "%s: no weight '%s' in its files, under any known layout", c->dir, name);
    const cf_stored_tensor *t = w->tensor;
    if (!t->readable)
        return cf_fail(err, CF_UNSUPPORTED, "%s: tensor '%s': expected F32, F16 or BF16, found %s", w->file->path,
                       t->name, t->dtype_name);
    const cf_status st = check_shape(w, rank, shape, err);
    if (st != CF_OK)
        return st;
    /* The reference writer pads the header to 8 bytes; the format does not ask for it. */
    if ((uintptr_t)t->data % 2 != 0)
        return cf_fail(err, CF_UNSUPPORTED, "%s: tensor '%s' lies at an odd byte: save the file again with safetensors",
                       w->file->path, t->name);
    cf_tensor view = {(void *)(uintptr_t)t->data, t->dtype, rank, {0}};
    memcpy(view.shape, t->shape, sizeof view.shape);
    *out = view;
    return CF_OK;
}

/* Parts carry their length, so that no two different checkpoints feed the same bytes. */
static void add_part(cf_hash *h, cf_slice part)
{
    const uint64_t n = part.n;
    cf_hash_add(h, &n, sizeof n);
    cf_hash_add(h, part.data, part.n);
}

static void add_weights(cf_hash *h, cf_slice data)
{
    const uint64_t n = data.n;
    const size_t whole = data.n < HASH_WHOLE_BYTES ? data.n : HASH_WHOLE_BYTES;
    cf_hash_add(h, &n, sizeof n);
    cf_hash_add(h, data.data, whole);
    for (size_t at = whole; at < data.n; at += HASH_STRIDE_BYTES) {
        const size_t rest = data.n - at;
        cf_hash_add(h, data.data + at, rest < HASH_SAMPLE_BYTES ? rest : HASH_SAMPLE_BYTES);
    }
}

cf_status cf_checkpoint_hash(char out[CF_HASH_HEX_BYTES], const cf_checkpoint *c, cf_error *err)
{
    cf_hash *h = NULL;
    const cf_status st = cf_hash_create(&h, err);
    if (st != CF_OK)
        return st;
    add_part(h, cf_str_slice(&c->config_text));
    add_part(h, cf_str_slice(&c->generation_text));
    for (size_t i = 0; i < c->shards.n; i++) {
        add_part(h, c->shards.files[i].header);
        add_weights(h, c->shards.files[i].data);
    }
    cf_hash_hex(h, out);
    cf_hash_free(h);
    return CF_OK;
}
