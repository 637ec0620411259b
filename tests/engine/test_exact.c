/* test_exact.c - the sweep is the oracle, bit for bit (exact.h), where each run is one cut: every flow and any
 * positions. Bits are equal where products are row-invariant; elsewhere nothing is tested, visibly. */
#include <stdlib.h>
#include <string.h>

#include "drawn_runs.h"
#include "exact.h"

#include "engine/score.h"

/* Every run on one sample. Returns how many rows the sweep computed, as the runs see them. */
static int64_t check_runs(const loaded_model *m, const sample *s, const cf_edge_run *runs, size_t n)
{
    const cf_text_config *t = &cf_model_config(m->model)->text;
    oracle_edge *edges = calloc(n, sizeof *edges);
    cf_oracle_run *oracle = calloc(n, sizeof *oracle);
    cf_plan *plan = NULL;
    assert_true(edges && oracle);
    for (size_t i = 0; i < n; i++) {
        oracle_edge_init(&edges[i], &runs[i]);
        oracle[i] = edges[i].run;
    }
    OK(cf_plan_create_edges(&plan, runs, n, s->groups.length, (int32_t)t->n_layers, (int32_t)t->n_heads, &err));
    const int64_t n_computed = hold_exact(m, s, plan, oracle);
    free(edges);
    free(oracle);
    return n_computed;
}

/* All flows at every centre_step'th centre, in the given windows. */
static void check_flows(const sample_set *set, const loaded_model *m, const sample *s, const int32_t *ks, size_t n_ks,
                        int32_t centre_step)
{
    cf_edge_run runs[N_FLOWS * MAX_WINDOWS * 16];
    size_t n = 0;
    for (size_t f = 0; f < N_FLOWS; f++)
        for (size_t k = 0; k < n_ks; k++)
            for (int32_t c = 0; c < set->n_layers; c += centre_step)
                runs[n++] = flow_run(set, s, f, ks[k], c);
    const int64_t rows = check_runs(m, s, runs, n);
    assert_true(rows > 0);
    print_message("  %s on %s, %s: %zu runs, %lld computed rows: same bits\n", set->name, model_backend_name(m), s->key,
                  n, (long long)rows);
}

static void the_sweep_is_the_oracle_on_bites(void **state)
{
    const fixture *f = *state;
    const sample_set *set = &f->bites;
    const loaded_model *models[] = {&f->bites_f32, &f->bites_bf16};
    for (size_t i = 0; i < COUNT(models); i++)
        for (size_t k = 0; !not_exact_here(models[i], i ? "bf16" : "f32") && k < (THIN ? 1 : 3); k++)
            check_flows(set, models[i], &set->samples[k], set->windows, THIN ? 1 : set->n_windows, 1);
    check_flows(set, &f->bites_ref, &set->samples[0], (const int32_t[]){3}, 1, 2);
}

static void the_sweep_is_the_oracle_on_the_demo(void **state)
{
    const fixture *f = *state;
    const loaded_model *models[] = {&f->demo_f32, &f->demo_bf16};
    for (size_t i = 0; i < COUNT(models); i++)
        if (!not_exact_here(models[i], i ? "bf16" : "f32"))
            check_flows(&f->demo, models[i], &f->demo.samples[f->demo.n / 2], (const int32_t[]){1, 9}, THIN ? 1 : 2,
                        THIN ? 11 : 5);
}

static void the_sweep_is_the_oracle_for_any_positions_heads_and_layers(void **state)
{
    const fixture *f = *state;
    enum { N = THIN ? 12 : 80 };
    const loaded_model *models[] = {&f->bites_f32, &f->bites_bf16};
    const sample *s = &f->bites.samples[1];
    const int32_t length = s->groups.length;
    cf_spans query[N] = {0}, key[N] = {0};
    uint64_t heads[N], seed = 7;
    cf_edge_run runs[N];
    for (int i = 0; i < N;
         i++) { /* position 0 is never cut: every query keeps a key. Some queries lie before the picture's end. */
        draw_spans(&query[i], i % 3 ? (int32_t)draw(&seed, (uint32_t)length) : 0, length, 1 + draw(&seed, 4), &seed);
        draw_spans(&key[i], 1 + (int32_t)draw(&seed, (uint32_t)length - 1), length, 1 + draw(&seed, 4), &seed);
        heads[i] = 1 + draw(&seed, 15);
        const int32_t first = (int32_t)draw(&seed, 5);
        runs[i] = (cf_edge_run){&query[i],
                                &key[i],
                                draw(&seed, 2) ? &heads[i] : NULL,
                                1,
                                {first, first + (int32_t)draw(&seed, (uint32_t)(6 - first))}};
    }
    for (size_t m = 0; m < COUNT(models); m++)
        if (!not_exact_here(models[m], m ? "bf16" : "f32"))
            assert_true(check_runs(models[m], s, runs, N) > N);
    for (int i = 0; i < N; i++) {
        cf_spans_deinit(&query[i]);
        cf_spans_deinit(&key[i]);
    }
}

static cf_spans one_span(int32_t begin, int32_t end)
{
    cf_spans s = {0};
    OK(cf_spans_add(&s, begin, end, &err));
    return s;
}

static void a_run_with_nothing_to_cut_is_the_baseline(void **state)
{
    const fixture *f = *state;
    const sample *s = &f->bites.samples[0];
    const cf_spans *image = &s->groups.of[CF_GROUP_IMAGE], *question = &s->groups.of[CF_GROUP_QUESTION],
                   *last = &s->groups.of[CF_GROUP_LAST];
    const cf_spans none = {0};
    const cf_window all = {0, 5};
    const struct {
        const char *name;
        cf_edge_run run;
    } cases[] = {
        {"no query", {&none, image, NULL, 0, all}},
        {"no key", {question, &none, NULL, 0, all}},
        {"no layer", {question, image, NULL, 0, {3, 3}}},
        {"keys after all queries", {image, question, NULL, 0, all}},
        {"the last position's key", {question, last, NULL, 0, all}},
    };
    const loaded_model *models[] = {&f->bites_f32, &f->bites_bf16, &f->bites_ref};
    for (size_t m = 0; m < COUNT(models); m++) {
        if (!models[m]->model)
            continue;
        cf_edge_run runs[COUNT(cases) + 1];
        for (size_t i = 0; i < COUNT(cases); i++)
            runs[i] = cases[i].run;
        runs[COUNT(cases)] = (cf_edge_run){last, image, NULL, 0, all}; /* a cut among them changes nothing for them */
        for (size_t n = COUNT(cases); n <= COUNT(cases) + 1; n++) {
            walk w;
            walk_open(&w, models[m], NULL, s, runs, n, WALK_SCORE);
            const double p = cf_softmax_probability(cf_session_logits(w.session), f->bites.vocab_size, s->first_token);
            for (size_t i = 0; i < COUNT(cases); i++)
                if (memcmp(&p, &w.probability[i], sizeof p) != 0)
                    fail_msg("%s: %a, baseline %a", cases[i].name, w.probability[i], p);
            assert_true(n == COUNT(cases) || p != w.probability[COUNT(cases)]);
            walk_close(&w, false);
        }
    }
}

/* Multiply-adds of the decoder's layers for the baseline and a sweep of one run. */
static int64_t macs_of(const fixture *f, cf_group query, cf_group key, cf_window window)
{
    const sample *s = &f->bites.samples[0];
    const cf_edge_run run = {&s->groups.of[query], &s->groups.of[key], NULL, 0, window};
    walk w;
    walk_open(&w, &f->bites_f32, NULL, s, &run, 1, WALK_SCORE);
    const int64_t macs = cf_session_decoder_macs(w.session);
    walk_close(&w, false);
    return macs;
}

static void only_rows_that_change_and_are_read_are_worked_on(void **state)
{
    const fixture *f = *state;
    const cf_text_config *t = &cf_model_config(f->bites_f32.model)->text;
    const int64_t row = cf_model_row_layer_macs(f->bites_f32.model);
    const int64_t kv = 2 * t->hidden_size * t->n_kv_heads * t->head_dim; /* of a row */
    const sample *s = &f->bites.samples[0];
    const int64_t n_question = cf_spans_count(&s->groups.of[CF_GROUP_QUESTION]);
    const int64_t n_own = s->groups.length - s->groups.of[CF_GROUP_QUESTION].items[0].begin;
    const struct {
        const char *name;
        cf_group query, key;
        cf_window window;
        int64_t macs; /* beside the baseline's */
    } cases[] = {
        {"hidden by causality", CF_GROUP_IMAGE, CF_GROUP_QUESTION, {0, 5}, 0},
        {"the last layer's rows that nobody reads", CF_GROUP_QUESTION, CF_GROUP_IMAGE, {4, 5}, 0},
        {"the last row in the last layer", CF_GROUP_LAST, CF_GROUP_IMAGE, {4, 5}, row - kv},
        {"the last row from layer 1 on: it brings no keys there", CF_GROUP_LAST, CF_GROUP_IMAGE, {1, 3}, 4 * row - kv},
        {"the question in layer 2, all from it on in layer 3, in layer 4 their keys and one row",
         CF_GROUP_QUESTION,
         CF_GROUP_IMAGE,
         {2, 3},
         n_question * (row - kv) + n_own * row + n_own * kv + row - kv},
    };
    const int64_t baseline = macs_of(f, CF_GROUP_QUESTION, CF_GROUP_IMAGE, (cf_window){0, 0});
    for (size_t i = 0; i < COUNT(cases); i++) {
        const int64_t macs = macs_of(f, cases[i].query, cases[i].key, cases[i].window) - baseline;
        if (macs != cases[i].macs)
            fail_msg("%s: expected %lld multiply-adds, found %lld", cases[i].name, (long long)cases[i].macs,
                     (long long)macs);
    }
}

static void a_query_without_a_key_has_no_probability(void **state)
{
    const fixture *f = *state;
    const sample *s = &f->bites.samples[0];
    cf_spans before = one_span(0, 10), within = one_span(5, 7);
    const cf_edge_run runs[] = {{&within, &before, NULL, 0, {0, 5}},
                                {&s->groups.of[CF_GROUP_LAST], &s->groups.of[CF_GROUP_IMAGE], NULL, 0, {0, 5}}};
    walk w;
    walk_open(&w, &f->bites_f32, NULL, s, runs, 2, WALK_SCORE);
    assert_int_equal(w.plan->runs[0].status, CF_RUN_FULLY_CUT);
    assert_true(w.probability[0] != w.probability[0]);
    assert_true(w.probability[1] > 0 && w.probability[1] < 1);
    /* Asked of the oracle, which knows no plan, it is an error and not a number. */
    float logits[656];
    oracle_edge cut;
    oracle_edge_init(&cut, &runs[0]);
    assert_int_equal(cf_oracle_logits(f->bites_f32.model, &s->input, &cut.run, logits, NULL, NULL, NULL, NULL),
                     CF_MISMATCH);
    walk_close(&w, false);
    cf_spans_deinit(&before);
    cf_spans_deinit(&within);
}

int test_exact(fixture *f)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(the_sweep_is_the_oracle_on_bites, f),
        cmocka_unit_test_prestate(the_sweep_is_the_oracle_on_the_demo, f),
        cmocka_unit_test_prestate(the_sweep_is_the_oracle_for_any_positions_heads_and_layers, f),
        cmocka_unit_test_prestate(a_run_with_nothing_to_cut_is_the_baseline, f),
        cmocka_unit_test_prestate(only_rows_that_change_and_are_read_are_worked_on, f),
        cmocka_unit_test_prestate(a_query_without_a_key_has_no_probability, f),
    };
    return cmocka_run_group_tests_name("exact", tests, NULL, NULL);
}
