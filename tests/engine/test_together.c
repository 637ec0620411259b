/* test_together.c - samples in flight together: where products are row-invariant, each ends with the bits it has alone; and
 * layers that are not in memory are read once for all of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/changed_folder.h"
#include "support/temp_dir.h"
#include "together.h"

enum { TOGETHER = 3 };

/* Loaded as it is, or so that no layer stays in memory. */
static cf_model *load(const loaded_model *with, bool streamed)
{
    cf_model *m = NULL;
    OK(cf_model_load(&m, with->be, with->checkpoint, streamed ? 1 : 0, &err));
    return m;
}

/* Each of a[TOGETHER] alone, then all together, twice. Returns in alone[TOGETHER] what they gave. */
static void check_all(const char *what, told *alone, const asked *a, const loaded_model *with, bool streamed)
{
    cf_model *m = load(with, streamed);
    const int64_t vocab = cf_model_config(m)->text.vocab_size, before = cf_backend_counters(with->be).weight_fills;
    cf_session *sessions[TOGETHER] = {0};
    told together[TOGETHER], *out[TOGETHER];
    for (size_t i = 0; i < TOGETHER; i++) {
        told_open(&alone[i], &a[i], vocab);
        told_open(&together[i], &a[i], vocab);
        out[i] = &together[i];
        (void)measure_alone(&alone[i], &a[i], m);
    }
    const int64_t fills_alone = cf_backend_counters(with->be).weight_fills - before;
    OK(cf_session_create(&sessions[0], m, false, &err));
    for (size_t i = 1; i < TOGETHER; i++)
        OK(cf_session_create_beside(&sessions[i], sessions[0], &err));
    for (int twice = 0; twice < 2; twice++) {
        const int64_t begun = cf_backend_counters(with->be).weight_fills;
        (void)measure_together(out, a, sessions, TOGETHER);
        const int64_t fills = cf_backend_counters(with->be).weight_fills - begun;
        for (size_t i = 0; i < TOGETHER; i++)
            check_told(what, i, &a[i], &alone[i], &together[i]);
        if (streamed != (fills_alone > 0) || streamed != (fills > 0) || fills * 2 > fills_alone)
            fail_msg("%s: %lld matrices filled for all together, %lld for each alone", what, (long long)fills,
                     (long long)fills_alone);
    }
    for (size_t i = TOGETHER; i-- > 0;) {
        cf_session_free(sessions[i]);
        told_close(&together[i]);
    }
    cf_model_free(m);
}

static void close_all(told *alone, asked *a)
{
    for (size_t i = 0; i < TOGETHER; i++) {
        told_close(&alone[i]);
        unask(&a[i]);
    }
}

/* ---- flows ---- */

/* As many forced ids as its place, so that they differ; fewer samples under a sanitizer: then one prompt with two
 * answers. */
static void check_flows(const sample_set *set, const loaded_model *with, bool streamed)
{
    asked a[TOGETHER];
    told alone[TOGETHER];
    for (size_t i = 0; i < TOGETHER; i++) {
        const sample *s = &set->samples[i % set->n];
        a[i] = (asked){.input = s->input, .forced = {s->first_token, 41}, .n_forced = (int32_t)i};
        ask_flows(&a[i], set, s, with->model, false);
    }
    check_all("flows", alone, a, with, streamed);
    close_all(alone, a);
}

static void samples_in_flight_together_end_as_each_does_alone(void **state)
{
    const fixture *f = *state;
    if (!not_exact_here(&f->bites_f32, "f32"))
        check_flows(&f->bites, &f->bites_f32, false);
    if (!not_exact_here(&f->bites_bf16, "bf16"))
        check_flows(&f->bites, &f->bites_bf16, false);
}

static void a_layer_that_is_read_serves_all_samples_in_flight(void **state)
{
    const fixture *f = *state;
    if (!not_exact_here(&f->bites_f32, "f32"))
        check_flows(&f->bites, &f->bites_f32, true);
    check_flows(&f->bites, &f->bites_ref, true);
}

/* ---- anything that a run can be, prompts of any length ---- */

enum { LONG = 120, MOST_IDS = 200 };

/* A sample's input cut short, as it is, and far longer; the ids at ids[MOST_IDS]. */
static cf_input input_of_length(const sample *s, int which, int32_t *ids)
{
    cf_input in = s->input;
    memcpy(ids, s->ids, (size_t)in.n_ids * sizeof *ids);
    if (which == 0)
        in.n_ids -= 7;
    for (int32_t i = 0; which == 2 && i < LONG; i++)
        ids[in.n_ids++] = 3 + i * 7 % 600;
    in.ids = ids;
    return in;
}

/* What happened in the plans of one check. */
typedef struct plan_facts {
    int64_t zero_attention, zero_mlp, cuts, n_without;
} plan_facts;

static void count_facts(plan_facts *f, const cf_plan *p)
{
    for (size_t i = 0; i < p->n_actions; i++) {
        f->zero_attention += p->actions[i].zero_attention.n > 0;
        f->zero_mlp += p->actions[i].zero_mlp.n > 0;
        f->cuts += p->actions[i].n_edges > 0;
    }
    for (size_t i = 0; i < p->n_runs; i++)
        f->n_without += !cf_run_has_number(&p->runs[i]);
}

/* The order of lengths changes with the seed, so that each stands first, between and last. */
static void check_drawn(const sample_set *set, const loaded_model *with, uint64_t seed)
{
    asked a[TOGETHER];
    told alone[TOGETHER];
    int32_t ids[TOGETHER][MOST_IDS];
    for (size_t i = 0; i < TOGETHER; i++) {
        const sample *s = &set->samples[(i + seed) % set->n];
        plan_facts facts = {0};
        a[i] = (asked){.input = input_of_length(s, (int)((i + seed) % 3), ids[i]),
                       .forced = {s->first_token, 300, 7},
                       .n_forced = 1 + (int32_t)((i + 2 * seed) % 3)};
        ask_drawn(&a[i], set, with->model, TOGETHER * seed + i, 30);
        count_facts(&facts, a[i].plan);
        count_facts(&facts, a[i].generated);
        assert_true(facts.zero_attention > 0 && facts.zero_mlp > 0 && facts.cuts > 0);
    }
    check_all("drawn runs", alone, a, with, false);
    close_all(alone, a);
}

static void any_runs_of_prompts_of_any_length_end_as_each_does_alone(void **state)
{
    const fixture *f = *state;
    const bool exact = !not_exact_here(&f->bites_f32, "f32");
    for (uint64_t seed = 0; exact && seed < 3; seed++)
        check_drawn(&f->bites, &f->bites_f32, seed);
    if (!not_exact_here(&f->bites_bf16, "bf16"))
        check_drawn(&f->bites, &f->bites_bf16, 3);
    check_drawn(&f->bites, &f->bites_ref, 4);
}

/* ---- answers of any length ---- */

/* A token that ends one answer after `after` of its tokens and is not in another at all; -1: none. *short_one, *long_one:
 * these answers. */
static int32_t find_end(const told *t, int32_t after, size_t *short_one, size_t *long_one)
{
    for (size_t i = 0; i < TOGETHER; i++)
        for (size_t j = 0; j < TOGETHER; j++) {
            const int32_t token = t[i].ids[after];
            bool early = false, other = false;
            for (int32_t k = 0; k < after; k++)
                early |= t[i].ids[k] == token;
            for (int32_t k = 0; k < NEW_TOKENS; k++)
                other |= t[j].ids[k] == token;
            *short_one = i;
            *long_one = j;
            if (!early && !other)
                return token;
        }
    return -1;
}

static int64_t count_short(const told *t)
{
    int64_t n = 0;
    for (size_t r = 0; r < GENERATED; r++)
        n += t->n_run_ids[r] < NEW_TOKENS;
    return n;
}

/* The checkpoint with one more end token. */
static loaded_model open_with_end(int32_t token, char **dir)
{
    char list[64];
    (void)snprintf(list, sizeof list, "\"eos_token_id\": [2, %d]", token);
    *dir = changed_folder("\"eos_token_id\": 2", list);
    return model_open(*dir, "cpu", CF_F32, 2);
}

static void check_ends(const fixture *f, int32_t after)
{
    asked a[TOGETHER];
    told endless[TOGETHER], alone[TOGETHER];
    int32_t ids[TOGETHER][MOST_IDS];
    size_t short_one = 0, long_one = 0;
    int64_t n_short = 0;
    char *dir = NULL;
    for (size_t i = 0; i < TOGETHER; i++) {
        const sample *s = &f->bites.samples[i % f->bites.n];
        a[i] = (asked){.input = input_of_length(s, 2 - (int)i, ids[i]), .forced = {7}, .n_forced = 1};
        ask_drawn(&a[i], &f->bites, f->bites_f32.model, 30 + i, 30);
        told_open(&endless[i], &a[i], f->bites.vocab_size);
        (void)measure_alone(&endless[i], &a[i], f->bites_f32.model);
    }
    const int32_t token = find_end(endless, after, &short_one, &long_one);
    assert_true(token >= 0);
    loaded_model m = open_with_end(token, &dir);
    check_all("an answer that ends early", alone, a, &m, false);
    assert_int_equal(alone[short_one].n_ids, after + 1);
    assert_int_equal(alone[long_one].n_ids, NEW_TOKENS);
    for (size_t i = 0; i < TOGETHER; i++) {
        assert_memory_equal(alone[i].ids, endless[i].ids, (size_t)alone[i].n_ids * sizeof *alone[i].ids);
        n_short += count_short(&alone[i]);
        told_close(&endless[i]);
    }
    assert_true(n_short > 0 && n_short < TOGETHER * GENERATED);
    close_all(alone, a);
    model_close(&m);
    temp_dir_remove(dir);
}

static void answers_that_end_early_leave_the_others_as_they_are(void **state)
{
    const fixture *f = *state;
    const bool exact = !not_exact_here(&f->bites_f32, "f32");
    for (int32_t after = 0; exact && after < 3; after++)
        check_ends(f, after);
}

/* ---- more rows than are stacked ---- */

enum { MANY_RUNS = 550 };

/* The question does not see some patches that follow each other, in some layers that do. */
static void ask_many(asked *a, const sample_set *set, const sample *s)
{
    cf_spans *keys = calloc(MANY_RUNS, sizeof *keys);
    cf_edge_run *runs = calloc(MANY_RUNS, sizeof *runs);
    assert_true(keys && runs);
    const cf_span image = s->groups.of[CF_GROUP_IMAGE].items[0];
    size_t n = 0;
    for (int32_t begin = image.begin; begin < image.end; begin++)
        for (int32_t end = begin + 1; end <= image.end; end++)
            for (int32_t first = 0; first < set->n_layers; first++)
                for (int32_t last = first + 1; last <= set->n_layers && n < MANY_RUNS; last++) {
                    OK(cf_spans_add(&keys[n], begin, end, &err));
                    runs[n] = (cf_edge_run){
                        .query = &s->groups.of[CF_GROUP_QUESTION], .key = &keys[n], .window = {first, last}};
                    n++;
                }
    for (int i = 0; i < 2; i++)
        OK(cf_plan_create_edges(i ? &a->generated : &a->plan, runs, n,
                                s->groups.length + (i ? NEW_TOKENS : a->n_forced), set->n_layers, set->n_heads, &err));
    for (size_t i = 0; i < n; i++)
        cf_spans_deinit(&keys[i]);
    free(keys);
    free(runs);
}

static void samples_of_more_rows_than_are_stacked_end_as_each_does_alone(void **state)
{
    const fixture *f = *state;
    enum { STACKED = 32768 }; /* engine/sweep.c */
    asked a[TOGETHER];
    told alone[TOGETHER];
    int64_t rows = 0, first_two = 0;
    if (not_exact_here(&f->bites_f32, "f32"))
        return;
    for (size_t i = 0; i < TOGETHER; i++) {
        const sample *s = &f->bites.samples[i % f->bites.n];
        a[i] = (asked){.input = s->input, .forced = {s->first_token}, .n_forced = (int32_t)i % 2};
        ask_many(&a[i], &f->bites, s);
        rows += cf_plan_most_rows(a[i].plan);
        first_two += i < 2 ? cf_plan_most_rows(a[i].plan) : 0;
    }
    assert_true(first_two <= STACKED && rows > STACKED);
    check_all("many rows", alone, a, &f->bites_f32, false);
    close_all(alone, a);
}

int test_together(fixture *f)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(samples_in_flight_together_end_as_each_does_alone, f),
        cmocka_unit_test_prestate(a_layer_that_is_read_serves_all_samples_in_flight, f),
        cmocka_unit_test_prestate(any_runs_of_prompts_of_any_length_end_as_each_does_alone, f),
        cmocka_unit_test_prestate(answers_that_end_early_leave_the_others_as_they_are, f),
        cmocka_unit_test_prestate(samples_of_more_rows_than_are_stacked_end_as_each_does_alone, f),
    };
    return cmocka_run_group_tests_name("together", tests, NULL, NULL);
}
