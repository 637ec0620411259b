/* answer_tokens.c - see answer_tokens.h. */
#include "study/answer_tokens.h"

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static char upper_of(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

cf_status cf_first_token(int32_t *out, const cf_runtime *r, cf_slice word, cf_error *err)
{
    cf_ids ids = {0};
    const cf_status st = word.n ? cf_tokenizer_encode(&ids, r->tokenizer, word, false, err) : CF_OK;
    if (st == CF_OK)
        *out = ids.n ? ids.items[0] : -1;
    cf_ids_deinit(&ids);
    return st;
}

cf_status cf_word_cased(cf_str *out, cf_slice word, bool upper, cf_error *err)
{
    cf_status st = cf_str_add_text(out, "", err);
    for (size_t i = 0; st == CF_OK && i < word.n; i++) {
        const char c = upper && i == 0 ? upper_of(word.data[i]) : lower(word.data[i]);
        st = cf_str_add(out, (cf_slice){&c, 1}, err);
    }
    return st;
}

cf_status cf_first_token_like(int32_t *out, const cf_runtime *r, cf_slice word, cf_slice answer, cf_error *err)
{
    const bool capital = answer.n && answer.data[0] >= 'A' && answer.data[0] <= 'Z';
    cf_str cased = {0};
    cf_status st = CF_OK;
    if (!capital)
        return cf_first_token(out, r, word, err);
    st = cf_word_cased(&cased, word, true, err);
    if (st == CF_OK)
        st = cf_first_token(out, r, cf_str_slice(&cased), err);
    cf_str_deinit(&cased);
    return st;
}

bool cf_answer_is(cf_slice answer, cf_slice expected)
{
    if (answer.n != expected.n)
        return false;
    for (size_t i = 0; i < answer.n; i++)
        if (lower(answer.data[i]) != expected.data[i])
            return false;
    return true;
}

int32_t cf_answer_length(const cf_runtime *r, const int32_t *ids, int32_t n)
{
    const cf_config *c = cf_checkpoint_config(r->checkpoint);
    for (int32_t i = 0; n > 1 && i < c->n_eos; i++)
        if (ids[n - 1] == c->eos_token_ids[i])
            return n - 1;
    return n;
}
