/* flow_parse.c - the grammar of flow.h, read. Groups are read in group_expr.c, tokens and ranges in grammar.c. */
#include "knockout/flow_internal.h"
#include "knockout/grammar_internal.h"

static bool is_zero(cf_mode m)
{
    return m == CF_MODE_ZERO_ATTENTION || m == CF_MODE_ZERO_MLP;
}

/* The mode, where one is written; a colon tells another word there from a group. */
static cf_status read_mode(cf_flow *f, bool *written, cf_reader *r, cf_error *err)
{
    for (int m = 0; m < CF_N_MODES; m++)
        if (cf_reader_at_word(r, cf_mode_name((cf_mode)m))) {
            f->mode = (cf_mode)m;
            *written = true;
            cf_reader_next(r);
            return CF_OK;
        }
    cf_reader ahead = *r;
    if (cf_reader_take(&ahead, CF_TOKEN_WORD) && ahead.kind == ':')
        return cf_reader_refuse_among(r, r->begin, "a mode", "cut, keep, random, zero attention, zero mlp", err);
    return CF_OK;
}

static bool has_group(const cf_flow *f, const cf_group_expr *group)
{
    for (size_t i = 0; i < f->n_partition; i++)
        if (cf_group_expr_equal(&f->partition[i], group))
            return true;
    return false;
}

/* "(" group {"," group} ")" */
static cf_status read_partition(cf_flow *f, cf_reader *r, cf_error *err)
{
    cf_status st = CF_OK;
    cf_group_expr group = {0};
    CF_TRY(cf_reader_need(r, '(', "\"(\" or \":\"", err));
    do {
        const size_t from = r->begin;
        CF_TRY(cf_read_group(&group, r, err));
        if (has_group(f, &group)) {
            st = cf_reader_refuse(r, from, "each group of a partition once", err);
            goto done;
        }
        CF_TRY(cf_flow_add_partition(f, &group, err));
        group = (cf_group_expr){0};
    } while (cf_reader_take(r, ','));
    CF_TRY(cf_reader_need(r, ')', "\"+\", \"-\", \",\" or \")\"", err));
done:
    cf_group_expr_deinit(&group);
    return st;
}

/* Whether a group is one of the partition's: of those written, or of Image, Question and Last. */
static bool in_partition(const cf_flow *f, const cf_group_expr *group)
{
    if (f->n_partition)
        return has_group(f, group);
    const cf_term *t = &group->terms[0];
    return group->n == 1 && t->kind == CF_TERM_NAMED && !t->indexed &&
           (t->named == CF_GROUP_IMAGE || t->named == CF_GROUP_QUESTION || t->named == CF_GROUP_LAST);
}

/* group "->" group [ "@" ranges ] [ "#" ( ranges | "each" ) ], of the parts that the mode has. */
static cf_status read_edge(cf_flow_edge *e, const cf_flow *f, cf_reader *r, cf_error *err)
{
    cf_status st = CF_OK;
    const size_t from = r->begin;
    if (!is_zero(f->mode)) {
        CF_TRY(cf_read_group(&e->source, r, err));
        CF_TRY(cf_reader_need(r, CF_TOKEN_ARROW, "\"+\", \"-\" or \"->\"", err));
    }
    CF_TRY(cf_read_group(&e->target, r, err));
    if (f->mode == CF_MODE_KEEP) {
        if (!in_partition(f, &e->source) || !in_partition(f, &e->target) || cf_group_expr_equal(&e->source, &e->target))
            st = cf_reader_refuse(r, from, "an edge from one group of the partition to another", err);
        goto done;
    }
    if (cf_reader_take(r, '@'))
        CF_TRY(cf_read_ranges(&e->layers, r, err));
    if (!is_zero(f->mode) && cf_reader_take(r, '#')) {
        e->each_head = cf_reader_at_word(r, "each");
        if (e->each_head)
            cf_reader_next(r);
        else
            CF_TRY(cf_read_ranges(&e->heads, r, err));
    }
done:
    return st;
}

/* What may stand behind the last edge, in words. */
static const char *what_may_follow(const cf_flow *f)
{
    const cf_flow_edge *e = &f->edges[f->n_edges - 1];
    if (is_zero(f->mode))
        return e->layers.n ? "\"+\" or the end" : "\"+\", \"-\", \"@\" or the end";
    if (f->mode == CF_MODE_KEEP)
        return "\"+\", \"-\", \"&\" or the end";
    if (e->each_head)
        return "\"&\" or the end";
    if (e->heads.n)
        return "\"+\", \"&\" or the end";
    return e->layers.n ? "\"+\", \"#\", \"&\" or the end" : "\"+\", \"-\", \"@\", \"#\", \"&\" or the end";
}

static cf_status read_edges(cf_flow *f, cf_reader *r, cf_error *err)
{
    cf_status st = CF_OK;
    cf_flow_edge edge = {0};
    do {
        CF_TRY(read_edge(&edge, f, r, err));
        CF_TRY(cf_flow_add_edge(f, &edge, err));
        edge = (cf_flow_edge){0};
    } while (!is_zero(f->mode) && cf_reader_take(r, '&'));
    CF_TRY(cf_reader_need(r, CF_TOKEN_END, what_may_follow(f), err));
done:
    cf_flow_edge_deinit(&edge);
    return st;
}

cf_status cf_flow_parse(cf_flow *out, cf_slice text, cf_error *err)
{
    cf_status st = CF_OK;
    cf_flow f = {.mode = CF_MODE_CUT};
    bool mode_written = false;
    cf_reader r;
    cf_reader_begin(&r, "flow", cf_slice_trim(text));
    CF_TRY(read_mode(&f, &mode_written, &r, err));
    if (f.mode == CF_MODE_KEEP && r.kind != ':')
        CF_TRY(read_partition(&f, &r, err));
    if (mode_written)
        CF_TRY(cf_reader_need(&r, ':', "\":\" after the mode", err));
    CF_TRY(read_edges(&f, &r, err));
    *out = f;
    f = (cf_flow){0};
done:
    cf_flow_deinit(&f);
    return st;
}
