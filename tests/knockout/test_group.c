/* test_group.c - the named position groups of one sample. */
#include <string.h>

#include "test_knockout.h"

#include "base/json.h"
#include "knockout/group.h"

enum { LENGTH = 32 };

/* An anyres prompt of 32 positions. Picture: base tile 3..6, two rows of three high-resolution patches, a newline after
 * each. Question 16..23 with its true option at 18, the object's name at 20, its false option at 22. */
static const char roles[] = "bbbbhhhnhhhn";
static const char hits[] = ".x...xx.x..x"; /* the last of them is of a newline, which no box touches */

static cf_groups build(const char *roles_word, const char *hits_word, const cf_layout *change)
{
    cf_patch_role role[LENGTH] = {CF_PATCH_BASE};
    bool hit[LENGTH] = {false};
    cf_spans role_words = spans_of(".xx...........................xx");
    cf_layout layout = {.length = LENGTH,
                        .image = {3, 15},
                        .question = {16, 24},
                        .true_option = {18, 20},
                        .noun = {20, 22},
                        .false_option = {22, 23},
                        .instruction = {25, 29},
                        .role_words = &role_words};
    if (change)
        layout = *change;
    for (size_t i = 0; roles_word && roles_word[i]; i++)
        role[i] = roles_word[i] == 'n' ? CF_PATCH_NEWLINE : roles_word[i] == 'h' ? CF_PATCH_HD : CF_PATCH_BASE;
    for (size_t i = 0; hits_word && hits_word[i]; i++)
        hit[i] = hits_word[i] == 'x';
    layout.roles = roles_word ? role : NULL;
    layout.hit = hits_word ? hit : NULL;
    cf_groups g = {0};
    OK(cf_groups_build(&g, &layout, &err));
    assert_int_equal(g.length, LENGTH);
    cf_spans_deinit(&role_words);
    return g;
}

static void expect(const char *name, const cf_groups *g, cf_group group, const char *expected)
{
    char word[LENGTH + 1];
    word_of(word, &g->of[group], LENGTH);
    if (strcmp(word, expected) != 0)
        fail_msg("%s, %s:\nexpected %s\nfound    %s", name, cf_group_name(group), expected, word);
}

static const char none[] = "................................";

static void every_group_of_an_anyres_prompt_is_where_the_published_scripts_have_it(void **state)
{
    (void)state;
    static const char *const expected[CF_N_GROUPS] = {
        [CF_GROUP_IMAGE] = "...xxxxxxxxxxxx.................",
        [CF_GROUP_QUESTION] = "................xxxxxxxx........",
        [CF_GROUP_LAST] = "...............................x",
        [CF_GROUP_OBJECT] = "....x...xx.x....................",
        [CF_GROUP_REST] = "...x.xxx....xx..................",
        [CF_GROUP_TRUE_OPTION] = "..................xx............",
        [CF_GROUP_FALSE_OPTION] = "......................x.........",
        [CF_GROUP_NOUN] = "....................xx..........",
        [CF_GROUP_QUESTION_WITHOUT_OPTIONS] = "................xx..xx.x........",
        [CF_GROUP_PAD] = "..........x...x.................",
        [CF_GROUP_REST_WITH_PAD] = "...x.xxx..x.xxx.................",
        [CF_GROUP_BASE] = "...xxxx.........................",
        [CF_GROUP_HD] = ".......xxxxxxxx.................",
        [CF_GROUP_OBJECT_HD] = "........xx.x....................",
        [CF_GROUP_REST_HD] = ".......x..x.xxx.................",
        [CF_GROUP_INSTRUCTION] = ".........................xxxx...",
        [CF_GROUP_ROLE] = ".xx...........................xx",
        [CF_GROUP_TEMPLATE] = "xxx............x........xxxxxxxx",
        [CF_GROUP_ALL] = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    };
    cf_groups g = build(roles, hits, NULL);
    for (int i = 0; i < CF_N_GROUPS; i++)
        expect("anyres", &g, (cf_group)i, expected[i]);
    cf_groups_deinit(&g);
}

static void groups_follow_the_tiles_and_the_boxes(void **state)
{
    (void)state;
    static const struct {
        const char *name, *roles, *hits;
        cf_group group;
        const char *expected;
    } cases[] = {
        {"no box known", roles, NULL, CF_GROUP_OBJECT, none},
        {"no box known", roles, NULL, CF_GROUP_REST, none},
        {"no box known", roles, NULL, CF_GROUP_REST_WITH_PAD, none},
        {"no box known", roles, NULL, CF_GROUP_OBJECT_HD, none},
        {"no box known", roles, NULL, CF_GROUP_REST_HD, none},
        {"no box known", roles, NULL, CF_GROUP_PAD, "..........x...x................."},
        {"no box known", roles, NULL, CF_GROUP_HD, ".......xxxxxxxx................."},
        {"object lost by the crop", roles, "............", CF_GROUP_OBJECT, none},
        {"object lost by the crop", roles, "............", CF_GROUP_REST, "...xxxxxxx.xxx.................."},
        {"object lost by the crop", roles, "............", CF_GROUP_REST_HD, ".......xxxxxxxx................."},
        {"object everywhere", roles, "xxxxxxxxxxxx", CF_GROUP_OBJECT, "...xxxxxxx.xxx.................."},
        {"object everywhere", roles, "xxxxxxxxxxxx", CF_GROUP_REST, none},
        {"object everywhere", roles, "xxxxxxxxxxxx", CF_GROUP_REST_WITH_PAD, "..........x...x................."},
        {"object everywhere", roles, "xxxxxxxxxxxx", CF_GROUP_OBJECT_HD, ".......xxx.xxx.................."},
        {"object everywhere", roles, "xxxxxxxxxxxx", CF_GROUP_REST_HD, "..........x...x................."},
        {"one tile", NULL, "...xxx..xx..", CF_GROUP_OBJECT, "......xxx..xx..................."},
        {"one tile", NULL, "...xxx..xx..", CF_GROUP_REST, "...xxx...xx..xx................."},
        {"one tile", NULL, "...xxx..xx..", CF_GROUP_REST_WITH_PAD, "...xxx...xx..xx................."},
        {"one tile", NULL, "...xxx..xx..", CF_GROUP_BASE, "...xxxxxxxxxxxx................."},
        {"one tile", NULL, "...xxx..xx..", CF_GROUP_HD, none},
        {"one tile", NULL, "...xxx..xx..", CF_GROUP_PAD, none},
        {"one tile", NULL, "...xxx..xx..", CF_GROUP_OBJECT_HD, none},
        {"one tile", NULL, "...xxx..xx..", CF_GROUP_REST_HD, none},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        cf_groups g = build(cases[i].roles, cases[i].hits, NULL);
        expect(cases[i].name, &g, cases[i].group, cases[i].expected);
        cf_groups_deinit(&g);
    }
}

static void what_does_not_occur_is_an_empty_group(void **state)
{
    (void)state;
    const cf_layout bare = {.length = LENGTH, .image = {3, 15}, .question = {16, 24}};
    cf_groups g = build(NULL, NULL, &bare);
    static const cf_group empty[] = {CF_GROUP_TRUE_OPTION, CF_GROUP_FALSE_OPTION, CF_GROUP_NOUN, CF_GROUP_INSTRUCTION,
                                     CF_GROUP_ROLE};
    for (size_t i = 0; i < COUNT(empty); i++)
        expect("bare", &g, empty[i], none);
    expect("bare", &g, CF_GROUP_QUESTION_WITHOUT_OPTIONS, "................xxxxxxxx........");
    cf_groups_deinit(&g);
    const cf_layout outside = {.length = LENGTH, .question = {16, 24}, .true_option = {22, 27}, .false_option = {1, 3}};
    g = build(NULL, NULL, &outside);
    expect("options that leave the question", &g, CF_GROUP_QUESTION_WITHOUT_OPTIONS,
           "................xxxxxx..........");
    expect("no picture", &g, CF_GROUP_TEMPLATE, "xxxxxxxxxxxxxxxx........xxxxxxxx");
    expect("no picture", &g, CF_GROUP_IMAGE, none);
    cf_groups_deinit(&g);
}

static void groups_with_positions_are_shown_as_json(void **state)
{
    (void)state;
    const cf_layout bare = {.length = LENGTH, .image = {3, 15}, .question = {16, 24}};
    cf_groups g = build("bbbbbbbbbbbb", "xx.....xx...", &bare);
    cf_str text = {0};
    OK(cf_groups_json(&text, &g, &err));
    assert_string_equal(text.data,
                        "{\"Image\":[[3,15]],\"Question\":[[16,24]],\"Last\":[[31,32]],"
                        "\"Image Central Object\":[[3,5],[10,12]],"
                        "\"Image Without Central Object\":[[5,10],[12,15]],\"Question without Options\":[[16,24]],"
                        "\"Image Without Central Object with pad\":[[5,10],[12,15]],"
                        "\"Image Original Patch\":[[3,15]],\"Template\":[[0,3],[15,16],[24,32]],\"All\":[[0,32]]}");
    cf_json *root = NULL;
    OK(cf_json_parse(&root, cf_str_slice(&text), "groups", &err));
    cf_json_free(root);
    cf_groups_deinit(&g);
    cf_str_clear(&text);
    OK(cf_groups_json(&text, &(cf_groups){0}, &err));
    assert_string_equal(text.data, "{}");
    cf_str_deinit(&text);
}

static void names_are_found_whatever_their_case_and_blanks(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        cf_group group;
    } cases[] = {
        {"Image", CF_GROUP_IMAGE},
        {" image\n", CF_GROUP_IMAGE},
        {"LAST", CF_GROUP_LAST},
        {"image  without\tcentral \r\n object", CF_GROUP_REST},
        {"Image Without Central Object With Pad", CF_GROUP_REST_WITH_PAD},
        {"question WITHOUT options", CF_GROUP_QUESTION_WITHOUT_OPTIONS},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        cf_group g = CF_N_GROUPS;
        if (!cf_group_find(&g, cf_slice_of(cases[i].text)) || g != cases[i].group)
            fail_msg("\"%s\": found %d", cases[i].text, (int)g);
    }
    for (int i = 0; i < CF_N_GROUPS; i++) {
        cf_group g = CF_N_GROUPS;
        assert_true(cf_group_find(&g, cf_slice_of(cf_group_name((cf_group)i))));
        assert_int_equal(g, i);
    }
}

static void an_unknown_name_is_not_found(void **state)
{
    (void)state;
    static const cf_slice bad[] = {
        {NULL, 0},        {" ", 1},         {"Imag", 4},         {"Images", 6},       {"Image Central", 13},
        {"ImagePad", 8},  {"Image_Pad", 9}, {"Ima ge", 6},       {"Image\0Pad", 9},   {"Image Pad\0", 10},
        {"Image-Pad", 9}, {"Lastt", 5},     {"\xC5\x9Flast", 6}, {"Image Pad x", 11}, {"Image Pa", 8},
    };
    cf_group g = CF_GROUP_REST;
    for (size_t i = 0; i < COUNT(bad); i++)
        if (cf_group_find(&g, bad[i]))
            fail_msg("\"%s\" was found", bad[i].data);
    assert_int_equal(g, CF_GROUP_REST);
    assert_true(cf_group_find(&g, (cf_slice){"Lasting", 4})); /* a name ends where its slice ends */
}

static void the_names_are_listed_in_their_order(void **state)
{
    (void)state;
    cf_str text = {0};
    OK(cf_group_names(&text, &err));
    assert_string_equal(text.data,
                        "Image, Question, Last, Image Central Object, Image Without Central Object, "
                        "True Option, False Option, Central Object, Question without Options, Image Pad, "
                        "Image Without Central Object with pad, Image Original Patch, Image HD Patch Indice, "
                        "Image Central Object in HD Patch Indice, "
                        "Image HD Patch Without Central Object Indice, Instruction, Role Words, Template, "
                        "All");
    cf_str_deinit(&text);
}

int test_group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_group_of_an_anyres_prompt_is_where_the_published_scripts_have_it),
        cmocka_unit_test(groups_follow_the_tiles_and_the_boxes),
        cmocka_unit_test(what_does_not_occur_is_an_empty_group),
        cmocka_unit_test(groups_with_positions_are_shown_as_json),
        cmocka_unit_test(names_are_found_whatever_their_case_and_blanks),
        cmocka_unit_test(an_unknown_name_is_not_found),
        cmocka_unit_test(the_names_are_listed_in_their_order),
    };
    return cmocka_run_group_tests_name("group", tests, NULL, NULL);
}
