/* test_kill.c - a process killed in the middle of writing leaves whole samples, and all that it was told are written. */
#include "store_fixture.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { RUNS = 40, ROUNDS = 24 };

/* Continues the study until somebody kills it; a byte into the pipe for every sample that is committed. */
static void write_until_killed(const fixture *f, int pipe_in)
{
    cf_store *s = NULL;
    if (cf_store_create(&s, f->path, fixture_facts, fixture_n_facts, NULL) != CF_OK)
        _exit(1);
    cf_value values[RUNS];
    for (int32_t i = 0; i < RUNS; i++) {
        const cf_store_run run = {.spec = "Image->Question",
                                  .mode = "cut",
                                  .heads = "all",
                                  .style = "centre",
                                  .window = 1,
                                  .centre = i,
                                  .layers = "0:1"};
        values[i] = fixture_value(0, 0.25);
        if (cf_store_add_run(s, &values[i].run, &run, NULL) != CF_OK)
            _exit(1);
    }
    for (int64_t row = 0;; row++) {
        bool has = false;
        const cf_sample sample = fixture_sample("ChooseAttr", row, 0.5);
        if (cf_store_has_sample(s, &has, "ChooseAttr", row, NULL) != CF_OK)
            _exit(1);
        if (has)
            continue;
        if (cf_store_put_sample(s, &sample, &(cf_results){.values = values, .n_values = RUNS}, NULL) != CF_OK ||
            write(pipe_in, "x", 1) != 1)
            _exit(1);
    }
}

/* Kills the child `us` microseconds after its nth sample; returns how many samples it said were written. */
static int64_t kill_a_writer(const fixture *f, int nth, long us)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(ends[0]);
        write_until_killed(f, ends[1]);
    }
    close(ends[1]);
    int64_t acknowledged = 0;
    char byte;
    while (acknowledged < nth && read(ends[0], &byte, 1) == 1)
        acknowledged++;
    const struct timespec delay = {0, us * 1000};
    nanosleep(&delay, NULL);
    assert_int_equal(kill(child, SIGKILL), 0);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status)); /* a child that left by itself has met a fault */
    while (read(ends[0], &byte, 1) == 1)
        acknowledged++;
    close(ends[0]);
    return acknowledged;
}

typedef struct tally {
    int64_t samples, values;
} tally;

static cf_status count_value(void *user, const cf_sample *x, const cf_store_run *run, const cf_value *v, cf_error *err)
{
    (void)x;
    (void)run;
    (void)v;
    (void)err;
    ((tally *)user)->values++;
    return CF_OK;
}

static cf_status count_sample(void *user, const cf_sample *x, cf_error *err)
{
    (void)x;
    (void)err;
    ((tally *)user)->samples++;
    return CF_OK;
}

static void a_kill_leaves_whole_samples_and_loses_none_that_was_written(void **state)
{
    const fixture *f = *state;
    int64_t acknowledged = 0, before = 0;
    for (int round = 0; round < ROUNDS; round++) {
        acknowledged += kill_a_writer(f, round % 4, 37L * (round * round % 29));
        if (round == 0)
            cf_store_close(fixture_create(f)); /* killed before the first sample: perhaps there is no file yet */
        cf_store *s = fixture_open(f);
        tally t = {0};
        assert_ok(cf_store_each_sample(s, count_sample, &t, report));
        assert_ok(cf_store_each_value(s, count_value, &t, report));
        assert_int_equal(t.values, t.samples * RUNS);
        assert_true(t.samples >= acknowledged);
        assert_true(t.samples >= before && t.samples <= acknowledged + round + 1); /* one may lack its byte */
        before = t.samples;
        cf_store_close(s);
    }
    assert_true(before > ROUNDS);
}

/* A rollback journal, as a writer leaves it that is killed while the file is not in write-ahead-log mode: it must be
 * played back before anything can be read. */
static void a_journal_left_by_a_killed_writer_is_played_back_for_a_reader(void **state)
{
    const fixture *f = *state;
    cf_store *s = fixture_create(f);
    const cf_sample sample = fixture_sample("ChooseAttr", 0, 0.5);
    fixture_put(s, &sample, NULL, 0);
    assert_ok(cf_store_finish(s, report));
    cf_store_close(s);
    fixture_sql_killed(f, "PRAGMA cache_size = 1; BEGIN; DELETE FROM sample;"
                          "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)"
                          "INSERT INTO study (key, value, identity) SELECT 'k' || i, hex(randomblob(500)), 0 FROM n");
    cf_str journal = {0};
    assert_ok(cf_str_addf(&journal, report, "%s-journal", f->path));
    assert_int_equal(access(journal.data, F_OK), 0); /* else this test has missed its mark */
    cf_str_deinit(&journal);
    s = fixture_open(f);
    cf_store_counts counts = {0};
    assert_ok(cf_store_count(s, &counts, report));
    assert_int_equal(counts.done, 1);
    cf_store_close(s);
}

int test_kill(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_kill_leaves_whole_samples_and_loses_none_that_was_written, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(a_journal_left_by_a_killed_writer_is_played_back_for_a_reader, fixture_setup,
                                        fixture_teardown),
    };
    return cmocka_run_group_tests_name("killed writers", tests, NULL, NULL);
}
