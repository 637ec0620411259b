/* test_together.c - samples in flight together: each ends with the bits it has alone, and layers that are not in memory are
 * read once for all of them. */
#include <stdlib.h>
#include <string.h>

#include "engine/generate_run.h"
#include "walk.h"

enum { TOGETHER = 3, NEW_TOKENS = 6, MAX_RUNS = N_FLOWS * 16, GENERATED = 5 };

/* What is asked of a sample: all runs of six flows, over its prompt and n_forced ids after it. */
typedef struct asked {
    const sample *s;
    cf_edge_run runs[MAX_RUNS];
    size_t n_runs;
    int32_t forced[2], n_forced; /* as many as its place, so that they differ */
    cf_plan *plan, *generated;   /* the second over NEW_TOKENS positions after the prompt */
} asked;

/* What its session gives. */
typedef struct told {
    float *baseline; /* [V] */
    int32_t ids[NEW_TOKENS], n_ids;
    float *logits; /* [n_runs, 1 + n_forced, V], as the sweep brought them */
    size_t row;    /* (1 + n_forced) * V */
    int32_t run_ids[GENERATED][NEW_TOKENS], n_run_ids[GENERATED];
} told;

static void ask(asked *a, const sample_set *set, size_t place)
{
    const sample *s = &set->samples[place % set->n]; /* fewer under a sanitizer: then one prompt with two answers */
    *a = (asked){.s = s, .forced = {s->first_token, 41}, .n_forced = (int32_t)place};
    for (size_t f = 0; f < N_FLOWS; f++)
        for (int32_t c = 0; c < set->n_layers; c++)
            a->runs[a->n_runs++] = flow_run(set, s, f, 3, c);
    for (int i = 0; i < 2; i++)
        OK(cf_plan_create_edges(i ? &a->generated : &a->plan, a->runs, a->n_runs,
                                s->groups.length + (i ? NEW_TOKENS : a->n_forced), set->n_layers, set->n_heads, &err));
}

static void unask(asked *a)
{
    cf_plan_free(a->plan);
    cf_plan_free(a->generated);
}

static void open_told(told *t, const asked *a, int64_t vocab)
{
    *t = (told){.row = (size_t)((1 + a->n_forced) * vocab)};
    t->baseline = calloc((size_t)vocab, sizeof(float));
    t->logits = calloc(a->n_runs * t->row, sizeof(float));
    assert_true(t->baseline && t->logits);
}

static void close_told(told *t)
{
    free(t->baseline);
    free(t->logits);
}

static void take_run(void *user, size_t run, const float *logits)
{
    const told *t = user;
    memcpy(t->logits + run * t->row, logits, t->row * sizeof *logits);
}

/* Everything that walks over the layers, for n samples at a time: sessions[n]. */
static void measure(told *out, const asked *a, cf_session **sessions, size_t n)
{
    cf_baseline_task baselines[TOGETHER];
    cf_generate_task answers[TOGETHER];
    cf_force_task force[TOGETHER];
    cf_sweep_reader readers[TOGETHER];
    cf_sweep_task sweeps[TOGETHER];
    cf_generate_run_task runs[TOGETHER];
    for (size_t i = 0; i < n; i++) {
        OK(cf_session_begin(sessions[i], &a[i].s->input, NEW_TOKENS, &err));
        baselines[i] = (cf_baseline_task){sessions[i], a[i].plan->lowest};
        answers[i] = (cf_generate_task){sessions[i], out[i].ids, 0};
        force[i] = (cf_force_task){sessions[i], a[i].forced, a[i].n_forced};
        readers[i] = (cf_sweep_reader){.user = &out[i], .run = take_run};
        sweeps[i] = (cf_sweep_task){sessions[i], a[i].plan, &readers[i]};
    }
    OK(cf_sessions_baseline(baselines, n, &err));
    OK(cf_sessions_generate(answers, n, NEW_TOKENS, &err));
    for (size_t i = 0; i < n; i++) {
        const float *logits = cf_session_logits(sessions[i]);
        memcpy(out[i].baseline, logits, out[i].row / (size_t)(1 + a[i].n_forced) * sizeof *logits);
        out[i].n_ids = answers[i].n;
    }
    OK(cf_sessions_force(force, n, &err));
    OK(cf_sweeps(sweeps, n, &err));
    for (size_t r = 0; r < GENERATED; r++) {
        for (size_t i = 0; i < n; i++) { /* another run of each sample; some of them are the baseline */
            const size_t run = (r * 7 + (size_t)a[i].n_forced) % a[i].n_runs;
            runs[i] = (cf_generate_run_task){sessions[i], a[i].generated, run, out[i].run_ids[r], 0};
        }
        OK(cf_sessions_generate_run(runs, n, NEW_TOKENS, &err));
        for (size_t i = 0; i < n; i++)
            out[i].n_run_ids[r] = runs[i].n;
    }
}

static void check_same(const asked *a, const told *x, const told *y, size_t place)
{
    const size_t vocab = x->row / (size_t)(1 + a->n_forced);
    if (memcmp(x->baseline, y->baseline, vocab * sizeof(float)) != 0)
        fail_msg("sample %zu: other logits", place);
    if (x->n_ids != y->n_ids || memcmp(x->ids, y->ids, sizeof x->ids) != 0)
        fail_msg("sample %zu: another answer", place);
    for (size_t r = 0; r < a->n_runs; r++)
        if (memcmp(x->logits + r * x->row, y->logits + r * y->row, x->row * sizeof(float)) != 0)
            fail_msg("sample %zu: other logits in run %zu", place, r);
    for (size_t r = 0; r < GENERATED; r++)
        if (x->n_run_ids[r] != y->n_run_ids[r] || memcmp(x->run_ids[r], y->run_ids[r], sizeof x->run_ids[r]) != 0)
            fail_msg("sample %zu: another answer in generated run %zu", place, r);
}

/* streamed: no layer stays in memory. */
static void check_together(const sample_set *set, const loaded_model *with, bool streamed)
{
    asked a[TOGETHER];
    told alone[TOGETHER], together[TOGETHER];
    cf_session *sessions[TOGETHER] = {0};
    cf_model *m = NULL;
    int64_t fills_alone = 0, fills_together = 0;
    OK(cf_model_load(&m, with->be, with->checkpoint, streamed ? 1 : 0, &err));
    for (size_t i = 0; i < TOGETHER; i++) {
        const int64_t before = cf_backend_counters(with->be).weight_fills;
        ask(&a[i], set, i);
        open_told(&alone[i], &a[i], set->vocab_size);
        open_told(&together[i], &a[i], set->vocab_size);
        OK(cf_session_create(&sessions[0], m, false, &err));
        measure(&alone[i], &a[i], sessions, 1);
        cf_session_free(sessions[0]);
        fills_alone += cf_backend_counters(with->be).weight_fills - before;
    }
    OK(cf_session_create(&sessions[0], m, false, &err));
    for (size_t i = 1; i < TOGETHER; i++)
        OK(cf_session_create_beside(&sessions[i], sessions[0], &err));
    for (int twice = 0; twice < 2; twice++) {
        const int64_t before = cf_backend_counters(with->be).weight_fills;
        measure(together, a, sessions, TOGETHER);
        fills_together = cf_backend_counters(with->be).weight_fills - before;
        for (size_t i = 0; i < TOGETHER; i++)
            check_same(&a[i], &alone[i], &together[i], i);
    }
    assert_true(streamed == (fills_alone > 0));
    if (streamed && (fills_together == 0 || fills_together * 2 > fills_alone))
        fail_msg("%lld matrices filled for all together, %lld for each alone", (long long)fills_together,
                 (long long)fills_alone);
    for (size_t i = TOGETHER; i-- > 0;) {
        cf_session_free(sessions[i]);
        unask(&a[i]);
        close_told(&alone[i]);
        close_told(&together[i]);
    }
    cf_model_free(m);
}

static void samples_in_flight_together_end_as_each_does_alone(void **state)
{
    const fixture *f = *state;
    check_together(&f->bites, &f->bites_f32, false);
    if (f->bites_bf16.model)
        check_together(&f->bites, &f->bites_bf16, false);
}

static void a_layer_that_is_read_serves_all_samples_in_flight(void **state)
{
    const fixture *f = *state;
    check_together(&f->bites, &f->bites_f32, true);
    check_together(&f->bites, &f->bites_ref, true);
}

int test_together(fixture *f)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(samples_in_flight_together_end_as_each_does_alone, f),
        cmocka_unit_test_prestate(a_layer_that_is_read_serves_all_samples_in_flight, f),
    };
    return cmocka_run_group_tests_name("together", tests, NULL, NULL);
}
