/* test_session_memory.c - allocations of a measurement (answer, lens, forcing, sweep with everything that its reader
 * may ask for, an answer under a cut), and of two samples in flight, refused one by one: CF_NOMEM, nothing leaked (the
 * sanitizer's build sees leaks), and sessions work afterwards. The `ref` backend: its memory is all asked for through
 * this program's allocator. */
#include <stdlib.h>
#include <string.h>

#include "flow_mistake.h"
#include "walk.h"

#include "engine/generate_run.h"
#include "support/fail_alloc.h"

/* All that a measurement gives, folded into one number: a bit that differs shows. */
typedef struct everything {
    uint64_t fold;
    int64_t vocab, n_scored;
} everything;

static void fold(everything *e, const void *data, size_t n)
{
    for (size_t i = 0; i < n; i++)
        e->fold = (e->fold ^ ((const unsigned char *)data)[i]) * 0x100000001b3u;
}

static void take_run(void *user, size_t run, const float *logits)
{
    everything *e = user;
    fold(e, &run, sizeof run);
    fold(e, logits, (size_t)(e->n_scored * e->vocab) * sizeof *logits);
}

static void take_entry(void *user, int64_t entry, int32_t position, const float *logits)
{
    everything *e = user;
    fold(e, &entry, sizeof entry);
    fold(e, &position, sizeof position);
    fold(e, logits, (size_t)e->vocab * sizeof *logits);
}

static void take_node(void *user, int32_t layer, int32_t node, const float *logits)
{
    take_entry(user, layer, node, logits);
}

static void take_rows(void *user, int32_t layer, int32_t node, const int32_t *pos, const float *rows, int64_t n,
                      int64_t d)
{
    everything *e = user;
    fold(e, &layer, sizeof layer);
    fold(e, &node, sizeof node);
    fold(e, pos, (size_t)n * sizeof *pos);
    fold(e, rows, (size_t)(n * d) * sizeof *rows);
}

static cf_status measure(cf_session **session, const fixture *f, const flow_sample *s, const cf_plan *plan,
                         everything *e, cf_error *err)
{
    const int32_t n_after = s->asked.n_answer - 1, length = s->base.groups.length;
    int32_t ids[MAX_ANSWER] = {0}, n = 0;
    cf_status st = CF_OK;
    *e = (everything){.vocab = f->bites.vocab_size, .n_scored = s->asked.n_answer};
    const cf_sweep_reader reader = {.user = e, .run = take_run, .lens = take_node, .tap = take_rows};
    if (!*session)
        CF_TRY(cf_session_create(session, f->bites_ref.model, true, err));
    CF_TRY(cf_session_begin(*session, &s->base.input, n_after, err));
    CF_TRY(cf_session_baseline(*session, plan->lowest, err));
    CF_TRY(cf_session_generate(*session, ids, &n, n_after, err));
    fold(e, ids, sizeof ids);
    CF_TRY(cf_session_lens(*session, length - 3, length, false, take_entry, e, err));
    CF_TRY(cf_session_force(*session, s->answer, n_after, err));
    CF_TRY(cf_sweep(*session, plan, &reader, err));
    CF_TRY(cf_session_generate_run(*session, plan, plan->n_runs - 1, ids, &n, n_after, err));
    fold(e, ids, sizeof ids);
done:
    return st;
}

static void a_measurement_refused_memory_can_be_made_again(void **state)
{
    const fixture *f = *state;
    static const char *const flows[] = {"Image Central Object->Question", "zero mlp: Last",
                                        "Image->Last#0 & Question->Last#1:3"};
    const flow_golden *g = &f->flows_bites;
    const flow_sample *s = &g->samples[0];
    const int32_t n_after = s->asked.n_answer - 1;
    cf_parts parts[COUNT(flows)] = {{0}};
    cf_span layers = {1, 3};
    const cf_spans window = {.items = &layers, .n = 1};
    cf_plan_run runs[COUNT(flows)];
    for (size_t i = 0; i < COUNT(flows); i++) {
        const flow_line line = {.flow = flow_find(g, flows[i])};
        flow_parts(&parts[i], g, s, &line, n_after, NO_MISTAKE);
        runs[i] = (cf_plan_run){&parts[i], &window};
    }
    cf_plan *plan = NULL;
    cf_session *whole = NULL;
    everything expected;
    OK(cf_plan_create(&plan, runs, COUNT(runs), s->base.groups.length + n_after, g->n_layers, g->n_heads, NULL, &err));
    OK(measure(&whole, f, s, plan, &expected, &err));
    cf_session_free(whole);
    int64_t n_refused = 0;
    bool failed = true;
    for (int64_t n = 1; failed; n++) {
        cf_session *session = NULL;
        cf_error err = {0};
        everything found;
        fail_alloc_at(n);
        cf_status st = measure(&session, f, s, plan, &found, &err);
        failed = fail_alloc_off();
        n_refused += failed;
        assert_int_equal(st, failed ? CF_NOMEM : CF_OK);
        assert_true(!failed || err.text[0]);
        if (n % 5 == 0) /* the same session, now with memory */
            st = measure(&session, f, s, plan, &found, &err);
        if (st == CF_OK)
            assert_true(found.fold == expected.fold);
        assert_true(st == CF_OK || n % 5 != 0);
        cf_session_free(session);
    }
    print_message("  %lld allocations refused in turn\n", (long long)n_refused);
    assert_true(n_refused > 100);
    for (size_t i = 0; i < COUNT(flows); i++)
        cf_parts_deinit(&parts[i]);
    cf_plan_free(plan);
}

/* ---- two in flight ---- */

enum { N_FORCED = 2, NEW_TOKENS = 3 };

/* Two samples about one picture. */
typedef struct pair {
    cf_input inputs[2];
    cf_plan *plans[2], *generated[2];
} pair;

/* The fixture's flows on two prompts with the picture of the first; cuts within it in the second. */
static void pair_open(pair *p, const fixture *f)
{
    for (size_t i = 0; i < 2; i++) {
        const sample *s = &f->bites.samples[i];
        const cf_groups *g = &s->groups;
        const cf_edge_run runs[] = {flow_run(&f->bites, s, 0, 3, 2),
                                    flow_run(&f->bites, s, 3, 3, 1),
                                    {&g->of[CF_GROUP_REST], &g->of[CF_GROUP_OBJECT], NULL, 0, {1, 3}}};
        p->inputs[i] = s->input;
        p->inputs[i].pixels = f->bites.samples[0].pixels;
        p->inputs[i].picture = 7;
        for (int more = 0; more < 2; more++)
            OK(cf_plan_create_edges(more ? &p->generated[i] : &p->plans[i], runs, 2 + i,
                                    g->length + (more ? NEW_TOKENS : N_FORCED), f->bites.n_layers, f->bites.n_heads,
                                    &err));
    }
}

static void pair_close(pair *p)
{
    for (size_t i = 0; i < 2; i++) {
        cf_plan_free(p->plans[i]);
        cf_plan_free(p->generated[i]);
    }
}

static cf_status open_two(cf_session **sessions, const cf_model *m, cf_error *err)
{
    cf_status st = CF_OK;
    if (!sessions[0])
        CF_TRY(cf_session_create(&sessions[0], m, true, err));
    if (!sessions[1])
        CF_TRY(cf_session_create_beside(&sessions[1], sessions[0], err));
done:
    return st;
}

static void close_two(cf_session **sessions)
{
    cf_session_free(sessions[1]);
    cf_session_free(sessions[0]);
}

static cf_status measure_two(cf_session **sessions, const fixture *f, const pair *p, everything *e, cf_error *err)
{
    static const int32_t forced[N_FORCED] = {41, 300};
    int32_t ids[2][NEW_TOKENS] = {{0}};
    cf_status st = CF_OK;
    *e = (everything){.vocab = f->bites.vocab_size, .n_scored = 1 + N_FORCED};
    const cf_sweep_reader reader = {.user = e, .run = take_run, .lens = take_node};
    CF_TRY(open_two(sessions, f->bites_ref.model, err));
    cf_baseline_task baselines[2];
    cf_generate_task answers[2];
    cf_force_task force[2];
    cf_sweep_task sweeps[2];
    cf_generate_run_task runs[2];
    for (size_t i = 0; i < 2; i++) {
        CF_TRY(cf_session_begin(sessions[i], &p->inputs[i], NEW_TOKENS, err));
        baselines[i] = (cf_baseline_task){sessions[i], p->plans[i]->lowest};
        answers[i] = (cf_generate_task){sessions[i], ids[i], 0};
        force[i] = (cf_force_task){sessions[i], forced, N_FORCED};
        sweeps[i] = (cf_sweep_task){sessions[i], p->plans[i], &reader};
        runs[i] = (cf_generate_run_task){sessions[i], p->generated[i], p->plans[i]->n_runs - 1, ids[i], 0};
    }
    CF_TRY(cf_sessions_baseline(baselines, 2, err));
    CF_TRY(cf_sessions_generate(answers, 2, NEW_TOKENS, err));
    fold(e, ids, sizeof ids);
    CF_TRY(cf_sessions_force(force, 2, err));
    CF_TRY(cf_sweeps(sweeps, 2, err));
    CF_TRY(cf_sessions_generate_run(runs, 2, NEW_TOKENS, err));
    fold(e, ids, sizeof ids);
done:
    return st;
}

/* Whether the n'th allocation was asked for, and refused. */
static bool refused(cf_session **sessions, const fixture *f, const pair *p, int64_t n, const everything *expected)
{
    cf_error err = {0};
    everything found;
    fail_alloc_at(n);
    const cf_status st = measure_two(sessions, f, p, &found, &err);
    const bool failed = fail_alloc_off();
    assert_int_equal(st, failed ? CF_NOMEM : CF_OK);
    assert_true(failed ? err.text[0] != '\0' : found.fold == expected->fold);
    return failed;
}

static void check_two(cf_session **sessions, const fixture *f, const pair *p, const everything *expected)
{
    everything found;
    OK(measure_two(sessions, f, p, &found, &err));
    assert_true(found.fold == expected->fold);
}

/* Each time from nothing; and always in the same sessions, with what a failure has left in them. */
static void samples_in_flight_refused_memory_can_be_measured_again(void **state)
{
    const fixture *f = *state;
    pair p;
    everything expected;
    cf_session *whole[2] = {NULL}, *used[2] = {NULL};
    int64_t n = 1, n_used = 1;
    pair_open(&p, f);
    OK(measure_two(whole, f, &p, &expected, &err));
    close_two(whole);
    for (bool more = true; more; n += 2) {
        cf_session *fresh[2] = {NULL};
        more = refused(fresh, f, &p, n, &expected);
        if (n % 15 == 0)
            check_two(fresh, f, &p, &expected);
        close_two(fresh);
    }
    OK(open_two(used, f->bites_ref.model, &err));
    for (bool more = true; more; n_used += 3) {
        more = refused(used, f, &p, n_used, &expected);
        if (n_used % 7 == 0)
            check_two(used, f, &p, &expected);
    }
    print_message("  every second of %lld allocations refused, and every third of %lld\n", (long long)n - 3,
                  (long long)n_used - 4);
    assert_true(n > 200 && n_used > 100);
    close_two(used);
    pair_close(&p);
}

static void an_oracle_refused_memory_gives_nothing(void **state)
{
    const fixture *f = *state;
    const sample *s = &f->bites.samples[0];
    const uint64_t heads = 3;
    oracle_edge cut;
    oracle_edge_init(&cut,
                     &(cf_edge_run){&s->groups.of[CF_GROUP_LAST], &s->groups.of[CF_GROUP_IMAGE], &heads, 1, {0, 2}});
    float logits[656];
    bool failed = true;
    int64_t n_refused = 0;
    for (int64_t n = 1; failed; n++) {
        fail_alloc_at(n);
        const cf_status st = cf_oracle_logits(f->bites_ref.model, &s->input, &cut.run, logits, NULL, NULL, NULL, NULL);
        failed = fail_alloc_off();
        n_refused += failed;
        assert_int_equal(st, failed ? CF_NOMEM : CF_OK);
    }
    assert_true(n_refused > 20);
}

int test_session_memory(fixture *f)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(a_measurement_refused_memory_can_be_made_again, f),
        cmocka_unit_test_prestate(samples_in_flight_refused_memory_can_be_measured_again, f),
        cmocka_unit_test_prestate(an_oracle_refused_memory_gives_nothing, f),
    };
    return cmocka_run_group_tests_name("session_memory", tests, NULL, NULL);
}
