/* test_file.c - files in memory, and paths. */
#include "test_base.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "support/fail_alloc.h"
#include "support/temp_dir.h"

static void a_file_reads_and_maps_as_it_was_written(void **state)
{
    const char *dir = *state;
    cf_error err = {0};
    char *path = temp_dir_path(dir, "f");
    assert_int_equal(cf_file_write(path, (cf_slice){"a\0b\n", 4}, &err), CF_OK);
    assert_int_equal(cf_file_write(path, (cf_slice){"c\0d", 3}, &err), CF_OK); /* replaces */
    cf_str text = {0};
    assert_int_equal(cf_str_add_text(&text, "before ", &err), CF_OK);
    assert_int_equal(cf_file_read(&text, path, 3, &err), CF_OK);
    assert_int_equal(text.n, 10);
    assert_memory_equal(text.data, "before c\0d", 11);
    cf_str_deinit(&text);
    cf_mapping m = {0};
    assert_int_equal(cf_file_map(&m, path, &err), CF_OK);
    assert_int_equal(m.n, 3);
    assert_memory_equal(m.data, "c\0d", 3);
    cf_file_unmap(&m);
    assert_null(m.data);
    assert_int_equal(m.n, 0);
    cf_file_unmap(&m);
    free(path);
}

static void an_empty_file_maps_to_nothing_and_reads_as_an_empty_text(void **state)
{
    cf_error err = {0};
    temp_dir_write_text(*state, "empty", "");
    char *path = temp_dir_path(*state, "empty");
    cf_mapping m = {(const unsigned char *)"x", 1};
    assert_int_equal(cf_file_map(&m, path, &err), CF_OK);
    assert_null(m.data);
    assert_int_equal(m.n, 0);
    cf_str text = {0};
    assert_int_equal(cf_file_read(&text, path, 0, &err), CF_OK);
    assert_string_equal(text.data, "");
    cf_str_deinit(&text);
    free(path);
}

static void what_is_no_readable_file_is_refused_by_name(void **state)
{
    cf_error err = {0};
    char *folder = temp_dir_path(*state, "folder"), *pipe = temp_dir_path(*state, "pipe");
    char *missing = temp_dir_path(*state, "missing");
    assert_int_equal(cf_dir_make(folder, &err), CF_OK);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    const struct {
        const char *path, *say;
    } cases[] = {
        {missing, "No such file or directory"},
        {folder, "expected a file, found a folder"},
        {pipe, "expected a file, found something else"}, /* and does not wait for a writer */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cf_mapping m = {0};
        cf_str text = {0};
        assert_int_equal(cf_file_map(&m, cases[i].path, &err), CF_IO);
        assert_non_null(strstr(err.text, cases[i].say));
        assert_non_null(strstr(err.text, cases[i].path));
        assert_int_equal(cf_file_read(&text, cases[i].path, 100, &err), CF_IO);
        assert_null(text.data);
        assert_false(cf_file_exists(cases[i].path));
    }
    free(missing);
    free(pipe);
    free(folder);
}

static void a_file_over_the_limit_is_refused(void **state)
{
    cf_error err = {0};
    temp_dir_write_text(*state, "five", "12345");
    char *path = temp_dir_path(*state, "five");
    cf_str text = {0};
    assert_int_equal(cf_file_read(&text, path, 4, &err), CF_FORMAT);
    assert_non_null(strstr(err.text, "expected at most 4 bytes, found 5"));
    assert_null(text.data);
    assert_int_equal(cf_file_read(&text, path, 5, &err), CF_OK);
    cf_str_deinit(&text);
    fail_alloc_at(1);
    assert_int_equal(cf_file_read(&text, path, 5, &err), CF_NOMEM);
    assert_true(fail_alloc_off());
    assert_null(text.data);
    free(path);
}

static void writing_where_it_cannot_be_is_an_error(void **state)
{
    cf_error err = {0};
    char *path = temp_dir_path(*state, "no/such/folder");
    assert_int_equal(cf_file_write(path, cf_slice_of("x"), &err), CF_IO);
    assert_non_null(strstr(err.text, path));
    assert_int_equal(cf_file_write(*state, cf_slice_of("x"), &err), CF_IO);
    assert_int_equal(cf_file_write("/dev/full", cf_slice_of("x"), &err), CF_IO);
    assert_non_null(strstr(err.text, "No space left"));
    free(path);
}

static void folders_are_made_with_their_parents(void **state)
{
    cf_error err = {0};
    char *deep = temp_dir_path(*state, "a//b/c/");
    assert_false(cf_file_is_dir(deep));
    assert_int_equal(cf_dir_make(deep, &err), CF_OK);
    assert_true(cf_file_is_dir(deep));
    assert_false(cf_file_exists(deep));
    assert_int_equal(cf_dir_make(deep, &err), CF_OK); /* it may be there */
    temp_dir_write_text(*state, "file", "x");
    char *on_file = temp_dir_path(*state, "file"), *under_file = temp_dir_path(*state, "file/sub");
    assert_false(cf_file_is_dir(on_file));
    assert_true(cf_file_exists(on_file));
    assert_int_equal(cf_dir_make(on_file, &err), CF_IO);
    assert_int_equal(cf_dir_make(under_file, &err), CF_IO);
    assert_int_equal(cf_dir_make("", &err), CF_IO);
    free(under_file);
    free(on_file);
    free(deep);
}

static void paths_join_and_come_apart(void **state)
{
    (void)state;
    static const struct {
        const char *dir, *name, *joined;
    } joins[] = {
        {"a", "b", "a/b"}, {"a/", "b", "a/b"}, {"", "b", "b"}, {"a", "/b", "/b"}, {"/", "b", "/b"}, {"", "", ""},
    };
    cf_error err = {0};
    for (size_t i = 0; i < sizeof joins / sizeof *joins; i++) {
        char *joined = NULL;
        assert_int_equal(cf_path_join(&joined, joins[i].dir, joins[i].name, &err), CF_OK);
        assert_string_equal(joined, joins[i].joined);
        free(joined);
    }
    static const struct {
        const char *path, *stem, *dir;
    } parts[] = {
        {"a/b_C.csv", "b_C", "a"}, {"b.tar.gz", "b.tar", "."},    {"a.b/c", "c", "a.b"},
        {"/x", "x", "/"},          {"a/.hidden", ".hidden", "a"}, {"a/", "", "a"},
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        char *dir = NULL;
        assert_true(cf_slice_is(cf_path_stem(parts[i].path), parts[i].stem));
        assert_int_equal(cf_path_dir(&dir, parts[i].path, &err), CF_OK);
        assert_string_equal(dir, parts[i].dir);
        free(dir);
    }
}

static void joining_without_memory_leaves_its_output_alone(void **state)
{
    (void)state;
    for (int64_t n = 1;; n++) {
        char *joined = NULL;
        cf_error err = {0};
        fail_alloc_at(n);
        const cf_status st = cf_path_join(&joined, "folder/name", "file", &err);
        if (!fail_alloc_off()) {
            assert_int_equal(st, CF_OK);
            assert_true(n > 1);
            free(joined);
            return;
        }
        assert_int_equal(st, CF_NOMEM);
        assert_null(joined);
    }
}

static int make_dir(void **state)
{
    *state = temp_dir_make();
    return 0;
}

static int remove_dir(void **state)
{
    temp_dir_remove(*state);
    return 0;
}

int test_file(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_reads_and_maps_as_it_was_written, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(an_empty_file_maps_to_nothing_and_reads_as_an_empty_text, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(what_is_no_readable_file_is_refused_by_name, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(a_file_over_the_limit_is_refused, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(writing_where_it_cannot_be_is_an_error, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(folders_are_made_with_their_parents, make_dir, remove_dir),
        cmocka_unit_test(paths_join_and_come_apart),
        cmocka_unit_test(joining_without_memory_leaves_its_output_alone),
    };
    return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
