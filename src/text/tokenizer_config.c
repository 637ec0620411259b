/* tokenizer_config.c - what tokenizer_config.json says beside the tokenizer itself (transformers 5.17.0: LlamaTokenizer
 * and its base classes). Most of its keys concern padding, truncation and chats, which are not crossflow's. */
#include "text/text_internal.h"

#include <stdlib.h>

#include "base/file.h"

enum { MAX_FILE_BYTES = 16 << 20 };

void cf_tokenizer_settings_deinit(cf_tokenizer_settings *s)
{
    cf_str_deinit(&s->bos);
    cf_json_free(s->root);
    *s = (cf_tokenizer_settings){0};
}

/* A token is named by its text, or by an object with it. */
static cf_status load_name(cf_str *out, const cf_json *node, const char *where, cf_error *err)
{
    if (cf_json_is_none(node))
        return CF_OK;
    const char *text = cf_json_string(node);
    if (!text)
        text = cf_json_string(cf_json_get(node, "content"));
    if (!text)
        return cf_fail(err, CF_FORMAT, "%s: bos_token is neither a text nor an object with a content", where);
    return cf_str_add_text(out, text, err);
}

static cf_status load(cf_tokenizer_settings *s, const char *where, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(load_name(&s->bos, cf_json_get(s->root, "bos_token"), where, err));
    CF_TRY(cf_flag_load(&s->legacy, s->root, "legacy", s->legacy, where, err));
    CF_TRY(cf_flag_load(&s->add_bos, s->root, "add_bos_token", s->add_bos, where, err));
    CF_TRY(cf_flag_load(&s->add_eos, s->root, "add_eos_token", s->add_eos, where, err));
    CF_TRY(cf_flag_load(&s->add_prefix_space, s->root, "add_prefix_space", s->add_prefix_space, where, err));
done:
    return st;
}

cf_status cf_tokenizer_settings_open(cf_tokenizer_settings *s, const char *dir, cf_error *err)
{
    cf_status st = CF_OK;
    char *path = NULL;
    s->add_bos = s->add_prefix_space = true;
    CF_TRY(cf_path_join(&path, dir, "tokenizer_config.json", err));
    if (!cf_file_exists(path))
        goto done;
    CF_TRY(cf_json_open(&s->root, path, MAX_FILE_BYTES, err));
    CF_TRY(load(s, path, err));
done:
    free(path);
    return st;
}
