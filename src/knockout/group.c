/* group.c - see group.h. */
#include "knockout/group.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "knockout/grammar_internal.h"

static const char *const names[CF_N_GROUPS] = {
    [CF_GROUP_IMAGE] = "Image",
    [CF_GROUP_QUESTION] = "Question",
    [CF_GROUP_LAST] = "Last",
    [CF_GROUP_OBJECT] = "Image Central Object",
    [CF_GROUP_REST] = "Image Without Central Object",
    [CF_GROUP_TRUE_OPTION] = "True Option",
    [CF_GROUP_FALSE_OPTION] = "False Option",
    [CF_GROUP_NOUN] = "Central Object",
    [CF_GROUP_QUESTION_WITHOUT_OPTIONS] = "Question without Options",
    [CF_GROUP_PAD] = "Image Pad",
    [CF_GROUP_REST_WITH_PAD] = "Image Without Central Object with pad",
    [CF_GROUP_BASE] = "Image Original Patch",
    [CF_GROUP_HD] = "Image HD Patch Indice",
    [CF_GROUP_OBJECT_HD] = "Image Central Object in HD Patch Indice",
    [CF_GROUP_REST_HD] = "Image HD Patch Without Central Object Indice",
    [CF_GROUP_INSTRUCTION] = "Instruction",
    [CF_GROUP_ROLE] = "Role Words",
    [CF_GROUP_TEMPLATE] = "Template",
    [CF_GROUP_ALL] = "All",
};

const char *cf_group_name(cf_group g)
{
    return names[g];
}

bool cf_group_find(cf_group *out, cf_slice name)
{
    for (int g = 0; g < CF_N_GROUPS; g++)
        if (cf_same_words(name, names[g])) {
            *out = (cf_group)g;
            return true;
        }
    return false;
}

cf_status cf_group_names(cf_str *out, cf_error *err)
{
    cf_status st = CF_OK;
    for (int g = 0; st == CF_OK && g < CF_N_GROUPS; g++)
        st = cf_str_addf(out, err, "%s%s", g ? ", " : "", names[g]);
    return st;
}

/* One position of the picture, to the groups that it belongs to. A newline is no patch: a box does not touch it. The
 * HD groups of the published scripts hold their newlines, the groups over the whole picture do not. */
static cf_status add_patch(cf_groups *g, int32_t position, cf_patch_role role, bool box_known, bool hit, cf_error *err)
{
    const bool newline = role == CF_PATCH_NEWLINE, hd = role != CF_PATCH_BASE;
    const bool object = hit && !newline, rest = box_known && !object;
    const struct {
        cf_group group;
        bool in;
    } of[] = {
        {CF_GROUP_OBJECT, object},
        {CF_GROUP_REST, rest && !newline},
        {CF_GROUP_PAD, newline},
        {CF_GROUP_REST_WITH_PAD, rest},
        {CF_GROUP_BASE, !hd},
        {CF_GROUP_HD, hd},
        {CF_GROUP_OBJECT_HD, hd && object},
        {CF_GROUP_REST_HD, hd && rest},
    };
    cf_status st = CF_OK;
    for (size_t i = 0; st == CF_OK && i < sizeof of / sizeof *of; i++)
        if (of[i].in)
            st = cf_spans_add(&g->of[of[i].group], position, position + 1, err);
    return st;
}

/* *out = all - a - b */
static cf_status without_two(cf_spans *out, const cf_spans *all, const cf_spans *a, const cf_spans *b, cf_error *err)
{
    cf_spans without_a = {0};
    cf_status st = cf_spans_minus(&without_a, all, a, err);
    if (st == CF_OK)
        st = cf_spans_minus(out, &without_a, b, err);
    cf_spans_deinit(&without_a);
    return st;
}

cf_status cf_groups_build(cf_groups *out, const cf_layout *layout, cf_error *err)
{
    const cf_span image = layout->image;
    assert(layout->length > 0 && image.begin >= 0 && image.begin <= image.end && image.end <= layout->length);
    cf_status st = CF_OK;
    void *blocks = NULL;
    cf_groups g = {.length = layout->length};
    const struct {
        cf_group group;
        cf_span span;
    } spans[] = {
        {CF_GROUP_ALL, {0, layout->length}},
        {CF_GROUP_IMAGE, image},
        {CF_GROUP_QUESTION, layout->question},
        {CF_GROUP_LAST, {layout->length - 1, layout->length}},
        {CF_GROUP_TRUE_OPTION, layout->true_option},
        {CF_GROUP_FALSE_OPTION, layout->false_option},
        {CF_GROUP_NOUN, layout->noun},
        {CF_GROUP_INSTRUCTION, layout->instruction},
    };
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) {
        assert(spans[i].span.end <= layout->length);
        CF_TRY(cf_spans_add(&g.of[spans[i].group], spans[i].span.begin, spans[i].span.end, err));
    }
    for (int32_t i = 0; i < image.end - image.begin; i++)
        CF_TRY(add_patch(&g, image.begin + i, layout->roles ? layout->roles[i] : CF_PATCH_BASE, layout->hit != NULL,
                         layout->hit && layout->hit[i], err));
    if (layout->role_words)
        CF_TRY(cf_spans_copy(&g.of[CF_GROUP_ROLE], layout->role_words, err));
    CF_TRY(without_two(&g.of[CF_GROUP_QUESTION_WITHOUT_OPTIONS], &g.of[CF_GROUP_QUESTION], &g.of[CF_GROUP_TRUE_OPTION],
                       &g.of[CF_GROUP_FALSE_OPTION], err));
    CF_TRY(without_two(&g.of[CF_GROUP_TEMPLATE], &g.of[CF_GROUP_ALL], &g.of[CF_GROUP_IMAGE], &g.of[CF_GROUP_QUESTION],
                       err));
    CF_TRY(cf_alloc(&blocks, layout->n_blocks, sizeof *g.blocks, "blocks", err));
    g.blocks = blocks;
    g.n_blocks = layout->n_blocks;
    for (size_t i = 0; i < g.n_blocks; i++)
        g.blocks[i] = layout->blocks[i];
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
    free(g->blocks);
    g->blocks = NULL;
    g->n_blocks = 0;
    g->length = 0;
}

cf_status cf_groups_json(cf_str *out, const cf_groups *g, cf_error *err)
{
    cf_status st = CF_OK;
    bool first = true;
    CF_TRY(cf_str_add_text(out, "{", err));
    for (int i = 0; i < CF_N_GROUPS; i++) {
        const cf_spans *spans = &g->of[i];
        if (!spans->n)
            continue;
        CF_TRY(cf_str_addf(out, err, "%s\"%s\":[", first ? "" : ",", names[i]));
        for (size_t s = 0; s < spans->n; s++)
            CF_TRY(
                cf_str_addf(out, err, "%s[%d,%d]", s ? "," : "", (int)spans->items[s].begin, (int)spans->items[s].end));
        CF_TRY(cf_str_add_text(out, "]", err));
        first = false;
    }
    CF_TRY(cf_str_add_text(out, "}", err));
done:
    return st;
}
