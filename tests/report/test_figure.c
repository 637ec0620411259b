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

/* Writes the figure dir/name with or without a gnuplot; returns its script. */
static char *script_with(const fixture *f, const char *name, const cf_figure_options *o)
{
    char *path = temp_dir_path(f->dir, name);
    cf_str script = {0};
    const cf_status st = cf_figure_write(f->store, path, o, &script, NULL);
    assert_int_equal(st, fixture_has_gnuplot() ? CF_OK : CF_IO);
    assert_string_equal(strrchr(script.data, '.'), ".gp");
    assert_int_equal(script.n, strlen(path) - 1);
    char *text = fixture_read(script.data);
    cf_str_deinit(&script);
    free(path);
    return text;
}

static char *script_of(const fixture *f, const char *name, const char *task, int32_t window)
{
    return script_with(f, name, &(cf_figure_options){.task = task, .window = window});
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
        "# layer, mean, its 95 % interval from and to, samples\n"
        "$line1 << END\n0 -55 -64.8 -45.2 2\n1 -25 -34.8 -15.2 2\n2 -0.02 -0.0984 0.0584 2\nEND\n"
        "$line2 << END\n0 0 -1.96 1.96 2\n1 7 5.04 8.96 2\n2 8 6.04 9.96 2\nEND\n"
        "set encoding utf8\n"
        "set terminal svg noenhanced size 800,515 font \"sans-serif,14\" background rgb \"white\"\n"
        "set output \"a.svg\"\n"
        "set title \"ChooseAttr, window 3, 2 samples\"\n"
        "set border 3 lw 0.8 lc rgb \"#404040\"\n"
        "set tics out nomirror scale 0.6\n"
        "set grid ytics lt 1 lw 0.5 lc rgb \"#e4e4e4\"\n"
        "set xzeroaxis lt 1 lw 1.2 lc rgb \"#808080\"\n"
        "set xrange [-0.4:2.4]\n"
        "set yrange [-69.2856:14.4456]\n"
        "set xtics 0, 1\n"
        "set format x \"%g\"\n"
        "set format y \"%g\"\n"
        "set xlabel \"centre layer (window of 3)\" offset 0,0.4\n"
        "set ylabel \"change of the answer's probability (%)\"\n"
        "set bmargin at screen 0.2039\n"
        "set key at screen 0.5,0.0728 top center vertical Left reverse width -5 samplen 2.2 spacing 1.15 maxrows 1\n"
        "plot $line1 using 1:3:4 with filledcurves fs transparent solid 0.18 noborder lc rgb \"#009e73\" notitle, \\\n"
        "     $line2 using 1:3:4 with filledcurves fs transparent solid 0.18 noborder lc rgb \"#595959\" notitle, \\\n"
        "     $line1 using 1:2 with linespoints lt 1 lw 1.8 pt 9 ps 0.55 lc rgb \"#009e73\" "
        "title \"Image \xe2\x86\x92 Question\", \\\n"
        "     $line2 using 1:2 with linespoints lt 1 lw 1.8 pt 2 ps 0.55 lc rgb \"#595959\" "
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
                       "$line%zu using 1:3:4 with filledcurves fs transparent solid 0.18 noborder lc "
                       "rgb \"%s\"",
                       N - i, colours[i]);
        (void)snprintf(line, sizeof line, "lc rgb \"%s\" title \"", colours[i]);
        assert_non_null(strstr(text, band));
        assert_non_null(strstr(text, line));
    }
    assert_non_null(strstr(text, "set xlabel \"layer\" "));
    assert_non_null(strstr(text, "set title \"A, window 1, 1 sample\""));
    free(text);
}

static void gnuplot_draws_all_three_formats(void **state)
{
    const fixture *f = *state;
    if (!fixture_has_gnuplot()) {
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
    assert_non_null(strstr(text, "$line1 << END\n0 NaN NaN NaN 0\n1 NaN NaN NaN 0\nEND\n"));
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
        assert_int_equal(cf_file_exists(path), fixture_has_gnuplot());
        free(path);
    }
    char *hacked = temp_dir_path(f->dir, "hacked");
    assert_false(cf_file_exists(hacked));
    free(hacked);
}

static void assert_refused(const fixture *f, const char *name, const cf_figure_options *o, const char *message)
{
    cf_error err = {0};
    cf_str script = {0};
    char *path = temp_dir_path(f->dir, name);
    const cf_status st = cf_figure_write(f->store, path, o, &script, &err);
    if (st != CF_USAGE || !strstr(err.text, message))
        fail_msg("expected '%s', found %d '%s'", message, (int)st, err.text);
    assert_null(script.data);
    assert_false(cf_file_exists(path));
    free(path);
}

static void what_cannot_be_drawn_is_refused_with_what_can(void **state)
{
    const fixture *f = *state;
    const cf_figure_options none = {0};
    assert_refused(f, "a.svg", &none, "nothing to draw: it has neither curves nor a lens");
    fixture_small_study(f->store);
    static const char *const names[] = {"a", "a.gif", "a.svg.gz", ".svg", "a.SVG", "asvg"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_refused(f, names[i], &none, "expected a figure's name that ends in .pdf, .svg or .png");
    static const struct {
        cf_figure_options o;
        const char *message;
    } cases[] = {
        {{.task = "Choose", .window = 3},
         "no curve over layers of task Choose, window 3, measure probability; there are: ChooseAttr window 3, "
         "QueryAttr window 3"},
        {{.window = 9},
         "no curve over layers of task all, window 9, measure probability; there are: ChooseAttr window 3, QueryAttr "
         "window 3, all window 3"},
        {{.style = "below"}, "no curve over layers of task all, style below, measure probability; there are: Choose"},
        {{.measure = CF_MEASURE_RANK}, "no curve over layers of task all, measure rank; there are: none"},
        {{.flows = "Last->Last,Image->Last"}, "no curve of flow Image->Last; there are: Image->Question, Last->Last"},
        {{.flows = ""}, "no curve of flow ; there are: Image->Question, Last->Last"},
        {{.measure = CF_MEASURE_TOP}, "top: expected a measure that has a curve"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(f, "a.svg", &cases[i].o, cases[i].message);
}

/* "Image->Last" at windows 3 and 1, below, outside 2, fixed; each with one layer and a change of its own. */
static void study_of_styles(const fixture *f)
{
    static const cf_store_run runs[] = {
        {.spec = "Image->Last", .window = 3},
        {.spec = "Image->Last", .window = 1},
        {.spec = "Image->Last", .style = "outside", .window = 2, .layers = "2:4"},
        {.spec = "Image->Last", .style = "above", .layers = "0:4"},
        {.spec = "Image->Last", .style = "below", .layers = "0:1"},
        {.spec = "Image->Last@0:2", .style = "fixed", .layers = ""},
        {.spec = "random: Image->Last", .mode = "random", .seed = 7, .window = 1, .repeat = 0},
        {.spec = "random: Image->Last", .mode = "random", .seed = 7, .window = 1, .repeat = 1},
    };
    static const double change[] = {-1, -2, -3, -4, -5, -6, -10, -20};
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++)
        assert_int_equal(fixture_run(f->store, &runs[i]), i + 1);
    fixture_sample(f->store, "A", 0, change, sizeof change / sizeof *change);
}

static void one_figure_has_one_style_and_window_which_can_be_asked_for(void **state)
{
    const fixture *f = *state;
    static const struct {
        cf_figure_options o;
        const char *data, *title, *x_axis;
    } cases[] = {
        {{0},
         "$line1 << END\n0 -2 -2 -2 1\nEND\n$line2 << END\n0 -15 -15 -15 1\nEND\nset",
         "all tasks, window 1",
         "layer"},
        {{.window = 3}, "$line1 << END\n0 -1 -1 -1 1\nEND\nset", "all tasks, window 3", "centre layer (window of 3)"},
        {{.window = 2},
         "$line1 << END\n0 -3 -3 -3 1\nEND\nset",
         "all tasks, outside 2",
         "centre of the 2 layers left alone"},
        {{.style = "below", .task = "A"},
         "$line1 << END\n0 -5 -5 -5 1\nEND\nset",
         "A, below",
         "last layer of the window (from layer 0)"},
        {{.style = "above"},
         "$line1 << END\n0 -4 -4 -4 1\nEND\nset",
         "all tasks, above",
         "first layer of the window (to the top)"},
        {{.flows = "random :Image -> Last"},
         "$line1 << END\n0 -15 -15 -15 1\nEND\nset",
         "all tasks, window 1",
         "layer"},
        {{.flows = " cut: Image->Last", .window = 1},
         "$line1 << END\n0 -2 -2 -2 1\nEND\nset",
         "all tasks, window 1",
         "layer"},
    };
    study_of_styles(f);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = script_with(f, "a.svg", &cases[i].o);
        char title[100], axis[100];
        (void)snprintf(title, sizeof title, "set title \"%s, 1 sample\"\n", cases[i].title);
        (void)snprintf(axis, sizeof axis, "set xlabel \"%s\" ", cases[i].x_axis);
        if (!strstr(text, cases[i].data) || !strstr(text, title) || !strstr(text, axis))
            fail_msg("case %zu: found %s", i, text);
        free(text);
    }
    assert_refused(f, "fixed.svg", &(cf_figure_options){.style = "fixed"},
                   "no curve over layers of task all, style fixed");
    assert_refused(f, "fixed.svg", &(cf_figure_options){.flows = "Image->Last@0:2"},
                   "no curve of flow Image->Last@0:2");
}

/* The second of two further flows keeps its colour when it is drawn alone. */
static void a_flow_that_is_asked_for_keeps_its_colour(void **state)
{
    const fixture *f = *state;
    const double change[4] = {-1, -1, -2, -3};
    fixture_runs(f->store, "Image->Image", 1, 1);
    fixture_runs(f->store, "Image->Image", 3, 1); /* one flow, one colour */
    fixture_runs(f->store, "Last->Last", 1, 1);
    fixture_runs(f->store, "keep(Image, Question): Image->Question", 1, 1);
    fixture_sample(f->store, "A", 0, change, 4);
    char *text =
        script_with(f, "a.svg", &(cf_figure_options){.flows = "keep(Image,Question):Image->Question , Last->Last"});
    assert_non_null(strstr(text, "$line1 << END\n0 -2 -2 -2 1\nEND\n$line2 << END\n0 -3 -3 -3 1\nEND\nset"));
    assert_non_null(strstr(text, "lc rgb \"#882255\" title \"keep(Image, Question): Image \xe2\x86\x92 Question\""));
    free(text);
}

static void the_smallest_window_of_any_flow_is_drawn(void **state)
{
    const fixture *f = *state;
    const double change[2] = {-1, -2};
    fixture_runs(f->store, "Last->Last", 3, 1);
    fixture_runs(f->store, "Image->Last", 1, 1);
    fixture_sample(f->store, "A", 0, change, 2);
    char *text = script_of(f, "a.svg", NULL, 0);
    assert_non_null(strstr(text, "$line1 << END\n0 -2 -2 -2 1\nEND\nset"));
    assert_non_null(strstr(text, "set title \"all tasks, window 1, 1 sample\""));
    free(text);
}

/* Of a run the lens is not drawn among the baseline's lines. */
static void the_lens_that_is_drawn_is_the_baselines(void **state)
{
    const fixture *f = *state;
    fixture_runs(f->store, "Image->Last", 9, 1);
    const cf_lens_entry entries[] = {
        {.run = CF_NO_RUN, .position = 4, .answer = 0.5, .answer_upper = 0.25, .words = "[]", .scores = "[]"},
        {.run = 1, .position = 4, .answer = 0.125, .answer_upper = 0.125, .words = "[]", .scores = "[]"}};
    const cf_sample sample = {.task = "A", .row = 0, .probability = 0.5, .n_tokens = 5};
    assert_ok(cf_store_put_sample(f->store, &sample, &(cf_results){.lens = entries, .n_lens = 2}, report));
    char *text = script_of(f, "a.svg", "A", 0);
    assert_non_null(strstr(text, "$line1 << END\n0 50 50 50 1\nEND\n"));
    assert_null(strstr(text, " 12.5 "));
    free(text);
}

/* The measure says what the axis shows; an answer that flips does so in 0 to 100 %, and so do the bands. */
static void the_measure_is_on_the_axis(void **state)
{
    const fixture *f = *state;
    fixture_runs(f->store, "Image->Last", 1, 1);
    for (int64_t row = 0; row < 3; row++) {
        const cf_baseline baselines[] = {{CF_MEASURE_FLIP, 0.0}, {CF_MEASURE_RANK, 1.0}};
        const cf_value values[] = {{1, CF_MEASURE_FLIP, row > 0, row ? CF_VALUE_OK : CF_VALUE_EMPTY_GROUP},
                                   {1, CF_MEASURE_RANK, 1.0 + (double)row, row ? CF_VALUE_OK : CF_VALUE_EMPTY_GROUP}};
        const cf_sample sample = {.task = "A", .row = row, .probability = 0.5};
        const cf_results results = {.values = values, .n_values = 2, .baselines = baselines, .n_baselines = 2};
        assert_ok(cf_store_put_sample(f->store, &sample, &results, report));
    }
    char *text = script_with(f, "a.svg", &(cf_figure_options){.measure = CF_MEASURE_FLIP});
    assert_non_null(strstr(text, "\n0 66.6666667 1.33333333 132 3\n"));
    assert_non_null(strstr(text, "set ylabel \"answers that flip (%)\""));
    assert_non_null(strstr(text, "set yrange [-6:106]"));
    assert_non_null(strstr(text, "$line1 using 1:($3 < 0 ? 0 : $3):($4 > 100 ? 100 : $4) with filledcurves"));
    free(text);
    text = script_with(f, "a.svg", &(cf_figure_options){.measure = CF_MEASURE_RANK, .drop_empty = true});
    assert_non_null(strstr(text, "\n0 1.5 0.52 2.48 2\n"));
    assert_non_null(strstr(text, "set ylabel \"change of the answer's rank\""));
    assert_non_null(strstr(text, "$line1 using 1:3:4 with filledcurves"));
    free(text);
}

static void a_lens_study_is_drawn_as_its_lens(void **state)
{
    const fixture *f = *state;
    const double low[3] = {0.0, 0.2, 0.8}, high[3] = {0.0, 0.4, 1.0};
    fixture_lens_sample(f->store, "A", 0, low, 3, true);
    fixture_lens_sample(f->store, "A", 1, high, 3, true);
    fixture_lens_sample(f->store, "B", 0, high, 3, false);
    char *text = script_of(f, "a.svg", "A", 0);
    static const char *const parts[] = {
        "$line1 << END\n0 0 0 0 2\n1 30 10.4 49.6 2\n2 90 70.4 109.6 2\nEND\n",
        "$line4 << END\n",
        "set title \"A, lens at the last position, 2 samples\"",
        "set xlabel \"layer (0: embeddings)\"",
        "set ylabel \"probability (%)\"",
        "set xrange [-0.4:2.4]\nset yrange [-6:106]\n",
        "lc rgb \"#0072b2\" title \"Noncapitalized Answer\"",
        "lc rgb \"#d55e00\" title \"Noncapitalized False Option\"",
        "lc rgb \"#009e73\" title \"Capitalized Answer\"",
        "lc rgb \"#cc79a7\" title \"Capitalized False Option\"",
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!strstr(text, parts[i]))
            fail_msg("expected %s, found %s", parts[i], text);
    free(text);
    text = script_of(f, "b.svg", "B", 0);
    assert_non_null(strstr(text, "$line2 << END\n"));
    assert_null(strstr(text, "$line3"));
    free(text);
    text = script_of(f, "all.svg", NULL, 0);
    assert_non_null(strstr(text, "set title \"all tasks, lens at the last position, 2 to 3 samples\""));
    free(text);
    assert_refused(f, "c.svg", &(cf_figure_options){.task = "C"}, "no lens of task C");
    assert_refused(f, "c.svg", &(cf_figure_options){.window = 3}, "no curve over layers of task all, window 3");
}

/* A flow of any length and any number of them: the key is below the axes, and the page grows with it. */
static void many_flows_and_long_ones_have_room_below_the_plot(void **state)
{
    const fixture *f = *state;
    enum { N = 40 };
    double change[N];
    char flow[400];
    for (int i = 0; i < N; i++) {
        (void)snprintf(flow, sizeof flow, "Image->Last#%d%s", i, i ? "" : " & Image->Question@0:4");
        while (i == 1 && strlen(flow) < sizeof flow - 20)
            (void)snprintf(flow + strlen(flow), 20, " & Image->Last");
        fixture_runs(f->store, flow, 1, 1);
        change[i] = -i;
    }
    fixture_sample(f->store, "A", 0, change, N);
    char *text = script_of(f, "a.svg", "A", 0);
    assert_non_null(strstr(text, "set terminal svg noenhanced size 800,1490 "));
    assert_non_null(strstr(text, " maxrows 40\n"));
    /* A colour that comes again has another mark. */
    assert_non_null(strstr(text, "pt 6 ps 0.55 lc rgb \"#332288\" title \"Image \xe2\x86\x92 Last#0 "));
    assert_non_null(strstr(text, "pt 4 ps 0.55 lc rgb \"#332288\" title \"Image \xe2\x86\x92 Last#6\""));
    const char *title = strstr(text, "title \"Image \xe2\x86\x92 Last#1 & ");
    assert_non_null(title);
    assert_non_null(strstr(title, "\xe2\x80\xa6"));
    assert_true(strchr(title, '\n') - title < 200);
    free(text);
    text = script_with(f, "a.svg", &(cf_figure_options){.flows = "Image->Last#3,Image->Last#4,Image->Last#5"});
    assert_non_null(strstr(text, " maxrows 1\n"));
    free(text);
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
    const cf_status st = cf_figure_write(f->store, path, &(cf_figure_options){0}, &script, &err);
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
    if (!fixture_has_gnuplot()) {
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
    assert_int_equal(cf_figure_write(f->store, no_folder, &(cf_figure_options){0}, NULL, &err), CF_IO);
    assert_non_null(strstr(err.text, "no/a.gp: cannot write: No such file or directory"));
    free(no_folder);
}

static void every_failed_allocation_is_reported(void **state)
{
    const fixture *f = *state;
    fixture_small_study(f->store);
    char *path = temp_dir_path(f->dir, "a.svg");
    int64_t nth = 1;
    for (bool failed = true; failed; nth++) {
        cf_str script = {0};
        cf_error err = {0};
        fail_alloc_at(nth);
        const cf_figure_options o = {.flows = "Image->Question,Last->Last"};
        const cf_status st = cf_figure_write(f->store, path, &o, &script, &err);
        failed = fail_alloc_off();
        if (failed && st != CF_NOMEM)
            fail_msg("allocation %d: found %d '%s'", (int)nth, (int)st, err.text);
        if (!failed)
            assert_int_equal(st, fixture_has_gnuplot() ? CF_OK : CF_IO);
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
        cmocka_unit_test_setup_teardown(one_figure_has_one_style_and_window_which_can_be_asked_for, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(a_flow_that_is_asked_for_keeps_its_colour, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(the_smallest_window_of_any_flow_is_drawn, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(the_lens_that_is_drawn_is_the_baselines, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(the_measure_is_on_the_axis, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_lens_study_is_drawn_as_its_lens, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(many_flows_and_long_ones_have_room_below_the_plot, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(every_failed_allocation_is_reported, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests_name("figures", tests, NULL, NULL);
}
