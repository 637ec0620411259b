/* test_plan_memory.c - every allocation of parts and plans refused once: CF_NOMEM, nothing leaked, nothing half made. */
#include <stdlib.h>

#include "test_knockout.h"

#include "part_words.h"
#include "scene_words.h"
#include "support/fail_alloc.h"

static void parts_refused_memory_are_not_made(void **state)
{
    (void)state;
    static const struct {
        const char *flow;
        cf_status status;
    } cases[] = {
        {"Image->Question@0:2+4#0+65 & Image Without Central Object->Last", CF_OK},
        {"keep: Image->Question", CF_OK},
        {"keep(Image - [3], Question, Last): Question->Last", CF_OK},
        {"keep(Image, [3:5]): Image->[3:5]", CF_MISMATCH}, /* the message needs memory, too */
        {"zero mlp: Image Without Central Object + Last@1:3+5", CF_OK},
        {"random: Image Without Central Object->Question + [10]@1#3 & [0]->Last", CF_OK},
        {"random: Image->Question & [0:9]->Last", CF_OK}, /* too few, after parts have been made */
    };
    scene_words s;
    scene_make(&s);
    for (size_t i = 0; i < COUNT(cases); i++) {
        cf_flow flow = {0};
        bool failed = true;
        int64_t refused = 0;
        OK(cf_flow_parse(&flow, cf_slice_of(cases[i].flow), &err));
        for (int64_t n = 1; failed; n++) {
            cf_parts parts = {0};
            fail_alloc_at(n);
            const cf_status st = cf_parts_create(&parts, &flow, &s.scene, 1, 70, &(cf_draw){.seed = 1}, NULL);
            failed = fail_alloc_off();
            refused += failed;
            assert_int_equal(st, failed ? CF_NOMEM : cases[i].status);
            if (st != CF_OK)
                assert_true(parts.items == NULL && parts.n == 0 && !parts.empty_group && !parts.too_few_keys);
            cf_parts_deinit(&parts);
        }
        assert_true(refused > 4);
        cf_flow_deinit(&flow);
    }
    scene_drop(&s);
}

static void a_plan_refused_memory_is_not_made(void **state)
{
    (void)state;
    const run_words words[] = {
        {.window = ".xx.",
         .parts = {{.query = "......xx", .key = "..x....."},
                   {.query = ".......x", .key = "x.x.x...", .heads = 5},
                   {.kind = CF_PART_ZERO_MLP, .query = "x.x.x.xx", .layers = "x..x"},
                   {.kind = CF_PART_ZERO_ATTENTION, .query = "..xx...."}}},
        {.window = "xx.x", .parts = {{.query = ".x.x.x.x", .key = "x......."}}},
    };
    cf_parts parts[2] = {parts_of(&words[0]), parts_of(&words[1])};
    cf_spans windows[40];
    cf_plan_run runs[80];
    for (int32_t i = 0; i < 40; i++) { /* nodes, edges and actions enough to grow their lists */
        const char layers[] = {i & 1 ? 'x' : '.', i & 2 ? 'x' : '.', i & 4 ? 'x' : '.', i & 8 ? 'x' : '.', '\0'};
        windows[i] = spans_of(layers);
        runs[2 * i] = (cf_plan_run){&parts[0], &windows[i]};
        runs[2 * i + 1] = (cf_plan_run){&parts[1], &windows[i]};
    }
    bool failed = true;
    int64_t refused = 0;
    for (int64_t n = 1; failed; n++) {
        cf_plan *plan = NULL;
        cf_error why = {0};
        fail_alloc_at(n);
        const cf_status st = cf_plan_create(&plan, runs, COUNT(runs), 8, 4, 3, NULL, &why);
        failed = fail_alloc_off();
        refused += failed;
        assert_int_equal(st, failed ? CF_NOMEM : CF_OK);
        assert_true(failed ? plan == NULL && why.text[0] : plan != NULL);
        cf_plan_free(plan);
    }
    assert_true(refused > 40);
    for (int i = 0; i < 40; i++)
        cf_spans_deinit(&windows[i]);
    cf_parts_deinit(&parts[0]);
    cf_parts_deinit(&parts[1]);
}

static void a_plan_of_single_cuts_refused_memory_is_not_made(void **state)
{
    (void)state;
    const uint64_t heads = 5;
    cf_spans query = spans_of("...xx"), key = spans_of(".x...");
    const cf_edge_run run = {&query, &key, &heads, 1, {0, 2}};
    bool failed = true;
    for (int64_t n = 1; failed; n++) {
        cf_plan *plan = NULL;
        fail_alloc_at(n);
        const cf_status st = cf_plan_create_edges(&plan, &run, 1, 5, 3, 3, NULL);
        failed = fail_alloc_off();
        assert_int_equal(st, failed ? CF_NOMEM : CF_OK);
        assert_int_equal(plan == NULL, failed);
        cf_plan_free(plan);
    }
    cf_spans_deinit(&query);
    cf_spans_deinit(&key);
}

int test_plan_memory(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_refused_memory_are_not_made),
        cmocka_unit_test(a_plan_refused_memory_is_not_made),
        cmocka_unit_test(a_plan_of_single_cuts_refused_memory_is_not_made),
    };
    return cmocka_run_group_tests_name("plan_memory", tests, NULL, NULL);
}
