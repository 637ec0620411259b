/* write_statistics.c - the table `statistic`: what readers of the file find without computing anything.
 *
 * The table is empty or describes exactly the values beside it: whoever writes a sample empties it in the same
 * transaction. */
#include "store/store_internal.h"

#include <inttypes.h>

static cf_status put_point(const cf_store *s, sqlite3_stmt *q, const char *task, cf_measure measure,
                           const cf_statistic_point *p, cf_error *err)
{
    const cf_statistic *x = &p->s;
    const double numbers[] = {x->mean, x->low, x->high, x->median, x->p, x->r};
    int i = 0, rc = cf_bind_text(q, ++i, task);
    rc |= sqlite3_bind_int64(q, ++i, p->run);
    rc |= cf_bind_text(q, ++i, cf_measure_name(measure));
    rc |= sqlite3_bind_int64(q, ++i, x->n);
    rc |= sqlite3_bind_int64(q, ++i, p->n_empty);
    rc |= sqlite3_bind_int64(q, ++i, p->n_without);
    for (size_t j = 0; j < sizeof numbers / sizeof *numbers; j++)
        rc |= cf_bind_real(q, ++i, numbers[j]);
    if (rc != SQLITE_OK || sqlite3_step(q) != SQLITE_DONE)
        return cf_store_fault(s, err, "write the statistics of %s", task);
    sqlite3_reset(q);
    return CF_OK;
}

static cf_status put_measure(cf_store *s, sqlite3_stmt *q, const cf_statistics_options *o, cf_error *err)
{
    cf_status st = CF_OK;
    cf_statistic_curve *curves = NULL;
    size_t n = 0;
    CF_TRY(cf_store_statistics(s, &curves, &n, o, err));
    for (size_t i = 0; i < n && curves[i].task; i++) /* those of all tasks together come last and stay out */
        for (size_t j = 0; j < curves[i].n_points; j++)
            CF_TRY(put_point(s, q, curves[i].task, o->measure, &curves[i].points[j], err));
done:
    cf_statistics_free(curves, n);
    return st;
}

static cf_status put_settings(cf_store *s, const cf_bootstrap *b, cf_error *err)
{
    cf_str text = {0};
    cf_status st =
        cf_str_addf(&text, err, "%" PRId64 " resamples, seed %" PRIu64 ", empty groups kept", b->resamples, b->seed);
    if (st == CF_OK) {
        const cf_fact fact = {"statistics", text.data, false};
        st = cf_store_renew_facts(s, &fact, 1, err);
    }
    cf_str_deinit(&text);
    return st;
}

cf_status cf_store_put_statistics(cf_store *s, cf_error *err)
{
    cf_statistics_options o = cf_statistics_options_default();
    cf_status st = CF_OK;
    sqlite3_stmt *q = NULL;
    CF_TRY(cf_store_begin(s, err)); /* nobody adds a sample between reading and writing */
    CF_TRY(cf_store_exec(s, "DELETE FROM statistic", "write the statistics", err));
    CF_TRY(cf_store_prepare(s, &q,
                            "INSERT INTO statistic (task, run, measure, n, n_empty, n_without, mean, low, high, "
                            "median, p, r) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                            err));
    for (int m = 0; m < CF_N_MEASURES; m++) {
        o.measure = (cf_measure)m;
        if (cf_measure_label(o.measure))
            CF_TRY(put_measure(s, q, &o, err));
    }
    CF_TRY(put_settings(s, &o.bootstrap, err));
    CF_TRY(cf_store_commit(s, err));
done:
    sqlite3_finalize(q);
    if (st != CF_OK)
        cf_store_rollback(s);
    return st;
}
