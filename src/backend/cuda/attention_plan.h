/* attention_plan.h - what one call of attention asks of the device, as flat arrays that can be copied there as they are.
 *
 * Query rows stand in query tiles of 64 slots, whatever segment they come from; keys are taken in key tiles of 64,
 * aligned at position 0. An item is one query tile with its steps: the key tiles that some slot sees. First come shared
 * steps, for the tiles that hold keys of the shared kv only: every slot whose own keys begin later takes part. Then
 * come each segment's own steps, for the tiles that hold a key of its own (a tile may mix both), with the slots that
 * take part. So a row meets its key tiles in position order, and the shared ones are read once for the whole item.
 *
 * What a row sees of a tile is one 64-bit word: its key interval (causality, window, keys that exist) and its mask (the
 * keys no cut hides). Masks are bitsets over all keys, one per distinct set of cuts that applies; a row without cuts
 * has none. A key tile that is hidden from every slot of an item is no step of it. The kernel decides row by row with
 * the words, so how rows are packed, and which hidden tiles remain steps, changes no result.
 *
 * Cost: some 20 ns a query row on the host. Plain C, no CUDA. */
#ifndef CF_BACKEND_CUDA_ATTENTION_PLAN_H
#define CF_BACKEND_CUDA_ATTENTION_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "backend/backend.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    CF_KEY_TILE = 64,  /* keys of a step: bits of a word */
    CF_QUERY_TILE = 64 /* slots of an item */
};

/* One slot of a query tile. */
typedef struct cf_attend_row {
    int32_t q_row;              /* row of q and out, -1 where the slot is empty */
    int32_t key_begin, key_end; /* keys that causality and the window leave; key_end is 0 in empty slots only */
    int32_t n_shared;           /* shared steps of tiles 0 .. n_shared-1 are this row's, own steps begin there */
    int32_t mask;               /* index into mask_at of head 0, or -1: no cut applies */
    int32_t head_step;          /* how far the next head's index is: 0 where all heads have the same mask, else 1 */
} cf_attend_row;

/* One key tile for slots [slot_begin, slot_end) of an item. The key at position p is row own_row + p - own_begin of the
 * call's own keys where own_begin <= p < own_end, that of the shared kv where p < own_begin, and none from own_end on.
 * A shared step has own_begin INT32_MAX. */
typedef struct cf_attend_step {
    int32_t tile;
    int32_t slot_begin, slot_end;
    int32_t own_begin, own_end, own_row;
} cf_attend_step;

typedef struct cf_attend_item {
    int32_t first_step, n_steps;
    int32_t first_row; /* of its CF_QUERY_TILE slots */
} cf_attend_item;

/* The arrays, wherever the plan's bytes have been copied. Items stand in order of falling work. */
typedef struct cf_attend_view {
    const cf_attend_item *items;
    const cf_attend_step *steps;
    const cf_attend_row *rows;
    const int32_t *mask_at; /* word of masks at which a bitset begins, or -1: nothing is cut in this head */
    const uint64_t *masks;  /* bit k of a bitset's word t: key 64 t + k is not cut */
    int32_t n_items;
} cf_attend_view;

typedef struct cf_attend_plan cf_attend_plan; /* keeps its memory from call to call */

CF_MUST_USE cf_status cf_attend_plan_create(cf_attend_plan **out, cf_error *err);
void cf_attend_plan_free(cf_attend_plan *p);

/* Plans a call whose segments have one kv, or none. CF_MISMATCH where a query sees no key, CF_UNSUPPORTED where the masks have 2^31 words or the call's own
 * keys 2^31 elements. */
CF_MUST_USE cf_status cf_attend_plan_build(cf_attend_plan *p, const cf_attn *a, cf_error *err);

/* The plan last built: its bytes (8-byte aligned; they belong to p until the next build), and the arrays in a copy of
 * them at base. */
const void *cf_attend_plan_data(const cf_attend_plan *p, size_t *bytes);
cf_attend_view cf_attend_plan_view(const cf_attend_plan *p, const void *base);

#ifdef __cplusplus
}
#endif
#endif
