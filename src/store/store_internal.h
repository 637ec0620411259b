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

#include "store/store.h"

/* ---- connection (store.c) ---- */

typedef enum cf_kept {
    CF_KEPT_HAS_SAMPLE,
    CF_KEPT_ADD_SAMPLE,
    CF_KEPT_ADD_VALUE,
    CF_KEPT_FIND_RUN,
    CF_KEPT_FIND_SPEC,
    CF_KEPT_ADD_SPEC,
    CF_KEPT_ADD_RUN,
    CF_KEPT_CLEAR_STATISTICS,
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

/* ---- samples (write.c, read.c) ---- */

/* The columns of a sample in the order in which write.c binds and read.c reads them. */
#define CF_SAMPLE_COLUMNS                                                                                              \
    "task, row, question_id, image, question, answer, true_option, false_option, object, status, reason, predicted, "  \
    "first_token, first_token_text, probability, n_tokens, groups, grid_h, grid_w, picture_w, picture_h, fitted_w, "   \
    "fitted_h"
enum { CF_SAMPLE_N_COLUMNS = 23 };

/* Fills *out from columns first, first + 1, ...; its text is valid until the next step. */
CF_MUST_USE cf_status cf_sample_read(const cf_store *s, cf_sample *out, sqlite3_stmt *q, int first, cf_error *err);
CF_MUST_USE cf_status cf_value_flag_read(const cf_store *s, cf_value_flag *out, const char *name, cf_error *err);
/* 100 * (p2 - p1) / p1: the score of a knocked-out run, in %. */
double cf_relative_change(double p1, double p2);

/* ---- runs (runs.c) ---- */

/* One run, and the curve it is a point of: runs with equal (spec_id, window) are one curve. */
typedef struct cf_run_entry {
    int64_t id, spec_id;
    int32_t window, centre;
    char *text;  /* the spec's canonical text */
    char *label; /* the same, with mode, heads and seed where they are not "cut", "all" and 0: unique for a spec */
} cf_run_entry;

typedef struct cf_run_table { /* zero-initialise; sorted by spec, window, centre */
    cf_run_entry *items;
    size_t n, cap;
} cf_run_table;

CF_MUST_USE cf_status cf_run_table_read(cf_store *s, cf_run_table *out, cf_error *err);
void cf_run_table_deinit(cf_run_table *t);
/* One past the last run of the curve that run i begins. */
size_t cf_run_table_curve_end(const cf_run_table *t, size_t i);

/* ---- relative changes (changes.c) ---- */

typedef struct cf_change {
    const char *task; /* valid during the call only */
    size_t run;       /* place in the run table */
    double change;    /* %; finite, or NaN where the run was fully cut */
    cf_value_flag flag;
} cf_change;

/* Every probability of a kept sample, in the order of task, row and run id, whatever the order in which they were
 * written. A status other than CF_OK stops the walk and is returned. */
typedef cf_status (*cf_change_visitor)(void *user, const cf_change *c, cf_error *err);
CF_MUST_USE cf_status cf_changes_each(cf_store *s, const cf_run_table *runs, cf_change_visitor visit, void *user,
                                      cf_error *err);

/* ---- CSV files (csv_file.c) ---- */

CF_MUST_USE cf_status cf_csv_add_field(cf_str *out, const char *text, cf_error *err);
/* Writes header and lines whole under a temporary name, then renames: a reader never sees half a file. */
CF_MUST_USE cf_status cf_csv_replace(const char *path, const char *header, const cf_str *lines, cf_error *err);

#endif
