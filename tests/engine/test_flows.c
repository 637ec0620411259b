/* test_flows.c - every kind of run and every score against transformers, from the text of a flow to the scores of
 * the answer, through parts, plan, session and sweep; then the lens and generation under a cut. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "flow_parity.h"

static void print_found(const flow_found *f, const char *what)
{
    print_message(
        "    %-24s %5lld runs, %6lld values: probabilities %.1e, their logarithms %.1e, differences of logits "
        "%.1e of the largest; at most %.2f bounds\n",
        what, (long long)f->n_runs, (long long)f->n_values, f->absolute, f->logarithm, f->difference, f->over);
}

static void add_found(flow_found *sum, const flow_found *f)
{
    sum->absolute = fmax(sum->absolute, f->absolute);
    sum->logarithm = fmax(sum->logarithm, f->logarithm);
    sum->difference = fmax(sum->difference, f->difference);
    sum->over = fmax(sum->over, f->over);
    sum->n_runs += f->n_runs;
    sum->n_values += f->n_values;
}

static void check_flows(const flow_golden *g, const loaded_model *m, size_t sample_step)
{
    flow_found *found = calloc(g->n_flows * CF_N_WINDOW_STYLES, sizeof *found);
    assert_non_null(found);
    const bool holds = flows_hold(found, g, m, sample_step, NO_MISTAKE);
    flow_found by_mode[CF_N_MODES] = {{0}}, by_style[CF_N_WINDOW_STYLES] = {{0}};
    for (size_t i = 0; i < g->n_flows * CF_N_WINDOW_STYLES; i++) {
        add_found(&by_mode[g->flows[i / CF_N_WINDOW_STYLES].mode], &found[i]);
        add_found(&by_style[i % CF_N_WINDOW_STYLES], &found[i]);
        if (!(found[i].over <= 1) || found[i].n_wrong)
            print_error("%s, %s: %.2f bounds, %lld wrong\n", g->texts[i / CF_N_WINDOW_STYLES],
                        cf_window_style_name((cf_window_style)(i % CF_N_WINDOW_STYLES)), found[i].over,
                        (long long)found[i].n_wrong);
    }
    print_message("  %s on %s, %zu of %zu samples:\n", g->name, model_backend_name(m),
                  (g->n + sample_step - 1) / sample_step, g->n_all);
    for (int i = 0; i < CF_N_MODES; i++)
        print_found(&by_mode[i], cf_mode_name((cf_mode)i));
    for (int i = 0; i < CF_N_WINDOW_STYLES; i++)
        print_found(&by_style[i], cf_window_style_name((cf_window_style)i));
    for (int i = 0; i < CF_N_MODES; i++)
        assert_true(by_mode[i].n_values > 0);
    for (int i = 0; i < CF_N_WINDOW_STYLES; i++)
        assert_true(by_style[i].n_values > 0);
    free(found);
    assert_true(holds);
}

static void every_run_of_every_mode_agrees_on_bites(void **state)
{
    const fixture *f = *state;
    check_flows(&f->flows_bites, &f->bites_f32, 1);
}

static void every_run_of_every_mode_agrees_on_the_demo(void **state)
{
    const fixture *f = *state;
    check_flows(&f->flows_demo, &f->demo_f32,
                7); /* one with options, one without: all ten agree, and take 25 seconds */
}

int test_flows(fixture *f)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(every_run_of_every_mode_agrees_on_bites, f),
        cmocka_unit_test_prestate(every_run_of_every_mode_agrees_on_the_demo, f),
    };
    return cmocka_run_group_tests_name("flows", tests, NULL, NULL);
}
