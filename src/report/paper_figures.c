/* paper_figures.c - see paper_figures.h. */
#include "report/paper_figures.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "report/figure_file.h"
#include "report/figure_plot.h"
#include "report/flow_list.h"

enum { PAPER_WINDOW = 9 };

static const struct {
    const char *name;
    const char *flows; /* comma-separated */
} analyses[] = {
    {"to_last", "Question->Last,Image->Last,Last->Last"},
    {"to_question", "Image->Question"},
    {"object_to_question", "Image Central Object->Question,Image Without Central Object->Question"},
};
enum { N_ANALYSES = sizeof analyses / sizeof *analyses };

/* ---- tasks ---- */

typedef struct task { /* curves [begin, end) of it */
    const char *name;
    size_t begin, end;
} task;

/* The paper's order; others by name after them, as the study file has them. */
static int rank_of(const char *name)
{
    static const char *const order[] = {"ChooseAttr",  "ChooseCat",  "ChooseRel",
                                        "CompareAttr", "LogicalObj", "QueryAttr"};
    int i = 0;
    while (i < (int)(sizeof order / sizeof *order) && strcmp(order[i], name) != 0)
        i++;
    return i;
}

static int compare_tasks(const void *a, const void *b)
{
    const task *x = a, *y = b;
    const int ranks = rank_of(x->name) - rank_of(y->name);
    return ranks ? ranks : (x->begin > y->begin) - (x->begin < y->begin);
}

/* A name that shells and file systems take as it is: a task is what people write. */
static cf_status add_file_name(cf_str *out, const char *name, cf_error *err)
{
    enum { MOST_BYTES = 100 };
    cf_status st = CF_OK;
    for (size_t i = 0; name[i]; i++) {
        const char c = name[i];
        const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                           (unsigned char)c >= 0x80 || c == '-' || c == '.' || c == '_';
        if (i >= MOST_BYTES && ((unsigned char)c & 0xc0) != 0x80)
            break;
        CF_TRY(cf_str_add(out, plain ? (cf_slice){&c, 1} : cf_slice_of("_"), err));
    }
done:
    return st;
}

/* ---- writing ---- */

typedef struct paper {
    cf_store *store;
    const cf_paper_options *o;
    const char *dir;
    cf_str *written, *missing;
    size_t n_figures;
} paper;

/* Writes dir/NAME or dir/NAME_TASK. */
static cf_status draw(paper *p, const cf_plot *plot, const char *name, size_t begin, size_t end, const char *of_task,
                      cf_error *err)
{
    cf_status st = CF_OK;
    cf_str file = {0};
    char *path = NULL;
    CF_TRY(cf_str_add_text(&file, name, err));
    if (of_task) {
        CF_TRY(cf_str_add_text(&file, "_", err));
        CF_TRY(add_file_name(&file, of_task, err));
    }
    CF_TRY(cf_str_add_text(&file, cf_figure_ending(p->o->format), err));
    CF_TRY(cf_path_join(&path, p->dir, file.data, err));
    /* Tasks "a b" and "a_b" would share a file. */
    cf_str_clear(&file);
    CF_TRY(cf_str_addf(&file, err, "%s\n", path));
    if (p->written->n && cf_slice_find(cf_str_slice(p->written), cf_str_slice(&file), 0) >= 0) {
        st = cf_fail(err, CF_MISMATCH, "%s: two figures of the study would be written to %s", cf_store_path(p->store),
                     path);
        goto done;
    }
    if (p->n_figures == 0)
        CF_TRY(cf_dir_make(p->dir, err));
    CF_TRY(cf_figure_draw(plot, begin, end, path, NULL, err));
    CF_TRY(cf_str_add(p->written, cf_str_slice(&file), err));
    p->n_figures++;
done:
    free(path);
    cf_str_deinit(&file);
    return st;
}

/* A figure per panel, and one of all. */
static cf_status draw_all(paper *p, const cf_plot *plot, const char *name, cf_error *err)
{
    cf_status st = CF_OK;
    for (size_t i = 0; i < plot->n_panels; i++)
        CF_TRY(draw(p, plot, name, i, i + 1, plot->panels[i].task, err));
    CF_TRY(draw(p, plot, name, 0, plot->n_panels, NULL, err));
done:
    return st;
}

static cf_status add_missing(paper *p, const char *name, cf_slice what, cf_error *err)
{
    return cf_str_addf(p->missing, err, "%s: the study has no %.*s\n", name, (int)what.n, what.data);
}

/* ---- curves ---- */

/* The asked for window, or 9, or the smallest. */
static int32_t window_of(const cf_curve *curves, size_t n, int32_t asked)
{
    int32_t smallest = 0;
    for (size_t i = 0; i < n && asked == 0; i++) {
        if (strcmp(curves[i].style, "centre") != 0)
            continue;
        if (curves[i].window == PAPER_WINDOW)
            return PAPER_WINDOW;
        smallest = smallest == 0 || curves[i].window < smallest ? curves[i].window : smallest;
    }
    return asked ? asked : smallest;
}

/* "to_last: the study has no curve of Question->Last, Last->Last with window 9" */
static cf_status tell_missing_flows(paper *p, const cf_plot *plot, size_t analysis, int32_t window, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str what = {0};
    cf_slice flow;
    for (size_t at = 0; cf_flow_list_next(&flow, cf_slice_of(analyses[analysis].flows), &at);) {
        size_t i = 0;
        while (i < plot->n_lines && !cf_flow_is(flow, plot->lines[i].label))
            i++;
        if (i == plot->n_lines)
            CF_TRY(cf_str_addf(&what, err, "%s%.*s", what.n ? ", " : "curve of ", (int)flow.n, flow.data));
    }
    if (what.n == 0)
        goto done;
    if (window)
        CF_TRY(cf_str_addf(&what, err, " with window %" PRId32, window));
    CF_TRY(add_missing(p, analyses[analysis].name, cf_str_slice(&what), err));
done:
    cf_str_deinit(&what);
    return st;
}

static cf_status draw_analysis(paper *p, size_t analysis, const cf_curve *curves, const task *tasks, size_t n_tasks,
                               int32_t window, cf_error *err)
{
    const cf_window_key key = {"centre", window, 0};
    cf_status st = CF_OK;
    cf_plot plot = {0};
    CF_TRY(cf_plot_of_curves(&plot, key.style, window, p->o->measure, err));
    for (size_t i = 0; i < n_tasks; i++)
        CF_TRY(cf_plot_add_curves(&plot, tasks[i].name, curves + tasks[i].begin, tasks[i].end - tasks[i].begin, &key,
                                  analyses[analysis].flows, err));
    CF_TRY(tell_missing_flows(p, &plot, analysis, window, err));
    if (plot.n_panels)
        CF_TRY(draw_all(p, &plot, analyses[analysis].name, err));
done:
    cf_plot_deinit(&plot);
    return st;
}

static cf_status draw_curves(paper *p, cf_error *err)
{
    const cf_curve_options options = {.measure = p->o->measure, .drop_empty = p->o->drop_empty};
    cf_status st = CF_OK;
    cf_curve *curves = NULL;
    void *memory = NULL;
    size_t n = 0, n_tasks = 0;
    CF_TRY(cf_store_curves(p->store, &curves, &n, &options, err));
    CF_TRY(cf_alloc(&memory, n, sizeof(task), "tasks", err));
    task *const tasks = memory;
    for (size_t i = 0; i < n; i = tasks[n_tasks - 1].end)
        tasks[n_tasks++] = (task){curves[i].task, i, cf_curves_task_end(curves, n, i)};
    qsort(tasks, n_tasks, sizeof *tasks, compare_tasks);
    const int32_t window = window_of(curves, n, p->o->window);
    for (size_t i = 0; i < N_ANALYSES; i++)
        CF_TRY(draw_analysis(p, i, curves, tasks, n_tasks, window, err));
done:
    free(memory);
    cf_curves_free(curves, n);
    return st;
}

/* ---- the lens ---- */

static cf_status draw_lens(paper *p, cf_error *err)
{
    static const char name[] = "lens";
    cf_status st = CF_OK;
    cf_plot plot = {0};
    cf_lens_curve *curves = NULL;
    void *memory = NULL;
    size_t n = 0, n_tasks = 0;
    CF_TRY(cf_store_lens_curves(p->store, &curves, &n, false, err));
    CF_TRY(cf_alloc(&memory, n, sizeof(task), "tasks", err));
    task *const tasks = memory;
    for (size_t i = 0; i < n; i = tasks[n_tasks - 1].end)
        tasks[n_tasks++] = (task){curves[i].task, i, cf_lens_curves_task_end(curves, n, i)};
    qsort(tasks, n_tasks, sizeof *tasks, compare_tasks);
    CF_TRY(cf_plot_of_lens(&plot, err));
    for (size_t i = 0; i < n_tasks; i++)
        CF_TRY(cf_plot_add_lens(&plot, tasks[i].name, curves + tasks[i].begin, tasks[i].end - tasks[i].begin, err));
    CF_TRY(plot.n_panels ? draw_all(p, &plot, name, err) : add_missing(p, name, cf_slice_of("lens"), err));
done:
    cf_plot_deinit(&plot);
    free(memory);
    cf_lens_curves_free(curves, n);
    return st;
}

cf_status cf_paper_figures_write(cf_store *s, const char *dir, const cf_paper_options *o, cf_str *written,
                                 cf_str *missing, cf_error *err)
{
    paper p = {.store = s, .o = o, .dir = dir, .written = written, .missing = missing};
    cf_status st = CF_OK;
    CF_TRY(draw_curves(&p, err));
    CF_TRY(draw_lens(&p, err));
    if (p.n_figures == 0)
        st = cf_fail(err, CF_USAGE, "%s: nothing to draw: it has none of the paper's curves, and no lens",
                     cf_store_path(s));
done:
    return st;
}
