/* checkpoint_weight.c - one weight of a checkpoint: found by its canonical name, checked, seen as a tensor. */
#include "checkpoint/checkpoint_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int cf_weight_entry_order(const void *a, const void *b)
{
    const cf_weight_entry *x = a, *y = b;
    return strcmp(x->name, y->name);
}

const cf_weight_entry *cf_checkpoint_entry(const cf_checkpoint *c, const char *name)
{
    cf_weight_entry key = {0};
    key.name = (char *)(uintptr_t)name; /* compared only */
    return c->n_weights ? bsearch(&key, c->weights, c->n_weights, sizeof key, cf_weight_entry_order) : NULL;
}

/* Files of tied models leave the output embedding out. */
static const cf_weight_entry *find(const cf_checkpoint *c, const char *name)
{
    const cf_weight_entry *w = cf_checkpoint_entry(c, name);
    if (!w && c->config.text.tie_word_embeddings && strcmp(name, "lm_head.weight") == 0)
        w = cf_checkpoint_entry(c, "model.language_model.embed_tokens.weight");
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

static cf_status check_shape(const cf_weight_entry *w, int32_t rank, const int64_t *shape, cf_error *err)
{
    const cf_stored_tensor *t = w->tensor;
    const bool is_part = w->rows.of && rank > 0 && shape[0] == w->rows.n;
    int64_t stored[CF_MAX_RANK] = {0};
    memcpy(stored, shape, (size_t)rank * sizeof *shape);
    if (is_part)
        stored[0] = w->rows.of;
    if (t->rank == rank && memcmp(t->shape, stored, (size_t)rank * sizeof *shape) == 0 && (is_part || !w->rows.of))
        return CF_OK;
    char expected[SHAPE_TEXT_BYTES], found[SHAPE_TEXT_BYTES];
    print_shape(expected, rank, stored);
    print_shape(found, t->rank, t->shape);
    return cf_fail(err, CF_MISMATCH, "%s: tensor '%s': expected shape %s, found %s", w->file->path, t->name, expected,
                   found);
}

cf_status cf_checkpoint_weight(cf_tensor *out, const cf_checkpoint *c, const char *name, int32_t rank,
                               const int64_t *shape, cf_error *err)
{
    if (rank < 0 || rank > CF_MAX_RANK)
        return cf_fail(err, CF_USAGE, "weight '%s': expected at most %d extents, found %d", name, CF_MAX_RANK, rank);
    const cf_weight_entry *w = find(c, name);
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
    if (w->rows.of) {
        view.data = (char *)view.data + t->n_bytes / (size_t)w->rows.of * (size_t)w->rows.begin;
        view.shape[0] = w->rows.n;
    }
    *out = view;
    return CF_OK;
}
