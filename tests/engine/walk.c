/* walk.c - see walk.h. */
#include "walk.h"

#include <stdlib.h>
#include <string.h>

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

void walk_open(walk *w, const loaded_model *m, cf_session *session, const sample *s, const cf_edge_run *runs, size_t n,
               walk_what what)
{
    *w = (walk){.m = m, .session = session};
    if (!session)
        OK(cf_session_create(&w->session, m->model, false, &err));
    OK(cf_plan_create_edges(&w->plan, runs, n, s->groups.length, (int32_t)cf_model_config(m->model)->text.n_layers,
                            &err));
    w->nodes = calloc(w->plan->n_nodes + 1, sizeof *w->nodes);
    w->probability = malloc((n + 1) * sizeof *w->probability);
    assert_non_null(w->nodes);
    assert_non_null(w->probability);
    OK(cf_session_begin(w->session, &s->input, 0, &err));
    OK(cf_session_baseline(w->session, what == WALK_KEEP_ALL ? 0 : w->plan->lowest, &err));
    OK(cf_sweep(w->session, w->plan, s->first_token, w->probability, what == WALK_SCORE ? NULL : keep_rows, w, &err));
}

void walk_close(walk *w, bool keep_session)
{
    for (size_t i = 0; i < w->plan->n_nodes; i++) {
        free(w->nodes[i].pos);
        free(w->nodes[i].rows);
    }
    free(w->nodes);
    free(w->probability);
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

void walk_logits(float *logits, const walk *w, size_t run)
{
    const cf_text_config *t = &cf_model_config(w->m->model)->text;
    const float *row = walk_row(w, w->plan->runs[run].leaf, w->plan->length - 1);
    if (!row) {
        memcpy(logits, cf_session_logits(w->session), (size_t)t->vocab_size * sizeof *logits);
        return;
    }
    cf_scratch *scratch = NULL;
    cf_tensor x = {0}, y = {0};
    OK(cf_scratch_create(&scratch, w->m->model, &err));
    OK(cf_scratch_reserve(scratch, 1, &err));
    OK(cf_backend_alloc(w->m->be, &x, CF_F32, 1, t->hidden_size, &err));
    OK(cf_backend_alloc(w->m->be, &y, CF_F32, 1, t->vocab_size, &err));
    OK(cf_backend_upload(w->m->be, &x, row, &err));
    OK(cf_decoder_logits(w->m->model, scratch, &y, &x, true, &err));
    OK(cf_backend_download(w->m->be, logits, &y, &err));
    cf_backend_release(w->m->be, &x);
    cf_backend_release(w->m->be, &y);
    cf_scratch_free(scratch);
}

cf_edge_run flow_run(const sample_set *set, const sample *s, size_t flow, int32_t k, int32_t centre)
{
    const cf_flow *f = &set->flows[flow];
    return (cf_edge_run){&s->groups.of[f->target], &s->groups.of[f->source], NULL, 0,
                         cf_window_around(centre, k, set->n_layers)};
}
