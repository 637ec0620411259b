/* test_flow.c - the grammar of flows: what is read, what is refused, and that the canonical form reads back. */
#include <string.h>

#include "test_knockout.h"

#include "knockout/flow.h"

static void every_flow_reads_back_from_its_canonical_form(void **state)
{
    (void)state;
    for (int s = 0; s < CF_N_GROUPS; s++)
        for (int t = 0; t < CF_N_GROUPS; t++) {
            const cf_flow flow = {(cf_group)s, (cf_group)t};
            cf_flow back = {0};
            cf_str text = {0};
            OK(cf_flow_print(&text, &flow, &err));
            OK(cf_flow_parse(&back, cf_str_slice(&text), &err));
            assert_int_equal(back.source, s);
            assert_int_equal(back.target, t);
            cf_str_deinit(&text);
        }
}

static void letter_case_and_blanks_around_names_are_ignored(void **state)
{
    (void)state;
    static const struct {
        const char *text, *canonical;
    } cases[] = {
        {"Image->Last", "Image->Last"},
        {"image->LAST", "Image->Last"},
        {"  Question \t->  Last\n", "Question->Last"},
        {"image central object->question", "Image Central Object->Question"},
        {"Image Without Central Object -> Question", "Image Without Central Object->Question"},
        {"Last->Last", "Last->Last"},
        {"Question->Image", "Question->Image"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        cf_flow flow = {0};
        cf_str text = {0};
        OK(cf_flow_parse(&flow, cf_slice_of(cases[i].text), &err));
        OK(cf_flow_print(&text, &flow, &err));
        assert_string_equal(text.data, cases[i].canonical);
        cf_str_deinit(&text);
    }
}

static void anything_else_is_refused_and_the_groups_are_listed(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "->",
        "Image",
        "Image->",
        "->Last",
        "Image-Last",
        "Image>Last",
        "Image- >Last",
        "Last<-Image",
        "Image->Last->Last",
        "Imag->Last",
        "Images->Last",
        "Image Central  Object->Last",
        "Image->Lost",
        "Image->Last;",
        "paper",
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        cf_flow flow = {CF_GROUP_REST, CF_GROUP_OBJECT};
        cf_error err = {0};
        const cf_status st = cf_flow_parse(&flow, cf_slice_of(bad[i]), &err);
        if (st != CF_USAGE)
            fail_msg("\"%s\": status %d", bad[i], (int)st);
        for (int g = 0; g < CF_N_GROUPS; g++)
            assert_non_null(strstr(err.text, cf_group_name((cf_group)g)));
        assert_true(flow.source == CF_GROUP_REST && flow.target == CF_GROUP_OBJECT);
    }
}

static void a_name_is_compared_whole_even_without_a_terminator(void **state)
{
    (void)state;
    const char text[] = "Image->LastX";
    cf_flow flow = {0};
    OK(cf_flow_parse(&flow, (cf_slice){text, 11}, &err));
    assert_int_equal(cf_flow_parse(&flow, (cf_slice){text, 12}, NULL), CF_USAGE);
    assert_int_equal(cf_flow_parse(&flow, (cf_slice){"Image\0->Last", 12}, NULL), CF_USAGE);
}

static void lists_are_read_in_order_without_repeats(void **state)
{
    (void)state;
    static const struct {
        const char *text, *canonical;
    } cases[] = {
        {"Image->Last", "Image->Last"},
        {" image->last , question->last ", "Image->Last,Question->Last"},
        {"Image->Last,image->last", "Image->Last"},
        {"paper", "Question->Last,Image->Last,Last->Last,Image->Question,Image Central Object->Question,"
                  "Image Without Central Object->Question"},
        {"Last->Last,paper", "Last->Last,Question->Last,Image->Last,Image->Question,Image Central Object->Question,"
                             "Image Without Central Object->Question"},
        {"paper,Question->Image", "Question->Last,Image->Last,Last->Last,Image->Question,"
                                  "Image Central Object->Question,Image Without Central Object->Question,"
                                  "Question->Image"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        cf_flows flows = {0}, back = {0};
        cf_str text = {0}, again = {0};
        OK(cf_flows_parse(&flows, cf_slice_of(cases[i].text), &err));
        OK(cf_flows_print(&text, &flows, &err));
        assert_string_equal(text.data, cases[i].canonical);
        OK(cf_flows_parse(&back, cf_str_slice(&text), &err));
        OK(cf_flows_print(&again, &back, &err));
        assert_string_equal(again.data, text.data);
        cf_str_deinit(&text);
        cf_str_deinit(&again);
        cf_flows_deinit(&flows);
        cf_flows_deinit(&back);
    }
}

static void a_list_with_a_fault_adds_nothing(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", ",", "Last->Last,", ",Last->Last", "Last->Last,,Image->Last", "papers", "paper,Q->L", "Last->Last,Last->L"};
    cf_flows flows = {0};
    OK(cf_flows_parse(&flows, cf_slice_of("Image->Last"), &err));
    for (size_t i = 0; i < COUNT(bad); i++) {
        cf_error err = {0};
        if (cf_flows_parse(&flows, cf_slice_of(bad[i]), &err) != CF_USAGE)
            fail_msg("\"%s\" was taken", bad[i]);
        if (flows.n != 1)
            fail_msg("\"%s\" left %zu flows", bad[i], flows.n);
    }
    cf_flows_deinit(&flows);
}

int test_flow(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_flow_reads_back_from_its_canonical_form),
        cmocka_unit_test(letter_case_and_blanks_around_names_are_ignored),
        cmocka_unit_test(anything_else_is_refused_and_the_groups_are_listed),
        cmocka_unit_test(a_name_is_compared_whole_even_without_a_terminator),
        cmocka_unit_test(lists_are_read_in_order_without_repeats),
        cmocka_unit_test(a_list_with_a_fault_adds_nothing),
    };
    return cmocka_run_group_tests_name("flow", tests, NULL, NULL);
}
