/* checkpoint_hash.c - the hash that names a checkpoint: what counts, and how much of it is read. */
#include "checkpoint/checkpoint_internal.h"

enum {
    WHOLE_BYTES = 64 << 20, /* of each file; beyond it SAMPLE_BYTES of every STRIDE_BYTES */
    STRIDE_BYTES = 1 << 20,
    SAMPLE_BYTES = 4096
};

/* Parts carry their length, so that no two different checkpoints feed the same bytes. */
static void add_part(cf_hash *h, cf_slice part)
{
    const uint64_t n = part.n;
    cf_hash_add(h, &n, sizeof n);
    cf_hash_add(h, part.data, part.n);
}

static void add_weights(cf_hash *h, cf_slice data)
{
    const uint64_t n = data.n;
    const size_t whole = data.n < WHOLE_BYTES ? data.n : WHOLE_BYTES;
    cf_hash_add(h, &n, sizeof n);
    cf_hash_add(h, data.data, whole);
    for (size_t at = whole; at < data.n; at += STRIDE_BYTES) {
        const size_t rest = data.n - at;
        cf_hash_add(h, data.data + at, rest < SAMPLE_BYTES ? rest : SAMPLE_BYTES);
    }
}

static void add_files(cf_hash *h, const cf_shards *s)
{
    for (size_t i = 0; i < s->n; i++) {
        add_part(h, s->files[i].header);
        add_weights(h, s->files[i].data);
    }
}

cf_status cf_checkpoint_hash(char out[CF_HASH_HEX_BYTES], const cf_checkpoint *c, cf_error *err)
{
    cf_hash *h = NULL;
    const cf_status st = cf_hash_create(&h, err);
    if (st != CF_OK)
        return st;
    add_part(h, cf_str_slice(&c->config_text));
    add_part(h, cf_str_slice(&c->generation_text));
    if (c->tower_text.n)
        add_part(h, cf_str_slice(&c->tower_text));
    add_files(h, &c->shards);
    add_files(h, &c->tower_shards);
    cf_hash_hex(h, out);
    cf_hash_free(h);
    return CF_OK;
}
