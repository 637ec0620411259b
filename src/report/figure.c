/* figure.c - chooses what of a study is drawn in one figure. */
#include "report/figure.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/figure_file.h"
#include "report/figure_plot.h"
#include "report/flow_list.h"
#include "store/map.h"

/* ---- what there is ---- */

enum { LISTED_BYTES = 300 }; /* of a list within a message */

/* Appends ", TEXT" unless it is there, as long as the list is short. */
static cf_status list_once(cf_str *list, const cf_str *text, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str item = {0};
    CF_TRY(cf_str_addf(&item, err, ", %s", text->data));
    CF_TRY(cf_str_add_text(list, "", err));
    if (list->n < LISTED_BYTES && cf_slice_find(cf_str_slice(list), cf_str_slice(&item), 0) < 0)
        CF_TRY(cf_str_add(list, cf_str_slice(&item), err));
done:
    cf_str_deinit(&item);
    return st;
}

/* ", ChooseAttr window 3, ChooseAttr window 9, QueryAttr below" */
static cf_status list_windows(cf_str *list, const cf_curve *curves, size_t n, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str item = {0};
    for (size_t i = 0; i < n && list->n < LISTED_BYTES; i++) {
        cf_str_clear(&item);
        CF_TRY(cf_str_addf(&item, err, "%s ", curves[i].task));
        CF_TRY(cf_window_text(&item, curves[i].style, curves[i].window, err));
        CF_TRY(list_once(list, &item, err));
    }
done:
    cf_str_deinit(&item);
    return st;
}

static cf_status list_flows(cf_str *list, const cf_curve *curves, size_t n, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str item = {0};
    for (size_t i = 0; i < n && list->n < LISTED_BYTES; i++) {
        cf_str_clear(&item);
        CF_TRY(cf_str_add_text(&item, curves[i].spec, err));
        CF_TRY(list_once(list, &item, err));
    }
done:
    cf_str_deinit(&item);
    return st;
}

/* ---- choosing ---- */

typedef struct choice {
    const cf_figure_options *o;
    cf_curve *curves; /* every curve of the study */
    size_t n;
    size_t begin, end; /* those of the task */
    cf_window_key window;
} choice;

static bool is_wanted(const choice *c, size_t i)
{
    const cf_window_key key = {c->curves[i].style, c->curves[i].window, i};
    return cf_style_has_layers(key.style) && cf_window_key_is(&key, c->o->style, c->o->window);
}

/* task NULL: all of them together, which come last. */
static void find_task(choice *c)
{
    for (size_t i = 0, end; i < c->n; i = end) {
        end = cf_curves_task_end(c->curves, c->n, i);
        if (c->o->task ? strcmp(c->curves[i].task, c->o->task) == 0 : end == c->n) {
            c->begin = i;
            c->end = end;
            return;
        }
    }
}

/* Every flow that was asked for is one of the task's. */
static cf_status check_flows(const cf_store *s, const choice *c, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str list = {0};
    cf_slice flow;
    for (size_t at = 0; c->o->flows && cf_flow_list_next(&flow, cf_slice_of(c->o->flows), &at);) {
        size_t i = c->begin;
        while (i < c->end && !(cf_flow_is(flow, c->curves[i].spec) && is_wanted(c, i)))
            i++;
        if (i < c->end)
            continue;
        CF_TRY(list_flows(&list, c->curves + c->begin, c->end - c->begin, err));
        st = cf_fail(err, CF_USAGE, "%s: no curve of flow %.*s; there are: %s", cf_store_path(s), (int)flow.n,
                     flow.data, list.n ? list.data + 2 : "none");
        goto done;
    }
done:
    cf_str_deinit(&list);
    return st;
}

static cf_status no_curve(const cf_store *s, const choice *c, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str what = {0}, there = {0};
    CF_TRY(cf_str_addf(&what, err, "task %s", c->o->task ? c->o->task : "all"));
    if (c->o->style)
        CF_TRY(cf_str_addf(&what, err, ", style %s", c->o->style));
    if (c->o->window)
        CF_TRY(cf_str_addf(&what, err, ", window %" PRId32, c->o->window));
    CF_TRY(cf_str_addf(&what, err, ", measure %s", cf_measure_name(c->o->measure)));
    CF_TRY(list_windows(&there, c->curves, c->n, err));
    st = cf_fail(err, CF_USAGE, "%s: no curve over layers of %s; there are: %s", cf_store_path(s), what.data,
                 there.n ? there.data + 2 : "none");
done:
    cf_str_deinit(&there);
    cf_str_deinit(&what);
    return st;
}

/* The window that comes first among those wanted. */
static cf_status choose(const cf_store *s, choice *c, cf_error *err)
{
    bool found = false;
    find_task(c);
    for (size_t i = c->begin; i < c->end; i++) {
        const cf_window_key key = {c->curves[i].style, c->curves[i].window, i};
        if (!is_wanted(c, i) || !cf_flow_list_has(c->o->flows, c->curves[i].spec))
            continue;
        if (!found || cf_window_key_compare(&key, &c->window) < 0)
            c->window = key;
        found = true;
    }
    const cf_status st = c->begin < c->end ? check_flows(s, c, err) : CF_OK;
    return st == CF_OK && !found ? no_curve(s, c, err) : st;
}

/* ---- drawing ---- */

static const char *title_of(const cf_figure_options *o)
{
    return o->task ? o->task : "all tasks";
}

static cf_status draw_curves(const cf_store *s, choice *c, const char *out_path, cf_str *script_path, cf_error *err)
{
    cf_status st = CF_OK;
    cf_plot plot = {0};
    CF_TRY(choose(s, c, err));
    CF_TRY(cf_plot_of_curves(&plot, c->window.style, c->window.window, c->o->measure, err));
    CF_TRY(cf_plot_add_curves(&plot, title_of(c->o), c->curves + c->begin, c->end - c->begin, &c->window, c->o->flows,
                              err));
    CF_TRY(cf_figure_draw(&plot, 0, 1, out_path, script_path, err));
done:
    cf_plot_deinit(&plot);
    return st;
}

static cf_status draw_lens(cf_store *s, const cf_figure_options *o, const char *out_path, cf_str *script_path,
                           cf_error *err)
{
    cf_status st = CF_OK;
    cf_plot plot = {0};
    cf_lens_curve *curves = NULL;
    size_t n = 0;
    CF_TRY(cf_store_lens_curves(s, &curves, &n, !o->task, err));
    CF_TRY(cf_plot_of_lens(&plot, err));
    for (size_t i = 0, end; i < n && plot.n_panels == 0; i = end) {
        end = cf_lens_curves_task_end(curves, n, i);
        if (o->task ? strcmp(curves[i].task, o->task) == 0 : end == n)
            CF_TRY(cf_plot_add_lens(&plot, title_of(o), curves + i, end - i, err));
    }
    if (plot.n_panels == 0) {
        st = n == 0 ? cf_fail(err, CF_USAGE, "%s: nothing to draw: it has neither curves nor a lens", cf_store_path(s))
                    : cf_fail(err, CF_USAGE, "%s: no lens of task %s", cf_store_path(s), title_of(o));
        goto done;
    }
    CF_TRY(cf_figure_draw(&plot, 0, 1, out_path, script_path, err));
done:
    cf_plot_deinit(&plot);
    cf_lens_curves_free(curves, n);
    return st;
}

/* A map has a curve for each of its patches: too many for one figure. */
static cf_status refuse_map(cf_store *s, cf_error *err)
{
    cf_map map = {0};
    bool is_map = false;
    cf_status st = cf_store_map(s, &map, &is_map, err);
    if (st == CF_OK && is_map && map.kind != CF_MAP_HEADS)
        st = cf_fail(err, CF_USAGE, "%s: a map of %s has too many curves for a figure; --flow names some of them",
                     cf_store_path(s), cf_map_kind_name(map.kind));
    cf_map_deinit(&map);
    return st;
}

cf_status cf_figure_write(cf_store *s, const char *out_path, const cf_figure_options *o, cf_str *script_path,
                          cf_error *err)
{
    const cf_curve_options options = {.measure = o->measure, .drop_empty = o->drop_empty, .all_tasks = !o->task};
    cf_status st = CF_OK;
    choice c = {.o = o};
    cf_figure_format format;
    size_t stem;
    CF_TRY(cf_figure_format_of(&format, &stem, out_path, err)); /* before a study is read for it */
    if (!o->flows)
        CF_TRY(refuse_map(s, err));
    CF_TRY(cf_store_curves(s, &c.curves, &c.n, &options, err));
    const bool plain = !o->style && !o->window && !o->flows && o->measure == CF_MEASURE_PROBABILITY;
    CF_TRY(c.n == 0 && plain ? draw_lens(s, o, out_path, script_path, err)
                             : draw_curves(s, &c, out_path, script_path, err));
done:
    cf_curves_free(c.curves, c.n);
    return st;
}
