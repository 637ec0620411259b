/* alias_split.c - weights that some checkpoints store as one matrix: the rows of the parts, one after another (HF
 * Phi3Attention, Phi3MLP). Each part becomes a view of its rows; nothing is copied. */
#include <string.h>

#include "base/str.h"
#include "checkpoint/alias.h"

typedef int64_t count_rows(const cf_text_config *t);

static int64_t query_rows(const cf_text_config *t)
{
    return t->n_heads * t->head_dim;
}

static int64_t key_rows(const cf_text_config *t)
{
    return t->n_kv_heads * t->head_dim;
}

static int64_t mlp_rows(const cf_text_config *t)
{
    return t->intermediate_size;
}

typedef struct split {
    const char *stored;
    struct {
        const char *name;
        count_rows *rows;
    } parts[CF_ALIAS_MAX_PARTS]; /* up to the first without a name */
} split;

static const split splits[] = {
    {".self_attn.qkv_proj.",
     {{".self_attn.q_proj.", query_rows}, {".self_attn.k_proj.", key_rows}, {".self_attn.v_proj.", key_rows}}},
    {".mlp.gate_up_proj.", {{".mlp.gate_proj.", mlp_rows}, {".mlp.up_proj.", mlp_rows}}},
};

static const split whole = {"", {{"", NULL}}};

/* The row whose stored name occurs in a canonical one, of the decoder; `whole` where there is none. */
static const split *split_of(const char *canonical)
{
    static const char decoder[] = "model.language_model.layers.";
    if (strncmp(canonical, decoder, sizeof decoder - 1) != 0)
        return &whole;
    for (size_t i = 0; i < sizeof splits / sizeof *splits; i++)
        if (strstr(canonical, splits[i].stored))
            return &splits[i];
    return &whole;
}

static size_t count_parts(const split *s)
{
    size_t n = 0;
    while (n < CF_ALIAS_MAX_PARTS && s->parts[n].name)
        n++;
    return n;
}

size_t cf_alias_n_parts(const char *canonical)
{
    return count_parts(split_of(canonical));
}

cf_status cf_alias_part(char **name, cf_rows *rows, const char *canonical, size_t part, const cf_text_config *t,
                        cf_error *err)
{
    const split *s = split_of(canonical);
    const char *at = strstr(canonical, s->stored); /* `whole` is found at the beginning */
    cf_str text = {0};
    cf_status st = CF_OK;
    cf_rows found = {0};
    CF_TRY(cf_str_add(&text, (cf_slice){canonical, (size_t)(at - canonical)}, err));
    CF_TRY(cf_str_add_text(&text, s->parts[part].name, err));
    CF_TRY(cf_str_add_text(&text, at + strlen(s->stored), err));
    for (size_t i = 0; s != &whole && i < count_parts(s); i++) {
        const int64_t n = s->parts[i].rows(t);
        found.begin += i < part ? n : 0;
        found.n = i == part ? n : found.n;
        found.of += n;
    }
    *rows = found;
    *name = text.data;
    text.data = NULL;
done:
    cf_str_deinit(&text);
    return st;
}
