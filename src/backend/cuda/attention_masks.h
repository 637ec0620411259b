/* attention_masks.h - from cuts and dense masks to key bitsets, one per distinct set of cuts that applies to a row.
 *
 * A class is a set of cuts whose queries a row is one of; rows of all segments that carry the same list of cuts and
 * fall under the same of them share it. A class has one bitset for all heads, or, where one of its cuts has a head set,
 * one for each distinct pattern of cuts over the heads. A row of a dense mask is a class of its own. */
#ifndef CF_BACKEND_CUDA_ATTENTION_MASKS_H
#define CF_BACKEND_CUDA_ATTENTION_MASKS_H

#include <stddef.h>
#include <stdint.h>

#include "backend/backend.h"

/* A growing array; memory is kept when n returns to 0. Zero-initialise but for `size`. */
typedef struct cf_pool {
    void *items;
    size_t n, cap;
    size_t size; /* bytes of an item */
} cf_pool;

/* Room for n more items at *out; the memory is not set. Earlier pointers into the pool may end here. */
CF_MUST_USE cf_status cf_pool_extend(cf_pool *p, void **out, size_t n, cf_error *err);

typedef struct cf_attend_class {
    int32_t mask, head_step;   /* as in cf_attend_row */
    int32_t tiles;             /* word of tile_bits at which this class's bits begin, -1: any tile may be seen */
    int32_t first_cut, n_cuts; /* of `members`: the cuts that apply */
    int32_t next;              /* class of the same list of cuts, or -1 */
} cf_attend_class;

typedef struct cf_attend_masks {
    int64_t n_heads;
    size_t n_tiles;    /* words of a bitset: key tiles of the longest segment */
    cf_pool words;     /* uint64_t: the bitsets */
    cf_pool at;        /* int32_t: where each head's bitset begins (cf_attend_view.mask_at) */
    cf_pool tile_bits; /* uint64_t: which tiles a class sees anything of, in any head */
    cf_pool classes;   /* cf_attend_class */
    cf_pool members;   /* int32_t: indices of cuts */
    cf_pool lists;     /* distinct lists of cuts */
    cf_pool buckets;   /* int32_t: open addressing, lists by address */
    cf_pool resolved;  /* int32_t: classes of the rows of segments, for segments like them */
} cf_attend_masks;

void cf_attend_masks_init(cf_attend_masks *m);
void cf_attend_masks_deinit(cf_attend_masks *m);

/* Forgets the call before. n_tiles: key tiles of the longest segment. */
CF_MUST_USE cf_status cf_attend_masks_begin(cf_attend_masks *m, const cf_attn *a, size_t n_tiles, cf_error *err);
/* row_class[n_q]: the class of each query row of a segment, -1 where no cut applies. */
CF_MUST_USE cf_status cf_attend_masks_classify(cf_attend_masks *m, int32_t *row_class, const cf_attn_segment *s,
                                               cf_error *err);
/* Whether a row of the class (-1: none) sees one of keys [begin, end) in every head. */
bool cf_attend_masks_sees(const cf_attend_masks *m, int32_t row_class, int64_t begin, int64_t end);

#endif
