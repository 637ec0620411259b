/* index_table.c - see index_table.h. */
#include "knockout/index_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

void cf_index_table_deinit(cf_index_table *t)
{
    free(t->slots);
    free(t->hashes);
    *t = (cf_index_table){0};
}

void cf_index_table_clear(cf_index_table *t)
{
    if (t->n_slots)
        memset(t->slots, 0, t->n_slots * sizeof *t->slots);
    t->n = 0;
}

int32_t cf_index_table_find(const cf_index_table *t, uint64_t hash, size_t *probe)
{
    while (t->n_slots) {
        const int32_t found = t->slots[(hash + (*probe)++) & (t->n_slots - 1)];
        if (found == 0)
            break;
        if (t->hashes[found - 1] == hash)
            return found - 1;
    }
    return -1;
}

static void place(cf_index_table *t, size_t index)
{
    size_t at = t->hashes[index] & (t->n_slots - 1);
    while (t->slots[at])
        at = (at + 1) & (t->n_slots - 1);
    t->slots[at] = (int32_t)index + 1;
}

void cf_index_table_keep(cf_index_table *t, size_t n)
{
    cf_index_table_clear(t);
    for (; t->n < n; t->n++)
        place(t, t->n);
}

static cf_status widen(cf_index_table *t, cf_error *err)
{
    const size_t n_slots = t->n_slots ? 2 * t->n_slots : 64;
    void *slots = NULL;
    const cf_status st = cf_alloc(&slots, n_slots, sizeof *t->slots, "a table of indices", err);
    if (st != CF_OK)
        return st;
    free(t->slots);
    t->slots = slots;
    t->n_slots = n_slots;
    for (size_t i = 0; i < t->n; i++)
        place(t, i);
    return CF_OK;
}

cf_status cf_index_table_add(cf_index_table *t, uint64_t hash, cf_error *err)
{
    cf_status st = CF_OK;
    void *hashes = t->hashes;
    if (2 * (t->n + 1) > t->n_slots)
        CF_TRY(widen(t, err));
    CF_TRY(cf_grow(&hashes, &t->cap, t->n + 1, sizeof *t->hashes, "hashes", err));
    t->hashes = hashes;
    t->hashes[t->n] = hash;
    place(t, t->n++);
done:
    return st;
}
