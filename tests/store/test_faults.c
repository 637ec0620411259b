/* test_faults.c - damaged files, full disks and failing allocations: one line each, and a study that stays whole. */
#include "store_fixture.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "store/export.h"
#include "support/fail_alloc.h"

static cf_status ignore_sample(void *user, const cf_sample *sample, cf_error *err)
{
    (void)user;
    (void)sample;
    (void)err;
    return CF_OK;
}

static cf_status ignore_value(void *user, const cf_sample *x, const cf_store_run *run, const cf_value *v, cf_error *err)
{
    (void)user;
    (void)x;
    (void)run;
    (void)v;
    (void)err;
    return CF_OK;
}

/* Everything that reads; the first failure is returned. */
static cf_status read_all(const fixture *f, cf_error *err)
{
    cf_status st = CF_OK;
    cf_store *s = NULL;
    cf_store_counts counts = {0};
    cf_curve *curves = NULL;
    cf_lens_curve *lens = NULL;
    const cf_statistics_options o = {.bootstrap = {.seed = 1, .resamples = 20}};
    cf_statistic_curve *statistics = NULL;
    size_t n = 0, n_statistics = 0, n_lens = 0;
    int64_t n_files = 0;
    cf_str fact = {0};
    bool found = false;
    CF_TRY(cf_store_open(&s, f->path, err));
    CF_TRY(cf_store_fact(s, "dtype", &fact, &found, err));
    CF_TRY(cf_store_count(s, &counts, err));
    CF_TRY(cf_store_each_sample(s, ignore_sample, NULL, err));
    CF_TRY(cf_store_each_value(s, ignore_value, NULL, err));
    CF_TRY(cf_store_curves(s, &curves, &n, &(cf_curve_options){.all_tasks = true}, err));
    CF_TRY(cf_export_csv(s, f->csv, &n_files, err));
    CF_TRY(cf_store_statistics(s, &statistics, &n_statistics, &o, err));
    CF_TRY(cf_export_statistics(s, f->statistics, &o, err));
    CF_TRY(cf_store_lens_curves(s, &lens, &n_lens, true, err));
    CF_TRY(cf_export_values(s, f->values, err));
    CF_TRY(cf_export_jsonl(s, f->jsonl, err));
done:
    cf_lens_curves_free(lens, n_lens);
    cf_statistics_free(statistics, n_statistics);
    cf_curves_free(curves, n);
    cf_str_deinit(&fact);
    cf_store_close(s);
    return st;
}

static void contents_that_no_study_has_are_format_errors(void **state)
{
    const fixture *f = *state;
    static const struct {
        const char *sql, *message;
    } cases[] = {
        {"PRAGMA ignore_check_constraints = 1; UPDATE sample SET status = 'odd'", "unknown sample status 'odd'"},
        {"PRAGMA ignore_check_constraints = 1; UPDATE value SET flag = 'bad'", "unknown value flag 'bad'"},
        {"PRAGMA ignore_check_constraints = 1; UPDATE sample SET probability = 0",
         "expected a probability above 0, found 0"},
        {"PRAGMA ignore_check_constraints = 1; UPDATE sample SET probability = 'x'", "expected a probability above 0"},
        {"UPDATE value SET value = 9e999 WHERE flag = ''", "expected a finite probability"},
        {"UPDATE sample SET grid_h = 9999999999", "a number does not fit in 32 bits"},
        {"UPDATE run SET centre = 9999999999 WHERE style = 'centre'", "a number does not fit in 32 bits"},
        {"DELETE FROM run WHERE repeat = 0 AND centre = 1", "a value names run 2, which is not in the study"},
        {"DELETE FROM value WHERE run = 3; DELETE FROM run WHERE id = 3", "a lens entry names run 3"},
        {"UPDATE lens SET layer = 99999 WHERE layer = 1", "a lens entry: expected a layer below 16384, found 99999"},
        {"PRAGMA ignore_check_constraints = 1; UPDATE lens SET layer = -1 WHERE layer = 1",
         "a lens entry: expected a layer below"},
        {"PRAGMA ignore_check_constraints = 1; UPDATE value SET measure = 'odd' WHERE measure = 'top'",
         "unknown measure 'odd'"},
        {"PRAGMA ignore_check_constraints = 1; UPDATE baseline SET measure = 'odd' WHERE measure = 'true'",
         "unknown measure 'odd'"},
        {"UPDATE value SET value = -9e999 WHERE measure = 'difference'", "expected a finite difference of run 1"},
        {"UPDATE sample SET groups = '{\"Image\":'", "study.db: "},
        {"UPDATE lens SET words = '[1]]'", "study.db: "},
        {"DROP TABLE sample", "no such table"},
        {"DROP TABLE value; CREATE TABLE value (sample, run, measure, flag)", "no such column"},
        {"ALTER TABLE spec RENAME TO other; CREATE VIEW spec AS SELECT * FROM other", "prohibited"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cf_store *s = fixture_create(f);
        fixture_rich_study(s);
        cf_store_close(s);
        cf_error err = {0};
        assert_int_equal(read_all(f, &err), CF_OK);
        fixture_sql(f, cases[i].sql);
        const cf_status st = read_all(f, &err);
        if (st != CF_FORMAT || !strstr(err.text, cases[i].message))
            fail_msg("%s: found %d '%s'", cases[i].sql, (int)st, err.text);
        assert_int_equal(remove(f->path), 0);
    }
}

/* Every byte of the file's head and every 307th of the rest, changed: an answer or an error, never worse. */
static void a_damaged_byte_is_an_answer_or_an_error(void **state)
{
    const fixture *f = *state;
    cf_store *s = fixture_create(f);
    fixture_rich_study(s);
    assert_ok(cf_store_finish(s, report));
    cf_store_close(s);
    cf_str bytes = {0};
    assert_ok(cf_file_read(&bytes, f->path, 1 << 20, report));
    int refused = 0;
    for (size_t i = 0; i < bytes.n; i += i < 100 ? 1 : 307) {
        const char kept = bytes.data[i];
        bytes.data[i] = (char)(kept ^ 0x55);
        assert_ok(cf_file_write(f->path, cf_str_slice(&bytes), report));
        cf_error err = {0};
        const cf_status st = read_all(f, &err);
        refused += st != CF_OK;
        assert_true(st == CF_OK || (err.status == st && err.text[0] != '\0'));
        bytes.data[i] = kept;
    }
    assert_true(refused > 10);
    cf_str_deinit(&bytes);
}

/* In a child, for the limit cannot be raised again. Writes until a write fails; then reads what is there. */
static int fill_the_disk(const fixture *f)
{
    const struct rlimit limit = {2000 * 1000, 2000 * 1000};
    (void)signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
        return 1;
    cf_store *s = NULL;
    cf_error err = {0};
    if (cf_store_create(&s, f->path, fixture_facts, fixture_n_facts, &err) != CF_OK)
        return 2;
    cf_value values[64];
    for (int32_t i = 0; i < 64; i++) {
        const cf_store_run run = {.spec = "Image->Question",
                                  .mode = "cut",
                                  .heads = "all",
                                  .style = "centre",
                                  .window = 1,
                                  .centre = i,
                                  .layers = "0:1"};
        values[i] = fixture_value(0, 0.25);
        if (cf_store_add_run(s, &values[i].run, &run, &err) != CF_OK)
            return 3;
    }
    int64_t row = 0;
    cf_status st = CF_OK;
    while (st == CF_OK && row < 100000) {
        const cf_sample sample = fixture_sample("ChooseAttr", row, 0.5);
        st = cf_store_put_sample(s, &sample, &(cf_results){.values = values, .n_values = 64}, &err);
        row += st == CF_OK;
    }
    if (st != CF_IO || strncmp(err.text, f->path, strlen(f->path)) != 0 || !strstr(err.text, "cannot ")) {
        (void)fprintf(stderr, "found %d '%s'\n", (int)st, err.text);
        return 4;
    }
    cf_store_counts c = {0};
    if (cf_store_count(s, &c, &err) != CF_OK || c.done != row || row == 0)
        return 5;
    cf_store_close(s);
    return 0;
}

static int create_on_a_full_disk(const fixture *f)
{
    const struct rlimit limit = {2000, 2000};
    (void)signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
        return 1;
    cf_store *s = NULL;
    cf_error err = {0};
    if (cf_store_create(&s, f->path, fixture_facts, fixture_n_facts, &err) != CF_IO || s)
        return 2;
    return cf_file_exists(f->path) ? 3 : 0;
}

static void assert_child(int (*work)(const fixture *), const fixture *f)
{
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(work(f));
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_full_disk_is_one_line_and_the_study_stays_whole(void **state)
{
    const fixture *f = *state;
    assert_child(create_on_a_full_disk, f);
    assert_child(fill_the_disk, f);
    cf_error err = {0};
    assert_int_equal(read_all(f, &err), CF_OK);
}

static void every_failed_allocation_is_reported(void **state)
{
    const fixture *f = *state;
    cf_store *s = fixture_create(f);
    fixture_rich_study(s);
    cf_store_close(s);
    cf_error err = {0};
    cf_status st = CF_OK;
    int64_t nth = 1;
    for (;; nth++) {
        err = (cf_error){0};
        fail_alloc_at(nth);
        st = read_all(f, &err);
        if (!fail_alloc_off())
            break;
        if (st != CF_NOMEM)
            fail_msg("allocation %d: found %d '%s'", (int)nth, (int)st, err.text);
    }
    assert_int_equal(st, CF_OK);
    assert_true(nth > 30);
    s = fixture_create(f);
    for (nth = 1;; nth++) {
        fail_alloc_at(nth);
        st = cf_store_put_statistics(s, &err);
        if (!fail_alloc_off())
            break;
        assert_int_equal(st, CF_NOMEM);
        assert_int_equal(fixture_count(f, "statistic"), 0); /* rolled back, and nothing is locked */
    }
    assert_int_equal(st, CF_OK);
    assert_int_equal(fixture_count(f, "statistic"), 6);
    assert_true(nth > 30);
    cf_store_close(s);
    assert_int_equal(remove(f->path), 0);
    for (nth = 1;; nth++) {
        fail_alloc_at(nth);
        st = cf_store_create(&s, f->path, fixture_facts, fixture_n_facts, &err);
        if (!fail_alloc_off())
            break;
        assert_int_equal(st, CF_NOMEM);
        assert_false(cf_file_exists(f->path));
    }
    assert_int_equal(st, CF_OK);
    assert_true(nth > 3);
    cf_store_close(s);
}

int test_faults(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(contents_that_no_study_has_are_format_errors, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_damaged_byte_is_an_answer_or_an_error, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_full_disk_is_one_line_and_the_study_stays_whole, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(every_failed_allocation_is_reported, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
