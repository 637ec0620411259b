/* stack.c - see stack.h. */
#include "engine/stack.h"

#include <stdlib.h>

cf_status cf_stack_create(cf_stack **out, const cf_model *m, cf_error *err)
{
    cf_status st = CF_OK;
    cf_stack *k = calloc(1, sizeof *k);
    if (!k)
        return cf_fail(err, CF_NOMEM, "no memory for a stack of rows");
    k->model = m;
    k->be = cf_model_backend(m);
    st = cf_scratch_create(&k->scratch, m, err);
    if (st == CF_OK)
        *out = k;
    else
        cf_stack_free(k);
    return st;
}

void cf_stack_free(cf_stack *k)
{
    if (!k)
        return;
    cf_tensor *all[] = {&k->picture,       &k->x,     &k->asking,      &k->sweep_rows[0],
                        &k->sweep_rows[1], &k->block, &k->block_logits};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        cf_backend_release(k->be, all[i]);
    cf_scratch_free(k->scratch);
    free(k->block_host);
    free(k->segments);
    free(k->updates);
    free(k->positions);
    free(k);
}

cf_status cf_room(cf_backend *be, cf_tensor *t, int64_t rows, int64_t cols, cf_error *err)
{
    if (t->data && t->shape[0] >= rows && t->shape[1] == cols)
        return CF_OK;
    cf_backend_release(be, t);
    return cf_backend_alloc(be, t, CF_F32, rows + rows / 8, cols, err);
}

cf_status cf_stack_reserve(cf_stack *k, int64_t rows, cf_error *err)
{
    const cf_status st = cf_room(k->be, &k->x, rows, cf_model_config(k->model)->text.hidden_size, err);
    return st == CF_OK ? cf_scratch_reserve(k->scratch, rows, err) : st;
}

cf_tensor cf_stack_next(const cf_stack *k, int64_t *row, const cf_put *p)
{
    const int64_t begin = *row;
    *row += p->end - p->begin;
    return cf_tensor_rows(&k->x, begin, *row);
}

cf_status cf_stack_layer(cf_stack *k, int64_t layer, const cf_layer_batch *b, cf_tensor *y, const cf_tensor *x,
                         cf_error *err)
{
    const int64_t before = cf_backend_counters(k->be).linear_macs;
    const cf_status st = cf_decoder_layer(k->model, k->scratch, layer, b, y, x, err);
    k->decoder_macs += cf_backend_counters(k->be).linear_macs - before;
    return st;
}
