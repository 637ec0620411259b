/* test_window.c - the layers around a centre. */
#include "test_knockout.h"

#include "knockout/window.h"

static void window_is_clipped_at_both_ends(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int32_t centre, k, n_layers, first, last;
    } cases[] = {
        {"middle", 16, 9, 32, 12, 21},
        {"clipped at the first layer", 1, 9, 32, 0, 6},
        {"centre is the first layer", 0, 9, 32, 0, 5},
        {"clipped at the last layer", 30, 9, 32, 26, 32},
        {"centre is the last layer", 31, 9, 32, 27, 32},
        {"touches the first layer unclipped", 4, 9, 32, 0, 9},
        {"touches the last layer unclipped", 27, 9, 32, 23, 32},
        {"one layer", 5, 1, 32, 5, 6},
        {"one layer, first", 0, 1, 32, 0, 1},
        {"one layer, last", 31, 1, 32, 31, 32},
        {"even: as many before as from the centre on", 5, 4, 32, 3, 7},
        {"two layers: one before and the centre", 5, 2, 32, 4, 6},
        {"two layers at the first", 0, 2, 32, 0, 1},
        {"three layers", 5, 3, 32, 4, 7},
        {"wider than the model", 2, 64, 5, 0, 5},
        {"as wide as the model, at its middle", 2, 5, 5, 0, 5},
        {"as wide as the model, off its middle", 3, 5, 5, 1, 5},
        {"a model of one layer", 0, 9, 1, 0, 1},
        {"the widest number", 3, INT32_MAX, 12, 0, 12},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const cf_window w = cf_window_around(cases[i].centre, cases[i].k, cases[i].n_layers);
        if (w.first != cases[i].first || w.last != cases[i].last)
            fail_msg("%s: expected [%d, %d), found [%d, %d)", cases[i].name, cases[i].first, cases[i].last, w.first,
                     w.last);
    }
}

/* The published script: `list(range(max(0, layer - k // 2), min(num_layers, layer - (-k // 2))))`. */
static void window_is_the_published_one_for_every_small_size(void **state)
{
    (void)state;
    for (int32_t n = 1; n <= 12; n++)
        for (int32_t k = 1; k <= 30; k++)
            for (int32_t centre = 0; centre < n; centre++) {
                const int32_t ceil_half = k % 2 ? (k + 1) / 2 : k / 2;
                const cf_window w = cf_window_around(centre, k, n);
                for (int32_t l = 0; l < n; l++) {
                    const bool inside = l >= centre - k / 2 && l < centre + ceil_half;
                    if (inside != (l >= w.first && l < w.last))
                        fail_msg("layer %d of %d, centre %d, k %d: window [%d, %d)", l, n, centre, k, w.first, w.last);
                }
                assert_true(w.first >= 0 && w.first <= centre && w.last > centre && w.last <= n);
            }
}

int test_window(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(window_is_clipped_at_both_ends),
        cmocka_unit_test(window_is_the_published_one_for_every_small_size),
    };
    return cmocka_run_group_tests_name("window", tests, NULL, NULL);
}
