/* test_bad_questions.c - question files and folders that cannot be used: one line, exit status 1, nothing written. */
#include "cli_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "support/temp_dir.h"

#define ROW "0,000024,Is the circle blue?,no,247,137,82,82\n"

/* A CSV of this content, or what stands in its place. */
static const struct {
    const char *name, *content, *say;
} files[] = {
    {"an empty file", "", "bad_Test.csv: expected a question set, found an empty file"},
    {"a header alone", QUESTION_HEADER, "bad_Test.csv: expected rows after the first line, found none"},
    {"no column of answers",
     "question_id,img_id,question,central object x,central object y,central object w,central object h\n"
     "0,000024,Is it?,1,1,5,5\n",
     "bad_Test.csv: the column \"answer\" is missing"},
    {"no column of pictures",
     "question_id,question,answer,central object x,central object y,central object w,central object h\n"
     "0,Is it?,no,1,1,5,5\n",
     "bad_Test.csv: the column \"img_id\" is missing"},
    {"no box", "question_id,img_id,question,answer\n0,000024,Is it?,no\n",
     "the column \"central object x\" (or \"object1 x\") is missing"},
    {"half a box", "question_id,img_id,question,answer,central object x,central object y\n0,000024,Is it?,no,1,1\n",
     "the column \"central object w\" is missing"},
    {"a short row", QUESTION_HEADER ROW "1,000024,Is it?\n", "bad_Test.csv, line 3: expected 8 cells"},
    {"an open quote", QUESTION_HEADER "0,000024,\"Is it?,no,1,1,5,5\n", "bad_Test.csv, line 2"},
    {"no CSV at all", "\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "bad_Test.csv: "},
};

static void a_question_file_that_cannot_be_used_is_one_line_and_writes_nothing(void **state)
{
    fixture *f = *state;
    char *bad = fixture_path(f, "bad_Test.csv"), *fresh = fixture_path(f, "fresh.db");
    fixture_trace(f, &(trace_call){0});
    assert_done(&f->r, "good questions");
    cf_str before = content_of(f->study);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        temp_dir_write_text(f->dir, "bad_Test.csv", files[i].content);
        fixture_trace(f, &(trace_call){.questions = bad, .study = fresh});
        assert_refused(&f->r, files[i].name, 1, files[i].say);
        assert_no_study(fresh, files[i].name);
        fixture_trace(f, &(trace_call){.questions = bad});
        assert_refused(&f->r, files[i].name, 1, files[i].say);
        assert_study_is(f->study, &before, files[i].name);
        RUN(&f->r, "info", BITES, bad, "--images", PICTURES);
        assert_refused(&f->r, files[i].name, 1, files[i].say);
    }
    cf_str_deinit(&before);
    free(fresh);
    free(bad);
}

static void a_folder_that_cannot_be_used_is_one_line_and_writes_nothing(void **state)
{
    fixture *f = *state;
    char *dir = fixture_path(f, "sets"), *missing = fixture_path(f, "missing.csv");
    assert_ok(cf_dir_make(dir, report));
    temp_dir_write_text(dir, ".hidden_Test.csv", QUESTION_HEADER ROW);
    temp_dir_write_text(dir, "notes.txt", "no questions");
    fixture_trace(f, &(trace_call){.questions = dir});
    assert_refused(&f->r, "no CSV", 1, "/sets: no .csv file in the folder");
    fixture_trace(f, &(trace_call){.questions = missing});
    assert_refused(&f->r, "no file", 1, "/missing.csv: cannot open: No such file or directory");
    temp_dir_write_text(dir, "one_Test.csv", QUESTION_HEADER ROW);
    temp_dir_write_text(dir, "two_Test.csv", QUESTION_HEADER ROW);
    fixture_trace(f, &(trace_call){.questions = dir});
    assert_refused(&f->r, "two of a name", 1, "/two_Test.csv: task Test is that of ");
    temp_dir_write_text(dir, "two_Test.csv", QUESTION_HEADER);
    fixture_trace(f, &(trace_call){.questions = dir});
    assert_refused(&f->r, "one good, one bad", 1, "/two_Test.csv: expected rows");
    assert_no_study(f->study, "folders");
    free(missing);
    free(dir);
}

static void pictures_are_looked_for_beside_the_questions_or_where_they_are_said_to_be(void **state)
{
    fixture *f = *state;
    char *images = fixture_path(f, "images"), *there = fixture_path(f, "images/000024.jpg");
    const char *beside[] = {"trace",   BITES, f->questions,       "-o", f->study, "--keep", "all",
                            "--limit", "1",   "--max-new-tokens", "2",  NULL};
    program_run(&f->r, beside, NULL);
    assert_refused(&f->r, "no images/", 1, "/images: expected a folder of pictures (--images DIR names another)");
    fixture_trace(f, &(trace_call){.images = "demo/README.md"});
    assert_refused(&f->r, "a file", 1, "demo/README.md: expected a folder of pictures");
    assert_no_study(f->study, "pictures");
    assert_ok(cf_dir_make(images, report));
    cf_str picture = content_of(PICTURES "/000024.jpg");
    assert_ok(cf_file_write(there, cf_str_slice(&picture), report));
    program_run(&f->r, beside, NULL);
    assert_done(&f->r, "images/ beside the questions");
    assert_int_equal(fixture_sample(f->study, "Test", 0).status, CF_SAMPLE_DONE);
    cf_str_deinit(&picture);
    free(there);
    free(images);
}

int test_bad_questions(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_question_file_that_cannot_be_used_is_one_line_and_writes_nothing,
                                        fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_folder_that_cannot_be_used_is_one_line_and_writes_nothing, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(pictures_are_looked_for_beside_the_questions_or_where_they_are_said_to_be,
                                        fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests_name("bad questions", tests, NULL, NULL);
}
