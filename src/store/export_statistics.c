/* export_statistics.c - the statistics of a study as one CSV file. */
#include <inttypes.h>

#include "store/export.h"
#include "store/store_internal.h"

static const char header[] =
    "task,flow,style,window,layer,measure,n,n_empty,n_without,mean,low,high,median,wilcoxon_p,rank_biserial_r\n";

static cf_status add_point(cf_str *out, const cf_statistic_curve *c, cf_measure measure, const cf_statistic_point *p,
                           cf_error *err)
{
    const cf_statistic *s = &p->s;
    const double numbers[] = {s->mean, s->low, s->high, s->median, s->p, s->r};
    cf_status st = CF_OK;
    CF_TRY(cf_csv_add_field(out, c->task ? c->task : "all tasks", err));
    CF_TRY(cf_str_add_text(out, ",", err));
    CF_TRY(cf_csv_add_field(out, c->spec, err));
    CF_TRY(cf_str_addf(out, err, ",%s", c->style));
    CF_TRY(cf_csv_add_window(out, c->style, c->window, err));
    CF_TRY(cf_csv_add_centre(out, c->style, p->layer, err));
    CF_TRY(cf_str_addf(out, err, ",%s,%" PRId64 ",%" PRId64 ",%" PRId64, cf_measure_name(measure), s->n, p->n_empty,
                       p->n_without));
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        CF_TRY(cf_csv_add_double(out, numbers[i], err));
    CF_TRY(cf_str_add_text(out, "\n", err));
done:
    return st;
}

static cf_status add_measure(cf_out_file *f, cf_store *s, const cf_statistics_options *o, cf_error *err)
{
    cf_status st = CF_OK;
    cf_statistic_curve *curves = NULL;
    size_t n = 0;
    cf_str lines = {0};
    CF_TRY(cf_store_statistics(s, &curves, &n, o, err));
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < curves[i].n_points; j++)
            CF_TRY(add_point(&lines, &curves[i], o->measure, &curves[i].points[j], err));
    CF_TRY(cf_out_file_add(f, cf_str_slice(&lines), err));
done:
    cf_str_deinit(&lines);
    cf_statistics_free(curves, n);
    return st;
}

cf_status cf_export_statistics(cf_store *s, const char *path, const cf_statistics_options *o, cf_error *err)
{
    cf_status st = CF_OK;
    cf_out_file file = {0};
    cf_statistics_options of = *o;
    CF_TRY(cf_out_file_open(&file, path, err));
    CF_TRY(cf_out_file_add(&file, cf_slice_of(header), err));
    for (int m = 0; m < CF_N_MEASURES; m++) {
        of.measure = (cf_measure)m;
        if (cf_measure_label(of.measure))
            CF_TRY(add_measure(&file, s, &of, err));
    }
    CF_TRY(cf_out_file_close(&file, err));
done:
    cf_out_file_deinit(&file);
    return st;
}
