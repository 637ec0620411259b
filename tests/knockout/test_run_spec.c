/* test_run_spec.c - the runs of a study, in their order. */
#include <string.h>

#include "test_knockout.h"

#include "knockout/run_spec.h"
#include "support/fail_alloc.h"

/* One run a line: flow repeat style k centre layers, the layers as a word of eight. */
static void write_runs(cf_str *out, const cf_run_specs *s)
{
    for (size_t i = 0; i < s->n; i++) {
        const cf_run_spec *r = &s->items[i];
        char word[9];
        word_of(word, &r->layers, 8);
        OK(cf_str_addf(out, &err, "%zu %d %s %d %d %s\n", r->flow, (int)r->repeat, cf_window_style_name(r->style),
                       (int)r->k, (int)r->centre, word));
    }
}

static const cf_window_style centre[] = {CF_WINDOW_CENTRE};
static const cf_window_style three[] = {CF_WINDOW_BELOW, CF_WINDOW_CENTRE, CF_WINDOW_OUTSIDE};
static const cf_window_style below[] = {CF_WINDOW_BELOW};
static const int32_t ks[] = {3, 1};

static void runs_go_by_flow_then_repeat_then_style_then_window_then_centre(void **state)
{
    (void)state;
    static const struct {
        const char *flows;
        cf_run_options options;
        const char *runs;
    } cases[] = {
        {"Question->Last, Image->Last",
         {.styles = centre, .n_styles = 1, .ks = ks, .n_ks = 2, .layer_begin = 2, .layer_end = 4, .repeats = 5},
         "0 0 centre 3 2 .xxx....\n0 0 centre 3 3 ..xxx...\n0 0 centre 1 2 ..x.....\n0 0 centre 1 3 ...x....\n"
         "1 0 centre 3 2 .xxx....\n1 0 centre 3 3 ..xxx...\n1 0 centre 1 2 ..x.....\n1 0 centre 1 3 ...x....\n"},
        {"Question->Last",
         {.styles = three, .n_styles = 3, .ks = ks, .n_ks = 2, .layer_begin = 7, .layer_end = 8, .repeats = 1},
         "0 0 below 0 7 xxxxxxxx\n0 0 centre 3 7 ......xx\n0 0 centre 1 7 .......x\n"
         "0 0 outside 3 7 xxxxxx..\n0 0 outside 1 7 xxxxxxx.\n"},
        {"random: Image->Last, zero mlp: Last, keep: Image->Last",
         {.styles = below, .n_styles = 1, .layer_begin = 0, .layer_end = 1, .repeats = 2},
         "0 0 below 0 0 x.......\n0 1 below 0 0 x.......\n1 0 below 0 0 x.......\n2 0 below 0 0 x.......\n"},
        {"Image->Last@0:4, Image->Last, random: Image->Last@5 & Last->Last@6, Image->Last@5 & Last->Last",
         {.styles = centre, .n_styles = 1, .ks = ks, .n_ks = 1, .layer_begin = 0, .layer_end = 1, .repeats = 3},
         "0 0 fixed 0 0 ........\n1 0 centre 3 0 xx......\n2 0 fixed 0 0 ........\n2 1 fixed 0 0 ........\n"
         "2 2 fixed 0 0 ........\n3 0 centre 3 0 xx......\n"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        cf_flows flows = {0};
        cf_run_specs specs = {0};
        cf_str text = {0};
        OK(cf_flows_parse(&flows, cf_slice_of(cases[i].flows), &err));
        OK(cf_run_specs_create(&specs, &flows, &cases[i].options, 8, &err));
        write_runs(&text, &specs);
        assert_string_equal(text.data, cases[i].runs);
        cf_run_specs_deinit(&specs);
        assert_int_equal(specs.n, 0);
        cf_str_deinit(&text);
        cf_flows_deinit(&flows);
    }
}

static void what_no_study_can_run_is_refused(void **state)
{
    (void)state;
    static const int32_t zero[] = {9, 0}, negative[] = {-3};
#define RANGE(a, b) .layer_begin = (a), .layer_end = (b)
#define CENTRE .styles = centre, .n_styles = 1
    static const struct {
        const char *name, *flows;
        cf_run_options options;
        const char *says;
    } cases[] = {
        {"no flow", NULL, {CENTRE, .ks = ks, .n_ks = 1, RANGE(0, 8), .repeats = 1}, "no flow"},
        {"no style", "paper", {.ks = ks, .n_ks = 1, RANGE(0, 8), .repeats = 1}, "no window style"},
        {"a window of no layer", "paper", {CENTRE, .ks = zero, .n_ks = 2, RANGE(0, 8), .repeats = 1}, "window 0"},
        {"a negative window", "paper", {CENTRE, .ks = negative, .n_ks = 1, RANGE(0, 8), .repeats = 1}, "window -3"},
        {"no window size", "paper", {CENTRE, RANGE(0, 8), .repeats = 1}, "style centre"},
        {"no layer", "paper", {CENTRE, .ks = ks, .n_ks = 1, RANGE(5, 5), .repeats = 1}, "layers 5:5"},
        {"layers backwards", "paper", {CENTRE, .ks = ks, .n_ks = 1, RANGE(6, 5), .repeats = 1}, "layers 6:5"},
        {"a layer before the first", "paper", {CENTRE, .ks = ks, .n_ks = 1, RANGE(-1, 5), .repeats = 1}, "layers -1:5"},
        {"a layer after the last", "paper", {CENTRE, .ks = ks, .n_ks = 1, RANGE(0, 9), .repeats = 1}, "0:8"},
        {"no repeat", "paper", {CENTRE, .ks = ks, .n_ks = 1, RANGE(0, 8), .repeats = 0}, "0 repeats"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        cf_flows flows = {0};
        cf_run_specs specs = {.n = 0, .cap = 77};
        if (cases[i].flows)
            OK(cf_flows_parse(&flows, cf_slice_of(cases[i].flows), &err));
        cf_error err = {0};
        const cf_status st = cf_run_specs_create(&specs, &flows, &cases[i].options, 8, &err);
        if (st != CF_USAGE || !strstr(err.text, cases[i].says))
            fail_msg("%s: status %d, \"%s\"", cases[i].name, (int)st, err.text);
        assert_true(specs.cap == 77 && !specs.items);
        cf_flows_deinit(&flows);
    }
}

static void runs_refused_memory_are_not_made(void **state)
{
    (void)state;
    const cf_run_options o = {
        .styles = three, .n_styles = 3, .ks = ks, .n_ks = 2, .layer_begin = 0, .layer_end = 8, .repeats = 2};
    cf_flows flows = {0};
    OK(cf_flows_parse(&flows, cf_slice_of("random: Image->Last, Image->Last@3"), &err));
    int64_t n = 1;
    for (bool failed = true; failed; n++) {
        cf_run_specs specs = {0};
        cf_error err = {0};
        fail_alloc_at(n);
        const cf_status st = cf_run_specs_create(&specs, &flows, &o, 8, &err);
        failed = fail_alloc_off();
        assert_int_equal(st, failed ? CF_NOMEM : CF_OK);
        assert_int_equal(specs.n, failed ? 0 : 2 * 8 * 5 + 1);
        cf_run_specs_deinit(&specs);
    }
    assert_true(n > 80);
    cf_flows_deinit(&flows);
}

int test_run_spec(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_go_by_flow_then_repeat_then_style_then_window_then_centre),
        cmocka_unit_test(what_no_study_can_run_is_refused),
        cmocka_unit_test(runs_refused_memory_are_not_made),
    };
    return cmocka_run_group_tests_name("run_spec", tests, NULL, NULL);
}
