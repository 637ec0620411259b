/* test_mutations.c - the parity check can fail: the mistakes an engine could make are made on purpose, flow by flow,
 * and the same function that passes in test_parity.c must refuse every one of them. */
#include <math.h>

#include "parity.h"

static void every_mistake_is_seen_in_every_flow(void **state)
{
    const fixture *f = *state;
    const sample_set *set = &f->bites;
    int n_tried = 0, n_missed = 0;
    for (change c = AS_ASKED; c < N_CHANGES; c++) {
        double least = INFINITY;
        size_t least_flow = 0;
        for (size_t flow = 0; flow < N_FLOWS; flow++) {
            if (!change_applies(set, flow, c))
                continue;
            parity found[N_FLOWS];
            const bool holds = parity_holds(found, set, &f->bites_f32, flow, flow + 1, c);
            /* How far over its bound the worse of the two measures is. */
            const double over = fmax(found[flow].probability / PROBABILITY_BOUND, found[flow].logits / LOGIT_BOUND);
            if (c == AS_ASKED) {
                assert_true(holds);
                continue;
            }
            n_tried++;
            if (holds) {
                print_error("%s: %s is not seen\n", set->flow_names[flow], change_name(c));
                n_missed++;
            }
            if (over < least) {
                least = over;
                least_flow = flow;
            }
        }
        if (c != AS_ASKED)
            print_message("  %-34s at least %6.0f bounds, in %s\n", change_name(c), least, set->flow_names[least_flow]);
    }
    assert_int_equal(n_missed, 0);
    assert_int_equal(n_tried, (N_CHANGES - 1) * N_FLOWS - 4); /* see change_applies */
}

int test_mutations(fixture *f)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(every_mistake_is_seen_in_every_flow, f),
    };
    return cmocka_run_group_tests_name("mutations", tests, NULL, NULL);
}
