/* arena.c - see arena.h. Blocks in a list, each filled from its start; what does not fit opens the next. */
#include "question/arena.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct cf_arena_block {
    struct cf_arena_block *before;
    size_t n, cap;
    max_align_t bytes[];
} cf_arena_block;

enum { BLOCK_BYTES = 1 << 16 };

static cf_status open_block(cf_arena *a, size_t need, cf_error *err)
{
    const size_t cap = need > BLOCK_BYTES ? need : BLOCK_BYTES;
    cf_arena_block *b = cap <= SIZE_MAX - sizeof *b ? malloc(sizeof *b + cap) : NULL;
    if (!b)
        return cf_fail(err, CF_NOMEM, "no memory for a question set (%zu bytes)", cap);
    b->before = a->last;
    b->n = 0;
    b->cap = cap;
    a->last = b;
    return CF_OK;
}

static cf_status take(void **out, cf_arena *a, size_t bytes, size_t align, cf_error *err)
{
    cf_arena_block *b = a->last;
    size_t begin = b ? (b->n + align - 1) / align * align : 0;
    if (!b || begin > b->cap || bytes > b->cap - begin) {
        const cf_status st = open_block(a, bytes, err);
        if (st != CF_OK)
            return st;
        b = a->last;
        begin = 0;
    }
    *out = (char *)b->bytes + begin;
    b->n = begin + bytes;
    return CF_OK;
}

cf_status cf_arena_take(void **out, cf_arena *a, size_t bytes, cf_error *err)
{
    *out = NULL;
    return bytes ? take(out, a, bytes, sizeof(max_align_t), err) : CF_OK;
}

cf_status cf_arena_text(cf_slice *out, cf_arena *a, cf_slice text, cf_error *err)
{
    void *copy = NULL;
    const cf_status st = text.n ? take(&copy, a, text.n, 1, err) : CF_OK;
    if (st != CF_OK)
        return st;
    if (text.n)
        memcpy(copy, text.data, text.n);
    *out = (cf_slice){copy, text.n};
    return CF_OK;
}

void cf_arena_deinit(cf_arena *a)
{
    for (cf_arena_block *b = a->last, *before; b; b = before) {
        before = b->before;
        free(b);
    }
    *a = (cf_arena){0};
}
