/* stack_put.c - rows of sequences through one layer, their keys and values into kv; see stack.h. The baseline, teacher
 * forcing and decoding are this, layer after layer. */
#include "base/memory.h"
#include "engine/session_internal.h"

/* The arrays of a batch, in the stack's memory. */
typedef struct lists {
    cf_attn_segment *segments; /* [puts] */
    cf_kv_update *updates;     /* [puts] */
    int32_t *pos;              /* [rows] */
    int32_t *q_rows, *q_pos;   /* [puts] where only the last rows ask */
    int32_t *zeroed[2];        /* [asking rows] that attention, the MLP, add nothing to */
    int64_t n_rows, n_q, n_zeroed[2];
} lists;

static cf_status open_lists(lists *l, cf_stack *k, const cf_put *puts, size_t n, cf_error *err)
{
    size_t rows = 0;
    void *segments = k->segments, *updates = k->updates, *positions = k->positions;
    for (size_t i = 0; i < n; i++)
        rows += (size_t)(puts[i].end - puts[i].begin);
    cf_status st = cf_grow(&segments, &k->cap_segments, n, sizeof *l->segments, "segments", err);
    k->segments = segments;
    if (st == CF_OK)
        st = cf_grow(&updates, &k->cap_updates, n, sizeof *l->updates, "segments", err);
    k->updates = updates;
    if (st == CF_OK)
        st = cf_grow(&positions, &k->cap_positions, 3 * rows + 2 * n, sizeof *l->pos, "positions", err);
    k->positions = positions;
    *l = (lists){.segments = segments, .updates = updates, .pos = positions};
    if (st != CF_OK)
        return st;
    l->zeroed[0] = l->pos + rows;
    l->zeroed[1] = l->zeroed[0] + rows;
    l->q_rows = l->zeroed[1] + rows;
    l->q_pos = l->q_rows + n;
    return CF_OK;
}

void cf_add_zeroed(int32_t *rows, int64_t *n, const cf_spans *places, int64_t q_row, int64_t n_q, const int32_t *q_pos)
{
    for (int64_t i = 0; places && places->n && i < n_q; i++)
        if (cf_spans_contain(places, q_pos[i]))
            rows[(*n)++] = (int32_t)(q_row + i);
}

/* The rows of one put, of which n_q ask. */
static void add_put(lists *l, size_t i, const cf_put *p, int32_t n_q)
{
    const cf_session *s = p->session;
    const int32_t n = p->end - p->begin, q_begin = p->end - n_q;
    cf_attn_segment *g = &l->segments[i];
    *g = (cf_attn_segment){
        .q_row = l->n_q, .n_q = n_q, .q_pos = s->pos + q_begin, .kv = s->kv, .own_begin = p->end, .n_keys = p->end};
    l->updates[i] = (cf_kv_update){.kv = s->kv, .row = l->n_rows, .n = n};
    if (p->like) {
        l->updates[i].from = p->like->kv;
        l->updates[i].n_from = p->begin;
    }
    if (p->run) {
        const cf_spans *places[2] = {p->run->zero_attention, p->run->zero_mlp};
        for (int which = 0; which < 2; which++)
            cf_add_zeroed(l->zeroed[which], &l->n_zeroed[which], places[which], g->q_row, n_q, g->q_pos);
        g->cuts = p->run->cuts;
        g->n_cuts = p->run->n_cuts;
    }
    for (int32_t j = 0; j < n; j++)
        l->pos[l->n_rows++] = p->begin + j;
    l->q_rows[i] = (int32_t)l->n_rows - 1;
    l->q_pos[i] = p->end - 1;
    l->n_q += n_q;
}

cf_status cf_stack_put(cf_stack *k, int64_t layer, const cf_put *puts, size_t n, bool only_last, cf_tensor *y,
                       const cf_tensor *x, cf_error *err)
{
    lists l;
    cf_status st = CF_OK;
    CF_TRY(open_lists(&l, k, puts, n, err));
    for (size_t i = 0; i < n; i++)
        add_put(&l, i, &puts[i], only_last ? 1 : puts[i].end - puts[i].begin);
    const cf_layer_batch b = {.pos = l.pos,
                              .q_rows = only_last ? l.q_rows : NULL,
                              .n_q = l.n_q,
                              .q_pos = only_last ? l.q_pos : l.pos,
                              .updates = l.updates,
                              .n_updates = (int64_t)n,
                              .segments = l.segments,
                              .n_segments = (int64_t)n,
                              .zero_attention = l.zeroed[0],
                              .n_zero_attention = l.n_zeroed[0],
                              .zero_mlp = l.zeroed[1],
                              .n_zero_mlp = l.n_zeroed[1]};
    CF_TRY(cf_stack_layer(k, layer, &b, y, x, err));
done:
    return st;
}
