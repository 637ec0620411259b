/* test_run_set.c - the runs of a study: listed and registered as they were asked for, planned for one sample. */
#include "study_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "study/run_set.h"
#include "support/fail_alloc.h"
#include "support/temp_dir.h"

static const cf_text_config model = {.n_layers = 4, .n_heads = 3};
static const cf_window_style centre[] = {CF_WINDOW_CENTRE};
static const int32_t three[] = {3};

static cf_study_options options_of(const char *flows)
{
    cf_study_options o = cf_study_options_default();
    o.flows = flows;
    o.windows = three;
    o.styles = centre;
    o.seed = 7;
    return o;
}

/* "spec|mode|heads|seed|repeat|style|window|centre|layers", a line a run. */
static cf_status add_run_line(void *user, const cf_sample *x, const cf_store_run *r, const cf_value *v, cf_error *err)
{
    (void)x;
    (void)v;
    return cf_str_addf(user, err, "%s|%s|%s|%d|%d|%s|%d|%d|%s\n", r->spec, r->mode, r->heads, (int)r->seed, r->repeat,
                       r->style, r->window, r->centre, r->layers);
}

/* Registers the runs in a study of their own, gives one sample a value of each, and reads them back. */
static cf_str registered(const char *dir, cf_run_set *s)
{
    static const cf_fact fact = {"made", "here", true};
    const cf_sample sample = {.task = "A",
                              .probability = 0.5,
                              .question_id = "",
                              .image = "",
                              .question = "",
                              .answer = "",
                              .true_option = "",
                              .false_option = "",
                              .object = "",
                              .reason = "",
                              .predicted = "",
                              .first_token_text = "",
                              .answer_ids = "[]",
                              .groups = "{}",
                              .notes = ""};
    char *path = temp_dir_path(dir, "runs.db");
    cf_value *values = calloc(s->specs.n + 1, sizeof *values);
    cf_store *store = NULL;
    cf_str text = {0};
    assert_non_null(values);
    assert_ok(cf_store_create(&store, path, &fact, 1, report));
    assert_ok(cf_run_set_register(s, store, report));
    for (size_t i = 0; i < s->specs.n; i++) {
        const int64_t id = s->ids[i];
        values[i] = (cf_value){.run = id, .measure = CF_MEASURE_PROBABILITY};
        for (size_t k = 0; k < i; k++)
            assert_true(s->ids[k] < id); /* in the order of the list, each its own */
    }
    assert_ok(cf_run_set_register(s, store, report)); /* a study that is continued */
    for (size_t i = 0; i < s->specs.n; i++)
        assert_int_equal(s->ids[i], values[i].run);
    assert_ok(cf_store_put_sample(store, &sample, &(cf_results){.values = values, .n_values = s->specs.n}, report));
    assert_ok(cf_str_add_text(&text, "", report));
    assert_ok(cf_store_each_value(store, add_run_line, &text, report));
    cf_store_close(store);
    assert_int_equal(remove(path), 0);
    free(values);
    free(path);
    return text;
}

static void runs_are_registered_as_they_were_asked_for(void **state)
{
    static const cf_window_style two_styles[] = {CF_WINDOW_BELOW, CF_WINDOW_OUTSIDE};
    static const int32_t two[] = {1, 3};
    const struct {
        const char *flows;
        const cf_window_style *styles;
        size_t n_styles;
        const int32_t *windows;
        size_t n_windows;
        int32_t layer_begin, layer_end, repeats;
        const char *expected;
    } cases[] = {
        {" image -> last", centre, 1, three, 1, 1, 3, 1,
         "Image->Last|cut|all|0|0|centre|3|1|0:3\n"
         "Image->Last|cut|all|0|0|centre|3|2|1:4\n"},
        {"Image->Last#0+2,zero mlp: Last", centre, 1, two, 2, 2, 3, 1,
         "Image->Last#0+2|cut|0+2|0|0|centre|1|2|2:3\n"
         "Image->Last#0+2|cut|0+2|0|0|centre|3|2|1:4\n"
         "zero mlp: Last|zero mlp|all|0|0|centre|1|2|2:3\n"
         "zero mlp: Last|zero mlp|all|0|0|centre|3|2|1:4\n"},
        {"keep: Image->Last", two_styles, 2, two, 2, 1, 2, 3, /* repeats are of random flows alone */
         "keep: Image->Last|keep|all|0|0|below|0|1|0:2\n"
         "keep: Image->Last|keep|all|0|0|outside|1|1|0:1+2:4\n"
         "keep: Image->Last|keep|all|0|0|outside|3|1|3:4\n"},
        {"Last->Last,random: Image->Question", centre, 1, three, 1, 0, 1, 2,
         "Last->Last|cut|all|0|0|centre|3|0|0:2\n"
         "random: Image->Question|random|all|7|0|centre|3|0|0:2\n"
         "random: Image->Question|random|all|7|1|centre|3|0|0:2\n"},
        {"Image->Last@0:2,random: Image->Last@1#1", centre, 1, three, 1, 0, 4, 2, /* fixed: no centre */
         "Image->Last@0:2|cut|all|0|0|fixed|0|0|\n"
         "random: Image->Last@1#1|random|1|7|0|fixed|0|0|\n"
         "random: Image->Last@1#1|random|1|7|1|fixed|0|0|\n"},
        {"Image->Last#each", centre, 1, three, 1, 3, 4, 1,
         "Image->Last#0|cut|0|0|0|centre|3|3|2:4\n"
         "Image->Last#1|cut|1|0|0|centre|3|3|2:4\n"
         "Image->Last#2|cut|2|0|0|centre|3|3|2:4\n"},
        {"Image->Last#0 & Question->Last", centre, 1, three, 1, 3, 4, 1,
         "Image->Last#0 & Question->Last|cut|mixed|0|0|centre|3|3|2:4\n"},
        {NULL, centre, 1, three, 1, 3, 0, 1, "All->[-1]|cut|all|0|0|centre|3|3|2:4\n"}, /* the job's own; end 0: all */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cf_run_set s = {0};
        cf_study_options o = options_of(cases[i].flows);
        o.styles = cases[i].styles;
        o.n_styles = cases[i].n_styles;
        o.windows = cases[i].windows;
        o.n_windows = cases[i].n_windows;
        o.layer_begin = cases[i].layer_begin;
        o.layer_end = cases[i].layer_end;
        o.repeats = cases[i].repeats;
        assert_ok(cf_run_set_open(&s, &o, "All->[-1]", &model, report));
        cf_str found = registered(*state, &s);
        assert_string_equal(found.data, cases[i].expected);
        cf_str_deinit(&found);
        cf_run_set_close(&s);
        cf_run_set_close(&s); /* closed twice is closed */
    }
}

static void without_flows_there_are_no_runs(void **state)
{
    const cf_study_options o = options_of(NULL);
    cf_run_set s = {0};
    assert_ok(cf_run_set_open(&s, &o, NULL, &model, report));
    assert_int_equal(s.specs.n, 0);
    assert_int_equal(s.n_layers, 4);
    cf_str found = registered(*state, &s);
    assert_string_equal(found.data, "");
    cf_str_deinit(&found);
    cf_run_set_close(&s);
}

static void runs_that_cannot_be_are_refused(void **state)
{
    static const struct {
        const char *flows;
        int32_t layer_end, repeats;
        int64_t seed;
        const char *say;
    } cases[] = {
        {"Image->", 4, 1, 1, "flow \"Image->\", character 8"},
        {"", 4, 1, 1, "flow \"\", character 1"},
        {"Image->Last#3", 4, 1, 1, "expected heads from 0 to 2"},
        {"Image->Last@2:5", 4, 1, 1, "expected layers from 0 to 3"},
        {"Image->Last", 5, 1, 1, "layers 0:5: expected a range inside 0:4"},
        {"random: Image->Last", 4, 0, 1, "repeats"},
        {"Image->Last", 4, 1, -1, "--seed -1: expected 0 or more"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cf_run_set s = {.seed = -5};
        cf_study_options o = options_of(cases[i].flows);
        o.layer_end = cases[i].layer_end;
        o.repeats = cases[i].repeats;
        o.seed = cases[i].seed;
        assert_fails(CF_USAGE, cases[i].say, cf_run_set_open(&s, &o, NULL, &model, report));
        assert_int_equal(s.seed, -5); /* as it was */
        assert_null(s.specs.items);
    }
}

/* ---- on one sample ---- */

enum { LENGTH = 10 };

/* Three image positions from 2, a question of three from 5. */
static cf_groups ten_positions(void)
{
    static const bool hit[3] = {false, true, false};
    const cf_layout layout = {.length = LENGTH, .image = {2, 5}, .hit = hit, .question = {5, 8}};
    cf_groups g = {0};
    assert_ok(cf_groups_build(&g, &layout, report));
    return g;
}

/* A random flow has parts of its own for each repeat, which its runs share; others share one. */
static void runs_of_a_flow_and_repeat_share_their_parts(void **state)
{
    (void)state;
    cf_groups g = ten_positions();
    const cf_scene scene = {.groups = &g, .image = {2, 5}};
    cf_study_options o = options_of("Image->Last,random: Image->Question,Question->Last");
    cf_run_set s = {0};
    cf_sample_plan p = {0}, other = {0};
    o.repeats = 2;
    assert_ok(cf_run_set_open(&s, &o, NULL, &model, report));
    assert_int_equal(s.specs.n, 4 * 4);
    assert_ok(cf_sample_plan_create(&p, &s, &scene, 0, 0, report));
    assert_int_equal(p.n_parts, 1 + 2 + 1);
    assert_int_equal(p.plan->n_runs, s.specs.n);
    assert_int_equal(p.plan->length, LENGTH);
    for (size_t i = 0; i < s.specs.n; i++) {
        assert_ptr_equal(p.runs[i].parts, &p.parts[i / 4]);
        assert_ptr_equal(p.runs[i].window, &s.specs.items[i].layers);
    }
    assert_ok(cf_sample_plan_create(&other, &s, &scene, 0, 2, report)); /* with two positions after the prompt */
    assert_int_equal(other.plan->length, LENGTH + 2);
    cf_sample_plan_deinit(&other);
    cf_sample_plan_deinit(&p);
    cf_run_set_close(&s);
    cf_groups_deinit(&g);
}

static bool same_parts(const cf_parts *a, const cf_parts *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (!cf_spans_equal(&a->items[i].query, &b->items[i].query) ||
            !cf_spans_equal(&a->items[i].key, &b->items[i].key))
            return false;
    return true;
}

static void a_draw_depends_on_seed_row_and_repeat_alone(void **state)
{
    static const struct {
        int64_t seed, row;
        const char *flows;
        bool same;
    } cases[] = {
        {7, 3, "random: Image->Question", true},
        {7, 3, "Last->Last,random: Image->Question", true},
        {8, 3, "random: Image->Question", false},
        {7, 4, "random: Image->Question", false},
    };
    (void)state;
    cf_groups g = ten_positions();
    const cf_scene scene = {.groups = &g, .image = {2, 5}};
    cf_sample_plan first = {0};
    cf_run_set of_first = {0};
    cf_study_options o = options_of("random: Image->Question");
    o.repeats = 2;
    assert_ok(cf_run_set_open(&of_first, &o, NULL, &model, report));
    assert_ok(cf_sample_plan_create(&first, &of_first, &scene, 3, 0, report));
    assert_true(first.parts[0].n > 0);
    assert_false(same_parts(&first.parts[0], &first.parts[1]));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cf_sample_plan p = {0};
        cf_run_set s = {0};
        o.seed = cases[i].seed;
        o.flows = cases[i].flows;
        assert_ok(cf_run_set_open(&s, &o, NULL, &model, report));
        assert_ok(cf_sample_plan_create(&p, &s, &scene, cases[i].row, 0, report));
        for (size_t repeat = 0; repeat < 2; repeat++)
            if (cases[i].same && !same_parts(&first.parts[repeat], &p.parts[p.n_parts - 2 + repeat]))
                fail_msg("case %zu, repeat %zu", i, repeat);
        if (!cases[i].same && same_parts(&first.parts[0], &p.parts[0]) && same_parts(&first.parts[1], &p.parts[1]))
            fail_msg("case %zu", i);
        cf_sample_plan_deinit(&p);
        cf_run_set_close(&s);
    }
    cf_sample_plan_deinit(&first);
    cf_run_set_close(&of_first);
    cf_groups_deinit(&g);
}

static void runs_without_memory_are_refused_and_nothing_is_lost(void **state)
{
    (void)state;
    cf_groups g = ten_positions();
    const cf_scene scene = {.groups = &g, .image = {2, 5}};
    cf_study_options o = options_of("Image->Last,random: Image Central Object->Last,keep: Image->Last");
    o.repeats = 2;
    for (int64_t n = 1;; n++) {
        cf_run_set s = {0};
        cf_sample_plan p = {0};
        fail_alloc_at(n);
        cf_status st = cf_run_set_open(&s, &o, NULL, &model, NULL);
        if (st == CF_OK)
            st = cf_sample_plan_create(&p, &s, &scene, 0, 1, NULL);
        const bool failed = fail_alloc_off();
        assert_int_equal(st, failed ? CF_NOMEM : CF_OK);
        if (failed)
            assert_true(p.parts == NULL && p.runs == NULL && p.plan == NULL);
        cf_sample_plan_deinit(&p);
        cf_run_set_close(&s);
        if (!failed) {
            assert_true(n > 20);
            break;
        }
    }
    cf_groups_deinit(&g);
}

int test_run_set(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(runs_are_registered_as_they_were_asked_for, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(without_flows_there_are_no_runs, folder_setup, folder_teardown),
        cmocka_unit_test(runs_that_cannot_be_are_refused),
        cmocka_unit_test(runs_of_a_flow_and_repeat_share_their_parts),
        cmocka_unit_test(a_draw_depends_on_seed_row_and_repeat_alone),
        cmocka_unit_test(runs_without_memory_are_refused_and_nothing_is_lost),
    };
    return cmocka_run_group_tests_name("runs of a study", tests, NULL, NULL);
}
