/* generate_run.c - see generate_run.h.
 *
 * A knocked-out run borrows the session's keys and values: its rows of the prompt go into the baseline's places, decoding
 * then is the same as the baseline's with cuts, and at the end the baseline's are computed again from its kept inputs.
 * So generation needs no memory per run, and costs two passes over the run's rows. */
#include "engine/generate_run.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "engine/decoding.h"

static void free_layers(cf_run_layer *layers, int32_t n)
{
    for (int32_t l = 0; layers && l < n; l++)
        free(layers[l].cuts);
    free(layers);
}

/* What the nodes on the way to a leaf do. */
static cf_status layers_of(cf_run_layer **out, const cf_plan *p, int32_t leaf, cf_error *err)
{
    void *memory = NULL;
    cf_status st = cf_alloc(&memory, (size_t)p->n_layers, sizeof(cf_run_layer), "the run's layers", err);
    if (st != CF_OK)
        return st;
    cf_run_layer *layers = memory;
    for (int32_t node = leaf; node != CF_BASELINE; node = p->nodes[node].parent) {
        if (p->nodes[node].action < 0)
            continue;
        const cf_action *a = &p->actions[p->nodes[node].action];
        cf_run_layer *l = &layers[p->nodes[node].layer];
        void *cuts = NULL;
        CF_TRY(cf_alloc(&cuts, a->n_edges, sizeof *l->cuts, "the run's cuts", err));
        *l = (cf_run_layer){cuts, (int64_t)a->n_edges, &a->zero_attention, &a->zero_mlp};
        for (size_t i = 0; i < a->n_edges; i++) {
            const cf_edge *e = &p->edges[a->edges[i]];
            l->cuts[i] = (cf_cut){&e->query, &e->key, e->heads};
        }
    }
    *out = layers;
    layers = NULL;
done:
    free_layers(layers, p->n_layers);
    return st;
}

/* Runs whose rows stand in their sessions' keys and values, each from its put's first position on. What is the baseline
 * all the way has no put: nothing is to be done for it. */
typedef struct run_rows {
    cf_run_layer **layers; /* [n tasks] of n_layers each; NULL: the baseline */
    uint64_t *pictures;    /* [n puts] the prefixes that the next samples may share: overwritten for a while */
    cf_put *puts;          /* [n_puts] */
    size_t *task;          /* [n_puts] whose they are */
    int32_t *last;         /* [n_puts] the row of the last prompt position */
    size_t n_puts;
    int64_t n_rows;
} run_rows;

static cf_status reserve_runs(run_rows *r, size_t n, cf_error *err)
{
    cf_status st = CF_OK;
    void *memory = NULL;
    CF_TRY(cf_alloc(&memory, n, sizeof(cf_run_layer *), "runs", err));
    r->layers = memory;
    CF_TRY(cf_alloc(&memory, n, sizeof *r->pictures, "runs", err));
    r->pictures = memory;
    CF_TRY(cf_alloc(&memory, n, sizeof *r->puts, "runs", err));
    r->puts = memory;
    CF_TRY(cf_alloc(&memory, n, sizeof *r->task, "runs", err));
    r->task = memory;
    CF_TRY(cf_alloc(&memory, n, sizeof *r->last, "runs", err));
    r->last = memory;
done:
    return st;
}

static void free_runs(run_rows *r, const cf_generate_run_task *tasks, size_t n)
{
    for (size_t i = 0; r->layers && i < n; i++)
        free_layers(r->layers[i], tasks[i].plan->n_layers);
    free(r->layers);
    free(r->pictures);
    free(r->puts);
    free(r->task);
    free(r->last);
}

static cf_status open_run(run_rows *r, const cf_generate_run_task *tasks, size_t i, cf_error *err)
{
    const cf_plan *plan = tasks[i].plan;
    const int32_t leaf = plan->runs[tasks[i].run].leaf;
    cf_session *s = tasks[i].session;
    cf_status st = CF_OK;
    if (leaf == CF_BASELINE)
        return CF_OK;
    const int32_t restart = plan->nodes[leaf].restart, begin = restart < s->length ? restart : s->length - 1;
    assert(begin >= s->keep_from);
    CF_TRY(layers_of(&r->layers[i], plan, leaf, err));
    r->n_rows += s->length - begin;
    r->puts[r->n_puts] = (cf_put){.session = s, .begin = begin, .end = s->length};
    r->task[r->n_puts] = i;
    r->last[r->n_puts] = (int32_t)r->n_rows - 1;
    r->pictures[r->n_puts++] = s->prefix_picture;
    s->prefix_picture = 0;
done:
    return st;
}

/* The stack's x = the baseline's inputs of a layer at all positions of the runs. */
static cf_status gather_inputs(cf_stack *k, const run_rows *r, int64_t layer, cf_error *err)
{
    int64_t row = 0;
    for (size_t i = 0; i < r->n_puts; i++) {
        const cf_session *s = r->puts[i].session;
        const cf_tensor kept = cf_session_kept(s, layer),
                        from = cf_tensor_rows(&kept, r->puts[i].begin - s->keep_from, kept.shape[0]);
        cf_tensor x = cf_stack_next(k, &row, &r->puts[i]);
        const cf_status st = cf_gather(k->be, &x, &from, NULL, err);
        if (st != CF_OK)
            return st;
    }
    return CF_OK;
}

/* The prompts' rows through the runs' layers; the answers begin with what the runs say at the last prompt position. */
static cf_status put_prompts(cf_stack *k, run_rows *r, cf_decoding *answers, cf_decoding **of, cf_error *err)
{
    cf_tensor x = cf_tensor_rows(&k->x, 0, r->n_rows);
    cf_status st = CF_OK;
    CF_TRY(gather_inputs(k, r, 0, err));
    for (int64_t l = 0; l < cf_model_config(k->model)->text.n_layers; l++) {
        for (size_t i = 0; i < r->n_puts; i++)
            r->puts[i].run = &r->layers[r->task[i]][l];
        CF_TRY(cf_stack_put(k, l, r->puts, r->n_puts, false, &x, &x, err));
    }
    for (size_t i = 0; i < r->n_puts; i++) {
        of[i] = &answers[r->task[i]];
        of[i]->run = r->layers[r->task[i]];
    }
    CF_TRY(cf_stack_read(k, &x, r->last, (int64_t)r->n_puts, true, cf_decoding_take, of, err));
done:
    return st;
}

/* The baseline's keys and values of the prompts, again. */
static cf_status restore_prompts(cf_stack *k, run_rows *r, cf_error *err)
{
    const cf_tensor x = cf_tensor_rows(&k->x, 0, r->n_rows);
    cf_tensor unread = cf_tensor_rows(&k->asking, 0, (int64_t)r->n_puts);
    cf_status st = CF_OK;
    for (size_t i = 0; i < r->n_puts; i++)
        r->puts[i].run = NULL;
    for (int64_t l = 0; l < cf_model_config(k->model)->text.n_layers; l++) {
        CF_TRY(gather_inputs(k, r, l, err));
        CF_TRY(cf_stack_put(k, l, r->puts, r->n_puts, true, &unread, &x, err));
    }
    for (size_t i = 0; i < r->n_puts; i++)
        r->puts[i].session->prefix_picture = r->pictures[i];
done:
    return st;
}

static cf_status generate_runs(cf_generate_run_task *tasks, run_rows *r, cf_decoding *answers, cf_decoding **of,
                               size_t n, int32_t max_new_tokens, cf_error *err)
{
    cf_stack *k = tasks[0].session->stack;
    const int64_t d = cf_model_config(k->model)->text.hidden_size;
    cf_status st = CF_OK;
    for (size_t i = 0; i < n; i++) {
        assert(tasks[i].plan->length == tasks[i].session->length + max_new_tokens);
        CF_TRY(open_run(r, tasks, i, err));
        CF_TRY(cf_decoding_open(&answers[i], tasks[i].session, tasks[i].ids, err));
    }
    if (r->n_puts) {
        CF_TRY(cf_stack_reserve(k, r->n_rows, err));
        CF_TRY(cf_room(k->be, &k->asking, (int64_t)r->n_puts, d, err));
        CF_TRY(cf_scratch_reserve_zeroed(k->scratch, r->n_rows, err));
        CF_TRY(put_prompts(k, r, answers, of, err));
    }
    CF_TRY(cf_decode(answers, n, max_new_tokens, err));
    if (r->n_puts)
        CF_TRY(restore_prompts(k, r, err));
    for (size_t i = 0; i < n; i++)
        tasks[i].n = answers[i].n;
done:
    return st;
}

cf_status cf_sessions_generate_run(cf_generate_run_task *tasks, size_t n, int32_t max_new_tokens, cf_error *err)
{
    cf_status st = CF_OK;
    void *answers = NULL, *of = NULL;
    run_rows r = {0};
    if (n == 0)
        return CF_OK;
    CF_TRY(reserve_runs(&r, n, err));
    CF_TRY(cf_alloc(&answers, n, sizeof(cf_decoding), "answers", err));
    CF_TRY(cf_alloc(&of, n, sizeof(cf_decoding *), "answers", err));
    CF_TRY(generate_runs(tasks, &r, answers, of, n, max_new_tokens, err));
done:
    for (size_t i = 0; answers && i < n; i++)
        free(((cf_decoding *)answers)[i].logits);
    free_runs(&r, tasks, n);
    free(answers);
    free(of);
    return st;
}

cf_status cf_session_generate_run(cf_session *s, const cf_plan *plan, size_t run, int32_t *ids, int32_t *n,
                                  int32_t max_new_tokens, cf_error *err)
{
    cf_generate_run_task task = {s, plan, run, ids, 0};
    const cf_status st = cf_sessions_generate_run(&task, 1, max_new_tokens, err);
    if (st == CF_OK)
        *n = task.n;
    return st;
}
