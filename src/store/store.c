/* store.c - opens, creates and closes a study file, and turns SQLite's faults into messages. The tables are
 * schema.c's, what is written write.c's and write_statistics.c's, what is read read.c's and changes.c's, with what is
 * made of it beside them.
 *
 * Write-ahead log with synchronous = NORMAL: a transaction that was committed survives the death of the process, and
 * readers never wait. A finished study leaves that mode again, so that it is one file that opens from a read-only
 * medium. */
#include "store/store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUSY_MS = 10000 };

/* ---- faults ---- */

static cf_status status_of(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_NOMEM:
        return CF_NOMEM;
    case SQLITE_ERROR: /* a table or column that is not there */
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return CF_FORMAT;
    case SQLITE_CONSTRAINT:
        return CF_MISMATCH;
    default:
        return CF_IO;
    }
}

cf_status cf_store_fault(const cf_store *s, cf_error *err, const char *fmt, ...)
{
    const int rc = sqlite3_extended_errcode(s->db);
    const int os = sqlite3_system_errno(s->db);
    if ((rc & 0xff) == SQLITE_NOTADB)
        return cf_fail(err, CF_FORMAT, "%s: expected a crossflow study, found a file that is no SQLite database",
                       s->path);
    char what[128];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    if ((rc & 0xff) == SQLITE_BUSY)
        return cf_fail(err, CF_IO, "%s: cannot %s: another process is writing", s->path, what);
    if ((rc & 0xff) == SQLITE_IOERR && os != 0)
        return cf_fail(err, CF_IO, "%s: cannot %s: %s", s->path, what, strerror(os));
    return cf_fail(err, status_of(rc), "%s: cannot %s: %s", s->path, what, sqlite3_errmsg(s->db));
}

/* ---- statements ---- */

cf_status cf_store_exec(cf_store *s, const char *sql, const char *what, cf_error *err)
{
    if (sqlite3_exec(s->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return cf_store_fault(s, err, "%s", what);
    return CF_OK;
}

cf_status cf_store_prepare(cf_store *s, sqlite3_stmt **out, const char *sql, cf_error *err)
{
    if (sqlite3_prepare_v2(s->db, sql, -1, out, NULL) != SQLITE_OK)
        return cf_store_fault(s, err, "read the study");
    return CF_OK;
}

cf_status cf_store_use_kept(cf_store *s, sqlite3_stmt **out, cf_kept which, const char *sql, cf_error *err)
{
    if (!s->kept[which] &&
        sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &s->kept[which], NULL) != SQLITE_OK)
        return cf_store_fault(s, err, "use the study");
    *out = s->kept[which];
    return CF_OK;
}

cf_status cf_store_query_i64(cf_store *s, int64_t *out, const char *sql, cf_error *err)
{
    sqlite3_stmt *q = NULL;
    cf_status st = cf_store_prepare(s, &q, sql, err);
    if (st == CF_OK && sqlite3_step(q) != SQLITE_ROW)
        st = cf_store_fault(s, err, "read the study");
    if (st == CF_OK)
        *out = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    return st;
}

static cf_status step_kept(cf_store *s, cf_kept which, const char *sql, const char *what, cf_error *err)
{
    sqlite3_stmt *q = NULL;
    cf_status st = cf_store_use_kept(s, &q, which, sql, err);
    if (st != CF_OK)
        return st;
    if (sqlite3_step(q) != SQLITE_DONE)
        st = cf_store_fault(s, err, "%s", what);
    sqlite3_reset(q);
    return st;
}

cf_status cf_store_begin(cf_store *s, cf_error *err)
{
    return step_kept(s, CF_KEPT_BEGIN, "BEGIN IMMEDIATE", "begin to write", err);
}

cf_status cf_store_commit(cf_store *s, cf_error *err)
{
    return step_kept(s, CF_KEPT_COMMIT, "COMMIT", "write", err);
}

void cf_store_rollback(cf_store *s)
{
    if (!sqlite3_get_autocommit(s->db)) /* a full disk has rolled back already */
        (void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
}

const char *cf_column_text(sqlite3_stmt *q, int column)
{
    const unsigned char *text = sqlite3_column_text(q, column);
    return text ? (const char *)text : "";
}

int32_t cf_column_i32(sqlite3_stmt *q, int column, bool *fits)
{
    const int64_t v = sqlite3_column_int64(q, column);
    if (v < INT32_MIN || v > INT32_MAX) {
        *fits = false;
        return 0;
    }
    return (int32_t)v;
}

double cf_column_f64(sqlite3_stmt *q, int column)
{
    return sqlite3_column_type(q, column) == SQLITE_NULL ? (double)NAN : sqlite3_column_double(q, column);
}

int cf_bind_text(sqlite3_stmt *q, int parameter, const char *text)
{
    return sqlite3_bind_text(q, parameter, text ? text : "", -1, SQLITE_STATIC);
}

int cf_bind_real(sqlite3_stmt *q, int parameter, double v)
{
    return isnan(v) ? sqlite3_bind_null(q, parameter) : sqlite3_bind_double(q, parameter, v);
}

/* ---- opening ---- */

/* SQLite gives a meaning of its own to "", ":memory:" and "file:...": a path that begins with a folder has none. */
static cf_status plain_path(cf_str *out, const char *path, cf_error *err)
{
    cf_status st = CF_OK;
    if (path[0] != '/')
        CF_TRY(cf_str_add_text(out, "./", err));
    CF_TRY(cf_str_add_text(out, path, err));
done:
    return st;
}

static cf_status harden(cf_store *s, cf_error *err)
{
    sqlite3_extended_result_codes(s->db, 1);
    sqlite3_busy_timeout(s->db, BUSY_MS);
    /* A study is tables and nothing else: no code of a file from elsewhere runs. */
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    return cf_store_exec(s, "PRAGMA foreign_keys = ON", "open the study", err);
}

static cf_status connect_to(cf_store **out, const char *path, int flags, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str file = {0};
    cf_store *s = calloc(1, sizeof *s);
    if (!s)
        return cf_fail(err, CF_NOMEM, "%s: no memory for the study", path);
    CF_TRY(cf_strdup(&s->path, cf_slice_of(path), err));
    CF_TRY(plain_path(&file, path, err));
    if (sqlite3_open_v2(file.data, &s->db, flags, NULL) != SQLITE_OK) {
        st = s->db ? cf_store_fault(s, err, "open the study")
                   : cf_fail(err, CF_NOMEM, "%s: no memory for the study", path);
        goto done;
    }
    CF_TRY(harden(s, err));
    *out = s;
    s = NULL;
done:
    cf_str_deinit(&file);
    cf_store_close(s);
    return st;
}

void cf_store_close(cf_store *s)
{
    if (!s)
        return;
    for (int i = 0; i < CF_N_KEPT; i++)
        sqlite3_finalize(s->kept[i]);
    sqlite3_close_v2(s->db);
    free(s->path);
    free(s);
}

const char *cf_store_path(const cf_store *s)
{
    return s->path;
}

/* Looks at the path without opening it: closing a second descriptor of a file would drop SQLite's locks on it (POSIX).
 */
static cf_status look_at(bool *exists, const char *path, cf_error *err)
{
    struct stat f;
    if (stat(path, &f) != 0) {
        if (errno != ENOENT || path[0] == '\0')
            return cf_fail(err, CF_IO, "%s: cannot open the study: %s", path, strerror(errno));
        *exists = false;
        return CF_OK;
    }
    if (!S_ISREG(f.st_mode))
        return cf_fail(err, CF_IO, "%s: expected a study file, found %s", path,
                       S_ISDIR(f.st_mode) ? "a folder" : "something else");
    *exists = true;
    return CF_OK;
}

const char *cf_store_library(void)
{
    return "SQLite " SQLITE_VERSION;
}

cf_status cf_store_open(cf_store **out, const char *path, cf_error *err)
{
    cf_status st = CF_OK;
    cf_store *s = NULL;
    bool exists = false, empty = false;
    CF_TRY(look_at(&exists, path, err));
    if (!exists)
        return cf_fail(err, CF_IO, "%s: cannot open the study: %s", path, strerror(ENOENT));
    CF_TRY(connect_to(&s, path, SQLITE_OPEN_READONLY, err));
    st = cf_schema_check(s, &empty, err);
    if (st != CF_OK && (sqlite3_errcode(s->db) & 0xff) == SQLITE_READONLY) {
        /* A writer was killed and left a journal that must be played back first. That is no change of the study. */
        cf_store_close(s);
        s = NULL;
        CF_TRY(connect_to(&s, path, SQLITE_OPEN_READWRITE, err));
        st = cf_schema_check(s, &empty, err);
    }
    CF_TRY(st);
    if (empty) {
        st = cf_fail(err, CF_FORMAT, "%s: expected a crossflow study, found an empty file", path);
        goto done;
    }
    *out = s;
    s = NULL;
done:
    cf_store_close(s);
    return st;
}

/* ---- creating ---- */

/* The file must be ours alone before anything is removed on failure: O_EXCL says so. */
static cf_status make_file(const char *path, cf_error *err)
{
    const int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return cf_fail(err, CF_IO, "%s: cannot make the study file: %s", path, strerror(errno));
    close(fd);
    return CF_OK;
}

/* Tables and facts of a new study, or the check of an existing one, in one transaction: a kill leaves an empty file or
 * a valid study. *made says which. */
static cf_status begin_study(cf_store *s, bool *made, const cf_fact *facts, size_t n, cf_error *err)
{
    cf_status st = CF_OK;
    bool empty = false;
    CF_TRY(cf_schema_check(s, &empty, err)); /* before anything is locked or written: it may be another's database */
    CF_TRY(cf_store_begin(s, err));
    CF_TRY(cf_schema_check(s, &empty, err));
    *made = empty;
    if (empty) {
        CF_TRY(cf_schema_create(s, err));
        CF_TRY(cf_facts_add(s, facts, n, err));
    } else {
        CF_TRY(cf_facts_check(s, facts, n, err));
        CF_TRY(cf_store_renew_facts(s, facts, n, err));
    }
    CF_TRY(cf_store_commit(s, err));
done:
    if (st != CF_OK)
        cf_store_rollback(s);
    return st;
}

cf_status cf_store_create(cf_store **out, const char *path, const cf_fact *facts, size_t n_facts, cf_error *err)
{
    cf_status st = CF_OK;
    cf_store *s = NULL;
    bool exists = false, created = false, made = true;
    CF_TRY(look_at(&exists, path, err));
    if (!exists) {
        CF_TRY(make_file(path, err));
        created = true;
    } else if (access(path, W_OK) != 0)
        return cf_fail(err, CF_IO, "%s: cannot write the study: %s", path, strerror(errno));
    CF_TRY(connect_to(&s, path, SQLITE_OPEN_READWRITE, err));
    CF_TRY(begin_study(s, &made, facts, n_facts, err));
    /* Where the file system has no shared memory SQLite stays with its rollback journal: slower, as safe. */
    CF_TRY(cf_store_exec(s, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL", "prepare the study for writing",
                         err));
    *out = s;
    s = NULL;
done:
    cf_store_close(s);
    if (st != CF_OK && created && made)
        (void)unlink(path);
    return st;
}

cf_status cf_store_finish(cf_store *s, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_store_exec(s, "PRAGMA wal_checkpoint(TRUNCATE)", "fold the log into the study", err));
    /* Refused while somebody reads: then the log, now empty, goes when the last of us closes. */
    const int rc = sqlite3_exec(s->db, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
    if (rc != SQLITE_OK && (rc & 0xff) != SQLITE_BUSY && (rc & 0xff) != SQLITE_LOCKED)
        st = cf_store_fault(s, err, "fold the log into the study");
done:
    return st;
}
