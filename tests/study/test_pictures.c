/* test_pictures.c - from a question's picture id to a file. */
#include "study_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "study/question_list.h"
#include "support/fail_alloc.h"
#include "support/temp_dir.h"

static const struct {
    const char *name;
    const char *files[3]; /* in the picture folder */
    const char *id, *found;
} cases[] = {
    {"jpg", {"7.jpg"}, "7", "7.jpg"},
    {"jpeg", {"7.jpeg"}, "7", "7.jpeg"},
    {"png", {"7.png"}, "7", "7.png"},
    {"jpg before png", {"7.png", "7.jpg"}, "7", "7.jpg"},
    {"jpeg before png", {"7.png", "7.jpeg"}, "7", "7.jpeg"},
    {"an id with its ending", {"7.png", "7.jpg"}, "7.png", "7.png"},
    {"an id with its ending, not there", {"7.jpg"}, "7.png", "7.png"},
    {"an ending is not doubled", {"7.jpg.jpg"}, "7.jpg", "7.jpg"},
    {"nothing there", {0}, "7", "7.jpg"},
    {"a dot is no ending", {"a.b.jpeg"}, "a.b", "a.b.jpeg"},
    {"another ending is part of the id", {"7.webp", "7.webp.png"}, "7.webp", "7.webp.png"},
    {"a longer name is another picture", {"77.jpg"}, "7", "7.jpg"},
};

static void the_first_ending_that_exists_is_taken(void **state)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *dir = temp_dir_path(*state, cases[i].name), *expected = temp_dir_path(dir, cases[i].found), *path = NULL;
        assert_ok(cf_dir_make(dir, report));
        for (size_t k = 0; k < 3 && cases[i].files[k]; k++)
            temp_dir_write_text(dir, cases[i].files[k], "x");
        assert_ok(cf_picture_path(&path, dir, cf_slice_of(cases[i].id), report));
        if (strcmp(path, expected) != 0)
            fail_msg("%s: expected %s, found %s", cases[i].name, expected, path);
        free(path);
        free(expected);
        free(dir);
    }
}

static void an_absolute_id_is_its_own_path(void **state)
{
    char *path = NULL, *picture = temp_dir_path(*state, "there.png"), *id = temp_dir_path(*state, "there");
    temp_dir_write_text(*state, "there.png", "x");
    assert_ok(cf_picture_path(&path, "elsewhere", cf_slice_of(id), report));
    assert_string_equal(path, picture);
    free(path);
    free(picture);
    free(id);
}

static void a_path_without_memory_is_refused_and_nothing_is_lost(void **state)
{
    char *path = NULL;
    (void)state;
    for (int64_t n = 1;; n++) {
        fail_alloc_at(n);
        const cf_status st = cf_picture_path(&path, "demo", cf_slice_of("nowhere"), NULL);
        if (!fail_alloc_off()) {
            assert_int_equal(st, CF_OK);
            assert_true(n > 4);
            break;
        }
        assert_int_equal(st, CF_NOMEM);
        assert_null(path);
    }
    free(path);
}

static void pictures_lie_beside_the_questions_unless_told_otherwise(void **state)
{
    char *images = temp_dir_path(*state, "images"), *file = temp_dir_path(*state, "a_B.csv"), *dir = NULL;
    assert_fails(CF_IO, "/images: expected a folder of pictures", cf_picture_dir(&dir, NULL, *state, report));
    assert_ok(cf_dir_make(images, report));
    temp_dir_write_text(*state, "a_B.csv", "");
    assert_ok(cf_picture_dir(&dir, NULL, *state, report)); /* a folder of sets */
    assert_string_equal(dir, images);
    free(dir);
    assert_ok(cf_picture_dir(&dir, NULL, file, report)); /* a set */
    assert_string_equal(dir, images);
    free(dir);
    assert_ok(cf_picture_dir(&dir, PICTURES, file, report));
    assert_string_equal(dir, PICTURES);
    free(dir);
    dir = NULL;
    assert_fails(CF_IO, "nowhere: expected a folder of pictures", cf_picture_dir(&dir, "nowhere", file, report));
    assert_fails(CF_IO, "/a_B.csv: expected a folder of pictures", cf_picture_dir(&dir, file, file, report));
    assert_null(dir);
    free(images);
    free(file);
}

int test_pictures(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_first_ending_that_exists_is_taken, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(an_absolute_id_is_its_own_path, folder_setup, folder_teardown),
        cmocka_unit_test(a_path_without_memory_is_refused_and_nothing_is_lost),
        cmocka_unit_test_setup_teardown(pictures_lie_beside_the_questions_unless_told_otherwise, folder_setup,
                                        folder_teardown),
    };
    return cmocka_run_group_tests_name("picture files", tests, NULL, NULL);
}
