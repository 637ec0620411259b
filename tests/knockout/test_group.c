/* test_group.c - the position groups of one sample. */
#include <stdlib.h>
#include <string.h>

#include "test_knockout.h"

#include "base/json.h"
#include "knockout/group.h"

/* A prompt of 16 positions: nine patches from 3 on, the question at 13 and 14. */
static cf_groups build(const char *hits)
{
    bool hit[9];
    for (int i = 0; hits && i < 9; i++)
        hit[i] = hits[i] == 'x';
    cf_groups g = {0};
    OK(cf_groups_build(&g, 16, (cf_span){3, 12}, hits ? hit : NULL, (cf_span){13, 15}, &err));
    return g;
}

static void groups_are_the_spans_of_their_positions(void **state)
{
    (void)state;
    static const struct {
        const char *name, *hits, *object, *rest;
    } cases[] = {
        {"no object known", NULL, "................", "................"},
        {"object in the middle", "....x....", ".......x........", "...xxxx.xxxx...."},
        {"object in two pieces", "xx.....xx", "...xx.....xx....", ".....xxxxx......"},
        {"object lost by the crop", ".........", "................", "...xxxxxxxxx...."},
        {"object everywhere", "xxxxxxxxx", "...xxxxxxxxx....", "................"},
        {"every other patch", "x.x.x.x.x", "...x.x.x.x.x....", "....x.x.x.x....."},
    };
    char word[17];
    for (size_t i = 0; i < COUNT(cases); i++) {
        cf_groups g = build(cases[i].hits);
        const struct {
            cf_group group;
            const char *expected;
        } of[] = {{CF_GROUP_IMAGE, "...xxxxxxxxx...."},
                  {CF_GROUP_QUESTION, ".............xx."},
                  {CF_GROUP_LAST, "...............x"},
                  {CF_GROUP_OBJECT, cases[i].object},
                  {CF_GROUP_REST, cases[i].rest}};
        for (size_t j = 0; j < COUNT(of); j++) {
            word_of(word, &g.of[of[j].group], 16);
            if (strcmp(word, of[j].expected) != 0)
                fail_msg("%s, %s: expected %s, found %s", cases[i].name, cf_group_name(of[j].group), of[j].expected,
                         word);
        }
        assert_int_equal(g.length, 16);
        cf_groups_deinit(&g);
    }
}

static void neighbouring_patches_make_one_span(void **state)
{
    (void)state;
    cf_groups g = build("xx.xxx...");
    assert_int_equal(g.of[CF_GROUP_OBJECT].n, 2);
    assert_int_equal(g.of[CF_GROUP_REST].n, 2);
    cf_groups_deinit(&g);
}

static void groups_are_shown_as_json(void **state)
{
    (void)state;
    cf_groups g = build("xx.....xx");
    cf_str text = {0};
    cf_json *root = NULL;
    OK(cf_groups_json(&text, &g, &err));
    assert_string_equal(text.data, "{\"Image\":[[3,12]],\"Question\":[[13,15]],\"Last\":[[15,16]],"
                                   "\"Image Central Object\":[[3,5],[10,12]],"
                                   "\"Image Without Central Object\":[[5,10]]}");
    OK(cf_json_parse(&root, cf_str_slice(&text), "groups", &err));
    assert_int_equal(cf_json_count(root), CF_N_GROUPS);
    cf_json_free(root);
    cf_str_deinit(&text);
    cf_groups_deinit(&g);
}

static void an_unknown_group_is_not_found(void **state)
{
    (void)state;
    cf_group g = CF_GROUP_REST;
    static const char *const bad[] = {"", " ", "Imag", "Image Central", "Image Pad", "Lastt", "Image Without Object"};
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(cf_group_find(&g, cf_slice_of(bad[i])));
    assert_int_equal(g, CF_GROUP_REST);
    for (int i = 0; i < CF_N_GROUPS; i++) {
        assert_true(cf_group_find(&g, cf_slice_of(cf_group_name((cf_group)i))));
        assert_int_equal(g, i);
    }
}

int test_group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_are_the_spans_of_their_positions),
        cmocka_unit_test(neighbouring_patches_make_one_span),
        cmocka_unit_test(groups_are_shown_as_json),
        cmocka_unit_test(an_unknown_group_is_not_found),
    };
    return cmocka_run_group_tests_name("group", tests, NULL, NULL);
}
