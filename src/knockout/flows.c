/* flows.c - lists of flows: read, without repeats, and fitted to a model; see flow.h. */
#include <stdlib.h>

#include "base/memory.h"
#include "knockout/flow.h"
#include "knockout/grammar_internal.h"
#include "knockout/splitmix64.h"

/* The six flows of the paper, in the order of its figures. */
static const char *const paper[] = {
    "Question->Last",
    "Image->Last",
    "Last->Last",
    "Image->Question",
    "Image Central Object->Question",
    "Image Without Central Object->Question",
};

static void drop_from(cf_flows *f, size_t n)
{
    while (f->n > n)
        cf_flow_deinit(&f->items[--f->n]);
    cf_index_table_keep(&f->by_text, n);
}

void cf_flows_deinit(cf_flows *f)
{
    drop_from(f, 0);
    free(f->items);
    cf_index_table_deinit(&f->by_text);
    *f = (cf_flows){0};
}

/* Of the canonical text, which equal flows share. */
static cf_status hash_text(uint64_t *out, const cf_flow *flow, cf_error *err)
{
    cf_str text = {0};
    const cf_status st = cf_flow_print(&text, flow, err);
    uint64_t hash = 0;
    for (size_t i = 0; i < text.n; i++)
        hash = cf_splitmix64_mix(hash ^ (unsigned char)text.data[i]);
    if (st == CF_OK)
        *out = hash;
    cf_str_deinit(&text);
    return st;
}

/* Takes the flow over, on success only; where an equal one is there already it is freed. */
static cf_status take(cf_flows *f, cf_flow *flow, cf_error *err)
{
    cf_status st = CF_OK;
    uint64_t hash = 0;
    size_t probe = 0;
    void *items = f->items;
    CF_TRY(hash_text(&hash, flow, err));
    for (int32_t i; (i = cf_index_table_find(&f->by_text, hash, &probe)) >= 0;)
        if (cf_flow_equal(&f->items[i], flow)) {
            cf_flow_deinit(flow);
            goto done;
        }
    CF_TRY(cf_grow(&items, &f->cap, f->n + 1, sizeof *f->items, "flows", err));
    f->items = items;
    CF_TRY(cf_index_table_add(&f->by_text, hash, err));
    f->items[f->n++] = *flow;
    *flow = (cf_flow){0};
done:
    return st;
}

cf_status cf_flows_add(cf_flows *f, const cf_flow *flow, cf_error *err)
{
    cf_flow copy = {0};
    cf_status st = cf_flow_copy(&copy, flow, err);
    if (st == CF_OK)
        st = take(f, &copy, err);
    cf_flow_deinit(&copy);
    return st;
}

static cf_status add_text(cf_flows *f, cf_slice text, cf_error *err)
{
    cf_flow flow = {0};
    cf_status st = cf_flow_parse(&flow, text, err);
    if (st == CF_OK)
        st = take(f, &flow, err);
    cf_flow_deinit(&flow);
    return st;
}

/* The next flow's text: up to a comma outside brackets and texts. false where there is none left. */
static bool next_text(cf_slice *out, cf_reader *r, bool *more)
{
    if (!*more)
        return false;
    const size_t begin = r->begin;
    int64_t depth = 0;
    for (; r->kind != CF_TOKEN_END && (r->kind != ',' || depth > 0); cf_reader_next(r))
        depth += (r->kind == '(') - (r->kind == ')');
    *out = (cf_slice){r->text.data + begin, r->begin - begin};
    *more = cf_reader_take(r, ',');
    return true;
}

cf_status cf_flows_parse(cf_flows *f, cf_slice list, cf_error *err)
{
    cf_status st = CF_OK;
    const size_t before = f->n;
    bool more = true;
    cf_slice text = {0};
    cf_reader r;
    cf_reader_begin(&r, "flow", list);
    while (next_text(&text, &r, &more)) {
        if (!cf_same_words(text, "paper")) {
            CF_TRY(add_text(f, text, err));
            continue;
        }
        for (size_t i = 0; i < sizeof paper / sizeof paper[0]; i++)
            CF_TRY(add_text(f, cf_slice_of(paper[i]), err));
    }
done:
    if (st != CF_OK)
        drop_from(f, before);
    return st;
}

/* The layers or the heads of an edge against how many the model has. */
static cf_status check_ranges(const cf_flow *flow, const cf_spans *ranges, const char *what, int32_t n, cf_error *err)
{
    if (!ranges->n || ranges->items[ranges->n - 1].end <= n)
        return CF_OK;
    cf_str text = {0};
    cf_status st = cf_flow_print(&text, flow, err);
    if (st == CF_OK)
        st = cf_fail(err, CF_USAGE, "flow \"%.*s\": expected %s from 0 to %d, as the model has them, found %d",
                     cf_shown_bytes(cf_str_slice(&text)), text.data, what, (int)n - 1,
                     (int)ranges->items[ranges->n - 1].end - 1);
    cf_str_deinit(&text);
    return st;
}

/* *out = the flow with head `head` for each "#each". */
static cf_status with_head(cf_flow *out, const cf_flow *flow, int32_t head, cf_error *err)
{
    cf_flow copy = {0};
    cf_status st = cf_flow_copy(&copy, flow, err);
    for (size_t i = 0; st == CF_OK && i < copy.n_edges; i++)
        if (copy.edges[i].each_head) {
            copy.edges[i].each_head = false;
            st = cf_spans_add(&copy.edges[i].heads, head, head + 1, err);
        }
    if (st == CF_OK)
        *out = copy;
    else
        cf_flow_deinit(&copy);
    return st;
}

static cf_status expand_one(cf_flows *out, const cf_flow *flow, int32_t n_layers, int32_t n_heads, cf_error *err)
{
    cf_status st = CF_OK;
    cf_flow one = {0};
    bool each = false;
    for (size_t i = 0; i < flow->n_edges; i++) {
        CF_TRY(check_ranges(flow, &flow->edges[i].layers, "layers", n_layers, err));
        CF_TRY(check_ranges(flow, &flow->edges[i].heads, "heads", n_heads, err));
        each = each || flow->edges[i].each_head;
    }
    for (int32_t head = 0; head < (each ? n_heads : 1); head++) {
        CF_TRY(with_head(&one, flow, head, err));
        CF_TRY(take(out, &one, err));
    }
done:
    cf_flow_deinit(&one);
    return st;
}

cf_status cf_flows_expand(cf_flows *f, int32_t n_layers, int32_t n_heads, cf_error *err)
{
    cf_status st = CF_OK;
    cf_flows expanded = {0};
    for (size_t i = 0; st == CF_OK && i < f->n; i++)
        st = expand_one(&expanded, &f->items[i], n_layers, n_heads, err);
    if (st != CF_OK) {
        cf_flows_deinit(&expanded);
        return st;
    }
    cf_flows_deinit(f);
    *f = expanded;
    return CF_OK;
}
