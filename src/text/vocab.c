/* vocab.c - the two-way table of tokens and ids: a dense array by id, and a hash table (open addressing, linear
 * probing, at most half full) by the token's bytes. Stricter than the library, which lets the last of two equal ids or
 * tokens win. */
#include "text/text_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* The array by id is dense: an id far above any vocabulary is a damaged file, not a reason to take gigabytes. */
enum { MAX_ID = (1 << 24) - 1 };

void cf_vocab_deinit(cf_vocab *v)
{
    cf_str_deinit(&v->bytes);
    free(v->tokens);
    free(v->slots);
    *v = (cf_vocab){0};
}

static uint32_t hash_of(cf_slice s)
{
    uint64_t h = 0xCBF29CE484222325u; /* FNV-1a, 64 bits */
    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (unsigned char)s.data[i]) * 0x100000001B3u;
    return (uint32_t)(h ^ h >> 32);
}

cf_slice cf_vocab_token(const cf_vocab *v, int32_t id)
{
    if (!cf_vocab_has(v, id))
        return (cf_slice){0};
    return (cf_slice){v->bytes.data + v->tokens[id].shown_at, v->tokens[id].shown_n};
}

static cf_slice key_of(const cf_vocab *v, int32_t id)
{
    return (cf_slice){v->bytes.data + v->tokens[id].at, v->tokens[id].n};
}

bool cf_vocab_has(const cf_vocab *v, int32_t id)
{
    return id >= 0 && (size_t)id < v->n && v->tokens[id].used;
}

/* The slot that holds token, or the free one where it belongs. */
static cf_vocab_slot *slot_of(const cf_vocab *v, cf_slice token, uint32_t hash)
{
    size_t i = hash & (v->n_slots - 1);
    for (;; i = (i + 1) & (v->n_slots - 1)) {
        cf_vocab_slot *s = &v->slots[i];
        if (s->id < 0 || (s->hash == hash && cf_slice_equal((cf_slice){v->bytes.data + s->at, s->n}, token)))
            return s;
    }
}

int32_t cf_vocab_find(const cf_vocab *v, cf_slice token)
{
    return v->n_slots ? slot_of(v, token, hash_of(token))->id : -1;
}

uint32_t cf_vocab_expect(const cf_vocab *v, cf_slice token)
{
    const uint32_t hash = hash_of(token);
    if (v->n_slots)
        __builtin_prefetch(&v->slots[hash & (v->n_slots - 1)]);
    return hash;
}

int32_t cf_vocab_find_expected(const cf_vocab *v, cf_slice token, uint32_t hash)
{
    return v->n_slots ? slot_of(v, token, hash)->id : -1;
}

static cf_status make_slots(cf_vocab *v, size_t n_tokens, cf_error *err)
{
    if (v->n_slots / 2 >= n_tokens)
        return CF_OK;
    size_t n = v->n_slots ? v->n_slots : 64;
    while (n / 2 < n_tokens)
        n *= 2;
    cf_vocab_slot *slots = malloc(n * sizeof *slots);
    if (!slots)
        return cf_fail(err, CF_NOMEM, "no memory for a vocabulary of %zu tokens", n_tokens);
    memset(slots, 0xFF, n * sizeof *slots);
    free(v->slots);
    v->slots = slots;
    v->n_slots = n;
    for (size_t id = 0; id < v->n; id++)
        if (v->tokens[id].used) {
            const cf_slice key = key_of(v, (int32_t)id);
            const uint32_t hash = hash_of(key);
            *slot_of(v, key, hash) = (cf_vocab_slot){hash, (int32_t)id, v->tokens[id].at, v->tokens[id].n};
        }
    return CF_OK;
}

static cf_status make_ids(cf_vocab *v, size_t n, cf_error *err)
{
    void *tokens = v->tokens;
    const cf_status st = cf_grow(&tokens, &v->cap, n, sizeof *v->tokens, "tokens", err);
    if (st != CF_OK)
        return st;
    v->tokens = tokens;
    for (; v->n < n; v->n++)
        v->tokens[v->n] = (cf_token){0};
    return CF_OK;
}

/* Appends text to the bytes; *at is where it stands among them. */
static cf_status keep_bytes(uint32_t *at, cf_vocab *v, cf_slice text, cf_error *err)
{
    if (text.n > UINT32_MAX || v->bytes.n > UINT32_MAX - text.n)
        return cf_fail(err, CF_FORMAT, "a vocabulary of more than %u bytes", UINT32_MAX);
    *at = (uint32_t)v->bytes.n;
    return cf_str_add(&v->bytes, text, err);
}

cf_status cf_vocab_add(cf_vocab *v, cf_slice token, int64_t id, const char *where, cf_error *err)
{
    if (id < 0 || id > MAX_ID)
        return cf_fail(err, CF_FORMAT, "%s: token \"%.*s\": expected an id from 0 to %d, found %lld", where,
                       (int)token.n, token.data, MAX_ID, (long long)id);
    if (cf_vocab_has(v, (int32_t)id)) {
        const cf_slice other = key_of(v, (int32_t)id);
        return cf_fail(err, CF_FORMAT, "%s: tokens \"%.*s\" and \"%.*s\" have the same id %lld", where, (int)other.n,
                       other.data, (int)token.n, token.data, (long long)id);
    }
    cf_status st = CF_OK;
    CF_TRY(make_slots(v, v->count + 1, err));
    const uint32_t hash = hash_of(token);
    cf_vocab_slot *slot = slot_of(v, token, hash);
    if (slot->id >= 0) {
        st = cf_fail(err, CF_FORMAT, "%s: token \"%.*s\" stands in the vocabulary twice", where, (int)token.n,
                     token.data);
        goto done;
    }
    uint32_t at = 0;
    CF_TRY(keep_bytes(&at, v, token, err));
    CF_TRY(make_ids(v, (size_t)id + 1, err));
    const uint32_t n = (uint32_t)token.n;
    v->tokens[id] = (cf_token){.at = at, .n = n, .shown_at = at, .shown_n = n, .used = true};
    *slot = (cf_vocab_slot){hash, (int32_t)id, at, n};
    v->count++;
done:
    return st;
}

cf_status cf_vocab_show(cf_vocab *v, int32_t id, cf_slice shown, cf_error *err)
{
    uint32_t at = 0;
    const cf_status st = keep_bytes(&at, v, shown, err);
    if (st != CF_OK)
        return st;
    v->tokens[id].shown_at = at;
    v->tokens[id].shown_n = (uint32_t)shown.n;
    return CF_OK;
}

cf_status cf_vocab_load(cf_vocab *v, const cf_json *vocab, const char *where, cf_error *err)
{
    if (cf_json_kind_of(vocab) != CF_JSON_OBJECT)
        return cf_fail(err, CF_FORMAT, "%s: the model has no vocab (an object of tokens and ids)", where);
    cf_status st = CF_OK;
    CF_TRY(make_slots(v, (size_t)cf_json_count(vocab), err));
    for (const cf_json *m = cf_json_first(vocab); m; m = cf_json_next(m)) {
        const char *token = cf_json_name(m);
        int64_t id = 0;
        if (!cf_json_i64(&id, m)) {
            st = cf_fail(err, CF_FORMAT, "%s: token \"%s\" of the vocab has no whole number as its id", where, token);
            goto done;
        }
        CF_TRY(cf_vocab_add(v, cf_slice_of(token), id, where, err));
        v->tokens[id].model = true;
    }
done:
    return st;
}
