/* test_memory.c - checked sizes, aligned zeroed memory, growing arrays. */
#include "test_base.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "support/fail_alloc.h"

static void sizes_multiply_up_to_the_largest(void **state)
{
    (void)state;
    static const struct {
        size_t a, b, product;
        cf_status status;
    } cases[] = {
        {0, SIZE_MAX, 0, CF_OK},
        {SIZE_MAX, 1, SIZE_MAX, CF_OK},
        {SIZE_MAX / 2, 2, SIZE_MAX - 1, CF_OK},
        {SIZE_MAX / 2 + 1, 2, 0, CF_FORMAT},
        {SIZE_MAX, SIZE_MAX, 0, CF_FORMAT},
        {(size_t)1 << 32, (size_t)1 << 32, 0, CF_FORMAT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t r = 77;
        cf_error err = {0};
        assert_int_equal(cf_mul_size(&r, cases[i].a, cases[i].b, &err), cases[i].status);
        assert_int_equal(r, cases[i].status == CF_OK ? cases[i].product : 77);
    }
}

static void memory_is_aligned_and_zero_over_its_whole_length(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 63, 64, 65, 4096, 100000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        void *p = NULL;
        cf_error err = {0};
        assert_int_equal(cf_alloc(&p, sizes[i], 3, "a test", &err), CF_OK);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % CF_ALIGN_BYTES, 0);
        for (size_t k = 0; k < 3 * sizes[i]; k++)
            assert_int_equal(((unsigned char *)p)[k], 0);
        memset(p, 0xff, 3 * sizes[i]); /* the next allocation of this size may get this memory back */
        free(p);
    }
}

static void impossible_allocations_say_what_they_were_for(void **state)
{
    (void)state;
    int mark = 0;
    void *p = &mark;
    cf_error err = {0};
    assert_int_equal(cf_alloc(&p, SIZE_MAX, 2, "hidden states", &err), CF_FORMAT);
    assert_int_equal(cf_alloc(&p, SIZE_MAX, 1, "hidden states", &err), CF_NOMEM);
    assert_non_null(strstr(err.text, "hidden states"));
    fail_alloc_at(1);
    assert_int_equal(cf_alloc(&p, 10, 4, "hidden states", &err), CF_NOMEM);
    assert_true(fail_alloc_off());
    assert_string_equal(err.text, "no memory for hidden states (40 bytes)");
    assert_ptr_equal(p, &mark);
}

static void a_growing_array_keeps_its_elements_and_doubles(void **state)
{
    (void)state;
    void *items = NULL;
    size_t cap = 0;
    cf_error err = {0};
    for (size_t n = 0; n < 1000; n++) {
        const size_t before = cap;
        assert_int_equal(cf_grow(&items, &cap, n + 1, sizeof(size_t), "numbers", &err), CF_OK);
        assert_true(cap > n);
        assert_true(before == 0 || cap == before || cap == 2 * before);
        ((size_t *)items)[n] = n;
    }
    for (size_t n = 0; n < 1000; n++)
        assert_int_equal(((size_t *)items)[n], n);
    free(items);
}

static void a_failed_growth_changes_nothing(void **state)
{
    (void)state;
    void *items = NULL;
    size_t cap = 0;
    cf_error err = {0};
    assert_int_equal(cf_grow(&items, &cap, 8, 4, "numbers", &err), CF_OK);
    void *const same = items;
    fail_alloc_at(1);
    assert_int_equal(cf_grow(&items, &cap, 9, 4, "numbers", &err), CF_NOMEM);
    assert_true(fail_alloc_off());
    assert_int_equal(cf_grow(&items, &cap, SIZE_MAX, 4, "numbers", &err), CF_NOMEM);
    assert_int_equal(cf_grow(&items, &cap, SIZE_MAX / 2, 4, "numbers", &err), CF_FORMAT);
    assert_ptr_equal(items, same);
    assert_int_equal(cap, 8);
    free(items);
}

int test_memory(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_multiply_up_to_the_largest),
        cmocka_unit_test(memory_is_aligned_and_zero_over_its_whole_length),
        cmocka_unit_test(impossible_allocations_say_what_they_were_for),
        cmocka_unit_test(a_growing_array_keeps_its_elements_and_doubles),
        cmocka_unit_test(a_failed_growth_changes_nothing),
    };
    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
