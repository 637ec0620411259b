/* picture.c - a picture of one or several tiles as rows of the decoder: each tile through the vision tower, then the
 * packing, which is an index and nothing more: which patch, or the newline, each position is. */
#include <stdlib.h>

#include "base/memory.h"
#include "model/model_internal.h"

/* features = [n_tiles * P patches of the tiles, then the newline where the model has one]. */
static cf_status see_tiles(const cf_model *m, cf_scratch *s, cf_tensor *features, const float *pixels, int64_t n_tiles,
                           cf_error *err)
{
    const int64_t n = n_tiles * cf_model_n_patches(m);
    cf_tensor patches = cf_tensor_rows(features, 0, n), newline = cf_tensor_rows(features, n, n + 1);
    const cf_status st = cf_vision_features(m, s, &patches, pixels, n_tiles, NULL, NULL, err);
    return st == CF_OK && m->newline.data ? cf_gather(m->be, &newline, &m->newline, NULL, err) : st;
}

cf_status cf_picture_embed(const cf_model *m, cf_scratch *s, cf_tensor *rows, const float *pixels, int64_t n_tiles,
                           const cf_merge_plan *merge, cf_error *err)
{
    const int64_t n = rows->shape[0], newline = n_tiles * cf_model_n_patches(m);
    cf_status st = CF_OK;
    void *memory = NULL;
    cf_tensor features = {0};
    if (!merge)
        return cf_vision_features(m, s, rows, pixels, 1, NULL, NULL, err);
    assert(merge->n == n);
    CF_TRY(cf_alloc(&memory, (size_t)n, sizeof(int32_t), "positions of the picture", err));
    int32_t *of = memory;
    for (int64_t i = 0; i < n; i++) {
        assert(merge->source[i] != CF_SOURCE_NEWLINE || m->newline.data);
        of[i] = merge->source[i] == CF_SOURCE_NEWLINE ? (int32_t)newline : merge->source[i];
    }
    CF_TRY(cf_backend_alloc(m->be, &features, CF_F32, newline + 1, m->config.text.hidden_size, err));
    CF_TRY(see_tiles(m, s, &features, pixels, n_tiles, err));
    CF_TRY(cf_gather(m->be, rows, &features, of, err));
done:
    cf_backend_release(m->be, &features);
    free(memory);
    return st;
}
