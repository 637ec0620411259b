/* checkpoint.h - a Hugging Face checkpoint folder: its configuration, and its weights by name as views of mapped files.
 *
 * Immutable after open; may be shared between threads. */
#ifndef CF_CHECKPOINT_CHECKPOINT_H
#define CF_CHECKPOINT_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/hash.h"
#include "checkpoint/config.h"
#include "tensor/tensor.h"

typedef struct cf_checkpoint cf_checkpoint;

/* Opens config.json, generation_config.json (optional) and the safetensors (model.safetensors, or model.safetensors.index.json
 * with its shards) in dir. Every header is checked whole before anything is returned; no weight byte is read. */
CF_MUST_USE cf_status cf_checkpoint_open(cf_checkpoint **out, const char *dir, cf_error *err);
void cf_checkpoint_close(cf_checkpoint *c);

const char *cf_checkpoint_dir(const cf_checkpoint *c);
const cf_config *cf_checkpoint_config(const cf_checkpoint *c);
int64_t cf_checkpoint_n_parameters(const cf_checkpoint *c); /* over all tensors in the files */
int64_t cf_checkpoint_weight_bytes(const cf_checkpoint *c);

/* A weight by its canonical name, looked up through the alias table (checkpoint/alias.c). Canonical names are those of the
 * transformers 5 LlavaForConditionalGeneration: "model.vision_tower.vision_model.embeddings.patch_embedding.weight",
 * "model.multi_modal_projector.linear_1.weight", "model.language_model.layers.0.self_attn.q_proj.weight",
 * "model.language_model.embed_tokens.weight", "model.language_model.norm.weight", "lm_head.weight" (falls back to the embedding
 * where config says the two are tied).
 * The expected shape is given and checked (CF_MISMATCH). A missing weight is CF_FORMAT and names the canonical name and the folder. The view's data is
 * inside the mapping, valid until close, and may be only 2-byte aligned. */
CF_MUST_USE cf_status cf_checkpoint_weight(cf_tensor *out, const cf_checkpoint *c, const char *name, int32_t rank, const int64_t *shape,
                                           cf_error *err);
bool cf_checkpoint_has(const cf_checkpoint *c, const char *name); /* canonical name, through the aliases */

/* A hash that tells checkpoints apart: config.json, every safetensors header, and the weight bytes (all of them up to 64 MiB a file; beyond that 4 KiB of
 * every MiB, so that a 26 GB model is named without reading it). */
CF_MUST_USE cf_status cf_checkpoint_hash(char out[CF_HASH_HEX_BYTES], const cf_checkpoint *c, cf_error *err);

#endif
