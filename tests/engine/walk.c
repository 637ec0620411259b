/* walk.c - see walk.h. */
#include "walk.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/score.h"

static void keep_rows(void *user, int32_t layer, int32_t node, const int32_t *pos, const float *rows, int64_t n,
                      int64_t d)
{
    walk *w = user;
    node_rows *at = &w->nodes[node];
    assert_int_equal(w->plan->nodes[node].layer, layer);
    if (n == 0)
        return;
    const size_t total = (size_t)(at->n + n);
    at->pos = realloc(at->pos, total * sizeof *at->pos);
    at->rows = realloc(at->rows, total * (size_t)d * sizeof *at->rows);
    assert_non_null(at->pos);
    assert_non_null(at->rows);
    memcpy(at->pos + at->n, pos, (size_t)n * sizeof *pos);
    memcpy(at->rows + at->n * d, rows, (size_t)(n * d) * sizeof *rows);
    at->n = (int32_t)total;
}

static int64_t vocab_of(const cf_model *m)
{
    return cf_model_config(m)->text.vocab_size;
}

static void keep_run(void *user, size_t run, const float *logits)
{
    walk *w = user;
    const int64_t vocab = vocab_of(w->m->model), n = w->n_scored * vocab;
    assert_true(run < w->plan->n_runs && !w->seen[run]); /* once */
    w->seen[run] = true;
    w->probability[run] = cf_softmax_probability(logits, vocab, w->token);
    if (w->logits)
        memcpy(w->logits + (int64_t)run * n, logits, (size_t)n * sizeof *logits);
}

static void *room(size_t n, size_t bytes)
{
    void *memory = calloc(n + 1, bytes);
    assert_non_null(memory);
    return memory;
}

void walk_open_plan(walk *w, const loaded_model *m, cf_session *session, const sample *s, cf_plan *plan,
                    const int32_t *forced, int32_t n_forced, walk_what what)
{
    *w = (walk){.m = m, .session = session, .plan = plan, .token = s->first_token, .n_scored = 1 + n_forced};
    if (!session)
        OK(cf_session_create(&w->session, m->model, false, &err));
    w->nodes = room(plan->n_nodes, sizeof *w->nodes);
    w->probability = room(plan->n_runs, sizeof *w->probability);
    w->seen = room(plan->n_runs, sizeof *w->seen);
    if (what != WALK_SCORE)
        w->logits = room(plan->n_runs * (size_t)(w->n_scored * vocab_of(m->model)), sizeof *w->logits);
    for (size_t i = 0; i < plan->n_runs; i++)
        w->probability[i] = (double)NAN;
    const cf_sweep_reader reader = {.user = w, .run = keep_run, .tap = what == WALK_SCORE ? NULL : keep_rows};
    OK(cf_session_begin(w->session, &s->input, n_forced, &err));
    OK(cf_session_baseline(w->session, what == WALK_KEEP_ALL ? 0 : plan->lowest, &err));
    OK(cf_session_force(w->session, forced, n_forced, &err));
    OK(cf_sweep(w->session, plan, &reader, &err));
    for (size_t i = 0; i < plan->n_runs; i++) {
        const cf_run_status status = plan->runs[i].status;
        assert_int_equal(w->seen[i], status != CF_RUN_FULLY_CUT && status != CF_RUN_TOO_FEW_KEYS);
    }
}

void walk_open(walk *w, const loaded_model *m, cf_session *session, const sample *s, const cf_edge_run *runs, size_t n,
               walk_what what)
{
    const cf_text_config *t = &cf_model_config(m->model)->text;
    cf_plan *plan = NULL;
    OK(cf_plan_create_edges(&plan, runs, n, s->groups.length, (int32_t)t->n_layers, (int32_t)t->n_heads, &err));
    walk_open_plan(w, m, session, s, plan, NULL, 0, what);
}

void walk_close(walk *w, bool keep_session)
{
    for (size_t i = 0; i < w->plan->n_nodes; i++) {
        free(w->nodes[i].pos);
        free(w->nodes[i].rows);
    }
    free(w->nodes);
    free(w->probability);
    free(w->logits);
    free(w->seen);
    cf_plan_free(w->plan);
    if (!keep_session)
        cf_session_free(w->session);
}

void walk_chain(int32_t *node, const walk *w, size_t run)
{
    int32_t at = w->plan->runs[run].leaf;
    for (int32_t l = w->plan->n_layers - 1; l >= 0; l--) {
        node[l] = at;
        if (at != CF_BASELINE)
            at = w->plan->nodes[at].parent;
    }
}

const float *walk_row(const walk *w, int32_t node, int32_t position)
{
    const int64_t d = cf_model_config(w->m->model)->text.hidden_size;
    for (int32_t i = 0; node != CF_BASELINE && i < w->nodes[node].n; i++)
        if (w->nodes[node].pos[i] == position)
            return w->nodes[node].rows + i * d;
    return NULL;
}

const float *walk_logits(const walk *w, size_t run)
{
    assert_true(w->logits && w->seen[run]);
    return w->logits + (int64_t)run * w->n_scored * vocab_of(w->m->model);
}

typedef struct probabilities {
    double *of;
    int64_t vocab;
    int32_t token;
} probabilities;

static void take_probability(void *user, size_t run, const float *logits)
{
    const probabilities *p = user;
    p->of[run] = cf_softmax_probability(logits, p->vocab, p->token);
}

void sweep_probabilities(double *probability, cf_session *session, const cf_plan *plan, const cf_model *m,
                         int32_t token)
{
    probabilities p = {probability, vocab_of(m), token};
    for (size_t i = 0; i < plan->n_runs; i++)
        probability[i] = (double)NAN;
    OK(cf_sweep(session, plan, &(cf_sweep_reader){.user = &p, .run = take_probability}, &err));
}

cf_edge_run flow_run(const sample_set *set, const sample *s, size_t flow, int32_t k, int32_t centre)
{
    const group_pair *f = &set->flows[flow];
    return (cf_edge_run){&s->groups.of[f->target], &s->groups.of[f->source], NULL, 0,
                         cf_window_around(centre, k, set->n_layers)};
}

void oracle_edge_init(oracle_edge *out, const cf_edge_run *r)
{
    const bool empty = r->query->n == 0 || r->key->n == 0;
    out->cut = (cf_part){.kind = CF_PART_CUT,
                         .query = *r->query,
                         .key = *r->key,
                         .heads = (uint64_t *)r->heads,
                         .n_head_words = r->n_head_words};
    out->parts = (cf_parts){.items = &out->cut, .n = !empty};
    out->layers = (cf_span){r->window.first, r->window.last};
    out->window = (cf_spans){.items = &out->layers, .n = r->window.first < r->window.last};
    out->run = (cf_oracle_run){.parts = &out->parts, .window = &out->window};
}
