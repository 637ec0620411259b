/* test_flow_mutations.c - the comparison of test_flows.c can fail: each mistake of flow_mistake.h is made in every
 * flow in which it is one, and flow by flow the same function that passes there must refuse it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "flow_parity.h"

/* In how many flows and styles of window each mistake is one. */
static const int n_expected[N_FLOW_MISTAKES] = {
    [NOTHING_DONE] = 76,
    [KEEP_FIRST_PAIR_UNCUT] = 6,
    [KEEP_LAST_PAIR_UNCUT] = 6,
    [KEPT_PAIR_CUT] = 6,
    [KEEP_CUTS_WITHIN_A_GROUP] = 6,
    [DRAWN_WITHIN_THE_SOURCE] = 4,
    [DRAWN_ONE_KEY_TOO_FEW] = 4,
    [DRAWN_WITH_ANOTHER_SEED] = 4,
    [DRAWN_FOR_ANOTHER_ROW] = 4,
    [DRAWN_FOR_ANOTHER_REPEAT] = 4,
    [DRAWN_FOR_THE_QUERY_BEFORE] = 4,
    [PLACES_BEGIN_EARLIER] = 9,
    [PLACES_BEGIN_LATER] = 9,
    [PLACES_END_EARLIER] = 9,
    [PLACES_END_LATER] = 6, /* nothing stands after Last */
    [OTHER_SUBLAYER] = 9,
    [HEADS_IGNORED] = 5,
    [HEADS_SHIFTED] = 5,
    [ONE_HEAD_TOO_FEW] = 5,
    [ONE_HEAD_TOO_MANY] = 5,
    [OWN_LAYERS_IGNORED] = 6,
    [OWN_LAYERS_BEGIN_LATER] = 6,
    [OWN_LAYERS_END_EARLIER] = 6,
    [OWN_LAYERS_END_LATER] = 6,
    [CENTRE_TOO_HIGH] = 12,
    [CENTRE_TOO_LOW] = 12,
    [OTHER_STYLE] = 12,
    [FORCED_ONE_TOKEN_OFF] = 83,
    [FORCED_IN_ANOTHER_ORDER] = 83,
    [FORCED_POSITIONS_ARE_NOT_LAST] = 39,
};

/* What a mistake changes in rows that nobody reads cannot be seen: the question in the last layer. */
static bool is_read(flow_mistake m, const char *flow)
{
    return m != OWN_LAYERS_END_LATER || strcmp(flow, "Question->Last & Image->Question@2:4") != 0;
}

static int try_mistake(const fixture *f, flow_mistake m, flow_found *found)
{
    const flow_golden *g = &f->flows_bites;
    double least = INFINITY;
    size_t least_at = 0;
    int n_tried = 0, n_missed = 0;
    (void)flows_hold(found, g, &f->bites_f32, THIN ? 1 : 3, m);
    for (size_t i = 0; i < g->n_flows * CF_N_WINDOW_STYLES; i++) {
        const bool forced = m == FORCED_ONE_TOKEN_OFF || m == FORCED_IN_ANOTHER_ORDER;
        if (found[i].n_runs == 0 || (!forced && found[i].n_changed == 0))
            continue;
        n_tried++;
        const bool seen = !(found[i].over <= 1) || found[i].n_wrong;
        if (seen != is_read(m, g->texts[i / CF_N_WINDOW_STYLES])) {
            print_error(seen ? "%s, %s: %s is seen where it should not be\n" : "%s, %s: %s is not seen\n",
                        g->texts[i / CF_N_WINDOW_STYLES],
                        cf_window_style_name((cf_window_style)(i % CF_N_WINDOW_STYLES)), flow_mistake_name(m));
            n_missed++;
        }
        if (seen && found[i].n_values && found[i].over < least) {
            least = found[i].over;
            least_at = i;
        }
    }
    print_message("  %-40s in %2d: at least %6.0f bounds, in %s, %s\n", flow_mistake_name(m), n_tried, least,
                  g->texts[least_at / CF_N_WINDOW_STYLES],
                  cf_window_style_name((cf_window_style)(least_at % CF_N_WINDOW_STYLES)));
    assert_int_equal(n_tried, n_expected[m]);
    return n_missed;
}

static void every_mistake_is_seen_in_every_flow(void **state)
{
    const fixture *f = *state;
    flow_found *found = calloc(f->flows_bites.n_flows * CF_N_WINDOW_STYLES, sizeof *found);
    assert_non_null(found);
    int n_missed = 0;
    for (flow_mistake m = NOTHING_DONE; m < N_FLOW_MISTAKES; m++)
        n_missed += try_mistake(f, m, found);
    free(found);
    assert_int_equal(n_missed, 0);
}

int test_flow_mutations(fixture *f)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(every_mistake_is_seen_in_every_flow, f),
    };
    return cmocka_run_group_tests_name("flow_mutations", tests, NULL, NULL);
}
