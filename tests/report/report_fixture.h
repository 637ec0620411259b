/* report_fixture.h - a folder with a small study in it. */
#ifndef CF_TESTS_REPORT_FIXTURE_H
#define CF_TESTS_REPORT_FIXTURE_H

/* cmocka wants these before its own header */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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

int test_figure(void);
int test_statistics_table(void);
int test_table(void);

#endif
