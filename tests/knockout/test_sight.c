/* test_sight.c - what a query sees before anything is cut: windows, blocks, and where recomputation starts. */
#include <string.h>

#include "test_knockout.h"

#include "knockout/group.h"
#include "knockout/plan.h"
#include "part_words.h"

/* Two images of three positions side by side, and one further on. */
static const cf_span blocks[] = {{2, 5}, {5, 8}, {10, 12}};
static const cf_sight with_blocks = {.blocks = blocks, .n_blocks = COUNT(blocks)};

static void rows_restart_at_the_cut_query_or_at_the_start_of_its_block(void **state)
{
    (void)state;
    static const cf_sight causal = {0};
    static const int32_t expected[] = {0, 1, 2, 2, 2, 5, 5, 5, 8, 9, 10, 10, 12, 13};
    for (int32_t row = 0; row < (int32_t)COUNT(expected); row++) {
        assert_int_equal(cf_sight_restart_row(&causal, row), row);
        assert_int_equal(cf_sight_restart_row(&with_blocks, row), expected[row]);
    }
}

static void a_query_sees_the_keys_of_its_window_and_its_whole_block(void **state)
{
    (void)state;
    static const int32_t windows[] = {0, 1, 3, 100};
    static const struct {
        int32_t layer, query, begin, end;
    } cases[] = {
        {0, 0, 0, 1},   {0, 9, 0, 10}, {0, 3, 0, 5},   {0, 13, 0, 14}, {1, 9, 9, 10}, {1, 3, 2, 5},
        {1, 7, 5, 8},   {2, 9, 7, 10}, {2, 1, 0, 2},   {2, 2, 0, 5},   {2, 4, 2, 5},  {2, 5, 3, 8},
        {2, 11, 9, 12}, {2, 8, 6, 9},  {3, 13, 0, 14}, {3, 6, 0, 8},
    };
    const cf_sight s = {.window = windows, .blocks = blocks, .n_blocks = COUNT(blocks)};
    for (size_t i = 0; i < COUNT(cases); i++) {
        const cf_span keys = cf_sight_keys(&s, cases[i].layer, cases[i].query);
        if (keys.begin != cases[i].begin || keys.end != cases[i].end)
            fail_msg("layer %d, query %d: expected [%d, %d), found [%d, %d)", cases[i].layer, cases[i].query,
                     cases[i].begin, cases[i].end, keys.begin, keys.end);
    }
}

/* Key 6 is cut from query 6, in the middle of the second image: rows 5 and 7 see query 6. */
static void a_run_cut_inside_a_block_recomputes_the_block(void **state)
{
    (void)state;
    const run_words run = {"x...", {{CF_PART_CUT, "......x......", "......x......", NULL, 0}}, false, false};
    cf_plan *p = plan_of_words(&run, 1, 13, 4, &with_blocks);
    check_nodes(p,
                (const char *const[]){"0:-1:0:5:......x......", "1:0:-1:5:.............", "2:1:-1:5:.............",
                                      "3:2:-1:5:............."},
                4);
    assert_int_equal(p->lowest, 5);
    assert_int_equal(cf_plan_row_layers(p), 1 + 3 * 8);
    cf_plan_free(p);
}

/* A key may stand after its query where they share a block. */
static void a_later_key_of_the_same_block_is_a_visible_edge(void **state)
{
    (void)state;
    const run_words runs[] = {{"x.", {{CF_PART_CUT, "..x..........", "....x........", NULL, 0}}, false, false},
                              {"x.", {{CF_PART_CUT, "..x..........", ".....x.......", NULL, 0}}, false, false}};
    cf_plan *p = plan_of_words(runs, 2, 13, 2, &with_blocks);
    assert_int_equal(p->runs[0].status, CF_RUN_PLANNED);
    assert_int_equal(p->runs[1].status, CF_RUN_NO_VISIBLE_EDGE);
    cf_plan_free(p);
}

static void an_edge_beyond_the_window_of_its_layers_is_no_edge(void **state)
{
    (void)state;
    static const int32_t windows[] = {3, 0, 3, 4};
    static const struct {
        const char *name, *layers, *query, *key;
        cf_run_status status;
    } cases[] = {
        {"just inside", "x...", "......x.", "....x...", CF_RUN_PLANNED},
        {"just outside", "x...", "......x.", "...x....", CF_RUN_NO_VISIBLE_EDGE},
        {"two layers, outside both", "x.x.", "......x.", "...x....", CF_RUN_NO_VISIBLE_EDGE},
        {"one of them has no window", "xxx.", "......x.", "...x....", CF_RUN_PLANNED},
        {"one of them has a wider one", "..xx", "......x.", "...x....", CF_RUN_PLANNED},
        {"the second span is near", "x...", ".....x.x", ".x...x..", CF_RUN_PLANNED},
        {"every seen key is cut", "x...", "......x.", "..xxxxx.", CF_RUN_FULLY_CUT},
        {"every seen key is cut of a later query only", "x...", "....xxx.", "...xxxx.", CF_RUN_FULLY_CUT},
        {"an unseen key is all that is left, elsewhere", "..x.", "......x.", "....xxx.", CF_RUN_FULLY_CUT},
        {"in a wider window one is left", "...x", "......x.", "....xxx.", CF_RUN_PLANNED},
    };
    const cf_sight s = {.window = windows};
    for (size_t i = 0; i < COUNT(cases); i++) {
        const run_words run = {cases[i].layers, {{CF_PART_CUT, cases[i].query, cases[i].key, NULL, 0}}, false, false};
        cf_plan *p = plan_of_words(&run, 1, 8, 4, &s);
        if (p->runs[0].status != cases[i].status)
            fail_msg("%s: expected status %d, found %d", cases[i].name, (int)cases[i].status, (int)p->runs[0].status);
        assert_int_equal(p->n_nodes > 0, cases[i].status == CF_RUN_PLANNED);
        cf_plan_free(p);
    }
}

/* The layer in which the edge exists is the first with a node. */
static void a_run_begins_in_the_first_layer_that_has_its_edge(void **state)
{
    (void)state;
    static const int32_t windows[] = {3, 3, 0, 3};
    const run_words run = {"xxxx", {{CF_PART_CUT, "......x.", ".x......", NULL, 0}}, false, false};
    cf_plan *p = plan_of_words(&run, 1, 8, 4, &(cf_sight){.window = windows});
    check_nodes(p, (const char *const[]){"2:-1:0:6:......x.", "3:0:-1:6:........"}, 2);
    cf_plan_free(p);
}

static void the_blocks_of_a_layout_are_those_of_its_groups(void **state)
{
    (void)state;
    const cf_layout layout = {.length = 13, .image = {2, 8}, .blocks = blocks, .n_blocks = COUNT(blocks)};
    cf_groups g = {0};
    OK(cf_groups_build(&g, &layout, &err));
    assert_int_equal(g.n_blocks, COUNT(blocks));
    assert_memory_equal(g.blocks, blocks, sizeof blocks);
    cf_groups_deinit(&g);
    assert_null(g.blocks);
}

int test_sight(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_restart_at_the_cut_query_or_at_the_start_of_its_block),
        cmocka_unit_test(a_query_sees_the_keys_of_its_window_and_its_whole_block),
        cmocka_unit_test(a_run_cut_inside_a_block_recomputes_the_block),
        cmocka_unit_test(a_later_key_of_the_same_block_is_a_visible_edge),
        cmocka_unit_test(an_edge_beyond_the_window_of_its_layers_is_no_edge),
        cmocka_unit_test(a_run_begins_in_the_first_layer_that_has_its_edge),
        cmocka_unit_test(the_blocks_of_a_layout_are_those_of_its_groups),
    };
    return cmocka_run_group_tests_name("sight", tests, NULL, NULL);
}
