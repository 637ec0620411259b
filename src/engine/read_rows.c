/* read_rows.c - logits of any rows, a block at a time; see session_internal.h. */
#include <stdlib.h>

#include "base/memory.h"
#include "engine/session_internal.h"

enum { BLOCK_ROWS = 64 }; /* 33 MB a copy for a vocabulary of 128,000; enough rows for products at full speed */

static cf_status reserve_block(cf_session *s, cf_error *err)
{
    const cf_text_config *t = &cf_model_config(s->model)->text;
    cf_status st = CF_OK;
    void *host = NULL;
    if (s->block_host)
        return CF_OK;
    CF_TRY(cf_session_room(s, &s->block, BLOCK_ROWS, t->hidden_size, err));
    CF_TRY(cf_session_room(s, &s->block_logits, BLOCK_ROWS, t->vocab_size, err));
    CF_TRY(cf_scratch_reserve(s->scratch, BLOCK_ROWS, err));
    CF_TRY(cf_alloc(&host, (size_t)(BLOCK_ROWS * t->vocab_size), sizeof(float), "logits", err));
    s->block_host = host;
done:
    return st;
}

cf_status cf_session_read_rows(cf_session *s, const cf_tensor *x, const int32_t *rows, int64_t n, bool normed,
                               cf_row_visitor visit, void *user, cf_error *err)
{
    const int64_t vocab = cf_model_config(s->model)->text.vocab_size;
    cf_status st = CF_OK;
    CF_TRY(reserve_block(s, err));
    for (int64_t begin = 0; begin < n; begin += BLOCK_ROWS) {
        const int64_t m = n - begin < BLOCK_ROWS ? n - begin : BLOCK_ROWS;
        const cf_tensor all = rows ? *x : cf_tensor_rows(x, begin, begin + m);
        cf_tensor block = cf_tensor_rows(&s->block, 0, m), logits = cf_tensor_rows(&s->block_logits, 0, m);
        CF_TRY(cf_gather(s->be, &block, &all, rows ? rows + begin : NULL, err));
        CF_TRY(cf_decoder_logits(s->model, s->scratch, &logits, &block, normed, err));
        CF_TRY(cf_backend_download(s->be, s->block_host, &logits, err));
        for (int64_t i = 0; i < m; i++)
            visit(user, begin + i, s->block_host + i * vocab);
    }
done:
    return st;
}
