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
            "11,2390560.jpg,\"\r\",Orange,Is it red?,Image Central Object->Question,0,0.100000001,0.100000001,0.0\n"
            "11,2390560.jpg,\"\r\",Orange,Is it red?,Image Central Object->Question,1,0.100000001,1e-09,-99.999999\n"
            "07,2390560.jpg,cat,Orange,\"Is it a \"\"cat\"\",\nor a dog?\",Image Central "
            "Object->Question,0,0.5,0.25,-50.0\n"
            "07,2390560.jpg,cat,Orange,\"Is it a \"\"cat\"\",\nor a dog?\",Image Central Object->Question,1,0.5,,\n");
        assert_file(dir, "ChooseAttr_Last-to-Last_k9.csv",
                    HEADER
                    "07,2390560.jpg,cat,Orange,\"Is it a \"\"cat\"\",\nor a dog?\",Last->Last,1,0.5,0.75,50.0\n");
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

/* A flow's text of n bytes. */
static char *long_flow(char *out, size_t n, const char *end)
{
    memset(out, 'x', n);
    memcpy(out + n - strlen(end), end, strlen(end) + 1);
    return out;
}

static void a_file_is_named_by_flow_style_window_and_repeat(void **state)
{
    const fixture *f = *state;
    char long_text[400], longer[400], edge[400], umlauts[400];
    const cf_store_run runs[] = {
        {"Image->Last", "cut", "all", 0, 0, "centre", 9, 0, "0:5"},
        {"Image->Last", "cut", "all", 0, 0, "outside", 9, 0, ""},
        {"Image->Last", "cut", "all", 0, 0, "below", 0, 0, "0:1"},
        {"Image->Last", "cut", "all", 0, 0, "above", 0, 0, "0:6"},
        {"Image->Last@0:2 & \"a/b\\\"->[3:7]", "cut", "all", 0, 0, "fixed", 0, 0, ""},
        {"keep(Image, Last): Image->Question-True Option#0+2", "keep", "0+2", 0, 0, "centre", 1, 0, "0:1"},
        {"random: A->B", "random", "all", 3, 0, "centre", 1, 0, "0:1"},
        {"random: A->B", "random", "all", 3, 1, "centre", 1, 0, "0:1"},
        {"random: A->B", "random", "all", 3, 1, "below", 0, 0, "0:1"},
        {"* ? < > | ; $ ` ' ! ~ { } % ^ é", "cut", "all", 0, 0, "centre", 1, 0, "0:1"},
        {long_flow(edge, 191, "e"), "cut", "all", 0, 0, "centre", 1, 0, "0:1"}, /* "T_" ... "_k1.csv": 200 bytes */
        {long_flow(long_text, 192, "1"), "cut", "all", 0, 0, "centre", 1, 0, "0:1"},
        {long_flow(longer, 192, "2"), "cut", "all", 0, 0, "centre", 1, 0, "0:1"},
        {long_flow(umlauts, 200, "é, and thirty-eight bytes at its end, x"), "cut", "all", 0, 0, "centre", 1, 0, "0:1"},
    };
    enum { N = sizeof runs / sizeof *runs };
    static const char *const names[] = {
        "T_Image-to-Last_k9.csv",
        "T_Image-to-Last_outside_k9.csv",
        "T_Image-to-Last_below.csv",
        "T_Image-to-Last_above.csv",
        "T_Image-to-Last@0_2____a_b__-to-_3_7__fixed.csv",
        "T_keep_Image,_Last___Image-to-Question-True_Option_0+2_k1.csv",
        "T_random__A-to-B_seed_3_k1_r0.csv",
        "T_random__A-to-B_seed_3_k1_r1.csv",
        "T_random__A-to-B_seed_3_below_r1.csv",
        "T_______________________________é_k1.csv",
    };
    cf_store *s = fixture_create(f);
    cf_value values[N];
    for (int i = 0; i < N; i++)
        values[i] = fixture_value(fixture_add_run(s, &runs[i]), 0.25);
    const cf_sample x = fixture_sample("T", 0, 0.5);
    fixture_put(s, &x, values, N);
    int64_t n = 0;
    assert_ok(cf_export_csv(s, f->csv, &n, report));
    assert_int_equal(n, N);
    assert_int_equal(count_files(f->csv), N);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *path = temp_dir_path(f->csv, names[i]);
        if (!cf_file_exists(path))
            fail_msg("expected %s", names[i]);
        free(path);
    }
    size_t n_long = 0, n_cut = 0;
    DIR *d = opendir(f->csv);
    assert_non_null(d);
    for (const struct dirent *e; (e = readdir(d));) {
        const size_t length = strlen(e->d_name);
        assert_true(length <= 200);
        n_long += length == 200;
        n_cut += length >= 199 && e->d_name[length - 37] == '-';
        assert_true(length < 38 || e->d_name[length - 37] != '-' ||
                    ((unsigned char)e->d_name[length - 38] & 0x80) == 0); /* no half of a character */
    }
    closedir(d);
    assert_int_equal(n_long, 3); /* the edge, and two cut ones */
    assert_int_equal(n_cut, 3);
    cf_store_close(s);
}

static void repeats_have_files_of_their_own(void **state)
{
    const fixture *f = *state;
    cf_store *s = fixture_create(f);
    cf_value values[] = {fixture_value(fixture_random(s, 1, 0), 0.25), fixture_value(fixture_random(s, 1, 1), 0.375),
                         fixture_value(fixture_random(s, 0, 1), 0.5)};
    const cf_sample x = fixture_sample("T", 0, 0.5);
    fixture_put(s, &x, values, 3);
    int64_t n = 0;
    assert_ok(cf_export_csv(s, f->csv, &n, report));
    assert_int_equal(n, 2);
#define ROW "00000024,2390560.jpg,orange,Orange,\"Is the circle blue, or orange?\",random: Image->Last seed 7,"
    assert_file(f->csv, "T_random__Image-to-Last_seed_7_k3_r0.csv", HEADER ROW "1,0.5,0.5,0.0\n");
    assert_file(f->csv, "T_random__Image-to-Last_seed_7_k3_r1.csv",
                HEADER ROW "0,0.5,0.25,-50.0\n" ROW "1,0.5,0.375,-25.0\n");
#undef ROW
    cf_store_close(s);
}

#define LENS "question_id,image,goden answer,question,layer,top_k_word,top_k_score,"
#define PLACED "question_id,image,goden answer,question,position,layer,top_k_word,top_k_score,"
#define FOUR "Noncapitalized Answer,Noncapitalized False Option,Capitalized Answer,Capitalized False Option\n"
#define QUESTION "00000024,2390560.jpg,orange,\"Is the circle blue, or orange?\","
#define TOP "\"[\"\"a\"\",\"\"b\"\"]\",\"[0.5,0.25]\","

static void the_lens_has_the_published_columns(void **state)
{
    const fixture *f = *state;
    cf_store *s = fixture_create(f);
    fixture_rich_study(s);
    cf_sample wrong = fixture_sample("A", 7, 0.5);
    wrong.status = CF_SAMPLE_WRONG;
    const cf_lens_entry left_out = fixture_lens(CF_NO_RUN, FIXTURE_LAST, 0, 0.5);
    fixture_put_results(s, &wrong, &(cf_results){.lens = &left_out, .n_lens = 1});
    int64_t n = 0;
    assert_ok(cf_export_csv(s, f->csv, &n, report));
    assert_int_equal(n, 9);
    assert_int_equal(count_files(f->csv), 9);
    assert_file(f->csv, "A_lens.csv",
                LENS FOUR QUESTION "0," TOP "25.0,6.25,12.5,3.125\n" QUESTION "1," TOP "50.0,12.5,25.0,6.25\n");
    assert_file(f->csv, "A_lens_image.csv",
                PLACED FOUR QUESTION "5,1,\"[\"\"it's\"\",\n\"\"\\\"\"q,\\\"\"\"\"]\",\"[0.5,0.25]\","
                                     "12.5,3.125,6.25,1.5625\n");
    assert_file(f->csv, "A_lens_random__Image-to-Last_seed_7_k3_l1_r1.csv",
                LENS FOUR QUESTION "1," TOP "6.25,1.5625,3.125,0.78125\n");
    assert_file(f->csv, "B_lens.csv",
                LENS "Noncapitalized Answer,Capitalized Answer\n" QUESTION "0," TOP "75.0,37.5\n");
    cf_store_close(s);
}

static void lens_rows_are_sorted_and_a_pair_without_a_number_is_empty(void **state)
{
    const fixture *f = *state;
    cf_store *s = fixture_create(f);
    const cf_store_run fixed = {"A->B@0", "cut", "all", 0, 0, "fixed", 0, 0, ""};
    const int64_t run = fixture_add_run(s, &fixed), other = fixture_run(s, "A->B", 3, 12);
    cf_lens_entry lens[] = {fixture_lens(run, 9, 1, 0.5), fixture_lens(run, 8, 2, 0.5), fixture_lens(run, 9, 0, 0.5),
                            fixture_lens(other, FIXTURE_LAST, 0, 0.5)};
    lens[1].option = lens[1].option_upper = (double)NAN;
    for (int64_t row = 11; row > 8; row -= 2) {
        cf_sample x = fixture_sample("A", row, 0.5);
        x.question_id = row == 9 ? "first" : "second";
        x.question = "";
        fixture_put_results(s, &x, &(cf_results){.lens = lens, .n_lens = 4});
    }
    int64_t n = 0;
    assert_ok(cf_export_csv(s, f->csv, &n, report));
    assert_int_equal(n, 2);
#define ROWS(id)                                                                                                       \
    id ",2390560.jpg,orange,,8,2," TOP "50.0,,25.0,\n" id ",2390560.jpg,orange,,9,0," TOP "50.0,12.5,25.0,6.25\n" id   \
       ",2390560.jpg,orange,,9,1," TOP "50.0,12.5,25.0,6.25\n"
    assert_file(f->csv, "A_lens_image_A-to-B@0_fixed.csv", PLACED FOUR ROWS("first") ROWS("second"));
#undef ROWS
    char *path = temp_dir_path(f->csv, "A_lens_A-to-B_k3_l12.csv");
    assert_true(cf_file_exists(path));
    free(path);
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
        cmocka_unit_test_setup_teardown(a_file_is_named_by_flow_style_window_and_repeat, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(repeats_have_files_of_their_own, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(the_lens_has_the_published_columns, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(lens_rows_are_sorted_and_a_pair_without_a_number_is_empty, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(an_export_that_cannot_be_written_says_where, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests_name("export", tests, NULL, NULL);
}
