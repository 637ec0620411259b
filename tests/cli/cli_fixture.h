/* cli_fixture.h - a folder for one test, small question files, calls of trace that differ from a good one in a word or
 * two, and what a test looks at afterwards. */
#ifndef CF_TESTS_CLI_FIXTURE_H
#define CF_TESTS_CLI_FIXTURE_H

/* cmocka wants these before its own header */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "run_program.h"
#include "store/store.h"

#define BITES "tests/engine/golden/bites" /* a random checkpoint of 0.4 M parameters: its answers are always wrong */
#define DEMO "demo/model"
#define PICTURES "demo/questions/images"
#define QUESTION_HEADER                                                                                                \
    "question_id,img_id,question,answer,central object x,central object y,central object w,central object h\n"

typedef struct fixture {
    char *dir;
    char *study;     /* not made yet */
    char *questions; /* three good questions about two pictures: small_Test.csv */
    program_result r;
} fixture;

int fixture_setup(void **state);
int fixture_teardown(void **state);
/* A file of the fixture's folder, as a heap string. */
char *fixture_path(const fixture *f, const char *name);

/* crossflow trace. NULL: bites, the fixture's questions, the demo's pictures, the fixture's study. */
typedef struct trace_call {
    const char *model, *questions, *images, *study;
    const char *extra[10]; /* after "--keep all --max-new-tokens 2 --window 3", so that these win */
    program_setting setting;
} trace_call;
void fixture_trace(fixture *f, const trace_call *call);

/* The last run: one line on stderr, "crossflow: ...", that holds `say`; nothing on stdout. `name` is the case's. */
void assert_refused(const program_result *r, const char *name, int exit_status, const char *say);
void assert_done(const program_result *r, const char *name);

/* Whole content, to be released with cf_str_deinit; of a folder: names and contents of its files in order. */
cf_str content_of(const char *path);
bool path_exists(const char *path);
/* The study file and what SQLite may keep beside it: absent. */
void assert_no_study(const char *path, const char *name);
/* Content as before, and nothing beside it. */
void assert_study_is(const char *path, const cf_str *content, const char *name);

/* A sample by task and row. Ends the test where there is none. */
typedef struct kept_sample {
    cf_sample_status status;
    char reason[600], predicted[64];
    double probability;
    /* Of the answer's probability; unchanged: flagged values equal to the baseline's. */
    int64_t n_values, n_empty, n_unchanged;
    int64_t n_others; /* values of other measures */
} kept_sample;
kept_sample fixture_sample(const char *study, const char *task, int64_t row);

/* Exports into the folder `csv` (made anew) and returns its content. */
cf_str export_of(fixture *f, const char *study);
/* All that a study holds of its samples, as JSON Lines. */
cf_str everything_of(fixture *f, const char *study);

#define assert_ok(call)                                                                                                \
    do {                                                                                                               \
        cf_error report_ = {0}, *const report = &report_;                                                              \
        const cf_status st_ = (call);                                                                                  \
        if (st_ != CF_OK)                                                                                              \
            fail_msg("%s: status %d: %s", #call, (int)st_, report_.text);                                              \
    } while (0)

int test_usage(void);
int test_bad_model(void);
int test_bad_questions(void);
int test_bad_options(void);
int test_identity(void);
int test_in_flight(void);
int test_memory(void);
int test_row_faults(void);
int test_resume(void);
int test_reuse(void);
int test_output(void);
int test_report(void);
int test_device(void);
int test_flow_values(void);
int test_lens(void);
int test_original(void);
int test_map(void);
int test_bad_map(void);

#endif
