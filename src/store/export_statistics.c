/* export_statistics.c - the statistics of a study as one CSV file. */
#include <inttypes.h>
#include <math.h>

#include "store/export.h"
#include "store/store_internal.h"

static const char header[] =
    "task,flow,window,layer,n,n_empty,n_fully_cut,mean,low,high,median,wilcoxon_p,rank_biserial_r\n";

/* An empty cell where there is no number; otherwise a double reads back exactly. */
static cf_status add_number(cf_str *out, double v, cf_error *err)
{
    return isnan(v) ? cf_str_add_text(out, ",", err) : cf_str_addf(out, err, ",%.17g", v);
}

static cf_status add_point(cf_str *out, const cf_statistic_curve *c, const cf_statistic_point *p, cf_error *err)
{
    const cf_statistic *s = &p->s;
    const double numbers[] = {s->mean, s->low, s->high, s->median, s->p, s->r};
    cf_status st = CF_OK;
    CF_TRY(cf_csv_add_field(out, c->task ? c->task : "all tasks", err));
    CF_TRY(cf_str_add_text(out, ",", err));
    CF_TRY(cf_csv_add_field(out, c->spec, err));
    CF_TRY(cf_str_addf(out, err, ",%" PRId32 ",%" PRId32 ",%" PRId64 ",%" PRId64 ",%" PRId64, c->window, p->layer, s->n,
                       p->n_empty, p->n_fully_cut));
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        CF_TRY(add_number(out, numbers[i], err));
    CF_TRY(cf_str_add_text(out, "\n", err));
done:
    return st;
}

cf_status cf_export_statistics(cf_store *s, const char *path, const cf_statistics_options *o, cf_error *err)
{
    cf_status st = CF_OK;
    cf_statistic_curve *curves = NULL;
    size_t n = 0;
    cf_str lines = {0};
    CF_TRY(cf_store_statistics(s, &curves, &n, o, err));
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < curves[i].n_points; j++)
            CF_TRY(add_point(&lines, &curves[i], &curves[i].points[j], err));
    CF_TRY(cf_csv_replace(path, header, &lines, err));
done:
    cf_str_deinit(&lines);
    cf_statistics_free(curves, n);
    return st;
}
