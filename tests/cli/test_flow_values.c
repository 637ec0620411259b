/* test_flow_values.c - what the program measures in every kind of run, from the question file to the exported line,
 * against transformers' values (tests/engine/golden/flows_*.json): modes, groups, heads, layers, window styles, repeats,
 * every score, generated answers. */
#include "golden_study.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/temp_dir.h"

/* What one study is compared in. */
typedef struct comparison {
    const char *name;
    int n_answer; /* tokens of an answer that the golden and the study have in common */
    int64_t n;    /* numbers compared */
    double worst, worst_difference;
} comparison;

static bool is_run(const cf_json *golden_run, const cf_json *value)
{
    return strcmp(text_of(golden_run, "flow"), text_of(value, "flow")) == 0 &&
           strcmp(text_of(golden_run, "style"), text_of(value, "style")) == 0 &&
           (int)number_of(golden_run, "k") == (int)cf_json_number(cf_json_get(value, "window"), 0) &&
           (int)cf_json_number(cf_json_get(golden_run, "repeat"), 0) == (int)number_of(value, "repeat");
}

/* The golden's line of a run and the place of its centre in it; NULL where the golden has none. */
static const cf_json *find_run(const cf_json *runs, const cf_json *value, int64_t *at)
{
    const double centre = cf_json_number(cf_json_get(value, "layer"), 0);
    for (const cf_json *r = cf_json_first(runs); r; r = cf_json_next(r)) {
        if (!is_run(r, value))
            continue;
        *at = 0;
        for (const cf_json *c = cf_json_first(cf_json_get(r, "centres")); c; c = cf_json_next(c), (*at)++)
            if (cf_json_number(c, -1) == centre)
                return r;
    }
    return NULL;
}

static void compare_flag(const cf_json *run, const cf_json *value, bool has_number)
{
    static const char *const flags[] = {"empty_group", "fully_cut", "too_few_keys"};
    const char *flag = text_of(value, "flag"), *expected = "";
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (cf_json_bool(cf_json_get(run, flags[i]), false))
            expected = flags[i];
    if (strcmp(flag, expected) != 0 && !(expected[0] == '\0' && strcmp(flag, "no_visible_edge") == 0))
        fail_msg("%s: flag \"%s\", expected \"%s\"", text_of(value, "flow"), flag, expected);
    assert_int_equal(has_number, strcmp(flag, "fully_cut") != 0 && strcmp(flag, "too_few_keys") != 0);
}

static void compare_number(comparison *c, const char *flow, const char *measure, double expected, double found)
{
    const bool difference = strcmp(measure, "difference") == 0;
    double *worst = difference ? &c->worst_difference : &c->worst;
    const double off = fabs(expected - found);
    if (!(off <= (difference ? 1e-4 : 1e-5)))
        fail_msg("%s: %s, %s: expected %.9g, found %.9g", c->name, flow, measure, expected, found);
    *worst = fmax(*worst, off);
    c->n++;
}

/* One value of the study, where the golden has its run. */
static void compare_value(comparison *c, const cf_json *sample, const cf_json *value)
{
    int64_t at = 0;
    const cf_json *run = find_run(cf_json_get(sample, "runs"), value, &at);
    const char *measure = text_of(value, "measure");
    const double found = number_of(value, "value"), first = number_of(sample, "first_token");
    if (!run)
        return;
    compare_flag(run, value, !isnan(found));
    if (strcmp(measure, "flip") == 0) { /* the golden has no flips; another first token is one */
        const cf_json *top = element_of(cf_json_get(run, "top"), at);
        if (!isnan(cf_json_number(top, (double)NAN)) && (cf_json_number(top, 0) != first || c->n_answer == 1))
            compare_number(c, text_of(value, "flow"), measure, cf_json_number(top, 0) != first, found);
        return;
    }
    if (strcmp(measure, "whole") == 0 && c->n_answer == 1) /* the golden forces what this model does not say */
        measure = "probability";
    const double expected = cf_json_number(element_of(cf_json_get(run, measure), at), (double)NAN);
    if (!isnan(expected))
        compare_number(c, text_of(value, "flow"), measure, expected, found);
}

/* The numbers of the golden's runs that a study with these styles and windows has, one score's worth. */
static int64_t numbers_in(const cf_json *sample, const char *measure, const char *flows, const char *styles,
                          const char *windows, int repeats)
{
    int64_t n = 0;
    for (const cf_json *r = cf_json_first(cf_json_get(sample, "runs")); r; r = cf_json_next(r)) {
        char style[24], window[24];
        cf_str flow = {0};
        const int k = (int)number_of(r, "k");
        (void)snprintf(style, sizeof style, ",%s,", text_of(r, "style"));
        (void)snprintf(window, sizeof window, ",%d,", k);
        assert_ok(cf_str_addf(&flow, report, ",%s,", text_of(r, "flow")));
        const bool fixed = strcmp(style, ",fixed,") == 0;
        if ((fixed || strstr(styles, style)) && (k == 0 || strstr(windows, window)) && strstr(flows, flow.data) &&
            cf_json_number(cf_json_get(r, "repeat"), 0) < repeats)
            for (const cf_json *v = cf_json_first(cf_json_get(r, measure)); v; v = cf_json_next(v))
                n += !isnan(cf_json_number(v, (double)NAN));
        cf_str_deinit(&flow);
    }
    return n;
}

/* What the baseline and the question gave. */
static void compare_sample(comparison *c, const cf_json *sample, const cf_json *line)
{
    static const char *const measures[] = {"true", "difference", "rank", "top"};
    const cf_json *baselines = cf_json_get(line, "baselines"), *golden = cf_json_get(sample, "baseline");
    assert_int_equal((int)number_of(line, "first_token"), (int)number_of(sample, "first_token"));
    assert_int_equal((int)number_of(line, "true_token"), (int)number_of(sample, "true_token"));
    assert_int_equal((int)number_of(line, "n_tokens"), (int)number_of(sample, "length"));
    compare_number(c, "baseline", "probability", number_of(golden, "probability"), number_of(line, "probability"));
    for (size_t i = 0; i < sizeof measures / sizeof *measures; i++) {
        const double expected = number_of(golden, measures[i]);
        if (!isnan(expected))
            compare_number(c, "baseline", measures[i], expected, number_of(baselines, measures[i]));
        else
            assert_true(isnan(number_of(baselines, measures[i])));
    }
    for (int i = 0; i < c->n_answer; i++)
        assert_int_equal((int)cf_json_number(element_of(cf_json_get(line, "answer_ids"), i), -1),
                         (int)cf_json_number(element_of(cf_json_get(sample, "answer_ids"), i), -2));
    assert_int_equal(cf_json_count(cf_json_get(line, "answer_ids")), c->n_answer);
    if (c->n_answer > 1)
        compare_number(c, "baseline", "whole", number_of(golden, "whole"), number_of(baselines, "whole"));
}

/* The text of a golden's generated ids, at most max of them. */
static cf_str decoded(const golden_study *g, const cf_json *ids, int64_t max)
{
    int32_t list[8];
    size_t n = 0;
    cf_str raw = {0}, text = {0};
    for (const cf_json *e = cf_json_first(ids); e && (int64_t)n < max && n < 8; e = cf_json_next(e))
        list[n++] = (int32_t)cf_json_number(e, -1);
    assert_ok(cf_tokenizer_decode(&raw, g->tokenizer, list, n, true, report));
    assert_ok(cf_str_add_text(&text, "", report));
    assert_ok(cf_str_add(&text, cf_slice_trim(cf_str_slice(&raw)), report));
    cf_str_deinit(&raw);
    return text;
}

/* Answers of the study that the golden has; returns how many. */
static int compare_answers(const golden_study *g, const cf_json *sample, const cf_json *line, int64_t max_new_tokens)
{
    int n = 0;
    for (const cf_json *a = cf_json_first(cf_json_get(line, "answers")); a; a = cf_json_next(a)) {
        int64_t at = 0;
        const cf_json *run = find_run(cf_json_get(sample, "generate"), a, &at);
        if (!run)
            continue;
        cf_str expected = decoded(g, element_of(cf_json_get(run, "ids"), at), max_new_tokens);
        if (strcmp(expected.data, text_of(a, "text")) != 0)
            fail_msg("%s: expected \"%s\", found \"%s\"", text_of(a, "flow"), expected.data, text_of(a, "text"));
        cf_str_deinit(&expected);
        n++;
    }
    return n;
}

typedef struct flow_study {
    const char *name, *model;
    int64_t rows;
    int n_answer, max_new_tokens;
    const char *flows; /* NULL: all of the golden; opened and closed by a comma, like the others */
    const char *styles, *windows;
    int repeats;
    int n_answers; /* generated, that the golden has too, of each sample; 0: none are */
} flow_study;

#define FEW_FLOWS                                                                                                      \
    ",Image->Question,Question->Last,Last->Last,zero mlp: Last,True Option->Last,Image Pad->Question,All->Last,"       \
    "Image->Question#0+2,Image->Question@0:2 & Question->Last@2:5,"

static const flow_study studies[] = {
    {"every flow of bites", BITES, 99, 3, 3, NULL, ",centre,", ",3,", 3, 0},
    {"every style of bites", BITES, 8, 3, 3,
     ",Question->Last,Image->Question,zero mlp: Question,keep: Image->Question & Question->Last,",
     ",centre,below,above,outside,", ",1,3,9,", 1, 0},
    {"flows of the demo", DEMO, 3, 1, 5, FEW_FLOWS, ",centre,", ",3,", 1, 8},
    {"modes of the demo", DEMO, 1, 1, 5,
     ",keep: Image->Question & Question->Last,random: Image Central Object->Question,random: Image->Question,",
     ",centre,", ",3,", 2, 0},
};

/* Without the comma at each end. */
static cf_str inner(const char *list)
{
    cf_str s = {0};
    const size_t skip = list[0] == ',';
    assert_ok(cf_str_add(&s, (cf_slice){list + skip, strlen(list) - skip - 1}, report));
    return s;
}

static cf_str all_flows(const golden_study *g)
{
    cf_str s = {0};
    for (const cf_json *f = cf_json_first(cf_json_get(g->golden, "flows")); f; f = cf_json_next(f))
        assert_ok(cf_str_addf(&s, report, "%s%s,", s.n ? "" : ",", cf_json_string(f)));
    return s;
}

static void trace_study(fixture *f, const golden_study *g, const flow_study *x, const char *flows)
{
    char repeats[8], longest[8];
    cf_str flow_list = inner(flows), styles = inner(x->styles), windows = inner(x->windows);
    (void)snprintf(repeats, sizeof repeats, "%d", x->repeats);
    (void)snprintf(longest, sizeof longest, "%d", x->max_new_tokens);
    const char *const args[] = {"trace",
                                x->model,
                                g->questions,
                                "-o",
                                f->study,
                                "--images",
                                PICTURES,
                                "--keep",
                                "all",
                                "--max-new-tokens",
                                longest,
                                "--flows",
                                flow_list.data,
                                "--style",
                                styles.data,
                                "--window",
                                windows.data,
                                "--repeats",
                                repeats,
                                "--score",
                                "all",
                                x->n_answers ? "--generate" : NULL,
                                NULL};
    program_run(&f->r, args, NULL);
    assert_done(&f->r, x->name);
    cf_str_deinit(&flow_list);
    cf_str_deinit(&styles);
    cf_str_deinit(&windows);
}

/* The long table has the same numbers in the same order; its last five cells are never quoted. */
static void assert_values_table(fixture *f, const golden_study *g)
{
    char *path = fixture_path(f, "values.csv");
    RUN(&f->r, "export", f->study, "--values", path);
    assert_done(&f->r, "export --values");
    cf_str text = content_of(path);
    const char *line = strchr(text.data, '\n') + 1;
    for (size_t i = 0; i < g->n_lines; i++)
        for (const cf_json *v = cf_json_first(cf_json_get(g->lines[i], "values")); v; v = cf_json_next(v)) {
            const char *end = strchr(line, '\n'), *cell = end;
            char measure[24], number[40];
            assert_non_null(end);
            for (int commas = 0; commas < 5; commas += *cell == ',')
                cell--;
            assert_int_equal(sscanf(cell, ",%23[^,],%*[^,],%39[^,\n]", measure, number) >= 1, 1);
            assert_string_equal(measure, text_of(v, "measure"));
            if (!isnan(number_of(v, "value")))
                assert_true(strtod(number, NULL) == number_of(v, "value"));
            line = end + 1;
        }
    assert_int_equal(*line, '\0');
    cf_str_deinit(&text);
    free(path);
}

static int64_t compare_lines(comparison *c, const golden_study *g, const flow_study *x, const char *flows)
{
    static const char *const measures[] = {"probability", "true", "difference", "rank", "top"};
    int64_t expected = 0;
    for (size_t i = 0; i < g->n_lines; i++) {
        const cf_json *line = g->lines[i], *sample = golden_sample(g, line);
        const int64_t whole =
            numbers_in(sample, x->n_answer > 1 ? "whole" : "probability", flows, x->styles, x->windows, x->repeats);
        compare_sample(c, sample, line);
        const int64_t before = c->n;
        int64_t flips = 0;
        for (const cf_json *v = cf_json_first(cf_json_get(line, "values")); v; v = cf_json_next(v)) {
            const int64_t n = c->n;
            compare_value(c, sample, v);
            flips += strcmp(text_of(v, "measure"), "flip") == 0 ? c->n - n : 0;
        }
        for (size_t m = 0; m < sizeof measures / sizeof *measures; m++)
            expected += numbers_in(sample, measures[m], flows, x->styles, x->windows, x->repeats);
        expected += whole;
        if (c->n - before - flips != expected)
            fail_msg("%s: %s: %d numbers compared, the golden has %d", x->name, text_of(sample, "key"),
                     (int)(c->n - before - flips), (int)expected);
        expected = 0;
        assert_true(flips > 0);
        if (x->n_answers)
            assert_int_equal(compare_answers(g, sample, line, x->max_new_tokens), x->n_answers);
        else
            assert_int_equal(cf_json_count(cf_json_get(line, "answers")), 0);
    }
    return c->n;
}

/* The published table of Image->Question: rows of a question in the order of the layers, its scores in the last cells. */
static void assert_published(fixture *f, const golden_study *g)
{
    char *dir = fixture_path(f, "csv");
    RUN(&f->r, "export", f->study, "--csv", dir);
    assert_done(&f->r, "export --csv");
    for (size_t i = 0; i < g->n_lines; i++) {
        const cf_json *sample = golden_sample(g, g->lines[i]), *run = cf_json_first(cf_json_get(sample, "runs"));
        const double base = number_of(cf_json_get(sample, "baseline"), "probability");
        char name[64], id[24];
        int64_t layer = 0;
        assert_string_equal(text_of(run, "flow"), "Image->Question");
        (void)snprintf(name, sizeof name, "%s_Image-to-Question_k3.csv", text_of(sample, "task"));
        (void)snprintf(id, sizeof id, "\n%s,", text_of(sample, "question_id"));
        char *path = temp_dir_path(dir, name);
        cf_str text = content_of(path);
        for (const char *line = strstr(text.data, id); line; line = strstr(line + 1, id), layer++) {
            const char *cell = strstr(line, ",Image->Question,");
            long long number = -1;
            double found_base = 0, found = 0, change = 0;
            const double expected = cf_json_number(element_of(cf_json_get(run, "probability"), layer), -1);
            assert_int_equal(sscanf(cell, ",Image->Question,%lld,%lf,%lf,%lf", &number, &found_base, &found, &change),
                             4);
            assert_int_equal(number, layer);
            assert_true(fabs(found_base - base) < 1e-5 && fabs(found - expected) < 1e-5);
            assert_true(fabs(change - 100 * (found - found_base) / found_base) < 1e-3);
        }
        assert_int_equal(layer, cf_json_count(cf_json_get(run, "centres")));
        cf_str_deinit(&text);
        free(path);
    }
    temp_dir_remove(dir);
}

static void every_kind_of_run_measures_what_the_reference_does(void **state)
{
    fixture *f = *state;
    for (size_t i = 0; i < sizeof studies / sizeof *studies; i++) {
        const flow_study *x = &studies[i];
        golden_study g;
        comparison c = {.name = x->name, .n_answer = x->n_answer};
        char *dir = fixture_path(f, "golden");
        golden_study_open(&g, f, x->model, strcmp(x->model, BITES) == 0 ? GOLDEN_FLOWS_BITES : GOLDEN_FLOWS_DEMO,
                          x->rows);
        cf_str all = all_flows(&g);
        const char *const flows = x->flows ? x->flows : all.data;
        trace_study(f, &g, x, flows);
        golden_study_read(&g, f, f->study);
        const int64_t n = compare_lines(&c, &g, x, flows);
        print_message("[          ] %s: %d samples, %d numbers; off by at most %.1e, differences %.1e\n", x->name,
                      (int)g.n_lines, (int)n, c.worst, c.worst_difference);
        assert_values_table(f, &g);
        if (strstr(flows, ",Image->Question,") && strstr(x->windows, ",3,"))
            assert_published(f, &g);
        cf_str_deinit(&all);
        golden_study_close(&g);
        temp_dir_remove(dir);
        assert_int_equal(remove(f->study), 0);
    }
}

int test_flow_values(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_kind_of_run_measures_what_the_reference_does, fixture_setup,
                                        fixture_teardown),
    };
    return cmocka_run_group_tests_name("values of every kind of run", tests, NULL, NULL);
}
