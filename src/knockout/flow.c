/* flow.c - a flow's life: made, copied, compared; see flow.h. flow_parse.c and flow_print.c have its grammar. */
#include "knockout/flow.h"

#include <stdlib.h>

#include "base/memory.h"
#include "knockout/flow_internal.h"

static const char *const mode_names[CF_N_MODES] = {
    [CF_MODE_CUT] = "cut",           [CF_MODE_KEEP] = "keep",
    [CF_MODE_RANDOM] = "random",     [CF_MODE_ZERO_ATTENTION] = "zero attention",
    [CF_MODE_ZERO_MLP] = "zero mlp",
};

const char *cf_mode_name(cf_mode m)
{
    return mode_names[m];
}

void cf_flow_edge_deinit(cf_flow_edge *e)
{
    cf_group_expr_deinit(&e->source);
    cf_group_expr_deinit(&e->target);
    cf_spans_deinit(&e->layers);
    cf_spans_deinit(&e->heads);
    *e = (cf_flow_edge){0};
}

void cf_flow_deinit(cf_flow *f)
{
    for (size_t i = 0; i < f->n_edges; i++)
        cf_flow_edge_deinit(&f->edges[i]);
    for (size_t i = 0; i < f->n_partition; i++)
        cf_group_expr_deinit(&f->partition[i]);
    free(f->edges);
    free(f->partition);
    *f = (cf_flow){0};
}

cf_status cf_flow_add_edge(cf_flow *f, const cf_flow_edge *edge, cf_error *err)
{
    void *edges = f->edges;
    const cf_status st = cf_grow(&edges, &f->cap_edges, f->n_edges + 1, sizeof *f->edges, "edges of a flow", err);
    if (st != CF_OK)
        return st;
    f->edges = edges;
    f->edges[f->n_edges++] = *edge;
    return CF_OK;
}

cf_status cf_flow_add_partition(cf_flow *f, const cf_group_expr *group, cf_error *err)
{
    void *partition = f->partition;
    const cf_status st =
        cf_grow(&partition, &f->cap_partition, f->n_partition + 1, sizeof *f->partition, "groups of a partition", err);
    if (st != CF_OK)
        return st;
    f->partition = partition;
    f->partition[f->n_partition++] = *group;
    return CF_OK;
}

static cf_status copy_edge(cf_flow_edge *out, const cf_flow_edge *e, cf_error *err)
{
    cf_status st = CF_OK;
    cf_flow_edge copy = {.each_head = e->each_head};
    CF_TRY(cf_group_expr_copy(&copy.source, &e->source, err));
    CF_TRY(cf_group_expr_copy(&copy.target, &e->target, err));
    CF_TRY(cf_spans_copy(&copy.layers, &e->layers, err));
    CF_TRY(cf_spans_copy(&copy.heads, &e->heads, err));
    *out = copy;
    copy = (cf_flow_edge){0};
done:
    cf_flow_edge_deinit(&copy);
    return st;
}

cf_status cf_flow_copy(cf_flow *out, const cf_flow *f, cf_error *err)
{
    cf_status st = CF_OK;
    cf_flow copy = {.mode = f->mode};
    cf_flow_edge edge = {0};
    cf_group_expr group = {0};
    for (size_t i = 0; i < f->n_edges; i++) {
        CF_TRY(copy_edge(&edge, &f->edges[i], err));
        CF_TRY(cf_flow_add_edge(&copy, &edge, err));
        edge = (cf_flow_edge){0};
    }
    for (size_t i = 0; i < f->n_partition; i++) {
        CF_TRY(cf_group_expr_copy(&group, &f->partition[i], err));
        CF_TRY(cf_flow_add_partition(&copy, &group, err));
        group = (cf_group_expr){0};
    }
    *out = copy;
    copy = (cf_flow){0};
done:
    cf_flow_edge_deinit(&edge);
    cf_group_expr_deinit(&group);
    cf_flow_deinit(&copy);
    return st;
}

static bool equal_edges(const cf_flow_edge *a, const cf_flow_edge *b)
{
    return cf_group_expr_equal(&a->source, &b->source) && cf_group_expr_equal(&a->target, &b->target) &&
           cf_spans_equal(&a->layers, &b->layers) && cf_spans_equal(&a->heads, &b->heads) &&
           a->each_head == b->each_head;
}

bool cf_flow_equal(const cf_flow *a, const cf_flow *b)
{
    bool equal = a->mode == b->mode && a->n_edges == b->n_edges && a->n_partition == b->n_partition;
    for (size_t i = 0; equal && i < a->n_edges; i++)
        equal = equal_edges(&a->edges[i], &b->edges[i]);
    for (size_t i = 0; equal && i < a->n_partition; i++)
        equal = cf_group_expr_equal(&a->partition[i], &b->partition[i]);
    return equal;
}

bool cf_flow_is_fixed(const cf_flow *f)
{
    bool fixed = true;
    for (size_t i = 0; i < f->n_edges; i++)
        fixed = fixed && f->edges[i].layers.n > 0;
    return fixed;
}
