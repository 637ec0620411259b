/* test_resume.c - a study that is stopped anywhere goes on where it was, and ends as if it had never been stopped. */
#include "cli_fixture.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { KILLS = 20, QUESTIONS = 24, LENS_QUESTIONS = 12 };

/* Six sets of four questions: 24 samples of 18 runs. */
#define DEMO_STUDY                                                                                                     \
    {                                                                                                                  \
        .model = DEMO, .questions = "demo/questions", .extra = {                                                       \
            "--limit",                                                                                                 \
            "4",                                                                                                       \
            "--layers",                                                                                                \
            "0:6",                                                                                                     \
            "--max-new-tokens",                                                                                        \
            "8"                                                                                                        \
        }                                                                                                              \
    }

static void sleep_ms(uint32_t ms)
{
    const struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};
    nanosleep(&t, NULL);
}

/* xorshift: the moments are random, and the same in every run of this test. */
static uint32_t draw(uint32_t *seed, uint32_t below)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed % below;
}

/* Samples in a study that somebody may be writing or making, of which `seen` have been seen before. -1 where that
 * cannot be told: it is being made; or a change of its journal was interrupted, which a reader cannot undo and the next
 * writer does. */
static int64_t samples_in(const char *study, int64_t seen)
{
    cf_store *s = NULL;
    cf_store_counts n = {0};
    cf_error err = {0};
    if (cf_store_open(&s, study, &err) != CF_OK) {
        if (seen > 0 && !strstr(err.text, "attempt to write a readonly database"))
            fail_msg("%s", err.text);
        return -1;
    }
    assert_ok(cf_store_count(s, &n, report));
    cf_store_close(s);
    assert_int_equal(n.fault + n.wrong, 0);
    if (n.done < seen)
        fail_msg("%d samples where there were %d", (int)n.done, (int)seen);
    return n.done;
}

static pid_t start_demo_study(const char *study)
{
    const char *const args[] = {"trace",    DEMO, "demo/questions", "-o",  study,    "--limit", "4",
                                "--window", "3",  "--layers",       "0:6", "--keep", "all",     "--max-new-tokens",
                                "8",        NULL};
    return program_start(args);
}

/* A few kills while the program starts, whatever it is doing then; the others while it traces, a random moment after a
 * sample more has been committed. */
static void a_study_killed_at_random_moments_ends_as_if_it_never_was(void **state)
{
    fixture *f = *state;
    uint32_t seed = 20250614;
    int n_inside = 0;
    char *whole = fixture_path(f, "whole.db");
    trace_call call = DEMO_STUDY;
    call.study = whole;
    fixture_trace(f, &call);
    assert_done(&f->r, "the whole study");
    int64_t most = -1; /* samples seen in the study so far */
    for (int round = 0; round < KILLS; round++) {
        const pid_t child = start_demo_study(f->study);
        const int64_t before = most;
        int exit_status = 0;
        bool ended = false;
        if (round < 6)
            sleep_ms(draw(&seed, 120));
        else {
            while (!ended && samples_in(f->study, before) <= before) {
                sleep_ms(2);
                ended = program_has_ended(child, &exit_status);
            }
            if (!ended)
                sleep_ms(draw(&seed, 12));
        }
        if (!ended) {
            (void)kill(child, SIGKILL);
            exit_status = program_wait(child);
        }
        if (exit_status != 0 && exit_status != -SIGKILL)
            fail_msg("round %d: exit status %d", round, exit_status);
        const int64_t after = samples_in(f->study, most);
        most = after > most ? after : most;
        n_inside += exit_status == -SIGKILL && after > before && after < QUESTIONS;
    }
    assert_true(n_inside >= 3);
    call.study = f->study;
    fixture_trace(f, &call);
    assert_done(&f->r, "the end");
    assert_int_equal(samples_in(f->study, 0), QUESTIONS);
    cf_str expected = export_of(f, whole), found = export_of(f, f->study);
    assert_string_equal(expected.data, found.data);
    cf_str_deinit(&expected);
    cf_str_deinit(&found);
    free(whole);
}

/* The same of a lens study: with cuts, so that it has as many kinds of entries as there are. */
static void a_lens_study_killed_at_random_moments_ends_as_if_it_never_was(void **state)
{
    fixture *f = *state;
    char *whole = fixture_path(f, "whole.db");
    const char *args[] = {"lens",   DEMO,  "demo/questions", "-o", whole,    "--limit",        "2",
                          "--keep", "all", "--window",       "3",  "--flow", "Question->Last", "--max-new-tokens",
                          "8",      NULL};
    uint32_t seed = 20250615;
    int64_t most = -1;
    int n_inside = 0;
    program_run(&f->r, args, NULL);
    assert_done(&f->r, "the whole study");
    args[4] = f->study;
    for (int round = 0; round < 6; round++) {
        const pid_t child = program_start(args);
        const int64_t before = most;
        int exit_status = 0;
        bool ended = false;
        while (!ended && samples_in(f->study, before) <= before) {
            sleep_ms(2);
            ended = program_has_ended(child, &exit_status);
        }
        if (!ended) {
            sleep_ms(draw(&seed, 12));
            (void)kill(child, SIGKILL);
            exit_status = program_wait(child);
        }
        const int64_t after = samples_in(f->study, most);
        most = after > most ? after : most;
        n_inside += exit_status == -SIGKILL && after > before && after < LENS_QUESTIONS;
    }
    assert_true(n_inside >= 2);
    program_run(&f->r, args, NULL);
    assert_done(&f->r, "the end");
    assert_int_equal(samples_in(f->study, 0), LENS_QUESTIONS);
    cf_str expected = everything_of(f, whole), found = everything_of(f, f->study);
    assert_non_null(strstr(expected.data, "\"lens\":[{"));
    assert_string_equal(expected.data, found.data);
    cf_str_deinit(&expected);
    cf_str_deinit(&found);
    free(whole);
}

static void a_longer_limit_adds_to_a_study(void **state)
{
    static const struct {
        const char *limit, *say;
    } steps[] = {
        {"1", ": 1 questions traced now, 0 found in the study;"},
        {"1", ": 0 questions traced now, 1 found in the study;"},
        {"2", ": 1 questions traced now, 1 found in the study;"},
        {"0", ": 1 questions traced now, 2 found in the study;"}, /* 0: all */
        {"1", ": 0 questions traced now, 1 found in the study;"},
    };
    fixture *f = *state;
    char *whole = fixture_path(f, "whole.db");
    fixture_trace(f, &(trace_call){.study = whole});
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        fixture_trace(f, &(trace_call){.extra = {"--limit", steps[i].limit}});
        assert_done(&f->r, steps[i].limit);
        if (!strstr(f->r.err.data, steps[i].say))
            fail_msg("expected \"%s\" in: %s", steps[i].say, f->r.err.data);
    }
    cf_str expected = export_of(f, whole), found = export_of(f, f->study);
    assert_string_equal(expected.data, found.data);
    cf_str_deinit(&expected);
    cf_str_deinit(&found);
    free(whole);
}

/* Readers look at any time: what they see is a beginning of the study, and the writer is not disturbed. */
static void a_study_is_read_while_it_is_written(void **state)
{
    fixture *f = *state;
    const pid_t child = start_demo_study(f->study);
    int exit_status = 0, n_looks = 0;
    int64_t seen = -1;
    while (!program_has_ended(child, &exit_status)) {
        const int64_t now = samples_in(f->study, seen);
        if (now > 0 && now > seen) {
            cf_str csv = export_of(f, f->study);
            RUN(&f->r, "show", f->study);
            assert_done(&f->r, "show");
            assert_true(csv.n > 0);
            cf_str_deinit(&csv);
            n_looks++;
        }
        seen = now > seen ? now : seen;
        sleep_ms(2);
    }
    assert_int_equal(exit_status, 0);
    assert_true(n_looks > 0);
    assert_int_equal(samples_in(f->study, 0), QUESTIONS);
}

int test_resume(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_longer_limit_adds_to_a_study, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_study_is_read_while_it_is_written, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_lens_study_killed_at_random_moments_ends_as_if_it_never_was, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(a_study_killed_at_random_moments_ends_as_if_it_never_was, fixture_setup,
                                        fixture_teardown),
    };
    return cmocka_run_group_tests_name("stopping and going on", tests, NULL, NULL);
}
