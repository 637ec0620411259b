/* report_fixture.c - see report_fixture.h. */
#include "report_fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "support/temp_dir.h"

int fixture_setup(void **state)
{
    static const cf_fact facts[] = {
        {"model", "demo/model", false}, {"prompt", "USER: <image>\n", true}, {"dtype", "f32", true}};
    fixture *f = calloc(1, sizeof *f);
    if (!f)
        return 1;
    f->dir = temp_dir_make();
    char *path = temp_dir_path(f->dir, "study.db");
    const cf_status st = cf_store_create(&f->store, path, facts, 3, NULL);
    free(path);
    *state = f;
    return st == CF_OK ? 0 : 1;
}

int fixture_teardown(void **state)
{
    fixture *f = *state;
    cf_store_close(f->store);
    temp_dir_remove(f->dir);
    free(f);
    return 0;
}

int64_t fixture_run(cf_store *s, const cf_store_run *run)
{
    cf_store_run whole = *run;
    int64_t id = 0;
    char layers[32];
    (void)snprintf(layers, sizeof layers, "%d:%d", (int)run->centre, (int)run->centre + 1);
    whole.mode = run->mode ? run->mode : "cut";
    whole.heads = run->heads ? run->heads : "all";
    whole.style = run->style ? run->style : "centre";
    whole.layers = run->layers ? run->layers : layers;
    assert_ok(cf_store_add_run(s, &id, &whole, report));
    return id;
}

void fixture_runs(cf_store *s, const char *flow, int32_t window, int32_t n_layers)
{
    for (int32_t layer = 0; layer < n_layers; layer++)
        fixture_run(s, &(cf_store_run){.spec = flow, .window = window, .centre = layer});
}

void fixture_sample(cf_store *s, const char *task, int64_t row, const double *change, size_t n)
{
    cf_value *values = calloc(n + 1, sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < n; i++)
        values[i] = (cf_value){(int64_t)i + 1, CF_MEASURE_PROBABILITY, 0.5 * (1.0 + change[i] / 100.0),
                               isnan(change[i]) ? CF_VALUE_FULLY_CUT : CF_VALUE_OK};
    const cf_sample sample = {.task = task, .row = row, .probability = 0.5};
    assert_ok(cf_store_put_sample(s, &sample, &(cf_results){.values = values, .n_values = n}, report));
    free(values);
}

void fixture_small_study(cf_store *s)
{
    static const double change[4][6] = {
        {-50, -20, 0.02, -1, 6, 7}, {-60, -30, -0.06, 1, 8, 9}, {-10, 0, 0, 0, 0, 0}, {-20, 0, -6, 0, 0, 0}};
    fixture_runs(s, "Image->Question", 3, 3);
    fixture_runs(s, "Last->Last", 3, 3);
    for (int64_t i = 0; i < 4; i++)
        fixture_sample(s, i < 2 ? "ChooseAttr" : "QueryAttr", i, change[i], 6);
}

void fixture_lens_sample(cf_store *s, const char *task, int64_t row, const double *answer, int32_t n, bool with_option)
{
    const double none = (double)NAN;
    cf_lens_entry *entries = calloc((size_t)n + 1, sizeof *entries);
    assert_non_null(entries);
    for (int32_t i = 0; i < n; i++)
        entries[i] = (cf_lens_entry){.run = CF_NO_RUN,
                                     .position = 4,
                                     .layer = i,
                                     .answer = answer[i],
                                     .answer_upper = answer[i] / 2,
                                     .option = with_option ? answer[i] / 10 : none,
                                     .option_upper = with_option ? answer[i] / 20 : none,
                                     .words = "[]",
                                     .scores = "[]"};
    const cf_sample sample = {.task = task, .row = row, .probability = 0.5, .n_tokens = 5};
    assert_ok(cf_store_put_sample(s, &sample, &(cf_results){.lens = entries, .n_lens = (size_t)n}, report));
    free(entries);
}

bool fixture_has_gnuplot(void)
{
    const char *path = getenv("PATH");
    while (path && *path) {
        const size_t n = strcspn(path, ":");
        char name[4096];
        (void)snprintf(name, sizeof name, "%.*s/gnuplot", (int)n, path);
        if (access(name, X_OK) == 0)
            return true;
        path += n + (path[n] == ':');
    }
    return false;
}

char *fixture_read(const char *path)
{
    cf_str text = {0};
    assert_ok(cf_file_read(&text, path, 1 << 24, report));
    return text.data;
}

void fixture_assert_table(cf_store *s, const cf_table_options *o, const char *expected)
{
    cf_str text = {0};
    assert_ok(cf_table_write(s, &text, o, report));
    assert_int_equal(strncmp(text.data, "study        /tmp/", 18), 0);
    assert_string_equal(strchr(text.data, '\n') + 1, expected);
    cf_str_deinit(&text);
}

void fixture_assert_tables(cf_store *s, const cf_table_options *o, const char *expected)
{
    cf_str text = {0};
    assert_ok(cf_table_write(s, &text, o, report));
    const char *counts = strstr(text.data, " too_few_keys\n");
    assert_non_null(counts);
    assert_string_equal(strchr(counts, '\n') + 1, expected);
    cf_str_deinit(&text);
}
