/* safetensors.h - the safetensors format of weight_file.h. Folder-private.
 *
 * Format: github.com/huggingface/safetensors, README "Format", and the checks of its reference reader (0.8): 8 bytes
 * of little-endian header length, a JSON object of tensors, then one buffer that the tensors fill without gap or
 * overlap. */
#ifndef CF_CHECKPOINT_SAFETENSORS_H
#define CF_CHECKPOINT_SAFETENSORS_H

#include "checkpoint/weight_file.h"

typedef cf_weight_file cf_safetensors;

CF_MUST_USE cf_status cf_safetensors_parse(cf_safetensors *out, const unsigned char *bytes, size_t n, const char *path,
                                           cf_error *err);

/* For those who know what they open: golden files. */
CF_MUST_USE static inline cf_status cf_safetensors_open(cf_safetensors *out, const char *path, cf_error *err)
{
    return cf_weight_file_open(out, path, cf_safetensors_parse, err);
}

static inline void cf_safetensors_deinit(cf_safetensors *s)
{
    cf_weight_file_deinit(s);
}

static inline const cf_stored_tensor *cf_safetensors_find(const cf_safetensors *s, const char *name)
{
    return cf_weight_file_find(s, name);
}

#endif
