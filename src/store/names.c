/* names.c - the words that stand in the file for a sample's status and a value's flag, and how often each occurs. */
#include "store/store_internal.h"

#include <string.h>

static const char *const status_names[CF_N_STATUS] = {
    [CF_SAMPLE_DONE] = "done", [CF_SAMPLE_WRONG] = "wrong", [CF_SAMPLE_FAULT] = "fault"};
static const char *const flag_names[CF_N_FLAGS] = {[CF_VALUE_OK] = "",
                                                   [CF_VALUE_EMPTY_GROUP] = "empty_group",
                                                   [CF_VALUE_NO_VISIBLE_EDGE] = "no_visible_edge",
                                                   [CF_VALUE_FULLY_CUT] = "fully_cut",
                                                   [CF_VALUE_TOO_FEW_KEYS] = "too_few_keys"};

const char *cf_sample_status_name(cf_sample_status s)
{
    return status_names[s];
}

const char *cf_value_flag_name(cf_value_flag f)
{
    return flag_names[f];
}

static cf_status find_name(const cf_store *s, int *out, const char *const *names, int n, const char *name,
                           const char *what, cf_error *err)
{
    for (int i = 0; i < n; i++) {
        if (strcmp(names[i], name) == 0) {
            *out = i;
            return CF_OK;
        }
    }
    return cf_fail(err, CF_FORMAT, "%s: unknown %s '%s'", s->path, what, name);
}

cf_status cf_sample_status_read(const cf_store *s, cf_sample_status *out, const char *name, cf_error *err)
{
    int i = 0;
    const cf_status st = find_name(s, &i, status_names, CF_N_STATUS, name, "sample status", err);
    if (st == CF_OK)
        *out = (cf_sample_status)i;
    return st;
}

cf_status cf_value_flag_read(const cf_store *s, cf_value_flag *out, const char *name, cf_error *err)
{
    int i = 0;
    const cf_status st = find_name(s, &i, flag_names, CF_N_FLAGS, name, "value flag", err);
    if (st == CF_OK)
        *out = (cf_value_flag)i;
    return st;
}

cf_status cf_measure_read(const cf_store *s, cf_measure *out, const char *name, cf_error *err)
{
    return cf_measure_find(out, cf_slice_of(name)) ? CF_OK
                                                   : cf_fail(err, CF_FORMAT, "%s: unknown measure '%s'", s->path, name);
}

/* ---- counts ---- */

/* Adds up "SELECT name, count(*)" into counts[i] of names[i]. */
static cf_status count_names(cf_store *s, int64_t *counts, const char *const *names, int n, const char *sql,
                             const char *what, cf_error *err)
{
    cf_status st = CF_OK;
    sqlite3_stmt *q = NULL;
    CF_TRY(cf_store_prepare(s, &q, sql, err));
    int rc;
    while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
        int i = 0;
        CF_TRY(find_name(s, &i, names, n, cf_column_text(q, 0), what, err));
        counts[i] = sqlite3_column_int64(q, 1);
    }
    if (rc != SQLITE_DONE)
        st = cf_store_fault(s, err, "count the study's rows");
done:
    sqlite3_finalize(q);
    return st;
}

cf_status cf_store_count(cf_store *s, cf_store_counts *out, cf_error *err)
{
    int64_t samples[CF_N_STATUS] = {0}, values[CF_N_FLAGS] = {0}, lens = 0;
    cf_status st = CF_OK;
    CF_TRY(count_names(s, samples, status_names, CF_N_STATUS, "SELECT status, count(*) FROM sample GROUP BY status",
                       "sample status", err));
    CF_TRY(count_names(s, values, flag_names, CF_N_FLAGS,
                       "SELECT flag, count(*) FROM value WHERE measure = 'probability' GROUP BY flag", "value flag",
                       err));
    CF_TRY(cf_store_query_i64(
        s, &lens, "SELECT count(*) FROM sample s WHERE EXISTS (SELECT 1 FROM lens l WHERE l.sample = s.id)", err));
    *out = (cf_store_counts){.done = samples[CF_SAMPLE_DONE],
                             .wrong = samples[CF_SAMPLE_WRONG],
                             .fault = samples[CF_SAMPLE_FAULT],
                             .empty_group = values[CF_VALUE_EMPTY_GROUP],
                             .no_visible_edge = values[CF_VALUE_NO_VISIBLE_EDGE],
                             .fully_cut = values[CF_VALUE_FULLY_CUT],
                             .too_few_keys = values[CF_VALUE_TOO_FEW_KEYS],
                             .lens = lens};
done:
    return st;
}
