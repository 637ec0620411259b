/* scene_words.c - see scene_words.h. */
#include "test_knockout.h"

#include "scene_words.h"

void scene_make(scene_words *s)
{
    *s = (scene_words){.groups.length = SCENE_LENGTH};
    s->groups.of[CF_GROUP_IMAGE] = spans_of("..xxxx......");
    s->groups.of[CF_GROUP_OBJECT] = spans_of("...xx.......");
    s->groups.of[CF_GROUP_REST] = spans_of("..x..x......");
    s->groups.of[CF_GROUP_QUESTION] = spans_of(".......xx...");
    s->groups.of[CF_GROUP_LAST] = spans_of("...........x");
    s->groups.of[CF_GROUP_TEMPLATE] = spans_of("xx....x..xxx");
    s->groups.of[CF_GROUP_ALL] = spans_of("xxxxxxxxxxxx");
    s->scene = (cf_scene){.groups = &s->groups, .image = {2, 6}};
}

void scene_drop(scene_words *s)
{
    cf_groups_deinit(&s->groups);
}

cf_parts scene_draw(const char *text, int32_t n_after, const cf_draw *draw)
{
    scene_words s;
    cf_flow flow = {0};
    cf_parts parts = {0};
    scene_make(&s);
    OK(cf_flow_parse(&flow, cf_slice_of(text), &err));
    OK(cf_parts_create(&parts, &flow, &s.scene, n_after, 70, draw, &err));
    cf_flow_deinit(&flow);
    scene_drop(&s);
    return parts;
}

cf_parts scene_parts(const char *flow, int32_t n_after)
{
    return scene_draw(flow, n_after, &(cf_draw){.seed = 1});
}
