/* test_run_spec.c - the runs of a study, in their order. */
#include <stdlib.h>

#include "test_knockout.h"

#include "knockout/plan.h"

static void runs_go_flow_by_flow_then_window_by_window_then_layer_by_layer(void **state)
{
    (void)state;
    const int32_t ks[] = {9, 1};
    cf_flows flows = {0};
    cf_run_spec *specs = NULL;
    size_t n = 0, at = 0;
    OK(cf_flows_parse(&flows, cf_slice_of("Question->Last,Image->Question,Last->Last"), &err));
    OK(cf_run_specs(&specs, &n, &flows, ks, COUNT(ks), 2, 6, 8, &err));
    assert_int_equal(n, 3 * 2 * 4);
    for (size_t f = 0; f < flows.n; f++)
        for (size_t k = 0; k < COUNT(ks); k++)
            for (int32_t centre = 2; centre < 6; centre++, at++) {
                const cf_window w = cf_window_around(centre, ks[k], 8);
                assert_int_equal(specs[at].flow.source, flows.items[f].source);
                assert_int_equal(specs[at].flow.target, flows.items[f].target);
                assert_int_equal(specs[at].k, ks[k]);
                assert_int_equal(specs[at].centre, centre);
                assert_int_equal(specs[at].window.first, w.first);
                assert_int_equal(specs[at].window.last, w.last);
            }
    free(specs);
    cf_flows_deinit(&flows);
}

static void what_no_study_can_run_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name, *flows;
        int32_t k, begin, end;
    } cases[] = {
        {"no flow", NULL, 9, 0, 12},
        {"a window of no layer", "Image->Last", 0, 0, 12},
        {"a negative window", "Image->Last", -3, 0, 12},
        {"no layer", "Image->Last", 9, 5, 5},
        {"layers backwards", "Image->Last", 9, 6, 5},
        {"a layer before the first", "Image->Last", 9, -1, 5},
        {"a layer after the last", "Image->Last", 9, 0, 13},
        {"all layers after the last", "Image->Last", 9, 12, 13},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const int32_t ks[] = {1, cases[i].k};
        cf_flows flows = {0};
        cf_run_spec *specs = NULL;
        size_t n = 77;
        if (cases[i].flows)
            OK(cf_flows_parse(&flows, cf_slice_of(cases[i].flows), &err));
        cf_error err = {0};
        const cf_status st = cf_run_specs(&specs, &n, &flows, ks, 2, cases[i].begin, cases[i].end, 12, &err);
        if (st != CF_USAGE || err.text[0] == '\0')
            fail_msg("%s: status %d, \"%s\"", cases[i].name, (int)st, err.text);
        assert_null(specs);
        assert_int_equal(n, 77);
        cf_flows_deinit(&flows);
    }
}

int test_run_spec(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_go_flow_by_flow_then_window_by_window_then_layer_by_layer),
        cmocka_unit_test(what_no_study_can_run_is_refused),
    };
    return cmocka_run_group_tests_name("run_spec", tests, NULL, NULL);
}
