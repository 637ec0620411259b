/* scratch.c - the buffers of a pass; see model.h. Reserved between passes, so that a layer allocates nothing. */
#include "model/model_internal.h"

#include <stdlib.h>

enum {
    MLP_CHUNK = 384
}; /* rows: two f32 matrices of 1024 x intermediate_size, 90 MB at 7B; large enough that weights are read seldom */

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

void cf_scratch_free(cf_scratch *s)
{
    if (!s)
        return;
    release_all(s);
    cf_backend_release(s->model->be, &s->saved);
    free(s);
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

cf_status cf_scratch_reserve(cf_scratch *s, int64_t n_rows, cf_error *err)
{
    if (n_rows <= s->n_rows)
        return CF_OK;
    const cf_vision_config *v = &s->model->config.vision;
    const cf_text_config *t = &s->model->config.text;
    cf_backend *be = s->model->be;
    const cf_dtype compute = cf_backend_compute(be);
    const int64_t rows = larger(
        n_rows,
        s->n_rows + s->n_rows / 4); /* grows in steps, so that slightly longer questions do not reallocate each time */
    const int64_t chunk = rows < MLP_CHUNK ? rows : MLP_CHUNK;
    /* The tower and the decoder take turns in the same memory: each extent is the larger of the two. */
    const int64_t d = larger(t->hidden_size, v->hidden_size),
                  f = larger(t->intermediate_size, larger(v->intermediate_size, t->hidden_size));
    const int64_t q = larger(t->n_heads * t->head_dim, v->hidden_size),
                  kv = larger(t->n_kv_heads * t->head_dim, v->hidden_size);
    cf_status st = CF_OK;
    release_all(s);
    CF_TRY(cf_backend_alloc(be, &s->normed, compute, rows, d, err));
    CF_TRY(cf_backend_alloc(be, &s->gathered, compute, rows, d, err));
    CF_TRY(cf_backend_alloc(be, &s->q, CF_F32, rows, q, err));
    CF_TRY(cf_backend_alloc(be, &s->k, CF_F32, rows, kv, err));
    CF_TRY(cf_backend_alloc(be, &s->v, CF_F32, rows, kv, err));
    CF_TRY(cf_backend_alloc(be, &s->attended, compute, rows, q, err));
    CF_TRY(cf_backend_alloc(be, &s->gate, CF_F32, chunk, f, err));
    CF_TRY(cf_backend_alloc(be, &s->up, CF_F32, chunk, f, err));
    CF_TRY(cf_backend_alloc(be, &s->act, compute, chunk, f, err));
    s->n_rows = rows;
    s->chunk = chunk;
done:
    if (st != CF_OK)
        release_all(s);
    return st;
}

cf_status cf_scratch_reserve_zeroed(cf_scratch *s, int64_t n_rows, cf_error *err)
{
    if (s->saved.data && n_rows <= s->saved.shape[0])
        return CF_OK;
    cf_backend_release(s->model->be, &s->saved);
    return cf_backend_alloc(s->model->be, &s->saved, CF_F32, n_rows, s->model->config.text.hidden_size, err);
}
