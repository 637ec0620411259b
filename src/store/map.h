/* map.h - causal maps in a study file: whether a study is one, and which cell of it a run is. docs/maps.md says how a map is
 * stored; its values are read like those of any study. */
#ifndef CF_STORE_MAP_H
#define CF_STORE_MAP_H

#include "store/store.h"

typedef enum cf_map_kind {
    CF_MAP_PATCHES, /* "patches": a patch or a square of patches x the centre of a window of layers */
    CF_MAP_HEADS,   /* "heads": a head x the centre of a window of layers */
    CF_MAP_TOKENS,  /* "tokens": a token of `to` x a patch or a square, in fixed layers */
    CF_N_MAP_KINDS
} cf_map_kind;
const char *cf_map_kind_name(cf_map_kind k);

typedef struct cf_map { /* zero-initialise; owns its texts */
    cf_map_kind kind;
    char *to;     /* patches, tokens: the group of the queries, in canonical form; else NULL */
    char *flow;   /* heads: the flow that is cut head by head, in canonical form; else NULL */
    int32_t tile; /* patches, tokens: side of a square, in patches; else 0 */
} cf_map;

/* *found: whether the study is a map; *out is set where it is. CF_FORMAT for one that is described wrongly. */
CF_MUST_USE cf_status cf_store_map(cf_store *s, cf_map *out, bool *found, cf_error *err);
void cf_map_deinit(cf_map *m);

typedef struct cf_map_cell {
    bool hd;                   /* of the high-resolution grid; else of the base tile */
    int32_t row, column;       /* of the first patch; -1 in a heads map */
    int32_t n_rows, n_columns; /* patches in the cell */
    int32_t head;              /* -1 but in a heads map */
    int32_t token;             /* index of the position in the group `to`; -1 but in a tokens map */
} cf_map_cell;

/* The cell that a spec's canonical text is. CF_FORMAT where it is none of the map's. */
CF_MUST_USE cf_status cf_map_cell_of(cf_map_cell *out, const cf_map *m, const char *spec, cf_error *err);

#endif
