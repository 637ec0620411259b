/* test_parts_random.c - the random control: the exact draw, and what must hold of every draw.
 *
 * The words below come from an implementation in Python, written from parts.h:
 *
 *     M, G = 2**64 - 1, 0x9e3779b97f4a7c15
 *     def out(z):
 *         z = ((z ^ z >> 30) * 0xbf58476d1ce4e5b9) & M
 *         z = ((z ^ z >> 27) * 0x94d049bb133111eb) & M
 *         return z ^ z >> 31
 *     def mix(x): return out((x + G) & M)
 *     def draw(seed, row, repeat, q, sources):
 *         lost = [k for k in sources if k <= q]
 *         keys = [k for k in range(q + 1) if k not in sources]
 *         s = mix(mix(mix(mix(seed) ^ row) ^ repeat) ^ q)
 *         for i in range(len(lost)):
 *             s = (s + G) & M
 *             j = i + out(s) % (len(keys) - i)
 *             keys[i], keys[j] = keys[j], keys[i]
 *         return sorted(keys[:len(lost)]) */
#include <stdio.h>
#include <string.h>

#include "test_knockout.h"

#include "scene_words.h"

enum { MAX_T = SCENE_LENGTH + 2, MAX_QUERIES = 3, N_REPEATS = 300 };

static const char *word(char *buffer, const cf_spans *s, int32_t n_after)
{
    word_of(buffer, s, SCENE_LENGTH + n_after);
    return buffer;
}

static void the_draw_is_the_documented_one(void **state)
{
    (void)state;
    static const struct {
        const char *flow;
        int32_t n_after;
        cf_draw draw;
        const char *query[MAX_QUERIES], *key[MAX_QUERIES];
    } cases[] = {
        {"random: Question->Last", 0, {1, 0, 0}, {"...........x"}, {"..x.......x."}},
        {"random: Question->Last", 0, {1, 0, 1}, {"...........x"}, {"..x..x......"}},
        {"random: Question->Last", 0, {1, 1, 0}, {"...........x"}, {"...x.x......"}},
        {"random: Question->Last", 0, {2, 0, 0}, {"...........x"}, {"..x.x......."}},
        {"random: Question->Last",
         2,
         {20260131, 41, 3},
         {"...........x..", "............x.", ".............x"},
         {".x..x.........", "......x.....x.", "............xx"}},
        {"random: Image Central Object->Question",
         0,
         {1, 0, 0},
         {".......x....", "........x..."},
         {".....x.x....", "......xx...."}},
        {"random: Image Central Object->Question",
         0,
         {UINT64_MAX, 123456789012, INT32_MAX},
         {".......x....", "........x..."},
         {".x....x.....", "..x...x....."}},
        {"random: Question->Question",
         0,
         {5, 6, 7},
         {".......x....", "........x..."},
         {"......x.....", ".x.x........"}},
        {"random: Image->Last",
         0,
         {0x8000000000000005u, ((uint64_t)1 << 40) + 3, 9},
         {"...........x"},
         {".x....x...xx"}},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char buffer[MAX_T + 1];
        cf_parts parts = scene_draw(cases[i].flow, cases[i].n_after, &cases[i].draw);
        assert_false(parts.too_few_keys);
        assert_true(parts.n > 0);
        for (size_t k = 0; k < parts.n; k++) {
            assert_true(k < MAX_QUERIES && cases[i].query[k]);
            assert_int_equal(parts.items[k].kind, CF_PART_CUT);
            assert_string_equal(word(buffer, &parts.items[k].query, cases[i].n_after), cases[i].query[k]);
            assert_string_equal(word(buffer, &parts.items[k].key, cases[i].n_after), cases[i].key[k]);
        }
        assert_true(parts.n == MAX_QUERIES || !cases[i].query[parts.n]);
        cf_parts_deinit(&parts);
    }
}

/* The cut and its control side by side: flow is written without its mode. */
static void check_control(const char *flow, int32_t n_after, const cf_draw *draw)
{
    char text[96];
    (void)snprintf(text, sizeof text, "random: %s", flow);
    cf_parts cut = scene_parts(flow, n_after), random = scene_draw(text, n_after, draw);
    size_t at = 0;
    assert_false(random.too_few_keys);
    for (int32_t q = 0; q < SCENE_LENGTH + n_after; q++) {
        bool lost[MAX_T] = {false};
        int64_t n_lost = 0;
        for (size_t i = 0; i < cut.n; i++)
            for (int32_t k = 0; k <= q; k++)
                lost[k] =
                    lost[k] || (cf_spans_contain(&cut.items[i].query, q) && cf_spans_contain(&cut.items[i].key, k));
        for (int32_t k = 0; k <= q; k++)
            n_lost += lost[k];
        if (n_lost == 0)
            continue;
        assert_true(at < random.n);
        const cf_part *part = &random.items[at++];
        assert_int_equal(part->query.n, 1);
        assert_int_equal(part->query.items[0].begin, q);
        assert_int_equal(part->query.items[0].end, q + 1);
        assert_int_equal(cf_spans_count(&part->key), n_lost);
        for (int32_t k = 0; k < MAX_T; k++)
            if (cf_spans_contain(&part->key, k))
                assert_true(k <= q && !lost[k]);
    }
    assert_int_equal(at, random.n);
    cf_parts_deinit(&cut);
    cf_parts_deinit(&random);
}

static void a_query_loses_as_many_keys_as_the_cut_takes_all_seen_and_none_of_the_source(void **state)
{
    (void)state;
    static const char *const flows[] = {
        "Question->Last",
        "Last->Last",
        "Image->Question",
        "Image Central Object->Question",
        "Question->Question",           /* a query within its source */
        "[3]->All",                     /* queries before the key lose nothing */
        "[5:8]->[6:12] - [6]",          /* keys after the query are not lost */
        "Image->Last & Question->Last", /* all that is left: 6 keys of 6 */
        "[2:6]->Last & [4:7]->Last",    /* sources that share keys */
        "Image Central Object->Question & [6]->[8]",
        "Image->Last & Image Central Object->Question & Last->Image",
    };
    for (size_t i = 0; i < COUNT(flows); i++)
        for (int32_t r = 0; r < N_REPEATS; r++)
            check_control(flows[i], r % 3, &(cf_draw){.seed = (uint64_t)r / 20, .row = i, .repeat = r});
}

static void every_key_outside_the_source_is_drawn_about_as_often(void **state)
{
    (void)state;
    enum { N_DRAWS = 5000 };
    int drawn[MAX_T] = {0};
    for (int32_t r = 0; r < N_DRAWS; r++) {
        cf_parts parts = scene_draw("random: Question->Last", 0, &(cf_draw){.seed = 3, .row = 4, .repeat = r});
        for (int32_t k = 0; k < SCENE_LENGTH; k++)
            drawn[k] += cf_spans_contain(&parts.items[0].key, k);
        cf_parts_deinit(&parts);
    }
    /* 2 of 10 keys: 1,000 each, standard deviation 28 */
    for (int32_t k = 0; k < SCENE_LENGTH; k++)
        if (k == 7 || k == 8)
            assert_int_equal(drawn[k], 0);
        else
            assert_in_range(drawn[k], 860, 1140);
}

static void a_draw_depends_on_seed_row_repeat_and_query_and_on_nothing_else(void **state)
{
    (void)state;
    enum { N_TRIES = 50 };
    const char *const flow = "random: [2:5]->[9] & [2:5]->[10]", *const limited = "random: [2:5]->[10]@1:3#4";
    int same_seed = 0, same_row = 0, same_repeat = 0, same_query = 0;
    for (int32_t i = 0; i < N_TRIES; i++) {
        const cf_draw base = {.seed = (uint64_t)i, .row = 10, .repeat = 20};
        cf_parts parts[6] = {
            scene_draw(flow, 0, &base),
            scene_draw(flow, 0, &(cf_draw){(uint64_t)i + 1, 10, 20}),
            scene_draw(flow, 0, &(cf_draw){(uint64_t)i, 11, 20}),
            scene_draw(flow, 0, &(cf_draw){(uint64_t)i, 10, 21}),
            scene_draw(flow, 0, &base),
            scene_draw(limited, 2, &base),
        };
        same_seed += cf_spans_equal(&parts[0].items[1].key, &parts[1].items[1].key);
        same_row += cf_spans_equal(&parts[0].items[1].key, &parts[2].items[1].key);
        same_repeat += cf_spans_equal(&parts[0].items[1].key, &parts[3].items[1].key);
        same_query += cf_spans_equal(&parts[0].items[0].key, &parts[0].items[1].key);
        assert_true(cf_spans_equal(&parts[0].items[1].key, &parts[4].items[1].key));
        assert_true(cf_spans_equal(&parts[0].items[1].key, &parts[5].items[0].key));
        for (size_t p = 0; p < COUNT(parts); p++)
            cf_parts_deinit(&parts[p]);
    }
    /* 3 of 8 keys: 56 sets, so about one try in 56 */
    assert_in_range(same_seed, 0, 6);
    assert_in_range(same_row, 0, 6);
    assert_in_range(same_repeat, 0, 6);
    assert_in_range(same_query, 0, 6);
}

static void edges_of_other_layers_or_heads_are_drawn_for_alone(void **state)
{
    (void)state;
    static const struct {
        const char *flow;
        size_t n_parts;
        int64_t n_keys[2];
        const char *outside; /* a source that no part may take from */
    } cases[] = {
        {"random: [2:4]->Last & [6:9]->Last", 1, {5, 0}, "..xx..xxx..."},
        {"random: [2:4]->Last@0:2 & [6:9]->Last@0:2", 1, {5, 0}, "..xx..xxx..."},
        {"random: [2:4]->Last#1 & [6:9]->Last#1", 1, {5, 0}, "..xx..xxx..."},
        {"random: [2:4]->Last@0:2 & [6:9]->Last", 2, {2, 3}, "............"},
        {"random: [2:4]->Last#1 & [6:9]->Last#2", 2, {2, 3}, "............"},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        for (int32_t r = 0; r < 50; r++) {
            cf_parts parts = scene_draw(cases[i].flow, 0, &(cf_draw){.seed = 8, .repeat = r});
            assert_int_equal(parts.n, cases[i].n_parts);
            for (size_t k = 0; k < parts.n; k++) {
                assert_int_equal(cf_spans_count(&parts.items[k].key), cases[i].n_keys[k]);
                for (int32_t p = 0; p < SCENE_LENGTH; p++)
                    assert_false(cases[i].outside[p] == 'x' && cf_spans_contain(&parts.items[k].key, p));
            }
            cf_parts_deinit(&parts);
        }
}

static void a_control_keeps_the_layers_and_heads_of_its_edge(void **state)
{
    (void)state;
    char buffer[MAX_T + 1];
    cf_parts parts = scene_parts("random: Question->Last@1:3#1+65", 1);
    assert_int_equal(parts.n, 2); /* Last, and the position after the prompt */
    for (size_t i = 0; i < 2; i++) {
        word_of(buffer, &parts.items[i].layers, 5);
        assert_string_equal(buffer, ".xx..");
        assert_int_equal(parts.items[i].n_head_words, 2);
        assert_int_equal(parts.items[i].heads[0], 2);
        assert_int_equal(parts.items[i].heads[1], 2);
    }
    cf_parts_deinit(&parts);
    parts = scene_parts("random: Question->Last", 0);
    assert_null(parts.items[0].heads);
    assert_int_equal(parts.items[0].layers.n, 0);
    cf_parts_deinit(&parts);
}

static void a_query_that_sees_too_few_other_keys_undoes_the_whole_draw(void **state)
{
    (void)state;
    static const struct {
        const char *flow;
        bool too_few;
    } cases[] = {
        {"random: [0:4]->[7]", false}, /* 4 of 4 */
        {"random: [0:5]->[7]", true},  /* 5 of 3 */
        {"random: [0:4]->[6]", true},  /* 4 of 3 */
        {"random: [2:7]->[8:12]", true},
        {"random: Image->Question & [0:9]->Last", true}, /* the last query of three */
        {"random: Image->Question & [0:9]->Last@0", true},
        {"random: All->All", true},
        {"random: [0]->[0]", true},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        cf_parts parts = scene_parts(cases[i].flow, 0);
        if (parts.too_few_keys != cases[i].too_few)
            fail_msg("%s: too_few_keys is %d", cases[i].flow, parts.too_few_keys);
        assert_int_equal(parts.n == 0, cases[i].too_few);
        assert_false(parts.empty_group);
        cf_parts_deinit(&parts);
    }
}

int test_parts_random(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_draw_is_the_documented_one),
        cmocka_unit_test(a_query_loses_as_many_keys_as_the_cut_takes_all_seen_and_none_of_the_source),
        cmocka_unit_test(every_key_outside_the_source_is_drawn_about_as_often),
        cmocka_unit_test(a_draw_depends_on_seed_row_repeat_and_query_and_on_nothing_else),
        cmocka_unit_test(edges_of_other_layers_or_heads_are_drawn_for_alone),
        cmocka_unit_test(a_control_keeps_the_layers_and_heads_of_its_edge),
        cmocka_unit_test(a_query_that_sees_too_few_other_keys_undoes_the_whole_draw),
    };
    return cmocka_run_group_tests_name("parts_random", tests, NULL, NULL);
}
