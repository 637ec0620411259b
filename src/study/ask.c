/* ask.c - see ask.h. */
#include "study/ask.h"

#include <stdlib.h>

#include "base/memory.h"
#include "engine/score.h"
#include "engine/session.h"
#include "study/prepare.h"

static cf_status top_tokens(cf_answer *a, const cf_runtime *r, const float *logits, cf_error *err)
{
    cf_status st = CF_OK;
    cf_top_k(logits, cf_checkpoint_config(r->checkpoint)->text.vocab_size, CF_ASK_TOP, a->top_ids, a->top_probability);
    for (int i = 0; i < CF_ASK_TOP; i++)
        CF_TRY(cf_str_add(&a->top_text[i], cf_tokenizer_token(r->tokenizer, a->top_ids[i]), err));
done:
    return st;
}

cf_status cf_ask(cf_answer *out, const cf_runtime *r, const char *image, cf_slice question, int32_t max_new_tokens,
                 cf_error *err)
{
    cf_status st = CF_OK;
    cf_session *s = NULL;
    cf_picture picture = {0};
    cf_prepared p = {0};
    cf_answer a = {0};
    void *ids = NULL;
    if (max_new_tokens < 1)
        return cf_fail(err, CF_USAGE, "--max-new-tokens %d: expected 1 or more", max_new_tokens);
    CF_TRY(cf_picture_load(&picture, r, image, err));
    CF_TRY(cf_prepare(&p, r, &picture, &(const cf_question){.text = question}, err));
    CF_TRY(cf_session_create(&s, r->model, false, err));
    CF_TRY(cf_session_begin(s, &p.input, max_new_tokens, err));
    CF_TRY(cf_session_baseline(s, cf_session_length(s), err));
    CF_TRY(cf_alloc(&ids, (size_t)max_new_tokens, sizeof(int32_t), "answer tokens", err));
    CF_TRY(cf_session_generate(s, ids, &a.n_tokens, max_new_tokens, err));
    a.length = cf_session_length(s);
    CF_TRY(cf_answer_text(&a.text, r, ids, a.n_tokens, err));
    CF_TRY(top_tokens(&a, r, cf_session_logits(s), err));
    a.probability = a.top_probability[0];
    *out = a;
    a = (cf_answer){0};
done:
    cf_answer_deinit(&a);
    free(ids);
    cf_session_free(s);
    cf_prepared_deinit(&p);
    cf_picture_deinit(&picture);
    return st;
}

void cf_answer_deinit(cf_answer *a)
{
    cf_str_deinit(&a->text);
    for (int i = 0; i < CF_ASK_TOP; i++)
        cf_str_deinit(&a->top_text[i]);
}
