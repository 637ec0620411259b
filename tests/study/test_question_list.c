/* test_question_list.c - which questions a study takes, and in which order. */
#include "study_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "study/question_list.h"
#include "support/fail_alloc.h"
#include "support/temp_dir.h"

/* "task row" of every item, joined by blanks. */
static void print_order(char out[512], const cf_question_list *l)
{
    size_t n = 0;
    out[0] = '\0';
    for (size_t i = 0; i < l->n_items && n < 512; i++)
        n += (size_t)snprintf(out + n, 512 - n, "%s%s%lld", i ? " " : "", cf_question_set_task(l->items[i].set),
                              (long long)l->items[i].row);
}

static void write_set(const char *dir, const char *name, const char *const *images)
{
    char text[1024];
    size_t n = (size_t)snprintf(text, sizeof text, QUESTION_HEADER);
    for (size_t i = 0; images[i]; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%zu,%s,Is it?,no,1,1,5,5\n", i, images[i]);
    temp_dir_write_text(dir, name, text);
}

static const struct {
    const char *name;
    const char *b[6], *a[6]; /* pictures of the rows of x_B.csv and y_A.csv */
    int64_t limit;
    const char *order;
} cases[] = {
    {"one picture: by set, then by row", {"p", "p"}, {"p", "p"}, 0, "A0 A1 B0 B1"},
    {"pictures bring questions together", {"q", "p", "q"}, {"p", "q"}, 0, "A0 B1 A1 B0 B2"},
    {"ids are bytes, not numbers", {"10", "9", "1"}, {"010"}, 0, "A0 B2 B0 B1"},
    {"a beginning comes before the whole", {"ab", "a", "abc"}, {"b"}, 0, "B1 B0 B2 A0"},
    {"an empty id comes first", {"a", ""}, {"b"}, 0, "B1 B0 A0"},
    {"limit counts the rows of each set", {"q", "p", "o"}, {"r", "s", "t"}, 2, "B1 B0 A0 A1"},
    {"limit may exceed a set", {"q", "p", "o"}, {"r"}, 2, "B1 B0 A0"},
    {"limit may be as large as can be", {"q", "p"}, {"r"}, INT64_MAX, "B1 B0 A0"},
    {"limit 1", {"q", "p"}, {"a", "b"}, 1, "A0 B0"},
    {"a negative limit is none", {"q", "p"}, {"a"}, -1, "A0 B1 B0"},
};

static void questions_about_one_picture_stand_together(void **state)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cf_question_list l = {0};
        char order[512];
        write_set(*state, "x_B.csv", cases[i].b);
        write_set(*state, "y_A.csv", cases[i].a);
        assert_ok(cf_question_list_open(&l, *state, NULL, cases[i].limit, report));
        print_order(order, &l);
        if (strcmp(order, cases[i].order) != 0)
            fail_msg("%s: expected %s, found %s", cases[i].name, cases[i].order, order);
        for (size_t k = 0; k < l.n_items; k++)
            assert_ptr_equal(l.items[k].question, cf_question_set_row(l.items[k].set, (size_t)l.items[k].row));
        cf_question_list_close(&l);
        cf_question_list_close(&l); /* closed twice is closed */
        assert_int_equal(l.n_items + l.n_sets, 0);
    }
}

/* The demo's six sets: every question once, and as many changes of picture as there are pictures. */
static void every_question_of_a_folder_is_taken_once(void **state)
{
    (void)state;
    cf_question_list l = {0};
    size_t n = 0, changes = 1;
    assert_ok(cf_question_list_open(&l, "demo/questions", NULL, 0, report));
    assert_int_equal(l.n_sets, 6);
    for (size_t i = 0; i < l.n_sets; i++)
        n += cf_question_set_size(l.sets[i]);
    assert_int_equal(l.n_items, n);
    for (size_t i = 1; i < l.n_items; i++) {
        const cf_list_item *a = &l.items[i - 1], *b = &l.items[i];
        changes += !cf_slice_equal(a->question->image, b->question->image);
        if (a->set == b->set && cf_slice_equal(a->question->image, b->question->image))
            assert_true(a->row < b->row);
    }
    assert_int_equal(changes, 72);
    cf_question_list_close(&l);
}

static void one_file_is_a_list_and_sets_of_a_folder_come_by_name(void **state)
{
    static const char *const one[] = {"p", NULL};
    cf_question_list l = {0};
    write_set(*state, "m_B.csv", one);
    write_set(*state, "a_C.csv", one);
    write_set(*state, "z_A.csv", one);
    write_set(*state, ".hidden_D.csv", one);
    temp_dir_write_text(*state, "notes.txt", "no questions");
    assert_ok(cf_question_list_open(&l, *state, NULL, 0, report));
    assert_int_equal(l.n_sets, 3);
    assert_string_equal(cf_question_set_task(l.sets[0]), "C");
    assert_string_equal(cf_question_set_task(l.sets[1]), "B");
    assert_string_equal(cf_question_set_task(l.sets[2]), "A");
    cf_question_list_close(&l);
    char *path = temp_dir_path(*state, "m_B.csv");
    assert_ok(cf_question_list_open(&l, path, NULL, 0, report));
    assert_int_equal(l.n_sets, 1);
    assert_int_equal(l.n_items, 1);
    cf_question_list_close(&l);
    free(path);
}

static void two_sets_of_one_task_are_refused(void **state)
{
    static const char *const one[] = {"p", NULL};
    cf_question_list l = {0};
    write_set(*state, "a_Same.csv", one);
    write_set(*state, "b_Same.csv", one);
    assert_fails(CF_MISMATCH, "/b_Same.csv: task Same is that of ", cf_question_list_open(&l, *state, NULL, 0, report));
    assert_int_equal(l.n_sets + l.n_items, 0);
    assert_null(l.items);
}

static void a_list_that_cannot_be_had_is_left_empty(void **state)
{
    static const char *const one[] = {"p", NULL};
    cf_question_list l = {0};
    assert_fails(CF_IO, "no .csv file in the folder", cf_question_list_open(&l, *state, NULL, 0, report));
    assert_fails(CF_IO, "no-such.csv: cannot open", cf_question_list_open(&l, "no-such.csv", NULL, 0, report));
    write_set(*state, "a_Good.csv", one);
    temp_dir_write_text(*state, "b_Bad.csv", "");
    assert_fails(CF_FORMAT, "/b_Bad.csv: expected a question set, found an empty file",
                 cf_question_list_open(&l, *state, NULL, 0, report));
    assert_int_equal(l.n_sets + l.n_items, 0);
}

static void a_list_without_memory_is_refused_and_nothing_is_lost(void **state)
{
    static const char *const rows[] = {"q", "p", NULL};
    write_set(*state, "a_A.csv", rows);
    write_set(*state, "b_B.csv", rows);
    for (int64_t n = 1;; n++) {
        cf_question_list l = {0};
        cf_error err = {0};
        fail_alloc_at(n);
        const cf_status st = cf_question_list_open(&l, *state, NULL, 0, &err);
        if (!fail_alloc_off()) {
            assert_int_equal(st, CF_OK);
            assert_true(n > 10);
            cf_question_list_close(&l);
            return;
        }
        if (st != CF_NOMEM)
            fail_msg("allocation %d: status %d: %s", (int)n, st, err.text);
        assert_int_equal(l.n_sets + l.n_items, 0);
    }
}

int test_question_list(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(questions_about_one_picture_stand_together, folder_setup, folder_teardown),
        cmocka_unit_test(every_question_of_a_folder_is_taken_once),
        cmocka_unit_test_setup_teardown(one_file_is_a_list_and_sets_of_a_folder_come_by_name, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(two_sets_of_one_task_are_refused, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(a_list_that_cannot_be_had_is_left_empty, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(a_list_without_memory_is_refused_and_nothing_is_lost, folder_setup,
                                        folder_teardown),
    };
    return cmocka_run_group_tests_name("question lists", tests, NULL, NULL);
}
