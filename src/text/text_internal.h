/* text_internal.h - the parts of a tokenizer, in the order in which a text passes through them; private to src/text.
 *
 * Behaviour follows the Hugging Face `tokenizers` library, version 0.23.3; each .c file names the type it mirrors. All
 * parts are loaded once from tokenizer.json and read-only afterwards. Each `load` takes the JSON node of its part
 * (NULL or null: the part is absent), `where` names the file in messages, and a part that failed to load may still be
 * handed to its deinit. */
#ifndef CF_TEXT_INTERNAL_H
#define CF_TEXT_INTERNAL_H

#include "base/json.h"
#include "text/tokenizer.h"

/* ---- utf8.c: characters ---- */

#define CF_UTF8_INVALID UINT32_MAX

/* Decodes the character at `at` (before end) and returns its length in bytes. Where the bytes are invalid, *code is
 * CF_UTF8_INVALID and the length that of the longest piece that starts a valid character, at least 1. */
size_t cf_utf8_next(uint32_t *code, const char *at, const char *end);
/* The character that ends at `at` (after begin) in valid UTF-8. */
size_t cf_utf8_previous(uint32_t *code, const char *begin, const char *at);
bool cf_utf8_valid(cf_slice text);
/* Appends text, each invalid piece as U+FFFD. */
CF_MUST_USE cf_status cf_utf8_repair(cf_str *out, cf_slice text, cf_error *err);
bool cf_char_is_space(uint32_t code); /* \s of Rust's regex: White_Space */
bool cf_char_is_word(uint32_t code);  /* \w of Rust's regex: Alphabetic, M, Nd, Pc, Join_Control */

/* ---- vocab.c: token <-> id, of the model and of the added tokens ---- */

typedef struct cf_token {
    uint32_t at, n;             /* what it is found by, in cf_vocab.bytes */
    uint32_t shown_at, shown_n; /* its stored form: the same, but for a normalised added token */
    bool used;                  /* ids may have gaps */
    bool model;                 /* in the model's vocabulary; other tokens are matched whole or not at all */
    bool added;                 /* listed among the added tokens */
    bool special;               /* left out where special tokens are */
} cf_token;

typedef struct cf_vocab_slot {
    uint32_t hash;  /* spares most of the comparisons, which miss the cache */
    int32_t id;     /* -1: a free slot */
    uint32_t at, n; /* as the token's: another miss less */
} cf_vocab_slot;

typedef struct cf_vocab { /* zero-initialise */
    cf_str bytes;
    cf_token *tokens;     /* by id */
    size_t n, cap;        /* n: largest id + 1 */
    cf_vocab_slot *slots; /* open addressing */
    size_t n_slots;       /* a power of two */
    size_t count;         /* tokens */
} cf_vocab;

void cf_vocab_deinit(cf_vocab *v);
/* CF_FORMAT for an id that is negative, huge or taken, and for a token that is there already. */
CF_MUST_USE cf_status cf_vocab_add(cf_vocab *v, cf_slice token, int64_t id, const char *where, cf_error *err);
CF_MUST_USE cf_status cf_vocab_load(cf_vocab *v, const cf_json *vocab, const char *where, cf_error *err);
int32_t cf_vocab_find(const cf_vocab *v, cf_slice token); /* -1: none */
/* The same in two steps, so that the wait for memory of many look-ups overlaps. */
uint32_t cf_vocab_expect(const cf_vocab *v, cf_slice token);
int32_t cf_vocab_find_expected(const cf_vocab *v, cf_slice token, uint32_t expected);
cf_slice cf_vocab_token(const cf_vocab *v, int32_t id); /* its stored form; empty: none */
/* Gives a token another stored form. */
CF_MUST_USE cf_status cf_vocab_show(cf_vocab *v, int32_t id, cf_slice shown, cf_error *err);
bool cf_vocab_has(const cf_vocab *v, int32_t id);

/* ---- normalizer.c: Prepend and Replace ---- */

typedef struct cf_normal_step {
    bool prepend; /* content before the text; otherwise content for pattern */
    cf_str pattern;
    cf_str content;
} cf_normal_step;

typedef struct cf_normalizer { /* zero-initialise */
    cf_normal_step *steps;
    size_t n, cap;
} cf_normalizer;

void cf_normalizer_deinit(cf_normalizer *z);
CF_MUST_USE cf_status cf_normalizer_load(cf_normalizer *z, const cf_json *node, const char *where, cf_error *err);
/* *out = text normalised; an empty text stays empty. */
CF_MUST_USE cf_status cf_normalizer_apply(cf_str *out, const cf_normalizer *z, cf_slice text, cf_error *err);
/* Appends text with every occurrence of pattern (not empty) as content. */
CF_MUST_USE cf_status cf_text_replace(cf_str *out, cf_slice text, cf_slice pattern, cf_slice content, cf_error *err);
/* The two strings of a Replace node; CF_UNSUPPORTED for a regular expression or an empty pattern. */
CF_MUST_USE cf_status cf_replace_load(cf_str *pattern, cf_str *content, const cf_json *node, const char *where,
                                      cf_error *err);

/* ---- added_tokens.c: tokens that are cut out of the text before the model sees it ---- */

typedef struct cf_added {
    cf_str pattern; /* the content, normalised if the token is */
    int32_t id;
    bool single_word, lstrip, rstrip, normalized, special;
} cf_added;

typedef struct cf_added_set { /* zero-initialise */
    cf_added *items;          /* by first byte, then the longest first */
    size_t n, cap;
    size_t first[257]; /* items[first[b] .. first[b + 1]) begin with byte b */
} cf_added_set;

typedef struct cf_split {
    int32_t id;        /* of an added token; -1: text */
    size_t begin, end; /* bytes */
} cf_split;

typedef struct cf_splits { /* zero-initialise */
    cf_split *items;
    size_t n, cap;
} cf_splits;

void cf_added_set_deinit(cf_added_set *s);
/* One token, as an entry of the list would add it; its pattern is taken out of the text as given. */
CF_MUST_USE cf_status cf_added_add(cf_added_set *raw, cf_vocab *v, cf_slice content, int64_t id, bool special,
                                   const char *where, cf_error *err);
/* Ends the adding: puts the set in its order of search. */
CF_MUST_USE cf_status cf_added_index(cf_added_set *s, const char *where, cf_error *err);
/* Adds the tokens to the vocabulary; raw are looked for in the text as given, normal after normalisation. */
CF_MUST_USE cf_status cf_added_load(cf_added_set *raw, cf_added_set *normal, cf_vocab *v, const cf_normalizer *z,
                                    const cf_json *node, const char *where, cf_error *err);
CF_MUST_USE cf_status cf_splits_add(cf_splits *out, int32_t id, size_t begin, size_t end, cf_error *err);
/* *out = text cut at the set's tokens. */
CF_MUST_USE cf_status cf_added_split(cf_splits *out, const cf_added_set *s, cf_slice text, cf_error *err);

/* ---- metaspace.c: blanks as word marks ---- */

typedef enum cf_prepend { CF_PREPEND_ALWAYS, CF_PREPEND_FIRST, CF_PREPEND_NEVER } cf_prepend;

typedef struct cf_metaspace { /* zero-initialise */
    cf_str mark;              /* one character */
    cf_prepend prepend;
    bool split;
} cf_metaspace;

void cf_metaspace_deinit(cf_metaspace *m);
CF_MUST_USE cf_status cf_metaspace_load(cf_metaspace *m, const cf_json *node, const char *where,
                                        cf_error *err); /* a Metaspace node */
/* *out = text with its blanks as marks, and one before it by the scheme; at_start: the text begins where the whole
 * text does. */
CF_MUST_USE cf_status cf_metaspace_apply(cf_str *out, const cf_metaspace *m, cf_slice text, bool at_start,
                                         cf_error *err);
/* The word at *at in marked text (up to the next mark, if the scheme splits); advances *at. Empty at the end. */
cf_slice cf_metaspace_word(const cf_metaspace *m, cf_slice text, size_t *at);

/* ---- pattern.c: regular expressions ---- */

typedef struct cf_pattern cf_pattern; /* immutable; may be shared between threads */
typedef struct cf_matcher cf_matcher; /* scratch of one encode call */

/* literal: the text itself is looked for. `where` names the file in messages. */
CF_MUST_USE cf_status cf_pattern_compile(cf_pattern **out, cf_slice pattern, bool literal, const char *where,
                                         cf_error *err);
void cf_pattern_free(cf_pattern *p);
CF_MUST_USE cf_status cf_matcher_create(cf_matcher **out, cf_error *err);
void cf_matcher_free(cf_matcher *m);
/* *out = text (valid UTF-8) cut before and behind every match, empty pieces left out; their ids are -1.
 * CF_UNSUPPORTED where the pattern cannot be decided within the library's limits. */
CF_MUST_USE cf_status cf_pattern_cut(cf_splits *out, const cf_pattern *p, cf_slice text, cf_matcher *m, cf_error *err);

/* ---- newer_unicode.c: characters younger than the regular expressions' tables ---- */

/* Appends text with every letter, digit and blank that PCRE2 10.42 classes otherwise than the library's Oniguruma in
 * the shape of one of the same length on whose class both agree. Nothing is appended where there is none. */
CF_MUST_USE cf_status cf_unicode_stand_ins(cf_str *out, cf_slice text, cf_error *err);

/* ---- byte_level.c: bytes as characters ---- */

/* Appends text with each byte as its character in GPT-2's alphabet. */
CF_MUST_USE cf_status cf_bytes_to_alphabet(cf_str *out, cf_slice text, cf_error *err);
/* Appends the bytes that a token means; a token with a character that is not in the alphabet means its own bytes. */
CF_MUST_USE cf_status cf_alphabet_to_bytes(cf_str *out, cf_slice token, cf_error *err);

/* ---- pre_tokenizer.c: a text into words ---- */

typedef struct cf_cut_step cf_cut_step;

typedef struct cf_pre_tokenizer { /* zero-initialise; without steps a text is one word */
    cf_cut_step *steps;
    size_t n, cap;
} cf_pre_tokenizer;

typedef struct cf_cutter cf_cutter; /* scratch of one encode call */

void cf_pre_tokenizer_deinit(cf_pre_tokenizer *z);
CF_MUST_USE cf_status cf_pre_tokenizer_load(cf_pre_tokenizer *z, const cf_json *node, const char *where, cf_error *err);
/* Adds a Metaspace step and takes what m owns, also on failure. */
CF_MUST_USE cf_status cf_pre_tokenizer_add_metaspace(cf_pre_tokenizer *z, cf_metaspace *m, const char *where,
                                                     cf_error *err);
bool cf_pre_tokenizer_asks_for_start(const cf_pre_tokenizer *z); /* whether at_start can matter */
bool cf_pre_tokenizer_is_byte_level(const cf_pre_tokenizer *z);
CF_MUST_USE cf_status cf_cutter_create(cf_cutter **out, const cf_pre_tokenizer *z, cf_error *err);
void cf_cutter_free(cf_cutter *c);
/* Hands every word of text (valid UTF-8, not empty) to `each`, in order; at_start as in cf_metaspace_apply. */
typedef cf_status (*cf_word_fn)(void *context, cf_slice word, cf_error *err);
CF_MUST_USE cf_status cf_pre_tokenizer_apply(const cf_pre_tokenizer *z, cf_slice text, bool at_start, cf_cutter *c,
                                             cf_word_fn each, void *context, cf_error *err);

/* ---- bpe.c: byte pair encoding ---- */

typedef struct cf_merge {
    uint64_t pair; /* left id, right id */
    int32_t rank;  /* -1: a free slot */
    int32_t id;    /* of the merged token */
} cf_merge;

typedef struct cf_bpe { /* zero-initialise */
    cf_merge *slots;    /* open addressing */
    size_t n_slots;     /* a power of two */
    int32_t unk;        /* -1: unknown characters vanish */
    int32_t bytes[256]; /* "<0x00>" ... "<0xFF>", -1 where missing */
    bool byte_fallback, fuse_unk, ignore_merges;
} cf_bpe;

typedef struct cf_bpe_work cf_bpe_work; /* scratch of one encode call */

void cf_bpe_deinit(cf_bpe *b);
/* `model` is the model node; v holds its vocabulary and nothing else yet. */
CF_MUST_USE cf_status cf_bpe_load(cf_bpe *b, const cf_vocab *v, const cf_json *model, const char *where, cf_error *err);
/* The model of a SentencePiece file, with byte fallback: v holds its pieces and nothing else, and any two of them that
 * make a third merge, in the order of the third's id (transformers 5.17.0, generate_merges). */
CF_MUST_USE cf_status cf_bpe_of_pieces(cf_bpe *b, const cf_vocab *v, const char *where, cf_error *err);
CF_MUST_USE cf_status cf_bpe_work_create(cf_bpe_work **out, cf_error *err);
void cf_bpe_work_free(cf_bpe_work *w);
/* Appends the ids of one word of valid UTF-8. */
CF_MUST_USE cf_status cf_bpe_encode(cf_ids *out, const cf_bpe *b, const cf_vocab *v, cf_slice word, cf_bpe_work *w,
                                    cf_error *err);

/* ---- post_processor.c: ids around those of a single text ---- */

typedef struct cf_template { /* zero-initialise */
    cf_ids before, after;
} cf_template;

void cf_template_deinit(cf_template *p);
CF_MUST_USE cf_status cf_template_load(cf_template *p, const cf_vocab *v, const cf_json *node, const char *where,
                                       cf_error *err);

/* ---- token_decoder.c: tokens to text ---- */

typedef struct cf_decode_step cf_decode_step;

typedef struct cf_decoder { /* zero-initialise */
    cf_decode_step *steps;
    size_t n, cap;
    bool present; /* without a decoder the tokens are joined by blanks */
} cf_decoder;

typedef struct cf_strings { /* strings one after another; zero-initialise */
    cf_str bytes;
    size_t *ends;
    size_t n, cap;
} cf_strings;

void cf_strings_deinit(cf_strings *s);
CF_MUST_USE cf_status cf_strings_add(cf_strings *s, cf_slice text, cf_error *err);
void cf_decoder_deinit(cf_decoder *d);
CF_MUST_USE cf_status cf_decoder_load(cf_decoder *d, const cf_json *node, const char *where, cf_error *err);
/* Appends the text of tokens, which is used up. */
CF_MUST_USE cf_status cf_decoder_apply(cf_str *out, const cf_decoder *d, cf_strings *tokens, cf_error *err);

/* ---- the whole ---- */

struct cf_tokenizer {
    cf_vocab vocab;
    cf_added_set raw, normal;
    cf_normalizer normalizer;
    cf_pre_tokenizer pre;
    cf_bpe bpe;
    cf_template post;
    cf_decoder decoder;
    int32_t bos; /* -1: none */
    bool byte_level;
    char hash[CF_HASH_HEX_BYTES];
};

/* ---- tokenizer_config.c: what tokenizer_config.json adds ---- */

typedef struct cf_tokenizer_settings {               /* zero-initialise */
    cf_str bos;                                      /* bos_token; empty: not given */
    bool legacy, add_bos, add_eos, add_prefix_space; /* of LlamaTokenizer alone */
    cf_json *root;                                   /* the document, or NULL */
} cf_tokenizer_settings;

void cf_tokenizer_settings_deinit(cf_tokenizer_settings *s);
/* Where dir has no such file, the defaults. */
CF_MUST_USE cf_status cf_tokenizer_settings_open(cf_tokenizer_settings *s, const char *dir, cf_error *err);

/* ---- protobuf.c: the wire format ---- */

typedef struct cf_wire {
    const unsigned char *at, *end;
} cf_wire;

typedef struct cf_wire_field {
    uint32_t number;
    enum { CF_WIRE_VARINT = 0, CF_WIRE_FIXED64 = 1, CF_WIRE_BYTES = 2, CF_WIRE_FIXED32 = 5 } type;
    uint64_t value; /* of a number, as its bits */
    cf_slice bytes;
} cf_wire_field;

/* The next field of a message; *more is false at its end. CF_FORMAT for bytes that are no field. */
CF_MUST_USE cf_status cf_wire_next(bool *more, cf_wire_field *f, cf_wire *w, const char *where, cf_error *err);

/* ---- sentencepiece.c: a tokenizer.model ---- */

CF_MUST_USE cf_status cf_sentencepiece_load(cf_tokenizer *t, cf_slice model, const cf_tokenizer_settings *s,
                                            const char *where, cf_error *err);

/* ---- tokenizer.c: what the loaders share ---- */

bool cf_json_is_none(const cf_json *node); /* absent or null */
bool cf_type_is(const cf_json *node, const char *type);
/* CF_UNSUPPORTED: "<where>: <part> of type ... is not supported (known: ...)". */
cf_status cf_type_refused(cf_error *err, const char *where, const char *part, const cf_json *node, const char *known);
/* *out = the boolean member, or `otherwise` where it is absent or null; CF_FORMAT for anything else. */
CF_MUST_USE cf_status cf_flag_load(bool *out, const cf_json *node, const char *name, bool otherwise, const char *where,
                                   cf_error *err);
/* *out = the string member; CF_FORMAT where there is none. */
CF_MUST_USE cf_status cf_string_load(cf_str *out, const cf_json *node, const char *name, const char *where,
                                     cf_error *err);

#endif
