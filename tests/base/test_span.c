/* test_span.c - sorted lists of disjoint spans. */
#include "test_base.h"

#include "base/span.h"
#include "support/fail_alloc.h"

static void touching_spans_become_one(void **state)
{
    (void)state;
    cf_spans s = {0};
    cf_error err = {0};
    assert_int_equal(cf_spans_add(&s, 3, 5, &err), CF_OK);
    assert_int_equal(cf_spans_add(&s, 5, 9, &err), CF_OK);
    assert_int_equal(cf_spans_add(&s, 11, 12, &err), CF_OK);
    assert_int_equal(s.n, 2);
    assert_int_equal(s.items[0].begin, 3);
    assert_int_equal(s.items[0].end, 9);
    assert_int_equal(s.items[1].begin, 11);
    assert_int_equal(cf_spans_count(&s), 7);
    cf_spans_deinit(&s);
}

static void empty_spans_add_nothing(void **state)
{
    (void)state;
    cf_spans s = {0};
    cf_error err = {0};
    assert_int_equal(cf_spans_add(&s, 3, 3, &err), CF_OK);
    assert_int_equal(cf_spans_add(&s, 5, 4, &err), CF_OK);
    assert_int_equal(s.n, 0);
    assert_int_equal(cf_spans_count(&s), 0);
    assert_false(cf_spans_contain(&s, 3));
    cf_spans_deinit(&s);
}

static void a_span_contains_its_begin_and_not_its_end(void **state)
{
    (void)state;
    cf_spans s = {0};
    cf_error err = {0};
    assert_int_equal(cf_spans_add(&s, 2, 4, &err), CF_OK);
    assert_int_equal(cf_spans_add(&s, 7, 8, &err), CF_OK);
    static const struct {
        int32_t position;
        bool in;
    } cases[] = {{1, false}, {2, true}, {3, true}, {4, false}, {6, false}, {7, true}, {8, false}, {-1, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(cf_spans_contain(&s, cases[i].position), cases[i].in);
    cf_spans_deinit(&s);
}

static void a_copy_is_equal_and_its_own(void **state)
{
    (void)state;
    cf_spans s = {0}, copy = {0}, none = {0};
    cf_error err = {0};
    for (int32_t i = 0; i < 40; i++)
        assert_int_equal(cf_spans_add(&s, 10 * i, 10 * i + 3, &err), CF_OK);
    assert_int_equal(cf_spans_copy(&copy, &s, &err), CF_OK);
    assert_true(cf_spans_equal(&s, &copy));
    assert_ptr_not_equal(s.items, copy.items);
    assert_int_equal(cf_spans_add(&copy, 500, 501, &err), CF_OK);
    assert_false(cf_spans_equal(&s, &copy));
    copy.n--;
    copy.items[3].end++;
    assert_false(cf_spans_equal(&s, &copy));
    assert_false(cf_spans_equal(&s, &none));
    assert_true(cf_spans_equal(&none, &(cf_spans){0}));
    cf_spans_deinit(&copy);
    assert_int_equal(cf_spans_copy(&copy, &none, &err), CF_OK);
    assert_int_equal(copy.n, 0);
    cf_spans_deinit(&copy);
    cf_spans_deinit(&s);
}

static void a_copy_without_memory_leaves_its_output_alone(void **state)
{
    (void)state;
    cf_spans s = {0}, copy = {0};
    cf_error err = {0};
    for (int32_t i = 0; i < 40; i++)
        assert_int_equal(cf_spans_add(&s, 10 * i, 10 * i + 3, &err), CF_OK);
    for (int64_t n = 1;; n++) {
        fail_alloc_at(n);
        const cf_status st = cf_spans_copy(&copy, &s, &err);
        if (!fail_alloc_off()) {
            assert_int_equal(st, CF_OK);
            assert_true(n > 1);
            break;
        }
        assert_int_equal(st, CF_NOMEM);
        assert_null(copy.items);
    }
    cf_spans_deinit(&copy);
    cf_spans_deinit(&s);
}

typedef cf_status set_operation(cf_spans *out, const cf_spans *a, const cf_spans *b, cf_error *err);

static bool in_union(bool a, bool b)
{
    return a || b;
}

static bool in_minus(bool a, bool b)
{
    return a && !b;
}

static bool in_both(bool a, bool b)
{
    return a && b;
}

static const struct {
    const char *name;
    set_operation *of;
    bool (*in)(bool a, bool b);
} operations[] = {
    {"union", cf_spans_union, in_union}, {"minus", cf_spans_minus, in_minus}, {"both", cf_spans_both, in_both}};

/* The positions at the bits of `set`, from `first` on. */
static cf_spans spans_at(unsigned set, int32_t first)
{
    cf_spans s = {0};
    cf_error err = {0};
    for (int32_t i = 0; i < 8; i++)
        if (set >> i & 1)
            assert_int_equal(cf_spans_add(&s, first + i, first + i + 1, &err), CF_OK);
    return s;
}

static void sets_are_combined_position_by_position(void **state)
{
    (void)state;
    static const int32_t firsts[] = {0, -4, INT32_MIN, INT32_MAX - 8};
    for (unsigned pair = 0; pair < 1 << 14; pair++) { /* every pair of sets of seven positions */
        const unsigned a_set = pair & 127, b_set = pair >> 7;
        const int32_t first = firsts[pair % 4];
        cf_spans a = spans_at(a_set, first), b = spans_at(b_set, first);
        for (size_t o = 0; o < sizeof operations / sizeof *operations; o++) {
            unsigned set = 0;
            for (unsigned i = 0; i < 7; i++)
                set |= (unsigned)operations[o].in(a_set >> i & 1, b_set >> i & 1) << i;
            cf_spans expected = spans_at(set, first), found = {0};
            cf_error err = {0};
            assert_int_equal(operations[o].of(&found, &a, &b, &err), CF_OK);
            if (!cf_spans_equal(&found, &expected)) /* equal lists are joined where they touch, too */
                fail_msg("%s of %#x and %#x from %d", operations[o].name, a_set, b_set, (int)first);
            cf_spans_deinit(&found);
            cf_spans_deinit(&expected);
        }
        cf_spans_deinit(&a);
        cf_spans_deinit(&b);
    }
}

static void a_combination_without_memory_leaves_its_output_alone(void **state)
{
    (void)state;
    cf_spans a = {0}, b = {0};
    cf_error err = {0};
    for (int32_t i = 0; i < 40; i++) {
        assert_int_equal(cf_spans_add(&a, 10 * i, 10 * i + 4, &err), CF_OK);
        assert_int_equal(cf_spans_add(&b, 10 * i + 2, 10 * i + 6, &err), CF_OK);
    }
    for (size_t o = 0; o < sizeof operations / sizeof *operations; o++) {
        int64_t n = 1;
        for (;; n++) {
            cf_spans out = {0};
            fail_alloc_at(n);
            const cf_status st = operations[o].of(&out, &a, &b, &err);
            const bool failed = fail_alloc_off();
            assert_int_equal(st, failed ? CF_NOMEM : CF_OK);
            assert_int_equal(out.n, failed ? 0 : 40);
            cf_spans_deinit(&out);
            if (!failed)
                break;
        }
        assert_true(n > 2);
    }
    cf_spans_deinit(&a);
    cf_spans_deinit(&b);
}

int test_span(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(touching_spans_become_one),
        cmocka_unit_test(empty_spans_add_nothing),
        cmocka_unit_test(a_span_contains_its_begin_and_not_its_end),
        cmocka_unit_test(a_copy_is_equal_and_its_own),
        cmocka_unit_test(a_copy_without_memory_leaves_its_output_alone),
        cmocka_unit_test(sets_are_combined_position_by_position),
        cmocka_unit_test(a_combination_without_memory_leaves_its_output_alone),
    };
    return cmocka_run_group_tests_name("span", tests, NULL, NULL);
}
