/* page_maps.c - see page_maps.h. The axes of a map are what its runs' cells and centres take; a value's place follows
 * from its run. */
#include "report/page_maps.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "report/page_json.h"
#include "report/page_map_places.h"

typedef struct map_run {
    int64_t id;
    int32_t window, centre;
    cf_map_cell cell;
} map_run;

typedef struct axes { /* rising, without repetitions */
    int32_t *windows, *centres, *tokens;
    size_t n_windows, n_centres, n_tokens;
    cf_map_cell *cells; /* columns */
    size_t n_cells;
} axes;

typedef struct walk {
    cf_store *store;
    const cf_map *map;
    const cf_page_choice *choice;
    map_run *runs; /* by id */
    size_t n_runs, cap_runs;
    axes axes;
    cf_str *json;
    cf_page_blobs *blobs;
    cf_results_buffer results;
    double *values; /* [frames, rows, columns] of the map at hand */
    int64_t index;  /* of the sample at hand */
    bool *has;
    int64_t *room;
    bool *left_out;
} walk;

static void walk_deinit(walk *w)
{
    free(w->runs);
    free(w->axes.windows);
    free(w->axes.centres);
    free(w->axes.tokens);
    free(w->axes.cells);
    free(w->values);
    cf_results_buffer_deinit(&w->results);
}

/* ---- runs ---- */

static cf_status add_run(void *user, int64_t id, const cf_store_run *run, cf_error *err)
{
    walk *w = user;
    cf_status st = CF_OK;
    void *items = w->runs;
    map_run x = {.id = id, .window = run->window, .centre = run->centre};
    CF_TRY(cf_map_cell_of(&x.cell, w->map, run->spec, err));
    CF_TRY(cf_grow(&items, &w->cap_runs, w->n_runs + 1, sizeof x, "runs of the map", err));
    w->runs = items;
    w->runs[w->n_runs++] = x;
done:
    return st;
}

static const map_run *find_run(const walk *w, int64_t id)
{
    size_t low = 0, high = w->n_runs;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (w->runs[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < w->n_runs && w->runs[low].id == id ? &w->runs[low] : NULL;
}

/* ---- axes ---- */

static int compare_numbers(const void *a, const void *b)
{
    const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

/* The base grid, then hd; row by row. */
static int compare_cells(const void *a, const void *b)
{
    const cf_map_cell *x = a, *y = b;
    if (x->hd != y->hd)
        return x->hd - y->hd;
    if (x->row != y->row)
        return compare_numbers(&x->row, &y->row);
    return x->column != y->column ? compare_numbers(&x->column, &y->column) : compare_numbers(&x->head, &y->head);
}

static size_t sort_once(void *items, size_t n, size_t bytes, int (*compare)(const void *, const void *))
{
    char *at = items;
    size_t kept = 0;
    if (n)
        qsort(items, n, bytes, compare);
    for (size_t i = 0; i < n; i++)
        if (!kept || compare(at + (kept - 1) * bytes, at + i * bytes) != 0)
            memmove(at + kept++ * bytes, at + i * bytes, bytes);
    return kept;
}

static size_t place(const void *key, const void *items, size_t n, size_t bytes,
                    int (*compare)(const void *, const void *))
{
    const char *found = bsearch(key, items, n, bytes, compare);
    return found ? (size_t)(found - (const char *)items) / bytes : 0;
}

static cf_status make_axes(walk *w, cf_error *err)
{
    axes *a = &w->axes;
    cf_status st = CF_OK;
    void *memory = NULL;
    CF_TRY(cf_alloc(&memory, w->n_runs, sizeof *a->windows, "windows of the map", err));
    a->windows = memory;
    CF_TRY(cf_alloc(&memory, w->n_runs, sizeof *a->centres, "layers of the map", err));
    a->centres = memory;
    CF_TRY(cf_alloc(&memory, w->n_runs, sizeof *a->tokens, "tokens of the map", err));
    a->tokens = memory;
    CF_TRY(cf_alloc(&memory, w->n_runs, sizeof *a->cells, "cells of the map", err));
    a->cells = memory;
    for (size_t i = 0; i < w->n_runs; i++) {
        a->windows[i] = w->runs[i].window;
        a->centres[i] = w->runs[i].centre;
        a->tokens[i] = w->runs[i].cell.token;
        a->cells[i] = w->runs[i].cell;
    }
    a->n_windows = sort_once(a->windows, w->n_runs, sizeof *a->windows, compare_numbers);
    a->n_centres = sort_once(a->centres, w->n_runs, sizeof *a->centres, compare_numbers);
    a->n_tokens = sort_once(a->tokens, w->n_runs, sizeof *a->tokens, compare_numbers);
    a->n_cells = sort_once(a->cells, w->n_runs, sizeof *a->cells, compare_cells);
done:
    return st;
}

/* ---- one map ---- */

/* All axes but the columns: centres, and tokens (one, "no token", in the other kinds). */
static size_t n_lines(const walk *w)
{
    return w->axes.n_centres * w->axes.n_tokens;
}

/* Where a run's value belongs. */
static size_t place_of(const walk *w, const map_run *run)
{
    const axes *a = &w->axes;
    const size_t centre = place(&run->centre, a->centres, a->n_centres, sizeof *a->centres, compare_numbers);
    const size_t token = place(&run->cell.token, a->tokens, a->n_tokens, sizeof *a->tokens, compare_numbers);
    const size_t cell = place(&run->cell, a->cells, a->n_cells, sizeof *a->cells, compare_cells);
    return (centre * a->n_tokens + token) * a->n_cells + cell;
}

/* False where the sample has no such value in that window. */
static bool fill(walk *w, cf_measure m, int32_t window)
{
    const cf_results *r = &w->results.results;
    const size_t n = n_lines(w) * w->axes.n_cells;
    bool any = false;
    for (size_t i = 0; i < n; i++)
        w->values[i] = (double)NAN;
    for (size_t i = 0; i < r->n_values; i++) {
        const cf_value *v = &r->values[i];
        const map_run *run = v->measure == m ? find_run(w, v->run) : NULL;
        if (!run || run->window != window)
            continue;
        any = true;
        if (v->flag != CF_VALUE_EMPTY_GROUP) /* a patch that the picture does not have */
            w->values[place_of(w, run)] = v->value;
    }
    return any;
}

static double baseline_of(const walk *w, const cf_sample *x, cf_measure m)
{
    const cf_results *r = &w->results.results;
    if (m == CF_MEASURE_PROBABILITY)
        return x->probability;
    for (size_t i = 0; i < r->n_baselines; i++)
        if (r->baselines[i].measure == m)
            return r->baselines[i].value;
    return (double)NAN;
}

static cf_status add_numbers(cf_str *json, const char *name, const int32_t *items, size_t n, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_page_name(json, name, err));
    CF_TRY(cf_str_add_text(json, "[", err));
    for (size_t i = 0; i < n; i++)
        CF_TRY(cf_str_addf(json, err, "%s%d", i ? "," : "", items[i]));
    CF_TRY(cf_str_add_text(json, "]", err));
done:
    return st;
}

static cf_status add_rows(const walk *w, const cf_map_places *places, cf_error *err)
{
    const axes *a = &w->axes;
    cf_str *json = w->json;
    cf_status st = CF_OK;
    if (w->map->kind == CF_MAP_HEADS)
        return add_numbers(json, "rows", a->centres, a->n_centres, err);
    CF_TRY(cf_page_name(json, "rows", err));
    CF_TRY(cf_str_add_text(json, "[", err));
    for (size_t i = 0; w->map->kind == CF_MAP_TOKENS && i < a->n_tokens; i++)
        CF_TRY(cf_str_addf(json, err, "%s%lld", i ? "," : "",
                           (long long)cf_map_token_position(places, w->map->to, a->tokens[i])));
    CF_TRY(cf_str_add_text(json, "]", err));
done:
    return st;
}

static cf_status add_cells(const walk *w, const cf_map_places *places, cf_error *err)
{
    const axes *a = &w->axes;
    cf_str *json = w->json;
    cf_status st = CF_OK;
    CF_TRY(cf_page_name(json, "columns", err));
    CF_TRY(cf_str_add_text(json, "[", err));
    for (size_t i = 0; i < a->n_cells; i++) {
        CF_TRY(cf_page_next(json, err));
        CF_TRY(cf_str_add_text(json, "[", err));
        if (w->map->kind == CF_MAP_HEADS)
            CF_TRY(cf_str_addf(json, err, "%d", a->cells[i].head));
        else
            CF_TRY(cf_map_cell_positions(json, places, &a->cells[i], err));
        CF_TRY(cf_str_add_text(json, "]", err));
    }
    CF_TRY(cf_str_add_text(json, "]", err));
done:
    return st;
}

static cf_status add_title(const walk *w, cf_error *err)
{
    static const char *const from[CF_N_MAP_KINDS] = {
        [CF_MAP_PATCHES] = "patch->", [CF_MAP_HEADS] = "", [CF_MAP_TOKENS] = "patch->token of "};
    const cf_map *m = w->map;
    cf_status st = CF_OK;
    cf_str title = {0}, layers = {0};
    bool found = false;
    CF_TRY(cf_str_addf(&title, err, "%s%s", from[m->kind], m->kind == CF_MAP_HEADS ? m->flow : m->to));
    CF_TRY(cf_store_fact(w->store, "layers", &layers, &found, err));
    if (found && m->kind == CF_MAP_TOKENS)
        CF_TRY(cf_str_addf(&title, err, ", layers %s", layers.data));
    CF_TRY(cf_page_text(w->json, "title", title.data, err));
done:
    cf_str_deinit(&layers);
    cf_str_deinit(&title);
    return st;
}

static cf_status add_map(walk *w, const cf_sample *x, const cf_map_places *places, cf_measure m, int32_t window,
                         cf_error *err)
{
    static const char *const kinds[CF_N_MAP_KINDS] = {
        [CF_MAP_PATCHES] = "patches", [CF_MAP_HEADS] = "heads", [CF_MAP_TOKENS] = "token-patches"};
    const axes *a = &w->axes;
    const bool frames = w->map->kind == CF_MAP_PATCHES;
    cf_str *json = w->json;
    cf_status st = CF_OK;
    CF_TRY(cf_page_next(json, err));
    CF_TRY(cf_str_add_text(json, "{", err));
    CF_TRY(cf_page_text(json, "kind", kinds[w->map->kind], err));
    CF_TRY(cf_page_integer(json, "sample", w->index, err));
    CF_TRY(add_title(w, err));
    CF_TRY(cf_page_text(json, "measure", cf_measure_name(m), err));
    CF_TRY(cf_page_number(json, "baseline", baseline_of(w, x, m), err));
    CF_TRY(add_numbers(json, "frames", a->centres, frames ? a->n_centres : 0, err));
    CF_TRY(cf_page_integer(json, "window", window, err));
    CF_TRY(add_rows(w, places, err));
    CF_TRY(add_cells(w, places, err));
    CF_TRY(cf_page_blob_numbers(w->blobs, json, "values", w->values, n_lines(w) * a->n_cells, err));
    CF_TRY(cf_str_add_text(json, "}", err));
done:
    return st;
}

static cf_status add_maps_of(walk *w, const cf_sample *x, cf_error *err)
{
    const int64_t n = (int64_t)(n_lines(w) * w->axes.n_cells);
    cf_status st = CF_OK;
    cf_map_places places = {0};
    CF_TRY(cf_store_read_results(w->store, &w->results, x->task, x->row, CF_READ_VALUES | CF_READ_BASELINES, err));
    CF_TRY(cf_map_places_read(&places, x, cf_store_path(w->store), err));
    for (int m = 0; m < CF_N_MEASURES; m++) {
        for (size_t i = 0; i < w->axes.n_windows; i++) {
            const int32_t window = w->axes.windows[i];
            if (!cf_measure_label((cf_measure)m) || !fill(w, (cf_measure)m, window))
                continue;
            w->has[m] = true;
            if (n > *w->room) {
                *w->left_out = true;
                continue;
            }
            *w->room -= n;
            CF_TRY(add_map(w, x, &places, (cf_measure)m, window, err));
        }
    }
done:
    cf_map_places_deinit(&places);
    return st;
}

static cf_status visit(void *user, const cf_sample *x, cf_error *err)
{
    walk *w = user;
    cf_status st = CF_OK;
    if (x->status == CF_SAMPLE_DONE && cf_page_choice_has(w->choice, x->task, x->row))
        st = add_maps_of(w, x, err);
    w->index++;
    return st;
}

cf_status cf_page_maps_add(cf_str *json, cf_page_blobs *blobs, cf_store *s, const cf_map *map,
                           const cf_page_choice *choice, bool has[CF_N_MEASURES], int64_t *n_layers, int64_t *room,
                           bool *left_out, cf_error *err)
{
    cf_status st = CF_OK;
    walk w = {.store = s,
              .map = map,
              .choice = choice,
              .json = json,
              .blobs = blobs,
              .has = has,
              .room = room,
              .left_out = left_out};
    size_t n = 0;
    void *memory = NULL;
    CF_TRY(cf_store_each_run(s, add_run, &w, err));
    CF_TRY(make_axes(&w, err));
    CF_TRY(cf_mul_size(&n, n_lines(&w), w.axes.n_cells, err));
    if (n > w.n_runs) { /* in one window, each cell of the grid has a run */
        st = cf_fail(err, CF_FORMAT, "%s: expected a map's runs to be a grid", cf_store_path(s));
        goto done;
    }
    CF_TRY(cf_alloc(&memory, n, sizeof *w.values, "a map", err));
    w.values = memory;
    CF_TRY(cf_page_name(json, "maps", err));
    CF_TRY(cf_str_add_text(json, "[", err));
    CF_TRY(cf_store_each_sample(s, visit, &w, err));
    CF_TRY(cf_str_add_text(json, "]", err));
    if (w.axes.n_centres && w.axes.centres[w.axes.n_centres - 1] >= *n_layers)
        *n_layers = (int64_t)w.axes.centres[w.axes.n_centres - 1] + 1;
done:
    walk_deinit(&w);
    return st;
}
