/* facts.c - what a study was made from: identity facts, which must stay, and provenance, which is renewed. */
#include "store/store_internal.h"

#include <string.h>

static const char insert[] = "INSERT INTO study (key, value, identity) VALUES (?, ?, ?)";
static const char replace[] = "INSERT OR REPLACE INTO study (key, value, identity) VALUES (?, ?, ?)";

static cf_status put(cf_store *s, sqlite3_stmt *q, const cf_fact *fact, cf_error *err)
{
    const int rc = cf_bind_text(q, 1, fact->key) | cf_bind_text(q, 2, fact->value) |
                   sqlite3_bind_int(q, 3, fact->identity ? 1 : 0);
    if (rc != SQLITE_OK || sqlite3_step(q) != SQLITE_DONE)
        return cf_store_fault(s, err, "write the fact %s", fact->key);
    sqlite3_reset(q);
    return CF_OK;
}

cf_status cf_facts_add(cf_store *s, const cf_fact *facts, size_t n, cf_error *err)
{
    cf_status st = CF_OK;
    sqlite3_stmt *q = NULL;
    CF_TRY(cf_store_prepare(s, &q, insert, err));
    for (size_t i = 0; i < n; i++)
        CF_TRY(put(s, q, &facts[i], err));
done:
    sqlite3_finalize(q);
    return st;
}

cf_status cf_store_renew_facts(cf_store *s, const cf_fact *facts, size_t n, cf_error *err)
{
    cf_status st = CF_OK;
    sqlite3_stmt *q = NULL;
    CF_TRY(cf_store_prepare(s, &q, replace, err));
    for (size_t i = 0; i < n; i++)
        if (!facts[i].identity)
            CF_TRY(put(s, q, &facts[i], err));
done:
    sqlite3_finalize(q);
    return st;
}

static const cf_fact *identity_named(const cf_fact *facts, size_t n, const char *key)
{
    for (size_t i = 0; i < n; i++)
        if (facts[i].identity && strcmp(facts[i].key, key) == 0)
            return &facts[i];
    return NULL;
}

/* The given identity facts must all be in the file: by name, so that the message can say which one is not. */
static cf_status check_given(cf_store *s, const cf_fact *facts, size_t n, cf_error *err)
{
    cf_status st = CF_OK;
    sqlite3_stmt *q = NULL;
    CF_TRY(cf_store_prepare(s, &q, "SELECT value FROM study WHERE key = ? AND identity", err));
    for (size_t i = 0; i < n; i++) {
        if (!facts[i].identity)
            continue;
        if (cf_bind_text(q, 1, facts[i].key) != SQLITE_OK) {
            st = cf_store_fault(s, err, "read the fact %s", facts[i].key);
            goto done;
        }
        const int rc = sqlite3_step(q);
        const char *now = facts[i].value ? facts[i].value : "";
        if (rc == SQLITE_DONE)
            st = cf_fail(err, CF_MISMATCH, "%s: made without %s, now %s", s->path, facts[i].key, now);
        else if (rc != SQLITE_ROW)
            st = cf_store_fault(s, err, "read the fact %s", facts[i].key);
        else if (strcmp(cf_column_text(q, 0), now) != 0)
            st = cf_fail(err, CF_MISMATCH, "%s: made with %s %s, now %s", s->path, facts[i].key, cf_column_text(q, 0),
                         now);
        if (st != CF_OK)
            goto done;
        sqlite3_reset(q);
    }
done:
    sqlite3_finalize(q);
    return st;
}

cf_status cf_facts_check(cf_store *s, const cf_fact *facts, size_t n, cf_error *err)
{
    cf_status st = CF_OK;
    sqlite3_stmt *q = NULL;
    CF_TRY(check_given(s, facts, n, err));
    CF_TRY(cf_store_prepare(s, &q, "SELECT key, value FROM study WHERE identity ORDER BY key", err));
    int rc;
    while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
        if (!identity_named(facts, n, cf_column_text(q, 0))) {
            st = cf_fail(err, CF_MISMATCH, "%s: made with %s %s, now without it", s->path, cf_column_text(q, 0),
                         cf_column_text(q, 1));
            goto done;
        }
    }
    if (rc != SQLITE_DONE)
        st = cf_store_fault(s, err, "read the study's facts");
done:
    sqlite3_finalize(q);
    return st;
}

cf_status cf_store_each_fact(cf_store *s, cf_fact_visitor visit, void *user, cf_error *err)
{
    cf_status st = CF_OK;
    sqlite3_stmt *q = NULL;
    CF_TRY(cf_store_prepare(s, &q, "SELECT key, value, identity FROM study ORDER BY key", err));
    int rc;
    while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
        const cf_fact fact = {cf_column_text(q, 0), cf_column_text(q, 1), sqlite3_column_int(q, 2) != 0};
        CF_TRY(visit(user, &fact, err));
    }
    if (rc != SQLITE_DONE)
        st = cf_store_fault(s, err, "read the study's facts");
done:
    sqlite3_finalize(q);
    return st;
}

cf_status cf_store_fact(cf_store *s, const char *key, cf_str *out, bool *found, cf_error *err)
{
    cf_status st = CF_OK;
    sqlite3_stmt *q = NULL;
    CF_TRY(cf_store_prepare(s, &q, "SELECT value FROM study WHERE key = ?", err));
    int rc = cf_bind_text(q, 1, key);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(q);
    if (rc == SQLITE_ROW)
        CF_TRY(cf_str_add_text(out, cf_column_text(q, 0), err));
    else if (rc != SQLITE_DONE) {
        st = cf_store_fault(s, err, "read the fact %s", key);
        goto done;
    }
    *found = rc == SQLITE_ROW;
done:
    sqlite3_finalize(q);
    return st;
}
