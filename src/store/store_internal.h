/* store_internal.h - what the files of store/ share: the connection, its statements, and how SQLite's faults become
 * ours.
 *
 * Invariants
 * (1) A kept statement is reset as soon as its answer is read: an open one would hold a transaction.
 * (2) Walks prepare a statement of their own, so that a visitor may call the store.
 * (3) Nothing that is read from the file is trusted: text may be NULL, a number may not fit. */
#ifndef CF_STORE_STORE_INTERNAL_H
#define CF_STORE_STORE_INTERNAL_H

#include <sqlite3.h>

#include "base/json_text.h"
#include "base/out_file.h"
#include "store/mean.h"
#include "store/store.h"

/* ---- connection (store.c) ---- */

typedef enum cf_kept {
    CF_KEPT_ADD_SAMPLE,
    CF_KEPT_ADD_VALUE,
    CF_KEPT_ADD_BASELINE,
    CF_KEPT_ADD_ANSWER,
    CF_KEPT_ADD_LENS,
    CF_KEPT_FIND_RUN,
    CF_KEPT_FIND_SPEC,
    CF_KEPT_ADD_SPEC,
    CF_KEPT_ADD_RUN,
    CF_KEPT_CLEAR_STATISTICS,
    CF_KEPT_SAMPLE_ID,
    CF_KEPT_VALUES,
    CF_KEPT_BASELINES,
    CF_KEPT_ANSWERS,
    CF_KEPT_LENS,
    CF_KEPT_BEGIN,
    CF_KEPT_COMMIT,
    CF_N_KEPT
} cf_kept;

struct cf_store {
    sqlite3 *db;
    char *path;
    sqlite3_stmt *kept[CF_N_KEPT]; /* prepared at first use */
};

/* Turns the connection's last fault into a message "PATH: cannot <what>: reason". Call it right after the fault. */
cf_status cf_store_fault(const cf_store *s, cf_error *err, const char *fmt, ...) CF_PRINTF(3, 4);
CF_MUST_USE cf_status cf_store_exec(cf_store *s, const char *sql, const char *what, cf_error *err);
/* *out = the first column of the only row. */
CF_MUST_USE cf_status cf_store_query_i64(cf_store *s, int64_t *out, const char *sql, cf_error *err);
CF_MUST_USE cf_status cf_store_prepare(cf_store *s, sqlite3_stmt **out, const char *sql, cf_error *err);
CF_MUST_USE cf_status cf_store_use_kept(cf_store *s, sqlite3_stmt **out, cf_kept which, const char *sql, cf_error *err);
/* A write transaction. Rollback keeps quiet: it follows a fault that has its message already. */
CF_MUST_USE cf_status cf_store_begin(cf_store *s, cf_error *err);
CF_MUST_USE cf_status cf_store_commit(cf_store *s, cf_error *err);
void cf_store_rollback(cf_store *s);

/* Text column, "" where it is NULL; valid until the next step. */
const char *cf_column_text(sqlite3_stmt *q, int column);
/* Integer column; where it does not fit, *fits becomes false and 0 is returned. */
int32_t cf_column_i32(sqlite3_stmt *q, int column, bool *fits);
/* Real column, NaN where it is NULL. */
double cf_column_f64(sqlite3_stmt *q, int column);
/* NULL binds as ''. */
int cf_bind_text(sqlite3_stmt *q, int parameter, const char *text);
/* NaN binds as NULL: SQLite has no NaN, and would do so itself. */
int cf_bind_real(sqlite3_stmt *q, int parameter, double v);

/* ---- schema (schema.c) ---- */

/* Tables, application id and schema version. Inside the caller's transaction. */
CF_MUST_USE cf_status cf_schema_create(cf_store *s, cf_error *err);
/* *empty: a database without anything in it. Otherwise the file must be a study of this schema version. */
CF_MUST_USE cf_status cf_schema_check(cf_store *s, bool *empty, cf_error *err);

/* ---- facts (facts.c) ---- */

CF_MUST_USE cf_status cf_facts_add(cf_store *s, const cf_fact *facts, size_t n, cf_error *err);
/* The identity facts of the file and the given ones must be the same. */
CF_MUST_USE cf_status cf_facts_check(cf_store *s, const cf_fact *facts, size_t n, cf_error *err);

/* ---- names (names.c, measures.c) ---- */

enum { CF_N_STATUS = CF_SAMPLE_FAULT + 1, CF_N_FLAGS = CF_VALUE_TOO_FEW_KEYS + 1 };

/* CF_FORMAT for a name that no study has: the schema's CHECKs hold for files that this program wrote, and a file may
 * come from elsewhere. */
CF_MUST_USE cf_status cf_sample_status_read(const cf_store *s, cf_sample_status *out, const char *name, cf_error *err);
CF_MUST_USE cf_status cf_value_flag_read(const cf_store *s, cf_value_flag *out, const char *name, cf_error *err);
CF_MUST_USE cf_status cf_measure_read(const cf_store *s, cf_measure *out, const char *name, cf_error *err);
/* CF_USAGE for a measure without curves. */
CF_MUST_USE cf_status cf_measure_check_curve(cf_measure m, cf_error *err);

/* ---- samples and their results (write.c, write_results.c, read.c) ---- */

/* *id = 0 where there is none: ids begin at 1. */
cf_status cf_store_sample_id(cf_store *s, int64_t *id, const char *task, int64_t row, cf_error *err);

/* The columns of a sample in the order in which write.c binds and read.c reads them. */
#define CF_SAMPLE_COLUMNS                                                                                              \
    "task, row, question_id, image, question, answer, true_option, false_option, object, status, reason, predicted, "  \
    "first_token, first_token_text, probability, n_tokens, answer_ids, true_token, groups, notes, grid_h, grid_w, "    \
    "picture_w, picture_h, fitted_w, fitted_h, tokens, boxes, patches"
enum { CF_SAMPLE_N_COLUMNS = 29 };
/* Of a run r and its spec p, in the order in which cf_run_read reads them. */
#define CF_RUN_COLUMNS "p.text, p.mode, p.heads, p.seed, r.repeat, r.style, r.window, r.centre, r.layers"

/* Of a lens entry l, in the order of cf_lens_line. */
#define CF_LENS_COLUMNS "l.answer, l.option, l.answer_upper, l.option_upper"
bool cf_lens_line_is_option(cf_lens_line l);

/* Fill *out from columns first, first + 1, ...; texts are valid until the next step. */
CF_MUST_USE cf_status cf_sample_read(const cf_store *s, cf_sample *out, sqlite3_stmt *q, int first, cf_error *err);
CF_MUST_USE cf_status cf_run_read(const cf_store *s, cf_store_run *out, sqlite3_stmt *q, int first, cf_error *err);

/* The results of a new sample; run ids among them must be registered. Inside the caller's transaction. */
CF_MUST_USE cf_status cf_results_add(cf_store *s, int64_t id, const cf_sample *sample, const cf_results *results,
                                     cf_error *err);

/* Removes what was kept of a sample while it was measured. Inside the caller's transaction (unfinished.c). */
CF_MUST_USE cf_status cf_unfinished_clear(cf_store *s, const char *task, int64_t row, cf_error *err);

/* Every sample in the order of task and row; task NULL: of every task; kept: only those that were traced. The whole
 * walk sees one state of the study. */
typedef struct cf_sample_filter {
    const char *task;
    bool kept;
} cf_sample_filter;
typedef cf_status (*cf_sample_row_visitor)(void *user, int64_t id, const cf_sample *sample, cf_error *err);
CF_MUST_USE cf_status cf_samples_each(cf_store *s, const cf_sample_filter *filter, cf_sample_row_visitor visit,
                                      void *user, cf_error *err);

/* Every task of a kept sample, by name. */
typedef cf_status (*cf_task_visitor)(void *user, const char *task, cf_error *err);
CF_MUST_USE cf_status cf_tasks_each(cf_store *s, cf_task_visitor visit, void *user, cf_error *err);

/* The values of one sample in the order of run and measure's name, through a statement that cf_values_prepare made. */
typedef struct cf_value_row {
    cf_store_run run;
    cf_value value;
    double baseline; /* of the measure; NaN where there is none */
} cf_value_row;
typedef cf_status (*cf_value_row_visitor)(void *user, const cf_sample *sample, const cf_value_row *row, cf_error *err);
CF_MUST_USE cf_status cf_values_prepare(cf_store *s, sqlite3_stmt **out, cf_error *err);
CF_MUST_USE cf_status cf_values_of(cf_store *s, sqlite3_stmt *q, int64_t id, const cf_sample *sample,
                                   cf_value_row_visitor visit, void *user, cf_error *err);

/* ---- runs (runs.c) ---- */

/* One run. Runs with equal (spec, style, window) are one curve; those that differ in nothing but their repeat are one
 * point of it. */
typedef struct cf_run_entry {
    int64_t id, spec_id;
    int32_t repeat, window, centre;
    size_t point; /* place of the point's first run in the table */
    char *label;  /* the spec's canonical text, with the seed where it is random: unique for a spec */
    char *mode, *style, *layers;
} cf_run_entry;

typedef struct cf_run_table { /* zero-initialise; sorted by spec, style, window, centre, layers, repeat */
    cf_run_entry *items;
    size_t n, cap;
} cf_run_table;

CF_MUST_USE cf_status cf_run_table_read(cf_store *s, cf_run_table *out, cf_error *err);
void cf_run_table_deinit(cf_run_table *t);
/* One past the last run of the curve that run i begins. */
size_t cf_run_table_curve_end(const cf_run_table *t, size_t i);
bool cf_run_is_random(const cf_run_entry *e);

/* Places in the table by run id. */
typedef struct cf_run_index cf_run_index;
CF_MUST_USE cf_status cf_run_index_make(cf_run_index **out, const cf_run_table *t, cf_error *err);
void cf_run_index_free(cf_run_index *x);
bool cf_run_index_find(size_t *out, const cf_run_index *x, int64_t id);

/* ---- changes (changes.c) ---- */

/* One sample at one point: the mean over those of its repeats that have a number. */
typedef struct cf_change {
    const char *task; /* valid during the call only */
    size_t point;     /* place of its first run in the run table */
    double change;    /* or the value, where that is asked for; finite, or NaN where there is no number */
    bool empty;       /* a group of the run is empty */
} cf_change;

/* The changes of a measure in every kept sample, in the order of task, row and point, whatever the order in which they
 * were written. A status other than CF_OK stops the walk and is returned. */
typedef cf_status (*cf_change_visitor)(void *user, const cf_change *c, cf_error *err);
CF_MUST_USE cf_status cf_changes_each(cf_store *s, const cf_run_table *runs, cf_measure measure, bool absolute,
                                      cf_change_visitor visit, void *user, cf_error *err);

/* ---- files (csv_cells.c, export_name.c) ---- */

CF_MUST_USE cf_status cf_csv_add_field(cf_str *out, const char *text, cf_error *err);
/* Append a comma and the number, as cf_str_add_float or with %.17g (reads back as the same double); nothing after the comma where
 * it is NaN. */
CF_MUST_USE cf_status cf_csv_add_float(cf_str *out, double v, cf_error *err);
CF_MUST_USE cf_status cf_csv_add_double(cf_str *out, double v, cf_error *err);
/* Append a comma and a run's k or centre; nothing after the comma where its style has none. */
CF_MUST_USE cf_status cf_csv_add_window(cf_str *out, const char *style, int32_t window, cf_error *err);
CF_MUST_USE cf_status cf_csv_add_centre(cf_str *out, const char *style, int32_t centre, cf_error *err);
bool cf_style_has_window(const char *style);
bool cf_style_has_centre(const char *style);

/* The names of one export's files. */
typedef struct cf_export_names { /* zero-initialise */
    cf_str seen;                 /* a line each */
} cf_export_names;

/* Appends the name of a file of a task: TASK, kind ("" or "_lens", ...), and of a run its flow, window and repeat, with
 * its centre where the file has one run. CF_MISMATCH where two files would have one name. */
CF_MUST_USE cf_status cf_export_name(cf_export_names *names, cf_str *out, const cf_store *s, const char *task,
                                     const char *kind, const cf_run_entry *run, bool with_centre, cf_error *err);

/* ---- parts of cf_export_csv (export_lens.c, export_map.c) ---- */

/* A map as one table; *is_map false, and nothing written, where the study is none. */
CF_MUST_USE cf_status cf_export_map(cf_store *s, const char *path, bool *is_map, cf_error *err);

/* The lens files of every task into dir; *n_files grows by their number. */
CF_MUST_USE cf_status cf_export_lens(cf_store *s, const char *dir, const cf_run_table *runs, cf_export_names *names,
                                     int64_t *n_files, cf_error *err);

#endif
