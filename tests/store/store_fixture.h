/* store_fixture.h - a folder with a study in it, and samples whose every field differs from its neighbours. */
#ifndef CF_TESTS_STORE_FIXTURE_H
#define CF_TESTS_STORE_FIXTURE_H

/* cmocka wants these before its own header */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/store.h"

typedef struct fixture {
    char *dir;
    char *path, *csv, *statistics, *values, *jsonl; /* of a study and of its exports; not made yet */
} fixture;

int fixture_setup(void **state);
int fixture_teardown(void **state);

/* Identity: checkpoint, dtype, flows. Provenance: version, threads. */
extern const cf_fact fixture_facts[];
extern const size_t fixture_n_facts;

cf_store *fixture_create(const fixture *f); /* with fixture_facts; fails the test otherwise */
cf_store *fixture_open(const fixture *f);
int64_t fixture_add_run(cf_store *s, const cf_store_run *run);
int64_t fixture_run(cf_store *s, const char *spec, int32_t window,
                    int32_t centre); /* cut, in all heads, style centre */
/* "random: Image->Last", seed 7, window 3: runs of one centre are repeats of one point. */
int64_t fixture_random(cf_store *s, int32_t repeat, int32_t centre);
cf_sample fixture_sample(const char *task, int64_t row, double probability);
cf_value fixture_value(int64_t run, double p2); /* of the probability */
void fixture_put(cf_store *s, const cf_sample *sample, const cf_value *values, size_t n);
void fixture_put_results(cf_store *s, const cf_sample *sample, const cf_results *results);
/* answer, and a half, a quarter and an eighth of it for answer_upper, option and option_upper. */
cf_lens_entry fixture_lens(int64_t run, int32_t position, int32_t layer, double answer);
enum { FIXTURE_LAST = 171 }; /* the last position of fixture_sample */
/* Samples A 0 and B 0, traced, and A 1, a fault; runs 1 to 4: "Image->Last" with k 1 at layer 0, two repeats of
 * fixture_random at layer 1, and one with layers of its own. Something in every table but `statistic`. */
void fixture_rich_study(cf_store *s);
/* Runs SQL of the test's own on the study file. */
void fixture_sql(const fixture *f, const char *sql);
bool fixture_sql_refused(const fixture *f, const char *sql); /* whether a constraint stands against it */
/* fixture_sql in a process that is killed before it closes the file. */
void fixture_sql_killed(const fixture *f, const char *sql);
int64_t fixture_count(const fixture *f, const char *table);
/* A row of the table `statistic`, which must be there: n, n_empty, n_without; mean, low, high, median, p, r, NaN for NULL. */
typedef struct fixture_row {
    int64_t counts[3];
    double numbers[6];
} fixture_row;
void fixture_statistic(const fixture *f, fixture_row *out, const char *task, int64_t run, cf_measure measure);

/* A call that must succeed; its last argument is `report`: assert_ok(cf_store_finish(s, report)). */
#define assert_ok(call)                                                                                                \
    do {                                                                                                               \
        cf_error report_ = {0}, *const report = &report_;                                                              \
        const cf_status st_ = (call);                                                                                  \
        if (st_ != CF_OK)                                                                                              \
            fail_msg("%s: status %d: %s", #call, (int)st_, report_.text);                                              \
    } while (0)

int test_create(void);
int test_write(void);
int test_kill(void);
int test_curves(void);
int test_export(void);
int test_faults(void);
int test_statistics(void);
int test_measures(void);
int test_results(void);
int test_lens(void);
int test_export_long(void);
int test_read(void);
int test_map_cells(void);
int test_unfinished(void);

#endif
