/* figure.c - chooses a study's curves, writes their script beside the figure, and has gnuplot draw it. */
#include "report/figure.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "report/figure_script.h"
#include "report/gnuplot.h"

static const char all_tasks[] = "all";

/* ---- choosing ---- */

typedef struct chosen {
    cf_curve *all; /* every curve of the study */
    size_t n_all;
    const cf_curve **curves; /* those of the figure */
    size_t n_curves;
} chosen;

static void chosen_deinit(chosen *c)
{
    free(c->curves);
    cf_curves_free(c->all, c->n_all);
}

/* "ChooseAttr k3, ChooseAttr k9, QueryAttr k3": a curve per flow has one entry. */
static cf_status list_curves(cf_str *out, const chosen *c, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_str_add_text(out, "", err));
    for (size_t i = 0; i < c->n_all; i++) {
        bool listed = false;
        for (size_t j = 0; j < i && !listed; j++)
            listed = c->all[j].window == c->all[i].window && strcmp(c->all[j].task, c->all[i].task) == 0;
        if (!listed)
            CF_TRY(cf_str_addf(out, err, "%s%s k%" PRId32, out->n ? ", " : "", c->all[i].task, c->all[i].window));
    }
done:
    return st;
}

static cf_status no_curves(const cf_store *s, const chosen *c, const char *task, int32_t window, cf_error *err)
{
    cf_str there = {0};
    cf_status st = list_curves(&there, c, err);
    if (st == CF_OK && c->n_all == 0)
        st = cf_fail(err, CF_USAGE, "%s: nothing to draw: no question has been traced", cf_store_path(s));
    else if (st == CF_OK)
        st = cf_fail(err, CF_USAGE, "%s: no curve of task %s with window %" PRId32 "; there are: %s", cf_store_path(s),
                     task, window, there.data);
    cf_str_deinit(&there);
    return st;
}

/* window 0: the smallest, which comes first among the curves of a flow. */
static cf_status choose(cf_store *s, chosen *c, const char *task, int32_t window, cf_error *err)
{
    cf_status st = CF_OK;
    void *curves = NULL;
    CF_TRY(cf_store_curves(s, &c->all, &c->n_all, &(cf_curve_options){.all_tasks = task == NULL}, err));
    CF_TRY(cf_alloc(&curves, c->n_all, sizeof *c->curves, "curves", err));
    c->curves = curves;
    const char *wanted = task ? task : all_tasks;
    for (size_t i = 0; i < c->n_all; i++) {
        const cf_curve *one = &c->all[i];
        if (strcmp(one->task, wanted) != 0 || (window != 0 && one->window != window))
            continue;
        window = one->window;
        c->curves[c->n_curves++] = one;
    }
    if (c->n_curves == 0)
        st = no_curves(s, c, wanted, window, err);
done:
    return st;
}

/* ---- writing ---- */

static cf_status find_format(cf_figure_format *out, size_t *stem, const char *path, cf_error *err)
{
    static const char *const endings[] = {[CF_FIGURE_PDF] = ".pdf", [CF_FIGURE_SVG] = ".svg", [CF_FIGURE_PNG] = ".png"};
    const size_t n = strlen(path);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        if (n > 4 && path[n - 5] != '/' && strcmp(path + n - 4, endings[i]) == 0) {
            *out = (cf_figure_format)i;
            *stem = n - 4;
            return CF_OK;
        }
    }
    return cf_fail(err, CF_USAGE, "%s: expected a figure's name that ends in .pdf, .svg or .png", path);
}

static const char *last_component(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

cf_status cf_figure_write(cf_store *s, const char *out_path, const char *task, int32_t window, cf_str *script_path,
                          cf_error *err)
{
    cf_status st = CF_OK;
    chosen c = {0};
    cf_str script = {0}, path = {0};
    char *dir = NULL;
    size_t stem = 0;
    cf_figure_plot plot = {.file = last_component(out_path), .title = task ? task : "all tasks"};
    CF_TRY(find_format(&plot.format, &stem, out_path, err));
    CF_TRY(choose(s, &c, task, window, err));
    plot.curves = c.curves;
    plot.n_curves = c.n_curves;
    CF_TRY(cf_figure_script(&script, &plot, err));
    CF_TRY(cf_str_add(&path, (cf_slice){out_path, stem}, err));
    CF_TRY(cf_str_add_text(&path, ".gp", err));
    CF_TRY(cf_path_dir(&dir, out_path, err));
    CF_TRY(cf_file_write(path.data, cf_str_slice(&script), err));
    if (script_path)
        CF_TRY(cf_str_add(script_path, cf_str_slice(&path), err));
    CF_TRY(cf_gnuplot_run(dir, last_component(path.data), err));
    if (!cf_file_exists(out_path))
        st = cf_fail(err, CF_IO, "%s: gnuplot has not written the figure", out_path);
done:
    free(dir);
    cf_str_deinit(&path);
    cf_str_deinit(&script);
    chosen_deinit(&c);
    return st;
}

/* ---- tasks ---- */

cf_status cf_figure_tasks(cf_store *s, char ***out, size_t *n, cf_error *err)
{
    cf_status st = CF_OK;
    cf_curve *curves = NULL;
    size_t n_curves = 0, n_tasks = 0;
    char **tasks = NULL;
    void *memory = NULL;
    CF_TRY(cf_store_curves(s, &curves, &n_curves, &(cf_curve_options){0}, err));
    CF_TRY(cf_alloc(&memory, n_curves, sizeof *tasks, "tasks", err));
    tasks = memory;
    for (size_t i = 0; i < n_curves; i++) {
        if (n_tasks && strcmp(tasks[n_tasks - 1], curves[i].task) == 0)
            continue;
        CF_TRY(cf_strdup(&tasks[n_tasks], cf_slice_of(curves[i].task), err));
        n_tasks++;
    }
    *out = tasks;
    *n = n_tasks;
    tasks = NULL;
    n_tasks = 0;
done:
    cf_figure_tasks_free(tasks, n_tasks);
    cf_curves_free(curves, n_curves);
    return st;
}

void cf_figure_tasks_free(char **tasks, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(tasks[i]);
    free(tasks);
}
