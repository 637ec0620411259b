/* test_figure.c - the script, what gnuplot makes of it, and what it says where it cannot. */
#include "report_fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "report/figure.h"
#include "report/gnuplot.h"
#include "support/fail_alloc.h"
#include "support/temp_dir.h"

static bool has_gnuplot(void)
{
    const char *path = getenv("PATH");
    while (path && *path) {
        const size_t n = strcspn(path, ":");
        char name[4096];
        (void)snprintf(name, sizeof name, "%.*s/gnuplot", (int)n, path);
        if (access(name, X_OK) == 0)
            return true;
        path += n + (path[n] == ':');
    }
    return false;
}

static char *read_text(const char *path)
{
    cf_str text = {0};
    assert_ok(cf_file_read(&text, path, 1 << 24, report));
    return text.data;
}

/* Writes the figure dir/name with or without a gnuplot; returns its script. */
static char *script_of(const fixture *f, const char *name, const char *task, int32_t window)
{
    char *path = temp_dir_path(f->dir, name);
    cf_str script = {0};
    const cf_status st = cf_figure_write(f->store, path, task, window, &script, NULL);
    assert_int_equal(st, has_gnuplot() ? CF_OK : CF_IO);
    assert_string_equal(strrchr(script.data, '.'), ".gp");
    assert_int_equal(script.n, strlen(path) - 1);
    char *text = read_text(script.data);
    cf_str_deinit(&script);
    free(path);
    return text;
}

static void the_script_holds_the_data_and_draws_a_band_and_a_line_per_flow(void **state)
{
    const fixture *f = *state;
    fixture_small_study(f->store);
    char *text = script_of(f, "a.svg", "ChooseAttr", 0);
    const char *data = strchr(text, '\n') + 1; /* after the version */
    assert_int_equal(strncmp(text, "# crossflow ", 12), 0);
    assert_string_equal(
        data,
        "# layer, mean change in %, its 95 % interval from and to, samples\n"
        "$flow1 << END\n0 -55 -64.8 -45.2 2\n1 -25 -34.8 -15.2 2\n2 -0.02 -0.0984 0.0584 2\nEND\n"
        "$flow2 << END\n0 0 -1.96 1.96 2\n1 7 5.04 8.96 2\n2 8 6.04 9.96 2\nEND\n"
        "set encoding utf8\n"
        "set terminal svg noenhanced size 800,525 font \"sans-serif,14\" background rgb \"white\"\n"
        "set output \"a.svg\"\n"
        "set title \"ChooseAttr, window of 3 layers, 2 samples\"\n"
        "set border 3 lw 0.8 lc rgb \"#404040\"\n"
        "set tics out nomirror scale 0.6\n"
        "set grid ytics lt 1 lw 0.5 lc rgb \"#e4e4e4\"\n"
        "set xzeroaxis lt 1 lw 1.2 lc rgb \"#808080\"\n"
        "set xrange [-0.4:2.4]\n"
        "set yrange [-69.2856:14.4456]\n"
        "set xtics 0, 1\n"
        "set xlabel \"centre layer of the window\" offset 0,0.5\n"
        "set ylabel \"change of the answer's probability (%)\"\n"
        "set key bmargin center vertical Left reverse samplen 2.2 spacing 1.15 maxrows 1\n"
        "plot $flow1 using 1:3:4 with filledcurves fs transparent solid 0.18 noborder lc rgb \"#009e73\" notitle, \\\n"
        "     $flow2 using 1:3:4 with filledcurves fs transparent solid 0.18 noborder lc rgb \"#595959\" notitle, \\\n"
        "     $flow1 using 1:2 with linespoints lt 1 lw 1.8 pt 9 ps 0.55 lc rgb \"#009e73\" "
        "title \"Image \xe2\x86\x92 Question\", \\\n"
        "     $flow2 using 1:2 with linespoints lt 1 lw 1.8 pt 2 ps 0.55 lc rgb \"#595959\" "
        "title \"Last \xe2\x86\x92 Last\"\n"
        "set output\n");
    free(text);
}

static void colours_belong_to_flows_and_further_flows_get_further_ones(void **state)
{
    const fixture *f = *state;
    static const char *const flows[] = {"Question->Last",
                                        "Image->Last",
                                        "Last->Last",
                                        "Image->Question",
                                        "Image Central Object->Question",
                                        "Image Without Central Object->Question",
                                        "Question->Question",
                                        "Image->Image"};
    static const char *const colours[] = {"#0072b2", "#d55e00", "#595959", "#009e73",
                                          "#cc79a7", "#e69f00", "#882255", "#332288"};
    enum { N = sizeof flows / sizeof *flows };
    double change[N] = {0};
    for (size_t i = N; i-- > 0;) /* registered backwards: a colour is the flow's, not its place's */
        fixture_runs(f->store, flows[i], 1, 1);
    fixture_sample(f->store, "A", 0, change, N);
    char *text = script_of(f, "a.svg", "A", 1);
    for (size_t i = 0; i < N; i++) {
        char band[100], line[100];
        (void)snprintf(band, sizeof band,
                       "$flow%zu using 1:3:4 with filledcurves fs transparent solid 0.18 noborder lc "
                       "rgb \"%s\"",
                       N - i, colours[i]);
        (void)snprintf(line, sizeof line, "lc rgb \"%s\" title \"", colours[i]);
        assert_non_null(strstr(text, band));
        assert_non_null(strstr(text, line));
    }
    assert_non_null(strstr(text, "set xlabel \"layer\" "));
    assert_non_null(strstr(text, "set title \"A, window of 1 layer, 1 sample\""));
    free(text);
}

static void gnuplot_draws_all_three_formats(void **state)
{
    const fixture *f = *state;
    if (!has_gnuplot()) {
        print_message("SKIPPED: gnuplot is not installed\n");
        skip();
    }
    fixture_small_study(f->store);
    static const struct {
        const char *name, *magic;
        size_t n;
    } formats[] = {{"a.pdf", "%PDF-", 5}, {"b.svg", "<?xml", 5}, {"c.png", "\x89PNG\r\n\x1a\n", 8}};
    for (size_t i = 0; i < 3; i++) {
        free(script_of(f, formats[i].name, NULL, 3));
        char *path = temp_dir_path(f->dir, formats[i].name);
        cf_str bytes = {0};
        assert_ok(cf_file_read(&bytes, path, 1 << 24, report));
        assert_true(bytes.n > 1000);
        assert_memory_equal(bytes.data, formats[i].magic, formats[i].n);
        /* The script alone draws it again. */
        assert_int_equal(unlink(path), 0);
        char script[] = "x.gp";
        script[0] = formats[i].name[0];
        assert_ok(cf_gnuplot_run(f->dir, script, report));
        assert_true(cf_file_exists(path));
        cf_str_deinit(&bytes);
        free(path);
    }
}

static void a_study_without_effect_or_without_numbers_is_drawn(void **state)
{
    const fixture *f = *state;
    static const double nothing[4] = {0, 0, (double)NAN, (double)NAN};
    fixture_runs(f->store, "Image->Last", 1, 2);
    fixture_runs(f->store, "Last->Last", 2, 2);
    fixture_sample(f->store, "A", 0, nothing, 4);
    free(script_of(f, "flat.svg", "A", 1));
    char *text = script_of(f, "none.png", "A", 2);
    assert_non_null(strstr(text, "$flow1 << END\n0 NaN NaN NaN 0\n1 NaN NaN NaN 0\nEND\n"));
    free(text);
}

/* Each would end its string, its line or the drawing, or run a command, if it were not quoted. */
static void text_from_outside_stays_text(void **state)
{
    const fixture *f = *state;
    static const char *const tasks[] = {"quote\" ; !touch hacked ; \"",
                                        "`touch hacked`",
                                        "'`touch hacked`'",
                                        "line\n!touch hacked\nEND",
                                        "back\\slash\\",
                                        "@macro $data {x} _y ^z ~a",
                                        "eval('`touch hacked`')",
                                        "\"\n`touch hacked`\n\"",
                                        "\xff\xfe bytes",
                                        "%s %d %n"};
    const double change = -10.0;
    fixture_runs(f->store, "Image->Last", 1, 1);
    char *hacked = temp_dir_path(f->dir, "hacked");
    for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++) {
        fixture_sample(f->store, tasks[i], 0, &change, 1);
        char *text = script_of(f, "hostile.svg", tasks[i], 1);
        const char *title = strstr(text, "set title \"");
        const char *line_end = strchr(title, '\n');
        assert_true(line_end[-1] == '"');
        assert_null(memchr(title + 11, '"', (size_t)(line_end - 1 - (title + 11))));
        assert_null(strchr(text, '`'));
        assert_false(cf_file_exists(hacked));
        assert_false(cf_file_exists("hacked"));
        free(text);
    }
    free(hacked);
}

static void a_hostile_file_name_is_a_file_name(void **state)
{
    const fixture *f = *state;
    fixture_small_study(f->store);
    static const char *const names[] = {"-d.svg", "a`touch hacked`b.svg", "a\"b'c.svg", "a\nb.svg", "a b$c@d\\e.svg"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        free(script_of(f, names[i], "ChooseAttr", 0));
        char *path = temp_dir_path(f->dir, names[i]);
        assert_int_equal(cf_file_exists(path), has_gnuplot());
        free(path);
    }
    char *hacked = temp_dir_path(f->dir, "hacked");
    assert_false(cf_file_exists(hacked));
    free(hacked);
}

static void assert_refused(const fixture *f, const char *name, const char *task, int32_t window, const char *message)
{
    cf_error err = {0};
    cf_str script = {0};
    char *path = temp_dir_path(f->dir, name);
    const cf_status st = cf_figure_write(f->store, path, task, window, &script, &err);
    if (st != CF_USAGE || !strstr(err.text, message))
        fail_msg("expected '%s', found %d '%s'", message, (int)st, err.text);
    assert_null(script.data);
    free(path);
}

static void what_cannot_be_drawn_is_refused_with_what_can(void **state)
{
    const fixture *f = *state;
    assert_refused(f, "a.svg", NULL, 0, "nothing to draw: no question has been traced");
    fixture_small_study(f->store);
    static const char *const names[] = {"a", "a.gif", "a.svg.gz", ".svg", "a.SVG", "asvg"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_refused(f, names[i], NULL, 0, "expected a figure's name that ends in .pdf, .svg or .png");
    assert_refused(f, "a.svg", "Choose", 3,
                   "no curve of task Choose with window 3; there are: ChooseAttr k3, QueryAttr k3");
    assert_refused(f, "a.svg", NULL, 9,
                   "no curve of task all with window 9; there are: ChooseAttr k3, QueryAttr k3, all k3");
}

static void a_missing_gnuplot_is_named_with_its_package_and_the_script_is_kept(void **state)
{
    const fixture *f = *state;
    fixture_small_study(f->store);
    const char *before = getenv("PATH");
    char *kept = strdup(before ? before : "/usr/bin:/bin");
    assert_non_null(kept);
    assert_int_equal(setenv("PATH", f->dir, 1), 0);
    char *path = temp_dir_path(f->dir, "a.svg");
    cf_str script = {0};
    cf_error err = {0};
    const cf_status st = cf_figure_write(f->store, path, NULL, 0, &script, &err);
    assert_int_equal(setenv("PATH", kept, 1), 0);
    assert_int_equal(st, CF_IO);
    assert_non_null(strstr(err.text, "gnuplot is not installed (package gnuplot-nox"));
    assert_non_null(strstr(err.text, script.data));
    assert_true(cf_file_exists(script.data));
    assert_false(cf_file_exists(path));
    cf_str_deinit(&script);
    free(path);
    free(kept);
}

static void a_fault_of_gnuplot_is_passed_on_in_its_own_words(void **state)
{
    const fixture *f = *state;
    if (!has_gnuplot()) {
        print_message("SKIPPED: gnuplot is not installed\n");
        skip();
    }
    temp_dir_write_text(f->dir, "bad.gp", "set title \"fine\"\nplot no_such_thing\n");
    cf_error err = {0};
    assert_int_equal(cf_gnuplot_run(f->dir, "bad.gp", &err), CF_IO);
    assert_non_null(strstr(err.text, "bad.gp: gnuplot failed (exit status 1): "));
    assert_non_null(strstr(err.text, "undefined variable: no_such_thing"));
    /* More than a pipe holds, of which only the end of what is kept matters: gnuplot must not wait for a reader. */
    temp_dir_write_text(f->dir, "loud.gp", "do for [i=1:30000] { print \"noise\" }\nexit status 3\n");
    assert_int_equal(cf_gnuplot_run(f->dir, "loud.gp", &err), CF_IO);
    assert_non_null(strstr(err.text, "(exit status 3)"));
    temp_dir_write_text(f->dir, "killed.gp", "system \"kill -9 $PPID\"\npause 5\n");
    assert_int_equal(cf_gnuplot_run(f->dir, "killed.gp", &err), CF_IO);
    assert_non_null(strstr(err.text, "ended by signal 9"));
    char *no_folder = temp_dir_path(f->dir, "no/a.svg");
    fixture_small_study(f->store);
    assert_int_equal(cf_figure_write(f->store, no_folder, NULL, 0, NULL, &err), CF_IO);
    assert_non_null(strstr(err.text, "no/a.gp: cannot write: No such file or directory"));
    free(no_folder);
}

static void tasks_are_listed_by_name(void **state)
{
    const fixture *f = *state;
    char **tasks = NULL;
    size_t n = 9;
    assert_ok(cf_figure_tasks(f->store, &tasks, &n, report));
    assert_int_equal(n, 0);
    cf_figure_tasks_free(tasks, n);
    fixture_small_study(f->store);
    assert_ok(cf_figure_tasks(f->store, &tasks, &n, report));
    assert_int_equal(n, 2);
    assert_string_equal(tasks[0], "ChooseAttr");
    assert_string_equal(tasks[1], "QueryAttr");
    cf_figure_tasks_free(tasks, n);
    cf_figure_tasks_free(NULL, 0);
}

static void every_failed_allocation_is_reported(void **state)
{
    const fixture *f = *state;
    fixture_small_study(f->store);
    char *path = temp_dir_path(f->dir, "a.svg");
    int64_t nth = 1;
    for (bool failed = true; failed; nth++) {
        cf_str script = {0};
        char **tasks = NULL;
        size_t n = 0;
        cf_error err = {0};
        fail_alloc_at(nth);
        cf_status st = cf_figure_tasks(f->store, &tasks, &n, &err);
        if (st == CF_OK)
            st = cf_figure_write(f->store, path, NULL, 0, &script, &err);
        failed = fail_alloc_off();
        if (failed && st != CF_NOMEM)
            fail_msg("allocation %d: found %d '%s'", (int)nth, (int)st, err.text);
        if (!failed)
            assert_int_equal(st, has_gnuplot() ? CF_OK : CF_IO);
        cf_figure_tasks_free(tasks, n);
        cf_str_deinit(&script);
    }
    assert_true(nth > 30);
    free(path);
}

int test_figure(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_script_holds_the_data_and_draws_a_band_and_a_line_per_flow, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(colours_belong_to_flows_and_further_flows_get_further_ones, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(gnuplot_draws_all_three_formats, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_study_without_effect_or_without_numbers_is_drawn, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(text_from_outside_stays_text, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_hostile_file_name_is_a_file_name, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_drawn_is_refused_with_what_can, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_missing_gnuplot_is_named_with_its_package_and_the_script_is_kept,
                                        fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_fault_of_gnuplot_is_passed_on_in_its_own_words, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(tasks_are_listed_by_name, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(every_failed_allocation_is_reported, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests_name("figures", tests, NULL, NULL);
}
