/* test_generation.c - what the model says in a knocked-out run: against transformers, which computes the whole
 * sequence anew for each token, and against the oracle, which does so too. And that the session is as it was
 * afterwards. */
#include <stdlib.h>
#include <string.h>

#include "flow_parity.h"
#include "engine/generate_run.h"
#include "walk.h"

enum { NEW_TOKENS = 5, MAX_LINES = 8, MAX_GENERATED = 24 };

/* The runs of a sample's table, all in one plan over the prompt and n_after positions. */
typedef struct generation {
    cf_parts parts[MAX_LINES];
    cf_spans windows[MAX_GENERATED];
    const cf_json *expected[MAX_GENERATED]; /* ids */
    cf_plan *plan;
    cf_plan_run runs[MAX_GENERATED];
    size_t n_lines, n;
} generation;

static void open_generation(generation *x, const flow_golden *g, const flow_sample *s, int32_t n_after, flow_mistake m)
{
    memset(x, 0, sizeof *x);
    const cf_json *table = cf_json_get(s->base.record, "generate");
    for (const cf_json *line = cf_json_first(table); line; line = cf_json_next(line), x->n_lines++) {
        assert_true(x->n_lines < MAX_LINES);
        const flow_line l = flow_line_read(g, line);
        flow_parts(&x->parts[x->n_lines], g, s, &l, n_after, m);
        const cf_json *ids = cf_json_first(cf_json_get(line, "ids"));
        for (const cf_json *c = cf_json_first(l.centres); c; c = cf_json_next(c), x->n++) {
            assert_true(x->n < MAX_GENERATED);
            flow_window(&x->windows[x->n], g, &l, json_whole(c), NO_MISTAKE);
            x->runs[x->n] = (cf_plan_run){&x->parts[x->n_lines], &x->windows[x->n]};
            x->expected[x->n] = ids;
            ids = cf_json_next(ids);
        }
    }
    OK(cf_plan_create(&x->plan, x->runs, x->n, s->base.groups.length + n_after, g->n_layers, g->n_heads, NULL, &err));
}

static void close_generation(generation *x)
{
    for (size_t i = 0; i < x->n_lines; i++)
        cf_parts_deinit(&x->parts[i]);
    for (size_t i = 0; i < x->n; i++)
        cf_spans_deinit(&x->windows[i]);
    cf_plan_free(x->plan);
}

static bool same_ids(const int32_t *ids, int32_t n, const cf_json *expected)
{
    if (n != cf_json_count(expected))
        return false;
    for (int32_t i = 0; i < n; i++)
        if (ids[i] != json_whole(json_at(expected, i)))
            return false;
    return true;
}

/* How many of the sample's runs say something else than transformers. */
static int64_t count_other(const flow_golden *g, const flow_sample *s, cf_session *session, flow_mistake m, int64_t *n)
{
    generation x;
    int64_t n_other = 0;
    open_generation(&x, g, s, NEW_TOKENS, m);
    OK(cf_session_begin(session, &s->base.input, NEW_TOKENS, &err));
    OK(cf_session_baseline(session, x.plan->lowest, &err));
    for (size_t i = 0; i < x.n; i++) {
        int32_t ids[NEW_TOKENS] = {0}, n_ids = 0;
        OK(cf_session_generate_run(session, x.plan, i, ids, &n_ids, NEW_TOKENS, &err));
        n_other += !same_ids(ids, n_ids, x.expected[i]);
    }
    *n += (int64_t)x.n;
    close_generation(&x);
    return n_other;
}

static int64_t count_all_other(const flow_golden *g, const loaded_model *m, flow_mistake mistake, int64_t *n)
{
    cf_session *session = NULL;
    int64_t n_other = 0;
    OK(cf_session_create(&session, m->model, false, &err));
    for (size_t i = 0; i < g->n; i++)
        n_other += count_other(g, &g->samples[i], session, mistake, n);
    cf_session_free(session);
    return n_other;
}

static void check_generation(const flow_golden *g, const loaded_model *m)
{
    int64_t n = 0;
    const int64_t n_other = count_all_other(g, m, NO_MISTAKE, &n);
    print_message("  %s on %s, %zu of %zu samples: %lld answers, all of transformers'\n", g->name,
                  model_backend_name(m), g->n, g->n_all, (long long)n);
    assert_true(n > 0);
    assert_int_equal(n_other, 0);
}

static void answers_under_a_cut_are_those_of_transformers(void **state)
{
    const fixture *f = *state;
    check_generation(&f->flows_bites, &f->bites_f32);
    check_generation(&f->flows_demo, &f->demo_f32);
}

static void answers_without_the_cut_are_others(void **state)
{
    const fixture *f = *state;
    static const flow_mistake mistakes[] = {NOTHING_DONE, FORCED_POSITIONS_ARE_NOT_LAST};
    for (size_t i = 0; i < COUNT(mistakes); i++) {
        int64_t n = 0;
        const int64_t n_other = count_all_other(&f->flows_bites, &f->bites_f32, mistakes[i], &n);
        print_message("  %-36s %lld of %lld answers are others\n", flow_mistake_name(mistakes[i]), (long long)n_other,
                      (long long)n);
        assert_true(n_other > 0);
    }
}

/* ---- exactness ---- */

typedef struct swept { /* logits of a walk, as one array */
    float *logits;
    size_t n;
} swept;

static void add_run(void *user, size_t run, const float *logits)
{
    swept *w = user;
    (void)memcpy(w->logits + run * w->n, logits, w->n * sizeof *logits);
}

static float *sweep_all(cf_session *session, const cf_plan *plan, const flow_golden *g, const flow_sample *s)
{
    const int32_t n_after = s->asked.n_answer - 1;
    swept w = {.n = (size_t)s->asked.n_answer * (size_t)g->vocab_size};
    w.logits = calloc(plan->n_runs * w.n, sizeof *w.logits);
    assert_non_null(w.logits);
    OK(cf_session_force(session, s->answer, n_after, &err));
    OK(cf_sweep(session, plan, &(cf_sweep_reader){.user = &w, .run = add_run}, &err));
    return w.logits;
}

/* Sweeps before and after generating in every run, and after generating the baseline's answer. */
static void check_restored(const flow_golden *g, const loaded_model *m, const flow_sample *s)
{
    generation x, scored;
    cf_session *session = NULL;
    int32_t ids[NEW_TOKENS], n_ids = 0, plain[NEW_TOKENS], n_plain = 0;
    open_generation(&x, g, s, NEW_TOKENS, NO_MISTAKE);
    open_generation(&scored, g, s, s->asked.n_answer - 1, NO_MISTAKE);
    const cf_plan *plan = scored.plan;
    const size_t bytes = plan->n_runs * (size_t)s->asked.n_answer * (size_t)g->vocab_size * sizeof(float);
    OK(cf_session_create(&session, m->model, false, &err));
    OK(cf_session_begin(session, &s->base.input, NEW_TOKENS, &err));
    OK(cf_session_baseline(session, x.plan->lowest, &err));
    OK(cf_session_generate(session, plain, &n_plain, NEW_TOKENS, &err));
    float *before = sweep_all(session, plan, g, s);
    for (size_t i = 0; i < x.n; i++) {
        OK(cf_session_generate_run(session, x.plan, i, ids, &n_ids, NEW_TOKENS, &err));
        assert_true(same_ids(ids, n_ids, x.expected[i]));
        float *after = i % 3 == 0 ? sweep_all(session, plan, g, s) : NULL;
        assert_true(!after || memcmp(before, after, bytes) == 0);
        free(after);
    }
    OK(cf_session_generate(session, ids, &n_ids, NEW_TOKENS, &err));
    assert_true(n_ids == n_plain && memcmp(ids, plain, (size_t)n_ids * sizeof *ids) == 0);
    float *after = sweep_all(session, plan, g, s);
    assert_memory_equal(before, after, bytes);
    free(after);
    free(before);
    close_generation(&x);
    close_generation(&scored);
    cf_session_free(session);
}

static void after_generating_a_sweep_gives_the_same_bits(void **state)
{
    const fixture *f = *state;
    if (not_exact_here(&f->bites_f32, "f32"))
        return;
    for (size_t i = 0; i < f->flows_bites.n; i += 3)
        check_restored(&f->flows_bites, &f->bites_f32, &f->flows_bites.samples[i]);
}

/* The next question about a picture takes rows that a run within the picture had overwritten. */
static void a_prefix_that_a_run_overwrote_is_shared_again(void **state)
{
    const fixture *f = *state;
    const flow_golden *g = &f->flows_bites;
    const loaded_model *models[] = {&f->bites_f32, &f->bites_bf16};
    const sample *s = &g->samples[0].base;
    const size_t bytes = (size_t)g->vocab_size * sizeof(float);
    const cf_edge_run run = {&s->groups.of[CF_GROUP_OBJECT], &s->groups.of[CF_GROUP_REST], NULL, 0, {1, 3}};
    cf_input input = s->input;
    cf_plan *plan = NULL;
    float *logits = malloc(bytes);
    assert_non_null(logits);
    input.picture = 7;
    OK(cf_plan_create_edges(&plan, &run, 1, s->groups.length + NEW_TOKENS, g->n_layers, g->n_heads, &err));
    assert_true(plan->lowest < s->groups.of[CF_GROUP_IMAGE].items[0].end);
    for (size_t m = 0; m < COUNT(models); m++) {
        cf_session *session = NULL;
        int32_t ids[NEW_TOKENS], n_ids = 0;
        if (not_exact_here(models[m], m ? "bf16" : "f32"))
            continue;
        OK(cf_session_create(&session, models[m]->model, true, &err));
        OK(cf_session_begin(session, &input, NEW_TOKENS, &err));
        OK(cf_session_baseline(session, plan->lowest, &err));
        memcpy(logits, cf_session_logits(session), bytes);
        const int64_t whole = cf_session_decoder_macs(session);
        OK(cf_session_generate_run(session, plan, 0, ids, &n_ids, NEW_TOKENS, &err));
        const int64_t before = cf_session_decoder_macs(session);
        OK(cf_session_begin(session, &input, NEW_TOKENS, &err));
        OK(cf_session_baseline(session, s->groups.length, &err));
        assert_true(cf_session_decoder_macs(session) - before < whole);
        assert_memory_equal(logits, cf_session_logits(session), bytes);
        cf_session_free(session);
    }
    free(logits);
    cf_plan_free(plan);
}

/* Each token is the most probable one of a pass from scratch over the prompt and the tokens before it. */
static void each_token_is_the_oracles(void **state)
{
    const fixture *f = *state;
    const flow_golden *g = &f->flows_bites;
    const loaded_model *m = &f->bites_f32;
    int64_t n_tokens = 0;
    cf_session *session = NULL;
    if (not_exact_here(m, "f32"))
        return;
    float *logits = malloc((size_t)(NEW_TOKENS * g->vocab_size) * sizeof *logits);
    assert_non_null(logits);
    OK(cf_session_create(&session, m->model, false, &err));
    for (size_t i = 0; i < g->n; i += 2) {
        const flow_sample *s = &g->samples[i];
        generation x;
        open_generation(&x, g, s, NEW_TOKENS, NO_MISTAKE);
        OK(cf_session_begin(session, &s->base.input, NEW_TOKENS, &err));
        OK(cf_session_baseline(session, 0, &err));
        for (size_t r = 0; r < x.n; r++) {
            int32_t ids[NEW_TOKENS], n = 0;
            OK(cf_session_generate_run(session, x.plan, r, ids, &n, NEW_TOKENS, &err));
            const cf_oracle_run run = {x.runs[r].parts, x.runs[r].window, ids, n - 1};
            OK(cf_oracle_logits(m->model, &s->base.input, &run, logits, NULL, NULL, NULL, &err));
            for (int32_t k = 0; k < n; k++)
                assert_int_equal(ids[k], cf_argmax(logits + k * g->vocab_size, g->vocab_size));
            n_tokens += n;
        }
        close_generation(&x);
    }
    print_message("  %lld tokens\n", (long long)n_tokens);
    free(logits);
    cf_session_free(session);
}

int test_generation(fixture *f)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(answers_under_a_cut_are_those_of_transformers, f),
        cmocka_unit_test_prestate(answers_without_the_cut_are_others, f),
        cmocka_unit_test_prestate(after_generating_a_sweep_gives_the_same_bits, f),
        cmocka_unit_test_prestate(a_prefix_that_a_run_overwrote_is_shared_again, f),
        cmocka_unit_test_prestate(each_token_is_the_oracles, f),
    };
    return cmocka_run_group_tests_name("generation", tests, NULL, NULL);
}
