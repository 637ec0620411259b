/* safetensors_writer.h - writes small safetensors files for tests: tensors given as f32, stored as F32, F16 or BF16, in one
 * file or in shards with their index. Like the reference writer it pads the header to 8 bytes. */
#ifndef CF_TESTS_SAFETENSORS_WRITER_H
#define CF_TESTS_SAFETENSORS_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "tensor/tensor.h"

typedef struct safetensors_item {
    const char *name; /* no character that JSON would escape */
    int32_t rank;
    int64_t shape[CF_MAX_RANK];
    const float *data; /* row-major; NULL writes zeros */
} safetensors_item;

CF_MUST_USE cf_status safetensors_write(const char *path, const safetensors_item *items, size_t n, cf_dtype dtype,
                                        cf_error *err);
/* dir/model-0000i-of-0000n.safetensors for i = 1..n_shards, items dealt out in turn, and dir/model.safetensors.index.json. */
CF_MUST_USE cf_status safetensors_write_shards(const char *dir, const safetensors_item *items, size_t n, cf_dtype dtype,
                                               size_t n_shards, cf_error *err);

/* Round to nearest even. The library reads f16 and never writes it. */
uint16_t safetensors_f32_to_f16(float f);

#endif
