/* flow_print.c - the grammar of flow.h, written: the canonical form. */
#include "knockout/flow.h"
#include "knockout/grammar_internal.h"

static cf_status print_heads(cf_str *out, const cf_flow_edge *e, cf_error *err)
{
    return e->each_head ? cf_str_add_text(out, "each", err) : cf_print_ranges(out, &e->heads, err);
}

static cf_status print_edge(cf_str *out, const cf_flow_edge *e, cf_error *err)
{
    cf_status st = CF_OK;
    if (e->source.n) {
        CF_TRY(cf_group_expr_print(out, &e->source, err));
        CF_TRY(cf_str_add_text(out, "->", err));
    }
    CF_TRY(cf_group_expr_print(out, &e->target, err));
    if (e->layers.n) {
        CF_TRY(cf_str_add_text(out, "@", err));
        CF_TRY(cf_print_ranges(out, &e->layers, err));
    }
    if (e->heads.n || e->each_head) {
        CF_TRY(cf_str_add_text(out, "#", err));
        CF_TRY(print_heads(out, e, err));
    }
done:
    return st;
}

cf_status cf_flow_print(cf_str *out, const cf_flow *flow, cf_error *err)
{
    cf_status st = CF_OK;
    if (flow->mode != CF_MODE_CUT) {
        CF_TRY(cf_str_add_text(out, cf_mode_name(flow->mode), err));
        for (size_t i = 0; i < flow->n_partition; i++) {
            CF_TRY(cf_str_add_text(out, i ? ", " : "(", err));
            CF_TRY(cf_group_expr_print(out, &flow->partition[i], err));
        }
        CF_TRY(cf_str_add_text(out, flow->n_partition ? "): " : ": ", err));
    }
    for (size_t i = 0; i < flow->n_edges; i++) {
        if (i)
            CF_TRY(cf_str_add_text(out, " & ", err));
        CF_TRY(print_edge(out, &flow->edges[i], err));
    }
done:
    return st;
}

cf_status cf_flow_heads(cf_str *out, const cf_flow *f, cf_error *err)
{
    const cf_flow_edge *first = &f->edges[0];
    for (size_t i = 1; i < f->n_edges; i++)
        if (!cf_spans_equal(&f->edges[i].heads, &first->heads) || f->edges[i].each_head != first->each_head)
            return cf_str_add_text(out, "mixed", err);
    return first->heads.n || first->each_head ? print_heads(out, first, err) : cf_str_add_text(out, "all", err);
}

cf_status cf_flows_print(cf_str *out, const cf_flows *f, cf_error *err)
{
    cf_status st = CF_OK;
    for (size_t i = 0; i < f->n; i++) {
        if (i)
            CF_TRY(cf_str_add_text(out, ",", err));
        CF_TRY(cf_flow_print(out, &f->items[i], err));
    }
done:
    return st;
}
