/* safetensors.h - one safetensors file: its table of tensors, checked whole, over bytes that somebody maps.
 * Folder-private.
 *
 * Format: github.com/huggingface/safetensors, README "Format", and the checks of its reference reader (0.8): 8 bytes
 * of little-endian header length, a JSON object of tensors, then one buffer that the tensors fill without gap or
 * overlap. */
#ifndef CF_CHECKPOINT_SAFETENSORS_H
#define CF_CHECKPOINT_SAFETENSORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "tensor/tensor.h"

typedef struct cf_stored_tensor {
    const char *name;       /* as stored; belongs to the file's header */
    const char *dtype_name; /* as stored: "F16", "I64", ... */
    bool readable;          /* F32, F16 or BF16: dtype holds it. Others may lie in the file but cannot be used. */
    cf_dtype dtype;
    int32_t rank;               /* any; only the first CF_MAX_RANK extents are kept */
    int64_t shape[CF_MAX_RANK]; /* unused extents are 1 */
    int64_t count;              /* elements, over all extents */
    const unsigned char *data;  /* inside the file's bytes; no alignment promised */
    size_t n_bytes;
} cf_stored_tensor;

typedef struct cf_safetensors {
    char *path;                /* for messages */
    cf_mapping map;            /* empty where the bytes are the caller's */
    cf_json *header;           /* owns the names */
    cf_slice header_text;      /* length prefix and JSON, as stored */
    cf_slice data;             /* the buffer after the header */
    cf_stored_tensor *tensors; /* sorted by name */
    size_t n;
} cf_safetensors;

/* Parses bytes[n], which must outlive *out; `path` names them in messages.
 * CF_FORMAT for anything the format forbids. */
CF_MUST_USE cf_status cf_safetensors_parse(cf_safetensors *out, const unsigned char *bytes, size_t n, const char *path,
                                           cf_error *err);
/* Maps the file and parses it. */
CF_MUST_USE cf_status cf_safetensors_open(cf_safetensors *out, const char *path, cf_error *err);
void cf_safetensors_deinit(cf_safetensors *s);

/* By stored name; NULL where absent. */
const cf_stored_tensor *cf_safetensors_find(const cf_safetensors *s, const char *name);

#endif
