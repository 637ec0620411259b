/* test_plan_random.c - thousands of random small plans, held against a simulation that knows nothing of nodes, edges and
 * actions: it asks of every query, key, head and layer whether it is seen and cut, and follows every visible edge to find
 * the rows that can differ from the baseline's. Half of the plans have windows, half have blocks.
 *
 * The plan must compute exactly those rows: one less would be a wrong answer, one more wasted work (which
 * windows allow). */
#include <string.h>

#include "test_knockout.h"

#include "part_words.h"

enum { MAX_T = 12, MAX_L = 5, N_HEADS = 3, N_PLANS = 20000, MAX_BLOCKS = 3 };

typedef struct random_part {
    part_words words; /* point to the arrays below */
    char query[MAX_T + 1], key[MAX_T + 1], layers[MAX_L + 1];
} random_part;

typedef struct random_run {
    random_part parts[MAX_PARTS];
    size_t n_parts;
    char window[MAX_L + 1];
    bool empty_group, too_few_keys;
} random_run;

typedef struct random_plan {
    int32_t length, n_layers;
    bool has_windows;
    int32_t windows[MAX_L];
    cf_span blocks[MAX_BLOCKS];
    size_t n_blocks;
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
    word[n] = '\0';
}

/* One stretch of layers, mostly: what windows are. */
static void draw_layers(char *word, int32_t n, uint64_t *seed)
{
    const int32_t begin = (int32_t)draw(seed, (uint32_t)n + 1),
                  end = begin + (int32_t)draw(seed, (uint32_t)(n - begin) + 1);
    draw_word(word, n, seed);
    for (int32_t l = 0; draw(seed, 4) && l < n; l++)
        word[l] = l >= begin && l < end ? 'x' : '.';
}

static void draw_part(random_part *part, const random_plan *r, uint64_t *seed)
{
    const uint32_t kind = draw(seed, 6);
    draw_word(part->query, r->length, seed);
    draw_word(part->key, r->length, seed);
    if (draw(seed, 3)) /* a query keeps its own key more often than not: fewer runs are fully cut */
        for (int32_t p = 0; p < r->length; p++)
            if (part->query[p] == 'x' || p == 0)
                part->key[p] = '.';
    part->words.kind = kind == 0 ? CF_PART_ZERO_ATTENTION : kind == 1 ? CF_PART_ZERO_MLP : CF_PART_CUT;
    part->words.heads = kind < 2 || draw(seed, 3) ? 0 : 1 + draw(seed, (1 << N_HEADS) - 1);
    draw_layers(part->layers, r->n_layers, seed);
    if (draw(seed, 3))
        memset(part->layers, '.', (size_t)r->n_layers); /* the window */
}

static void draw_run(random_plan *r, size_t i, uint64_t *seed)
{
    random_run *run = &r->runs[i];
    if (i && draw(seed, 2)) { /* the same parts in another window: what prefix sharing is about */
        *run = r->runs[draw(seed, (uint32_t)i)];
    } else {
        run->n_parts = draw(seed, 12) ? 1 + draw(seed, MAX_PARTS) : 0;
        for (size_t k = 0; k < run->n_parts; k++)
            draw_part(&run->parts[k], r, seed);
        run->empty_group = draw(seed, 5) == 0;
        run->too_few_keys = draw(seed, 20) == 0;
    }
    draw_layers(run->window, r->n_layers, seed);
    if (i && run->n_parts && draw(seed, 5) == 0) /* one part that others do not have */
        draw_part(&run->parts[draw(seed, (uint32_t)run->n_parts)], r, seed);
}

/* As the engine's callers say it: a part without layers of its own has none, one of an empty word has no query. */
static run_words words_of(random_run *run)
{
    run_words w = {.window = run->window, .empty_group = run->empty_group, .too_few_keys = run->too_few_keys};
    for (size_t k = 0; k < run->n_parts; k++) {
        random_part *part = &run->parts[k];
        part->words.query = part->query;
        part->words.key = part->key;
        part->words.layers = part->layers;
        w.parts[k] = part->words;
    }
    return w;
}

static void draw_sight(random_plan *r, uint64_t *seed)
{
    r->has_windows = draw(seed, 2);
    for (int32_t l = 0; r->has_windows && l < r->n_layers; l++)
        r->windows[l] = draw(seed, 2) ? (int32_t)draw(seed, (uint32_t)r->length + 2) : l ? r->windows[l - 1] : 0;
    const bool has_blocks = draw(seed, 2);
    for (int32_t at = 0; has_blocks && r->n_blocks < MAX_BLOCKS; r->n_blocks++) {
        const int32_t begin = at + (int32_t)draw(seed, 4), end = begin + 1 + (int32_t)draw(seed, 5);
        if (end > r->length)
            break;
        r->blocks[r->n_blocks] = (cf_span){begin, end};
        at = end;
    }
}

static random_plan plan_draw(uint64_t *seed)
{
    random_plan r = {.length = 1 + (int32_t)draw(seed, MAX_T),
                     .n_layers = 1 + (int32_t)draw(seed, MAX_L),
                     .n_runs = 1 + draw(seed, MAX_RUNS)};
    run_words words[MAX_RUNS];
    draw_sight(&r, seed);
    for (size_t i = 0; i < r.n_runs; i++)
        draw_run(&r, i, seed);
    for (size_t i = 0; i < r.n_runs; i++)
        words[i] = words_of(&r.runs[i]);
    const cf_sight sight = {.window = r.has_windows ? r.windows : NULL, .blocks = r.blocks, .n_blocks = r.n_blocks};
    r.plan = plan_of_words(words, r.n_runs, r.length, r.n_layers, &sight);
    return r;
}

/* ---- the model ---- */

static bool sees(const random_plan *r, int32_t layer, int32_t q, int32_t k)
{
    for (size_t i = 0; i < r->n_blocks; i++)
        if (q >= r->blocks[i].begin && q < r->blocks[i].end && k >= r->blocks[i].begin && k < r->blocks[i].end)
            return true;
    return k <= q && (r->windows[layer] == 0 || k > q - r->windows[layer]);
}

static bool is_open(const random_run *run, const random_part *part, int32_t layer)
{
    return strchr(part->layers, 'x') ? part->layers[layer] == 'x' : run->window[layer] == 'x';
}

static bool is_cut(const random_part *part, int32_t q, int32_t k)
{
    return part->words.kind == CF_PART_CUT && part->query[q] == 'x' && part->key[k] == 'x';
}

/* Whether the run takes key k from query q at the layer, in some head. */
static bool loses(const random_run *run, int32_t layer, int32_t q, int32_t k)
{
    for (size_t i = 0; i < run->n_parts; i++)
        if (is_open(run, &run->parts[i], layer) && is_cut(&run->parts[i], q, k))
            return true;
    return false;
}

static bool loses_in_head(const random_run *run, int32_t layer, int32_t q, int32_t k, int32_t head)
{
    for (size_t i = 0; i < run->n_parts; i++) {
        const uint64_t heads = run->parts[i].words.heads;
        if (is_open(run, &run->parts[i], layer) && is_cut(&run->parts[i], q, k) && (!heads || (heads >> head & 1)))
            return true;
    }
    return false;
}

static bool is_zeroed(const random_run *run, cf_part_kind kind, int32_t layer, int32_t q)
{
    for (size_t i = 0; i < run->n_parts; i++) {
        const random_part *part = &run->parts[i];
        if (part->words.kind == kind && is_open(run, part, layer) && part->query[q] == 'x')
            return true;
    }
    return false;
}

/* Whether the layer's own action changes the row. */
static bool is_changed(const random_plan *r, const random_run *run, int32_t layer, int32_t q)
{
    bool changed = is_zeroed(run, CF_PART_ZERO_ATTENTION, layer, q) || is_zeroed(run, CF_PART_ZERO_MLP, layer, q);
    for (int32_t k = 0; k < r->length; k++)
        changed = changed || (sees(r, layer, q, k) && loses(run, layer, q, k));
    return changed;
}

static bool acts(const random_plan *r, const random_run *run, int32_t layer)
{
    for (int32_t q = 0; q < r->length; q++)
        if (is_changed(r, run, layer, q))
            return true;
    return false;
}

static bool is_blind(const random_plan *r, const random_run *run, int32_t layer, int32_t q, int32_t head)
{
    for (int32_t k = 0; k < r->length; k++)
        if (sees(r, layer, q, k) && !loses_in_head(run, layer, q, k, head))
            return false;
    return true;
}

static cf_run_status expected_status(const random_plan *r, const random_run *run)
{
    bool any = false, blind = false;
    if (run->too_few_keys)
        return CF_RUN_TOO_FEW_KEYS;
    if (run->empty_group && run->n_parts == 0)
        return CF_RUN_EMPTY_GROUP;
    for (int32_t l = 0; l < r->n_layers; l++) {
        any = any || acts(r, run, l);
        for (int32_t q = 0; q < r->length; q++)
            for (int32_t h = 0; h < N_HEADS; h++)
                blind = blind || is_blind(r, run, l, q, h);
    }
    return !any ? CF_RUN_NO_VISIBLE_EDGE : blind ? CF_RUN_FULLY_CUT : CF_RUN_PLANNED;
}

/* The node's action is what the run does at the layer: its edges cut what it loses, head by head, and its places. */
static void check_action(const random_plan *r, const random_run *run, int32_t layer, int32_t action)
{
    static const cf_action nothing = {0};
    const cf_plan *p = r->plan;
    const cf_action *a = action < 0 ? &nothing : &p->actions[action];
    for (int32_t q = 0; q < r->length; q++) {
        assert_int_equal(cf_spans_contain(&a->zero_attention, q), is_zeroed(run, CF_PART_ZERO_ATTENTION, layer, q));
        assert_int_equal(cf_spans_contain(&a->zero_mlp, q), is_zeroed(run, CF_PART_ZERO_MLP, layer, q));
        for (int32_t k = 0; k < r->length; k++)
            for (int32_t h = 0; h < N_HEADS && sees(r, layer, q, k); h++) {
                bool cut = false;
                for (size_t e = 0; e < a->n_edges; e++) {
                    const cf_edge *edge = &p->edges[a->edges[e]];
                    cut = cut || (cf_spans_contain(&edge->query, q) && cf_spans_contain(&edge->key, k) &&
                                  (!edge->heads || (edge->heads[0] >> h & 1)));
                }
                assert_int_equal(cut, loses_in_head(run, layer, q, k, h));
            }
    }
}

/* differs[p]: from the rows that differ before the layer to those that differ after it. */
static void step_rows(bool *differs, const random_plan *r, const random_run *run, int32_t layer)
{
    bool before[MAX_T];
    memcpy(before, differs, sizeof before);
    for (int32_t q = 0; q < r->length; q++) {
        for (int32_t k = 0; k < r->length; k++)
            differs[q] = differs[q] || (before[k] && sees(r, layer, q, k));
        differs[q] = differs[q] || is_changed(r, run, layer, q);
    }
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
    int64_t n_status[CF_RUN_TOO_FEW_KEYS + 1] = {0}, n_rows = 0;
    for (int i = 0; i < N_PLANS; i++) {
        random_plan r = plan_draw(&seed);
        for (size_t run = 0; run < r.n_runs; run++) {
            int32_t node[MAX_L];
            bool differs[MAX_T] = {false};
            assert_int_equal(r.plan->runs[run].status, expected_status(&r, &r.runs[run]));
            chain_of(node, &r, run);
            n_status[r.plan->runs[run].status]++;
            if (r.plan->runs[run].status != CF_RUN_PLANNED)
                continue;
            for (int32_t l = 0; l < r.n_layers; l++) {
                step_rows(differs, &r, &r.runs[run], l);
                check_action(&r, &r.runs[run], l, node[l] == CF_BASELINE ? -1 : r.plan->nodes[node[l]].action);
                for (int32_t p = 0; p < r.length; p++) {
                    n_rows += differs[p];
                    const bool computed = computes(r.plan, node[l], p);
                    if (differs[p] ? !computed : computed && !r.has_windows)
                        fail_msg("plan %d, run %zu, layer %d, row %d: %s, node %d", i, run, l, p,
                                 differs[p] ? "differs and is not computed" : "is computed and cannot differ", node[l]);
                    if (differs[p])
                        assert_true(p >= r.plan->nodes[node[l]].restart);
                }
                if (node[l] != CF_BASELINE && !r.has_windows && r.n_blocks == 0)
                    assert_true(differs[r.plan->nodes[node[l]].restart]);
            }
        }
        cf_plan_free(r.plan);
    }
    for (size_t i = 0; i < COUNT(n_status); i++) /* the draw is not degenerate */
        assert_true(n_status[i] > N_PLANS / 40);
    assert_true(n_status[CF_RUN_PLANNED] > N_PLANS / 2 && n_rows > 4 * N_PLANS);
}

/* Whether the run has an open edge like this one. */
static bool has_edge(const random_run *run, int32_t layer, const random_part *edge)
{
    for (size_t i = 0; i < run->n_parts; i++) {
        const random_part *part = &run->parts[i];
        if (is_open(run, part, layer) && part->words.kind == CF_PART_CUT && strcmp(part->query, edge->query) == 0 &&
            strcmp(part->key, edge->key) == 0 && part->words.heads == edge->words.heads)
            return true;
    }
    return false;
}

static bool is_visible(const random_plan *r, const random_part *part, int32_t layer)
{
    for (int32_t q = 0; q < r->length; q++)
        for (int32_t k = 0; k < r->length; k++)
            if (is_cut(part, q, k) && sees(r, layer, q, k))
                return true;
    return false;
}

/* Whether b has every edge of a at the layer. */
static bool has_edges_of(const random_plan *r, const random_run *b, const random_run *a, int32_t layer)
{
    for (size_t i = 0; i < a->n_parts; i++)
        if (is_open(a, &a->parts[i], layer) && is_visible(r, &a->parts[i], layer) && !has_edge(b, layer, &a->parts[i]))
            return false;
    return true;
}

/* Whether two planned runs do the same in layers 0 .. layer. */
static bool alike(const random_plan *r, size_t a, size_t b, int32_t layer)
{
    const random_run *x = &r->runs[a], *y = &r->runs[b];
    for (int32_t l = 0; l <= layer; l++) {
        if (!has_edges_of(r, x, y, l) || !has_edges_of(r, y, x, l))
            return false;
        for (int32_t q = 0; q < r->length; q++)
            for (int kind = CF_PART_ZERO_ATTENTION; kind <= CF_PART_ZERO_MLP; kind++)
                if (is_zeroed(x, (cf_part_kind)kind, l, q) != is_zeroed(y, (cf_part_kind)kind, l, q))
                    return false;
    }
    return true;
}

static bool has_begun(const random_plan *r, const random_run *run, int32_t layer)
{
    for (int32_t l = 0; l <= layer; l++)
        if (acts(r, run, l))
            return true;
    return false;
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
                bool first = has_begun(&r, &r.runs[a], l);
                assert_int_equal(node[a][l] != CF_BASELINE, first);
                for (size_t b = 0; b < a; b++)
                    if (p->runs[b].status == CF_RUN_PLANNED) {
                        assert_int_equal(node[a][l] == node[b][l], alike(&r, a, b, l));
                        first = first && node[a][l] != node[b][l];
                    }
                n_shared += has_begun(&r, &r.runs[a], l) && !first;
                n_states += first;
                for (int32_t q = 0; first && q < r.length; q++)
                    n_rows += computes(p, node[a][l], q);
                if (first && p->nodes[node[a][l]].restart < lowest)
                    lowest = p->nodes[node[a][l]].restart;
            }
        assert_int_equal(p->n_nodes, n_states);
        assert_int_equal(cf_plan_row_layers(p), n_rows);
        assert_int_equal(p->lowest, lowest);
        cf_plan_free(r.plan);
    }
    assert_true(n_shared > N_PLANS / 10);
}

/* No edge and no action twice, and none that no node has. */
static void check_distinct(const cf_plan *p)
{
    for (size_t i = 0; i < p->n_actions; i++) {
        bool used = false;
        for (size_t n = 0; n < p->n_nodes; n++)
            used = used || p->nodes[n].action == (int32_t)i;
        assert_true(used);
        assert_true(p->actions[i].n_edges || p->actions[i].zero_attention.n || p->actions[i].zero_mlp.n);
        for (size_t e = 1; e < p->actions[i].n_edges; e++)
            assert_true(p->actions[i].edges[e - 1] < p->actions[i].edges[e]);
    }
    for (size_t i = 0; i < p->n_edges; i++) {
        const cf_edge *a = &p->edges[i];
        bool used = false;
        for (size_t k = 0; k < p->n_actions; k++)
            for (size_t e = 0; e < p->actions[k].n_edges; e++)
                used = used || p->actions[k].edges[e] == (int32_t)i;
        assert_true(used);
        for (size_t k = 0; k < i; k++) {
            const cf_edge *b = &p->edges[k];
            assert_false(cf_spans_equal(&a->query, &b->query) && cf_spans_equal(&a->key, &b->key) &&
                         (a->heads && b->heads ? a->heads[0] == b->heads[0] : a->heads == b->heads));
        }
    }
}

static void nodes_stand_by_layer_and_after_their_parents(void **state)
{
    (void)state;
    uint64_t seed = 3;
    for (int i = 0; i < N_PLANS / 4; i++) {
        random_plan r = plan_draw(&seed);
        const cf_plan *p = r.plan;
        check_distinct(p);
        assert_int_equal(p->layer_begin[0], 0);
        assert_int_equal(p->layer_begin[r.n_layers], p->n_nodes);
        for (int32_t l = 0; l < r.n_layers; l++)
            for (int32_t n = p->layer_begin[l]; n < p->layer_begin[l + 1]; n++) {
                assert_int_equal(p->nodes[n].layer, l);
                assert_true(p->nodes[n].parent < n);
                assert_true(p->nodes[n].parent == CF_BASELINE || p->nodes[p->nodes[n].parent].layer == l - 1);
                assert_in_range(p->nodes[n].action + 1, 0, p->n_actions);
            }
        cf_plan_free(r.plan);
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
