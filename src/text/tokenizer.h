/* tokenizer.h - a Hugging Face tokenizer.json, or a SentencePiece tokenizer.model: text to token ids and back. Immutable
 * after open; may be shared between threads. */
#ifndef CF_TEXT_TOKENIZER_H
#define CF_TEXT_TOKENIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/str.h"

typedef struct cf_tokenizer cf_tokenizer;

typedef struct cf_ids { /* zero-initialise; owns items */
    int32_t *items;
    size_t n, cap;
} cf_ids;

void cf_ids_deinit(cf_ids *ids);
CF_MUST_USE cf_status cf_ids_add(cf_ids *ids, int32_t id, cf_error *err);

/* Reads tokenizer.json in dir, or tokenizer.model where there is none, and what tokenizer_config.json adds: bos_token,
 * and for a tokenizer.model the options of LlamaTokenizer and added tokens. CF_UNSUPPORTED, naming it, for a model,
 * normalizer, pre-tokenizer, post-processor or decoder that crossflow does not know: a wrong token is worse than none.
 */
CF_MUST_USE cf_status cf_tokenizer_open(cf_tokenizer **out, const char *dir, cf_error *err);
/* A tokenizer.json in memory; where names it in messages. */
CF_MUST_USE cf_status cf_tokenizer_parse(cf_tokenizer **out, cf_slice json, const char *where, cf_error *err);
void cf_tokenizer_close(cf_tokenizer *t);

int32_t cf_tokenizer_size(const cf_tokenizer *t); /* largest id + 1, added tokens included */
/* Of the file's bytes, and of what tokenizer_config.json says where that changes ids. */
void cf_tokenizer_hash(char out[CF_HASH_HEX_BYTES], const cf_tokenizer *t);

/* Appends the ids of text, as tokenizers' encode() does; specials: with what the post-processor adds (begin-of-text).
 * Special tokens written in the text are recognised, as Hugging Face does. Invalid UTF-8: each maximal invalid piece
 * counts as U+FFFD, as Python's errors="replace". CF_UNSUPPORTED where a pre-tokenizer's pattern cannot be decided on
 * the text. */
CF_MUST_USE cf_status cf_tokenizer_encode(cf_ids *out, const cf_tokenizer *t, cf_slice text, bool specials,
                                          cf_error *err);
/* Appends the text of ids, as tokenizers' decode(): skip_special leaves special tokens out. */
CF_MUST_USE cf_status cf_tokenizer_decode(cf_str *out, const cf_tokenizer *t, const int32_t *ids, size_t n,
                                          bool skip_special, cf_error *err);
/* The stored form of one token ("▁the"), borrowed from t; an empty slice for an id without a token. As in the library,
 * an added token that is looked for after normalisation is stored normalised, but found (cf_tokenizer_id) as written.
 */
cf_slice cf_tokenizer_token(const cf_tokenizer *t, int32_t id);
/* Id of a token by its exact form as written in the file, or -1. */
int32_t cf_tokenizer_id(const cf_tokenizer *t, cf_slice token);
bool cf_tokenizer_is_special(const cf_tokenizer *t, int32_t id);
/* The begin-of-text token, or -1: bos_token of tokenizer_config.json where the tokenizer was opened from a folder that
 * has one, else the id that the post-processor puts first. */
int32_t cf_tokenizer_bos(const cf_tokenizer *t);
/* Whether tokens are written in GPT-2's alphabet of bytes ("Ġthe" for " the"), as Llama-3's are. */
bool cf_tokenizer_is_byte_level(const cf_tokenizer *t);

#endif
