/* test_session_memory.c - allocations of a measurement refused one by one: CF_NOMEM, nothing leaked (the sanitizer's build sees leaks), and the session works
 * afterwards. The `ref` backend: its memory is all asked for through this program's allocator. */
#include <stdlib.h>
#include <string.h>

#include "walk.h"

#include "support/fail_alloc.h"

static void look(void *user, int64_t entry, int32_t position, const float *logits)
{
    (void)user, (void)entry, (void)position, (void)logits;
}

static void keep_first(void *user, size_t run, const float *logits)
{
    ((double *)user)[run] = (double)logits[0];
}

static cf_status measure(cf_session **session, const fixture *f, const cf_plan *plan, double *probability,
                         cf_error *err)
{
    const sample *s = &f->bites.samples[0];
    int32_t ids[2], n = 0;
    cf_status st = CF_OK;
    if (!*session)
        CF_TRY(cf_session_create(session, f->bites_ref.model, true, err));
    CF_TRY(cf_session_begin(*session, &s->input, 2, err));
    CF_TRY(cf_session_baseline(*session, plan->lowest, err));
    CF_TRY(cf_session_generate(*session, ids, &n, 2, err));
    CF_TRY(cf_session_lens(*session, s->groups.length - 1, s->groups.length, false, look, NULL, err));
    CF_TRY(cf_sweep(*session, plan, &(cf_sweep_reader){.user = probability, .run = keep_first}, err));
done:
    return st;
}

static void a_measurement_refused_memory_can_be_made_again(void **state)
{
    const fixture *f = *state;
    const sample *s = &f->bites.samples[0];
    const cf_edge_run runs[] = {{&s->groups.of[CF_GROUP_LAST], &s->groups.of[CF_GROUP_IMAGE], NULL, 0, {0, 2}},
                                {&s->groups.of[CF_GROUP_QUESTION], &s->groups.of[CF_GROUP_OBJECT], NULL, 0, {1, 3}}};
    cf_plan *plan = NULL;
    cf_session *whole = NULL;
    double expected[2];
    OK(cf_plan_create_edges(&plan, runs, 2, s->groups.length, f->bites.n_layers, f->bites.n_heads, &err));
    OK(measure(&whole, f, plan, expected, &err));
    cf_session_free(whole);
    int64_t n_refused = 0;
    bool failed = true;
    for (int64_t n = 1; failed; n++) {
        cf_session *session = NULL;
        cf_error err = {0};
        double found[2] = {-1, -1};
        fail_alloc_at(n);
        cf_status st = measure(&session, f, plan, found, &err);
        failed = fail_alloc_off();
        n_refused += failed;
        assert_int_equal(st, failed ? CF_NOMEM : CF_OK);
        assert_true(!failed || err.text[0]);
        if (n % 5 == 0) /* the same session, now with memory */
            st = measure(&session, f, plan, found, &err);
        if (st == CF_OK)
            assert_memory_equal(found, expected, sizeof found);
        assert_true(st == CF_OK || n % 5 != 0);
        cf_session_free(session);
    }
    print_message("  %lld allocations refused in turn\n", (long long)n_refused);
    assert_true(n_refused > 40);
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
