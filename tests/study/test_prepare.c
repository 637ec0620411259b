/* test_prepare.c - a question made into tokens, patches and position groups, against transformers' values for 36
 * questions of the demo (tests/engine/golden/demo.json), and every named group of ten rows as they stand in the CSV files
 * (tests/engine/golden/flows_demo.json). */
#include "demo_runtime.h"
#include "study_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "study/prepare.h"
#include "study/question_list.h"

static int64_t whole(const cf_json *node)
{
    int64_t v = -1;
    assert_true(cf_json_i64(&v, node));
    return v;
}

static void assert_list(const char *key, const cf_json *list, const int32_t *found, int64_t n)
{
    assert_int_equal(cf_json_count(list), n);
    for (const cf_json *e = cf_json_first(list); e; e = cf_json_next(e), found++)
        if (whole(e) != *found)
            fail_msg("%s: expected %d, found %d", key, (int)whole(e), *found);
}

static void assert_sample(const cf_json *s, cf_picture *picture)
{
    const char *key = cf_json_string(cf_json_get(s, "key"));
    cf_prepared p = {0};
    char path[64];
    cf_object objects[8];
    cf_question q = {.text = cf_slice_of(cf_json_string(cf_json_get(s, "question"))), .objects = objects};
    (void)snprintf(path, sizeof path, PICTURES "/%s.jpg", cf_json_string(cf_json_get(s, "image")));
    for (const cf_json *b = cf_json_first(cf_json_get(s, "boxes")); b; b = cf_json_next(b)) {
        const cf_json *x = cf_json_first(b), *y = cf_json_next(x), *w = cf_json_next(y), *h = cf_json_next(w);
        objects[q.n_objects++] =
            (cf_object){.x = whole(x), .y = whole(y), .w = whole(w), .h = whole(h), .has_box = true};
    }
    assert_ok(cf_picture_load(picture, &demo_runtime, path, report));
    assert_ok(cf_prepare(&p, &demo_runtime, picture, &q, report));
    assert_list(key, cf_json_get(s, "text_ids"), p.input.ids, p.input.n_ids);
    assert_int_equal(p.input.image_index, whole(cf_json_get(s, "image_at")));
    assert_int_equal(p.groups.length, whole(cf_json_get(s, "length")));
    assert_int_equal(p.grid_h * p.grid_w, 144);
    const cf_spans *question = &p.groups.of[CF_GROUP_QUESTION], *object = &p.groups.of[CF_GROUP_OBJECT];
    assert_int_equal(question->n, 1);
    assert_list(key, cf_json_get(s, "question_span"),
                (const int32_t[]){question->items[0].begin, question->items[0].end}, 2);
    int32_t hit[144];
    int64_t n_hit = 0;
    for (int32_t i = 0; i < 144; i++) {
        if (p.hit[i])
            hit[n_hit++] = i;
        assert_int_equal(cf_spans_contain(object, p.input.image_index + i), p.hit[i]);
        assert_int_equal(cf_spans_contain(&p.groups.of[CF_GROUP_REST], p.input.image_index + i), !p.hit[i]);
    }
    assert_list(key, cf_json_get(s, "object_patches"), hit, n_hit);
    assert_ptr_equal(p.input.pixels, picture->pixels);
    assert_int_equal(p.input.picture, picture->name);
    cf_prepared_deinit(&p);
}

static void questions_are_laid_out_as_the_reference_has_them(void **state)
{
    (void)state;
    cf_json *golden = NULL;
    cf_picture picture = {0};
    int n = 0;
    assert_ok(cf_json_open(&golden, "tests/engine/golden/demo.json", 16 << 20, report));
    for (const cf_json *s = cf_json_first(cf_json_get(golden, "samples")); s; s = cf_json_next(s), n++)
        assert_sample(s, &picture);
    assert_int_equal(n, 36);
    cf_picture_deinit(&picture);
    cf_json_free(golden);
}

/* ---- named groups ---- */

static const cf_list_item *find_item(const cf_question_list *l, const char *task, int64_t row)
{
    for (size_t i = 0; i < l->n_items; i++)
        if (l->items[i].row == row && strcmp(cf_question_set_task(l->items[i].set), task) == 0)
            return &l->items[i];
    fail_msg("no row %s %d", task, (int)row);
    return NULL;
}

static void assert_group(const char *key, const cf_json *positions, const cf_spans *found)
{
    int64_t n = 0;
    for (const cf_json *e = cf_json_first(positions); e; e = cf_json_next(e), n++)
        if (!cf_spans_contain(found, (int32_t)whole(e)))
            fail_msg("%s: %s lacks position %d", key, cf_json_name(positions), (int)whole(e));
    if (cf_spans_count(found) != n)
        fail_msg("%s: %s has %d positions, expected %d", key, cf_json_name(positions), (int)cf_spans_count(found),
                 (int)n);
}

/* The row of the CSV file itself, with its options, names and boxes. */
static void every_named_group_of_a_row_is_the_references(void **state)
{
    (void)state;
    cf_json *golden = NULL;
    cf_picture picture = {0};
    cf_question_list list = {0};
    int n = 0;
    assert_ok(cf_question_list_open(&list, "demo/questions", NULL, 0, report));
    assert_ok(cf_json_open(&golden, "tests/engine/golden/flows_demo.json", 16 << 20, report));
    for (const cf_json *s = cf_json_first(cf_json_get(golden, "samples")); s; s = cf_json_next(s), n++) {
        const char *key = cf_json_string(cf_json_get(s, "key"));
        const cf_list_item *item =
            find_item(&list, cf_json_string(cf_json_get(s, "task")), whole(cf_json_get(s, "row")));
        cf_prepared p = {0};
        char *path = NULL;
        int n_groups = 0;
        assert_ok(cf_picture_path(&path, PICTURES, item->question->image, report));
        assert_ok(cf_prepare_question(&p, &picture, &demo_runtime, item->question, path, report));
        assert_list(key, cf_json_get(s, "text_ids"), p.input.ids, p.input.n_ids);
        const cf_json *groups = cf_json_get(s, "groups");
        for (const cf_json *g = cf_json_first(groups); g; g = cf_json_next(g), n_groups++) {
            cf_group group;
            assert_true(cf_group_find(&group, cf_slice_of(cf_json_name(g))));
            assert_group(key, g, &p.groups.of[group]);
        }
        assert_int_equal(n_groups, CF_N_GROUPS);
        assert_int_equal(p.notes.n, 0);
        cf_prepared_deinit(&p);
        free(path);
    }
    assert_int_equal(n, 10);
    cf_json_free(golden);
    cf_question_list_close(&list);
    cf_picture_deinit(&picture);
}

/* ---- pictures ---- */

static void a_picture_is_read_once_and_a_name_is_used_once(void **state)
{
    (void)state;
    cf_picture p = {0};
    assert_ok(cf_picture_load(&p, &demo_runtime, PICTURES "/000024.jpg", report));
    const uint64_t first = p.name;
    const float *const pixels = p.pixels;
    assert_true(first != 0);
    assert_ok(cf_picture_load(&p, &demo_runtime, PICTURES "/000024.jpg", report));
    assert_int_equal(p.name, first);
    assert_ptr_equal(p.pixels, pixels);
    assert_fails(CF_IO, "nowhere.jpg: cannot open", cf_picture_load(&p, &demo_runtime, "nowhere.jpg", report));
    assert_null(p.path); /* a failed picture is not the one before */
    assert_null(p.pixels);
    assert_ok(cf_picture_load(&p, &demo_runtime, PICTURES "/000024.jpg", report));
    assert_true(p.name > first);
    assert_int_equal(p.width, 336);
    assert_int_equal(p.tiling.tiles[0].width, 168);
    cf_picture_deinit(&p);
}

static void a_failed_question_leaves_what_was_prepared_unchanged(void **state)
{
    static const cf_object outside = {.x = 336, .w = 9, .h = 9, .has_box = true};
    const cf_question good = {.text = cf_slice_of("Is it?")};
    const struct {
        cf_question q;
        const char *say;
    } bad[] = {
        {{.text = cf_slice_of("Is it?"), .objects = &outside, .n_objects = 1}, "box 0 (x 336,"},
        {{.text = cf_slice_of("\xe2\x82\xac?")}, "does not occur among"},
        {{.text = cf_slice_of("<image>?")}, "it holds <image> itself"},
    };
    (void)state;
    cf_picture picture = {0};
    cf_prepared p = {0};
    assert_ok(cf_picture_load(&picture, &demo_runtime, PICTURES "/000024.jpg", report));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_fails(CF_MISMATCH, bad[i].say, cf_prepare(&p, &demo_runtime, &picture, &bad[i].q, report));
    assert_null(p.prompt.ids.items);
    assert_ok(cf_prepare(&p, &demo_runtime, &picture, &good, report));
    assert_null(p.hit);
    assert_int_equal(cf_spans_count(&p.groups.of[CF_GROUP_OBJECT]), 0);
    assert_int_equal(cf_spans_count(&p.groups.of[CF_GROUP_REST]), 0);
    assert_int_equal(cf_spans_count(&p.groups.of[CF_GROUP_IMAGE]), 144);
    cf_prepared_deinit(&p);
    cf_picture_deinit(&picture);
}

static void an_answer_is_stripped_and_without_special_tokens(void **state)
{
    static const int32_t ids[] = {305, 537, 305, 2}; /* a blank, "Orange", a blank, the end */
    (void)state;
    cf_str text = {0};
    assert_ok(cf_answer_text(&text, &demo_runtime, ids, 4, report));
    assert_string_equal(text.data, "Orange");
    assert_ok(cf_answer_text(&text, &demo_runtime, ids + 3, 1, report)); /* appended: nothing */
    assert_string_equal(text.data, "Orange");
    cf_str_deinit(&text);
}

int test_prepare(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(questions_are_laid_out_as_the_reference_has_them),
        cmocka_unit_test(every_named_group_of_a_row_is_the_references),
        cmocka_unit_test(a_picture_is_read_once_and_a_name_is_used_once),
        cmocka_unit_test(a_failed_question_leaves_what_was_prepared_unchanged),
        cmocka_unit_test(an_answer_is_stripped_and_without_special_tokens),
    };
    return cmocka_run_group_tests_name("questions made ready", tests, open_demo, close_demo);
}
