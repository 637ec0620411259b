/* report_fixture.c - see report_fixture.h. */
#include "report_fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

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

void fixture_runs(cf_store *s, const char *flow, int32_t window, int32_t n_layers)
{
    for (int32_t layer = 0; layer < n_layers; layer++) {
        int64_t id = 0;
        char layers[32];
        (void)snprintf(layers, sizeof layers, "%d:%d", (int)layer, (int)layer + 1);
        const cf_store_run run = {.spec = flow,
                                  .mode = "cut",
                                  .heads = "all",
                                  .style = "centre",
                                  .window = window,
                                  .centre = layer,
                                  .layers = layers};
        assert_ok(cf_store_add_run(s, &id, &run, report));
    }
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
