/* test_parts.c - flows on one sample: which queries lose which keys, which sublayers are zeroed, in which layers and
 * heads. The random control has test_parts_random.c. */
#include <stdio.h>
#include <string.h>

#include "test_knockout.h"

#include "scene_words.h"

enum { MAX_LINES = 6, N_LAYERS = 6, LINE = 128 };

/* "kind query key", then "@layers" and "#first word of heads,second word" where it has its own. */
static void line_of(char *line, const cf_part *part, int32_t length)
{
    static const char *const kinds[] = {"cut", "zero attention", "zero mlp"};
    char query[32], key[32], layers[32];
    word_of(query, &part->query, length);
    word_of(key, &part->key, length);
    word_of(layers, &part->layers, N_LAYERS);
    int n = snprintf(line, LINE, "%s %s", kinds[part->kind], query);
    if (part->kind == CF_PART_CUT)
        n += snprintf(line + n, (size_t)(LINE - n), " %s", key);
    if (part->layers.n)
        n += snprintf(line + n, (size_t)(LINE - n), " @%s", layers);
    if (part->heads) {
        assert_int_equal(part->n_head_words, 2);
        n += snprintf(line + n, (size_t)(LINE - n), " #%llx,%llx", (unsigned long long)part->heads[0],
                      (unsigned long long)part->heads[1]);
    }
    assert_true(n < LINE);
}

typedef struct parts_case {
    const char *flow;
    int32_t n_after;
    const char *lines[MAX_LINES];
    bool empty_group;
} parts_case;

static void check_cases(const parts_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char line[LINE];
        cf_parts parts = scene_parts(cases[i].flow, cases[i].n_after);
        for (size_t k = 0; k < parts.n; k++) {
            line_of(line, &parts.items[k], SCENE_LENGTH + cases[i].n_after);
            if (k >= MAX_LINES || !cases[i].lines[k] || strcmp(line, cases[i].lines[k]) != 0)
                fail_msg("%s: part %zu is '%s'", cases[i].flow, k, line);
        }
        if (parts.n < MAX_LINES && cases[i].lines[parts.n])
            fail_msg("%s: no part '%s'", cases[i].flow, cases[i].lines[parts.n]);
        if (parts.empty_group != cases[i].empty_group)
            fail_msg("%s: empty_group is %d", cases[i].flow, parts.empty_group);
        assert_false(parts.too_few_keys);
        cf_parts_deinit(&parts);
    }
}

static void a_cut_hides_the_sources_keys_from_the_targets_queries(void **state)
{
    (void)state;
    static const parts_case cases[] = {
        {"Image->Question", 0, {"cut .......xx... ..xxxx......"}, false},
        {"Question->Last", 0, {"cut ...........x .......xx..."}, false},
        {"Last->Last", 0, {"cut ...........x ...........x"}, false},
        {"Image Central Object->Question", 0, {"cut .......xx... ...xx......."}, false},
        {"Image Without Central Object->Question", 0, {"cut .......xx... ..x..x......"}, false},
        {"Question->Image", 0, {"cut ..xxxx...... .......xx..."}, false}, /* the plan finds that nobody sees it */
        {"Image - Image Central Object + [0:1]->[-2]", 0, {"cut ..........x. x.x..x......"}, false},
        {"Image->Question & Question->Last",
         0,
         {"cut .......xx... ..xxxx......", "cut ...........x .......xx..."},
         false},
    };
    check_cases(cases, COUNT(cases));
}

static void positions_after_the_prompt_are_queries_of_last_only(void **state)
{
    (void)state;
    static const parts_case cases[] = {
        {"Image->Last", 2, {"cut ...........xxx ..xxxx........"}, false},
        {"Last->Last", 2, {"cut ...........xxx ...........x.."}, false},
        {"Question->Question", 2, {"cut .......xx..... .......xx....."}, false},
        {"All->All", 2, {"cut xxxxxxxxxxxx.. xxxxxxxxxxxx.."}, false},
        {"keep: Image->Last",
         2,
         {"cut .......xx..... ..xxxx........", "cut ..xxxx........ .......xx.....", "cut ...........xxx .......xx.....",
          "cut ..xxxx........ ...........x..", "cut .......xx..... ...........x.."},
         false},
        {"zero mlp: Last", 2, {"zero mlp ...........xxx"}, false},
    };
    check_cases(cases, COUNT(cases));
}

static void an_edge_has_its_own_layers_and_heads(void **state)
{
    (void)state;
    static const parts_case cases[] = {
        {"Image->Last@1:3+5", 0, {"cut ...........x ..xxxx...... @.xx..x"}, false},
        {"Image->Last#0+2", 0, {"cut ...........x ..xxxx...... #5,0"}, false},
        {"Image->Last#62:67", 0, {"cut ...........x ..xxxx...... #c000000000000000,7"}, false},
        {"Image->Last@0#69 & Question->Last",
         0,
         {"cut ...........x ..xxxx...... @x..... #0,20", "cut ...........x .......xx..."},
         false},
        {"zero attention: Question@2:4", 0, {"zero attention .......xx... @..xx.."}, false},
    };
    check_cases(cases, COUNT(cases));
}

static void keep_cuts_every_other_pair_of_the_partition(void **state)
{
    (void)state;
#define I "..xxxx......"
#define Q ".......xx..."
#define L "...........x"
    static const parts_case cases[] = {
        {"keep: Question->Last",
         0,
         {"cut " Q " " I, "cut " L " " I, "cut " I " " Q, "cut " I " " L, "cut " Q " " L},
         false},
        {"keep: Image->Question & Question->Last",
         0,
         {"cut " L " " I, "cut " I " " Q, "cut " I " " L, "cut " Q " " L},
         false},
        {"keep(Image, Last): Image->Last", 0, {"cut " I " " L}, false},
        {"keep(Image, Last): Image->Last & Last->Image", 0, {NULL}, false},
        {"keep(Image - Image Central Object, Question): Question->Image - Image Central Object",
         0,
         {"cut " Q " ..x..x......"},
         false},
    };
    check_cases(cases, COUNT(cases));
}

static void a_zeroed_sublayer_has_places_and_no_keys(void **state)
{
    (void)state;
    static const parts_case cases[] = {
        {"zero attention: Question", 0, {"zero attention " Q}, false},
        {"zero mlp: Image - Image Central Object", 0, {"zero mlp ..x..x......"}, false},
        {"zero mlp: [0] + Last", 0, {"zero mlp x..........x"}, false},
    };
    check_cases(cases, COUNT(cases));
}

static void an_empty_group_is_told_and_the_rest_is_kept(void **state)
{
    (void)state;
    static const parts_case cases[] = {
        {"True Option->Last", 0, {NULL}, true},
        {"Image->True Option", 0, {NULL}, true},
        {"True Option->Last & Image->Question", 0, {"cut " Q " " I}, true},
        {"Question + True Option->Last", 0, {"cut " L " " Q}, false}, /* the group is a union */
        {"Question - Question->Last", 0, {NULL}, true},
        {"zero mlp: False Option", 0, {NULL}, true},
        {"keep(Image, True Option, Last): Last->Image", 0, {"cut " L " " I}, true},
        {"random: True Option->Last", 0, {NULL}, true},
        {"random: Last->Question", 0, {NULL}, false}, /* nothing is seen, so nothing is drawn */
    };
    check_cases(cases, COUNT(cases));
}

static void groups_of_a_partition_that_share_a_position_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *flow, *names[2], *position;
    } cases[] = {
        {"keep(Image, Question, [8:10]): Image->Question", {"Question", "[8:10]"}, "position 8"},
        {"keep(All, Image): Image->All", {"All", "Image"}, "position 2"},
        {"keep(Image, Question, Last, Template): Image->Last", {"Last", "Template"}, "position 11"},
        {"keep(Image Central Object, Last, Image - [4]): Image Central Object->Last",
         {"Image Central Object", "Image - [4]"},
         "position 3"},
    };
    scene_words s;
    scene_make(&s);
    for (size_t i = 0; i < COUNT(cases); i++) {
        cf_flow flow = {0};
        cf_parts parts = {0};
        cf_error why = {0};
        OK(cf_flow_parse(&flow, cf_slice_of(cases[i].flow), &err));
        assert_int_equal(cf_parts_create(&parts, &flow, &s.scene, 1, 70, NULL, &why), CF_MISMATCH);
        if (!strstr(why.text, cases[i].names[0]) || !strstr(why.text, cases[i].names[1]) ||
            !strstr(why.text, cases[i].position))
            fail_msg("%s: %s", cases[i].flow, why.text);
        assert_null(parts.items);
        cf_flow_deinit(&flow);
    }
    scene_drop(&s);
}

int test_parts(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cut_hides_the_sources_keys_from_the_targets_queries),
        cmocka_unit_test(positions_after_the_prompt_are_queries_of_last_only),
        cmocka_unit_test(an_edge_has_its_own_layers_and_heads),
        cmocka_unit_test(keep_cuts_every_other_pair_of_the_partition),
        cmocka_unit_test(a_zeroed_sublayer_has_places_and_no_keys),
        cmocka_unit_test(an_empty_group_is_told_and_the_rest_is_kept),
        cmocka_unit_test(groups_of_a_partition_that_share_a_position_are_refused),
    };
    return cmocka_run_group_tests_name("parts", tests, NULL, NULL);
}
