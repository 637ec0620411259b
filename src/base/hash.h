/* hash.h - 128-bit content hashes (XXH3) that name what a study was made from. They tell two inputs apart; they are no
 * defence against an adversary. */
#ifndef CF_BASE_HASH_H
#define CF_BASE_HASH_H

#include <stddef.h>

#include "base/error.h"

typedef struct cf_hash cf_hash;
enum { CF_HASH_HEX_BYTES = 33 }; /* 32 digits and NUL */

CF_MUST_USE cf_status cf_hash_create(cf_hash **out, cf_error *err);
void cf_hash_free(cf_hash *h);
void cf_hash_add(cf_hash *h, const void *data, size_t n);
void cf_hash_hex(const cf_hash *h, char out[CF_HASH_HEX_BYTES]); /* digest so far, lower-case hexadecimal */

#endif
