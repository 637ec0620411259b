/* test_question.c - question sets: what a row says, what makes a row or a file unusable, and every cell of the demo sets and of the
 * published sets against checksums made with Python's csv module (tools/make_question_golden.py). The published sets are
 * third-party data: read from the folder in CF_GQA_DIR, or ../shared/gqa, and skipped where neither exists. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "question/question.h"
#include "question_asserts.h"
#include "test_csv.h"

#define CENTRAL "question_id,img_id,question,answer,central object x,central object y,central object w,central object h"
#define NAMED CENTRAL ",central object name,true option,false option,image_w,image_h"
#define PAIR                                                                                                           \
    "question_id,img_id,question,answer,object1 name,object1 x,object1 y,object1 w,object1 h,"                         \
    "object2 name,object2 x,object2 y,object2 w,object2 h"

static cf_question_set *parse(const char *text)
{
    cf_question_set *s = NULL;
    cf_error err = {0};
    if (cf_question_set_parse(&s, cf_slice_of(text), "dir.d/my_set_ChooseAttr.csv", &err) != CF_OK)
        fail_msg("%s", err.text);
    return s;
}

static void a_row_gives_every_field(void **state)
{
    (void)state;
    cf_question_set *s =
        parse(NAMED "\r\n007,img,\"Is it \"\"red\"\", or\nblue?\",red,-3,4,50,0,jar,red,blue,640,480\r\n");
    assert_int_equal(cf_question_set_size(s), 1);
    assert_string_equal(cf_question_set_path(s), "dir.d/my_set_ChooseAttr.csv");
    assert_string_equal(cf_question_set_task(s), "ChooseAttr");
    const cf_question *q = cf_question_set_row(s, 0);
    assert_slice(q->id, "007");
    assert_slice(q->image, "img");
    assert_slice(q->text, "Is it \"red\", or\nblue?");
    assert_slice(q->answer, "red");
    assert_slice(q->true_option, "red");
    assert_slice(q->false_option, "blue");
    assert_int_equal(q->image_w, 640);
    assert_int_equal(q->image_h, 480);
    assert_int_equal(q->n_objects, 1);
    assert_slice(q->objects[0].name, "jar");
    assert_box(&q->objects[0], -3, 4, 50, 0);
    assert_int_equal(q->fault.n, 0);
    cf_question_set_free(s);
}

static void columns_are_found_in_any_order_and_others_are_ignored(void **state)
{
    (void)state;
    cf_question_set *s = parse("central object h,note,answer,central object w,question,central object y,img_id,"
                               "central object x,question_id\n4,\"x,y\",no,3,Q?,2,i,1,9\n");
    const cf_question *q = cf_question_set_row(s, 0);
    assert_slice(q->id, "9");
    assert_slice(q->answer, "no");
    assert_box(&q->objects[0], 1, 2, 3, 4);
    assert_int_equal(q->image_w, 0);
    assert_int_equal(q->true_option.n, 0);
    assert_int_equal(q->objects[0].name.n, 0);
    cf_question_set_free(s);
}

static void a_dash_marks_what_is_absent(void **state)
{
    (void)state;
    cf_question_set *s = parse(PAIR "\n1,i,Q?,no,mud,1,2,3,4,tree,5,6,7,8\n"
                                    "2,i,Q?,no,mud,1,2,3,4,tree,-,-,-,-\n"
                                    "3,i,Q?,no,mud,1,2,3,4,-,-,-,-,-\n"
                                    "4,i,Q?,no,-,-,-,-,-,tree,5,6,7,8\n"
                                    "5,i,Q?,no,-,-,-,-,-,-,-,-,-,-\n");
    static const struct {
        int n_objects;
        bool box[2];
        const char *names[2];
    } expected[] = {
        {2, {true, true}, {"mud", "tree"}}, {2, {true, false}, {"mud", "tree"}}, {1, {true, false}, {"mud", ""}},
        {2, {false, true}, {"", "tree"}},   {0, {false, false}, {"", ""}},
    };
    assert_int_equal(cf_question_set_size(s), 5);
    for (size_t i = 0; i < 5; i++) {
        const cf_question *q = cf_question_set_row(s, i);
        assert_int_equal(q->fault.n, 0);
        assert_int_equal(q->n_objects, expected[i].n_objects);
        for (int k = 0; k < q->n_objects; k++) {
            assert_int_equal(q->objects[k].has_box, expected[i].box[k]);
            assert_slice(q->objects[k].name, expected[i].names[k]);
        }
    }
    cf_question_set_free(s);
}

static void a_row_with_a_wrong_value_is_kept_with_its_reason(void **state)
{
    (void)state;
    static const struct {
        const char *row, *fault;
    } cases[] = {
        {"1,i,Q?,no,1,2,3,4,a,b,c,5,6", ""},
        {"1,i,Q?,no,1.5,2,3,4,a,b,c,5,6", "central object x: expected a whole number of pixels, found \"1.5\""},
        {"1,i,Q?,no,1,,3,4,a,b,c,5,6", "central object y: expected a whole number of pixels, found \"\""},
        {"1,i,Q?,no,1,2,-,4,a,b,c,5,6", "central object w: expected a whole number of pixels, found \"-\""},
        {"1,i,Q?,no,1,2,3,-4,a,b,c,5,6", "central object h: expected a number of pixels in range, found \"-4\""},
        {"1,i,Q?,no,2147483648,2,3,4,a,b,c,5,6",
         "central object x: expected a number of pixels in range, found \"2147483648\""},
        {"1,i,Q?,no,99999999999999999999,2,3,4,a,b,c,5,6",
         "central object x: expected a whole number of pixels, found \"99999999999999999999\""},
        {"1,i,Q?,no,1,2,3,4,a,b,c,wide,6", "image_w: expected a whole number of pixels, found \"wide\""},
        {"1,i,Q?,no,1,2,3,4,a,b,c,5,0", "image_h: expected a number of pixels in range, found \"0\""},
        {",i,Q?,no,1,2,3,4,a,b,c,5,6", "question_id: expected a value, found \"\""},
        {"1,,Q?,no,1,2,3,4,a,b,c,5,6", "img_id: expected a value, found \"\""},
        {"1,i,,no,1,2,3,4,a,b,c,5,6", "question: expected a value, found \"\""},
        {"1,i,,no,one,2,3,4,a,b,c,5,0", "question: expected a value, found \"\""}, /* the first of three */
        {"1,i,Q?,,1,2,3,4,a,b,c,5,6", "answer: expected a value, found \"\""},
        {"1,i,Q?,no,\"a\nb\xC3\xA9\",2,3,4,a,b,c,x,6",
         "central object x: expected a whole number of pixels, found \"a?b??\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cf_str text = {0};
        cf_error err = {0};
        assert_int_equal(cf_str_addf(&text, &err, NAMED "\n%s\n2,i,Q?,no,1,2,3,4,a,b,c,5,6\n", cases[i].row), CF_OK);
        cf_question_set *s = parse(text.data);
        assert_int_equal(cf_question_set_size(s), 2);
        const cf_question *q = cf_question_set_row(s, 0);
        assert_slice(q->fault, cases[i].fault);
        if (strncmp(cases[i].fault, "central object", strlen("central object")) == 0)
            assert_false(q->objects[0].has_box);
        assert_int_equal(cf_question_set_row(s, 1)->fault.n, 0);
        cf_question_set_free(s);
        cf_str_deinit(&text);
    }
}

static void a_file_of_the_wrong_shape_is_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text, *expected;
    } cases[] = {
        {"empty", "", "a/b.csv: expected a question set, found an empty file"},
        {"blank lines only", "\n\r\n", "a/b.csv: expected a question set, found an empty file"},
        {"first line only", CENTRAL "\n", "a/b.csv: expected rows after the first line, found none"},
        {"no question_id", "img_id,question,answer\n", "a/b.csv: the column \"question_id\" is missing"},
        {"no img_id", "question_id,question,answer\n", "a/b.csv: the column \"img_id\" is missing"},
        {"no question", "question_id,img_id,answer\n", "a/b.csv: the column \"question\" is missing"},
        {"no answer", "question_id,img_id,question\n", "a/b.csv: the column \"answer\" is missing"},
        {"no boxes", "question_id,img_id,question,answer\n",
         "a/b.csv: the column \"central object x\" (or \"object1 x\") is missing"},
        {"half a box", "question_id,img_id,question,answer,central object x,central object y,central object w\n",
         "a/b.csv: the column \"central object h\" is missing"},
        {"half a second box", "question_id,img_id,question,answer,object1 x,object1 y,object1 w,object1 h,object2 x\n",
         "a/b.csv: the column \"object2 y\" is missing"},
        {"a column twice", CENTRAL ",answer\n", "a/b.csv: the column \"answer\" occurs twice"},
        {"short row", CENTRAL "\n1,i,Q?,no,1,2,3,4\n\n2,i,Q?,no,1,2,3\n",
         "a/b.csv, line 4: expected 8 cells as in the first line, found 7"},
        {"long row", CENTRAL "\n1,i,Q?,no,1,2,3,4,5\n",
         "a/b.csv, line 2: expected 8 cells as in the first line, found 9"},
        {"open quote", CENTRAL "\n1,i,\"Q?,no,1,2,3,4\n", "a/b.csv, line 2: a quoted cell is opened and never closed"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        print_message("  %s\n", cases[i].name);
        cf_question_set *s = NULL;
        cf_error err = {0};
        assert_int_equal(cf_question_set_parse(&s, cf_slice_of(cases[i].text), "a/b.csv", &err), CF_FORMAT);
        assert_string_equal(err.text, cases[i].expected);
        assert_null(s);
    }
}

static void a_set_is_hashed_over_the_bytes_of_its_file(void **state)
{
    (void)state;
    static const char *const texts[] = {CENTRAL "\n1,i,\"Q\"\"?\",no,1,2,3,4\n", CENTRAL "\n1,i,\"Q\"\"?\",no,1,2,3,4"};
    char hex[2][CF_HASH_HEX_BYTES];
    for (size_t i = 0; i < 2; i++) {
        cf_question_set *s = parse(texts[i]);
        cf_question_set_hash(hex[i], s);
        cf_question_set_free(s);
        cf_hash *h = NULL;
        cf_error err = {0};
        char expected[CF_HASH_HEX_BYTES];
        assert_int_equal(cf_hash_create(&h, &err), CF_OK);
        cf_hash_add(h, texts[i], strlen(texts[i]));
        cf_hash_hex(h, expected);
        cf_hash_free(h);
        assert_string_equal(hex[i], expected);
    }
    assert_string_not_equal(hex[0], hex[1]);
}

static void the_task_is_the_last_word_of_the_file_name(void **state)
{
    (void)state;
    static const struct {
        const char *path, *task;
    } cases[] = {{"a_b/x_y_ChooseCat.csv", "ChooseCat"}, {"a_b/mine.csv", "mine"}, {"x_.csv", ""}, {"Q_R", "R"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cf_question_set *s = NULL;
        cf_error err = {0};
        assert_int_equal(cf_question_set_parse(&s, cf_slice_of(CENTRAL "\n1,i,Q,a,1,2,3,4"), cases[i].path, &err),
                         CF_OK);
        assert_string_equal(cf_question_set_task(s), cases[i].task);
        cf_question_set_free(s);
    }
}

static void a_path_that_cannot_be_read_is_an_error(void **state)
{
    (void)state;
    cf_question_set *s = NULL;
    cf_error err = {0};
    assert_int_equal(cf_question_set_open(&s, "tests/question/golden/none.csv", &err), CF_IO);
    assert_non_null(strstr(err.text, "tests/question/golden/none.csv"));
    assert_int_equal(cf_question_set_open(&s, "tests/question", &err), CF_IO);
    assert_null(s);
}

/* ---- whole sets against Python's csv module ---- */

typedef struct checksum {
    uint64_t fnv1a;
    int64_t second_boxes;
} checksum;

static void add_field(uint64_t *h, cf_slice field)
{
    for (size_t i = 0; i <= field.n; i++)
        *h = (*h ^ (i < field.n ? (unsigned char)field.data[i] : 0x1f)) * UINT64_C(0x100000001b3);
}

static void add_number(uint64_t *h, int64_t v)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%" PRId64, v);
    add_field(h, cf_slice_of(text));
}

static checksum checksum_of(const cf_question_set *s)
{
    checksum c = {UINT64_C(0xcbf29ce484222325), 0};
    for (size_t i = 0; i < cf_question_set_size(s); i++) {
        const cf_question *q = cf_question_set_row(s, i);
        assert_int_equal(q->fault.n, 0);
        assert_true(q->image_w > 0 && q->image_h > 0);
        const cf_slice texts[] = {q->id, q->image, q->text, q->answer, q->true_option, q->false_option};
        for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
            add_field(&c.fnv1a, texts[k]);
        for (int k = 0; k < q->n_objects; k++) {
            const cf_object *o = &q->objects[k];
            const int64_t box[] = {o->x, o->y, o->w, o->h};
            add_field(&c.fnv1a, o->name);
            for (size_t b = 0; b < 4; b++) {
                if (o->has_box)
                    add_number(&c.fnv1a, box[b]);
                else
                    add_field(&c.fnv1a, cf_slice_of("-"));
            }
        }
        c.second_boxes += q->n_objects > 1 && q->objects[1].has_box;
    }
    return c;
}

/* Checks every set of the golden whose file name begins with prefix; how many rows they had. */
static size_t check_folder(const char *dir, const char *prefix)
{
    cf_json *golden = NULL;
    cf_error err = {0};
    size_t rows = 0;
    assert_int_equal(cf_json_open(&golden, "tests/question/golden/checksums.json", 1 << 20, &err), CF_OK);
    for (const cf_json *g = cf_json_first(cf_json_get(golden, "sets")); g; g = cf_json_next(g)) {
        if (strncmp(cf_json_name(g), prefix, strlen(prefix)) != 0)
            continue;
        print_message("  %s\n", cf_json_name(g));
        char *path = NULL;
        cf_question_set *s = NULL;
        assert_int_equal(cf_path_join(&path, dir, cf_json_name(g), &err), CF_OK);
        if (cf_question_set_open(&s, path, &err) != CF_OK)
            fail_msg("%s", err.text);
        const checksum c = checksum_of(s);
        char hex[17];
        (void)snprintf(hex, sizeof hex, "%016" PRIx64, c.fnv1a);
        assert_int_equal(cf_question_set_size(s), (size_t)cf_json_number(cf_json_get(g, "rows"), 0));
        assert_int_equal(c.second_boxes, (int64_t)cf_json_number(cf_json_get(g, "second_boxes"), -1));
        assert_string_equal(hex, cf_json_string(cf_json_get(g, "fnv1a")));
        rows += cf_question_set_size(s);
        cf_question_set_free(s);
        free(path);
    }
    cf_json_free(golden);
    return rows;
}

static void every_cell_of_the_demo_sets_is_what_python_reads(void **state)
{
    (void)state;
    assert_int_equal(check_folder("demo/questions", "shapes_"), 895);
}

static void every_cell_of_the_published_sets_is_what_python_reads(void **state)
{
    (void)state;
    const char *given = getenv("CF_GQA_DIR");
    const char *dir = given ? given : "../shared/gqa";
    if (!cf_file_is_dir(dir)) {
        print_message("  no folder %s: set CF_GQA_DIR to the published question sets\n", dir);
        skip();
    }
    assert_int_equal(check_folder(dir, "GQA_"), 5525);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_text_splits_into_its_cells),
        cmocka_unit_test(each_damaged_text_names_its_line),
        cmocka_unit_test(a_row_knows_the_line_it_begins_on),
        cmocka_unit_test(a_row_gives_every_field),
        cmocka_unit_test(columns_are_found_in_any_order_and_others_are_ignored),
        cmocka_unit_test(a_dash_marks_what_is_absent),
        cmocka_unit_test(a_row_with_a_wrong_value_is_kept_with_its_reason),
        cmocka_unit_test(a_file_of_the_wrong_shape_is_refused_by_name),
        cmocka_unit_test(a_set_is_hashed_over_the_bytes_of_its_file),
        cmocka_unit_test(the_task_is_the_last_word_of_the_file_name),
        cmocka_unit_test(a_path_that_cannot_be_read_is_an_error),
        cmocka_unit_test(every_cell_of_the_demo_sets_is_what_python_reads),
        cmocka_unit_test(every_cell_of_the_published_sets_is_what_python_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
