/* test_paper_figures.c - the paper's figures by name: which there are, what is in them, and that they can be compared. */
#include "report_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "report/paper_figures.h"
#include "support/fail_alloc.h"
#include "support/temp_dir.h"

static const char *const paper_flows[] = {"Question->Last",
                                          "Image->Last",
                                          "Last->Last",
                                          "Image->Question",
                                          "Image Central Object->Question",
                                          "Image Without Central Object->Question"};
enum { N_FLOWS = sizeof paper_flows / sizeof *paper_flows, N_LAYERS = 2 };

static void add_task(const fixture *f, const char *task, double scale)
{
    double change[N_FLOWS * N_LAYERS];
    for (int i = 0; i < N_FLOWS * N_LAYERS; i++)
        change[i] = -scale * i;
    fixture_sample(f->store, task, 0, change, N_FLOWS * N_LAYERS);
}

static void add_runs(const fixture *f, int32_t window)
{
    for (int i = 0; i < N_FLOWS; i++)
        fixture_runs(f->store, paper_flows[i], window, N_LAYERS);
}

typedef struct written {
    cf_str names, missing; /* names: without the folder */
    cf_error err;
    cf_status st;
} written;

/* Writes the figures as svg into dir/DIR. */
static written write_figures(const fixture *f, const char *dir, cf_paper_options o)
{
    written w = {0};
    cf_str paths = {0};
    char *folder = temp_dir_path(f->dir, dir);
    o.format = CF_FIGURE_SVG;
    w.st = cf_paper_figures_write(f->store, folder, &o, &paths, &w.missing, &w.err);
    assert_ok(cf_str_add_text(&w.names, "", report));
    assert_ok(cf_str_add_text(&w.missing, "", report));
    for (const char *line = paths.n ? paths.data : ""; *line; line = strchr(line, '\n') + 1) {
        assert_int_equal(strncmp(line, folder, strlen(folder)), 0);
        const char *name = line + strlen(folder) + 1;
        assert_ok(cf_str_addf(&w.names, report, "%.*s\n", (int)strcspn(name, "\n"), name));
    }
    cf_str_deinit(&paths);
    free(folder);
    return w;
}

static void written_deinit(written *w)
{
    cf_str_deinit(&w->names);
    cf_str_deinit(&w->missing);
}

static char *script_at(const fixture *f, const char *name)
{
    char *path = temp_dir_path(f->dir, name), *text = fixture_read(path);
    free(path);
    return text;
}

static bool needs_gnuplot(void)
{
    if (fixture_has_gnuplot())
        return true;
    print_message("SKIPPED: gnuplot is not installed\n");
    return false;
}

#define assert_has(text, part)                                                                                         \
    do {                                                                                                               \
        if (!strstr(text, part))                                                                                       \
            fail_msg("expected %s, found %s", part, text);                                                             \
    } while (0)

static void each_analysis_has_a_figure_a_task_and_one_of_all(void **state)
{
    const fixture *f = *state;
    if (!needs_gnuplot())
        skip();
    add_runs(f, 9);
    add_task(f, "QueryAttr", 1.0);
    add_task(f, "Another", 2.0);
    add_task(f, "ChooseAttr", 4.0);
    written w = write_figures(f, "new/folder", (cf_paper_options){0});
    assert_int_equal(w.st, CF_OK);
    assert_string_equal(w.names.data, "to_last_ChooseAttr.svg\nto_last_QueryAttr.svg\nto_last_Another.svg\n"
                                      "to_last.svg\n"
                                      "to_question_ChooseAttr.svg\nto_question_QueryAttr.svg\nto_question_Another.svg\n"
                                      "to_question.svg\n"
                                      "object_to_question_ChooseAttr.svg\nobject_to_question_QueryAttr.svg\n"
                                      "object_to_question_Another.svg\nobject_to_question.svg\n");
    assert_string_equal(w.missing.data, "lens: the study has no lens\n");
    for (const char *line = w.names.data; *line; line = strchr(line, '\n') + 1) {
        char name[100];
        (void)snprintf(name, sizeof name, "new/folder/%.*s", (int)strcspn(line, "\n"), line);
        char *figure = script_at(f, name);
        assert_has(figure, "</svg>");
        free(figure);
    }
    written_deinit(&w);
}

/* One file's task and its panel of all have the range of the strongest task. */
static void figures_of_an_analysis_have_the_same_axes_and_colours(void **state)
{
    const fixture *f = *state;
    if (!needs_gnuplot())
        skip();
    add_runs(f, 3);
    add_task(f, "ChooseAttr", 1.0);
    add_task(f, "QueryAttr", 4.0);
    written w = write_figures(f, "p", (cf_paper_options){0});
    assert_int_equal(w.st, CF_OK);
    static const struct {
        const char *script, *range;
    } cases[] = {
        {"p/to_last_ChooseAttr.gp", "set yrange [-21.2:1.2]\n"},
        {"p/to_last.gp", "set yrange [-21.2:1.2]\n"},
        {"p/to_question_ChooseAttr.gp", "set yrange [-29.68:1.68]\n"},
        {"p/to_question.gp", "set yrange [-29.68:1.68]\n"},
        {"p/object_to_question_ChooseAttr.gp", "set yrange [-46.64:2.64]\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = script_at(f, cases[i].script);
        assert_has(text, cases[i].range);
        free(text);
    }
    char *one = script_at(f, "p/to_last_ChooseAttr.gp"), *all = script_at(f, "p/to_last.gp");
    assert_has(one, "$line1 << END\n0 0 0 0 1\n1 -1 -1 -1 1\nEND\n");
    assert_has(one, "$line3 << END\n0 -4 -4 -4 1\n1 -5 -5 -5 1\nEND\nset");
    assert_has(one, "set title \"ChooseAttr, window 3, 1 sample\"");
    assert_has(one, "lc rgb \"#0072b2\" title \"Question \xe2\x86\x92 Last\"");
    assert_has(all, "$line6 << END\n0 -16 -16 -16 1\n1 -20 -20 -20 1\nEND\nset");
    assert_has(all, "set multiplot\n");
    assert_has(all, "# panel 1 of 2\n");
    assert_has(all, "set title \"ChooseAttr, 1 sample\"");
    assert_has(all, "set title \"QueryAttr, 1 sample\"");
    assert_has(all, "set xlabel \"centre layer (window of 3)\"");
    assert_has(all, "$line4 using 1:2 with linespoints lt 1 lw 1.8 pt 7 ps 0.55 lc rgb \"#0072b2\" notitle");
    /* The key is drawn once, a line a flow. */
    const char *key = strstr(all, "# the key\n");
    assert_non_null(key);
    assert_has(key, "plot NaN with linespoints lt 1 lw 1.8 pt 7 ps 0.55 lc rgb \"#0072b2\" title \"Question "
                    "\xe2\x86\x92 Last\"");
    size_t n = 0;
    for (const char *at = all; (at = strstr(at, " title \"")) != NULL; at++)
        n += at[-1] == '"';
    assert_int_equal(n, 3);
    free(all);
    free(one);
    written_deinit(&w);
}

static void panels_stand_in_the_papers_order_in_rows_of_three(void **state)
{
    const fixture *f = *state;
    if (!needs_gnuplot())
        skip();
    static const char *const order[] = {"ChooseAttr", "ChooseCat", "ChooseRel", "CompareAttr",
                                        "LogicalObj", "QueryAttr", "Aardvark"};
    fixture_runs(f->store, "Image->Question", 9, 1);
    const double change = -10.0;
    for (size_t i = 7; i-- > 0;)
        fixture_sample(f->store, order[i], 0, &change, 1);
    written w = write_figures(f, "p", (cf_paper_options){0});
    assert_int_equal(w.st, CF_OK);
    assert_string_equal(w.missing.data, "to_last: the study has no curve of Question->Last, Image->Last, Last->Last "
                                        "with window 9\n"
                                        "object_to_question: the study has no curve of Image Central Object->Question, "
                                        "Image Without Central Object->Question with window 9\n"
                                        "lens: the study has no lens\n");
    char *text = script_at(f, "p/to_question.gp");
    const char *at = text;
    for (size_t i = 0; i < 7; i++) {
        char title[64];
        (void)snprintf(title, sizeof title, "set title \"%s, 1 sample\"", order[i]);
        at = strstr(at, title);
        if (!at)
            fail_msg("%s is not in its place", order[i]);
    }
    /* Seven panels are three rows of three columns: the first column begins at one place, and only it has numbers. */
    size_t n_left = 0, n_bottom = 0;
    for (at = text; (at = strstr(at, "set lmargin at screen 0.0891\n")) != NULL; at++)
        n_left++;
    for (at = text; (at = strstr(at, "set format x \"%g\"")) != NULL; at++)
        n_bottom++;
    assert_int_equal(n_left, 3);
    assert_int_equal(n_bottom, 3); /* of each column the last panel */
    free(text);
    written_deinit(&w);
}

/* 9 where there is one, else the smallest; or as asked for. */
static void the_papers_window_is_taken_unless_another_is_asked_for(void **state)
{
    const fixture *f = *state;
    if (!needs_gnuplot())
        skip();
    static const double change[4] = {-1, -2, -3, -4};
    fixture_run(f->store, &(cf_store_run){.spec = "Image->Question", .style = "below", .layers = "0:1"});
    fixture_runs(f->store, "Image->Question", 5, 1);
    fixture_runs(f->store, "Image->Question", 3, 1);
    fixture_runs(f->store, "Image->Question", 9, 1);
    fixture_sample(f->store, "A", 0, change, 3);
    static const struct {
        int32_t window;
        const char *title;
    } cases[] = {{0, "\"A, window 3, 1 sample\""}, {5, "\"A, window 5, 1 sample\""}, {0, "\"A, window 9, 1 sample\""}};
    for (size_t i = 0; i < 3; i++) {
        if (i == 2)
            fixture_sample(f->store, "A", 1, change, 4);
        written w = write_figures(f, "p", (cf_paper_options){.window = cases[i].window});
        assert_int_equal(w.st, CF_OK);
        char *text = script_at(f, "p/to_question_A.gp");
        assert_has(text, cases[i].title);
        free(text);
        written_deinit(&w);
    }
}

static void a_lens_study_has_the_lens_figures(void **state)
{
    const fixture *f = *state;
    if (!needs_gnuplot())
        skip();
    const double low[2] = {0.1, 0.2}, high[2] = {0.1, 0.4};
    fixture_lens_sample(f->store, "QueryAttr", 0, high, 2, false);
    fixture_lens_sample(f->store, "ChooseAttr", 0, low, 2, true);
    written w = write_figures(f, "p", (cf_paper_options){0});
    assert_int_equal(w.st, CF_OK);
    assert_string_equal(w.names.data, "lens_ChooseAttr.svg\nlens_QueryAttr.svg\nlens.svg\n");
    assert_has(w.missing.data, "to_question: the study has no curve of Image->Question\n");
    char *one = script_at(f, "p/lens_QueryAttr.gp"), *all = script_at(f, "p/lens.gp");
    assert_null(strstr(one, "$line3"));
    assert_has(one, "set yrange [-2.4:42.4]");
    assert_has(all, "set yrange [-2.4:42.4]");
    assert_has(all, "$line6 << END\n0 5 5 5 1\n1 20 20 20 1\nEND\nset");
    assert_has(strstr(all, "# the key\n"), "title \"Capitalized False Option\"");
    free(all);
    free(one);
    written_deinit(&w);
}

static void tasks_become_plain_file_names_that_may_not_meet(void **state)
{
    const fixture *f = *state;
    if (!needs_gnuplot())
        skip();
    static const double change = -1.0;
    fixture_runs(f->store, "Image->Question", 9, 1);
    fixture_sample(f->store, "../`touch hacked`", 0, &change, 1);
    written w = write_figures(f, "p", (cf_paper_options){0});
    assert_int_equal(w.st, CF_OK);
    assert_string_equal(w.names.data, "to_question_..__touch_hacked_.svg\nto_question.svg\n");
    assert_false(cf_file_exists("hacked"));
    char *hacked = temp_dir_path(f->dir, "p/hacked"), *text = script_at(f, "p/to_question.gp");
    assert_false(cf_file_exists(hacked));
    assert_null(strchr(text, '`'));
    free(text);
    free(hacked);
    written_deinit(&w);
    fixture_sample(f->store, "../_touch hacked_", 0, &change, 1);
    w = write_figures(f, "p", (cf_paper_options){0});
    assert_int_equal(w.st, CF_MISMATCH);
    assert_has(w.err.text, "two figures of the study would be written to ");
    written_deinit(&w);
}

static void a_study_of_other_flows_is_refused_and_nothing_is_written(void **state)
{
    const fixture *f = *state;
    static const double change = -1.0;
    fixture_runs(f->store, "Image->Image", 9, 1);
    fixture_sample(f->store, "A", 0, &change, 1);
    const cf_paper_options cases[] = {{0}, {.window = 3}, {.measure = CF_MEASURE_RANK}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        written w = write_figures(f, "p", cases[i]);
        assert_int_equal(w.st, CF_USAGE);
        assert_has(w.err.text, "nothing to draw: it has none of the paper's curves, and no lens");
        assert_has(w.missing.data, "to_last: the study has no curve of ");
        assert_int_equal(w.names.n, 0);
        written_deinit(&w);
    }
    char *folder = temp_dir_path(f->dir, "p");
    assert_false(cf_file_is_dir(folder));
    free(folder);
}

static void every_failed_allocation_is_reported(void **state)
{
    const fixture *f = *state;
    if (!needs_gnuplot())
        skip();
    const double answer[2] = {0.1, 0.2}, change = -1.0;
    fixture_runs(f->store, "Image->Question", 9, 1);
    fixture_sample(f->store, "A", 0, &change, 1);
    fixture_lens_sample(f->store, "B", 0, answer, 2, true);
    char *folder = temp_dir_path(f->dir, "p");
    const cf_paper_options o = {.format = CF_FIGURE_SVG};
    /* The script is text that grows: a sample of the allocations, each of them with gnuplot run before it. */
    int64_t nth = 1;
    for (bool failed = true; failed; nth += 7) {
        cf_str names = {0}, missing = {0};
        fail_alloc_at(nth);
        const cf_status st = cf_paper_figures_write(f->store, folder, &o, &names, &missing, NULL);
        failed = fail_alloc_off();
        assert_int_equal(st, failed ? CF_NOMEM : CF_OK);
        cf_str_deinit(&missing);
        cf_str_deinit(&names);
    }
    assert_true(nth > 100);
    free(folder);
}

int test_paper_figures(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(each_analysis_has_a_figure_a_task_and_one_of_all),
        TEST(figures_of_an_analysis_have_the_same_axes_and_colours),
        TEST(panels_stand_in_the_papers_order_in_rows_of_three),
        TEST(the_papers_window_is_taken_unless_another_is_asked_for),
        TEST(a_lens_study_has_the_lens_figures),
        TEST(tasks_become_plain_file_names_that_may_not_meet),
        TEST(a_study_of_other_flows_is_refused_and_nothing_is_written),
        TEST(every_failed_allocation_is_reported),
    };
#undef TEST
    return cmocka_run_group_tests_name("the paper's figures", tests, NULL, NULL);
}
