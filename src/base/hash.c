/* hash.c - see hash.h. */
#include "base/hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <xxhash.h>

cf_status cf_hash_create(cf_hash **out, cf_error *err)
{
    XXH3_state_t *s = XXH3_createState();
    if (!s)
        return cf_fail(err, CF_NOMEM, "no memory for a hash state");
    (void)XXH3_128bits_reset(s);
    *out = (cf_hash *)(void *)s;
    return CF_OK;
}

void cf_hash_free(cf_hash *h)
{
    XXH3_freeState((XXH3_state_t *)(void *)h);
}

void cf_hash_add(cf_hash *h, const void *data, size_t n)
{
    if (n)
        (void)XXH3_128bits_update((XXH3_state_t *)(void *)h, data, n);
}

void cf_hash_hex(const cf_hash *h, char out[CF_HASH_HEX_BYTES])
{
    const XXH128_hash_t d = XXH3_128bits_digest((const XXH3_state_t *)(const void *)h);
    (void)snprintf(out, CF_HASH_HEX_BYTES, "%016" PRIx64 "%016" PRIx64, (uint64_t)d.high64, (uint64_t)d.low64);
}
