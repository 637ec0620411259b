/* scratch.c - the buffers of a pass; see model.h. Reserved between passes, so that a layer allocates nothing. */
#include "model/model_internal.h"

#include <stdlib.h>

#include "base/memory.h"

/* The MLP goes through its rows in chunks of about cf_backend_chunk_bytes of intermediate_size: on a processor they stay in
 * the last cache between its products, and each chunk is still enough rows for products at full speed. */
enum { LEAST_CHUNK = 128, CHUNK_STEP = 64 };

/* Extents of the buffers. The tower and the decoder take turns in the same memory: each is the larger of the two. */
typedef struct extents {
    int64_t rows, chunk, d, f, q, kv;
} extents;

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static extents extents_of(const cf_config *c, const char *device, cf_dtype compute, int64_t rows)
{
    const cf_vision_config *v = &c->vision;
    const cf_text_config *t = &c->text;
    extents e = {.rows = rows,
                 .d = larger(t->hidden_size, v->hidden_size),
                 .f = larger(t->intermediate_size, larger(v->intermediate_size, t->hidden_size)),
                 .q = larger(t->n_heads * t->head_dim, v->hidden_size),
                 .kv = larger(t->n_kv_heads * t->head_dim, v->hidden_size)};
    const int64_t row_bytes = e.f * (int64_t)(2 * sizeof(float) + cf_dtype_bytes(compute));
    e.chunk = larger(cf_backend_chunk_bytes(device) / row_bytes / CHUNK_STEP * CHUNK_STEP, LEAST_CHUNK);
    e.chunk = rows < e.chunk ? rows : e.chunk;
    return e;
}

int64_t cf_scratch_bytes(const cf_config *c, const char *device, cf_dtype compute, int64_t n_rows)
{
    const extents e = extents_of(c, device, compute, n_rows);
    const int64_t wide = sizeof(float), narrow = (int64_t)cf_dtype_bytes(compute);
    return e.rows * (narrow * (2 * e.d + e.q) + wide * (e.q + 2 * e.kv)) + e.chunk * e.f * (2 * wide + narrow);
}

cf_status cf_scratch_create(cf_scratch **out, const cf_model *m, cf_error *err)
{
    cf_scratch *s = calloc(1, sizeof *s);
    if (!s)
        return cf_fail(err, CF_NOMEM, "no memory for scratch buffers");
    s->model = m;
    *out = s;
    return CF_OK;
}

static void release_all(cf_scratch *s)
{
    cf_tensor *all[] = {&s->normed, &s->gathered, &s->q, &s->k, &s->v, &s->attended, &s->gate, &s->up, &s->act};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        cf_backend_release(s->model->be, all[i]);
    s->n_rows = s->chunk = 0;
}

static void release_tower(cf_scratch *s)
{
    cf_tensor *all[] = {&s->tower, &s->patches32, &s->patches};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        cf_backend_release(s->model->be, all[i]);
    free(s->patches_host);
    s->patches_host = NULL;
}

void cf_scratch_free(cf_scratch *s)
{
    if (!s)
        return;
    release_all(s);
    cf_backend_release(s->model->be, &s->saved);
    release_tower(s);
    free(s);
}

cf_status cf_scratch_reserve(cf_scratch *s, int64_t n_rows, cf_error *err)
{
    if (n_rows <= s->n_rows)
        return CF_OK;
    cf_backend *be = s->model->be;
    const cf_dtype compute = cf_backend_compute(be);
    /* Grows in steps, so that slightly longer questions do not reallocate each time. */
    const extents e =
        extents_of(&s->model->config, cf_backend_name(be), compute, larger(n_rows, s->n_rows + s->n_rows / 4));
    cf_status st = CF_OK;
    release_all(s);
    CF_TRY(cf_backend_alloc(be, &s->normed, compute, e.rows, e.d, err));
    CF_TRY(cf_backend_alloc(be, &s->gathered, compute, e.rows, e.d, err));
    CF_TRY(cf_backend_alloc(be, &s->q, CF_F32, e.rows, e.q, err));
    CF_TRY(cf_backend_alloc(be, &s->k, CF_F32, e.rows, e.kv, err));
    CF_TRY(cf_backend_alloc(be, &s->v, CF_F32, e.rows, e.kv, err));
    CF_TRY(cf_backend_alloc(be, &s->attended, compute, e.rows, e.q, err));
    CF_TRY(cf_backend_alloc(be, &s->gate, CF_F32, e.chunk, e.f, err));
    CF_TRY(cf_backend_alloc(be, &s->up, CF_F32, e.chunk, e.f, err));
    CF_TRY(cf_backend_alloc(be, &s->act, compute, e.chunk, e.f, err));
    s->n_rows = e.rows;
    s->chunk = e.chunk;
done:
    if (st != CF_OK)
        release_all(s);
    return st;
}

cf_status cf_scratch_reserve_tower(cf_scratch *s, int64_t n_rows, cf_error *err)
{
    const cf_vision_config *v = &s->model->config.vision;
    const int64_t k = v->n_channels * v->patch_size * v->patch_size;
    cf_backend *be = s->model->be;
    cf_status st = CF_OK;
    void *host = NULL;
    if (s->tower.data && n_rows <= s->tower.shape[0])
        return CF_OK;
    release_tower(s);
    CF_TRY(cf_alloc(&host, (size_t)(n_rows * k), sizeof(float), "patches", err)); /* zeros: no patch is a class token */
    s->patches_host = host;
    CF_TRY(cf_backend_alloc(be, &s->patches32, CF_F32, n_rows, k, err));
    CF_TRY(cf_backend_alloc(be, &s->patches, cf_backend_compute(be), n_rows, k, err));
    CF_TRY(cf_backend_alloc(be, &s->tower, CF_F32, n_rows, v->hidden_size, err));
done:
    if (st != CF_OK)
        release_tower(s);
    return st;
}

cf_status cf_scratch_reserve_zeroed(cf_scratch *s, int64_t n_rows, cf_error *err)
{
    if (s->saved.data && n_rows <= s->saved.shape[0])
        return CF_OK;
    cf_backend_release(s->model->be, &s->saved);
    return cf_backend_alloc(s->model->be, &s->saved, CF_F32, n_rows, s->model->config.text.hidden_size, err);
}
