/* test_memory.c - too little memory, from hardly enough to start the program up to enough: each time one line and exit
 * status 1, never a crash, never a fault stored for a question that has none; and the study goes on where it was.
 *
 * The address space is limited, so that allocations of the program and of its libraries fail alike. One thread: libgomp
 * ends the process by itself, in words of its own, where it cannot start one. */
#include "cli_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/temp_dir.h"

#if defined(__SANITIZE_ADDRESS__)
#define ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ADDRESS_SANITIZER 1
#endif
#endif

static const size_t mib = (size_t)1 << 20;

/* The smallest limit, in steps, under which the program begins at all: below it the loader ends the process. */
static size_t limit_to_start(fixture *f)
{
    for (size_t bytes = 8 * mib; bytes < 1024 * mib; bytes += mib) {
        program_run(&f->r, (const char *const[]){"--version", NULL}, &(program_setting){.address_bytes = bytes});
        if (f->r.exit_status == 0)
            return bytes;
    }
    fail_msg("the program does not start in 1 GiB");
    return 0;
}

static cf_status refuse_faults(void *user, const cf_sample *x, cf_error *err)
{
    (void)user;
    return x->status == CF_SAMPLE_FAULT ? cf_fail(err, CF_MISMATCH, "row %d: %s", (int)x->row, x->reason) : CF_OK;
}

static void assert_no_faults(const char *study)
{
    cf_store *s = NULL;
    assert_ok(cf_store_open(&s, study, report));
    assert_ok(cf_store_each_sample(s, refuse_faults, NULL, report));
    cf_store_close(s);
}

/* The line of progress that comes with the last question, where memory ends after it. */
static void drop_progress(program_result *r)
{
    static const char progress[] = "3 of 3 questions (100 %), ";
    const char *end = strchr(r->err.data, '\n');
    if (!end || strncmp(r->err.data, progress, sizeof progress - 1) != 0)
        return;
    r->err.n -= (size_t)(end + 1 - r->err.data);
    memmove(r->err.data, end + 1, r->err.n + 1);
}

static void too_little_memory_is_one_line_and_the_study_goes_on(void **state)
{
    static const struct {
        const char *device;
        size_t step;
        int at_least; /* limits that must turn out to be too small, or the test has missed its mark */
    } cases[] = {{"ref", mib / 2, 6}, {"cpu", 6 * mib, 10}};
    fixture *f = *state;
#ifdef ADDRESS_SANITIZER
    skip(); /* its shadow alone takes terabytes of addresses */
#endif
    const size_t start = limit_to_start(f);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        trace_call call = {.extra = {"--device", cases[i].device, "--threads", "1"},
                           .setting = {.name = "OMP_NUM_THREADS", .value = "1"}};
        char *whole = fixture_path(f, "whole.db"), name[64];
        int n_failed = 0;
        call.study = whole;
        fixture_trace(f, &call);
        assert_done(&f->r, cases[i].device);
        call.study = f->study;
        for (size_t bytes = start;; bytes += cases[i].step) {
            (void)snprintf(name, sizeof name, "%s in %zu KiB", cases[i].device, bytes >> 10);
            call.setting.address_bytes = bytes;
            fixture_trace(f, &call);
            if (f->r.exit_status == 0)
                break;
            drop_progress(&f->r);
            assert_refused(&f->r, name, 1, "");
            if (path_exists(f->study))
                assert_no_faults(f->study);
            n_failed++;
            assert_true(bytes < 1024 * mib);
        }
        assert_true(n_failed >= cases[i].at_least);
        cf_str expected = export_of(f, whole), found = export_of(f, f->study);
        assert_string_equal(expected.data, found.data);
        cf_str_deinit(&expected);
        cf_str_deinit(&found);
        assert_int_equal(remove(whole), 0);
        assert_int_equal(remove(f->study), 0);
        free(whole);
    }
}

int test_memory(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(too_little_memory_is_one_line_and_the_study_goes_on, fixture_setup,
                                        fixture_teardown),
    };
    return cmocka_run_group_tests_name("too little memory", tests, NULL, NULL);
}
