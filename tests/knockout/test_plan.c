/* test_plan.c - the prefix tree of runs of one cut each, by hand on small cases. */
#include <stdlib.h>
#include <string.h>

#include "test_knockout.h"

#include "part_words.h"

/* A run: its query and key positions as words, its window, the heads of its one head word (0: all). */
typedef struct run {
    const char *query, *key;
    cf_window window;
    uint64_t heads;
} run;

static cf_plan *plan_of(const run *runs, size_t n, int32_t n_layers)
{
    cf_spans query[MAX_RUNS], key[MAX_RUNS];
    cf_edge_run edges[MAX_RUNS];
    cf_plan *p = NULL;
    for (size_t i = 0; i < n; i++) {
        query[i] = spans_of(runs[i].query);
        key[i] = spans_of(runs[i].key);
        edges[i] = (cf_edge_run){&query[i], &key[i], runs[i].heads ? &runs[i].heads : NULL, 1, runs[i].window};
    }
    OK(cf_plan_create_edges(&p, edges, n, (int32_t)strlen(runs[0].query), n_layers, 8, &err));
    for (size_t i = 0; i < n; i++) {
        cf_spans_deinit(&query[i]);
        cf_spans_deinit(&key[i]);
    }
    return p;
}

static void a_run_restarts_at_its_first_query_that_sees_a_cut_key(void **state)
{
    (void)state;
    const run one = {".....xx...", "..xx......", {1, 3}, 0};
    cf_plan *p = plan_of(&one, 1, 5);
    check_nodes(p,
                (const char *const[]){"1:-1:0:5:.....xx...", "2:0:0:5:..........", "3:1:-1:5:..........",
                                      "4:2:-1:5:.........."},
                4);
    assert_int_equal(p->runs[0].status, CF_RUN_PLANNED);
    assert_int_equal(p->runs[0].leaf, 3);
    assert_int_equal(p->lowest, 5);
    assert_int_equal(cf_plan_row_layers(p), 2 + 5 + 5 + 5); /* two fresh rows, then [5, 10) three times */
    cf_plan_free(p);
}

static void only_queries_at_or_after_the_first_key_change(void **state)
{
    (void)state;
    static const struct {
        const char *name, *query, *key, *fresh;
        int32_t restart;
    } cases[] = {
        {"span begins before the key", "..xxxxxx..", "....xx....", "....xxxx..", 4},
        {"a span lies before the key", ".x....xx..", "....xx....", "......xx..", 6},
        {"query and key are the same", ".........x", ".........x", ".........x", 9},
        {"every span sees the first key", ".x....xx..", "x.........", ".x....xx..", 1},
        {"only the first key counts", "...xx...x.", ".x.......x", "...xx...x.", 3},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const run one = {cases[i].query, cases[i].key, {0, 1}, 0};
        char word[16];
        cf_plan *p = plan_of(&one, 1, 2);
        assert_int_equal(p->n_nodes, 2);
        word_of(word, &p->nodes[0].fresh, 10);
        if (strcmp(word, cases[i].fresh) != 0 || p->nodes[0].restart != cases[i].restart)
            fail_msg("%s: found %s, restart %d", cases[i].name, word, p->nodes[0].restart);
        assert_int_equal(p->nodes[1].restart, cases[i].restart);
        assert_int_equal(p->nodes[1].fresh.n, 0);
        assert_int_equal(p->lowest, cases[i].restart);
        cf_plan_free(p);
    }
}

static void runs_that_need_no_computing_are_found(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        run run;
        cf_run_status status;
    } cases[] = {
        {"an edge that is there", {".....x....", "..x.......", {0, 5}, 0}, CF_RUN_PLANNED},
        {"a question cut from the picture after it", {"..xxx.....", "......xx..", {0, 5}, 0}, CF_RUN_NO_VISIBLE_EDGE},
        {"keys just after the last query", {"..xxx.....", ".....x....", {0, 5}, 0}, CF_RUN_NO_VISIBLE_EDGE},
        {"the last query sees itself cut", {"..xxx.....", "....x.....", {0, 5}, 0}, CF_RUN_PLANNED},
        {"no query", {"..........", "....x.....", {0, 5}, 0}, CF_RUN_EMPTY_GROUP},
        {"no key", {"..xxx.....", "..........", {0, 5}, 0}, CF_RUN_EMPTY_GROUP},
        {"no layer", {"..xxx.....", "x.........", {3, 3}, 0}, CF_RUN_NO_VISIBLE_EDGE},
        {"no layer and no key", {"..xxx.....", "..........", {3, 3}, 0}, CF_RUN_EMPTY_GROUP},
        {"every key of the first query", {"..xxx.....", "xxx.......", {0, 5}, 0}, CF_RUN_FULLY_CUT},
        {"every key of the last query alone", {"...x...x..", "xxx.xxxx..", {0, 5}, 0}, CF_RUN_PLANNED},
        {"every key, in one span", {".......x..", "xxxxxxxx..", {0, 5}, 0}, CF_RUN_FULLY_CUT},
        {"keys reach past every query", {"..xxx.....", "xxxxxxxxxx", {2, 3}, 0}, CF_RUN_FULLY_CUT},
        {"all but the query itself", {"....x.....", "xxxx......", {0, 5}, 0}, CF_RUN_PLANNED},
        {"all but the first key", {"....x.....", ".xxxxx....", {0, 5}, 0}, CF_RUN_PLANNED},
        {"the first position, cut from itself", {"x...x.....", "x.........", {0, 5}, 0}, CF_RUN_FULLY_CUT},
        {"every key in one head", {"..xxx.....", "xxx.......", {0, 5}, 2}, CF_RUN_FULLY_CUT},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        cf_plan *p = plan_of(&cases[i].run, 1, 5);
        if (p->runs[0].status != cases[i].status)
            fail_msg("%s: expected status %d, found %d", cases[i].name, (int)cases[i].status, (int)p->runs[0].status);
        assert_int_equal(p->runs[0].empty_group, cases[i].status == CF_RUN_EMPTY_GROUP);
        if (cases[i].status != CF_RUN_PLANNED) {
            assert_int_equal(p->runs[0].leaf, CF_BASELINE);
            assert_int_equal(p->n_nodes, 0);
            assert_int_equal(p->n_edges, 0);
            assert_int_equal(p->n_actions, 0);
            assert_int_equal(p->lowest, 10);
            assert_int_equal(cf_plan_row_layers(p), 0);
        }
        cf_plan_free(p);
    }
}

static void windows_that_begin_alike_share_their_first_states(void **state)
{
    (void)state;
#define EDGE ".....x....", "..x......."
    const run runs[] = {
        {EDGE, {0, 2}, 0}, /* clipped at the first layer: centre 0, k 3 */
        {EDGE, {0, 3}, 0}, /* centre 1, k 3 */
        {EDGE, {1, 4}, 0}, /* centre 2, k 3 */
        {EDGE, {0, 2}, 0}, /* centre 0, k 4: the same layers */
    };
    cf_plan *p = plan_of(runs, COUNT(runs), 4);
    check_nodes(p,
                (const char *const[]){
                    "0:-1:0:5:.....x....", /* runs 0, 1, 3 */
                    "1:0:0:5:..........",
                    "1:-1:0:5:.....x....", /* they again; run 2 begins */
                    "2:1:-1:5:..........",
                    "2:1:0:5:..........", /* runs 0 and 3 close, run 1 goes on */
                    "2:2:0:5:..........", /* run 2 */
                    "3:3:-1:5:..........",
                    "3:4:-1:5:..........", /* leaves */
                    "3:5:0:5:..........",
                },
                9);
    assert_int_equal(p->n_edges, 1);
    const int32_t leaves[] = {6, 7, 8, 6};
    for (size_t i = 0; i < COUNT(runs); i++)
        assert_int_equal(p->runs[i].leaf, leaves[i]);
    for (int32_t l = 0; l <= 4; l++)
        assert_int_equal(p->layer_begin[l], ((const int32_t[]){0, 1, 3, 6, 9})[l]);
    cf_plan_free(p);
}

static void the_published_windows_of_one_flow_cost_one_state_a_layer_that_differs(void **state)
{
    (void)state;
    /* k = 3 over all 5 centres: [0,2) [0,3) [1,4) [2,5) [3,5). One state in layer 0, then as many as windows have begun,
     * clipped beginnings counted once until they part. */
    run runs[5];
    for (int32_t centre = 0; centre < 5; centre++)
        runs[centre] = (run){".........x", "..xxxx....", cf_window_around(centre, 3, 5), 0};
    cf_plan *p = plan_of(runs, 5, 5);
    const int32_t nodes[] = {1, 2, 4, 5, 5};
    for (int32_t l = 0; l < 5; l++)
        assert_int_equal(p->layer_begin[l + 1] - p->layer_begin[l], nodes[l]);
    assert_int_equal(p->lowest, 9);
    assert_int_equal(cf_plan_row_layers(p), 17); /* a row each */
    cf_plan_free(p);
}

static void an_edge_in_other_heads_is_another_edge(void **state)
{
    (void)state;
    const run runs[] = {
        {EDGE, {0, 2}, 0},    {EDGE, {0, 2}, 1}, {EDGE, {0, 2}, 2}, {EDGE, {0, 2}, 1}, /* as the second */
        {EDGE, {0, 2}, 0xff}, {EDGE, {0, 2}, 0},                                       /* as the first */
    };
    cf_plan *p = plan_of(runs, COUNT(runs), 2);
    assert_int_equal(p->n_edges, 4);
    assert_int_equal(p->n_nodes, 8);
    assert_int_equal(p->runs[1].leaf, p->runs[3].leaf);
    assert_int_equal(p->runs[0].leaf, p->runs[5].leaf);
    for (size_t i = 0; i < 5; i++)
        for (size_t j = 0; j < i; j++)
            if (!(i == 3 && j == 1))
                assert_int_not_equal(p->runs[i].leaf, p->runs[j].leaf);
    assert_null(p->edges[0].heads);
    assert_int_equal(p->edges[1].heads[0], 1);
    cf_plan_free(p);
#undef EDGE
}

static void head_sets_of_more_than_a_word_are_compared_whole(void **state)
{
    (void)state;
    const uint64_t heads[3][2] = {{1, 0}, {1, 1}, {1, 0}};
    cf_spans query = spans_of("...x"), key = spans_of(".x..");
    cf_edge_run runs[3];
    cf_plan *p = NULL;
    for (int i = 0; i < 3; i++)
        runs[i] = (cf_edge_run){&query, &key, heads[i], 2, {0, 1}};
    OK(cf_plan_create_edges(&p, runs, 3, 4, 1, 70, &err));
    assert_int_equal(p->n_edges, 2);
    assert_int_equal(p->runs[0].leaf, p->runs[2].leaf);
    assert_int_not_equal(p->runs[0].leaf, p->runs[1].leaf);
    assert_memory_equal(p->edges[1].heads, heads[1], sizeof heads[1]);
    cf_plan_free(p);
    cf_spans_deinit(&query);
    cf_spans_deinit(&key);
}

static void hundreds_of_runs_find_what_they_share(void **state)
{
    (void)state;
    enum { N = 300, N_EDGES = 150 }; /* each edge twice, far apart */
    cf_spans query = {0}, keys[N_EDGES] = {{0}};
    cf_edge_run runs[N];
    cf_plan *p = NULL;
    OK(cf_spans_add(&query, 300, 301, &err));
    for (int32_t e = 0; e < N_EDGES; e++)
        OK(cf_spans_add(&keys[e], 2 * e, 2 * e + 1, &err));
    for (int32_t i = 0; i < N; i++)
        runs[i] = (cf_edge_run){&query, &keys[i % N_EDGES], NULL, 0, {i % 2, 3}};
    OK(cf_plan_create_edges(&p, runs, N, 301, 3, 8, &err));
    assert_int_equal(p->n_edges, N_EDGES);
    assert_int_equal(p->n_actions, N_EDGES);
    assert_int_equal(p->layer_begin[1] - p->layer_begin[0], N_EDGES / 2);
    assert_int_equal(p->layer_begin[2] - p->layer_begin[1], N_EDGES);
    assert_int_equal(p->layer_begin[3] - p->layer_begin[2], N_EDGES);
    for (int32_t i = 0; i < N; i++) {
        const cf_action *a = &p->actions[p->nodes[p->runs[i].leaf].action];
        assert_int_equal(p->runs[i].leaf, p->runs[i % N_EDGES].leaf);
        assert_true(cf_spans_equal(&p->edges[a->edges[0]].key, &keys[i % N_EDGES]));
    }
    cf_plan_free(p);
    cf_spans_deinit(&query);
    for (int32_t e = 0; e < N_EDGES; e++)
        cf_spans_deinit(&keys[e]);
}

static void a_plan_without_runs_is_empty(void **state)
{
    (void)state;
    cf_plan *p = NULL;
    OK(cf_plan_create_edges(&p, NULL, 0, 4, 3, 8, &err));
    assert_int_equal(p->n_nodes, 0);
    assert_int_equal(p->lowest, 4);
    assert_int_equal(p->layer_begin[3], 0);
    cf_plan_free(p);
    cf_plan_free(NULL);
}

int test_plan(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_restarts_at_its_first_query_that_sees_a_cut_key),
        cmocka_unit_test(only_queries_at_or_after_the_first_key_change),
        cmocka_unit_test(runs_that_need_no_computing_are_found),
        cmocka_unit_test(windows_that_begin_alike_share_their_first_states),
        cmocka_unit_test(the_published_windows_of_one_flow_cost_one_state_a_layer_that_differs),
        cmocka_unit_test(an_edge_in_other_heads_is_another_edge),
        cmocka_unit_test(head_sets_of_more_than_a_word_are_compared_whole),
        cmocka_unit_test(hundreds_of_runs_find_what_they_share),
        cmocka_unit_test(a_plan_without_runs_is_empty),
    };
    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
