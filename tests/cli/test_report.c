/* test_report.c - crossflow report: what it writes, and what it refuses. That the page holds the study's numbers is
 * tests/report's. */
#include "cli_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "support/temp_dir.h"

/* A study of the fixture's questions, whose pictures are the demo's. */
static void make_study(fixture *f)
{
    fixture_trace(f, &(trace_call){.extra = {"--flow", "Image->Last"}});
    assert_done(&f->r, "trace");
}

static bool holds(const char *path, const char *text)
{
    cf_str page = content_of(path);
    const bool found = cf_slice_find(cf_str_slice(&page), cf_slice_of(text), 0) >= 0;
    cf_str_deinit(&page);
    return found;
}

/* What a page draws a sample from: its tokens with one null for the picture, where the picture's positions lie, boxes. */
static cf_status check_sample(void *user, const cf_sample *x, cf_error *err)
{
    cf_json *tokens = NULL, *patches = NULL, *boxes = NULL, *groups = NULL;
    int64_t begin = 0, end = 0, n_positions = 0, n_tokens = 0, at_null = -1, first = 0;
    assert_ok(cf_json_parse(&tokens, cf_slice_of(x->tokens), "tokens", report));
    assert_ok(cf_json_parse(&patches, cf_slice_of(x->patches), "patches", report));
    assert_ok(cf_json_parse(&boxes, cf_slice_of(x->boxes), "boxes", report));
    assert_ok(cf_json_parse(&groups, cf_slice_of(x->groups), "groups", report));
    const cf_json *image = cf_json_first(cf_json_first(cf_json_get(groups, "Image")));
    assert_true(cf_json_i64(&begin, image) && cf_json_i64(&end, cf_json_next(image)));
    for (const cf_json *t = cf_json_first(tokens); t; t = cf_json_next(t), n_tokens++) {
        if (cf_json_kind_of(t) == CF_JSON_NULL)
            at_null = n_tokens;
        else
            assert_non_null(cf_json_string(t));
    }
    for (const cf_json *a = cf_json_first(patches); a; a = cf_json_next(a)) {
        const double row =
            cf_json_number(cf_json_get(a, "columns"), -1) + cf_json_number(cf_json_get(a, "newline"), -1);
        n_positions += (int64_t)(row * cf_json_number(cf_json_get(a, "rows"), -1));
    }
    assert_true(cf_json_i64(&first, cf_json_get(cf_json_first(patches), "at")));
    assert_int_equal(at_null, begin);
    assert_int_equal(first, begin);
    assert_int_equal(n_positions, end - begin);
    assert_int_equal(n_tokens - 1 + n_positions, x->n_tokens);
    assert_int_equal(cf_json_count(boxes), 1);
    assert_true(cf_json_number(cf_json_get(cf_json_first(boxes), "w"), -1) > 0);
    ++*(int *)user;
    (void)err;
    cf_json_free(groups);
    cf_json_free(boxes);
    cf_json_free(patches);
    cf_json_free(tokens);
    return CF_OK;
}

static void a_traced_sample_has_what_a_page_draws(void **state)
{
    fixture *f = *state;
    cf_store *s = NULL;
    int n = 0;
    make_study(f);
    assert_ok(cf_store_open(&s, f->study, report));
    assert_ok(cf_store_each_sample(s, check_sample, &n, report));
    assert_int_equal(n, 3);
    cf_store_close(s);
}

static void a_study_becomes_a_page_with_its_pictures(void **state)
{
    fixture *f = *state;
    char *page = fixture_path(f, "page.html");
    make_study(f);
    RUN(&f->r, "report", f->study, "-o", page);
    assert_done(&f->r, "report");
    assert_int_equal(f->r.out.n, 0);
    const size_t n = strlen(page);
    assert_int_equal(strncmp(f->r.err.data, page, n), 0);
    assert_string_equal(f->r.err.data + n, ": open it in a browser\n");
    assert_true(holds(page, "\"uri\":\"data:image/jpeg;base64,"));
    assert_true(holds(page, "\"text\":\"Image-\\u003eLast\""));
    free(page);
}

static void a_page_is_replaced_whole_and_equal_to_itself(void **state)
{
    fixture *f = *state;
    char *page = fixture_path(f, "page.html");
    make_study(f);
    temp_dir_write_text(f->dir, "page.html", "an older page");
    RUN(&f->r, "report", f->study, "-o", page, "--samples", "2", "--sample", "Test.1", "--seed", "5");
    assert_done(&f->r, "report");
    cf_str one = content_of(page);
    RUN(&f->r, "report", f->study, "-o", page, "--samples", "2", "--sample", "Test.1", "--seed", "5");
    cf_str two = content_of(page);
    assert_int_equal(one.n, two.n);
    assert_memory_equal(one.data, two.data, one.n);
    cf_str_deinit(&two);
    cf_str_deinit(&one);
    free(page);
}

static void without_pictures_the_page_is_written_and_says_so(void **state)
{
    fixture *f = *state;
    char *page = fixture_path(f, "page.html");
    make_study(f);
    RUN(&f->r, "report", f->study, "-o", page, "--images", "/no/such/folder");
    assert_int_equal(f->r.exit_status, 0);
    assert_non_null(strstr(f->r.err.data, "2 of 2 pictures cannot be read (--images DIR says where they are): "
                                          "/no/such/folder/"));
    assert_true(holds(page, "2 of 2 pictures cannot be read"));
    assert_false(holds(page, "data:image/jpeg"));
    free(page);
}

static void what_cannot_be_a_page_is_one_line_and_writes_nothing(void **state)
{
    fixture *f = *state;
    char *page = fixture_path(f, "page.html"), *text = fixture_path(f, "text.db");
    make_study(f);
    temp_dir_write_text(f->dir, "text.db", "no database at all, though long enough to be looked at");
    const struct {
        const char *name;
        const char *args[10];
        int exit_status;
        const char *say;
    } bad[] = {
        {"no such study", {"report", "/no/such.db", "-o", page}, 1, "/no/such.db"},
        {"one of two studies", {"report", f->study, "/no/such.db", "-o", page}, 1, "/no/such.db"},
        {"a study twice", {"report", f->study, f->study, "-o", page}, 1, "study.db: is given twice"},
        {"no study", {"report", text, "-o", page}, 1, "text.db: expected a crossflow study, found a file that is no"},
        {"a folder", {"report", f->dir, "-o", page}, 1, f->dir},
        {"no such folder", {"report", f->study, "-o", "/no/such/page.html"}, 1, "/no/such/page.html: cannot write: "},
        {"a study's name", {"report", f->study, "-o", f->study}, 2, ": expected a page's name that ends in .html"},
        {"an ending alone", {"report", f->study, "-o", ".html"}, 2, ".html: expected a page's name"},
        {"a sample that is not there",
         {"report", f->study, "-o", page, "--sample", "Test.99"},
         1,
         "--sample Test.99: no study has this sample"},
        {"a sample without a row",
         {"report", f->study, "-o", page, "--sample", "Test"},
         1,
         "--sample Test: expected TASK.ROW"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        program_run(&f->r, bad[i].args, NULL);
        assert_refused(&f->r, bad[i].name, bad[i].exit_status, bad[i].say);
        if (path_exists(page))
            fail_msg("%s: wrote a page", bad[i].name);
    }
    free(text);
    free(page);
}

int test_report(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_traced_sample_has_what_a_page_draws, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_study_becomes_a_page_with_its_pictures, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_page_is_replaced_whole_and_equal_to_itself, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(without_pictures_the_page_is_written_and_says_so, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_a_page_is_one_line_and_writes_nothing, fixture_setup,
                                        fixture_teardown),
    };
    return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
