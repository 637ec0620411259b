/* exact.c - see exact.h. */
#include "exact.h"

#include <stdlib.h>
#include <string.h>

#include "engine/score.h"

/* What the oracle's states are held against: one run of a walk. */
typedef struct held_run {
    const walk *w;
    const float *baseline; /* [L, n, D] inputs of the layers */
    int32_t node[16];
    int64_t n_computed, n_kept; /* rows compared of each kind */
    size_t run;
} held_run;

static void hold_state(void *user, int64_t l, const float *rows, int64_t n, int64_t d)
{
    held_run *h = user;
    const size_t bytes = (size_t)d * sizeof *rows;
    const bool final = l == h->w->plan->n_layers; /* only the scored rows are computed there */
    for (int64_t p = final ? n - h->w->n_scored : 0; p < n; p++) {
        const float *own = l ? walk_row(h->w, h->node[l - 1], (int32_t)p) : NULL;
        const float *expected = own ? own : final ? NULL : h->baseline + (l * n + p) * d;
        h->n_computed += own != NULL;
        h->n_kept += expected && !own;
        if (expected && memcmp(rows + p * d, expected, bytes) != 0)
            fail_msg("run %zu, hidden state %lld, position %lld: the %s row has other bits than the oracle's", h->run,
                     (long long)l, (long long)p, own ? "sweep's" : "baseline's");
    }
}

typedef struct states { /* [L, n, D] */
    float *rows;
    int64_t n_layers;
} states;

static void keep_state(void *user, int64_t l, const float *rows, int64_t n, int64_t d)
{
    const states *s = user;
    if (l < s->n_layers)
        memcpy(s->rows + l * n * d, rows, (size_t)(n * d) * sizeof *rows);
}

static float *floats(int64_t n)
{
    float *x = malloc((size_t)n * sizeof *x);
    assert_non_null(x);
    return x;
}

/* The oracle's states of the run in which nothing is done; those that the session kept are the same. */
static float *baseline_states(const walk *w, const sample *s, const int32_t *forced, float *logits)
{
    const cf_text_config *t = &cf_model_config(w->m->model)->text;
    const int64_t d = t->hidden_size, n = w->plan->length, prompt = s->groups.length;
    states all = {floats(t->n_layers * n * d), t->n_layers};
    float *kept = floats(prompt * d);
    const cf_oracle_run nothing = {.forced = forced, .n_forced = (int32_t)(n - prompt)};
    OK(cf_oracle_logits(w->m->model, &s->input, &nothing, logits, NULL, keep_state, &all, &err));
    assert_memory_equal(logits, cf_session_logits(w->session), (size_t)(w->n_scored * t->vocab_size) * sizeof *logits);
    for (int64_t l = 0; l < t->n_layers; l++) {
        OK(cf_session_hidden(w->session, l, 0, (int32_t)prompt, kept, &err));
        assert_memory_equal(kept, all.rows + l * n * d, (size_t)(prompt * d) * sizeof *kept);
    }
    free(kept);
    return all.rows;
}

static void hold_run(held_run *h, const sample *s, const cf_oracle_run *run, float *logits)
{
    const walk *w = h->w;
    const cf_text_config *t = &cf_model_config(w->m->model)->text;
    walk_chain(h->node, w, h->run);
    OK(cf_oracle_logits(w->m->model, &s->input, run, logits, NULL, hold_state, h, &err));
    if (memcmp(logits, walk_logits(w, h->run), (size_t)(w->n_scored * t->vocab_size) * sizeof *logits) != 0)
        fail_msg("run %zu: the sweep's logits have other bits than the oracle's", h->run);
    const double p = cf_softmax_probability(logits, t->vocab_size, s->first_token);
    if (memcmp(&p, &w->probability[h->run], sizeof p) != 0)
        fail_msg("run %zu: probability %a by the sweep, %a by the oracle", h->run, w->probability[h->run], p);
    assert_true(h->n_computed + h->n_kept >= t->n_layers * w->plan->length);
}

int64_t hold_exact(const loaded_model *m, const sample *s, cf_plan *plan, const cf_oracle_run *runs)
{
    int64_t n_computed = 0;
    walk w;
    walk_open_plan(&w, m, NULL, s, plan, runs[0].forced, runs[0].n_forced, WALK_KEEP_ALL);
    float *logits = floats(w.n_scored * cf_model_config(m->model)->text.vocab_size);
    float *baseline = baseline_states(&w, s, runs[0].forced, logits);
    for (size_t i = 0; i < plan->n_runs; i++) {
        held_run h = {.w = &w, .baseline = baseline, .run = i};
        if (plan->runs[i].status == CF_RUN_FULLY_CUT) /* the oracle knows no plan, and finds it out by itself */
            assert_int_equal(cf_oracle_logits(m->model, &s->input, &runs[i], logits, NULL, NULL, NULL, NULL),
                             CF_MISMATCH);
        else
            hold_run(&h, s, &runs[i], logits);
        n_computed += h.n_computed;
    }
    free(baseline);
    free(logits);
    walk_close(&w, false);
    return n_computed;
}
