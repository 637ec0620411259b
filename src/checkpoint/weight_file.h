/* weight_file.h - one opened file of tensors, whatever its format: what a weight source is to the rest of the folder.
 * A format (safetensors.h, torch_zip.h) is one parse function; everything else is shared. Folder-private. */
#ifndef CF_CHECKPOINT_WEIGHT_FILE_H
#define CF_CHECKPOINT_WEIGHT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/file.h"
#include "tensor/tensor.h"

typedef struct cf_stored_tensor {
    const char *name;       /* as stored; belongs to the file */
    const char *dtype_name; /* "F16", "I64", ...: as safetensors calls it */
    bool readable;          /* F32, F16 or BF16: dtype holds it. Others may lie in the file but cannot be used. */
    cf_dtype dtype;
    int32_t rank;               /* any; only the first CF_MAX_RANK extents are kept */
    int64_t shape[CF_MAX_RANK]; /* unused extents are 1 */
    int64_t count;              /* elements, over all extents */
    const unsigned char *data;  /* inside the file's bytes, row-major; no alignment promised */
    size_t n_bytes;
} cf_stored_tensor;

typedef struct cf_weight_file {
    char *path;                /* for messages */
    cf_mapping map;            /* empty where the bytes are the caller's */
    cf_slice header;           /* the part that names and places the tensors, as stored */
    cf_slice data;             /* the part that they lie in */
    char *names;               /* the memory of the tensors' names */
    cf_stored_tensor *tensors; /* sorted by name */
    size_t n;
} cf_weight_file;

/* Parses bytes[n], which must outlive *out; `path` names them in messages. Everything is checked before anything is
 * returned: whoever holds a cf_stored_tensor may read n_bytes at data. CF_FORMAT for what the format forbids. */
typedef cf_status cf_weight_parse(cf_weight_file *out, const unsigned char *bytes, size_t n, const char *path,
                                  cf_error *err);

/* Maps the file and parses it. */
CF_MUST_USE cf_status cf_weight_file_open(cf_weight_file *out, const char *path, cf_weight_parse *parse, cf_error *err);
void cf_weight_file_deinit(cf_weight_file *f);
/* By stored name; NULL where absent. */
const cf_stored_tensor *cf_weight_file_find(const cf_weight_file *f, const char *name);

/* For parse functions: sorts the tensors by name. CF_FORMAT where two have the same. */
CF_MUST_USE cf_status cf_weight_file_sort(cf_weight_file *f, cf_error *err);

#endif
