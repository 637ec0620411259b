/* test_exact_parts.c - the sweep is the oracle, bit for bit, whatever runs are made of: several cuts with layers and
 * heads of their own, zeroed sublayers, forced rows, all runs in one plan. And that forcing an answer leaves the
 * first token as it is. */
#include <stdlib.h>
#include <string.h>

#include "drawn_runs.h"
#include "exact.h"
#include "flow_mistake.h"

enum { N_FORCED = 3 };

/* What kinds of things happened in a plan. */
typedef struct plan_facts {
    int64_t asked, planned, fully_cut, shared_nodes, below_the_parent, several_cuts, own_layers, heads, zeroed, forced;
} plan_facts;

static void count_facts(plan_facts *f, const cf_plan *plan, const drawn_runs *r, int32_t prompt)
{
    int64_t n_chain = 0;
    f->asked += (int64_t)plan->n_runs;
    for (size_t i = 0; i < plan->n_runs; i++) {
        f->planned += plan->runs[i].status == CF_RUN_PLANNED;
        f->fully_cut += plan->runs[i].status == CF_RUN_FULLY_CUT;
        for (int32_t n = plan->runs[i].leaf; n != CF_BASELINE; n = plan->nodes[n].parent)
            n_chain++;
        for (size_t k = 0; k < r->parts[i].n; k++) {
            const cf_part *part = &r->parts[i].items[k];
            f->own_layers += part->layers.n > 0;
            f->heads += part->heads != NULL;
            f->forced += part->query.items[part->query.n - 1].end > prompt;
        }
    }
    f->shared_nodes += n_chain - (int64_t)plan->n_nodes;
    for (size_t i = 0; i < plan->n_nodes; i++)
        f->below_the_parent += plan->nodes[i].parent != CF_BASELINE && plan->nodes[i].fresh.n > 0;
    for (size_t i = 0; i < plan->n_actions; i++) {
        f->several_cuts += plan->actions[i].n_edges > 1;
        f->zeroed += plan->actions[i].zero_attention.n + plan->actions[i].zero_mlp.n > 0;
    }
}

static void the_sweep_is_the_oracle_for_any_parts(void **state)
{
    const fixture *f = *state;
    const loaded_model *models[] = {&f->bites_f32, &f->bites_bf16, &f->bites_ref};
    static const char *const names[] = {"f32", "bf16", "ref"};
    const sample *s = &f->bites.samples[1];
    plan_facts facts = {0};
    int64_t n_rows = 0;
    for (size_t m = 0; m < COUNT(models); m++) {
        if (not_exact_here(models[m], names[m]))
            continue;
        for (int32_t n_forced = 0; n_forced <= N_FORCED; n_forced += N_FORCED) {
            const int32_t forced[N_FORCED] = {s->first_token, 300, 7};
            const int32_t length = s->groups.length + n_forced;
            drawn_runs *r = runs_draw(&f->bites, length, forced, n_forced, 11 + (uint64_t)m);
            cf_plan *plan = NULL;
            OK(cf_plan_create(&plan, r->planned, models[m] == &f->bites_ref ? 12 : N_DRAWN, length, f->bites.n_layers,
                              f->bites.n_heads, NULL, &err));
            count_facts(&facts, plan, r, s->groups.length);
            n_rows += hold_exact(models[m], s, plan, r->oracle);
            runs_free(r);
        }
    }
    print_message(
        "  %lld runs planned, %lld rows; %lld runs fully cut; %lld nodes with changed rows below the parent's, "
        "%lld nodes shared, %lld actions of several cuts, %lld with zeroed places; %lld parts with layers of "
        "their own, %lld with heads, %lld that reach forced rows\n",
        (long long)facts.planned, (long long)n_rows, (long long)facts.fully_cut, (long long)facts.below_the_parent,
        (long long)facts.shared_nodes, (long long)facts.several_cuts, (long long)facts.zeroed,
        (long long)facts.own_layers, (long long)facts.heads, (long long)facts.forced);
    const bool few = THIN || facts.asked < N_DRAWN; /* under a sanitizer, or where `ref` alone is exact */
    assert_true(2 * facts.planned > facts.asked && (few || facts.fully_cut > 0));
    assert_true(facts.below_the_parent > facts.asked / 16 && facts.shared_nodes > facts.asked / 16);
    assert_true(facts.several_cuts > 0 && facts.zeroed > 0);
    assert_true(facts.own_layers > 0 && facts.heads > 0 && facts.forced > 0);
}

/* ---- flows, all of a sample's in one plan ---- */

typedef struct flow_runs {
    cf_parts *parts; /* [flows] */
    cf_spans *windows;
    cf_plan_run *planned;
    cf_oracle_run *oracle;
    size_t n_flows, n;
} flow_runs;

/* Every flow of the golden in windows of three layers around every centre_step'th layer. */
static flow_runs make_flow_runs(const flow_golden *g, const flow_sample *s, int32_t n_after, int32_t centre_step)
{
    const size_t most = g->n_flows * (size_t)g->n_layers;
    flow_runs r = {.parts = calloc(g->n_flows, sizeof *r.parts),
                   .windows = calloc(most, sizeof *r.windows),
                   .planned = calloc(most, sizeof *r.planned),
                   .oracle = calloc(most, sizeof *r.oracle),
                   .n_flows = g->n_flows};
    assert_true(r.parts && r.windows && r.planned && r.oracle);
    for (size_t f = 0; f < g->n_flows; f++) {
        const flow_line line = {.flow = f, .style = CF_WINDOW_CENTRE, .k = 3, .seed = 5};
        flow_parts(&r.parts[f], g, s, &line, n_after, NO_MISTAKE);
        for (int32_t c = 0; c < g->n_layers; c += centre_step, r.n++) {
            flow_window(&r.windows[r.n], g, &line, c, NO_MISTAKE);
            r.planned[r.n] = (cf_plan_run){&r.parts[f], &r.windows[r.n]};
            r.oracle[r.n] = (cf_oracle_run){&r.parts[f], &r.windows[r.n], s->answer, n_after};
        }
    }
    return r;
}

static void free_flow_runs(flow_runs *r)
{
    for (size_t f = 0; f < r->n_flows; f++)
        cf_parts_deinit(&r->parts[f]);
    for (size_t i = 0; i < r->n; i++)
        cf_spans_deinit(&r->windows[i]);
    free(r->parts);
    free(r->windows);
    free(r->planned);
    free(r->oracle);
}

static cf_plan *plan_of(const flow_runs *r, const flow_golden *g, const flow_sample *s, int32_t n_after)
{
    cf_plan *plan = NULL;
    OK(cf_plan_create(&plan, r->planned, r->n, s->base.groups.length + n_after, g->n_layers, g->n_heads, NULL, &err));
    return plan;
}

static void the_sweep_is_the_oracle_in_every_mode(void **state)
{
    const fixture *f = *state;
    const flow_golden *g = &f->flows_bites;
    const flow_sample *s = &g->samples[0];
    const loaded_model *models[] = {&f->bites_f32, &f->bites_bf16};
    for (size_t m = 0; m < COUNT(models); m++) {
        if (not_exact_here(models[m], m ? "bf16" : "f32"))
            continue;
        flow_runs r = make_flow_runs(g, s, s->asked.n_answer - 1, THIN ? 4 : 2);
        for (size_t i = 0; i < r.n; i++) /* no draw, no run: the oracle would compute the baseline */
            if (r.planned[i].parts->too_few_keys)
                r.planned[i].parts = r.oracle[i].parts = &r.parts[0];
        const int64_t rows = hold_exact(models[m], &s->base, plan_of(&r, g, s, s->asked.n_answer - 1), r.oracle);
        print_message("  bites on %s: %zu runs of %zu flows, %lld computed rows: same bits\n",
                      model_backend_name(models[m]), r.n, r.n_flows, (long long)rows);
        free_flow_runs(&r);
    }
}

static void check_forcing(const flow_golden *g, const loaded_model *m, const flow_sample *s)
{
    const int32_t n_after = s->asked.n_answer - 1;
    flow_runs without = make_flow_runs(g, s, 0, 1), with = make_flow_runs(g, s, n_after, 1);
    walk a, b;
    walk_open_plan(&a, m, NULL, &s->base, plan_of(&without, g, s, 0), NULL, 0, WALK_KEEP);
    walk_open_plan(&b, m, NULL, &s->base, plan_of(&with, g, s, n_after), s->answer, n_after, WALK_KEEP);
    assert_true(a.plan->n_runs == b.plan->n_runs && n_after > 0);
    for (size_t i = 0; i < a.plan->n_runs; i++) {
        assert_int_equal(a.seen[i], b.seen[i]);
        if (a.seen[i] && memcmp(walk_logits(&a, i), walk_logits(&b, i), (size_t)g->vocab_size * sizeof(float)) != 0)
            fail_msg("run %zu: forcing an answer changes the logits before it", i);
    }
    assert_memory_equal(cf_session_logits(a.session), cf_session_logits(b.session),
                        (size_t)g->vocab_size * sizeof(float));
    walk_close(&a, false);
    walk_close(&b, false);
    free_flow_runs(&without);
    free_flow_runs(&with);
}

static void forcing_an_answer_leaves_its_first_token_as_it_is(void **state)
{
    const fixture *f = *state;
    const loaded_model *models[] = {&f->bites_f32, &f->bites_bf16};
    for (size_t m = 0; m < COUNT(models); m++)
        if (!not_exact_here(models[m], m ? "bf16" : "f32"))
            for (size_t i = 0; i < f->flows_bites.n; i += 4)
                check_forcing(&f->flows_bites, models[m], &f->flows_bites.samples[i]);
}

int test_exact_parts(fixture *f)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(the_sweep_is_the_oracle_for_any_parts, f),
        cmocka_unit_test_prestate(the_sweep_is_the_oracle_in_every_mode, f),
        cmocka_unit_test_prestate(forcing_an_answer_leaves_its_first_token_as_it_is, f),
    };
    return cmocka_run_group_tests_name("exact_parts", tests, NULL, NULL);
}
