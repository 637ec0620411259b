/* test_plan_random.c - thousands of random small plans, held against a simulation that knows nothing of nodes: which rows can differ
 * from the baseline's after each layer, by following every visible edge.
 *
 * The plan must compute exactly those rows: one less would be a wrong answer, one more wasted work. */
#include <string.h>

#include "test_knockout.h"

#include "knockout/plan.h"

enum { MAX_T = 12, MAX_L = 5, MAX_RUNS = 8, N_PLANS = 20000 };

typedef struct random_run {
    char query[MAX_T + 1], key[MAX_T + 1];
    cf_window window;
    uint64_t heads; /* 0: all */
    cf_spans query_spans, key_spans;
} random_run;

typedef struct random_plan {
    int32_t length, n_layers;
    size_t n_runs;
    random_run runs[MAX_RUNS];
    cf_plan *plan;
} random_plan;

/* splitmix64 (Steele et al. 2014). */
static uint32_t draw(uint64_t *seed, uint32_t n)
{
    uint64_t z = (*seed += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (uint32_t)((z ^ (z >> 31)) % n);
}

static void draw_word(char *word, int32_t n, uint64_t *seed)
{
    const uint32_t density = 1 + draw(seed, 8);
    for (int32_t i = 0; i < n; i++)
        word[i] = draw(seed, 10) < density ? 'x' : '.';
    if (draw(seed, 20) == 0)
        memset(word, '.', (size_t)n); /* an empty group */
    word[n] = '\0';
}

static void draw_run(random_plan *r, size_t i, uint64_t *seed)
{
    random_run *run = &r->runs[i];
    if (i && draw(seed, 2)) { /* the same edge in another window: what prefix sharing is about */
        const random_run *other = &r->runs[draw(seed, (uint32_t)i)];
        memcpy(run->query, other->query, sizeof run->query);
        memcpy(run->key, other->key, sizeof run->key);
        run->heads = other->heads;
    } else {
        draw_word(run->query, r->length, seed);
        draw_word(run->key, r->length, seed);
        if (draw(seed, 3)) /* a query keeps its own key more often than not: fewer runs are fully cut */
            for (int32_t p = 0; p < r->length; p++)
                if (run->query[p] == 'x' || p == 0)
                    run->key[p] = '.';
        run->heads = draw(seed, 3) ? 0 : 1 + draw(seed, 3);
    }
    run->window.first = (int32_t)draw(seed, (uint32_t)r->n_layers + 1);
    run->window.last = run->window.first + (int32_t)draw(seed, (uint32_t)(r->n_layers - run->window.first) + 1);
    run->query_spans = spans_of(run->query);
    run->key_spans = spans_of(run->key);
}

static random_plan plan_draw(uint64_t *seed)
{
    random_plan r = {.length = 1 + (int32_t)draw(seed, MAX_T),
                     .n_layers = 1 + (int32_t)draw(seed, MAX_L),
                     .n_runs = 1 + draw(seed, MAX_RUNS)};
    cf_edge_run edges[MAX_RUNS];
    for (size_t i = 0; i < r.n_runs; i++) {
        draw_run(&r, i, seed);
        edges[i] = (cf_edge_run){NULL, NULL, r.runs[i].heads ? &r.runs[i].heads : NULL, 1, r.runs[i].window};
    }
    for (size_t i = 0; i < r.n_runs; i++) {
        edges[i].query = &r.runs[i].query_spans;
        edges[i].key = &r.runs[i].key_spans;
    }
    OK(cf_plan_create_edges(&r.plan, edges, r.n_runs, r.length, r.n_layers, &err));
    return r;
}

static void plan_drop(random_plan *r)
{
    cf_plan_free(r->plan);
    for (size_t i = 0; i < r->n_runs; i++) {
        cf_spans_deinit(&r->runs[i].query_spans);
        cf_spans_deinit(&r->runs[i].key_spans);
    }
}

static bool is_open(const random_run *run, int32_t layer)
{
    return layer >= run->window.first && layer < run->window.last;
}

static bool is_cut(const random_run *run, int32_t q, int32_t k)
{
    return run->query[q] == 'x' && run->key[k] == 'x';
}

static cf_run_status expected_status(const random_plan *r, const random_run *run)
{
    bool any = false, blind = false;
    if (!strchr(run->query, 'x') || !strchr(run->key, 'x') || run->window.first == run->window.last)
        return CF_RUN_EMPTY_GROUP;
    for (int32_t q = 0; q < r->length; q++) {
        bool sees = false;
        for (int32_t k = 0; k <= q; k++) {
            any = any || is_cut(run, q, k);
            sees = sees || !is_cut(run, q, k);
        }
        blind = blind || !sees;
    }
    return !any ? CF_RUN_NO_VISIBLE_EDGE : blind ? CF_RUN_FULLY_CUT : CF_RUN_PLANNED;
}

/* differs[p]: from the rows that differ before the layer to those that differ after it. */
static void step_rows(bool *differs, const random_plan *r, const random_run *run, int32_t layer)
{
    for (int32_t q = r->length - 1; q >= 0; q--) /* downwards: rows below q still hold what was before the layer */
        for (int32_t k = 0; k <= q && !differs[q]; k++)
            differs[q] = (is_open(run, layer) && is_cut(run, q, k)) || differs[k];
}

/* The node of a run at each layer, from its leaf up. */
static void chain_of(int32_t *node, const random_plan *r, size_t run)
{
    int32_t at = r->plan->runs[run].leaf;
    for (int32_t l = r->n_layers - 1; l >= 0; l--) {
        node[l] = at;
        if (at == CF_BASELINE)
            continue;
        assert_int_equal(r->plan->nodes[at].layer, l);
        at = r->plan->nodes[at].parent;
    }
    assert_int_equal(at, CF_BASELINE);
}

static bool computes(const cf_plan *p, int32_t node, int32_t row)
{
    if (node == CF_BASELINE)
        return false;
    const cf_node *n = &p->nodes[node];
    return cf_spans_contain(&n->fresh, row) || (n->parent != CF_BASELINE && row >= p->nodes[n->parent].restart);
}

static void a_run_computes_exactly_the_rows_that_can_differ(void **state)
{
    (void)state;
    uint64_t seed = 1;
    int64_t n_planned = 0, n_rows = 0;
    for (int i = 0; i < N_PLANS; i++) {
        random_plan r = plan_draw(&seed);
        for (size_t run = 0; run < r.n_runs; run++) {
            int32_t node[MAX_L];
            bool differs[MAX_T] = {false};
            assert_int_equal(r.plan->runs[run].status, expected_status(&r, &r.runs[run]));
            chain_of(node, &r, run);
            if (r.plan->runs[run].status != CF_RUN_PLANNED)
                continue;
            n_planned++;
            for (int32_t l = 0; l < r.n_layers; l++) {
                step_rows(differs, &r, &r.runs[run], l);
                for (int32_t p = 0; p < r.length; p++) {
                    n_rows += differs[p];
                    if (differs[p] != computes(r.plan, node[l], p))
                        fail_msg("plan %d, run %zu, layer %d, row %d: %s, node %d", i, run, l, p,
                                 differs[p] ? "differs and is not computed" : "is computed and cannot differ", node[l]);
                    if (differs[p])
                        assert_true(p >= r.plan->nodes[node[l]].restart);
                }
                if (node[l] != CF_BASELINE)
                    assert_true(differs[r.plan->nodes[node[l]].restart]);
            }
        }
        plan_drop(&r);
    }
    assert_true(n_planned > N_PLANS / 2 && n_rows > 4 * N_PLANS); /* the draw is not degenerate */
}

/* Whether two planned runs do the same in layers 0 .. layer. */
static bool alike(const random_plan *r, size_t a, size_t b, int32_t layer)
{
    const random_run *x = &r->runs[a], *y = &r->runs[b];
    const bool same_edge = strcmp(x->query, y->query) == 0 && strcmp(x->key, y->key) == 0 && x->heads == y->heads;
    for (int32_t l = 0; l <= layer; l++)
        if (is_open(x, l) != is_open(y, l) || (is_open(x, l) && !same_edge))
            return false;
    return true;
}

static bool has_begun(const random_run *run, int32_t layer)
{
    return layer >= run->window.first;
}

static void a_state_is_computed_once_for_all_runs_that_share_it(void **state)
{
    (void)state;
    uint64_t seed = 2;
    int64_t n_shared = 0;
    for (int i = 0; i < N_PLANS; i++) {
        random_plan r = plan_draw(&seed);
        const cf_plan *p = r.plan;
        int32_t node[MAX_RUNS][MAX_L];
        size_t n_states = 0;
        int64_t n_rows = 0;
        int32_t lowest = r.length;
        for (size_t a = 0; a < r.n_runs; a++)
            chain_of(node[a], &r, a);
        for (size_t a = 0; a < r.n_runs; a++)
            for (int32_t l = 0; l < r.n_layers && p->runs[a].status == CF_RUN_PLANNED; l++) {
                bool first = has_begun(&r.runs[a], l);
                assert_int_equal(node[a][l] != CF_BASELINE, first);
                for (size_t b = 0; b < a; b++)
                    if (p->runs[b].status == CF_RUN_PLANNED) {
                        assert_int_equal(node[a][l] == node[b][l], alike(&r, a, b, l));
                        first = first && node[a][l] != node[b][l];
                    }
                n_shared += has_begun(&r.runs[a], l) && !first;
                n_states += first;
                for (int32_t q = 0; first && q < r.length; q++)
                    n_rows += computes(p, node[a][l], q);
                if (first && p->nodes[node[a][l]].restart < lowest)
                    lowest = p->nodes[node[a][l]].restart;
            }
        assert_int_equal(p->n_nodes, n_states);
        assert_int_equal(cf_plan_row_layers(p), n_rows);
        assert_int_equal(p->lowest, lowest);
        plan_drop(&r);
    }
    assert_true(n_shared > N_PLANS / 10);
}

static void nodes_stand_by_layer_and_after_their_parents(void **state)
{
    (void)state;
    uint64_t seed = 3;
    for (int i = 0; i < N_PLANS / 4; i++) {
        random_plan r = plan_draw(&seed);
        const cf_plan *p = r.plan;
        assert_int_equal(p->layer_begin[0], 0);
        assert_int_equal(p->layer_begin[r.n_layers], p->n_nodes);
        for (int32_t l = 0; l < r.n_layers; l++)
            for (int32_t n = p->layer_begin[l]; n < p->layer_begin[l + 1]; n++) {
                assert_int_equal(p->nodes[n].layer, l);
                assert_true(p->nodes[n].parent < n);
                assert_true(p->nodes[n].parent == CF_BASELINE || p->nodes[p->nodes[n].parent].layer == l - 1);
                assert_in_range(p->nodes[n].edge + 1, 0, p->n_edges);
            }
        plan_drop(&r);
    }
}

int test_plan_random(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_computes_exactly_the_rows_that_can_differ),
        cmocka_unit_test(a_state_is_computed_once_for_all_runs_that_share_it),
        cmocka_unit_test(nodes_stand_by_layer_and_after_their_parents),
    };
    return cmocka_run_group_tests_name("plan_random", tests, NULL, NULL);
}
