/* read_results.c - what was measured on one sample, in memory. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/memory.h"
#include "store/store_internal.h"

/* ---- the buffer ---- */

static void free_text(const char *text)
{
    free((char *)(uintptr_t)text);
}

static void clear(cf_results_buffer *b)
{
    for (size_t i = 0; i < b->results.n_answers; i++)
        free_text(b->answers[i].text);
    for (size_t i = 0; i < b->results.n_lens; i++) {
        free_text(b->lens[i].words);
        free_text(b->lens[i].scores);
    }
    b->results = (cf_results){0};
}

void cf_results_buffer_deinit(cf_results_buffer *b)
{
    clear(b);
    free(b->values);
    free(b->baselines);
    free(b->answers);
    free(b->lens);
    *b = (cf_results_buffer){0};
}

static cf_status copy(const char **out, sqlite3_stmt *q, int column, cf_error *err)
{
    char *text = NULL;
    const cf_status st = cf_strdup(&text, cf_slice_of(cf_column_text(q, column)), err);
    if (st == CF_OK)
        *out = text;
    return st;
}

/* ---- rows: one more in the buffer, or nothing changed ---- */

/* Columns: run, measure, value, flag. */
static cf_status add_value(const cf_store *s, cf_results_buffer *b, sqlite3_stmt *q, cf_error *err)
{
    cf_status st = CF_OK;
    void *items = b->values;
    cf_value v = {.run = sqlite3_column_int64(q, 0), .value = cf_column_f64(q, 2)};
    CF_TRY(cf_measure_read(s, &v.measure, cf_column_text(q, 1), err));
    CF_TRY(cf_value_flag_read(s, &v.flag, cf_column_text(q, 3), err));
    CF_TRY(cf_grow(&items, &b->cap_values, b->results.n_values + 1, sizeof v, "values", err));
    b->values = items;
    b->values[b->results.n_values++] = v;
done:
    return st;
}

/* Columns: measure, value. */
static cf_status add_baseline(const cf_store *s, cf_results_buffer *b, sqlite3_stmt *q, cf_error *err)
{
    cf_status st = CF_OK;
    void *items = b->baselines;
    cf_baseline v = {.value = cf_column_f64(q, 1)};
    CF_TRY(cf_measure_read(s, &v.measure, cf_column_text(q, 0), err));
    CF_TRY(cf_grow(&items, &b->cap_baselines, b->results.n_baselines + 1, sizeof v, "baselines", err));
    b->baselines = items;
    b->baselines[b->results.n_baselines++] = v;
done:
    return st;
}

/* Columns: run, text. */
static cf_status add_answer(const cf_store *s, cf_results_buffer *b, sqlite3_stmt *q, cf_error *err)
{
    cf_status st = CF_OK;
    void *items = b->answers;
    cf_run_answer v = {.run = sqlite3_column_int64(q, 0)};
    (void)s;
    CF_TRY(cf_grow(&items, &b->cap_answers, b->results.n_answers + 1, sizeof v, "answers", err));
    b->answers = items;
    CF_TRY(copy(&v.text, q, 1, err));
    b->answers[b->results.n_answers++] = v;
done:
    return st;
}

/* Columns: position, layer, words, scores, those of CF_LENS_COLUMNS. */
static cf_status add_entry(const cf_store *s, cf_results_buffer *b, sqlite3_stmt *q, cf_error *err)
{
    cf_status st = CF_OK;
    bool fits = true;
    void *items = b->lens;
    cf_lens_entry v = {.run = CF_NO_RUN,
                       .position = cf_column_i32(q, 0, &fits),
                       .layer = cf_column_i32(q, 1, &fits),
                       .answer = cf_column_f64(q, 4 + CF_LENS_ANSWER),
                       .option = cf_column_f64(q, 4 + CF_LENS_OPTION),
                       .answer_upper = cf_column_f64(q, 4 + CF_LENS_ANSWER_UPPER),
                       .option_upper = cf_column_f64(q, 4 + CF_LENS_OPTION_UPPER)};
    if (!fits)
        return cf_fail(err, CF_FORMAT, "%s: a lens entry: a number does not fit in 32 bits", s->path);
    CF_TRY(cf_grow(&items, &b->cap_lens, b->results.n_lens + 1, sizeof v, "lens entries", err));
    b->lens = items;
    CF_TRY(copy(&v.words, q, 2, err));
    CF_TRY(copy(&v.scores, q, 3, err));
    b->lens[b->results.n_lens++] = v;
    v.words = v.scores = NULL;
done:
    free_text(v.words);
    free_text(v.scores);
    return st;
}

/* ---- reading ---- */

typedef struct part {
    unsigned bit;
    cf_kept kept;
    const char *sql;
    cf_status (*add)(const cf_store *s, cf_results_buffer *b, sqlite3_stmt *q, cf_error *err);
} part;

static const part parts_of_a_sample[] = {
    {CF_READ_VALUES, CF_KEPT_VALUES,
     "SELECT run, measure, value, flag FROM value WHERE sample = ? ORDER BY run, measure", add_value},
    {CF_READ_BASELINES, CF_KEPT_BASELINES, "SELECT measure, value FROM baseline WHERE sample = ? ORDER BY measure",
     add_baseline},
    {CF_READ_ANSWERS, CF_KEPT_ANSWERS, "SELECT run, text FROM answer WHERE sample = ? ORDER BY run", add_answer},
    {CF_READ_LENS, CF_KEPT_LENS,
     "SELECT l.position, l.layer, l.words, l.scores, " CF_LENS_COLUMNS " FROM lens l WHERE l.sample = ?1 AND l.run = 0 "
     "AND l.position = (SELECT n_tokens - 1 FROM sample WHERE id = ?1) ORDER BY l.layer",
     add_entry},
};

static cf_status read_part(cf_store *s, cf_results_buffer *b, const part *p, int64_t id, cf_error *err)
{
    cf_status st = CF_OK;
    sqlite3_stmt *q = NULL;
    CF_TRY(cf_store_use_kept(s, &q, p->kept, p->sql, err));
    int rc = sqlite3_bind_int64(q, 1, id);
    if (rc == SQLITE_OK)
        while ((rc = sqlite3_step(q)) == SQLITE_ROW)
            CF_TRY(p->add(s, b, q, err));
    if (rc != SQLITE_DONE)
        st = cf_store_fault(s, err, "read the results of a sample");
done:
    sqlite3_reset(q);
    return st;
}

cf_status cf_store_read_results(cf_store *s, cf_results_buffer *out, const char *task, int64_t row, unsigned parts,
                                cf_error *err)
{
    cf_status st = CF_OK;
    int64_t id = 0;
    clear(out);
    CF_TRY(cf_store_sample_id(s, &id, task, row, err));
    for (size_t i = 0; id && i < sizeof parts_of_a_sample / sizeof parts_of_a_sample[0]; i++)
        if (parts & parts_of_a_sample[i].bit)
            CF_TRY(read_part(s, out, &parts_of_a_sample[i], id, err));
    cf_results *r = &out->results;
    r->values = out->values;
    r->baselines = out->baselines;
    r->answers = out->answers;
    r->lens = out->lens;
done:
    if (st != CF_OK)
        clear(out);
    return st;
}
