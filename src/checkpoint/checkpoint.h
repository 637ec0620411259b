/* checkpoint.h - a LLaVA-family checkpoint: its configuration, and its weights by name as views of mapped files. A folder
 * or a repository in the hub cache; a Hugging Face conversion or LLaVA's own form; safetensors or torch archives
 * (docs/checkpoints.md).
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

typedef struct cf_checkpoint_options {
    /* The vision tower of an original LLaVA checkpoint: a folder, or org/name[@revision] in the hub cache. NULL looks for
     * the one that config.json names: in the checkpoint's folder, beside it, as a path, in the hub cache. */
    const char *vision_tower;
} cf_checkpoint_options;
cf_checkpoint_options cf_checkpoint_options_default(void);

/* Opens config.json, generation_config.json (optional) and the weights of `model`, a folder or org/name[@revision] in the
 * hub cache (hub.h): model.safetensors or pytorch_model.bin, or the shards of either. Every header is checked whole before
 * anything is returned; no weight byte is read. */
CF_MUST_USE cf_status cf_checkpoint_open(cf_checkpoint **out, const char *model, cf_error *err);
CF_MUST_USE cf_status cf_checkpoint_open_with(cf_checkpoint **out, const char *model, const cf_checkpoint_options *o,
                                              cf_error *err);
void cf_checkpoint_close(cf_checkpoint *c);

/* The folder that was opened: the snapshot of a model of the hub cache. Tokenizer and picture rules lie there. */
const char *cf_checkpoint_dir(const cf_checkpoint *c);
/* The folder of an original checkpoint's separate vision tower, where picture rules lie that the checkpoint's own folder
 * lacks; NULL where there is none. */
const char *cf_checkpoint_vision_tower(const cf_checkpoint *c);
const cf_config *cf_checkpoint_config(const cf_checkpoint *c);
/* Over all tensors in the files; of a separate vision tower's files, over those of the tower. */
int64_t cf_checkpoint_n_parameters(const cf_checkpoint *c);
int64_t cf_checkpoint_weight_bytes(const cf_checkpoint *c);

/* A weight by its canonical name; open brings the stored names of every known layout to these (checkpoint/alias.c).
 * Canonical names are those of transformers 5 LlavaForConditionalGeneration and LlavaNextForConditionalGeneration:
 *   "model.vision_tower.vision_model.embeddings.patch_embedding.weight", "model.multi_modal_projector.linear_1.weight",
 *   "model.image_newline" (of hidden_size elements; CF_MERGE_SPATIAL_UNPAD only),
 *   "model.language_model.embed_tokens.weight", "model.language_model.layers.0.self_attn.q_proj.weight",
 *   "model.language_model.norm.weight", "lm_head.weight" (the embedding where it is absent and config says that
 *   the two are tied).
 * The expected shape is given and checked (CF_MISMATCH). A missing weight is CF_FORMAT; a dtype other than F32, F16
 * and BF16 is CF_UNSUPPORTED. The view's data is inside the mapping, valid until close, never to be written, and may
 * be only 2-byte aligned, f32 included. */
CF_MUST_USE cf_status cf_checkpoint_weight(cf_tensor *out, const cf_checkpoint *c, const char *name, int32_t rank,
                                           const int64_t *shape, cf_error *err);
bool cf_checkpoint_has(const cf_checkpoint *c, const char *name); /* canonical name, through the aliases */

/* A hash that tells checkpoints apart: config.json, generation_config.json (its end tokens decide where answers stop), a
 * separate vision tower's config.json, the header of every weight file (safetensors header, data.pkl), and the weight
 * bytes: the first 64 MiB of each file, then 4 KiB of every MiB, so that a 26 GB model is named without reading it. File
 * and folder names do not count. */
CF_MUST_USE cf_status cf_checkpoint_hash(char out[CF_HASH_HEX_BYTES], const cf_checkpoint *c, cf_error *err);

#endif
