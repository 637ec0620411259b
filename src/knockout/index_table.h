/* index_table.h - the index of an item among those added so far, by hash: open addressing, at most half full. The items
 * stand with the caller, in the order of their hashes here; so does their comparison. */
#ifndef CF_KNOCKOUT_INDEX_TABLE_H
#define CF_KNOCKOUT_INDEX_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct cf_index_table { /* zero-initialise */
    int32_t *slots;             /* [n_slots] an index + 1, or 0; n_slots is a power of two */
    uint64_t *hashes;           /* [n] */
    size_t n_slots, n, cap;
} cf_index_table;

void cf_index_table_deinit(cf_index_table *t);
void cf_index_table_clear(cf_index_table *t);          /* no items, memory kept */
void cf_index_table_keep(cf_index_table *t, size_t n); /* only the first n items */
/* The next index with this hash, or -1; *probe is 0 before the first call and belongs to the search. */
int32_t cf_index_table_find(const cf_index_table *t, uint64_t hash, size_t *probe);
/* The item of index n has this hash. */
CF_MUST_USE cf_status cf_index_table_add(cf_index_table *t, uint64_t hash, cf_error *err);

#endif
