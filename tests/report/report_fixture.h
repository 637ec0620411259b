/* report_fixture.h - a folder with a small study in it. */
#ifndef CF_TESTS_REPORT_FIXTURE_H
#define CF_TESTS_REPORT_FIXTURE_H

/* cmocka wants these before its own header */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "report/table.h"
#include "store/store.h"

typedef struct fixture {
    char *dir;
    cf_store *store; /* a new study, open for writing */
} fixture;

int fixture_setup(void **state);
int fixture_teardown(void **state);

/* Registers the runs of one flow at layers 0 .. n_layers - 1. Run ids count from 1 in a new study. */
void fixture_runs(cf_store *s, const char *flow, int32_t window, int32_t n_layers);
/* Writes a sample with p1 = 0.5 whose run i + 1 changes by change[i] percent; NaN is a fully cut run. */
void fixture_sample(cf_store *s, const char *task, int64_t row, const double *change, size_t n);
/* Registers one run and returns its id; what is NULL or 0 is a cut of all heads, centre, layer 0. */
int64_t fixture_run(cf_store *s, const cf_store_run *run);
/* Writes a sample with the baseline's lens at its last position: entries 0 .. n - 1, answer[i] the probability of the
 * answer, half of it capitalised; with_option: a tenth of it for the option, a twentieth capitalised. */
void fixture_lens_sample(cf_store *s, const char *task, int64_t row, const double *answer, int32_t n, bool with_option);
/* Two flows, window 3, three layers, two tasks of two samples each. */
void fixture_small_study(cf_store *s);

/* A call that must succeed; its last argument is `report`. */
#define assert_ok(call)                                                                                                \
    do {                                                                                                               \
        cf_error report_ = {0}, *const report = &report_;                                                              \
        const cf_status st_ = (call);                                                                                  \
        if (st_ != CF_OK)                                                                                              \
            fail_msg("%s: status %d: %s", #call, (int)st_, report_.text);                                              \
    } while (0)

/* The study as text, without the first line, which names a temporary folder. */
void fixture_assert_table(cf_store *s, const cf_table_options *o, const char *expected);
/* Of it, what follows the counts. */
void fixture_assert_tables(cf_store *s, const cf_table_options *o, const char *expected);
/* How it begins. */
#define FIXTURE_HEAD                                                                                                   \
    "model        demo/model\n"                                                                                        \
    "prompt       USER: <image>?\n"                                                                                    \
    "dtype        f32\n"

/* Whether PATH has a gnuplot. */
bool fixture_has_gnuplot(void);
/* A whole file as a heap string. */
char *fixture_read(const char *path);

int test_figure(void);
int test_page(void);
int test_page_samples(void);
int test_paper_figures(void);
int test_statistics_table(void);
int test_table(void);
int test_table_choice(void);
int test_table_counts(void);
int test_table_lens(void);
int test_table_map(void);

#endif
