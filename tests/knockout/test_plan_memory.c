/* test_plan_memory.c - every allocation of src/knockout refused once: CF_NOMEM, nothing leaked, nothing half made. */
#include <stdlib.h>

#include "test_knockout.h"

#include "knockout/plan.h"
#include "support/fail_alloc.h"

static cf_status flows_of(cf_flows *out, cf_error *err)
{
    return cf_flows_parse(out, cf_slice_of("paper,Question->Image,Image->Image,Last->Image"), err);
}

static void a_plan_refused_memory_is_not_made(void **state)
{
    (void)state;
    const int32_t ks[] = {1, 3};
    const bool hit[9] = {true, false, true, false, true, false, true, false, true}; /* spans enough to grow lists */
    int64_t refused = 0;
    for (int64_t n = 1;; n++) {
        cf_flows flows = {0};
        cf_run_spec *specs = NULL;
        cf_groups groups = {0};
        cf_plan *plan = NULL;
        size_t n_specs = 0;
        cf_error err = {0};
        fail_alloc_at(n);
        cf_status st = flows_of(&flows, &err);
        if (st != CF_OK)
            assert_int_equal(flows.n, 0);
        if (st == CF_OK)
            st = cf_run_specs(&specs, &n_specs, &flows, ks, COUNT(ks), 0, 6, 6, &err);
        if (st == CF_OK)
            st = cf_groups_build(&groups, 20, (cf_span){2, 11}, hit, (cf_span){12, 15}, &err);
        if (st == CF_OK)
            st = cf_plan_create(&plan, specs, n_specs, &groups, 6, &err);
        const bool failed = fail_alloc_off();
        refused += failed;
        assert_int_equal(st, failed ? CF_NOMEM : CF_OK);
        assert_true(failed ? plan == NULL && err.text[0] : plan != NULL);
        cf_plan_free(plan);
        cf_groups_deinit(&groups);
        cf_flows_deinit(&flows);
        free(specs);
        if (!failed)
            break;
    }
    assert_true(refused > 50);
}

static void a_head_set_refused_memory_is_not_kept(void **state)
{
    (void)state;
    const uint64_t heads = 5;
    cf_spans query = spans_of("...xx"), key = spans_of(".x...");
    const cf_edge_run run = {&query, &key, &heads, 1, {0, 2}};
    bool failed = true;
    for (int64_t n = 1; failed; n++) {
        cf_plan *plan = NULL;
        fail_alloc_at(n);
        const cf_status st = cf_plan_create_edges(&plan, &run, 1, 5, 3, NULL);
        failed = fail_alloc_off();
        assert_int_equal(st, failed ? CF_NOMEM : CF_OK);
        cf_plan_free(plan);
    }
    cf_spans_deinit(&query);
    cf_spans_deinit(&key);
}

static void a_printed_form_refused_memory_is_an_error(void **state)
{
    (void)state;
    cf_flows flows = {0};
    cf_groups groups = {0};
    OK(flows_of(&flows, &err));
    OK(cf_groups_build(&groups, 20, (cf_span){2, 11}, NULL, (cf_span){12, 15}, &err));
    bool failed = true;
    for (int64_t n = 1; failed; n++) {
        cf_str text = {0};
        cf_error err = {0};
        fail_alloc_at(n);
        cf_status st = cf_flows_print(&text, &flows, &err);
        if (st == CF_OK)
            st = cf_groups_json(&text, &groups, &err);
        failed = fail_alloc_off();
        assert_int_equal(st, failed ? CF_NOMEM : CF_OK);
        cf_str_deinit(&text);
    }
    fail_alloc_at(1); /* a refusal of a flow needs memory for its message */
    const cf_status st = cf_flow_parse(&(cf_flow){0}, cf_slice_of("nothing"), NULL);
    assert_true(fail_alloc_off());
    assert_int_equal(st, CF_NOMEM);
    cf_flows_deinit(&flows);
    cf_groups_deinit(&groups);
}

int test_plan_memory(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_refused_memory_is_not_made),
        cmocka_unit_test(a_head_set_refused_memory_is_not_kept),
        cmocka_unit_test(a_printed_form_refused_memory_is_an_error),
    };
    return cmocka_run_group_tests_name("plan_memory", tests, NULL, NULL);
}
