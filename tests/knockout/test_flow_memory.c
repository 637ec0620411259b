/* test_flow_memory.c - every allocation refused once while groups and flows are made, read, copied and written:
 * CF_NOMEM, nothing leaked, nothing half made. */
#include "test_knockout.h"

#include "knockout/flow.h"
#include "support/fail_alloc.h"

static const char list[] = "paper, keep(\"a, b\", box(1,2,3,4) - [3:], Last): \"a, b\"->Last & Last->\"a, b\", "
                           "random: Image + Last - \"x\"->Last@9+7+5+3+1#0+2+4 & Last->\"y\"#each, zero mlp: \"z\"@3";

/* Runs work(thing) with the first, the second, ... allocation refused until none is; how many there were. */
static int64_t refuse_each(cf_status (*work)(void *thing, cf_error *err), void *thing)
{
    for (int64_t n = 1;; n++) {
        cf_error err = {0};
        fail_alloc_at(n);
        const cf_status st = work(thing, &err);
        const bool failed = fail_alloc_off();
        assert_int_equal(st, failed ? CF_NOMEM : CF_OK);
        assert_int_equal(err.text[0] != '\0', failed);
        if (!failed)
            return n - 1;
    }
}

static cf_status parse_list(void *thing, cf_error *err)
{
    cf_flows *flows = thing;
    const cf_status st = cf_flows_parse(flows, cf_slice_of(list), err);
    assert_int_equal(flows->n, st == CF_OK ? 10 : 1);
    return st;
}

static void a_list_refused_memory_adds_nothing(void **state)
{
    (void)state;
    cf_flows flows = {0};
    OK(cf_flows_parse(&flows, cf_slice_of("Image->Image"), &err));
    assert_true(refuse_each(parse_list, &flows) > 50);
    cf_flows_deinit(&flows);
}

static cf_status expand(void *thing, cf_error *err)
{
    cf_flows *flows = thing;
    const cf_status st = cf_flows_expand(flows, 12, 8, err);
    assert_int_equal(flows->n, st == CF_OK ? 9 + 7 : 9);
    return st;
}

static void flows_refused_memory_stay_as_they_were_written(void **state)
{
    (void)state;
    cf_flows flows = {0};
    OK(cf_flows_parse(&flows, cf_slice_of(list), &err));
    assert_true(refuse_each(expand, &flows) > 50);
    cf_flows_deinit(&flows);
}

static cf_status copy_and_print(void *thing, cf_error *err)
{
    const cf_flows *flows = thing;
    cf_flows copies = {0};
    cf_str text = {0};
    cf_status st = CF_OK;
    for (size_t i = 0; i < flows->n; i++) {
        CF_TRY(cf_flows_add(&copies, &flows->items[i], err));
        CF_TRY(cf_flow_heads(&text, &flows->items[i], err));
    }
    CF_TRY(cf_flows_print(&text, &copies, err));
done:
    cf_str_deinit(&text);
    cf_flows_deinit(&copies);
    return st;
}

static void copies_and_printed_forms_refused_memory_are_errors(void **state)
{
    (void)state;
    cf_flows flows = {0};
    OK(cf_flows_parse(&flows, cf_slice_of(list), &err));
    assert_true(refuse_each(copy_and_print, &flows) > 50);
    cf_flows_deinit(&flows);
}

static cf_status copy_parse_group(void *thing, cf_error *err)
{
    cf_group_expr e = {0}, copy = {0};
    cf_status st = CF_OK;
    CF_TRY(cf_group_expr_parse(&e, cf_slice_of(thing), err));
    CF_TRY(cf_group_expr_copy(&copy, &e, err));
    assert_true(cf_group_expr_equal(&e, &copy));
done:
    assert_true(st == CF_OK || !copy.terms);
    cf_group_expr_deinit(&e);
    cf_group_expr_deinit(&copy);
    return st;
}

static void a_group_refused_memory_is_not_made(void **state)
{
    (void)state;
    char text[] = "\"a\" + \"b\" - \"c\" + Last + Last + Last + Last + Last + Last + \"d\"";
    assert_true(refuse_each(copy_parse_group, text) >= 10);
}

static cf_status build_groups(void *thing, cf_error *err)
{
    cf_groups groups = {0};
    cf_str text = {0};
    cf_status st = CF_OK;
    CF_TRY(cf_groups_build(&groups, thing, err));
    assert_int_equal(groups.length, 20);
    CF_TRY(cf_groups_json(&text, &groups, err));
    CF_TRY(cf_group_names(&text, err));
done:
    cf_str_deinit(&text);
    cf_groups_deinit(&groups);
    return st;
}

static void named_groups_refused_memory_are_not_made(void **state)
{
    (void)state;
    static const cf_patch_role roles[9] = {CF_PATCH_BASE, CF_PATCH_BASE, CF_PATCH_HD, CF_PATCH_HD, CF_PATCH_NEWLINE};
    static const bool hit[9] = {[1] = true, [3] = true, [5] = true, [7] = true};
    cf_spans words = spans_of("xx...............x.x");
    cf_layout layout = {.length = 20,
                        .image = {2, 11},
                        .roles = roles,
                        .hit = hit,
                        .question = {12, 16},
                        .true_option = {13, 14},
                        .role_words = &words};
    assert_true(refuse_each(build_groups, &layout) > 15);
    cf_spans_deinit(&words);
}

static void a_refusal_that_lists_the_groups_needs_memory(void **state)
{
    (void)state;
    cf_flow f = {0};
    fail_alloc_at(1);
    const cf_status st = cf_flow_parse(&f, cf_slice_of("nothing"), NULL);
    assert_true(fail_alloc_off());
    assert_int_equal(st, CF_NOMEM);
    cf_flows flows = {0};
    OK(cf_flows_parse(&flows, cf_slice_of("Image->Last@7"), &err));
    int64_t n = 1;
    for (bool failed = true; failed; n++) {
        fail_alloc_at(n);
        const cf_status refused = cf_flows_expand(&flows, 7, 1, NULL);
        failed = fail_alloc_off();
        assert_int_equal(refused, failed ? CF_NOMEM : CF_USAGE);
    }
    assert_true(n > 2);
    cf_flows_deinit(&flows);
}

int test_flow_memory(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_refused_memory_adds_nothing),
        cmocka_unit_test(flows_refused_memory_stay_as_they_were_written),
        cmocka_unit_test(copies_and_printed_forms_refused_memory_are_errors),
        cmocka_unit_test(a_group_refused_memory_is_not_made),
        cmocka_unit_test(named_groups_refused_memory_are_not_made),
        cmocka_unit_test(a_refusal_that_lists_the_groups_needs_memory),
    };
    return cmocka_run_group_tests_name("flow_memory", tests, NULL, NULL);
}
