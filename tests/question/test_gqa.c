/* test_gqa.c - question sets in GQA's own format: which objects a question names and in what order, where their boxes come from, and
 * what refuses either file. The files here are made up in GQA's layout. */
#include "question_asserts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/fail_alloc.h"
#include "support/temp_dir.h"

#define NEEDED "\"imageId\":\"77\",\"question\":\"Q?\",\"answer\":\"no\""

/* Two images; object 1237 has a box that cannot be used. */
static const char scenes[] =
    "{\"88\":{\"width\":500,\"height\":375,\"location\":\"street\",\"objects\":{}},\n"
    " \"77\":{\"width\":640,\"height\":480,\"objects\":{\n"
    "  \"1236\":{\"name\":\"tree\",\"x\":9,\"y\":10,\"w\":11,\"h\":12,\"attributes\":[\"tall\",\"a } "
    "b\"],\"relations\":[]},\n"
    "  \"1234\":{\"name\":\"app\\u006ce\",\"x\":1,\"y\":2,\"w\":3,\"h\":4,\"attributes\":[],"
    "\"relations\":[{\"name\":\"on\",\"object\":\"1235\"}]},\n"
    "  \"1235\":{\"name\":\"table\",\"x\":-5,\"y\":6,\"w\":7,\"h\":8},\n"
    "  \"1237\":{\"name\":\"sky\",\"x\":0,\"y\":0,\"w\":-1,\"h\":4}}}}\n";

static cf_question_set *parse_with(const char *text, const char *scene_text)
{
    cf_question_set *s = NULL;
    cf_error err = {0};
    if (cf_question_set_parse_gqa(&s, cf_slice_of(text), "d/val_balanced_questions.json", cf_slice_of(scene_text),
                                  "d/val_sceneGraphs.json", &err) != CF_OK)
        fail_msg("%s", err.text);
    return s;
}

static void a_question_gives_every_field(void **state)
{
    (void)state;
    cf_question_set *s = parse_with(
        "{\"0512\": {\"semantic\": [{\"operation\": \"select\", \"dependencies\": [], \"argument\": \"tree (1236)\"},"
        "{\"operation\": \"query\", \"dependencies\": [0], \"argument\": \"name\"}], \"entailed\": [], \"equivalent\": "
        "[\"0512\"], \"question\": \"Is it \\\"red\\\", {or} not?\", \"imageId\": \"77\", \"isBalanced\": true, "
        "\"groups\": {\"global\": null, \"local\": \"x\"}, \"answer\": \"yes\", \"semanticStr\": \"select: tree\", "
        "\"annotations\": {\"answer\": {}, \"question\": {\"4\": \"1234\"}, \"fullAnswer\": {\"6\": \"1235\"}}, "
        "\"types\": {\"detailed\": \"d\"}, \"fullAnswer\": \"Yes.\"}}",
        scenes);
    assert_string_equal(cf_question_set_task(s), "questions");
    assert_string_equal(cf_question_set_note(s), "");
    assert_int_equal(cf_question_set_size(s), 1);
    const cf_question *q = cf_question_set_row(s, 0);
    assert_slice(q->fault, "");
    assert_slice(q->id, "0512");
    assert_slice(q->image, "77");
    assert_slice(q->text, "Is it \"red\", {or} not?");
    assert_slice(q->answer, "yes");
    assert_int_equal(q->true_option.n + q->false_option.n, 0);
    assert_int_equal(q->image_w, 640);
    assert_int_equal(q->image_h, 480);
    assert_int_equal(q->n_objects, 1);
    assert_slice(q->objects[0].name, "apple");
    assert_box(&q->objects[0], 1, 2, 3, 4);
    cf_question_set_free(s);
}

static void objects_are_those_of_the_question_words_else_of_the_operations(void **state)
{
    (void)state;
    static const struct {
        const char *fields, *names, *fault; /* names: of its objects, in order */
    } cases[] = {
        {"\"annotations\":{\"question\":{\"10\":\"1234\",\"4\":\"1236\",\"7:9\":\"1235\"}}", "tree table apple ", ""},
        {"\"annotations\":{\"question\":{\"2\":\"1235\",\"5\":\"1234\",\"8\":\"1235\"}}", "table apple ", ""},
        {"\"annotations\":{\"question\":{\"2\":\"-\",\"3\":\"\",\"4\":7,\"5\":\"1234\"}}", "apple ", ""},
        {"\"annotations\":{\"question\":{\"x\":\"1234\",\"3\":\"1235\",\"3:4\":\"1236\"}}", "table tree apple ", ""},
        {"\"annotations\":{\"question\":{\"2\":\"1234\"}},\"semantic\":[{\"argument\":\"tree (1236)\"}]", "apple ", ""},
        {"\"annotations\":{\"question\":{}},\"semantic\":[{\"argument\":\"tree (1236)\"}]", "tree ", ""},
        {"\"annotations\":{\"question\":{\"2\":\"-\"}},\"semantic\":[{\"argument\":\"tree (1236)\"}]", "tree ", ""},
        {"\"annotations\":null,\"semantic\":[{\"argument\":\"tree (1236) \"}]", "tree ", ""},
        {"\"annotations\":{\"question\":[\"1234\"]},\"semantic\":{\"0\":{\"argument\":\"tree (1236)\"}}", "", ""},
        {"\"semantic\":[{\"argument\":\"table (1235)\"},{\"argument\":\"red\"},{\"argument\":\"on,s (1234)\"},"
         "{\"argument\":\"hat "
         "(-)\"},{\"argument\":\"scene\"},{\"argument\":\"\"},{\"argument\":5},{\"operation\":\"x\"},"
         "{\"argument\":\"()\"},{\"argument\":\"1236)\"},{\"argument\":\"a (1236x\"},{\"argument\":\"a (1236) "
         "b\"},{\"argument\":\")\"},"
         "{\"argument\":\"a (x1236)\"},7,{\"argument\":\"table (1235)\"}]",
         "table apple ", ""},
        {"\"isBalanced\":true", "", ""},
        {"\"annotations\":{\"question\":{\"2\":\"1234\",\"3\":\"9\",\"4\":\"8\"}}", "apple ",
         "annotations: expected an object of the picture's scene graph, found \"9\""},
        {"\"annotations\":{\"question\":{\"1\":\"1234\",\"2\":\"1237\",\"3\":\"9\"}}", "apple ",
         "object 1237.w: expected a number of pixels in range, found \"-1\""},
        {"\"annotations\":{\"question\":{\"1\":\"9\",\"2\":\"1237\"}}", "",
         "annotations: expected an object of the picture's scene graph, found \"9\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cf_str text = {0}, names = {0};
        assert_int_equal(cf_str_addf(&text, NULL, "{\"1\":{" NEEDED ",%s}}", cases[i].fields), CF_OK);
        cf_question_set *s = parse_with(text.data, scenes);
        const cf_question *q = cf_question_set_row(s, 0);
        assert_slice(q->fault, cases[i].fault);
        for (int32_t k = 0; k < q->n_objects; k++) {
            assert_int_equal(cf_str_add(&names, q->objects[k].name, NULL), CF_OK);
            assert_int_equal(cf_str_add_text(&names, " ", NULL), CF_OK);
        }
        assert_slice(cf_str_slice(&names), cases[i].names);
        cf_question_set_free(s);
        cf_str_deinit(&names);
        cf_str_deinit(&text);
    }
}

static void a_picture_without_a_scene_graph_is_a_fault_where_a_box_is_needed(void **state)
{
    (void)state;
    cf_question_set *s = parse_with(
        "{\"1\":{\"imageId\":\"99\",\"question\":\"Q?\",\"answer\":\"no\",\"semantic\":[{\"argument\":\"a (1234)\"}]},"
        "\"2\":{\"imageId\":99,\"question\":\"Q?\",\"answer\":\"no\"},"
        "\"3\":{\"imageId\":88,\"question\":\"Q?\",\"answer\":\"no\"},"
        "\"\":{" NEEDED "},\"5\":{\"imageId\":\"77\",\"question\":\"Q?\",\"answer\":\"\"}}",
        scenes);
    static const char *const faults[] = {"imageId: expected an image of the scene graphs, found \"99\"", "", "",
                                         "question id: expected a value, found \"\"",
                                         "answer: expected a value, found \"\""};
    static const int widths[] = {0, 0, 500, 640, 640};
    assert_int_equal(cf_question_set_size(s), 5);
    for (size_t i = 0; i < 5; i++) {
        assert_slice(cf_question_set_row(s, i)->fault, faults[i]);
        assert_int_equal(cf_question_set_row(s, i)->image_w, widths[i]);
        assert_int_equal(cf_question_set_row(s, i)->n_objects, 0);
    }
    cf_question_set_free(s);
}

static void without_scene_graphs_questions_have_no_boxes_and_the_set_says_so(void **state)
{
    (void)state;
    cf_question_set *s = parse_as("d/val_balanced_questions.json",
                                  "{\"1\":{" NEEDED ",\"annotations\":{\"question\":{\"4\":\"1234\"}}}}");
    assert_string_equal(cf_question_set_note(s),
                        "d/val_balanced_questions.json: no scene graphs, so its questions have "
                        "no boxes and the object groups are empty");
    const cf_question *q = cf_question_set_row(s, 0);
    assert_slice(q->fault, "");
    assert_int_equal(q->n_objects, 0);
    assert_int_equal(q->image_w, 0);
    cf_question_set_free(s);
}

static void too_many_objects_are_a_fault(void **state)
{
    (void)state;
    cf_str scene = {0}, text = {0};
    assert_int_equal(cf_str_add_text(&scene, "{\"77\":{\"objects\":{", NULL), CF_OK);
    assert_int_equal(cf_str_add_text(&text, "{\"1\":{" NEEDED ",\"annotations\":{\"question\":{", NULL), CF_OK);
    for (int i = 0; i < CF_MAX_OBJECTS + 3; i++) {
        assert_int_equal(cf_str_addf(&scene, NULL, "%s\"%d\":{\"x\":%d,\"y\":0,\"w\":1,\"h\":1}", i ? "," : "", i, i),
                         CF_OK);
        assert_int_equal(cf_str_addf(&text, NULL, "%s\"%d\":\"%d\"", i ? "," : "", i, i), CF_OK);
    }
    assert_int_equal(cf_str_add_text(&scene, "}}}", NULL), CF_OK);
    assert_int_equal(cf_str_add_text(&text, "}}}}", NULL), CF_OK);
    cf_question_set *s = parse_with(text.data, scene.data);
    const cf_question *q = cf_question_set_row(s, 0);
    assert_slice(q->fault, "annotations: expected at most 64 objects, found \"more\"");
    assert_int_equal(q->n_objects, CF_MAX_OBJECTS);
    for (int32_t i = 0; i < q->n_objects; i++)
        assert_box(&q->objects[i], i, 0, 1, 1);
    cf_question_set_free(s);
    cf_str_deinit(&scene);
    cf_str_deinit(&text);
}

static void every_object_of_many_pictures_is_found(void **state)
{
    (void)state;
    enum { IMAGES = 3000, OBJECTS = 7 };
    cf_str scene = {0}, text = {0};
    for (int i = 0; i < IMAGES; i++) { /* in an order that is not that of their ids */
        const int id = i * 1777 % IMAGES;
        assert_int_equal(cf_str_addf(&scene, NULL, "%s\"%d\":{\"objects\":{", i ? "," : "{", id), CF_OK);
        for (int k = 0; k < OBJECTS; k++)
            assert_int_equal(cf_str_addf(&scene, NULL, "%s\"%d\":{\"x\":%d,\"y\":%d,\"w\":1,\"h\":1}", k ? "," : "",
                                         100 - k * 9, id, k),
                             CF_OK);
        assert_int_equal(cf_str_add_text(&scene, "}}", NULL), CF_OK);
        assert_int_equal(cf_str_addf(&text, NULL,
                                     "%s\"q%d\":{\"imageId\":\"%d\",\"question\":\"Q?\",\"answer\":\"a\","
                                     "\"semantic\":[{\"argument\":\"o (%d)\"}]}",
                                     i ? ",\n" : "{", i, i, 100 - i % OBJECTS * 9),
                         CF_OK);
    }
    assert_int_equal(cf_str_add_text(&scene, "}", NULL), CF_OK);
    assert_int_equal(cf_str_add_text(&text, "}", NULL), CF_OK);
    cf_question_set *s = parse_with(text.data, scene.data);
    assert_int_equal(cf_question_set_size(s), IMAGES);
    for (int i = 0; i < IMAGES; i++) {
        const cf_question *q = cf_question_set_row(s, (size_t)i);
        assert_slice(q->fault, "");
        assert_int_equal(q->n_objects, 1);
        assert_box(&q->objects[0], i, i % OBJECTS, 1, 1);
    }
    cf_question_set_free(s);
    cf_str_deinit(&scene);
    cf_str_deinit(&text);
}

static void a_questions_file_of_the_wrong_shape_is_refused_with_the_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "q.json: expected an object ({) at byte 0, found the end of the file"},
        {"\xEF\xBB\xBF []", "q.json: expected an object ({) at byte 4, found something else"},
        {"{ }", "q.json: expected a question set, found no question"},
        {"{} x", "q.json: unexpected text after the JSON value at byte 3"},
        {"{\"1\":{" NEEDED "}}{}", "q.json: unexpected text after the JSON value at byte 52"},
        {"{\"1\":{" NEEDED "}", "q.json: expected a comma or the object's end at byte 51, found the end of the file"},
        {"{\"1\":{" NEEDED "}]", "q.json: expected a comma or the object's end at byte 51, found something else"},
        {"{\"1\":{" NEEDED "} \"2\":{}}", "q.json, member \"1\": unexpected text after the JSON value at byte 47"},
        {"{\"1\":{" NEEDED "},}", "q.json: expected a name in quotes at byte 52, found something else"},
        {"{1:{}}", "q.json: expected a name in quotes at byte 1, found something else"},
        {"{\"1", "q.json: the name at byte 1 is not valid JSON"},
        {"{ \"\\x\":{}}", "q.json: the name at byte 2 is not valid JSON"},
        {"{\"1\"{}}", "q.json: expected a colon at byte 4, found something else"},
        {"{\"1\":}", "q.json, member \"1\": not valid JSON at byte 0"},
        {"{\"1\":{\"imageId\":\"77}}", "q.json, member \"1\": not valid JSON at byte 12"},
        {"{\"1\":{\"imageId\":[}}", "q.json, member \"1\": not valid JSON at byte 12"},
        {"{\"1\":7}", "q.json, question 1: expected an object, found a number"},
        {"{\"1\":{" NEEDED "},\"2\":[{}]}", "q.json, question 2: expected an object, found a list"},
        {"{\"1\":{\"question\":\"Q?\",\"answer\":\"no\"}}", "q.json, question 1: the field \"imageId\" is missing"},
        {"{\"1\":{\"imageId\":\"77\",\"answer\":\"no\"}}", "q.json, question 1: the field \"question\" is missing"},
        {"{\"1\":{\"imageId\":\"77\",\"question\":\"Q?\"}}", "q.json, question 1: the field \"answer\" is missing"},
        {"{\"1\":{\"imageId\":\"77\",\"question\":{},\"answer\":\"no\"}}",
         "q.json, question 1: the field \"question\": expected a string or a whole number, found an object"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused("q.json", cases[i].text, cases[i].message);
}

static void a_scene_graph_file_of_the_wrong_shape_is_refused_with_the_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "s.json: expected an object ({) at byte 0, found the end of the file"},
        {"{\"77\":[]}", "s.json, image 77: expected an object, found a list"},
        {"{\"77\":{}}", "s.json, image 77: the field \"objects\": expected an object, found nothing"},
        {"{\"77\":{\"objects\":[]}}", "s.json, image 77: the field \"objects\": expected an object, found a list"},
        {"{\"77\":{\"width\":\"w\",\"objects\":{}}}",
         "s.json, image 77: width: expected a whole number of pixels, found \"w\""},
        {"{\"77\":{\"width\":null,\"height\":0,\"objects\":{}}}",
         "s.json, image 77: height: expected a number of pixels in range, found \"0\""},
        {"{\"77\":{\"objects\":{\"5\":{\"name\":[]}}}}",
         "s.json, image 77: the field \"name\": expected a string or a whole number, found a list"},
        {"{\"77\":{\"objects\":{\"5\":{},\"6\":{},\"5\":{}}}}", "s.json, image 77: the object 5 occurs twice"},
        {"{\"77\":{\"objects\":{}},\"8\":{\"objects\":{}},\"77\":{\"objects\":{}}}",
         "s.json: the image 77 occurs twice"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cf_question_set *s = NULL;
        cf_error err = {0};
        assert_int_equal(cf_question_set_parse_gqa(&s, cf_slice_of("{\"1\":{" NEEDED "}}"), "q.json",
                                                   cf_slice_of(cases[i].text), "s.json", &err),
                         CF_FORMAT);
        assert_string_equal(err.text, cases[i].message);
        assert_null(s);
    }
}

/* ---- files ---- */

typedef struct files {
    char *dir, *questions, *scenes, *elsewhere;
} files;

static int files_setup(void **state)
{
    files *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->dir = temp_dir_make();
    f->questions = temp_dir_path(f->dir, "val_all_questions.json");
    f->scenes = temp_dir_path(f->dir, "val_sceneGraphs.json");
    f->elsewhere = temp_dir_path(f->dir, "other.json");
    temp_dir_write_text(f->dir, "val_all_questions.json",
                        "{\"1\":{" NEEDED ",\"annotations\":{\"question\":{\"4\":\"1234\"}}}}");
    *state = f;
    return 0;
}

static int files_teardown(void **state)
{
    files *f = *state;
    free(f->questions);
    free(f->scenes);
    free(f->elsewhere);
    temp_dir_remove(f->dir);
    free(f);
    return 0;
}

/* Opens the fixture's questions; the x of the first box, -1 where there is none. */
static int64_t first_x(const files *f, const char *scene_graphs, char hash[CF_HASH_HEX_BYTES])
{
    cf_question_set *s = NULL;
    cf_error err = {0};
    if (cf_question_set_open_gqa(&s, f->questions, scene_graphs, &err) != CF_OK)
        fail_msg("%s", err.text);
    const cf_question *q = cf_question_set_row(s, 0);
    const int64_t x = q->n_objects ? q->objects[0].x : -1;
    assert_int_equal(cf_question_set_note(s)[0] == '\0', x >= 0);
    cf_question_set_hash(hash, s);
    cf_question_set_free(s);
    return x;
}

static void scene_graphs_are_found_beside_the_questions_or_where_they_are_named(void **state)
{
    const files *f = *state;
    char none[CF_HASH_HEX_BYTES], beside[CF_HASH_HEX_BYTES], named[CF_HASH_HEX_BYTES], again[CF_HASH_HEX_BYTES];
    assert_int_equal(first_x(f, NULL, none), -1);
    temp_dir_write_text(f->dir, "train_sceneGraphs.json", "not read");
    assert_int_equal(first_x(f, NULL, none), -1);
    temp_dir_write_text(f->dir, "val_sceneGraphs.json", scenes);
    assert_int_equal(first_x(f, NULL, beside), 1);
    temp_dir_write_text(f->dir, "other.json", "{\"77\":{\"objects\":{\"1234\":{\"x\":50,\"y\":2,\"w\":3,\"h\":4}}}}");
    assert_int_equal(first_x(f, f->elsewhere, named), 50);
    assert_string_not_equal(none, beside); /* the boxes differ, so the study does */
    assert_string_not_equal(beside, named);
    assert_int_equal(first_x(f, f->scenes, again), 1);
    assert_string_equal(beside, again);
}

static void scene_graphs_that_cannot_be_read_or_used_are_an_error(void **state)
{
    const files *f = *state;
    cf_question_set *s = NULL;
    cf_error err = {0};
    assert_int_equal(cf_question_set_open_gqa(&s, f->questions, f->elsewhere, &err), CF_IO);
    assert_non_null(strstr(err.text, f->elsewhere));
    assert_int_equal(cf_question_set_open_gqa(&s, "demo/questions/shapes_ChooseAttr.csv", f->questions, &err),
                     CF_USAGE);
    assert_non_null(strstr(err.text, "shapes_ChooseAttr.csv: scene graphs ("));
    temp_dir_write_text(f->dir, "val_sceneGraphs.json", "");
    assert_int_equal(cf_question_set_open(&s, f->questions, &err), CF_FORMAT);
    assert_non_null(strstr(err.text, "val_sceneGraphs.json: expected an object"));
    assert_null(s);
}

static void every_allocation_that_fails_is_reported(void **state)
{
    (void)state;
    static const char text[] = "{\"1\":{" NEEDED ",\"annotations\":{\"question\":{\"4\":\"1234\",\"2\":\"1235\"}}},"
                               "\"2\":{" NEEDED ",\"annotations\":{\"question\":{\"4\":\"1\"}}}}";
    for (int64_t n = 1;; n++) {
        cf_question_set *s = NULL;
        cf_error err = {0};
        fail_alloc_at(n);
        const cf_status st =
            cf_question_set_parse_gqa(&s, cf_slice_of(text), "q.json", cf_slice_of(scenes), "s.json", &err);
        if (!fail_alloc_off()) {
            assert_true(n > 20);
            assert_int_equal(st, CF_OK);
            cf_question_set_free(s);
            return;
        }
        assert_int_equal(st, CF_NOMEM);
        assert_null(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_gives_every_field),
        cmocka_unit_test(objects_are_those_of_the_question_words_else_of_the_operations),
        cmocka_unit_test(a_picture_without_a_scene_graph_is_a_fault_where_a_box_is_needed),
        cmocka_unit_test(without_scene_graphs_questions_have_no_boxes_and_the_set_says_so),
        cmocka_unit_test(too_many_objects_are_a_fault),
        cmocka_unit_test(every_object_of_many_pictures_is_found),
        cmocka_unit_test(a_questions_file_of_the_wrong_shape_is_refused_with_the_place),
        cmocka_unit_test(a_scene_graph_file_of_the_wrong_shape_is_refused_with_the_place),
        cmocka_unit_test_setup_teardown(scene_graphs_are_found_beside_the_questions_or_where_they_are_named,
                                        files_setup, files_teardown),
        cmocka_unit_test_setup_teardown(scene_graphs_that_cannot_be_read_or_used_are_an_error, files_setup,
                                        files_teardown),
        cmocka_unit_test(every_allocation_that_fails_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
