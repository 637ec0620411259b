/* table.c - the head of a study, and which curves stand together; the tables themselves are table_blocks.c's,
 * table_lens.c's and statistics_table.c's. */
#include "report/table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "report/statistics_table.h"
#include "report/table_blocks.h"
#include "report/table_counts.h"
#include "report/table_lens.h"
#include "report/table_map.h"
#include "report/table_text.h"
#include "report/curve_groups.h"

cf_table_options cf_table_options_default(void)
{
    return (cf_table_options){.bootstrap = cf_bootstrap_default()};
}

/* Facts that a reader asks for first, in this order, where the study has them. */
static const char *const shown_facts[] = {
    "model",  "questions", "map",  "map to",  "map flow", "map tile",      "map grids",
    "prompt", "image fit", "keep", "backend", "dtype",    "row invariant", "largest difference to recomputing"};

static cf_status add_facts(cf_store *s, cf_str *out, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str value = {0};
    CF_TRY(cf_str_addf(out, err, "%-12s ", "study"));
    CF_TRY(cf_table_text(out, cf_store_path(s), err));
    CF_TRY(cf_str_add_text(out, "\n", err));
    for (size_t i = 0; i < sizeof shown_facts / sizeof *shown_facts; i++) {
        bool found = false;
        cf_str_clear(&value);
        CF_TRY(cf_store_fact(s, shown_facts[i], &value, &found, err));
        if (!found)
            continue;
        CF_TRY(cf_str_addf(out, err, "%-12s ", shown_facts[i]));
        CF_TRY(cf_table_text(out, value.data ? value.data : "", err));
        CF_TRY(cf_str_add_text(out, "\n", err));
    }
done:
    cf_str_deinit(&value);
    return st;
}

/* "ChooseAttr, window 9, 895 samples: change of the answer's probability (%)" */
static cf_status add_title(cf_str *out, const cf_curve *const *curves, size_t n, const char *task, cf_measure m,
                           cf_error *err)
{
    cf_status st = CF_OK;
    int64_t least = INT64_MAX, most = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < curves[i]->n_points; j++) {
            const int64_t samples = curves[i]->points[j].n;
            least = samples < least ? samples : least;
            most = samples > most ? samples : most;
        }
    }
    CF_TRY(cf_str_add_text(out, "\n", err));
    CF_TRY(cf_table_text(out, task, err));
    CF_TRY(cf_str_add_text(out, ", ", err));
    CF_TRY(cf_window_text(out, curves[0]->style, curves[0]->window, err));
    CF_TRY(cf_str_add_text(out, ", ", err));
    if (least != most)
        CF_TRY(cf_str_addf(out, err, "%" PRId64 " to ", least));
    CF_TRY(cf_str_addf(out, err, "%" PRId64 " sample%s: %s\n\n", most, least == most && most == 1 ? "" : "s",
                       cf_measure_label(m)));
done:
    return st;
}

/* The curves of one window. map: of a map, else NULL. */
static cf_status add_window(cf_str *out, const cf_curve *const *curves, size_t n, const cf_map *map,
                            const cf_measure_text *m, cf_error *err)
{
    if (map && map->kind != CF_MAP_HEADS)
        return cf_table_map(out, map, curves, n, m, err);
    return cf_style_has_layers(curves[0]->style) ? cf_table_curves(out, curves, n, m, err)
                                                 : cf_table_fixed(out, curves, n, m, err);
}

/* The curves of one task come flow by flow and are shown window by window. */
static cf_status add_task(cf_str *out, const cf_curve *curves, size_t n, const char *task, const cf_map *map,
                          const cf_table_options *o, size_t *n_tables, cf_error *err)
{
    const cf_measure_text *m = cf_measure_text_of(o->measure);
    cf_status st = CF_OK;
    void *memory = NULL;
    cf_window_key *keys = NULL;
    const cf_curve **sorted = NULL;
    size_t n_keys = 0;
    CF_TRY(cf_alloc(&memory, n, sizeof *keys, "curves", err));
    keys = memory;
    CF_TRY(cf_alloc(&memory, n, sizeof *sorted, "curves", err));
    sorted = memory;
    for (size_t i = 0; i < n; i++) {
        const cf_window_key key = {curves[i].style, curves[i].window, i};
        if (cf_window_key_is(&key, o->style, o->window))
            keys[n_keys++] = key;
    }
    qsort(keys, n_keys, sizeof *keys, cf_window_key_compare);
    for (size_t i = 0; i < n_keys; i++)
        sorted[i] = &curves[keys[i].at];
    for (size_t i = 0, end; i < n_keys; i = end) {
        for (end = i + 1; end < n_keys && cf_window_key_same(&keys[end], &keys[i]);)
            end++;
        CF_TRY(add_title(out, sorted + i, end - i, task, o->measure, err));
        CF_TRY(add_window(out, sorted + i, end - i, map, m, err));
        (*n_tables)++;
    }
done:
    free(sorted);
    free(keys);
    return st;
}

static cf_status add_curves(cf_store *s, cf_str *out, const cf_table_options *o, size_t *n_tables, cf_error *err)
{
    const cf_curve_options options = {.measure = o->measure, .drop_empty = o->drop_empty, .all_tasks = true};
    cf_status st = CF_OK;
    cf_curve *curves = NULL;
    size_t n = 0, n_tasks = 0;
    cf_map map = {0};
    bool is_map = false;
    CF_TRY(cf_store_map(s, &map, &is_map, err));
    CF_TRY(cf_store_curves(s, &curves, &n, &options, err));
    for (size_t i = 0, end; i < n; i = end) {
        end = cf_curves_task_end(curves, n, i);
        const bool all = end == n; /* the last ones are of all tasks together */
        n_tasks++;
        if (o->task ? all || strcmp(o->task, curves[i].task) != 0 : all && n_tasks == 2)
            continue;
        CF_TRY(add_task(out, curves + i, end - i, all ? "all tasks" : curves[i].task, is_map ? &map : NULL, o, n_tables,
                        err));
    }
done:
    cf_map_deinit(&map);
    cf_curves_free(curves, n);
    return st;
}

/* "PATH: no curve of task X, style below, window 9, measure whole", of what was asked for. */
static cf_status no_table(const cf_store *s, const cf_table_options *o, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str what = {0};
    CF_TRY(cf_str_add_text(&what, "", err));
    if (o->task)
        CF_TRY(cf_str_addf(&what, err, ", task %s", o->task));
    if (o->style)
        CF_TRY(cf_str_addf(&what, err, ", style %s", o->style));
    if (o->window)
        CF_TRY(cf_str_addf(&what, err, ", window %" PRId32, o->window));
    if (o->measure != CF_MEASURE_PROBABILITY)
        CF_TRY(cf_str_addf(&what, err, ", measure %s", cf_measure_name(o->measure)));
    if (what.n)
        st = cf_fail(err, CF_USAGE, "%s: no curve of%s", cf_store_path(s), what.data + 1);
done:
    cf_str_deinit(&what);
    return st;
}

cf_status cf_table_write(cf_store *s, cf_str *out, const cf_table_options *o, cf_error *err)
{
    const cf_table_options options = o ? *o : cf_table_options_default();
    const bool lens =
        !options.statistics && !options.style && !options.window && options.measure == CF_MEASURE_PROBABILITY;
    cf_status st = CF_OK;
    cf_str text = {0};
    size_t n_tables = 0;
    CF_TRY(add_facts(s, &text, err));
    CF_TRY(cf_table_counts(s, &text, options.drop_empty, err));
    CF_TRY(options.statistics ? cf_table_statistics(s, &text, &options, &n_tables, err)
                              : add_curves(s, &text, &options, &n_tables, err));
    if (lens)
        CF_TRY(cf_table_lens(s, &text, options.task, &n_tables, err));
    if (n_tables == 0)
        CF_TRY(no_table(s, &options, err));
    CF_TRY(cf_str_add(out, cf_str_slice(&text), err));
done:
    cf_str_deinit(&text);
    return st;
}
