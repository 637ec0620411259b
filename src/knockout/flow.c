/* flow.c - see flow.h. */
#include "knockout/flow.h"

#include <stdlib.h>

#include "base/memory.h"

/* The six flows of the paper, in the order of its figures. */
static const cf_flow paper[] = {
    {CF_GROUP_QUESTION, CF_GROUP_LAST},  {CF_GROUP_IMAGE, CF_GROUP_LAST},      {CF_GROUP_LAST, CF_GROUP_LAST},
    {CF_GROUP_IMAGE, CF_GROUP_QUESTION}, {CF_GROUP_OBJECT, CF_GROUP_QUESTION}, {CF_GROUP_REST, CF_GROUP_QUESTION},
};

static cf_status refuse(cf_slice text, cf_error *err)
{
    cf_str known = {0};
    cf_status st = CF_OK;
    for (int g = 0; g < CF_N_GROUPS; g++)
        CF_TRY(cf_str_addf(&known, err, "%s%s", g ? ", " : "", cf_group_name((cf_group)g)));
    st = cf_fail(err, CF_USAGE, "flow \"%.*s\": expected SOURCE->TARGET with groups among: %s",
                 (int)(text.n < 80 ? text.n : 80), text.n ? text.data : "", known.data);
done:
    cf_str_deinit(&known);
    return st;
}

cf_status cf_flow_parse(cf_flow *out, cf_slice text, cf_error *err)
{
    const int64_t arrow = cf_slice_find(text, cf_slice_of("->"), 0);
    cf_flow flow;
    if (arrow < 0 || !cf_group_find(&flow.source, (cf_slice){text.data, (size_t)arrow}) ||
        !cf_group_find(&flow.target, (cf_slice){text.data + arrow + 2, text.n - (size_t)arrow - 2}))
        return refuse(text, err);
    *out = flow;
    return CF_OK;
}

cf_status cf_flow_print(cf_str *out, const cf_flow *flow, cf_error *err)
{
    return cf_str_addf(out, err, "%s->%s", cf_group_name(flow->source), cf_group_name(flow->target));
}

void cf_flows_deinit(cf_flows *f)
{
    free(f->items);
    *f = (cf_flows){0};
}

cf_status cf_flows_add(cf_flows *f, const cf_flow *flow, cf_error *err)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->items[i].source == flow->source && f->items[i].target == flow->target)
            return CF_OK;
    void *items = f->items;
    const cf_status st = cf_grow(&items, &f->cap, f->n + 1, sizeof *f->items, "flows", err);
    if (st != CF_OK)
        return st;
    f->items = items;
    f->items[f->n++] = *flow;
    return CF_OK;
}

cf_status cf_flows_parse(cf_flows *f, cf_slice list, cf_error *err)
{
    cf_status st = CF_OK;
    const size_t before = f->n;
    for (size_t begin = 0; st == CF_OK && begin <= list.n;) {
        int64_t comma = cf_slice_find(list, cf_slice_of(","), begin);
        const size_t end = comma < 0 ? list.n : (size_t)comma;
        const cf_slice word = cf_slice_trim((cf_slice){list.data + begin, end - begin});
        begin = end + 1;
        if (cf_slice_is(word, "paper")) {
            for (size_t i = 0; st == CF_OK && i < sizeof paper / sizeof paper[0]; i++)
                st = cf_flows_add(f, &paper[i], err);
            continue;
        }
        cf_flow flow = {0};
        st = cf_flow_parse(&flow, word, err);
        if (st == CF_OK)
            st = cf_flows_add(f, &flow, err);
    }
    if (st != CF_OK)
        f->n = before;
    return st;
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
