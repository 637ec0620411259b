/* test_session_memory.c - allocations of a measurement (answer, lens, forcing, sweep with everything that its reader
 * may ask for, an answer under a cut) refused one by one: CF_NOMEM, nothing leaked (the sanitizer's build sees
 * leaks), and the session works afterwards. The `ref` backend: its memory is all asked for through this program's
 * allocator. */
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
        cmocka_unit_test_prestate(an_oracle_refused_memory_gives_nothing, f),
    };
    return cmocka_run_group_tests_name("session_memory", tests, NULL, NULL);
}
