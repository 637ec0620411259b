/* table_lens.c - see table_lens.h. */
#include "report/table_lens.h"

#include <inttypes.h>
#include <string.h>

#include "report/curve_groups.h"
#include "report/table_text.h"

static const cf_point *point_at(const cf_lens_curve *c, int32_t layer)
{
    for (size_t i = 0; i < c->n_points; i++)
        if (c->points[i].layer == layer)
            return &c->points[i];
    return NULL;
}

static cf_status add_title(cf_str *out, const cf_lens_curve *c, const char *task, cf_error *err)
{
    cf_status st = CF_OK;
    int64_t n = 0;
    for (size_t i = 0; i < c->n_points; i++)
        n = c->points[i].n > n ? c->points[i].n : n;
    CF_TRY(cf_str_add_text(out, "\n", err));
    CF_TRY(cf_table_text(out, task, err));
    CF_TRY(cf_str_addf(out, err, ", lens at the last position, %" PRId64 " sample%s: probability (%%)\n\n", n,
                       n == 1 ? "" : "s"));
done:
    return st;
}

/* The n lines of one task. Their names are the columns' heads. */
static cf_status add_task(cf_str *out, const cf_lens_curve *lines, size_t n, const char *task, cf_error *err)
{
    cf_status st = CF_OK;
    int32_t last = 0;
    CF_TRY(add_title(out, lines, task, err));
    CF_TRY(cf_str_add_text(out, "entry", err));
    for (size_t i = 0; i < n; i++) {
        CF_TRY(cf_str_addf(out, err, "  %s", cf_lens_line_name(lines[i].line)));
        for (size_t j = 0; j < lines[i].n_points; j++)
            last = lines[i].points[j].layer > last ? lines[i].points[j].layer : last;
    }
    CF_TRY(cf_str_add_text(out, "\n", err));
    for (int32_t layer = 0; layer <= last; layer++) {
        CF_TRY(cf_str_addf(out, err, "%5" PRId32, layer));
        for (size_t i = 0; i < n; i++) {
            const int width = (int)strlen(cf_lens_line_name(lines[i].line)) + 2;
            const cf_point *p = point_at(&lines[i], layer);
            CF_TRY(p ? cf_str_addf(out, err, "%*.2f", width, p->mean) : cf_str_addf(out, err, "%*s", width, "-"));
        }
        CF_TRY(cf_str_add_text(out, "\n", err));
    }
done:
    return st;
}

static cf_status add_tables(cf_str *out, const cf_lens_curve *curves, size_t n, const char *task, size_t *n_tables,
                            cf_error *err)
{
    cf_status st = CF_OK;
    size_t n_tasks = 0;
    for (size_t i = 0, end; i < n; i = end) {
        end = cf_lens_curves_task_end(curves, n, i);
        const bool all = end == n; /* the last ones are of all tasks together */
        n_tasks++;
        if (task ? all || strcmp(task, curves[i].task) != 0 : all && n_tasks == 2)
            continue;
        size_t n_lines = 0; /* the baseline's come first */
        while (i + n_lines < end && !curves[i + n_lines].spec)
            n_lines++;
        if (n_lines == 0)
            continue;
        CF_TRY(add_task(out, curves + i, n_lines, all ? "all tasks" : curves[i].task, err));
        (*n_tables)++;
    }
done:
    return st;
}

/* The lens of a run, as lines of all tasks together: an answer's line each. */
static size_t count_runs(const cf_lens_curve *curves, size_t n)
{
    size_t count = 0, begin = 0;
    for (size_t i = 0; i < n; i = cf_lens_curves_task_end(curves, n, i))
        begin = i;
    for (size_t i = begin; i < n; i++)
        count += curves[i].spec && curves[i].line == CF_LENS_ANSWER;
    return count;
}

cf_status cf_table_lens(cf_store *s, cf_str *out, const char *task, size_t *n_tables, cf_error *err)
{
    cf_status st = CF_OK;
    cf_lens_curve *curves = NULL;
    size_t n = 0;
    CF_TRY(cf_store_lens_curves(s, &curves, &n, true, err));
    CF_TRY(add_tables(out, curves, n, task, n_tables, err));
    const size_t n_runs = count_runs(curves, n);
    if (n_runs)
        CF_TRY(cf_str_addf(out, err, "\n%zu run%s a lens too: crossflow export --csv DIR writes %s\n", n_runs,
                           n_runs == 1 ? " has" : "s have", n_runs == 1 ? "it" : "them"));
done:
    cf_lens_curves_free(curves, n);
    return st;
}
