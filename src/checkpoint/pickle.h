/* pickle.h - the data.pkl of a torch archive: a dictionary of tensors, each a place in a storage. Folder-private.
 *
 * A pickle is a program. This machine runs only the instructions that torch.save (protocol 2) needs for a state
 * dictionary, on values of its own; it has no way to call anything, and refuses every other instruction or global by its
 * name and place. */
#ifndef CF_CHECKPOINT_PICKLE_H
#define CF_CHECKPOINT_PICKLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"
#include "tensor/tensor.h"

/* The element type of a storage, by the name of its class: torch.HalfStorage. */
typedef struct cf_pickled_dtype {
    const char *storage;    /* "HalfStorage" */
    const char *dtype_name; /* "F16", as safetensors calls it */
    int64_t bytes;          /* of an element */
    bool readable;          /* dtype holds it */
    cf_dtype dtype;
} cf_pickled_dtype;

typedef struct cf_pickled_tensor {
    cf_slice name;    /* no NUL inside; in the pickle's bytes, as is storage */
    cf_slice storage; /* the archive member data/<storage> */
    const cf_pickled_dtype *dtype;
    int64_t n_storage, offset; /* elements of the storage; the tensor's first */
    int32_t rank;              /* as in cf_stored_tensor */
    int64_t shape[CF_MAX_RANK];
    int64_t count; /* offset + count <= n_storage */
} cf_pickled_tensor;

/* The tensors of the top-level dictionary, in its order; a heap array that the caller frees. Every one is contiguous. */
CF_MUST_USE cf_status cf_pickle_read(cf_pickled_tensor **out, size_t *n_out, cf_slice pickle, const char *path,
                                     cf_error *err);

#endif
