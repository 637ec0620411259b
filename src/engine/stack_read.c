/* stack_read.c - logits of any rows, a block at a time; see stack.h. */
#include <stdlib.h>

#include "base/memory.h"
#include "engine/stack.h"

enum { BLOCK_ROWS = 64 }; /* 33 MB a copy for a vocabulary of 128,000; enough rows for products at full speed */

static cf_status reserve_block(cf_stack *k, cf_error *err)
{
    const cf_text_config *t = &cf_model_config(k->model)->text;
    cf_status st = CF_OK;
    void *host = NULL;
    if (k->block_host)
        return CF_OK;
    CF_TRY(cf_room(k->be, &k->block, BLOCK_ROWS, t->hidden_size, err));
    CF_TRY(cf_room(k->be, &k->block_logits, BLOCK_ROWS, t->vocab_size, err));
    CF_TRY(cf_scratch_reserve(k->scratch, BLOCK_ROWS, err));
    CF_TRY(cf_alloc(&host, (size_t)(BLOCK_ROWS * t->vocab_size), sizeof(float), "logits", err));
    k->block_host = host;
done:
    return st;
}

cf_status cf_stack_read_blocks(cf_stack *k, const cf_tensor *x, const int32_t *rows, int64_t n, bool normed,
                               cf_block_visitor visit, void *user, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(reserve_block(k, err));
    for (int64_t begin = 0; begin < n; begin += BLOCK_ROWS) {
        const int64_t m = n - begin < BLOCK_ROWS ? n - begin : BLOCK_ROWS;
        const cf_tensor all = rows ? *x : cf_tensor_rows(x, begin, begin + m);
        cf_tensor block = cf_tensor_rows(&k->block, 0, m), logits = cf_tensor_rows(&k->block_logits, 0, m);
        CF_TRY(cf_gather(k->be, &block, &all, rows ? rows + begin : NULL, err));
        CF_TRY(cf_decoder_logits(k->model, k->scratch, &logits, &block, normed, err));
        CF_TRY(cf_backend_download(k->be, k->block_host, &logits, err));
        visit(user, begin, m, k->block_host);
    }
done:
    return st;
}

typedef struct each_row {
    cf_row_visitor visit;
    void *user;
    int64_t vocab;
} each_row;

static void visit_rows(void *user, int64_t begin, int64_t n_block, const float *logits)
{
    const each_row *e = user;
    for (int64_t i = 0; i < n_block; i++)
        e->visit(e->user, begin + i, logits + i * e->vocab);
}

cf_status cf_stack_read(cf_stack *k, const cf_tensor *x, const int32_t *rows, int64_t n, bool normed,
                        cf_row_visitor visit, void *user, cf_error *err)
{
    each_row e = {visit, user, cf_model_config(k->model)->text.vocab_size};
    return cf_stack_read_blocks(k, x, rows, n, normed, visit_rows, &e, err);
}
