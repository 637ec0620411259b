/* test_runs_at_once.c - a reader that takes runs from several threads gets what one gets that takes them in turns. */
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "walk.h"

enum { MAX_RUNS = N_FLOWS * 16, FORCED = 2 };

typedef struct given {
    int64_t row;    /* n_scored * V */
    float *logits;  /* [n_runs, row] */
    int *times;     /* [n_runs] */
    int n_parallel; /* runs given by a team of threads */
} given;

static void take_run(void *user, size_t run, const float *logits)
{
    given *g = user;
    memcpy(g->logits + (int64_t)run * g->row, logits, (size_t)g->row * sizeof *logits);
    g->times[run]++;
    const int parallel = omp_in_parallel();
#pragma omp atomic
    g->n_parallel += parallel;
}

static given sweep_runs(const loaded_model *m, const sample *s, const cf_plan *plan, const int32_t *forced,
                        int32_t n_forced, bool at_once)
{
    given g = {.row = (1 + n_forced) * cf_model_config(m->model)->text.vocab_size};
    g.logits = calloc(plan->n_runs * (size_t)g.row, sizeof *g.logits);
    g.times = calloc(plan->n_runs, sizeof *g.times);
    assert_true(g.logits && g.times);
    cf_session *session = NULL;
    OK(cf_session_create(&session, m->model, false, &err));
    OK(cf_session_begin(session, &s->input, n_forced, &err));
    OK(cf_session_baseline(session, plan->lowest, &err));
    OK(cf_session_force(session, forced, n_forced, &err));
    OK(cf_sweep(session, plan, &(cf_sweep_reader){.user = &g, .run = take_run, .runs_at_once = at_once}, &err));
    cf_session_free(session);
    return g;
}

static void check_alike(const loaded_model *m, const sample_set *set, int32_t n_forced)
{
    const sample *s = &set->samples[0];
    const int32_t forced[FORCED] = {s->first_token, 41};
    cf_edge_run runs[MAX_RUNS];
    cf_plan *plan = NULL;
    size_t n = 0;
    for (size_t f = 0; f < N_FLOWS; f++)
        for (int32_t c = 0; c < set->n_layers; c++)
            runs[n++] = flow_run(set, s, f, 3, c);
    OK(cf_plan_create_edges(&plan, runs, n, s->groups.length + n_forced, set->n_layers, set->n_heads, &err));
    given in_turns = sweep_runs(m, s, plan, forced, n_forced, false);
    given at_once = sweep_runs(m, s, plan, forced, n_forced, true);
    assert_int_equal(in_turns.n_parallel, 0);
    assert_true(omp_get_max_threads() == 1 || at_once.n_parallel > (int)n / 4); /* the others are the baseline */
    for (size_t i = 0; i < n; i++)
        if (in_turns.times[i] != at_once.times[i] || in_turns.times[i] != cf_run_has_number(&plan->runs[i]) ||
            memcmp(in_turns.logits + (int64_t)i * at_once.row, at_once.logits + (int64_t)i * at_once.row,
                   (size_t)at_once.row * sizeof(float)) != 0)
            fail_msg("%d forced, run %zu: given %d times in turns, %d at once, or other logits", n_forced, i,
                     in_turns.times[i], at_once.times[i]);
    free(in_turns.logits);
    free(in_turns.times);
    free(at_once.logits);
    free(at_once.times);
    cf_plan_free(plan);
}

/* With positions forced, leaves have several rows; some of them stand in two blocks. */
static void runs_given_at_once_are_those_given_in_turns(void **state)
{
    const fixture *f = *state;
    for (int32_t n_forced = 0; n_forced <= FORCED; n_forced++)
        check_alike(&f->bites_f32, &f->bites, n_forced);
}

int test_runs_at_once(fixture *f)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(runs_given_at_once_are_those_given_in_turns, f),
    };
    return cmocka_run_group_tests_name("runs at once", tests, NULL, NULL);
}
