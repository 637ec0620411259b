/* test_export.c - the CSV files, byte for byte. */
#include "store_fixture.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "store/export.h"
#include "support/temp_dir.h"

#define HEADER                                                                                                         \
    "question_id,image,goden answer,predicted answer,question,block_desc,layer,base_score_first,new_score_first,"      \
    "relative diff first\n"

static void assert_file(const char *dir, const char *name, const char *text)
{
    char *path = temp_dir_path(dir, name);
    cf_str found = {0};
    assert_ok(cf_file_read(&found, path, 1 << 20, report));
    assert_string_equal(found.data, text);
    cf_str_deinit(&found);
    free(path);
}

static int count_files(const char *dir)
{
    DIR *d = opendir(dir);
    assert_non_null(d);
    int n = 0;
    for (const struct dirent *e; (e = readdir(d));)
        n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

/* Two samples of two layers, one flow and two windows, in either order. */
static void write_study(cf_store *s, bool backwards)
{
    const int64_t runs[] = {fixture_run(s, "Image Central Object->Question", 3, 0),
                            fixture_run(s, "Image Central Object->Question", 3, 1), fixture_run(s, "Last->Last", 9, 1)};
    for (int i = 0; i < 2; i++) {
        const int row = backwards ? 1 - i : i;
        cf_sample sample = fixture_sample("ChooseAttr", row, row ? 0.5F : 0.1F);
        sample.question_id = row ? "07" : "11";
        sample.question = row ? "Is it a \"cat\",\nor a dog?" : "Is it red?";
        sample.answer = row ? "cat" : "\r";
        const cf_value values[] = {
            fixture_value(runs[0], row ? 0.25 : (double)0.1F),
            {runs[1], CF_MEASURE_PROBABILITY, row ? (double)NAN : 1e-9, row ? CF_VALUE_FULLY_CUT : CF_VALUE_OK},
            fixture_value(runs[2], 0.75)};
        fixture_put(s, &sample, values, row ? 3 : 2);
    }
    cf_sample wrong = fixture_sample("QueryAttr", 0, 0.5);
    wrong.status = CF_SAMPLE_WRONG;
    fixture_put(s, &wrong, NULL, 0);
}

static void a_study_exports_to_the_same_bytes_in_any_order_of_writing(void **state)
{
    const fixture *f = *state;
    for (int backwards = 0; backwards < 2; backwards++) {
        cf_store *s = fixture_create(f);
        write_study(s, backwards);
        char *dir = temp_dir_path(f->dir, backwards ? "b/csv" : "a/csv");
        int64_t n = 0;
        assert_ok(cf_export_csv(s, dir, &n, report));
        assert_int_equal(n, 2);
        assert_int_equal(count_files(dir), 2);
        assert_file(
            dir, "ChooseAttr_Image_Central_Object-to-Question_k3.csv",
            HEADER
            "11,2390560.jpg,\"\r\",Orange,Is it red?,Image Central Object->Question,0,0.100000001,0.100000001,0\n"
            "11,2390560.jpg,\"\r\",Orange,Is it red?,Image Central Object->Question,1,0.100000001,1e-09,-99.999999\n"
            "07,2390560.jpg,cat,Orange,\"Is it a \"\"cat\"\",\nor a dog?\",Image Central "
            "Object->Question,0,0.5,0.25,-50\n"
            "07,2390560.jpg,cat,Orange,\"Is it a \"\"cat\"\",\nor a dog?\",Image Central Object->Question,1,0.5,,\n");
        assert_file(dir, "ChooseAttr_Last-to-Last_k9.csv",
                    HEADER "07,2390560.jpg,cat,Orange,\"Is it a \"\"cat\"\",\nor a dog?\",Last->Last,1,0.5,0.75,50\n");
        assert_ok(cf_export_csv(s, dir, &n, report)); /* over its own files */
        assert_int_equal(count_files(dir), 2);
        free(dir);
        cf_store_close(s);
        assert_int_equal(remove(f->path), 0);
    }
}

static void a_task_from_outside_cannot_leave_the_folder(void **state)
{
    const fixture *f = *state;
    cf_store *s = fixture_create(f);
    const cf_value v = fixture_value(fixture_run(s, "Last->Last", 1, 0), 0.5);
    const cf_sample sample = fixture_sample("../../x y\n", 0, 0.5);
    fixture_put(s, &sample, &v, 1);
    char *dir = temp_dir_path(f->dir, "csv");
    int64_t n = 0;
    assert_ok(cf_export_csv(s, dir, &n, report));
    char *path = temp_dir_path(dir, ".._.._x_y__Last-to-Last_k1.csv");
    assert_true(cf_file_exists(path));
    free(path);
    /* Two tasks that would share a file are named, not written over one another. */
    const cf_sample other = fixture_sample("../../x_y\n", 0, 0.5);
    fixture_put(s, &other, &v, 1);
    cf_error err = {0};
    n = -1;
    assert_int_equal(cf_export_csv(s, dir, &n, &err), CF_MISMATCH);
    assert_int_equal(n, -1);
    assert_non_null(strstr(err.text, "two curves of the study would be written to .._.._x_y__Last-to-Last_k1.csv"));
    free(dir);
    cf_store_close(s);
}

static void an_export_that_cannot_be_written_says_where(void **state)
{
    const fixture *f = *state;
    cf_store *s = fixture_create(f);
    write_study(s, false);
    int64_t n = 0;
    cf_error err = {0};
    assert_int_equal(cf_export_csv(s, f->path, &n, &err), CF_IO); /* a file is no folder */
    assert_non_null(strstr(err.text, f->path));
    char *dir = temp_dir_path(f->dir, "csv");
    char *taken = temp_dir_path(dir, "ChooseAttr_Last-to-Last_k9.csv");
    assert_ok(cf_dir_make(taken, report)); /* a folder has the file's name */
    assert_int_equal(cf_export_csv(s, dir, &n, &err), CF_IO);
    assert_non_null(strstr(err.text, "ChooseAttr_Last-to-Last_k9.csv: cannot write: "));
    assert_int_equal(count_files(dir), 2); /* the first file and the folder; nothing temporary */
    free(taken);
    free(dir);
    cf_store_close(s);
}

int test_export(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_study_exports_to_the_same_bytes_in_any_order_of_writing, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(a_task_from_outside_cannot_leave_the_folder, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(an_export_that_cannot_be_written_says_where, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests_name("export", tests, NULL, NULL);
}
