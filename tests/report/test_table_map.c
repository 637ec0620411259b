/* test_table_map.c - a map as text: its strongest patches, and where they lie. */
#include "report_fixture.h"

#include <string.h>

#include "report/figure.h"

static void make_map(cf_store *s, const char *kind, const char *tile)
{
    const cf_fact facts[] = {
        {"map", kind, false}, {"map to", "Question", false}, {"map tile", tile, false}, {"map flow", "A->B", false}};
    assert_ok(cf_store_renew_facts(s, facts, 4, report));
}

static void patches_stand_by_layer_the_strongest_first(void **state)
{
    const fixture *f = *state;
    static const char *const flows[] = {"patch(0,0)->Question", "patch(0,1)->Question", "patch(1,0)->Question",
                                        "patch(1,1)->Question", "hd(0,0)->Question",    "hd(0,1)->Question"};
    const double changes[12] = {-1.04, 0, 20, -0.01, -40, 0.04, 3, 0, 0, 0, -100, 0.02}; /* flow by flow, two layers */
    make_map(f->store, "patches", "1");
    for (size_t i = 0; i < sizeof flows / sizeof *flows; i++)
        fixture_runs(f->store, flows[i], 3, 2);
    fixture_sample(f->store, "A", 0, changes, 12);
    fixture_assert_tables(f->store, NULL,
                          "\nA, window 3, 1 sample: change of the answer's probability (%)\n\n"
                          "layer strongest\n"
                          "    0 -100.0 hd(0,1)     -40.0 patch(1,0)   20.0 patch(0,1)    3.0 patch(1,1)   -1.0 "
                          "patch(0,0)\n"
                          "    1      - none changes anything\n"
                          "\neach place's strongest change, in tenths of 100.0 %\n"
                          "\nbase tile, 2 x 2\n . 2\n 4 .\n"
                          "\nhigh-resolution grid, 1 x 2\n . 9\n");
}

static void squares_and_tokens_have_lines_of_their_own(void **state)
{
    const fixture *f = *state;
    static const char *const flows[] = {"patch(0:2,0:2)->Question[0]@1", "patch(0:2,2)->Question[0]@1",
                                        "patch(0:2,0:2)->Question[1]@1", "patch(0:2,2)->Question[1]@1"};
    const double changes[4] = {-50, 0, 5, -10};
    make_map(f->store, "tokens", "2");
    for (size_t i = 0; i < sizeof flows / sizeof *flows; i++)
        (void)fixture_run(f->store, &(cf_store_run){.spec = flows[i], .style = "fixed", .layers = ""});
    fixture_sample(f->store, "A", 0, changes, 4);
    fixture_assert_tables(f->store, NULL,
                          "\nA, fixed, 1 sample: change of the answer's probability (%)\n\n"
                          "token strongest\n"
                          "    0  -50.0 patch(0:2,0:2)\n"
                          "    1  -10.0 patch(0:2,2)      5.0 patch(0:2,0:2)\n"
                          "\neach place's strongest change, in tenths of 50.0 %\n"
                          "\nbase tile, 1 x 2\n 9 2\n");
}

static void a_curve_that_is_none_of_the_maps_is_refused(void **state)
{
    const fixture *f = *state;
    const double change = -1;
    cf_error err = {0};
    make_map(f->store, "patches", "1");
    fixture_runs(f->store, "Image->Last", 3, 1);
    fixture_sample(f->store, "A", 0, &change, 1);
    assert_int_equal(cf_table_write(f->store, &(cf_str){0}, NULL, &err), CF_FORMAT);
    assert_non_null(strstr(err.text, "\"Image->Last\" is no flow of a map of patches"));
}

static void a_map_of_patches_is_no_figure(void **state)
{
    const fixture *f = *state;
    cf_error err = {0};
    cf_str script = {0};
    make_map(f->store, "patches", "1");
    assert_int_equal(cf_figure_write(f->store, "nowhere/map.svg", &(cf_figure_options){0}, &script, &err), CF_USAGE);
    assert_non_null(strstr(err.text, "a map of patches has too many curves for a figure"));
}

int test_table_map(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(patches_stand_by_layer_the_strongest_first, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(squares_and_tokens_have_lines_of_their_own, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_curve_that_is_none_of_the_maps_is_refused, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_map_of_patches_is_no_figure, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests_name("maps as text", tests, NULL, NULL);
}
