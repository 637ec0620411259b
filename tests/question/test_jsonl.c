/* test_jsonl.c - question sets as JSON Lines: every field, what refuses the file and what only its row, and the demo sets written as
 * JSON Lines against themselves as CSV. */
#include "question_asserts.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "support/fail_alloc.h"

#define NEEDED "\"image\":\"i\",\"question\":\"Q?\",\"answer\":\"no\""

static void a_line_gives_every_field(void **state)
{
    (void)state;
    cf_question_set *s =
        parse_as("d/my_set_ChooseAttr.jsonl",
                 "{\"id\":\"007\",\"image\":\"a.png\",\"question\":\"Is it \\\"red\\\",\\nor \\u00e9?\","
                 "\"answer\":\"red\",\"true_option\":\"red\",\"false_option\":\"blue\","
                 "\"boxes\":[[-3,4,50,0],{\"name\":\"jar\",\"x\":1,\"y\":2,\"w\":3,\"h\":4.0}],"
                 "\"image_w\":640,\"image_h\":480,\"other\":[{}]}\n");
    assert_string_equal(cf_question_set_task(s), "ChooseAttr");
    assert_string_equal(cf_question_set_note(s), "");
    assert_int_equal(cf_question_set_size(s), 1);
    const cf_question *q = cf_question_set_row(s, 0);
    assert_slice(q->fault, "");
    assert_slice(q->id, "007");
    assert_slice(q->image, "a.png");
    assert_slice(q->text, "Is it \"red\",\nor \xC3\xA9?");
    assert_slice(q->answer, "red");
    assert_slice(q->true_option, "red");
    assert_slice(q->false_option, "blue");
    assert_int_equal(q->image_w, 640);
    assert_int_equal(q->image_h, 480);
    assert_int_equal(q->n_objects, 2);
    assert_slice(q->objects[0].name, "");
    assert_box(&q->objects[0], -3, 4, 50, 0);
    assert_slice(q->objects[1].name, "jar");
    assert_box(&q->objects[1], 1, 2, 3, 4);
    cf_question_set_free(s);
}

static void nothing_of_a_line_is_left_for_the_next(void **state)
{
    (void)state;
    cf_question_set *s = parse_as("t.jsonl", "{" NEEDED ",\"id\":\"a\",\"true_option\":\"no\",\"false_option\":\"yes\","
                                             "\"boxes\":[[1,2,3,4],[1,2,3,-4]],\"image_w\":640,\"image_h\":480}\n"
                                             "{" NEEDED "}\n");
    assert_true(cf_question_set_row(s, 0)->fault.n > 0);
    assert_int_equal(cf_question_set_row(s, 0)->n_objects, 1); /* what is at fault is no box */
    const cf_question *q = cf_question_set_row(s, 1);
    assert_slice(q->fault, "");
    assert_slice(q->id, "2");
    assert_int_equal(q->true_option.n + q->false_option.n, 0);
    assert_int_equal(q->n_objects, 0);
    assert_int_equal(q->image_w, 0);
    assert_int_equal(q->image_h, 0);
    cf_question_set_free(s);
}

static void what_is_left_out_is_empty_and_the_id_is_the_line(void **state)
{
    (void)state;
    cf_question_set *s =
        parse_as("t.jsonl", "\xEF\xBB\xBF{" NEEDED "}\r\n\r\n  \t\n{" NEEDED ",\"id\":null,\"boxes\":null,"
                            "\"image_w\":null,\"options\":null,\"true_option\":null}\n"
                            "{\"image\":12,\"question\":\"Q?\",\"answer\":-3,\"id\":9007199254740991}");
    assert_int_equal(cf_question_set_size(s), 3);
    static const char *const ids[] = {"1", "4", "9007199254740991"};
    for (size_t i = 0; i < 3; i++) {
        const cf_question *q = cf_question_set_row(s, i);
        assert_slice(q->fault, "");
        assert_slice(q->id, ids[i]);
        assert_int_equal(q->n_objects, 0);
        assert_int_equal(q->true_option.n + q->false_option.n, 0);
        assert_int_equal(q->image_w, 0);
        assert_int_equal(q->image_h, 0);
    }
    assert_slice(cf_question_set_row(s, 2)->image, "12");
    assert_slice(cf_question_set_row(s, 2)->answer, "-3");
    cf_question_set_free(s);
}

static void the_option_that_is_the_answer_is_the_true_one(void **state)
{
    (void)state;
    static const struct {
        const char *answer, *options, *true_option, *false_option, *fault;
    } cases[] = {
        {"red", "[\"red\",\"blue\"]", "red", "blue", ""},
        {"blue", "[\"red\",\"blue\"]", "blue", "red", ""},
        {" Blue", "[\"red\",\"blue \"]", "blue ", "red", ""},
        {"green", "[\"red\",\"blue\"]", "", "", "options: expected the answer as one of the two, found \"green\""},
        {"red", "[\"red\",\"Red\"]", "", "", "options: expected the answer as one of the two, found \"red\""},
        {"red", "[\"red\"]", "", "", "options: expected a list of two strings, found \"a list\""},
        {"red", "[\"red\",\"blue\",\"green\"]", "", "", "options: expected a list of two strings, found \"a list\""},
        {"red", "[\"red\",1]", "", "", "options: expected a list of two strings, found \"a list\""},
        {"red", "[1,\"red\"]", "", "", "options: expected a list of two strings, found \"a list\""},
        {"red", "\"red\"", "", "", "options: expected a list of two strings, found \"a string\""},
        {"red", "{\"a\":\"red\",\"b\":\"blue\"}", "", "",
         "options: expected a list of two strings, found \"an object\""},
        {"red", "[\"red\",\"blue\"],\"true_option\":\"red\"", "red", "",
         "options: expected no true_option or false_option beside it, found \"both\""},
        {"red", "[\"red\",\"blue\"],\"false_option\":\"red\"", "", "red",
         "options: expected no true_option or false_option beside it, found \"both\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cf_str text = {0};
        assert_int_equal(cf_str_addf(&text, NULL,
                                     "{\"image\":\"i\",\"question\":\"Q?\",\"answer\":\"%s\",\"options\":%s}",
                                     cases[i].answer, cases[i].options),
                         CF_OK);
        cf_question_set *s = parse_as("t.jsonl", text.data);
        const cf_question *q = cf_question_set_row(s, 0);
        assert_slice(q->fault, cases[i].fault);
        assert_slice(q->true_option, cases[i].true_option);
        assert_slice(q->false_option, cases[i].false_option);
        cf_question_set_free(s);
        cf_str_deinit(&text);
    }
}

static void a_line_with_a_wrong_value_is_kept_with_its_reason(void **state)
{
    (void)state;
    static const struct {
        const char *fields, *fault;
    } cases[] = {
        {NEEDED ",\"boxes\":[[1,2,3,4],[1,2,3.5,4]]", "boxes[1].w: expected a whole number of pixels, found \"3.5\""},
        {NEEDED ",\"boxes\":[[1,2,3,-4]]", "boxes[0].h: expected a number of pixels in range, found \"-4\""},
        {NEEDED ",\"boxes\":[[1,2,-3,4]]", "boxes[0].w: expected a number of pixels in range, found \"-3\""},
        {NEEDED ",\"boxes\":[[-2147483647,2147483648,3,4]]",
         "boxes[0].y: expected a number of pixels in range, found \"2147483648\""},
        {NEEDED ",\"boxes\":[[-2147483648,2,3,4]]",
         "boxes[0].x: expected a number of pixels in range, found \"-2147483648\""},
        {NEEDED ",\"boxes\":[[1,2,3]]", "boxes[0]: expected [x, y, w, h] or an object, found \"a list\""},
        {NEEDED ",\"boxes\":[[1,2,3,4,5]]", "boxes[0]: expected [x, y, w, h] or an object, found \"a list\""},
        {NEEDED ",\"boxes\":[\"1 2 3 4\"]", "boxes[0]: expected [x, y, w, h] or an object, found \"1 2 3 4\""},
        {NEEDED ",\"boxes\":[null]", "boxes[0]: expected [x, y, w, h] or an object, found \"null\""},
        {NEEDED ",\"boxes\":[{\"x\":1,\"y\":2,\"w\":3}]",
         "boxes[0].h: expected a whole number of pixels, found \"nothing\""},
        {NEEDED ",\"boxes\":[{}]", "boxes[0].x: expected a whole number of pixels, found \"nothing\""},
        {NEEDED ",\"boxes\":[{\"x\":1,\"y\":\"2\",\"w\":3,\"h\":4}]",
         "boxes[0].y: expected a whole number of pixels, found \"2\""},
        {NEEDED ",\"boxes\":[[1,2,3,true]]", "boxes[0].h: expected a whole number of pixels, found \"true or false\""},
        {NEEDED ",\"boxes\":{\"x\":1}", "boxes: expected a list, found \"an object\""},
        {NEEDED ",\"image_w\":0", "image_w: expected a number of pixels in range, found \"0\""},
        {NEEDED ",\"image_h\":\"tall\\n\"", "image_h: expected a whole number of pixels, found \"tall?\""},
        {"\"image\":\"\",\"question\":\"\",\"answer\":\"\"",
         "image: expected a value, found \"\""}, /* the first of three */
        {"\"image\":\"i\",\"question\":\"\",\"answer\":\"no\"", "question: expected a value, found \"\""},
        {"\"image\":\"i\",\"question\":\"Q?\",\"answer\":\"\"", "answer: expected a value, found \"\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cf_str text = {0};
        assert_int_equal(cf_str_addf(&text, NULL, "{%s}\n{" NEEDED "}\n", cases[i].fields), CF_OK);
        cf_question_set *s = parse_as("t.jsonl", text.data);
        assert_int_equal(cf_question_set_size(s), 2);
        assert_slice(cf_question_set_row(s, 0)->fault, cases[i].fault);
        assert_slice(cf_question_set_row(s, 1)->fault, "");
        cf_question_set_free(s);
        cf_str_deinit(&text);
    }
}

/* A line with n boxes, of which box i begins at x = i. */
static void add_boxes(cf_str *text, int n)
{
    assert_int_equal(cf_str_add_text(text, "{" NEEDED ",\"boxes\":[", NULL), CF_OK);
    for (int i = 0; i < n; i++)
        assert_int_equal(cf_str_addf(text, NULL, "%s[%d,0,1,1]", i ? "," : "", i), CF_OK);
    assert_int_equal(cf_str_add_text(text, "]}\n", NULL), CF_OK);
}

static void a_question_has_as_many_boxes_as_its_line_gives_up_to_a_bound(void **state)
{
    (void)state;
    cf_str text = {0};
    add_boxes(&text, 3);
    add_boxes(&text, CF_MAX_OBJECTS);
    add_boxes(&text, CF_MAX_OBJECTS + 1);
    add_boxes(&text, 0);
    cf_question_set *s = parse_as("t.jsonl", text.data);
    static const int expected[] = {3, CF_MAX_OBJECTS, CF_MAX_OBJECTS, 0};
    for (size_t row = 0; row < 4; row++) {
        const cf_question *q = cf_question_set_row(s, row);
        assert_int_equal(q->n_objects, expected[row]);
        for (int32_t i = 0; i < q->n_objects; i++)
            assert_box(&q->objects[i], i, 0, 1, 1);
        assert_slice(q->fault, row == 2 ? "boxes: expected at most 64 objects, found \"more\"" : "");
    }
    cf_question_set_free(s);
    cf_str_deinit(&text);
}

static void a_name_alone_is_an_object_without_a_box(void **state)
{
    (void)state;
    cf_question_set *s =
        parse_as("t.jsonl", "{" NEEDED ",\"boxes\":[{\"name\":\"mud\"},{\"x\":5,\"y\":6,\"w\":7,\"h\":8,"
                            "\"name\":null},{\"name\":\"tree\"}]}");
    const cf_question *q = cf_question_set_row(s, 0);
    assert_slice(q->fault, "");
    assert_int_equal(q->n_objects, 3);
    assert_false(q->objects[0].has_box);
    assert_slice(q->objects[0].name, "mud");
    assert_box(&q->objects[1], 5, 6, 7, 8);
    assert_slice(q->objects[1].name, "");
    assert_false(q->objects[2].has_box);
    assert_slice(q->objects[2].name, "tree");
    cf_question_set_free(s);
}

static void a_file_of_the_wrong_shape_is_refused_with_the_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "a/b.jsonl: expected a question set, found an empty file"},
        {"\n \r\n", "a/b.jsonl: expected a question set, found an empty file"},
        {"{" NEEDED "}\n\n{\"image\":\"i\"\n", "a/b.jsonl, line 3: not valid JSON at byte 11"},
        {"{" NEEDED "}\nquestion\n", "a/b.jsonl, line 2: not valid JSON at byte 0"},
        {"{" NEEDED "} {}\n", "a/b.jsonl, line 1: unexpected text after the JSON value at byte 44"},
        {"[1]\n", "a/b.jsonl, line 1: expected an object, found a list"},
        {"7\n", "a/b.jsonl, line 1: expected an object, found a number"},
        {"{\"question\":\"Q?\",\"answer\":\"no\"}", "a/b.jsonl, line 1: the field \"image\" is missing"},
        {"{\"image\":\"i\",\"answer\":\"no\"}", "a/b.jsonl, line 1: the field \"question\" is missing"},
        {"{\"image\":\"i\",\"question\":\"Q?\"}", "a/b.jsonl, line 1: the field \"answer\" is missing"},
        {"{\"image\":\"i\",\"question\":\"Q?\",\"answer\":null}", "a/b.jsonl, line 1: the field \"answer\" is missing"},
        {"{\"image\":\"i\",\"question\":\"Q?\",\"answer\":true}",
         "a/b.jsonl, line 1: the field \"answer\": expected a string or a whole number, found true or false"},
        {"{\"image\":1.5,\"question\":\"Q?\",\"answer\":\"no\"}",
         "a/b.jsonl, line 1: the field \"image\": expected a string or a whole number, found a number"},
        {"{" NEEDED ",\"id\":[]}",
         "a/b.jsonl, line 1: the field \"id\": expected a string or a whole number, found a list"},
        {"{" NEEDED ",\"false_option\":{}}",
         "a/b.jsonl, line 1: the field \"false_option\": expected a string or a whole number, found an object"},
        {"{" NEEDED ",\"boxes\":[{\"name\":[]}]}",
         "a/b.jsonl, line 1: the field \"name\": expected a string or a whole number, found a list"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused("a/b.jsonl", cases[i].text, cases[i].message);
}

/* ---- the demo sets, written as JSON Lines ---- */

static void add_string(cf_str *out, const char *name, cf_slice text)
{
    assert_int_equal(cf_str_addf(out, NULL, "\"%s\":\"", name), CF_OK);
    for (size_t i = 0; i < text.n; i++)
        assert_int_equal(cf_str_addf(out, NULL, "\\u%04x", (unsigned)(unsigned char)text.data[i]), CF_OK);
    assert_int_equal(cf_str_add_text(out, "\"", NULL), CF_OK);
}

static void add_question(cf_str *out, const cf_question *q)
{
    const struct {
        const char *name;
        cf_slice text;
    } fields[] = {{"id", q->id},
                  {"image", q->image},
                  {"question", q->text},
                  {"answer", q->answer},
                  {"true_option", q->true_option},
                  {"false_option", q->false_option}};
    assert_int_equal(cf_str_addf(out, NULL, "{\"image_w\":%d,\"image_h\":%d", (int)q->image_w, (int)q->image_h), CF_OK);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        assert_int_equal(cf_str_add_text(out, ",", NULL), CF_OK);
        add_string(out, fields[i].name, fields[i].text);
    }
    assert_int_equal(cf_str_add_text(out, ",\"boxes\":[", NULL), CF_OK);
    for (int32_t i = 0; i < q->n_objects; i++) {
        const cf_object *o = &q->objects[i];
        assert_int_equal(cf_str_add_text(out, i ? ",{" : "{", NULL), CF_OK);
        if (o->has_box)
            assert_int_equal(cf_str_addf(out, NULL, "\"x\":%d,\"y\":%d,\"w\":%d,\"h\":%d,", (int)o->x, (int)o->y,
                                         (int)o->w, (int)o->h),
                             CF_OK);
        add_string(out, "name", o->name);
        assert_int_equal(cf_str_add_text(out, "}", NULL), CF_OK);
    }
    assert_int_equal(cf_str_add_text(out, "]}\n", NULL), CF_OK);
}

static void assert_same(const cf_question *a, const cf_question *b)
{
    assert_true(cf_slice_equal(a->id, b->id));
    assert_true(cf_slice_equal(a->image, b->image));
    assert_true(cf_slice_equal(a->text, b->text));
    assert_true(cf_slice_equal(a->answer, b->answer));
    assert_true(cf_slice_equal(a->true_option, b->true_option));
    assert_true(cf_slice_equal(a->false_option, b->false_option));
    assert_true(cf_slice_equal(a->fault, b->fault));
    assert_int_equal(a->image_w, b->image_w);
    assert_int_equal(a->image_h, b->image_h);
    assert_int_equal(a->n_objects, b->n_objects);
    for (int32_t i = 0; i < a->n_objects; i++) {
        assert_true(cf_slice_equal(a->objects[i].name, b->objects[i].name));
        assert_int_equal(a->objects[i].has_box, b->objects[i].has_box);
        if (a->objects[i].has_box)
            assert_box(&b->objects[i], a->objects[i].x, a->objects[i].y, a->objects[i].w, a->objects[i].h);
    }
}

static void the_demo_sets_as_json_lines_are_the_demo_sets(void **state)
{
    (void)state;
    static const char *const names[] = {"ChooseAttr",  "ChooseCat",  "ChooseRel",
                                        "CompareAttr", "LogicalObj", "QueryAttr"};
    size_t n_rows = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[80];
        cf_question_set *csv = NULL;
        cf_error err = {0};
        cf_str text = {0};
        (void)snprintf(path, sizeof path, "demo/questions/shapes_%s.csv", names[i]);
        assert_int_equal(cf_question_set_open(&csv, path, &err), CF_OK);
        for (size_t row = 0; row < cf_question_set_size(csv); row++)
            add_question(&text, cf_question_set_row(csv, row));
        (void)snprintf(path, sizeof path, "demo/questions/shapes_%s.jsonl", names[i]);
        cf_question_set *jsonl = parse_as(path, text.data);
        assert_string_equal(cf_question_set_task(jsonl), cf_question_set_task(csv));
        assert_int_equal(cf_question_set_size(jsonl), cf_question_set_size(csv));
        for (size_t row = 0; row < cf_question_set_size(csv); row++)
            assert_same(cf_question_set_row(csv, row), cf_question_set_row(jsonl, row));
        n_rows += cf_question_set_size(csv);
        cf_question_set_free(jsonl);
        cf_question_set_free(csv);
        cf_str_deinit(&text);
    }
    assert_int_equal(n_rows, 895);
}

static void a_set_larger_than_a_block_of_its_memory_keeps_every_text(void **state)
{
    (void)state;
    enum { ROWS = 300, LONG = 100000 };
    cf_str text = {0}, answer = {0};
    for (int i = 0; i < LONG; i++)
        assert_int_equal(cf_str_addf(&answer, NULL, "%d", i % 10), CF_OK);
    for (int i = 0; i < ROWS; i++)
        assert_int_equal(
            cf_str_addf(&text, NULL,
                        "{\"image\":\"i%d\",\"question\":\"%.*s\",\"answer\":\"a%d\",\"boxes\":[[%d,1,2,3]]}\n", i,
                        i == 7 ? LONG : 900 + i, answer.data, i, i),
            CF_OK);
    cf_question_set *s = parse_as("t.jsonl", text.data);
    for (int i = 0; i < ROWS; i++) {
        const cf_question *q = cf_question_set_row(s, (size_t)i);
        char image[16];
        (void)snprintf(image, sizeof image, "i%d", i);
        assert_slice(q->image, image);
        image[0] = 'a';
        assert_slice(q->answer, image);
        assert_int_equal(q->text.n, i == 7 ? LONG : 900 + i);
        assert_memory_equal(q->text.data, answer.data, q->text.n);
        assert_box(&q->objects[0], i, 1, 2, 3);
    }
    cf_question_set_free(s);
    cf_str_deinit(&text);
    cf_str_deinit(&answer);
}

/* For every way a block of a set's memory may come to its end; the sanitizer sees a byte too many. */
static void texts_that_fill_a_block_to_its_end_are_kept(void **state)
{
    (void)state;
    enum { BLOCK = 1 << 16, MARGIN = 40 };
    static char question[BLOCK + MARGIN];
    memset(question, 'q', sizeof question);
    for (int n = BLOCK - MARGIN; n < BLOCK + MARGIN; n++) {
        cf_str text = {0};
        assert_int_equal(
            cf_str_addf(&text, NULL, "{\"image\":\"pic\",\"question\":\"%.*s\",\"answer\":\"answer\"}", n, question),
            CF_OK);
        cf_question_set *s = parse_as("t.jsonl", text.data);
        const cf_question *q = cf_question_set_row(s, 0);
        assert_slice(q->image, "pic");
        assert_slice(q->answer, "answer");
        assert_int_equal(q->text.n, n);
        assert_memory_equal(q->text.data, question, q->text.n);
        cf_question_set_free(s);
        cf_str_deinit(&text);
    }
}

static void every_allocation_that_fails_is_reported(void **state)
{
    (void)state;
    static const char text[] = "{" NEEDED ",\"options\":[\"no\",\"yes\"],\"boxes\":[[1,2,3,4],{\"name\":\"a\"}]}\n"
                               "{\"image\":7,\"question\":\"Q?\",\"answer\":\"no\",\"boxes\":[7]}\n";
    for (int64_t n = 1;; n++) {
        cf_question_set *s = NULL;
        cf_error err = {0};
        fail_alloc_at(n);
        const cf_status st = cf_question_set_parse(&s, cf_slice_of(text), "t.jsonl", &err);
        if (!fail_alloc_off()) {
            assert_true(n > 10);
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
        cmocka_unit_test(a_line_gives_every_field),
        cmocka_unit_test(nothing_of_a_line_is_left_for_the_next),
        cmocka_unit_test(what_is_left_out_is_empty_and_the_id_is_the_line),
        cmocka_unit_test(the_option_that_is_the_answer_is_the_true_one),
        cmocka_unit_test(a_line_with_a_wrong_value_is_kept_with_its_reason),
        cmocka_unit_test(a_question_has_as_many_boxes_as_its_line_gives_up_to_a_bound),
        cmocka_unit_test(a_name_alone_is_an_object_without_a_box),
        cmocka_unit_test(a_file_of_the_wrong_shape_is_refused_with_the_line),
        cmocka_unit_test(the_demo_sets_as_json_lines_are_the_demo_sets),
        cmocka_unit_test(a_set_larger_than_a_block_of_its_memory_keeps_every_text),
        cmocka_unit_test(texts_that_fill_a_block_to_its_end_are_kept),
        cmocka_unit_test(every_allocation_that_fails_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
