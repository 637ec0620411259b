/* write_results.c - what was measured on one sample: values, baselines, answers and lens entries, inside the
 * transaction of write.c. */
#include "store/store_internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* Where the rows at hand belong, and what they are, for messages. */
typedef struct place {
    cf_store *store;
    const cf_sample *sample;
    const char *one, *many; /* "value", "values" */
} place;

static cf_status unknown_run(const place *p, int64_t run, cf_error *err)
{
    return cf_fail(err, CF_MISMATCH,
                   "%s: the sample %s row %" PRId64 " has the %s of run %" PRId64 ", which is not registered",
                   p->store->path, p->sample->task, p->sample->row, p->one, run);
}

/* The rest says what the second of two rows repeats: "run 3, rank". */
static cf_status row_fault(const place *p, int64_t run, cf_error *err, const char *fmt, ...) CF_PRINTF(4, 5);
static cf_status row_fault(const place *p, int64_t run, cf_error *err, const char *fmt, ...)
{
    const cf_store *s = p->store;
    char same[96];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(same, sizeof same, fmt, ap);
    va_end(ap);
    switch (sqlite3_extended_errcode(s->db)) {
    case SQLITE_CONSTRAINT_FOREIGNKEY:
        return unknown_run(p, run, err);
    case SQLITE_CONSTRAINT_PRIMARYKEY:
        return cf_fail(err, CF_MISMATCH, "%s: the sample %s row %" PRId64 " has two %s of %s", s->path, p->sample->task,
                       p->sample->row, p->many, same);
    default:
        return cf_store_fault(s, err, "write the %s of the sample %s row %" PRId64, p->many, p->sample->task,
                              p->sample->row);
    }
}

static bool row_added(sqlite3_stmt *q, int bound)
{
    return bound == SQLITE_OK && sqlite3_step(q) == SQLITE_DONE;
}

static cf_status add_values(cf_store *s, int64_t id, const cf_sample *sample, const cf_results *r, cf_error *err)
{
    const place p = {s, sample, "value", "values"};
    sqlite3_stmt *q = NULL;
    cf_status st = cf_store_use_kept(
        s, &q, CF_KEPT_ADD_VALUE, "INSERT INTO value (sample, run, measure, value, flag) VALUES (?, ?, ?, ?, ?)", err);
    for (size_t i = 0; st == CF_OK && i < r->n_values; i++) {
        const cf_value *v = &r->values[i];
        const char *measure = cf_measure_name(v->measure);
        const int rc = sqlite3_bind_int64(q, 1, id) | sqlite3_bind_int64(q, 2, v->run) | cf_bind_text(q, 3, measure) |
                       cf_bind_real(q, 4, v->value) | cf_bind_text(q, 5, cf_value_flag_name(v->flag));
        if (!row_added(q, rc))
            st = row_fault(&p, v->run, err, "run %" PRId64 ", %s", v->run, measure);
        sqlite3_reset(q);
    }
    return st;
}

static cf_status add_baselines(cf_store *s, int64_t id, const cf_sample *sample, const cf_results *r, cf_error *err)
{
    const place p = {s, sample, "baseline", "baselines"};
    sqlite3_stmt *q = NULL;
    cf_status st = cf_store_use_kept(s, &q, CF_KEPT_ADD_BASELINE,
                                     "INSERT INTO baseline (sample, measure, value) VALUES (?, ?, ?)", err);
    for (size_t i = 0; st == CF_OK && i < r->n_baselines; i++) {
        const cf_baseline *b = &r->baselines[i];
        const char *measure = cf_measure_name(b->measure);
        const int rc = sqlite3_bind_int64(q, 1, id) | cf_bind_text(q, 2, measure) | cf_bind_real(q, 3, b->value);
        if (!row_added(q, rc))
            st = row_fault(&p, CF_NO_RUN, err, "%s", measure);
        sqlite3_reset(q);
    }
    return st;
}

static cf_status add_answers(cf_store *s, int64_t id, const cf_sample *sample, const cf_results *r, cf_error *err)
{
    const place p = {s, sample, "answer", "answers"};
    sqlite3_stmt *q = NULL;
    cf_status st =
        cf_store_use_kept(s, &q, CF_KEPT_ADD_ANSWER, "INSERT INTO answer (sample, run, text) VALUES (?, ?, ?)", err);
    for (size_t i = 0; st == CF_OK && i < r->n_answers; i++) {
        const cf_run_answer *a = &r->answers[i];
        const int rc = sqlite3_bind_int64(q, 1, id) | sqlite3_bind_int64(q, 2, a->run) | cf_bind_text(q, 3, a->text);
        if (!row_added(q, rc))
            st = row_fault(&p, a->run, err, "run %" PRId64, a->run);
        sqlite3_reset(q);
    }
    if (q)
        sqlite3_clear_bindings(q); /* the texts are the caller's */
    return st;
}

static int bind_lens(sqlite3_stmt *q, int64_t id, const cf_lens_entry *e)
{
    int rc = SQLITE_OK, i = 0;
    rc |= sqlite3_bind_int64(q, ++i, id);
    rc |= sqlite3_bind_int64(q, ++i, e->run);
    rc |= sqlite3_bind_int(q, ++i, e->position);
    rc |= sqlite3_bind_int(q, ++i, e->layer);
    rc |= cf_bind_real(q, ++i, e->answer);
    rc |= cf_bind_real(q, ++i, e->answer_upper);
    rc |= cf_bind_real(q, ++i, e->option);
    rc |= cf_bind_real(q, ++i, e->option_upper);
    rc |= cf_bind_text(q, ++i, e->words);
    rc |= cf_bind_text(q, ++i, e->scores);
    return rc;
}

/* A foreign key cannot say "0 or a run": the statement adds nothing where there is no such run. */
static cf_status add_lens(cf_store *s, int64_t id, const cf_sample *sample, const cf_results *r, cf_error *err)
{
    const place p = {s, sample, "lens entry", "lens entries"};
    sqlite3_stmt *q = NULL;
    cf_status st = cf_store_use_kept(s, &q, CF_KEPT_ADD_LENS,
                                     "INSERT INTO lens (sample, run, position, layer, answer, answer_upper, option, "
                                     "option_upper, words, scores) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10 "
                                     "WHERE ?2 = 0 OR EXISTS (SELECT 1 FROM run WHERE id = ?2)",
                                     err);
    for (size_t i = 0; st == CF_OK && i < r->n_lens; i++) {
        const cf_lens_entry *e = &r->lens[i];
        if (!row_added(q, bind_lens(q, id, e)))
            st = row_fault(&p, e->run, err, "run %" PRId64 ", position %" PRId32 ", layer %" PRId32, e->run,
                           e->position, e->layer);
        else if (sqlite3_changes(s->db) == 0)
            st = unknown_run(&p, e->run, err);
        sqlite3_reset(q);
    }
    if (q)
        sqlite3_clear_bindings(q);
    return st;
}

cf_status cf_results_add(cf_store *s, int64_t id, const cf_sample *sample, const cf_results *results, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(add_values(s, id, sample, results, err));
    CF_TRY(add_baselines(s, id, sample, results, err));
    CF_TRY(add_answers(s, id, sample, results, err));
    CF_TRY(add_lens(s, id, sample, results, err));
done:
    return st;
}
