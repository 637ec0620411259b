/* test_plan_actions.c - runs of several parts: what is done in each layer, and when that leaves an answer to measure. */
#include <string.h>

#include "test_knockout.h"

#include "part_words.h"

#define CUT(queries, keys) ((part_words){.kind = CF_PART_CUT, .query = queries, .key = keys})
#define CUT_AT(queries, keys, own) ((part_words){.kind = CF_PART_CUT, .query = queries, .key = keys, .layers = own})
#define CUT_IN(queries, keys, bits) ((part_words){.kind = CF_PART_CUT, .query = queries, .key = keys, .heads = bits})
#define NO_ATTENTION(places) ((part_words){.kind = CF_PART_ZERO_ATTENTION, .query = places})
#define NO_ATTENTION_AT(places, own) ((part_words){.kind = CF_PART_ZERO_ATTENTION, .query = places, .layers = own})
#define NO_MLP(places) ((part_words){.kind = CF_PART_ZERO_MLP, .query = places})
#define NOTHING ((part_words){.query = NULL})
#define RUN(layers, ...) ((run_words){.window = layers, .parts = {__VA_ARGS__}})
#define A CUT("......x.", "..x.....")
#define B CUT(".......x", "....x...")
#define HIDDEN CUT("..x.....", ".....x..") /* by causality */

static void check_word(const cf_spans *s, const char *expected)
{
    char word[32];
    word_of(word, s, (int32_t)strlen(expected));
    assert_string_equal(word, expected);
}

/* The actions of a run in layers 0 .. n_layers-1, from its leaf up. */
static void actions_of(int32_t *action, const cf_plan *p, size_t run)
{
    int32_t node = p->runs[run].leaf;
    for (int32_t l = p->n_layers - 1; l >= 0; l--) {
        action[l] = node == CF_BASELINE ? -1 : p->nodes[node].action;
        node = node == CF_BASELINE ? node : p->nodes[node].parent;
    }
}

static void parts_of_one_window_are_one_action(void **state)
{
    (void)state;
    const run_words run =
        RUN(".xx.", CUT("......xx", "..x....."), CUT(".......x", "....x..."), CUT(".....x..", ".x......"));
    cf_plan *p = plan_of_words(&run, 1, 8, 4, NULL);
    assert_int_equal(p->n_edges, 3);
    assert_int_equal(p->n_actions, 1);
    assert_int_equal(p->actions[0].n_edges, 3);
    for (int32_t e = 0; e < 3; e++)
        assert_int_equal(p->actions[0].edges[e], e);
    assert_int_equal(p->actions[0].zero_mlp.n + p->actions[0].zero_attention.n, 0);
    check_nodes(p, (const char *const[]){"1:-1:0:5:.....xxx", "2:0:0:5:........", "3:1:-1:5:........"}, 3);
    cf_plan_free(p);
}

static void parts_with_layers_of_their_own_open_and_close_alone(void **state)
{
    (void)state;
    const run_words run = RUN("..xxx.", CUT("......x.", "..x....."), CUT_AT(".......x", "....x...", "x.xx.."),
                              CUT_AT("....x...", "...x....", "....xx"));
    cf_plan *p = plan_of_words(&run, 1, 8, 6, NULL);
    check_nodes(p,
                (const char *const[]){"0:-1:0:7:.......x", "1:0:-1:7:........", "2:1:1:6:......x.", "3:2:1:6:........",
                                      "4:3:2:4:....x...", "5:4:3:4:........"},
                6);
    static const struct {
        size_t n;
        int32_t edges[2];
    } actions[] = {{1, {0}}, {2, {0, 1}}, {2, {1, 2}}, {1, {2}}}; /* edges are numbered as they are met */
    assert_int_equal(p->n_actions, COUNT(actions));
    for (size_t i = 0; i < COUNT(actions); i++) {
        assert_int_equal(p->actions[i].n_edges, actions[i].n);
        assert_memory_equal(p->actions[i].edges, actions[i].edges, actions[i].n * sizeof(int32_t));
    }
    check_word(&p->edges[0].query, ".......x");
    check_word(&p->edges[1].query, "......x.");
    check_word(&p->edges[2].query, "....x...");
    cf_plan_free(p);
}

static void the_same_cuts_in_another_order_are_the_same_action(void **state)
{
    (void)state;
    const run_words runs[] = {
        RUN("xx", A, B),    RUN("xx", B, A),
        RUN("xx", A, B, A), RUN("xx", A, HIDDEN, B), /* an edge that causality hides does nothing */
        RUN("xx", A),
    };
    cf_plan *p = plan_of_words(runs, COUNT(runs), 8, 2, NULL);
    assert_int_equal(p->n_edges, 2);
    assert_int_equal(p->n_actions, 2);
    assert_int_equal(p->n_nodes, 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(p->runs[i].leaf, p->runs[0].leaf);
    assert_int_not_equal(p->runs[4].leaf, p->runs[0].leaf);
    cf_plan_free(p);
}

static void zeroed_places_always_change(void **state)
{
    (void)state;
    const run_words run = RUN(".x..", NO_MLP(".x...x.."), NO_ATTENTION_AT("x.......", "..x."), NO_MLP(".xx....."));
    cf_plan *p = plan_of_words(&run, 1, 8, 4, NULL);
    assert_int_equal(p->n_edges, 0);
    assert_int_equal(p->n_actions, 2);
    check_word(&p->actions[0].zero_mlp, ".xx..x..");
    assert_int_equal(p->actions[0].zero_attention.n, 0);
    check_word(&p->actions[1].zero_attention, "x.......");
    assert_int_equal(p->actions[1].zero_mlp.n, 0);
    check_nodes(p, (const char *const[]){"1:-1:0:1:.xx..x..", "2:0:1:0:x.......", "3:1:-1:0:........"}, 3);
    assert_int_equal(cf_plan_row_layers(p), 3 + 8 + 8);
    cf_plan_free(p);
}

static void which_sublayer_is_zeroed_tells_actions_apart(void **state)
{
    (void)state;
    const run_words runs[] = {
        RUN("x", NO_MLP("..x.")),
        RUN("x", NO_ATTENTION("..x.")),
        RUN("x", NO_ATTENTION("..x."), NO_MLP("..x.")),
        RUN("x", NO_ATTENTION("...x")),
        RUN("x", CUT("..x.", ".x.."), NO_MLP("..x.")),
        RUN("x", NO_MLP("..x.")),
    };
    cf_plan *p = plan_of_words(runs, COUNT(runs), 4, 1, NULL);
    assert_int_equal(p->n_actions, 5);
    assert_int_equal(p->n_nodes, 5);
    assert_int_equal(p->runs[0].leaf, p->runs[5].leaf);
    cf_plan_free(p);
}

static void the_status_of_a_run_is_that_of_its_parts_together(void **state)
{
    (void)state;
    const struct {
        const char *name;
        run_words run;
        cf_run_status status;
    } cases[] = {
        {"nothing left of an empty group",
         {.window = "xx", .parts = {NOTHING}, .empty_group = true},
         CF_RUN_EMPTY_GROUP},
        {"nothing to do, no group is empty", RUN("xx", NOTHING), CF_RUN_NO_VISIBLE_EDGE},
        {"an empty group, and something else", {.window = "xx", .parts = {A}, .empty_group = true}, CF_RUN_PLANNED},
        {"an empty group, and a hidden edge",
         {.window = "xx", .parts = {HIDDEN}, .empty_group = true},
         CF_RUN_NO_VISIBLE_EDGE},
        {"a draw that failed", {.window = "xx", .parts = {NOTHING}, .too_few_keys = true}, CF_RUN_TOO_FEW_KEYS},
        {"a draw that failed beside an empty group",
         {.window = "xx", .parts = {NOTHING}, .empty_group = true, .too_few_keys = true},
         CF_RUN_TOO_FEW_KEYS},
        {"hidden edges", RUN("xx", HIDDEN, HIDDEN), CF_RUN_NO_VISIBLE_EDGE},
        {"no layer in the window", RUN("..", A, B), CF_RUN_NO_VISIBLE_EDGE},
        {"no layer in the window, but one of its own", RUN("..", A, CUT_AT(".......x", "....x...", ".x")),
         CF_RUN_PLANNED},
        {"a zeroed place, seen by nobody else", RUN("xx", NO_MLP(".......x")), CF_RUN_PLANNED},
        {"every key in one edge", RUN("xx", CUT("..x.....", "xxx.....")), CF_RUN_FULLY_CUT},
        {"every key in two edges", RUN("xx", CUT("..x.....", "x.x....."), CUT(".xx.....", ".x......")),
         CF_RUN_FULLY_CUT},
        {"every key in two edges, the nearer one first",
         RUN("xx", CUT("..x.....", ".xx....."), CUT("..x.....", "x.......")), CF_RUN_FULLY_CUT},
        {"every key in two edges of different queries",
         RUN("xx", CUT("..x.....", "x.x....."), CUT("...x....", ".x......")), CF_RUN_PLANNED},
        {"every key in two edges of different layers",
         RUN("xx", CUT_AT("..x.....", "x.x.....", "x."), CUT_AT("..x.....", ".x......", ".x")), CF_RUN_PLANNED},
        {"every key in the one layer where both are open",
         RUN("xx", CUT_AT("..x.....", "x.x.....", ".x"), CUT_AT("..x.....", ".x......", "xx")), CF_RUN_FULLY_CUT},
        {"every key in two edges of different heads",
         RUN("xx", CUT_IN("..x.....", "x.x.....", 1), CUT_IN("..x.....", ".x......", 2)), CF_RUN_PLANNED},
        {"every key in the head that both have",
         RUN("xx", CUT_IN("..x.....", "x.x.....", 5), CUT_IN("..x.....", ".x......", 6)), CF_RUN_FULLY_CUT},
        {"every key in a head of one, the other in all",
         RUN("xx", CUT("..x.....", "x.x....."), CUT_IN("..x.....", ".x......", 2)), CF_RUN_FULLY_CUT},
        {"the second query of a span, to an edge that begins at it",
         RUN("xx", CUT(".xxx....", "x......."), CUT("..x.....", ".xx.....")), CF_RUN_FULLY_CUT},
        {"the last position", RUN("xx", CUT(".......x", "xxxx...."), CUT("......xx", "....xxxx")), CF_RUN_FULLY_CUT},
        {"a blind query in a layer that the window leaves out",
         RUN(".x", CUT("..x.....", "x.x....."), CUT_AT("..x.....", ".x......", "x.")), CF_RUN_PLANNED},
        {"zeroing everything is not cutting", RUN("xx", NO_ATTENTION("xxxxxxxx")), CF_RUN_PLANNED},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        cf_plan *p = plan_of_words(&cases[i].run, 1, 8, 2, NULL);
        if (p->runs[0].status != cases[i].status)
            fail_msg("%s: expected status %d, found %d", cases[i].name, (int)cases[i].status, (int)p->runs[0].status);
        assert_int_equal(p->runs[0].empty_group, cases[i].run.empty_group);
        assert_int_equal(p->runs[0].leaf == CF_BASELINE, cases[i].status != CF_RUN_PLANNED);
        if (cases[i].status != CF_RUN_PLANNED)
            assert_int_equal(p->n_edges + p->n_actions + p->n_nodes, 0);
        cf_plan_free(p);
    }
}

static void runs_that_borrow_the_same_parts_are_planned_like_copies(void **state)
{
    (void)state;
    const run_words run = RUN("x.x..", A, B, HIDDEN);
    cf_parts parts[2] = {parts_of(&run), parts_of(&run)};
    cf_spans windows[3] = {spans_of("xx..."), spans_of(".xx.."), spans_of("xx.x.")};
    cf_plan_run runs[6];
    cf_plan *shared = NULL, *copied = NULL;
    for (size_t i = 0; i < 6; i++)
        runs[i] = (cf_plan_run){&parts[0], &windows[i % 3]};
    OK(cf_plan_create(&shared, runs, 6, 8, 5, 3, NULL, &err));
    for (size_t i = 0; i < 6; i += 2)
        runs[i].parts = &parts[1];
    OK(cf_plan_create(&copied, runs, 6, 8, 5, 3, NULL, &err));
    assert_int_equal(shared->n_edges, 2);
    assert_int_equal(shared->n_actions, 1);
    assert_int_equal(copied->n_edges, 2);
    assert_int_equal(copied->n_nodes, shared->n_nodes);
    for (size_t i = 0; i < 6; i++) {
        int32_t a[5], b[5];
        assert_int_equal(copied->runs[i].leaf, shared->runs[i].leaf);
        actions_of(a, shared, i);
        actions_of(b, copied, i);
        assert_memory_equal(a, b, sizeof a);
        for (int32_t l = 0; l < 5; l++)
            assert_int_equal(a[l], cf_spans_contain(&windows[i % 3], l) ? 0 : -1);
    }
    cf_plan_free(shared);
    cf_plan_free(copied);
    for (int i = 0; i < 3; i++)
        cf_spans_deinit(&windows[i]);
    cf_parts_deinit(&parts[0]);
    cf_parts_deinit(&parts[1]);
}

int test_plan_actions(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_of_one_window_are_one_action),
        cmocka_unit_test(parts_with_layers_of_their_own_open_and_close_alone),
        cmocka_unit_test(the_same_cuts_in_another_order_are_the_same_action),
        cmocka_unit_test(zeroed_places_always_change),
        cmocka_unit_test(which_sublayer_is_zeroed_tells_actions_apart),
        cmocka_unit_test(the_status_of_a_run_is_that_of_its_parts_together),
        cmocka_unit_test(runs_that_borrow_the_same_parts_are_planned_like_copies),
    };
    return cmocka_run_group_tests_name("plan_actions", tests, NULL, NULL);
}
