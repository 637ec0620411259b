/* together.c - see together.h. */
#include "together.h"

#include <stdlib.h>
#include <string.h>

#include "engine/generate_run.h"
#include "walk.h"

enum { MOST_RUNS = N_FLOWS * 16 + 1 };

/* ---- questions ---- */

void ask_flows(asked *a, const sample_set *set, const sample *s, const cf_model *m, bool within)
{
    const int32_t length = cf_input_length(m, &a->input);
    cf_edge_run runs[MOST_RUNS];
    size_t n = 0;
    for (size_t f = 0; f < N_FLOWS; f++)
        for (int32_t c = 0; c < set->n_layers; c++)
            runs[n++] = flow_run(set, s, f, 3, c);
    if (within) /* later rows of the picture do not see earlier ones */
        runs[n++] = (cf_edge_run){&s->groups.of[CF_GROUP_REST], &s->groups.of[CF_GROUP_OBJECT], NULL, 0, {1, 3}};
    for (int i = 0; i < 2; i++)
        OK(cf_plan_create_edges(i ? &a->generated : &a->plan, runs, n, length + (i ? NEW_TOKENS : a->n_forced),
                                set->n_layers, set->n_heads, &err));
}

void ask_drawn(asked *a, const sample_set *set, const cf_model *m, uint64_t seed, size_t n)
{
    for (int i = 0; i < 2; i++) {
        const int32_t length = cf_input_length(m, &a->input) + (i ? NEW_TOKENS : a->n_forced);
        drawn_runs *r = runs_draw(set, length, a->forced, a->n_forced, 2 * seed + (uint64_t)i);
        OK(cf_plan_create(i ? &a->generated : &a->plan, r->planned, n < N_DRAWN ? n : N_DRAWN, length, set->n_layers,
                          set->n_heads, NULL, &err));
        runs_free(r);
    }
}

void unask(asked *a)
{
    cf_plan_free(a->plan);
    cf_plan_free(a->generated);
    a->plan = a->generated = NULL;
}

/* ---- answers ---- */

void told_open(told *t, const asked *a, int64_t vocab)
{
    *t = (told){.row = (size_t)((1 + a->n_forced) * vocab)};
    t->baseline = calloc((size_t)vocab, sizeof(float));
    t->logits = calloc(a->plan->n_runs * t->row, sizeof(float));
    assert_true(t->baseline && t->logits);
}

void told_close(told *t)
{
    free(t->baseline);
    free(t->logits);
}

static void take_run(void *user, size_t run, const float *logits)
{
    const told *t = user;
    memcpy(t->logits + run * t->row, logits, t->row * sizeof *logits);
}

static int64_t baseline(told *const *out, const asked *a, cf_session *const *sessions, size_t n)
{
    cf_baseline_task tasks[MOST_TOGETHER];
    for (size_t i = 0; i < n; i++) {
        const int32_t lowest = a[i].plan->lowest, other = a[i].generated->lowest;
        tasks[i] = (cf_baseline_task){sessions[i], lowest < other ? lowest : other};
    }
    const int64_t before = cf_session_decoder_macs(sessions[0]);
    OK(cf_sessions_baseline(tasks, n, &err));
    for (size_t i = 0; i < n; i++)
        memcpy(out[i]->baseline, cf_session_logits(sessions[i]),
               out[i]->row / (size_t)(1 + a[i].n_forced) * sizeof(float));
    return cf_session_decoder_macs(sessions[0]) - before;
}

static void answer(told *const *out, cf_session *const *sessions, size_t n)
{
    cf_generate_task tasks[MOST_TOGETHER];
    for (size_t i = 0; i < n; i++)
        tasks[i] = (cf_generate_task){sessions[i], out[i]->ids, 0};
    OK(cf_sessions_generate(tasks, n, NEW_TOKENS, &err));
    for (size_t i = 0; i < n; i++)
        out[i]->n_ids = tasks[i].n;
}

static void sweep(told *const *out, const asked *a, cf_session *const *sessions, size_t n)
{
    cf_force_task force[MOST_TOGETHER];
    cf_sweep_reader readers[MOST_TOGETHER];
    cf_sweep_task tasks[MOST_TOGETHER];
    for (size_t i = 0; i < n; i++) {
        force[i] = (cf_force_task){sessions[i], a[i].forced, a[i].n_forced};
        readers[i] = (cf_sweep_reader){.user = out[i], .run = take_run};
        tasks[i] = (cf_sweep_task){sessions[i], a[i].plan, &readers[i]};
    }
    OK(cf_sessions_force(force, n, &err));
    OK(cf_sweeps(tasks, n, &err));
}

/* The first run from `run` on that has a number. */
static size_t with_number(const cf_plan *p, size_t run)
{
    for (size_t i = 0; i < p->n_runs; i++)
        if (cf_run_has_number(&p->runs[(run + i) % p->n_runs]))
            return (run + i) % p->n_runs;
    fail_msg("no run has a number");
    return 0;
}

/* Another run of each sample; some of them are the baseline. */
static void generate(told *const *out, const asked *a, cf_session *const *sessions, size_t n, size_t turn)
{
    cf_generate_run_task tasks[MOST_TOGETHER];
    for (size_t i = 0; i < n; i++)
        tasks[i] = (cf_generate_run_task){sessions[i], a[i].generated,
                                          with_number(a[i].generated, turn * 7 + (size_t)a[i].n_forced),
                                          out[i]->run_ids[turn], 0};
    OK(cf_sessions_generate_run(tasks, n, NEW_TOKENS, &err));
    for (size_t i = 0; i < n; i++)
        out[i]->n_run_ids[turn] = tasks[i].n;
}

int64_t measure_together(told *const *out, const asked *a, cf_session *const *sessions, size_t n)
{
    for (size_t i = 0; i < n; i++)
        OK(cf_session_begin(sessions[i], &a[i].input, NEW_TOKENS, &err));
    const int64_t macs = baseline(out, a, sessions, n);
    answer(out, sessions, n);
    sweep(out, a, sessions, n);
    for (size_t turn = 0; turn < GENERATED; turn++)
        generate(out, a, sessions, n, turn);
    return macs;
}

int64_t measure_alone(told *out, const asked *a, const cf_model *m)
{
    cf_session *session = NULL;
    OK(cf_session_create(&session, m, false, &err));
    const int64_t macs = measure_together(&out, a, &session, 1);
    cf_session_free(session);
    return macs;
}

void check_told(const char *what, size_t place, const asked *a, const told *x, const told *y)
{
    const size_t vocab = x->row / (size_t)(1 + a->n_forced);
    if (memcmp(x->baseline, y->baseline, vocab * sizeof(float)) != 0)
        fail_msg("%s, sample %zu: other logits", what, place);
    if (x->n_ids != y->n_ids || memcmp(x->ids, y->ids, sizeof x->ids) != 0)
        fail_msg("%s, sample %zu: another answer", what, place);
    for (size_t r = 0; r < a->plan->n_runs; r++)
        if (memcmp(x->logits + r * x->row, y->logits + r * y->row, x->row * sizeof(float)) != 0)
            fail_msg("%s, sample %zu: other logits in run %zu", what, place, r);
    for (size_t r = 0; r < GENERATED; r++)
        if (x->n_run_ids[r] != y->n_run_ids[r] || memcmp(x->run_ids[r], y->run_ids[r], sizeof x->run_ids[r]) != 0)
            fail_msg("%s, sample %zu: another answer in generated run %zu", what, place, r);
}
