/* prompt.h - chat templates as data, and where a string lies among tokens. */
#ifndef CF_TEXT_PROMPT_H
#define CF_TEXT_PROMPT_H

#include "base/span.h"
#include "text/tokenizer.h"

/* Named presets, each as published (prompt.c says where). Any string with "<image>" and "{question}" once each is a
 * template too. */
typedef struct cf_prompt_preset {
    const char *name, *text, *about;
    bool whole; /* tokenised at once, as Hugging Face's processors do: the `hf` of cf_prompt_create */
} cf_prompt_preset;
const cf_prompt_preset *cf_prompt_presets(size_t *n);
/* A preset by name, or NULL; its text alone. */
const cf_prompt_preset *cf_prompt_preset_named(const char *name);
const char *cf_prompt_preset_text(const char *name);
/* The preset that a checkpoint was published with. original: the layout of the LLaVA projects, not Hugging Face's (or
 * the paper's prompt is wanted for either). model_type as in config.json: "llava" or "llava_next" where not original.
 * mistral: its language model is
 * of Mistral's kind; whether it is a Llama-3 is read off the tokenizer, which then has header tokens. */
const cf_prompt_preset *cf_prompt_preset_for(const char *model_type, bool original, bool mistral,
                                             const cf_tokenizer *t);

typedef struct cf_prompt { /* zero-initialise */
    cf_ids ids;            /* the whole prompt, the picture as ONE image_token_id */
    int32_t image_index;   /* where that one stands in ids */
} cf_prompt;

void cf_prompt_deinit(cf_prompt *p);
/* Fills the template with the question and tokenises. hf = true: the whole text at once, as Hugging Face's processor
 * does. hf = false: as LLaVA's tokenizer_image_token does, the texts before and after <image> apart, and if the ids of
 * the first begin with the tokenizer's begin-of-text, the first id of the second is left out, *whatever it is*: where
 * the template writes begin-of-text itself and the tokenizer adds none, that is a token of the text. CF_MISMATCH where
 * the template does not hold "<image>" and "{question}" exactly once, or where the question itself brings an image
 * token. */
CF_MUST_USE cf_status cf_prompt_create(cf_prompt *out, const cf_tokenizer *t, int32_t image_token_id,
                                       const char *template_text, cf_slice question, bool hf, cf_error *err);

/* The published rule: tokens joined in their stored form with the word mark read as a blank (byte-level: U+0120 as a
 * blank and U+010A as a newline, every other character as it stands in the alphabet of bytes); the first occurrence of
 * text; every token that overlaps it. out is relative to ids[0]. CF_MISMATCH, naming the text, where it does not
 * occur. *n_found, unless NULL, counts all (also overlapping) occurrences. */
CF_MUST_USE cf_status cf_text_find(cf_span *out, int64_t *n_found, const cf_tokenizer *t, const int32_t *ids, size_t n,
                                   cf_slice text, cf_error *err);

#endif
