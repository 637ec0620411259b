/* memory.h - checked sizes and aligned allocation. Plain malloc/calloc/realloc are used directly where the size cannot
 * overflow; sizes that come from files go through cf_mul_size. */
#ifndef CF_BASE_MEMORY_H
#define CF_BASE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { CF_ALIGN_BYTES = 64 }; /* one cache line, one AVX-512 register */

/* *out = a * b. CF_FORMAT on overflow: a size that does not fit in memory can only come from a damaged file. */
CF_MUST_USE cf_status cf_mul_size(size_t *out, size_t a, size_t b, cf_error *err);

/* n zeroed elements of `bytes` bytes, aligned to CF_ALIGN_BYTES; `what` names them in the message. n = 0 gives a
 * pointer that may be freed. The caller owns the memory: release with free(). */
CF_MUST_USE cf_status cf_alloc(void **out, size_t n, size_t bytes, const char *what, cf_error *err);

/* Makes room for at least `need` elements in the heap array *items (capacity *cap), doubling. On failure nothing
 * changes. */
CF_MUST_USE cf_status cf_grow(void **items, size_t *cap, size_t need, size_t bytes, const char *what, cf_error *err);

#ifdef __cplusplus
}
#endif
#endif
