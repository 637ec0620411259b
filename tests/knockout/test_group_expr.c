/* test_group_expr.c - unions and differences of groups: how they are read, written and found in a sample. */
#include <stdio.h>
#include <string.h>

#include "test_knockout.h"

#include "knockout/group_expr.h"
#include "support/fail_alloc.h"

static cf_group_expr parse(const char *text)
{
    cf_group_expr e = {0};
    OK(cf_group_expr_parse(&e, cf_slice_of(text), &err));
    return e;
}

static void groups_are_written_in_their_canonical_form(void **state)
{
    (void)state;
    static const struct {
        const char *text, *canonical;
    } cases[] = {
        {"Question", "Question"},
        {" image  PAD\t", "Image Pad"},
        {"Question-True Option", "Question - True Option"},
        {"Question - true  option-False Option+Last", "Question - True Option - False Option + Last"},
        {"All-Image-Question", "All - Image - Question"},
        {"[3:7]+\"white chest\"", "[3:7] + \"white chest\""},
        {"[ 3 : 7 ]", "[3:7]"},
        {"[3]", "[3]"},
        {"[3:4]", "[3]"},
        {"[03:007]", "[3:7]"},
        {"[3:]", "[3:]"},
        {"[:7]", "[0:7]"},
        {"[:1]", "[0]"},
        {"[:]", "[0:]"},
        {"[0:]", "[0:]"},
        {"[-1]", "[-1]"},
        {"[-1:]", "[-1]"},
        {"[ - 1 ]", "[-1]"},
        {"[-3]", "[-3]"},
        {"[-3:-2]", "[-3]"},
        {"[-3:-1]", "[-3:-1]"},
        {"[-3:]", "[-3:]"},
        {"[2:-1]", "[2:-1]"},
        {"[-5:9]", "[-5:9]"},
        {"[-0]", "[0]"},
        {"[999999999]", "[999999999]"},
        {"[-999999999:999999999]", "[-999999999:999999999]"},
        {"All-[-1]", "All - [-1]"},
        {"\"Last\"", "\"Last\""},
        {"\" a \"", "\" a \""},
        {"\"->&#@,:+-()[]\"", "\"->&#@,:+-()[]\""},
        {"\"say \\\"x\\\" \\\\ y\"", "\"say \\\"x\\\" \\\\ y\""},
        {"\"\\\\\"", "\"\\\\\""},
        {"\"\xE2\x82\xAC\t\n\"", "\"\xE2\x82\xAC\t\n\""},
        {"\"a\"+\"b\"-\"c\"", "\"a\" + \"b\" - \"c\""},
        {"box(1,2,3,4)", "box(1,2,3,4)"},
        {"BOX ( -1 , -2 , 0 , 0 ) - box(5,6,7,8)", "box(-1,-2,0,0) - box(5,6,7,8)"},
        {"box(999999999,-999999999,999999999,1)", "box(999999999,-999999999,999999999,1)"},
        {"question [ 2 ]", "Question[2]"},
        {"Image[0:3] - Image[-1:]", "Image[0:3] - Image[-1]"},
        {"Image  Pad[:2]", "Image Pad[0:2]"},
        {"last[:]", "Last[0:]"},
        {"patch(3,7)", "patch(3,7)"},
        {"PATCH ( 0 : 4 , 8 : 9 ) + HD(1,2:4)", "patch(0:4,8) + hd(1,2:4)"},
        {"hd(999999998:999999999,0)", "hd(999999998,0)"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        cf_group_expr e = parse(cases[i].text), copy = {0};
        cf_str text = {0};
        OK(cf_group_expr_print(&text, &e, &err));
        if (strcmp(text.data, cases[i].canonical) != 0)
            fail_msg("%s: expected %s, found %s", cases[i].text, cases[i].canonical, text.data);
        cf_group_expr back = parse(text.data);
        assert_true(cf_group_expr_equal(&e, &back));
        OK(cf_group_expr_copy(&copy, &e, &err));
        cf_group_expr_deinit(&e);
        assert_true(cf_group_expr_equal(&copy, &back));
        cf_group_expr_deinit(&copy);
        cf_group_expr_deinit(&back);
        cf_str_deinit(&text);
    }
}

static void groups_that_differ_anywhere_are_not_equal(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "Image",        "Last",      "Image+Last",   "Image-Last",   "Last+Image",   "Image+Last+Last",
        "[1:3]",        "[1:4]",     "[2:3]",        "[2:]",         "[-1]",         "\"a\"",
        "\"b\"",        "\"ab\"",    "box(1,2,3,4)", "box(0,2,3,4)", "box(1,0,3,4)", "box(1,2,0,4)",
        "box(1,2,3,0)", "\"Image\"", "Image[1]",     "Image[1:3]",   "Image[2:]",    "Last[1]",
        "patch(1,2)",   "hd(1,2)",   "patch(2,2)",   "patch(1,3)",   "patch(0:2,2)", "patch(1,2:4)",
    };
    for (size_t i = 0; i < COUNT(texts); i++)
        for (size_t j = 0; j < COUNT(texts); j++) {
            cf_group_expr a = parse(texts[i]), b = parse(texts[j]);
            if (cf_group_expr_equal(&a, &b) != (i == j))
                fail_msg("%s and %s", texts[i], texts[j]);
            cf_group_expr_deinit(&a);
            cf_group_expr_deinit(&b);
        }
}

static void what_is_no_group_is_refused_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int place;
        const char *expected, *found;
    } cases[] = {
        {"", 1, "a group", "the end"},
        {"  ", 3, "a group", "the end"},
        {"Imag", 1, "a group",
         "\"Imag\" (groups: [begin:end], \"text\", box(x,y,w,h), patch(row,column), hd(row,column), Image, "},
        {"Image;", 1, "a group", "\"Image;\""},
        {"Image +", 8, "a group", "the end"},
        {"Image + + Last", 9, "a group", "\"+\""},
        {"- Image", 1, "a group", "\"-\""},
        {"Image - [", 10, "a whole number", "the end"},
        {"Image Last", 1, "a group", "\"Image Last\""},
        {"Image \"Last\"", 7, "\"+\", \"-\" or the end", "\"\"Last\"\""},
        {"Image->Last", 6, "\"+\", \"-\" or the end", "\"->\""},
        {"Image,Last", 6, "\"+\", \"-\" or the end", "\",\""},
        {"Image@3", 6, "\"+\", \"-\" or the end", "\"@\""},
        {"(Image)", 1, "a group", "\"(\""},
        {"3", 1, "a group", "\"3\""},
        {"[]", 2, "a whole number", "\"]\""},
        {"[x]", 2, "a whole number", "\"x\""},
        {"[1.5]", 2, "a whole number", "\"1.5\""},
        {"[1 2]", 2, "a whole number", "\"1 2\""},
        {"[+1]", 2, "a whole number", "\"+\""},
        {"[--1]", 3, "a whole number", "\"-\""},
        {"[99999999999999999999]", 2, "a whole number", "\"99999999999999999999\""},
        {"[1000000000]", 2, "a number below 1000000000", "\"1000000000\""},
        {"[-1000000000]", 2, "a number below 1000000000", "\"-1000000000\""},
        {"[4", 3, "\":\" or \"]\"", "the end"},
        {"[4,5]", 3, "\":\" or \"]\"", "\",\""},
        {"[4:5", 5, "\"]\"", "the end"},
        {"[4:5:6]", 5, "\"]\"", "\":\""},
        {"[4:4]", 1, "a range that is not empty", "\"[4:4]\""},
        {"Last + [5:4] - Last", 8, "a range that is not empty", "\"[5:4]\""},
        {"[:0]", 1, "a range that is not empty", "\"[:0]\""},
        {"[-2:-2]", 1, "a range that is not empty", "\"[-2:-2]\""},
        {"[-2:-3]", 1, "a range that is not empty", "\"[-2:-3]\""},
        {"[-2:0]", 1, "a range that is not empty", "\"[-2:0]\""},
        {"\"\"", 1, "a text that is not empty", "\"\"\"\""},
        {"\"", 1, "a text that ends in a quote", "\"\"\""},
        {"Last+\"a", 6, "a text that ends in a quote", "\"\"a\""},
        {"\"a\\\"", 1, "a text that ends in a quote", "\"\"a\\\"\""},
        {"\"a\\", 1, "a text that ends in a quote", "\"\"a\\\""},
        {"\"a\\n\"", 1, "\\\" or \\\\ where a text has a backslash", "\"\"a\\n\"\""},
        {"\xC3\xA4\xE2\x82\xAC + Image", 1, "a group", "\"\xC3\xA4\xE2\x82\xAC\""},
        {"\"\xC3\xA4\xE2\x82\xAC\" + Imag", 8, "a group", "\"Imag\""},
        {"box", 4, "\"(\" after \"box\"", "the end"},
        {"box 1", 1, "a group", "\"box 1\""},
        {"box(", 5, "a whole number", "the end"},
        {"box(1,2,3)", 10, "\",\" (x,y,w,h)", "\")\""},
        {"box(1,2,3,4", 12, "\")\"", "the end"},
        {"box(1,2,3,4,5)", 12, "\")\"", "\",\""},
        {"box(1,2,-3,4)", 9, "a whole number", "\"-\""},
        {"box(1,2,3,-4)", 11, "a whole number", "\"-\""},
        {"box(1,2,3,1e3)", 11, "a whole number", "\"1e3\""},
        {"box(1,2,3,1000000000)", 11, "a number below 1000000000", "\"1000000000\""},
        {"Image[", 7, "a whole number", "the end"},
        {"Image[2", 8, "\":\" or \"]\"", "the end"},
        {"Image[5:4]", 6, "a range that is not empty", "\"[5:4]\""},
        {"Image[1][2]", 9, "\"+\", \"-\" or the end", "\"[\""},
        {"\"a\"[1]", 4, "\"+\", \"-\" or the end", "\"[\""},
        {"patch", 6, "\"(\" after \"patch\"", "the end"},
        {"hd 1", 1, "a group", "\"hd 1\""},
        {"hd[1]", 3, "\"(\" after \"hd\"", "\"[\""},
        {"patch(1)", 8, "\",\" (rows,columns)", "\")\""},
        {"patch(1,2,3)", 10, "\")\"", "\",\""},
        {"patch(-1,2)", 7, "a whole number", "\"-\""},
        {"patch(1,4:4)", 9, "a range that is not empty", "\"4:4\""},
        {"patch(1:,4)", 9, "a whole number", "\",\""},
        {"patch(1,1000000000)", 9, "a number below 1000000000", "\"1000000000\""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char says[400];
        cf_error err = {0};
        cf_group_expr e = {.cap = 77};
        (void)snprintf(says, sizeof says, "group \"%s\", character %d: expected %s, found %s", cases[i].text,
                       cases[i].place, cases[i].expected, cases[i].found);
        const cf_status st = cf_group_expr_parse(&e, cf_slice_of(cases[i].text), &err);
        if (st != CF_USAGE || strncmp(err.text, says, strlen(says)) != 0)
            fail_msg("status %d\nexpected %s\nfound    %s", (int)st, says, err.text);
        assert_true(e.cap == 77 && !e.terms);
    }
}

static void texts_are_read_to_their_own_end(void **state)
{
    (void)state;
    static const struct {
        cf_slice text;
        const char *expected;
    } cases[] = {
        {{"Image + La", 5}, NULL},
        {{"\"a\0b\"", 5}, "a text without NUL"},
        {{"\"\\\0\"", 4}, "a text without NUL"},
        {{"Image\0", 6}, "a group"},
        {{"[1\0]", 4}, "a whole number"},
        {{"[3]x", 3}, NULL},
        {{"\"ab\"", 3}, "ends in a quote"},
        {{NULL, 0}, "a group"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        cf_group_expr e = {0};
        cf_error err = {0};
        const cf_status st = cf_group_expr_parse(&e, cases[i].text, &err);
        if (st != (cases[i].expected ? CF_USAGE : CF_OK) || (cases[i].expected && !strstr(err.text, cases[i].expected)))
            fail_msg("case %zu: status %d, \"%s\"", i, (int)st, err.text);
        cf_group_expr_deinit(&e);
    }
}

static void long_texts_are_shown_in_part_and_in_whole_characters(void **state)
{
    (void)state;
    char text[400], says[400];
    cf_group_expr e = {0};
    cf_error err = {0};
    memset(text, 'x', sizeof text);
    for (size_t i = 79; i + 1 < sizeof text; i += 2)
        memcpy(text + i, "\xC3\xA4", 2); /* the character at byte 79 does not fit whole */
    (void)snprintf(says, sizeof says, "group \"%.79s\", character 1: expected a group, found \"%.79s\" (groups: [",
                   text, text);
    assert_int_equal(cf_group_expr_parse(&e, (cf_slice){text, 399}, &err), CF_USAGE);
    if (strncmp(err.text, says, strlen(says)) != 0)
        fail_msg("expected %s\nfound %s", says, err.text);
    assert_int_equal(cf_group_expr_parse(&e, (cf_slice){text, 399}, NULL), CF_USAGE);
}

/* A scene of 32 positions: the picture's base tile at 3..6, its two rows of high-resolution patches at 7..10 and 11..14,
 * text from 15 on. */
enum { LENGTH = 32, N_AFTER = 3 };

static const char vocabulary[] = "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"\xE2\x96\x81the\":0,\"\xE2\x96\x81re\":1,"
                                 "\"d\":2,\"\xE2\x96\x81moo\":3,\"n\":4,\"?\":5,\"<0x0A>\":6,\"x\":7},\"merges\":[]}}";

/* " the red" and the picture, then "<0x0A> the red moon? the redxxxxxxx" */
static const int32_t ids[] = {0, 1, 2, 99, 6, 0, 1, 2, 3, 4, 5, 0, 1, 2, 7, 7, 7, 7, 7, 7, 7};

/* A picture of 56 x 28 in tiles of 28 x 28: the base tile squeezes it, two tiles beside each other hold it as it is. */
static const cf_preprocess tiles28 = {.fit = CF_FIT_ANYRES,
                                      .size_h = 28,
                                      .size_w = 28,
                                      .crop_h = 28,
                                      .crop_w = 28,
                                      .do_resize = true,
                                      .do_center_crop = true,
                                      .n_pinpoints = 1,
                                      .pinpoints = {{28, 56}}};

typedef struct scene_owner { /* what a scene refers to */
    cf_groups groups;
    cf_tiling tiling;
    cf_tokenizer *tokenizer;
} scene_owner;

static cf_scene scene_open(scene_owner *o)
{
    static const bool hit[12] = {[1] = true, [5] = true};
    const cf_layout layout = {
        .length = LENGTH, .image = {3, 15}, .hit = hit, .question = {16, 21}, .true_option = {17, 19}};
    *o = (scene_owner){0};
    OK(cf_groups_build(&o->groups, &layout, &err));
    OK(cf_tokenizer_parse(&o->tokenizer, cf_slice_of(vocabulary), "vocabulary", &err));
    OK(cf_tiling_plan(&o->tiling, 56, 28, &tiles28, &(cf_packing){.patch_size = 14, .order = CF_HD_UNPAD}, &err));
    return (cf_scene){.groups = &o->groups,
                      .tokenizer = o->tokenizer,
                      .ids = ids,
                      .n_ids = COUNT(ids),
                      .image = {3, 15},
                      .preprocess = &tiles28,
                      .tiling = &o->tiling};
}

static void scene_close(scene_owner *o)
{
    cf_tokenizer_close(o->tokenizer);
    cf_tiling_deinit(&o->tiling);
    cf_groups_deinit(&o->groups);
}

static void positions_are_those_of_the_terms_from_left_to_right(void **state)
{
    (void)state;
    static const struct {
        const char *group;
        cf_side side;
        const char *positions; /* 32 of the prompt, three after it */
    } cases[] = {
        {"Question", CF_SIDE_KEY, "................xxxxx..............."},
        {"Question", CF_SIDE_QUERY, "................xxxxx..............."},
        {"Question - True Option", CF_SIDE_KEY, "................x..xx..............."},
        {"Question - Question + Last", CF_SIDE_KEY, "...............................x...."},
        {"Question + Last - Question", CF_SIDE_KEY, "...............................x...."},
        {"Last + Question - All", CF_SIDE_KEY, "...................................."},
        {"Question - Image", CF_SIDE_KEY, "................xxxxx..............."},
        {"Image - Image", CF_SIDE_QUERY, "...................................."},
        {"Image Central Object + Question", CF_SIDE_KEY, "....x...x.......xxxxx..............."},
        {"False Option", CF_SIDE_KEY, "...................................."},
        /* Last */
        {"Last", CF_SIDE_KEY, "...............................x...."},
        {"Last", CF_SIDE_QUERY, "...............................xxxx."},
        {"All", CF_SIDE_QUERY, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...."},
        {"Template", CF_SIDE_QUERY, "xxx............x.....xxxxxxxxxxx...."},
        {"[-1]", CF_SIDE_QUERY, "...............................x...."},
        {"[20:]", CF_SIDE_QUERY, "....................xxxxxxxxxxxx...."},
        {"All - Last", CF_SIDE_QUERY, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx....."},
        {"All - Last", CF_SIDE_KEY, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx....."},
        {"Last - [-1]", CF_SIDE_QUERY, "................................xxx."},
        {"Last - [-1]", CF_SIDE_KEY, "...................................."},
        {"Last + All - Last + Last", CF_SIDE_QUERY, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx."},
        /* ranges */
        {"[0]", CF_SIDE_KEY, "x..................................."},
        {"[3:7]", CF_SIDE_KEY, "...xxxx............................."},
        {"[:2]", CF_SIDE_KEY, "xx.................................."},
        {"[:]", CF_SIDE_KEY, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...."},
        {"[-2:]", CF_SIDE_KEY, "..............................xx...."},
        {"[-2]", CF_SIDE_KEY, "..............................x....."},
        {"[-3:-1]", CF_SIDE_KEY, ".............................xx....."},
        {"[28:-2]", CF_SIDE_KEY, "............................xx......"},
        {"[-30:4]", CF_SIDE_KEY, "..xx................................"},
        {"[30:99]", CF_SIDE_KEY, "..............................xx...."},
        {"[31]", CF_SIDE_QUERY, "...............................x...."},
        {"[32]", CF_SIDE_QUERY, "...................................."},
        {"[32:34]", CF_SIDE_QUERY, "...................................."},
        {"[-99:2]", CF_SIDE_KEY, "xx.................................."},
        {"[-99]", CF_SIDE_KEY, "...................................."},
        {"[-32]", CF_SIDE_KEY, "x..................................."},
        {"[-33]", CF_SIDE_KEY, "...................................."},
        {"[20:-20]", CF_SIDE_KEY, "...................................."},
        {"[-4:10]", CF_SIDE_KEY, "...................................."},
        /* texts: the first occurrence after the picture, every token that overlaps it */
        {"\" red\"", CF_SIDE_KEY, ".................xx................."},
        {"\"red moon\"", CF_SIDE_KEY, ".................xxxx..............."},
        {"\"oo\"", CF_SIDE_QUERY, "...................x................"},
        {"\"? the red\"", CF_SIDE_KEY, ".....................xxxx..........."},
        {"\"<0x0A>\"", CF_SIDE_KEY, "...............x...................."},
        {"\"xxxxxxx\"", CF_SIDE_KEY, ".........................xxxxxxx...."},
        {"\"blue\"", CF_SIDE_KEY, "...................................."},
        {"\"blue\" + Last", CF_SIDE_KEY, "...............................x...."},
        {"\"moo\" + \"the\"", CF_SIDE_KEY, "................x..x................"},
        /* boxes: in the squeezed base tile a box must be wide enough to keep its colour */
        {"box(15,1,2,2)", CF_SIDE_KEY, "........x..........................."},
        {"box(30,16,2,2)", CF_SIDE_QUERY, ".............x......................"},
        {"box(20,5,15,0)", CF_SIDE_KEY, "...xx...xx.........................."},
        {"box(-99,-99,999,999) - box(30,16,2,2)", CF_SIDE_KEY, "...xxxxxxxxxx.x....................."},
        {"box(0,0,0,0)", CF_SIDE_KEY, ".......x............................"},
        /* some positions of a group, also of one in several spans; of Last those in the prompt */
        {"Question[0]", CF_SIDE_KEY, "................x..................."},
        {"Question[-2:]", CF_SIDE_QUERY, "...................xx..............."},
        {"Question[3:99]", CF_SIDE_KEY, "...................xx..............."},
        {"Question[5]", CF_SIDE_KEY, "...................................."},
        {"Question - Question[1:4]", CF_SIDE_KEY, "................x...x..............."},
        {"Template[2:5]", CF_SIDE_KEY, "..x............x.....x.............."},
        {"Template[3:4]", CF_SIDE_KEY, "...............x...................."},
        {"Image Central Object[1]", CF_SIDE_KEY, "........x..........................."},
        {"False Option[0]", CF_SIDE_KEY, "...................................."},
        {"Last[0]", CF_SIDE_QUERY, "...............................x...."},
        {"Last[:]", CF_SIDE_QUERY, "...............................x...."},
        /* patches: the base tile's 2 x 2, and those of the two tiles beside each other as one grid of 2 x 4 */
        {"patch(0,0)", CF_SIDE_KEY, "...x................................"},
        {"patch(1,0)", CF_SIDE_QUERY, ".....x.............................."},
        {"patch(0:2,1)", CF_SIDE_KEY, "....x.x............................."},
        {"patch(2,0)", CF_SIDE_KEY, "...................................."},
        {"patch(0,2)", CF_SIDE_KEY, "...................................."},
        {"patch(0:9,0:9)", CF_SIDE_KEY, "...xxxx............................."},
        {"hd(0,1)", CF_SIDE_KEY, "........x..........................."},
        {"hd(0,2)", CF_SIDE_KEY, ".........x.........................."},
        {"hd(1,0)", CF_SIDE_KEY, "...........x........................"},
        {"hd(0:2,1:3)", CF_SIDE_KEY, "........xx..xx......................"},
        {"hd(1,3) + patch(1,1)", CF_SIDE_KEY, "......x.......x....................."},
        {"Image - hd(0:2,0:4)", CF_SIDE_KEY, "...xxxx............................."},
    };
    scene_owner owner;
    const cf_scene scene = scene_open(&owner);
    for (size_t i = 0; i < COUNT(cases); i++) {
        cf_group_expr e = parse(cases[i].group);
        cf_spans found = {0};
        char word[LENGTH + N_AFTER + 2];
        OK(cf_group_positions(&found, &e, &scene, cases[i].side, N_AFTER, &err));
        word_of(word, &found, LENGTH + N_AFTER + 1);
        if (strcmp(word, cases[i].positions) != 0)
            fail_msg("%s, as %s:\nexpected %s\nfound    %s", cases[i].group,
                     cases[i].side == CF_SIDE_KEY ? "keys" : "queries", cases[i].positions, word);
        cf_spans_deinit(&found);
        cf_group_expr_deinit(&e);
    }
    scene_close(&owner);
}

static void a_box_beside_the_picture_is_a_mismatch(void **state)
{
    (void)state;
    scene_owner owner;
    const cf_scene scene = scene_open(&owner);
    cf_group_expr e = parse("Last + box(56,0,5,5)");
    cf_spans found = {0};
    cf_error err = {0};
    assert_int_equal(cf_group_positions(&found, &e, &scene, CF_SIDE_KEY, 0, &err), CF_MISMATCH);
    assert_non_null(strstr(err.text, "does not meet the picture of 56 x 28"));
    assert_int_equal(found.n, 0);
    cf_group_expr_deinit(&e);
    scene_close(&owner);
}

static void positions_refused_memory_are_not_half_made(void **state)
{
    (void)state;
    scene_owner owner;
    const cf_scene scene = scene_open(&owner);
    cf_group_expr e = parse("Image - Image Central Object + \"red\" + \"blue\" + box(15,1,2,2) + [-3:] - [5] + Last + "
                            "Template[2:5] - patch(0,1) + hd(1,2)");
    int64_t n = 1;
    for (bool failed = true; failed; n++) {
        cf_spans found = {0};
        cf_error err = {0};
        fail_alloc_at(n);
        const cf_status st = cf_group_positions(&found, &e, &scene, CF_SIDE_QUERY, 1, &err);
        failed = fail_alloc_off();
        assert_int_equal(st, failed ? CF_NOMEM : CF_OK); /* also where a text is sought: it is not taken for absent */
        assert_int_equal(found.n > 0, !failed);
        cf_spans_deinit(&found);
    }
    assert_true(n > 20);
    cf_group_expr_deinit(&e);
    scene_close(&owner);
}

int test_group_expr(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_are_written_in_their_canonical_form),
        cmocka_unit_test(groups_that_differ_anywhere_are_not_equal),
        cmocka_unit_test(what_is_no_group_is_refused_with_its_place),
        cmocka_unit_test(texts_are_read_to_their_own_end),
        cmocka_unit_test(long_texts_are_shown_in_part_and_in_whole_characters),
        cmocka_unit_test(positions_are_those_of_the_terms_from_left_to_right),
        cmocka_unit_test(a_box_beside_the_picture_is_a_mismatch),
        cmocka_unit_test(positions_refused_memory_are_not_half_made),
    };
    return cmocka_run_group_tests_name("group_expr", tests, NULL, NULL);
}
