/* group.c - see group.h. */
#include "knockout/group.h"

#include <assert.h>
#include <strings.h>

static const char *const names[CF_N_GROUPS] = {
    [CF_GROUP_IMAGE] = "Image",
    [CF_GROUP_QUESTION] = "Question",
    [CF_GROUP_LAST] = "Last",
    [CF_GROUP_OBJECT] = "Image Central Object",
    [CF_GROUP_REST] = "Image Without Central Object",
};

const char *cf_group_name(cf_group g)
{
    return names[g];
}

bool cf_group_find(cf_group *out, cf_slice name)
{
    name = cf_slice_trim(name);
    for (int g = 0; g < CF_N_GROUPS; g++) {
        const cf_slice n = cf_slice_of(names[g]);
        if (n.n == name.n && strncasecmp(n.data, name.data, n.n) == 0) {
            *out = (cf_group)g;
            return true;
        }
    }
    return false;
}

cf_status cf_groups_build(cf_groups *out, int32_t length, cf_span image, const bool *hit, cf_span question,
                          cf_error *err)
{
    assert(image.end <= length && question.end <= length);
    cf_status st = CF_OK;
    cf_groups g = {.length = length};
    CF_TRY(cf_spans_add(&g.of[CF_GROUP_IMAGE], image.begin, image.end, err));
    CF_TRY(cf_spans_add(&g.of[CF_GROUP_QUESTION], question.begin, question.end, err));
    CF_TRY(cf_spans_add(&g.of[CF_GROUP_LAST], length - 1, length, err));
    for (int32_t p = image.begin; hit && p < image.end; p++)
        CF_TRY(cf_spans_add(&g.of[hit[p - image.begin] ? CF_GROUP_OBJECT : CF_GROUP_REST], p, p + 1, err));
    *out = g;
    g = (cf_groups){0};
done:
    cf_groups_deinit(&g);
    return st;
}

void cf_groups_deinit(cf_groups *g)
{
    for (int i = 0; i < CF_N_GROUPS; i++)
        cf_spans_deinit(&g->of[i]);
    g->length = 0;
}

cf_status cf_groups_json(cf_str *out, const cf_groups *g, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_str_add_text(out, "{", err));
    for (int i = 0; i < CF_N_GROUPS; i++) {
        CF_TRY(cf_str_addf(out, err, "%s\"%s\":[", i ? "," : "", names[i]));
        for (size_t s = 0; s < g->of[i].n; s++)
            CF_TRY(cf_str_addf(out, err, "%s[%d,%d]", s ? "," : "", g->of[i].items[s].begin, g->of[i].items[s].end));
        CF_TRY(cf_str_add_text(out, "]", err));
    }
    CF_TRY(cf_str_add_text(out, "}", err));
done:
    return st;
}
