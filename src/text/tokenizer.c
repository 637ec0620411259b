/* tokenizer.c - a tokenizer.json as a whole: loading its parts, and leading a text through them.
 *
 * Encoding (tokenizers: tokenizer/mod.rs): the text is cut at the raw added tokens; each piece between is normalised
 * by itself, so that a Prepend marks every one, and cut at the normalised added tokens; what is left goes through the
 * pre-tokenizer to the model; the post-processor adds its ids. The file's truncation and padding are not read:
 * transformers sets both anew at every call. */
#include "text/tokenizer.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "text/text_internal.h"

enum {
    MAX_JSON_BYTES = 256 << 20, /* the largest in use (vocabularies of 256k) take 33 MB */
    MAX_MODEL_BYTES = 64 << 20  /* 4 MB */
};

/* ---- lists of ids ---- */

void cf_ids_deinit(cf_ids *ids)
{
    free(ids->items);
    *ids = (cf_ids){0};
}

cf_status cf_ids_add(cf_ids *ids, int32_t id, cf_error *err)
{
    void *items = ids->items;
    const cf_status st = cf_grow(&items, &ids->cap, ids->n + 1, sizeof *ids->items, "token ids", err);
    if (st != CF_OK)
        return st;
    ids->items = items;
    ids->items[ids->n++] = id;
    return CF_OK;
}

static cf_status add_all(cf_ids *out, const cf_ids *ids, cf_error *err)
{
    cf_status st = CF_OK;
    for (size_t i = 0; i < ids->n && st == CF_OK; i++)
        st = cf_ids_add(out, ids->items[i], err);
    return st;
}

/* ---- what the loaders share ---- */

bool cf_json_is_none(const cf_json *node)
{
    const cf_json_kind kind = cf_json_kind_of(node);
    return kind == CF_JSON_ABSENT || kind == CF_JSON_NULL;
}

bool cf_type_is(const cf_json *node, const char *type)
{
    const char *found = cf_json_string(cf_json_get(node, "type"));
    return found && strcmp(found, type) == 0;
}

cf_status cf_type_refused(cf_error *err, const char *where, const char *part, const cf_json *node, const char *known)
{
    const char *type = cf_json_string(cf_json_get(node, "type"));
    if (!type)
        return cf_fail(err, CF_FORMAT, "%s: %s has no type (known: %s)", where, part, known);
    return cf_fail(err, CF_UNSUPPORTED, "%s: %s of type \"%s\" is not supported (known: %s)", where, part, type, known);
}

cf_status cf_flag_load(bool *out, const cf_json *node, const char *name, bool otherwise, const char *where,
                       cf_error *err)
{
    const cf_json *flag = cf_json_get(node, name);
    if (!cf_json_is_none(flag) && cf_json_kind_of(flag) != CF_JSON_BOOL)
        return cf_fail(err, CF_FORMAT, "%s: \"%s\" must be true or false", where, name);
    *out = cf_json_bool(flag, otherwise);
    return CF_OK;
}

cf_status cf_string_load(cf_str *out, const cf_json *node, const char *name, const char *where, cf_error *err)
{
    const char *text = cf_json_string(cf_json_get(node, name));
    if (!text)
        return cf_fail(err, CF_FORMAT, "%s: expected a string as \"%s\"", where, name);
    return cf_str_add_text(out, text, err);
}

/* ---- loading ---- */

/* Strings of a parsed document end at their first NUL: a text with a NUL in it, raw or as an escape, would lose tokens
 * in silence. */
static bool holds_nul(cf_slice json)
{
    if (json.n && memchr(json.data, '\0', json.n))
        return true;
    const char *end = json.data + json.n;
    for (const char *p = json.data; p && p < end;) {
        p = memchr(p, '\\', (size_t)(end - p));
        if (!p)
            break;
        if (end - p >= 6 && memcmp(p, "\\u0000", 6) == 0)
            return true;
        p += 2; /* the escape and its letter, which may be another backslash */
    }
    return false;
}

static cf_status hash_bytes(char out[CF_HASH_HEX_BYTES], cf_slice json, cf_error *err)
{
    cf_hash *h = NULL;
    const cf_status st = cf_hash_create(&h, err);
    if (st != CF_OK)
        return st;
    cf_hash_add(h, json.data, json.n);
    cf_hash_hex(h, out);
    cf_hash_free(h);
    return CF_OK;
}

static cf_status load_parts(cf_tokenizer *t, const cf_json *root, const char *where, cf_error *err)
{
    cf_status st = CF_OK;
    const cf_json *model = cf_json_get(root, "model");
    const cf_json *version = cf_json_get(root, "version");
    if (!cf_json_is_none(version) && !cf_slice_is(cf_slice_of(cf_json_string(version)), "1.0"))
        return cf_fail(err, CF_UNSUPPORTED, "%s: expected version \"1.0\", found another", where);
    if (cf_json_kind_of(model) != CF_JSON_OBJECT)
        return cf_fail(err, CF_FORMAT, "%s: there is no model", where);
    if (!cf_type_is(model, "BPE"))
        return cf_type_refused(err, where, "a model", model, "BPE");
    CF_TRY(cf_vocab_load(&t->vocab, cf_json_get(model, "vocab"), where, err));
    CF_TRY(cf_bpe_load(&t->bpe, &t->vocab, model, where, err));
    CF_TRY(cf_normalizer_load(&t->normalizer, cf_json_get(root, "normalizer"), where, err));
    CF_TRY(cf_pre_tokenizer_load(&t->pre, cf_json_get(root, "pre_tokenizer"), where, err));
    /* "first" asks where a piece began before normalisation, which is not kept. */
    if (cf_pre_tokenizer_asks_for_start(&t->pre) && t->normalizer.n) {
        st = cf_fail(err, CF_UNSUPPORTED, "%s: Metaspace prepend_scheme \"first\" after a normalizer is not supported",
                     where);
        goto done;
    }
    CF_TRY(
        cf_added_load(&t->raw, &t->normal, &t->vocab, &t->normalizer, cf_json_get(root, "added_tokens"), where, err));
    CF_TRY(cf_template_load(&t->post, &t->vocab, cf_json_get(root, "post_processor"), where, err));
    CF_TRY(cf_decoder_load(&t->decoder, cf_json_get(root, "decoder"), where, err));
    t->bos = t->post.before.n ? t->post.before.items[0] : -1;
    t->byte_level = cf_pre_tokenizer_is_byte_level(&t->pre);
done:
    return st;
}

cf_status cf_tokenizer_parse(cf_tokenizer **out, cf_slice json, const char *where, cf_error *err)
{
    cf_status st = CF_OK;
    cf_json *root = NULL;
    cf_tokenizer *t = calloc(1, sizeof *t);
    if (!t) {
        st = cf_fail(err, CF_NOMEM, "no memory for the tokenizer %s", where);
        goto done;
    }
    if (!cf_utf8_valid(json)) {
        st = cf_fail(err, CF_FORMAT, "%s: not valid UTF-8", where);
        goto done;
    }
    if (holds_nul(json)) {
        st = cf_fail(err, CF_UNSUPPORTED, "%s: a string with a NUL character (\\u0000) is not supported", where);
        goto done;
    }
    CF_TRY(cf_json_parse(&root, json, where, err));
    CF_TRY(load_parts(t, root, where, err));
    CF_TRY(hash_bytes(t->hash, json, err));
    *out = t;
    t = NULL;
done:
    cf_json_free(root);
    cf_tokenizer_close(t);
    return st;
}

static cf_status open_json(cf_tokenizer **out, const char *path, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str json = {0};
    CF_TRY(cf_file_read(&json, path, MAX_JSON_BYTES, err));
    CF_TRY(cf_tokenizer_parse(out, cf_str_slice(&json), path, err));
done:
    cf_str_deinit(&json);
    return st;
}

/* The options and added tokens that change the ids of a tokenizer.model, one a line. */
static cf_status add_options(cf_str *out, const cf_tokenizer *t, const cf_tokenizer_settings *s, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_str_addf(out, err, "legacy %d bos %d eos %d prefix %d\n", s->legacy, s->add_bos, s->add_eos,
                       s->add_prefix_space));
    for (size_t id = 0; id < t->vocab.n; id++)
        if (t->vocab.tokens[id].added) {
            CF_TRY(cf_str_addf(out, err, "%zu ", id));
            CF_TRY(cf_str_add(out, cf_vocab_token(&t->vocab, (int32_t)id), err));
            CF_TRY(cf_str_add_text(out, t->vocab.tokens[id].special ? " special\n" : "\n", err));
        }
done:
    return st;
}

static cf_status open_model(cf_tokenizer **out, const char *path, const cf_tokenizer_settings *s, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str model = {0};
    cf_tokenizer *t = calloc(1, sizeof *t);
    if (!t) {
        st = cf_fail(err, CF_NOMEM, "no memory for the tokenizer %s", path);
        goto done;
    }
    CF_TRY(cf_file_read(&model, path, MAX_MODEL_BYTES, err));
    CF_TRY(cf_sentencepiece_load(t, cf_str_slice(&model), s, path, err));
    CF_TRY(add_options(&model, t, s, err));
    CF_TRY(hash_bytes(t->hash, cf_str_slice(&model), err));
    *out = t;
    t = NULL;
done:
    cf_tokenizer_close(t);
    cf_str_deinit(&model);
    return st;
}

/* The begin-of-text token by the name that tokenizer_config.json gives it. Where that is not what the tokenizer itself
 * puts first, it can change the ids of a prompt: the hash takes it in. */
static cf_status set_bos(cf_tokenizer *t, const cf_tokenizer_settings *s, const char *dir, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str both = {0};
    if (!s->bos.n)
        return CF_OK;
    const int32_t id = cf_vocab_find(&t->vocab, cf_str_slice(&s->bos));
    if (id < 0)
        return cf_fail(err, CF_MISMATCH, "%s/tokenizer_config.json: bos_token \"%s\" is no token of the tokenizer", dir,
                       s->bos.data);
    if (id == t->bos)
        return CF_OK;
    CF_TRY(cf_str_addf(&both, err, "%s bos %d", t->hash, id));
    CF_TRY(hash_bytes(t->hash, cf_str_slice(&both), err));
    t->bos = id;
done:
    cf_str_deinit(&both);
    return st;
}

cf_status cf_tokenizer_open(cf_tokenizer **out, const char *dir, cf_error *err)
{
    cf_status st = CF_OK;
    char *json = NULL, *model = NULL;
    cf_tokenizer *t = NULL;
    cf_tokenizer_settings s = {0};
    CF_TRY(cf_path_join(&json, dir, "tokenizer.json", err));
    CF_TRY(cf_path_join(&model, dir, "tokenizer.model", err));
    CF_TRY(cf_tokenizer_settings_open(&s, dir, err));
    if (!cf_file_exists(json) && cf_file_exists(model))
        CF_TRY(open_model(&t, model, &s, err));
    else
        CF_TRY(open_json(&t, json, err));
    CF_TRY(set_bos(t, &s, dir, err));
    *out = t;
    t = NULL;
done:
    cf_tokenizer_close(t);
    cf_tokenizer_settings_deinit(&s);
    free(json);
    free(model);
    return st;
}

void cf_tokenizer_close(cf_tokenizer *t)
{
    if (!t)
        return;
    cf_decoder_deinit(&t->decoder);
    cf_template_deinit(&t->post);
    cf_bpe_deinit(&t->bpe);
    cf_pre_tokenizer_deinit(&t->pre);
    cf_normalizer_deinit(&t->normalizer);
    cf_added_set_deinit(&t->normal);
    cf_added_set_deinit(&t->raw);
    cf_vocab_deinit(&t->vocab);
    free(t);
}

/* ---- looking up ---- */

int32_t cf_tokenizer_size(const cf_tokenizer *t)
{
    return (int32_t)t->vocab.n;
}

void cf_tokenizer_hash(char out[CF_HASH_HEX_BYTES], const cf_tokenizer *t)
{
    memcpy(out, t->hash, CF_HASH_HEX_BYTES);
}

cf_slice cf_tokenizer_token(const cf_tokenizer *t, int32_t id)
{
    return cf_vocab_token(&t->vocab, id);
}

int32_t cf_tokenizer_id(const cf_tokenizer *t, cf_slice token)
{
    return cf_vocab_find(&t->vocab, token);
}

bool cf_tokenizer_is_special(const cf_tokenizer *t, int32_t id)
{
    return cf_vocab_has(&t->vocab, id) && t->vocab.tokens[id].special;
}

int32_t cf_tokenizer_bos(const cf_tokenizer *t)
{
    return t->bos;
}

bool cf_tokenizer_is_byte_level(const cf_tokenizer *t)
{
    return t->byte_level;
}

/* ---- encoding ---- */

typedef struct scratch { /* of one encode call, so that a tokenizer can be shared */
    cf_str text, normal;
    cf_splits raw_splits, normal_splits;
    cf_cutter *cutter;
    cf_bpe_work *bpe;
} scratch;

static void scratch_deinit(scratch *s)
{
    cf_str_deinit(&s->text);
    cf_str_deinit(&s->normal);
    free(s->raw_splits.items);
    free(s->normal_splits.items);
    cf_cutter_free(s->cutter);
    cf_bpe_work_free(s->bpe);
}

typedef struct word_sink {
    cf_ids *out;
    const cf_tokenizer *t;
    scratch *s;
} word_sink;

static cf_status encode_word(void *context, cf_slice word, cf_error *err)
{
    const word_sink *k = context;
    return cf_bpe_encode(k->out, &k->t->bpe, &k->t->vocab, word, k->s->bpe, err);
}

/* Text without added tokens, normalised. */
static cf_status encode_words(cf_ids *out, const cf_tokenizer *t, cf_slice text, bool at_start, scratch *s,
                              cf_error *err)
{
    word_sink k = {out, t, s};
    return cf_pre_tokenizer_apply(&t->pre, text, at_start, s->cutter, encode_word, &k, err);
}

/* A piece of the text between raw added tokens. */
static cf_status encode_piece(cf_ids *out, const cf_tokenizer *t, cf_slice piece, bool at_start, scratch *s,
                              cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_normalizer_apply(&s->normal, &t->normalizer, piece, err));
    CF_TRY(cf_added_split(&s->normal_splits, &t->normal, cf_str_slice(&s->normal), err));
    for (size_t i = 0; i < s->normal_splits.n; i++) {
        const cf_split p = s->normal_splits.items[i];
        if (p.id >= 0)
            CF_TRY(cf_ids_add(out, p.id, err));
        else
            CF_TRY(encode_words(out, t, (cf_slice){s->normal.data + p.begin, p.end - p.begin}, at_start && p.begin == 0,
                                s, err));
    }
done:
    return st;
}

cf_status cf_tokenizer_encode(cf_ids *out, const cf_tokenizer *t, cf_slice text, bool specials, cf_error *err)
{
    cf_status st = CF_OK;
    scratch s = {0};
    const size_t n_before = out->n;
    CF_TRY(cf_cutter_create(&s.cutter, &t->pre, err));
    CF_TRY(cf_bpe_work_create(&s.bpe, err));
    CF_TRY(cf_utf8_repair(&s.text, text, err));
    CF_TRY(cf_added_split(&s.raw_splits, &t->raw, cf_str_slice(&s.text), err));
    if (specials)
        CF_TRY(add_all(out, &t->post.before, err));
    for (size_t i = 0; i < s.raw_splits.n; i++) {
        const cf_split p = s.raw_splits.items[i];
        if (p.id >= 0)
            CF_TRY(cf_ids_add(out, p.id, err));
        else
            CF_TRY(encode_piece(out, t, (cf_slice){s.text.data + p.begin, p.end - p.begin}, p.begin == 0, &s, err));
    }
    if (specials)
        CF_TRY(add_all(out, &t->post.after, err));
done:
    if (st != CF_OK)
        out->n = n_before;
    scratch_deinit(&s);
    return st;
}

/* ---- decoding ---- */

cf_status cf_tokenizer_decode(cf_str *out, const cf_tokenizer *t, const int32_t *ids, size_t n, bool skip_special,
                              cf_error *err)
{
    cf_status st = CF_OK;
    cf_strings tokens = {0};
    cf_str text = {0};
    for (size_t i = 0; i < n; i++)
        if (cf_vocab_has(&t->vocab, ids[i]) && !(skip_special && t->vocab.tokens[ids[i]].special))
            CF_TRY(cf_strings_add(&tokens, cf_vocab_token(&t->vocab, ids[i]), err));
    CF_TRY(cf_decoder_apply(&text, &t->decoder, &tokens, err));
    CF_TRY(cf_str_add(out, cf_str_slice(&text), err));
done:
    cf_strings_deinit(&tokens);
    cf_str_deinit(&text);
    return st;
}
