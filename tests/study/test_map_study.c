/* test_map_study.c - a map left between two portions of a sample: what was kept of it, and that it ends as one that was never
 * left. The program's own tests (tests/cli) have the rest. */
#include "study_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "store/store.h"
#include "study/map_study.h"
#include "support/temp_dir.h"

/* Copies the study, with the log that SQLite still has beside it, when the first portion has been measured: what a run that
 * ends there leaves. */
typedef struct leaver {
    const char *dir;
    int64_t first; /* runs of that portion; 0: none yet */
    int64_t resumed;
} leaver;

static void copy(const char *dir, const char *from, const char *to)
{
    char *path = temp_dir_path(dir, from);
    cf_str text = {0};
    assert_ok(cf_file_read(&text, path, 1 << 30, report));
    temp_dir_write(dir, to, text.data, text.n);
    cf_str_deinit(&text);
    free(path);
}

static void leave(void *user, const cf_study_progress *p)
{
    leaver *l = user;
    l->resumed = p->resumed;
    if (l->first || p->done == 0)
        return;
    l->first = p->done;
    copy(l->dir, "study.db", "left.db");
    copy(l->dir, "study.db-wal", "left.db-wal");
}

typedef struct values {
    double of[4096];
    size_t n;
} values;

static cf_status add_value(void *user, const cf_sample *sample, const cf_store_run *run, const cf_value *value,
                           cf_error *err)
{
    values *v = user;
    int row = -1;
    (void)sample;
    (void)err;
    assert_int_equal(sscanf(run->spec, "patch(%d,", &row), 1);
    assert_int_equal(value->flag, row < 6 ? CF_VALUE_OK : CF_VALUE_NO_VISIBLE_EDGE);
    assert_true(v->n < sizeof v->of / sizeof *v->of);
    v->of[v->n++] = value->value;
    return CF_OK;
}

static values values_of(const char *path)
{
    values v = {.n = 0};
    cf_store *s = NULL;
    assert_ok(cf_store_open(&s, path, report));
    assert_ok(cf_store_each_value(s, add_value, &v, report));
    cf_store_close(s);
    return v;
}

static void a_sample_that_was_left_between_portions_ends_as_one_that_was_not(void **state)
{
    static const int32_t three = 3;
    const char *dir = *state;
    const cf_map_options map = {
        .kind = CF_MAP_PATCHES, .to = "Image[0:72]", .tile = 1}; /* which sees half of the patches */
    char *out = temp_dir_path(dir, "study.db"), *left = temp_dir_path(dir, "left.db");
    cf_study_options o = cf_study_options_default();
    cf_study_result whole = {0}, rest = {0};
    leaver l = {.dir = dir};
    o.runtime.model = "demo/model";
    o.questions = "demo/questions/shapes_LogicalObj.csv";
    o.out = out;
    o.limit = 1;
    o.windows = &three;
    o.layer_begin = 10;
    o.map = &map;
    o.keep = CF_KEEP_ALL;
    o.max_new_tokens = 4;
    o.scores = CF_SCORE_DIFFERENCE | CF_SCORE_RANK;
    o.keep_every_ns = 0; /* after each portion */
    assert_ok(cf_map_run(&whole, &o, leave, &l, report));
    assert_int_equal(whole.runs, 144 * 2);
    assert_true(l.first > 0 && l.first < whole.runs);
    const int64_t first = l.first;
    o.out = left;
    assert_ok(cf_map_run(&rest, &o, leave, &l, report));
    assert_int_equal(rest.runs, whole.runs - first); /* what was kept is not measured again */
    assert_int_equal(l.resumed, first);
    const values a = values_of(out), b = values_of(left);
    assert_int_equal(a.n, 144 * 2 * 2); /* the question has no options, so no difference */
    assert_int_equal(b.n, a.n);
    assert_memory_equal(a.of, b.of, a.n * sizeof *a.of);
    free(out);
    free(left);
}

int test_map_study(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_sample_that_was_left_between_portions_ends_as_one_that_was_not, folder_setup,
                                        folder_teardown),
    };
    return cmocka_run_group_tests_name("maps taken up where they were left", tests, NULL, NULL);
}
