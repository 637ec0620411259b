/* part_words.h - parts of runs, written as words: one character a position or layer, 'x' where it belongs (spans_of). */
#ifndef CF_TESTS_PART_WORDS_H
#define CF_TESTS_PART_WORDS_H

#include "knockout/parts.h"
#include "knockout/plan.h"

typedef struct part_words {
    cf_part_kind kind;
    const char *query, *key; /* key: cuts only */
    const char *layers;      /* NULL: the run's window */
    uint64_t heads;          /* of the one head word; 0: every head */
} part_words;

enum { MAX_PARTS = 4, MAX_RUNS = 8 };

typedef struct run_words {
    const char *window;
    part_words parts[MAX_PARTS]; /* up to the first without a query */
    bool empty_group, too_few_keys;
} run_words;

/* The caller deinits. */
cf_parts parts_of(const run_words *run);
/* n_heads is 3. sight NULL: causality alone. */
cf_plan *plan_of_words(const run_words *runs, size_t n, int32_t length, int32_t n_layers, const cf_sight *sight);

/* "layer:parent:action:restart:fresh" of every node, in order. */
void check_nodes(const cf_plan *p, const char *const *expected, size_t n);

#endif
