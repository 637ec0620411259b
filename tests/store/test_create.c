/* test_create.c - making, continuing and opening a study; what is refused, and what is left behind. */
#include "store_fixture.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "support/temp_dir.h"

static void assert_fact(cf_store *s, const char *key, const char *value)
{
    cf_str text = {0};
    bool found = false;
    assert_ok(cf_store_fact(s, key, &text, &found, report));
    assert_int_equal(found, value != NULL);
    if (value)
        assert_string_equal(text.data, value);
    cf_str_deinit(&text);
}

static void a_new_study_holds_its_facts_and_nothing_else(void **state)
{
    const fixture *f = *state;
    cf_store_close(fixture_create(f));
    cf_store *s = fixture_open(f);
    assert_string_equal(cf_store_path(s), f->path);
    for (size_t i = 0; i < fixture_n_facts; i++)
        assert_fact(s, fixture_facts[i].key, fixture_facts[i].value);
    assert_fact(s, "no such key", NULL);
    cf_store_counts c = {.done = -1};
    assert_ok(cf_store_count(s, &c, report));
    assert_int_equal(
        c.done + c.wrong + c.fault + c.empty_group + c.no_visible_edge + c.fully_cut + c.too_few_keys + c.lens, 0);
    cf_curve *curves = NULL;
    size_t n = 9;
    assert_ok(cf_store_curves(s, &curves, &n, &(cf_curve_options){.all_tasks = true}, report));
    assert_int_equal(n, 0);
    cf_curves_free(curves, n);
    cf_store_close(s);
    cf_store_close(NULL);
}

static void an_equal_identity_continues_and_the_last_provenance_is_kept(void **state)
{
    const fixture *f = *state;
    cf_store *s = fixture_create(f);
    const int64_t run = fixture_run(s, "Image->Question", 3, 1);
    const cf_sample sample = fixture_sample("ChooseAttr", 0, 0.5);
    const cf_value v = fixture_value(run, 0.25);
    fixture_put(s, &sample, &v, 1);
    cf_store_close(s);
    const cf_fact later[] = {{"threads", "16", false},
                             {"flows", "Image->Question", true},
                             {"dtype", "f32", true},
                             {"checkpoint", "aa11", true},
                             {"host", "n7", false}};
    assert_ok(cf_store_create(&s, f->path, later, 5, report));
    assert_fact(s, "threads", "16");
    assert_fact(s, "host", "n7");
    assert_fact(s, "version", "0.1.0"); /* nobody gave another */
    bool has = false;
    assert_ok(cf_store_has_sample(s, &has, "ChooseAttr", 0, report));
    assert_true(has);
    assert_int_equal(fixture_run(s, "Image->Question", 3, 1), run);
    cf_store_close(s);
}

static void another_identity_is_refused_by_key_expected_and_found(void **state)
{
    const fixture *f = *state;
    cf_store_close(fixture_create(f));
    static const struct {
        const char *name, *message;
        cf_fact facts[4];
        size_t n;
    } cases[] = {
        {"another value",
         "made with dtype f32, now bf16",
         {{"checkpoint", "aa11", true}, {"dtype", "bf16", true}, {"flows", "Image->Question", true}},
         3},
        {"a new key",
         "made without keep, now all",
         {{"checkpoint", "aa11", true},
          {"dtype", "f32", true},
          {"flows", "Image->Question", true},
          {"keep", "all", true}},
         4},
        {"a missing key",
         "made with flows Image->Question, now without it",
         {{"checkpoint", "aa11", true}, {"dtype", "f32", true}},
         2},
        {"no identity any more",
         "made with dtype f32, now without it",
         {{"checkpoint", "aa11", true}, {"dtype", "f32", false}, {"flows", "Image->Question", true}},
         3},
        {"an identity now",
         "made without threads, now 2",
         {{"checkpoint", "aa11", true},
          {"dtype", "f32", true},
          {"flows", "Image->Question", true},
          {"threads", "2", true}},
         4},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cf_store *s = NULL;
        cf_error err = {0};
        cf_str a = {0}, b = {0};
        assert_ok(cf_file_read(&a, f->path, 1 << 20, report));
        assert_int_equal(cf_store_create(&s, f->path, cases[i].facts, cases[i].n, &err), CF_MISMATCH);
        assert_null(s);
        if (!strstr(err.text, cases[i].message) || strncmp(err.text, f->path, strlen(f->path)) != 0)
            fail_msg("%s: found '%s'", cases[i].name, err.text);
        assert_ok(cf_file_read(&b, f->path, 1 << 20, report));
        assert_true(cf_slice_equal(cf_str_slice(&a), cf_str_slice(&b))); /* refused means untouched */
        cf_str_deinit(&a);
        cf_str_deinit(&b);
    }
}

static void assert_refused(const char *path, bool create, cf_status status, const char *message)
{
    cf_store *s = NULL;
    cf_error err = {0};
    const cf_status st =
        create ? cf_store_create(&s, path, fixture_facts, fixture_n_facts, &err) : cf_store_open(&s, path, &err);
    assert_null(s);
    if (st != status || !strstr(err.text, message))
        fail_msg("%s '%s': expected %d, '%s'; found %d, '%s'", create ? "create" : "open", path, (int)status, message,
                 (int)st, err.text);
}

static void what_is_no_study_is_refused_by_its_kind(void **state)
{
    const fixture *f = *state;
    char *text = temp_dir_path(f->dir, "text"), *short_text = temp_dir_path(f->dir, "short");
    char *missing = temp_dir_path(f->dir, "no/such/study.db"), *link = temp_dir_path(f->dir, "link");
    char *pipe_file = temp_dir_path(f->dir, "pipe");
    char junk[4096];
    memset(junk, 'x', sizeof junk);
    temp_dir_write(f->dir, "text", junk, sizeof junk);
    temp_dir_write_text(f->dir, "short", "hello");
    assert_int_equal(symlink("nowhere", link), 0);
    assert_int_equal(mkfifo(pipe_file, 0644), 0);
    for (int create = 0; create < 2; create++) {
        assert_refused(f->dir, create, CF_IO, "expected a study file, found a folder");
        assert_refused(pipe_file, create, CF_IO, "expected a study file, found something else");
        assert_refused(text, create, CF_FORMAT, "found a file that is no SQLite database");
        assert_refused(short_text, create, CF_FORMAT, "found a file that is no SQLite database");
        assert_refused(missing, create, CF_IO, "No such file or directory");
        assert_refused("", create, CF_IO, "No such file or directory");
    }
    assert_refused(link, true, CF_IO, "cannot make the study file: File exists");
    assert_refused(f->path, false, CF_IO, "No such file or directory");
    temp_dir_write_text(f->dir, "study.db", "");
    assert_refused(f->path, false, CF_FORMAT, "found an empty file");
    cf_str kept = {0};
    assert_ok(cf_file_read(&kept, text, 1 << 20, report));
    assert_int_equal(kept.n, sizeof junk); /* someone's file is left as it was */
    cf_str_deinit(&kept);
    free(text);
    free(short_text);
    free(missing);
    free(pipe_file);
    free(link);
}

static void a_database_that_is_no_study_of_this_schema_is_refused(void **state)
{
    const fixture *f = *state;
    fixture_sql(f, "CREATE TABLE recipes (name TEXT)");
    for (int create = 0; create < 2; create++)
        assert_refused(f->path, create, CF_FORMAT, "expected a crossflow study, found another SQLite database");
    assert_int_equal(unlink(f->path), 0);
    cf_store_close(fixture_create(f));
    for (int create = 0; create < 2; create++) {
        fixture_sql(f, "PRAGMA user_version = 7");
        assert_refused(f->path, create, CF_FORMAT, "expected study schema version 4, found 7");
        fixture_sql(f, "PRAGMA user_version = 3"); /* without tokens and boxes */
        assert_refused(f->path, create, CF_FORMAT, "expected study schema version 4, found 3");
    }
}

/* Root may write anything: the check is made as somebody else. Leaves with the number of the check that failed. */
static int read_only_checks(const fixture *f)
{
    if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
        return 1;
    cf_store *s = NULL;
    cf_error err = {0};
    if (cf_store_create(&s, f->path, fixture_facts, fixture_n_facts, &err) != CF_IO ||
        !strstr(err.text, "cannot write the study: Permission denied"))
        return 2;
    char *other = temp_dir_path(f->dir, "new.db");
    if (cf_store_create(&s, other, fixture_facts, fixture_n_facts, &err) != CF_IO ||
        !strstr(err.text, "cannot make the study file: Permission denied"))
        return 3;
    if (cf_store_open(&s, f->path, &err) != CF_OK)
        return 4;
    cf_store_counts c = {0};
    if (cf_store_count(s, &c, &err) != CF_OK || c.done != 1)
        return 5;
    cf_store_close(s);
    free(other);
    return 0;
}

static void a_finished_study_can_be_read_but_not_written_where_nothing_may_be_written(void **state)
{
    const fixture *f = *state;
    cf_store *s = fixture_create(f);
    const cf_sample sample = fixture_sample("ChooseAttr", 0, 0.5);
    fixture_put(s, &sample, NULL, 0);
    assert_ok(cf_store_finish(s, report));
    cf_store_close(s);
    assert_int_equal(chmod(f->path, 0444), 0);
    assert_int_equal(chmod(f->dir, 0555), 0);
    const pid_t child = fork();
    if (child == 0)
        _exit(read_only_checks(f));
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(chmod(f->dir, 0755), 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_failed_creation_leaves_no_file(void **state)
{
    const fixture *f = *state;
    const cf_fact twice[] = {{"dtype", "f32", true}, {"dtype", "bf16", true}};
    cf_store *s = NULL;
    cf_error err = {0};
    assert_int_equal(cf_store_create(&s, f->path, twice, 2, &err), CF_MISMATCH);
    assert_non_null(strstr(err.text, "cannot write the fact dtype"));
    assert_null(s);
    assert_false(cf_file_exists(f->path));
    temp_dir_write_text(f->dir, "study.db", ""); /* the caller's own empty file stays */
    assert_int_equal(cf_store_create(&s, f->path, twice, 2, &err), CF_MISMATCH);
    assert_true(cf_file_exists(f->path));
    cf_store_close(fixture_create(f));
    cf_store_close(fixture_open(f));
}

static void names_that_mean_something_to_sqlite_are_plain_files(void **state)
{
    const fixture *f = *state;
    char *home = getcwd(NULL, 0);
    assert_non_null(home);
    assert_int_equal(chdir(f->dir), 0);
    static const char *const names[] = {":memory:", "file:a.db?mode=memory", "plain.db"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        cf_store *s = NULL;
        assert_ok(cf_store_create(&s, names[i], fixture_facts, fixture_n_facts, report));
        cf_store_close(s);
        assert_true(cf_file_exists(names[i]));
        assert_ok(cf_store_open(&s, names[i], report));
        cf_store_close(s);
    }
    assert_int_equal(chdir(home), 0);
    free(home);
}

static void a_finished_study_is_one_file_and_can_be_continued(void **state)
{
    const fixture *f = *state;
    char *log = temp_dir_path(f->dir, "study.db-wal");
    cf_store *s = fixture_create(f);
    cf_sample sample = fixture_sample("ChooseAttr", 0, 0.5);
    fixture_put(s, &sample, NULL, 0);
    assert_true(cf_file_exists(log)); /* otherwise the check below shows nothing */
    assert_ok(cf_store_finish(s, report));
    assert_false(cf_file_exists(log));
    cf_store_close(s);
    s = fixture_create(f);
    sample.row = 1;
    fixture_put(s, &sample, NULL, 0);
    cf_store *reader = fixture_open(f); /* a reader in the way is no fault */
    assert_ok(cf_store_finish(s, report));
    cf_store_counts c = {0};
    assert_ok(cf_store_count(reader, &c, report));
    assert_int_equal(c.done, 2);
    cf_store_close(reader);
    cf_store_close(s);
    assert_false(cf_file_exists(log));
    free(log);
}

int test_create(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_new_study_holds_its_facts_and_nothing_else, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(an_equal_identity_continues_and_the_last_provenance_is_kept, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(another_identity_is_refused_by_key_expected_and_found, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(what_is_no_study_is_refused_by_its_kind, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_database_that_is_no_study_of_this_schema_is_refused, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(a_finished_study_can_be_read_but_not_written_where_nothing_may_be_written,
                                        fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_failed_creation_leaves_no_file, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(names_that_mean_something_to_sqlite_are_plain_files, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(a_finished_study_is_one_file_and_can_be_continued, fixture_setup,
                                        fixture_teardown),
    };
    return cmocka_run_group_tests_name("creating a study", tests, NULL, NULL);
}
