/* arena.h - memory that is taken piece by piece, never moves, and is given back at once: the texts and objects of a
 * question set. */
#ifndef CF_QUESTION_ARENA_H
#define CF_QUESTION_ARENA_H

#include "base/error.h"
#include "base/str.h"

typedef struct cf_arena { /* zero-initialise; private to arena.c */
    struct cf_arena_block *last;
} cf_arena;

/* *out = `bytes` bytes aligned for any type; NULL where bytes = 0. */
CF_MUST_USE cf_status cf_arena_take(void **out, cf_arena *a, size_t bytes, cf_error *err);
/* *out = a copy of text. */
CF_MUST_USE cf_status cf_arena_text(cf_slice *out, cf_arena *a, cf_slice text, cf_error *err);
void cf_arena_deinit(cf_arena *a);

#endif
