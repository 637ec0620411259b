/* test_window.c - the layers around a centre. */
#include <string.h>

#include "test_knockout.h"

#include "knockout/window.h"
#include "support/fail_alloc.h"

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

static void each_style_takes_its_own_layers(void **state)
{
    (void)state;
    static const struct {
        cf_window_style style;
        int32_t centre, k;
        const char *layers; /* of a model of eight */
    } cases[] = {
        {CF_WINDOW_CENTRE, 4, 3, "...xxx.."},  {CF_WINDOW_CENTRE, 0, 3, "xx......"},
        {CF_WINDOW_CENTRE, 7, 3, "......xx"},  {CF_WINDOW_CENTRE, 4, 1, "....x..."},
        {CF_WINDOW_CENTRE, 3, 99, "xxxxxxxx"}, {CF_WINDOW_OUTSIDE, 4, 3, "xxx...xx"},
        {CF_WINDOW_OUTSIDE, 0, 3, "..xxxxxx"}, {CF_WINDOW_OUTSIDE, 7, 3, "xxxxxx.."},
        {CF_WINDOW_OUTSIDE, 4, 1, "xxxx.xxx"}, {CF_WINDOW_OUTSIDE, 3, 99, "........"},
        {CF_WINDOW_BELOW, 0, 0, "x......."},   {CF_WINDOW_BELOW, 4, 0, "xxxxx..."},
        {CF_WINDOW_BELOW, 7, 0, "xxxxxxxx"},   {CF_WINDOW_ABOVE, 0, 0, "xxxxxxxx"},
        {CF_WINDOW_ABOVE, 4, 0, "....xxxx"},   {CF_WINDOW_ABOVE, 7, 0, ".......x"},
        {CF_WINDOW_BELOW, 4, 3, "xxxxx..."},   {CF_WINDOW_ABOVE, 4, 3, "....xxxx"},
        {CF_WINDOW_FIXED, 4, 3, "........"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        cf_spans layers = {0};
        char word[9];
        OK(cf_window_layers(&layers, cases[i].style, cases[i].centre, cases[i].k, 8, &err));
        word_of(word, &layers, 8);
        if (strcmp(word, cases[i].layers) != 0)
            fail_msg("%s, centre %d, k %d: expected %s, found %s", cf_window_style_name(cases[i].style),
                     (int)cases[i].centre, (int)cases[i].k, cases[i].layers, word);
        cf_spans_deinit(&layers);
    }
}

static void styles_are_found_by_name_all_but_fixed(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool found, has_k;
    } styles[CF_N_WINDOW_STYLES] = {
        [CF_WINDOW_CENTRE] = {"centre", true, true}, [CF_WINDOW_BELOW] = {"below", true, false},
        [CF_WINDOW_ABOVE] = {"above", true, false},  [CF_WINDOW_OUTSIDE] = {"outside", true, true},
        [CF_WINDOW_FIXED] = {"fixed", false, false},
    };
    for (int s = 0; s < CF_N_WINDOW_STYLES; s++) {
        cf_window_style found = CF_N_WINDOW_STYLES;
        assert_string_equal(cf_window_style_name((cf_window_style)s), styles[s].name);
        assert_int_equal(cf_window_style_has_k((cf_window_style)s), styles[s].has_k);
        assert_int_equal(cf_window_style_find(&found, cf_slice_of(styles[s].name)), styles[s].found);
        assert_int_equal(found, styles[s].found ? s : CF_N_WINDOW_STYLES);
    }
    cf_window_style found = CF_N_WINDOW_STYLES;
    static const char *const bad[] = {"", "center", "centre ", "Below", "abov"};
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(cf_window_style_find(&found, cf_slice_of(bad[i])));
}

static void layers_refused_memory_are_not_made(void **state)
{
    (void)state;
    for (int s = 0; s < CF_WINDOW_FIXED; s++) {
        cf_spans layers = {0};
        fail_alloc_at(1);
        const cf_status st = cf_window_layers(&layers, (cf_window_style)s, 4, 3, 8, NULL);
        assert_true(fail_alloc_off());
        assert_int_equal(st, CF_NOMEM);
        assert_int_equal(layers.n, 0);
    }
}

int test_window(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(window_is_clipped_at_both_ends),
        cmocka_unit_test(window_is_the_published_one_for_every_small_size),
        cmocka_unit_test(each_style_takes_its_own_layers),
        cmocka_unit_test(styles_are_found_by_name_all_but_fixed),
        cmocka_unit_test(layers_refused_memory_are_not_made),
    };
    return cmocka_run_group_tests_name("window", tests, NULL, NULL);
}
