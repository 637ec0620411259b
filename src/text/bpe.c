/* bpe.c - byte pair encoding of one word (tokenizers: models/bpe/model.rs and word.rs; Sennrich et al. 2016,
 * arXiv:1508.07909).
 *
 * A word starts as one symbol a character (a character that is no token: its bytes, or the unknown token) and is
 * merged by rank, leftmost first: symbols form a linked list, possible merges a heap of (rank, position). A merge of n
 * symbols costs O(n log n). One of the library's habits that shows in its ids is kept: bytes overtake an unknown token
 * that waits for its neighbour. */
#include "text/text_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* ---- the table of merges ---- */

static uint64_t pair_of(int32_t left, int32_t right)
{
    return (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
}

/* Where a pair's slot is looked for first. */
static size_t slot_index(const cf_bpe *b, uint64_t pair)
{
    const uint64_t h = pair * 0x9E3779B97F4A7C15u; /* Fibonacci hashing; the high half is the mixed one */
    return (size_t)(h >> 32 ^ h) & (b->n_slots - 1);
}

static cf_merge *slot_of(const cf_bpe *b, uint64_t pair)
{
    size_t i = slot_index(b, pair);
    while (b->slots[i].rank >= 0 && b->slots[i].pair != pair)
        i = (i + 1) & (b->n_slots - 1);
    return &b->slots[i];
}

/* NULL where the two do not merge. */
static const cf_merge *merge_of(const cf_bpe *b, int32_t left, int32_t right)
{
    const cf_merge *m = slot_of(b, pair_of(left, right));
    return m->rank >= 0 ? m : NULL;
}

void cf_bpe_deinit(cf_bpe *b)
{
    free(b->slots);
    *b = (cf_bpe){0};
}

/* ---- loading ---- */

/* A merge is "a b" in older files and ["a", "b"] in newer ones. */
static cf_status merge_parts(cf_slice *left, cf_slice *right, const cf_json *merge, const char *where, cf_error *err)
{
    const char *text = cf_json_string(merge);
    const char *blank = text ? strchr(text, ' ') : NULL;
    if (blank && !strchr(blank + 1, ' ')) {
        *left = (cf_slice){text, (size_t)(blank - text)};
        *right = cf_slice_of(blank + 1);
        return CF_OK;
    }
    const cf_json *a = cf_json_kind_of(merge) == CF_JSON_ARRAY ? cf_json_first(merge) : NULL;
    const cf_json *b = cf_json_next(a);
    if (!cf_json_string(a) || !cf_json_string(b) || cf_json_next(b))
        return cf_fail(err, CF_FORMAT, "%s: a merge must be two tokens, found \"%s\"", where,
                       text ? text : "another value");
    *left = cf_slice_of(cf_json_string(a));
    *right = cf_slice_of(cf_json_string(b));
    return CF_OK;
}

static cf_status unknown_token(cf_slice token, const char *where, cf_error *err)
{
    return cf_fail(err, CF_MISMATCH, "%s: a merge names \"%.*s\", which is not in the vocab", where, (int)token.n,
                   token.data);
}

static bool is_joined(cf_slice whole, cf_slice left, cf_slice right)
{
    return whole.n && whole.n == left.n + right.n && memcmp(whole.data, left.data, left.n) == 0 &&
           memcmp(whole.data + left.n, right.data, right.n) == 0;
}

/* A table for n merges, empty. */
static cf_status make_table(cf_bpe *b, size_t n_merges, const char *where, cf_error *err)
{
    b->n_slots = 64;
    while (b->n_slots / 4 * 3 < n_merges)
        b->n_slots *= 2;
    b->slots = malloc(b->n_slots * sizeof *b->slots);
    if (!b->slots)
        return cf_fail(err, CF_NOMEM, "no memory for the merges of %s", where);
    for (size_t i = 0; i < b->n_slots; i++)
        b->slots[i].rank = -1;
    return CF_OK;
}

/* Of two equal merges the last one counts. */
static void put_merge(cf_bpe *b, cf_merge m)
{
    *slot_of(b, m.pair) = m;
}

typedef struct listed_merge {
    cf_slice left, right;
    uint32_t left_expected, right_expected;
    uint64_t pair;
} listed_merge;

/* Merges are loaded a batch at a time, each step for the whole batch: nearly every look-up misses the cache, and the
 * misses of a batch overlap. */
enum { BATCH = 16 };

/* Reads up to a batch of merges from *m on, and advances it. */
static cf_status read_batch(listed_merge *batch, size_t *n, const cf_json **m, const cf_vocab *v, const char *where,
                            cf_error *err)
{
    for (*n = 0; *m && *n < BATCH; *m = cf_json_next(*m)) {
        const char *text = cf_json_string(*m);
        if (text && strncmp(text, "#version", 8) == 0) /* the first line of merges.txt, in old files */
            continue;
        listed_merge *l = &batch[*n];
        const cf_status st = merge_parts(&l->left, &l->right, *m, where, err);
        if (st != CF_OK)
            return st;
        l->left_expected = cf_vocab_expect(v, l->left);
        l->right_expected = cf_vocab_expect(v, l->right);
        ++*n;
    }
    return CF_OK;
}

static cf_status find_pair(listed_merge *l, const cf_bpe *b, const cf_vocab *v, const char *where, cf_error *err)
{
    const int32_t left = cf_vocab_find_expected(v, l->left, l->left_expected);
    const int32_t right = cf_vocab_find_expected(v, l->right, l->right_expected);
    if (left < 0 || right < 0)
        return unknown_token(left < 0 ? l->left : l->right, where, err);
    l->pair = pair_of(left, right);
    __builtin_prefetch(&b->slots[slot_index(b, l->pair)]);
    return CF_OK;
}

/* The token that the two make. Lists of merges follow the ids: most often it is the last merge's, or the one after. */
static cf_status find_whole(int32_t *id, cf_str *whole, const listed_merge *l, const cf_vocab *v, const char *where,
                            cf_error *err)
{
    cf_status st = CF_OK;
    for (int32_t next = *id; next <= *id + 1; next++)
        if (is_joined(cf_vocab_token(v, next), l->left, l->right)) {
            *id = next;
            return CF_OK;
        }
    cf_str_clear(whole);
    CF_TRY(cf_str_add(whole, l->left, err));
    CF_TRY(cf_str_add(whole, l->right, err));
    *id = cf_vocab_find(v, cf_str_slice(whole));
    if (*id < 0)
        st = unknown_token(cf_str_slice(whole), where, err);
done:
    return st;
}

static cf_status load_merges(cf_bpe *b, const cf_vocab *v, const cf_json *merges, const char *where, cf_error *err)
{
    if (cf_json_kind_of(merges) != CF_JSON_ARRAY)
        return cf_fail(err, CF_FORMAT, "%s: the model has no merges (a list)", where);
    cf_status st = CF_OK;
    listed_merge batch[BATCH] = {0};
    cf_str whole = {0};
    int32_t rank = 0, id = -1;
    size_t n = 0;
    CF_TRY(make_table(b, (size_t)cf_json_count(merges), where, err));
    for (const cf_json *m = cf_json_first(merges); m;) {
        CF_TRY(read_batch(batch, &n, &m, v, where, err));
        for (size_t i = 0; i < n; i++)
            CF_TRY(find_pair(&batch[i], b, v, where, err));
        for (size_t i = 0; i < n; i++) {
            CF_TRY(find_whole(&id, &whole, &batch[i], v, where, err));
            put_merge(b, (cf_merge){batch[i].pair, rank++, id});
        }
    }
done:
    cf_str_deinit(&whole);
    return st;
}

static void find_bytes(cf_bpe *b, const cf_vocab *v)
{
    for (unsigned i = 0; i < 256; i++) {
        char token[8];
        (void)snprintf(token, sizeof token, "<0x%02X>", i);
        b->bytes[i] = cf_vocab_find(v, cf_slice_of(token));
    }
}

static cf_status refuse_options(const cf_json *model, const char *where, cf_error *err)
{
    static const char *const affixes[] = {"continuing_subword_prefix", "end_of_word_suffix"};
    for (size_t i = 0; i < sizeof affixes / sizeof affixes[0]; i++) {
        const cf_json *affix = cf_json_get(model, affixes[i]);
        const char *text = cf_json_string(affix);
        if (!cf_json_is_none(affix) && !(text && !text[0]))
            return cf_fail(err, CF_UNSUPPORTED, "%s: BPE with %s is not supported", where, affixes[i]);
    }
    const cf_json *dropout = cf_json_get(model, "dropout");
    const double p = cf_json_number(dropout, 1);
    if (!cf_json_is_none(dropout) && !(p <= 0))
        return cf_fail(err, CF_UNSUPPORTED, "%s: BPE with dropout is not supported", where);
    return CF_OK;
}

cf_status cf_bpe_load(cf_bpe *b, const cf_vocab *v, const cf_json *model, const char *where, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(refuse_options(model, where, err));
    CF_TRY(cf_flag_load(&b->byte_fallback, model, "byte_fallback", false, where, err));
    CF_TRY(cf_flag_load(&b->fuse_unk, model, "fuse_unk", false, where, err));
    CF_TRY(cf_flag_load(&b->ignore_merges, model, "ignore_merges", false, where, err));
    find_bytes(b, v);
    b->unk = -1;
    const cf_json *unk = cf_json_get(model, "unk_token");
    if (!cf_json_is_none(unk)) {
        const char *token = cf_json_string(unk);
        b->unk = token ? cf_vocab_find(v, cf_slice_of(token)) : -1;
        if (b->unk < 0) {
            st = cf_fail(err, CF_MISMATCH, "%s: unk_token \"%s\" is not in the vocab", where,
                         token ? token : "(not a string)");
            goto done;
        }
    }
    CF_TRY(load_merges(b, v, cf_json_get(model, "merges"), where, err));
done:
    return st;
}

/* Adds to *merges every way in which two tokens make token id, the shortest left part first. */
static cf_status add_splits(cf_merge **merges, size_t *n, size_t *cap, const cf_vocab *v, int32_t id, cf_error *err)
{
    const cf_slice whole = cf_vocab_token(v, id);
    for (size_t i = 0; i < whole.n;) {
        uint32_t code = 0;
        i += cf_utf8_next(&code, whole.data + i, whole.data + whole.n);
        const int32_t left = cf_vocab_find(v, (cf_slice){whole.data, i});
        const int32_t right = left < 0 ? -1 : cf_vocab_find(v, (cf_slice){whole.data + i, whole.n - i});
        if (right < 0)
            continue;
        void *items = *merges;
        const cf_status st = cf_grow(&items, cap, *n + 1, sizeof **merges, "merges", err);
        if (st != CF_OK)
            return st;
        *merges = items;
        (*merges)[*n] = (cf_merge){pair_of(left, right), (int32_t)*n, id};
        ++*n;
    }
    return CF_OK;
}

cf_status cf_bpe_of_pieces(cf_bpe *b, const cf_vocab *v, const char *where, cf_error *err)
{
    cf_status st = CF_OK;
    cf_merge *merges = NULL;
    size_t n = 0, cap = 0;
    b->byte_fallback = true;
    b->unk = -1;
    find_bytes(b, v);
    for (size_t i = 0; i < 256; i++)
        if (b->bytes[i] < 0) {
            st = cf_fail(err, CF_MISMATCH, "%s: byte %zu has no piece, for all that byte_fallback is on", where, i);
            goto done;
        }
    for (size_t id = 0; id < v->n; id++)
        CF_TRY(add_splits(&merges, &n, &cap, v, (int32_t)id, err));
    CF_TRY(make_table(b, n, where, err));
    for (size_t i = 0; i < n; i++)
        put_merge(b, merges[i]);
done:
    free(merges);
    return st;
}

/* ---- a word in work ---- */

typedef struct symbol {
    int32_t id;         /* -1: merged into a symbol before it */
    int32_t prev, next; /* -1: none */
} symbol;

typedef struct candidate { /* the symbol at pos and its next might merge into id */
    int32_t rank, pos, id;
} candidate;

struct cf_bpe_work {
    symbol *symbols;
    size_t n, cap;
    candidate *heap; /* least rank, then least position, at the top */
    size_t heap_n, heap_cap;
};

cf_status cf_bpe_work_create(cf_bpe_work **out, cf_error *err)
{
    cf_bpe_work *w = calloc(1, sizeof *w);
    if (!w)
        return cf_fail(err, CF_NOMEM, "no memory for an encoding");
    *out = w;
    return CF_OK;
}

void cf_bpe_work_free(cf_bpe_work *w)
{
    if (!w)
        return;
    free(w->symbols);
    free(w->heap);
    free(w);
}

static bool before(candidate a, candidate b)
{
    return a.rank != b.rank ? a.rank < b.rank : a.pos < b.pos;
}

static cf_status heap_push(cf_bpe_work *w, candidate c, cf_error *err)
{
    void *heap = w->heap;
    const cf_status st = cf_grow(&heap, &w->heap_cap, w->heap_n + 1, sizeof *w->heap, "merge candidates", err);
    if (st != CF_OK)
        return st;
    w->heap = heap;
    size_t i = w->heap_n++;
    while (i > 0 && before(c, w->heap[(i - 1) / 2])) {
        w->heap[i] = w->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    w->heap[i] = c;
    return CF_OK;
}

static candidate heap_pop(cf_bpe_work *w)
{
    const candidate top = w->heap[0];
    const candidate last = w->heap[--w->heap_n];
    size_t i = 0;
    for (size_t child = 1; child < w->heap_n; child = 2 * i + 1) {
        if (child + 1 < w->heap_n && before(w->heap[child + 1], w->heap[child]))
            child++;
        if (!before(w->heap[child], last))
            break;
        w->heap[i] = w->heap[child];
        i = child;
    }
    w->heap[i] = last;
    return top;
}

/* Queues the merge of the symbol at pos with its next, if there is one. */
static cf_status consider(cf_bpe_work *w, const cf_bpe *b, int32_t pos, cf_error *err)
{
    const int32_t next = pos < 0 ? -1 : w->symbols[pos].next;
    const cf_merge *m = next < 0 ? NULL : merge_of(b, w->symbols[pos].id, w->symbols[next].id);
    return m ? heap_push(w, (candidate){m->rank, pos, m->id}, err) : CF_OK;
}

static void add_symbol(cf_bpe_work *w, int32_t id)
{
    const int32_t pos = (int32_t)w->n++;
    w->symbols[pos] = (symbol){id, pos - 1, -1};
    if (pos > 0)
        w->symbols[pos - 1].next = pos;
}

/* True where every byte of the character has a token: they are added. */
static bool add_bytes(cf_bpe_work *w, const cf_bpe *b, cf_slice character)
{
    for (size_t i = 0; i < character.n; i++)
        if (b->bytes[(unsigned char)character.data[i]] < 0)
            return false;
    for (size_t i = 0; i < character.n; i++)
        add_symbol(w, b->bytes[(unsigned char)character.data[i]]);
    return true;
}

/* Added tokens share the vocabulary but are never part of a word. */
static int32_t model_token(const cf_vocab *v, cf_slice text)
{
    const int32_t id = cf_vocab_find(v, text);
    return id >= 0 && v->tokens[id].model ? id : -1;
}

/* Fills w->symbols, which has room for a symbol a byte. */
static void cut(cf_bpe_work *w, const cf_bpe *b, const cf_vocab *v, cf_slice word)
{
    bool waiting = false; /* for the neighbour of an unknown character */
    w->n = 0;
    for (size_t i = 0; i < word.n;) {
        uint32_t code = 0;
        const cf_slice character = {word.data + i, cf_utf8_next(&code, word.data + i, word.data + word.n)};
        i += character.n;
        const int32_t id = model_token(v, character);
        if (id >= 0) {
            if (waiting)
                add_symbol(w, b->unk);
            waiting = false;
            add_symbol(w, id);
        } else if (!(b->byte_fallback && add_bytes(w, b, character)) && b->unk >= 0) {
            if (waiting && !b->fuse_unk)
                add_symbol(w, b->unk);
            waiting = true;
        }
    }
    if (waiting)
        add_symbol(w, b->unk);
}

static cf_status merge_all(cf_bpe_work *w, const cf_bpe *b, cf_error *err)
{
    cf_status st = CF_OK;
    w->heap_n = 0;
    for (size_t i = 0; i < w->n; i++)
        CF_TRY(consider(w, b, (int32_t)i, err));
    while (w->heap_n) {
        const candidate c = heap_pop(w);
        symbol *left = &w->symbols[c.pos];
        if (left->id < 0 || left->next < 0)
            continue;
        symbol *right = &w->symbols[left->next];
        const cf_merge *m = merge_of(b, left->id, right->id);
        if (!m || m->id != c.id)
            continue;
        left->id = c.id;
        left->next = right->next;
        right->id = -1;
        if (left->next >= 0)
            w->symbols[left->next].prev = c.pos;
        CF_TRY(consider(w, b, left->prev, err));
        CF_TRY(consider(w, b, c.pos, err));
    }
done:
    return st;
}

cf_status cf_bpe_encode(cf_ids *out, const cf_bpe *b, const cf_vocab *v, cf_slice word, cf_bpe_work *w, cf_error *err)
{
    cf_status st = CF_OK;
    const int32_t whole = b->ignore_merges ? model_token(v, word) : -1;
    if (whole >= 0)
        return cf_ids_add(out, whole, err);
    if (word.n > INT32_MAX)
        return cf_fail(err, CF_USAGE, "a text of %zu bytes is too long to encode", word.n);
    void *symbols = w->symbols;
    CF_TRY(cf_grow(&symbols, &w->cap, word.n, sizeof *w->symbols, "symbols", err));
    w->symbols = symbols;
    cut(w, b, v, word);
    CF_TRY(merge_all(w, b, err));
    for (int32_t i = w->n ? 0 : -1; i >= 0; i = w->symbols[i].next)
        CF_TRY(cf_ids_add(out, w->symbols[i].id, err));
done:
    return st;
}
