/* test_map_flows.c - the flows of a map, its canonical form, and a question that stands in no file. */
#include "study_fixture.h"

#include <string.h>

#include "study/map_flows.h"
#include "study/question_list.h"
#include "study/run_chunks.h"
#include "study/single_question.h"

static void a_map_has_a_flow_for_each_cell(void **state)
{
    (void)state;
    static const struct {
        cf_map_options map;
        cf_map_extent extent;
        const char *expected;
    } cases[] = {
        {{CF_MAP_PATCHES, "Question", NULL, 1, NULL},
         {.base = {2, 2}},
         "patch(0,0)->Question,patch(0,1)->Question,patch(1,0)->Question,patch(1,1)->Question"},
        {{CF_MAP_PATCHES, "Last", NULL, 2, NULL},
         {.base = {3, 3}, .hd = {1, 4}},
         "patch(0:2,0:2)->Last,patch(0:2,2)->Last,patch(2,0:2)->Last,patch(2,2)->Last,hd(0,0:2)->Last,hd(0,2:4)->Last"},
        {{CF_MAP_PATCHES, "box(1,2,3,4) + Last", NULL, 99, NULL},
         {.base = {3, 5}},
         "patch(0:3,0:5)->box(1,2,3,4) + Last"},
        {{CF_MAP_HEADS, NULL, "Image->Question & Image->Last", 1, NULL},
         {.base = {3, 3}},
         "Image->Question#each & Image->Last#each"},
        {{CF_MAP_TOKENS, "Question", NULL, 2, NULL},
         {.base = {2, 3}, .n_tokens = 2},
         "patch(0:2,0:2)->Question[0]@3:5,patch(0:2,2)->Question[0]@3:5,patch(0:2,0:2)->Question[1]@3:5,"
         "patch(0:2,2)->Question[1]@3:5"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cf_str flows = {0};
        assert_ok(cf_map_flows(&flows, &cases[i].map, &cases[i].extent, (cf_span){3, 5}, report));
        assert_string_equal(flows.data, cases[i].expected);
        cf_str_deinit(&flows);
    }
}

static void an_extent_holds_every_pictures_grids(void **state)
{
    (void)state;
    cf_map_extent e = {0};
    cf_str text = {0};
    cf_map_extent_add(&e, &(cf_tile_grid){.patch_rows = 4, .patch_cols = 4});
    assert_ok(cf_map_extent_print(&text, &e, report));
    assert_string_equal(text.data, "base 4x4");
    cf_map_extent_add(&e, &(cf_tile_grid){.patch_rows = 4, .patch_cols = 4, .n_rows = 6, .n_cols = 8});
    cf_map_extent_add(&e, &(cf_tile_grid){.patch_rows = 4, .patch_cols = 4, .n_rows = 8, .n_cols = 4});
    cf_map_extent_add(&e, &(cf_tile_grid){.patch_rows = 4, .patch_cols = 4, .n_rows = 12, .n_cols = 0}); /* no patch */
    cf_str_clear(&text);
    assert_ok(cf_map_extent_print(&text, &e, report));
    assert_string_equal(text.data, "base 4x4, hd 8x8");
    cf_str_deinit(&text);
}

static void what_is_mapped_has_a_canonical_form(void **state)
{
    (void)state;
    static const struct {
        cf_map_options map;
        const char *expected; /* or what it is refused with */
        bool refused;
    } cases[] = {
        {{CF_MAP_PATCHES, " question-true option ", NULL, 1, NULL}, "Question - True Option", false},
        {{CF_MAP_PATCHES, "Question[2]", NULL, 1, NULL}, "Question[2]", false},
        {{CF_MAP_TOKENS, "central  OBJECT", NULL, 1, NULL}, "Central Object", false},
        {{CF_MAP_HEADS, NULL, "image->last&question->last", 1, NULL}, "Image->Last & Question->Last", false},
        {{CF_MAP_PATCHES, "Question", NULL, 0, NULL}, "--tile 0: expected 1 or more patches", true},
        {{CF_MAP_PATCHES, "Q", NULL, 1, NULL}, "group \"Q\", character 1: expected a group", true},
        {{CF_MAP_TOKENS, "Question[2]", NULL, 1, NULL}, "--to Question[2]: expected the name of one group", true},
        {{CF_MAP_TOKENS, "[3:5]", NULL, 1, NULL}, "--to [3:5]: expected the name of one group", true},
        {{CF_MAP_HEADS, NULL, "zero mlp: Last", 1, NULL}, "expected edges that are cut", true},
        {{CF_MAP_HEADS, NULL, "Image->Last@3", 1, NULL}, "without layers or heads of their own", true},
        {{CF_MAP_HEADS, NULL, "Image->Last & Question->Last#each", 1, NULL}, "without layers or heads", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cf_str text = {0};
        if (cases[i].refused) {
            assert_fails(CF_USAGE, cases[i].expected, cf_map_canonical(&text, &cases[i].map, report));
            assert_int_equal(text.n, 0);
            continue;
        }
        assert_ok(cf_map_canonical(&text, &cases[i].map, report));
        assert_string_equal(text.data, cases[i].expected);
        cf_str_deinit(&text);
    }
}

static void a_single_question_is_a_set_of_one(void **state)
{
    (void)state;
    const cf_single_question q = {.image = "my \"best\", photo.png",
                                  .text = "Is it \"red\", or\nblue?",
                                  .true_option = "red",
                                  .false_option = "blue",
                                  .object = "car",
                                  .has_box = true,
                                  .x = -1,
                                  .y = 2,
                                  .w = 30,
                                  .h = 4};
    cf_str text = {0};
    cf_question_list l = {0};
    assert_ok(cf_single_question_print(&text, &q, report));
    assert_ok(cf_question_list_parse(&l, text.data, "question.csv", 0, report));
    assert_int_equal(l.n_items, 1);
    const cf_question *found = l.items[0].question;
    assert_string_equal(cf_question_set_task(l.items[0].set), "question");
    assert_int_equal(found->fault.n, 0);
    assert_true(cf_slice_is(found->image, q.image) && cf_slice_is(found->text, q.text));
    assert_true(cf_slice_is(found->answer, "-") && cf_slice_is(found->true_option, "red") &&
                cf_slice_is(found->false_option, "blue"));
    assert_int_equal(found->n_objects, 1);
    assert_true(cf_slice_is(found->objects[0].name, "car") && found->objects[0].has_box && found->objects[0].x == -1 &&
                found->objects[0].h == 4);
    cf_question_list_close(&l);
    cf_str_clear(&text);
    assert_ok(cf_single_question_print(&text, &(cf_single_question){.image = "a", .text = "b"}, report));
    assert_ok(cf_question_list_parse(&l, text.data, "question.csv", 0, report));
    assert_int_equal(l.items[0].question->n_objects, 0);
    assert_int_equal(l.items[0].question->true_option.n, 0);
    cf_question_list_close(&l);
    cf_str_deinit(&text);
}

enum { LENGTH = 40000 };

/* Portions are whole flows, hold every run once, and stack no more rows than a flow must. */
static void portions_are_whole_flows_of_few_rows(void **state)
{
    (void)state;
    const cf_layout layout = {.length = LENGTH, .image = {2, 5}, .question = {LENGTH - 1500, LENGTH - 1}};
    const cf_text_config model = {.n_layers = 4, .n_heads = 3};
    static const int32_t one = 1;
    cf_study_options o = cf_study_options_default();
    cf_groups g = {0};
    cf_run_set s = {0};
    cf_run_chunks chunks = {0};
    cf_sample_plan whole = {0};
    o.windows = &one;
    o.flows = "[0]->Last,[1]->Last,[2]->Last,Image->Question,[0]->Question,[1]->Question,[2]->Question";
    assert_ok(cf_groups_build(&g, &layout, report));
    const cf_scene scene = {.groups = &g, .image = {2, 5}};
    assert_ok(cf_run_set_open(&s, &o, NULL, &model, report));
    assert_ok(cf_run_chunks_make(&chunks, &s, &scene, 0, 0, report));
    assert_ok(cf_sample_plan_create(&whole, &s, &scene, 0, 0, report));
    assert_true(chunks.n > 1);
    assert_int_equal(chunks.ends[chunks.n - 1], s.specs.n);
    assert_int_equal(chunks.lowest, whole.plan->lowest);
    assert_int_equal(chunks.row_layers, cf_plan_row_layers(whole.plan));
    for (size_t i = 0; i < chunks.n; i++) {
        const size_t begin = cf_run_chunk_begin(&chunks, i), end = chunks.ends[i];
        cf_sample_plan p = {0};
        assert_true(begin < end);
        assert_true(begin == 0 || s.specs.items[begin].flow != s.specs.items[begin - 1].flow);
        assert_ok(cf_sample_plan_create_some(&p, &s, begin, end, &scene, 0, 0, report));
        assert_int_equal(p.plan->n_runs, end - begin);
        assert_true(cf_plan_most_rows(p.plan) <= 8192 || s.specs.items[begin].flow == s.specs.items[end - 1].flow);
        for (size_t r = 0; r < p.plan->n_runs; r++)
            assert_int_equal(p.plan->runs[r].status, whole.plan->runs[begin + r].status);
        cf_sample_plan_deinit(&p);
    }
    cf_sample_plan_deinit(&whole);
    cf_run_chunks_deinit(&chunks);
    cf_run_set_close(&s);
    cf_groups_deinit(&g);
}

int test_map_flows(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_map_has_a_flow_for_each_cell),       cmocka_unit_test(an_extent_holds_every_pictures_grids),
        cmocka_unit_test(what_is_mapped_has_a_canonical_form),  cmocka_unit_test(a_single_question_is_a_set_of_one),
        cmocka_unit_test(portions_are_whole_flows_of_few_rows),
    };
    return cmocka_run_group_tests_name("the flows of a map", tests, NULL, NULL);
}
