/* test_row_faults.c - a question that cannot be used is stored with its reason; the others are done. */
#include "cli_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "support/temp_dir.h"

#define HEADER                                                                                                         \
    "question_id,img_id,question,answer,central object x,central object y,central object w,central object h,"          \
    "image_w,image_h\n"

static const struct {
    const char *row, *reason; /* NULL: a good row */
} rows[] = {
    {"good,Is it?,yes,9,9,50,50,336,336", NULL},
    {"text,Is it?,yes,9,9,50,50,-,-", "text.jpg: expected a JPEG or PNG picture, found something else"},
    {"gif,Is it?,yes,9,9,50,50,-,-", "gif.jpg: expected a JPEG or PNG picture, found a GIF picture"},
    {"empty,Is it?,yes,9,9,50,50,-,-", "empty.jpg: expected a JPEG or PNG picture, found an empty file"},
    {"cut,Is it?,yes,9,9,50,50,-,-", "cut.jpg: the JPEG data ends early"},
    {"beginning,Is it?,yes,9,9,50,50,-,-", "beginning.jpg: "},
    {"huge,Is it?,yes,9,9,50,50,-,-", "huge.png: a picture of 100000 x 100000 pixels, expected at most"},
    {"nowhere,Is it?,yes,9,9,50,50,-,-", "nowhere.jpg: cannot open: No such file or directory"},
    {"folder.jpg,Is it?,yes,9,9,50,50,-,-", "folder.jpg: expected a file, found a folder"},
    {"good,Is it?,yes,336,9,50,50,-,-", "box 0 (x 336, y 9, w 50, h 50) does not meet the picture of 336 x 336"},
    {"good,Is it?,yes,9,-60,50,50,-,-", "box 0 (x 9, y -60, w 50, h 50) does not meet the picture"},
    {"good,Is it?,yes,9,9,-1,50,-,-", "central object w: expected a number of pixels in range, found \"-1\""},
    {"good,Is it?,yes,9,9,50,-50,-,-", "central object h: expected a number of pixels in range, found \"-50\""},
    {"good,Is it?,yes,nine,9,50,50,-,-", "central object x: expected a whole number of pixels, found \"nine\""},
    {"good,Is it?,yes,9,,50,50,-,-", "central object y: expected a whole number of pixels, found \"\""},
    {"good,Is it?,yes,-,9,50,50,-,-", "central object x: expected a whole number of pixels, found \"-\""},
    {"good,Is it?,yes,9,9,99999999999,50,-,-", "central object w: expected a number of pixels in range"},
    {"good,Is the caf\xc3\xa9 open?,yes,9,9,50,50,-,-", "\"Is the caf\xc3\xa9 open?\" does not occur among the "},
    {"good,Is <s> it?,yes,9,9,50,50,-,-", "\"Is <s> it?\" does not occur among the "},
    {"good,\"Is\nit?\",yes,9,9,50,50,-,-", "\"Is?it?\" does not occur among the "},
    {"good,Is the <image> good?,yes,9,9,50,50,-,-", "question \"Is the <image> good?\": it holds <image> itself"},
    {"good,,yes,9,9,50,50,-,-", "question: expected a value, found \"\""},
    {",Is it?,yes,9,9,50,50,-,-", "img_id: expected a value, found \"\""},
    {"good,Is it?,yes,9,9,50,50,640,480", "good.jpg: expected 640x480 as the question file states, found 336x336"},
    {"good,Is it?,yes,9,9,50,50,336,480", "good.jpg: expected 336x480"},
    {"good,Is it?,yes,9,9,50,50,wide,336", "image_w: expected a whole number of pixels, found \"wide\""},
    {"good,Is it?,yes,-,-,-,-,-,-", NULL},     /* no object: its groups are empty */
    {"good,Is it?,yes,-5,-5,6,6,336,-", NULL}, /* a box across the border */
    {"good.jpg,Is  it so?,yes,9,9,0,0,-,-", NULL},
};
enum { N_ROWS = sizeof rows / sizeof *rows };

/* An IHDR chunk with its checksum, and where the data would begin. */
static const char huge_png[] =
    "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\1\x86\xa0\0\1\x86\xa0\x08\2\0\0\0\x27\x30\x9c\x9f\0\0\0\1IDAT";

static void write_pictures(const char *dir)
{
    cf_str good = content_of(PICTURES "/000024.jpg");
    char *folder = temp_dir_path(dir, "folder.jpg");
    assert_ok(cf_dir_make(folder, report));
    temp_dir_write(dir, "good.jpg", good.data, good.n);
    temp_dir_write(dir, "cut.jpg", good.data, good.n - good.n / 3);
    temp_dir_write(dir, "beginning.jpg", good.data, 100);
    temp_dir_write(dir, "huge.png", huge_png, sizeof huge_png - 1);
    temp_dir_write_text(dir, "text.jpg", "no picture at all");
    temp_dir_write_text(dir, "gif.jpg", "GIF89a");
    temp_dir_write_text(dir, "empty.jpg", "");
    cf_str_deinit(&good);
    free(folder);
}

static void write_rows(const fixture *f, size_t begin, size_t end)
{
    cf_str text = {0};
    assert_ok(cf_str_add_text(&text, HEADER, report));
    for (size_t i = begin; i < end; i++)
        assert_ok(cf_str_addf(&text, report, "%zu,%s\n", i, rows[i].row));
    temp_dir_write(f->dir, "small_Test.csv", text.data, text.n);
    cf_str_deinit(&text);
}

static int setup(void **state)
{
    const int failed = fixture_setup(state);
    if (!failed)
        write_pictures(((fixture *)*state)->dir);
    return failed;
}

static void a_faulty_row_is_stored_with_its_reason_and_the_others_are_done(void **state)
{
    fixture *f = *state;
    int n_good = 0;
    write_rows(f, 0, N_ROWS);
    fixture_trace(f, &(trace_call){.images = f->dir});
    assert_done(&f->r, "rows with faults");
    for (size_t i = 0; i < N_ROWS; i++) {
        const kept_sample x = fixture_sample(f->study, "Test", (int64_t)i);
        const bool good = !rows[i].reason;
        n_good += good;
        if (x.status != (good ? CF_SAMPLE_DONE : CF_SAMPLE_FAULT) || !strstr(x.reason, good ? "" : rows[i].reason))
            fail_msg("%s: %s, %s", rows[i].row, cf_sample_status_name(x.status), x.reason);
        if (strchr(x.reason, '\n') || (good && x.reason[0]))
            fail_msg("%s: %s", rows[i].row, x.reason);
        assert_int_equal(x.n_values, good ? 6 * 5 : 0);
    }
    char line[128];
    (void)snprintf(line, sizeof line,
                   ": %d questions traced now, 0 found in the study; 0 left out by --keep, %d with a fault\n", n_good,
                   N_ROWS - n_good);
    if (!strstr(f->r.err.data, line))
        fail_msg("expected \"%s\" in: %s", line, f->r.err.data);
}

static void faults_are_an_error_at_the_end_under_strict(void **state)
{
    fixture *f = *state;
    static const char say[] = "/study.db: 2 questions had a fault (--strict; crossflow show lists the reasons)\n";
    write_rows(f, 0, 3);
    fixture_trace(f, &(trace_call){.images = f->dir, .extra = {"--strict"}});
    assert_int_equal(f->r.exit_status, 1);
    assert_non_null(strstr(f->r.err.data, say));
    assert_int_equal(fixture_sample(f->study, "Test", 0).status, CF_SAMPLE_DONE); /* the work is kept */
    assert_int_equal(fixture_sample(f->study, "Test", 2).status, CF_SAMPLE_FAULT);
    fixture_trace(f, &(trace_call){.images = f->dir});
    assert_done(&f->r, "without --strict");
    fixture_trace(f, &(trace_call){.images = f->dir, .extra = {"--strict"}});
    assert_int_equal(f->r.exit_status, 1); /* faults found in the study count */
    write_rows(f, 0, 1);
    assert_int_equal(remove(f->study), 0);
    fixture_trace(f, &(trace_call){.images = f->dir, .extra = {"--strict"}});
    assert_done(&f->r, "no fault under --strict");
}

static void a_study_of_faults_alone_is_an_error(void **state)
{
    fixture *f = *state;
    write_rows(f, 1, 4);
    fixture_trace(f, &(trace_call){.images = f->dir});
    assert_int_equal(f->r.exit_status, 1);
    assert_non_null(strstr(f->r.err.data, "/study.db: no question ran; all 3 had a fault"));
    const kept_sample x = fixture_sample(f->study, "Test", 2);
    assert_int_equal(x.status, CF_SAMPLE_FAULT);
    assert_non_null(strstr(x.reason, "empty.jpg: expected a JPEG or PNG picture"));
    RUN(&f->r, "show", f->study);
    assert_done(&f->r, "show");
    assert_non_null(strstr(f->r.out.data, "empty.jpg: expected a JPEG or PNG picture"));
}

/* Three ways to have an object: none at all, one that the centre crop cuts away, one that stays. The paper's last two
 * flows start at the object's patches and at the others. */
static void an_empty_object_group_changes_nothing_and_is_flagged(void **state)
{
    static const struct {
        const char *row;
        int64_t n_empty;
    } cases[] = {
        {"good,Is it?,yes,-,-,-,-,-,-", 2 * 5}, /* what is no object cannot be told either */
        {"wide,Is it?,yes,1,1,9,9,-,-", 5},
        {"wide,Is it?,yes,35,1,9,9,-,-", 0},
    };
    fixture *f = *state;
    cf_str text = {0}, wide = content_of("tests/cli/golden/wide.png");
    temp_dir_write(f->dir, "wide.png", wide.data, wide.n);
    assert_ok(cf_str_add_text(&text, HEADER, report));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_ok(cf_str_addf(&text, report, "%zu,%s\n", i, cases[i].row));
    temp_dir_write(f->dir, "small_Test.csv", text.data, text.n);
    fixture_trace(f, &(trace_call){.images = f->dir});
    assert_done(&f->r, "objects");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const kept_sample x = fixture_sample(f->study, "Test", (int64_t)i);
        assert_int_equal(x.status, CF_SAMPLE_DONE);
        assert_int_equal(x.n_values, 6 * 5);
        if (x.n_empty != cases[i].n_empty || x.n_unchanged != x.n_empty)
            fail_msg("%s: %d values are flagged, %d of them the baseline's", cases[i].row, (int)x.n_empty,
                     (int)x.n_unchanged);
    }
    cf_str_deinit(&wide);
    cf_str_deinit(&text);
}

/* Options and names that do not stand in the question, or stand there twice: the row is kept, with a note. */
static void a_row_whose_option_does_not_occur_is_kept_and_noted(void **state)
{
    static const char header[] =
        "question_id,img_id,question,answer,central object x,central object y,central object w,"
        "central object h,central object name,true option,false option\n";
    static const struct {
        const char *row, *notes;
        int64_t n_empty; /* of True Option->Last and False Option->Last, five layers each */
    } cases[] = {
        {"good,Is it blue or orange?,blue,9,9,50,50,it,blue,orange", "\"notes\":[]", 0},
        {"good,Is it blue or orange?,red,9,9,50,50,it,red,orange",
         "\"notes\":[\"True Option \\\"red\\\" does not occur after the picture\"]", 5},
        {"good,Is it blue or blue?,blue,9,9,50,50,moon,blue,green",
         "\"notes\":[\"True Option \\\"blue\\\" occurs 2 times after the picture: the first is taken\","
         "\"False Option \\\"green\\\" does not occur after the picture\","
         "\"Central Object \\\"moon\\\" does not occur after the picture\"]",
         5},
        {"good,Is it?,yes,9,9,50,50,it,-,-", "\"notes\":[]", 10},
    };
    fixture *f = *state;
    const size_t n = sizeof cases / sizeof *cases;
    cf_str text = {0};
    assert_ok(cf_str_add_text(&text, header, report));
    for (size_t i = 0; i < n; i++)
        assert_ok(cf_str_addf(&text, report, "%zu,%s\n", i, cases[i].row));
    temp_dir_write(f->dir, "small_Test.csv", text.data, text.n);
    fixture_trace(f, &(trace_call){.images = f->dir,
                                   .extra = {"--flows", "True Option->Last,False Option->Last", "--score", "all"}});
    assert_done(&f->r, "options");
    assert_non_null(
        strstr(f->r.err.data, ": 4 questions traced now, 0 found in the study; 0 left out by --keep, 0 with"));
    assert_non_null(strstr(f->r.err.data, "\n2 of them with a note (words found twice or not at all): crossflow show"));
    cf_str all = everything_of(f, f->study);
    const char *line = all.data;
    for (size_t i = 0; i < n; i++) {
        const kept_sample x = fixture_sample(f->study, "Test", (int64_t)i);
        const char *const notes = strstr(line, "\"notes\":");
        assert_int_equal(x.status, CF_SAMPLE_DONE);
        assert_int_equal(x.n_values, 2 * 5);
        if (x.n_empty != cases[i].n_empty || x.n_unchanged != x.n_empty)
            fail_msg("%s: %d values are flagged, %d of them the baseline's", cases[i].row, (int)x.n_empty,
                     (int)x.n_unchanged);
        assert_int_equal(x.n_others, (i < 3 ? 6 : 5) * 2 * 5); /* no options, no difference */
        if (strncmp(notes, cases[i].notes, strlen(cases[i].notes)) != 0)
            fail_msg("%s: expected %s, found %.200s", cases[i].row, cases[i].notes, notes);
        line = strchr(line, '\n') + 1;
    }
    cf_str_deinit(&all);
    cf_str_deinit(&text);
}

int test_row_faults(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_faulty_row_is_stored_with_its_reason_and_the_others_are_done, setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(faults_are_an_error_at_the_end_under_strict, setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_study_of_faults_alone_is_an_error, setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_row_whose_option_does_not_occur_is_kept_and_noted, setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(an_empty_object_group_changes_nothing_and_is_flagged, setup, fixture_teardown),
    };
    return cmocka_run_group_tests_name("faults of one question", tests, NULL, NULL);
}
