/* test_facts.c - what a study says of itself: which facts there are, which of them decide its numbers, and that each
 * follows what it is about. The facts of the jobs themselves are read from studies that they made. */
#include "study_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/version.h"
#include "study/lens_study.h"
#include "study/study_facts.h"
#include "study/trace.h"
#include "support/fail_alloc.h"
#include "support/temp_dir.h"

static cf_runtime runtime; /* bites on plain loops, for the whole group */
static cf_question_list list;

static int open_bites(void **state)
{
    (void)state;
    cf_runtime_options o = cf_runtime_options_default();
    o.model = BITES;
    o.device = "ref";
    return cf_runtime_open(&runtime, &o, NULL) != CF_OK ||
           cf_question_list_open(&list, "demo/questions", NULL, 1, NULL) != CF_OK;
}

static int close_bites(void **state)
{
    (void)state;
    cf_question_list_close(&list);
    cf_runtime_close(&runtime);
    return 0;
}

static cf_study_options bites_options(void)
{
    cf_study_options o = cf_study_options_default();
    o.runtime.model = BITES;
    o.questions = "demo/questions";
    o.out = "study.db";
    return o;
}

/* A job with one fact of its own. */
static cf_status add_own_fact(cf_facts *f, const cf_study_options *o, cf_error *err)
{
    return cf_facts_add_number(f, true, "own", o->top, err);
}

static cf_status facts_of_runs(cf_facts *f, const cf_study_options *o, cf_run_set *runs, cf_error *err)
{
    static const cf_study_job job = {.name = "measuring", .add_facts = add_own_fact};
    static char images[] = PICTURES;
    const cf_study s = {.o = o, .job = &job, .runtime = runtime, .list = list, .images = images, .runs = *runs};
    return cf_facts_of_study(f, &s, err);
}

static void facts_of(cf_facts *f, const cf_study_options *o)
{
    cf_run_set runs = {0};
    assert_ok(cf_run_set_open(&runs, o, "Image->Question", &cf_checkpoint_config(runtime.checkpoint)->text, report));
    assert_ok(facts_of_runs(f, o, &runs, report));
    cf_run_set_close(&runs);
}

static const cf_fact *fact(const cf_facts *f, const char *key)
{
    for (size_t i = 0; i < f->n; i++)
        if (strcmp(f->items[i].key, key) == 0)
            return &f->items[i];
    return NULL;
}

static const struct {
    const char *key;
    bool identity;
    const char *value; /* NULL: not told here */
} expected[] = {
    {"checkpoint", true, NULL},
    {"tokenizer", true, NULL},
    {"questions ChooseAttr", true, NULL},
    {"questions ChooseCat", true, NULL},
    {"questions ChooseRel", true, NULL},
    {"questions CompareAttr", true, NULL},
    {"questions LogicalObj", true, NULL},
    {"questions QueryAttr", true, NULL},
    {"study", true, "measuring"},
    {"prompt", true, "USER: <image>\n{question} \nAnswer the question using a single word or phrase. ASSISTANT:"},
    {"prompt tokens", true, "of the whole"},
    {"image fit", true, "crop"},
    {"image values", true,
     "resize 56, crop 56x56, times 0.0039215686274509803, mean 0.48145465999999998 0.4578275 0.40821073000000002, std "
     "0.26862954 0.26130258000000001 0.27577710999999999"},
    {"flows", true, "Image->Question"},
    {"window styles", true, "centre"},
    {"windows", true, "9"},
    {"layers", true, "0:5"},
    {"own", true, "50"},
    {"keep", true, "correct"},
    {"max new tokens", true, "128"},
    {"device", true, "ref"},
    {"dtype", true, "f32"},
    {"reuse", true, "on"},
    {"crossflow", false, NULL}, /* with the commit, see below */
    {"libraries", false, NULL},
    {"backend", false, NULL},
    {"threads", false, NULL},
    {"row invariant", false, NULL},
    {"model", false, BITES},
    {"questions", false, "demo/questions"},
    {"images", false, PICTURES},
    {"command", false, ""},
};
enum { N_EXPECTED = sizeof expected / sizeof *expected };

static void every_fact_is_there_once(void **state)
{
    (void)state;
    cf_facts f = {0};
    const cf_study_options o = bites_options();
    facts_of(&f, &o);
    for (size_t i = 0; i < N_EXPECTED; i++) {
        const cf_fact *x = fact(&f, expected[i].key);
        if (!x || x->identity != expected[i].identity ||
            (expected[i].value && strcmp(x->value, expected[i].value) != 0))
            fail_msg("%s: %s", expected[i].key, x ? x->value : "missing");
    }
    assert_int_equal(f.n, N_EXPECTED);
    assert_string_equal(fact(&f, "crossflow")->value, cf_version());
    assert_ptr_equal(strstr(cf_version(), CF_VERSION), cf_version());
    assert_int_equal(strlen(fact(&f, "checkpoint")->value), CF_HASH_HEX_BYTES - 1);
    cf_facts_deinit(&f);
    assert_int_equal(f.n, 0);
}

static void set_windows(cf_study_options *o)
{
    static const int32_t two[] = {1, 15};
    o->windows = two;
    o->n_windows = 2;
}
static void set_styles(cf_study_options *o)
{
    static const cf_window_style two[] = {CF_WINDOW_OUTSIDE, CF_WINDOW_BELOW};
    o->styles = two;
    o->n_styles = 2;
}
static void set_repeats(cf_study_options *o)
{
    o->repeats = 3;
}
static void set_seed(cf_study_options *o)
{
    o->seed = 2;
}
static void set_top(cf_study_options *o)
{
    o->top = 7;
}
static void set_layers(cf_study_options *o)
{
    o->layer_begin = 1;
    o->layer_end = 4;
}
static void set_all_layers(cf_study_options *o)
{
    o->layer_end = 5;
}
static void set_wrong(cf_study_options *o)
{
    o->keep = CF_KEEP_WRONG;
}
static void set_all(cf_study_options *o)
{
    o->keep = CF_KEEP_ALL;
}
static void set_tokens(cf_study_options *o)
{
    o->max_new_tokens = 1;
}
static void set_no_reuse(cf_study_options *o)
{
    o->reuse = false;
}
static void set_limit(cf_study_options *o)
{
    o->limit = 7;
}
static void set_strict(cf_study_options *o)
{
    o->strict = true;
}
static void set_out(cf_study_options *o)
{
    o->out = "other.db";
}
static void set_command(cf_study_options *o)
{
    o->command = "crossflow trace ...";
}

static const struct {
    const char *name;
    void (*change)(cf_study_options *o);
    const char *key, *value; /* the one fact that follows; NULL: none does */
    const char *flows;       /* NULL: Image->Question */
} changes[] = {
    {"windows", set_windows, "windows", "1,15", NULL},
    {"styles", set_styles, "window styles", "outside,below", NULL},
    {"repeats of nothing random", set_repeats, NULL, NULL, "Image->Question,zero mlp: Last"},
    {"seed of nothing random", set_seed, NULL, NULL, NULL},
    {"repeats", set_repeats, "repeats", "3", "Image->Question,random: Image->Question"},
    {"seed", set_seed, "seed", "2", "random: Image->Question"},
    {"what only the job knows", set_top, "own", "7", NULL},
    {"layers", set_layers, "layers", "1:4", NULL},
    {"all layers by number", set_all_layers, NULL, NULL, NULL},
    {"keep wrong", set_wrong, "keep", "wrong", NULL},
    {"keep all", set_all, "keep", "all", NULL},
    {"answer length", set_tokens, "max new tokens", "1", NULL},
    {"reuse", set_no_reuse, "reuse", "off", NULL},
    {"limit", set_limit, NULL, NULL, NULL},
    {"strict", set_strict, NULL, NULL, NULL},
    {"study file", set_out, NULL, NULL, NULL},
    {"command", set_command, "command", "crossflow trace ...", NULL},
};

static void a_setting_changes_its_own_fact_and_no_other(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        cf_study_options o = bites_options();
        cf_facts before = {0}, after = {0};
        o.flows = changes[i].flows;
        facts_of(&before, &o);
        changes[i].change(&o);
        facts_of(&after, &o);
        if (changes[i].key && !fact(&before, changes[i].key))
            fail_msg("%s: no fact %s", changes[i].name, changes[i].key);
        assert_int_equal(after.n, before.n);
        for (size_t k = 0; k < after.n; k++) {
            const char *key = after.items[k].key;
            const bool follows = changes[i].key && strcmp(key, changes[i].key) == 0;
            const char *value = follows ? changes[i].value : fact(&before, key)->value;
            if (strcmp(after.items[k].value, value) != 0)
                fail_msg("%s: expected %s %s, found %s", changes[i].name, key, value, after.items[k].value);
        }
        cf_facts_deinit(&before);
        cf_facts_deinit(&after);
    }
}

static void flows_are_stored_in_their_canonical_text(void **state)
{
    (void)state;
    cf_facts f = {0};
    cf_study_options o = bites_options();
    o.flows = " image -> LAST ,Last->Last, random :Image->[ -1 ]#each";
    facts_of(&f, &o);
    assert_string_equal(fact(&f, "flows")->value,
                        "Image->Last,Last->Last,random: Image->[-1]#0,random: Image->[-1]#1,random: Image->[-1]#2,"
                        "random: Image->[-1]#3");
    cf_facts_deinit(&f);
}

static void facts_without_memory_are_refused_and_nothing_is_lost(void **state)
{
    (void)state;
    cf_run_set runs = {0};
    const cf_study_options o = bites_options();
    assert_ok(cf_run_set_open(&runs, &o, "paper", &cf_checkpoint_config(runtime.checkpoint)->text, report));
    for (int64_t n = 1;; n++) {
        cf_facts f = {0};
        cf_error err = {0};
        fail_alloc_at(n);
        const cf_status st = facts_of_runs(&f, &o, &runs, &err);
        if (!fail_alloc_off()) {
            assert_int_equal(st, CF_OK);
            assert_true(n > 2 * N_EXPECTED); /* a key and a value each */
            cf_facts_deinit(&f);
            break;
        }
        if (st != CF_NOMEM)
            fail_msg("allocation %d: status %d: %s", (int)n, st, err.text);
        assert_int_equal(f.n, 0);
    }
    cf_run_set_close(&runs);
}

/* ---- the jobs' own ---- */

static void set_norm(cf_study_options *o)
{
    o->lens_norm = true;
}
static void set_image_positions(cf_study_options *o)
{
    o->lens_image = true;
}
static void set_first(cf_study_options *o)
{
    o->scores = 0;
}
static void set_scores(cf_study_options *o)
{
    o->scores = CF_SCORE_ALL;
}
static void set_generate(cf_study_options *o)
{
    o->generate = true;
}
static void set_nothing(cf_study_options *o)
{
    (void)o;
}

typedef cf_status (*study_call)(cf_study_result *, const cf_study_options *, cf_study_listener, void *, cf_error *);

static const struct {
    study_call make;
    void (*change)(cf_study_options *o);
    const char *key, *value, *say; /* say: NULL for what the job does by itself */
} job_facts[] = {
    {cf_trace, set_nothing, "study", "knockout", NULL},
    {cf_trace, set_nothing, "scores", "first,true", NULL},
    {cf_trace, set_nothing, "generate", "no", NULL},
    {cf_trace, set_first, "scores", "first", "made with scores first,true, now first"},
    {cf_trace, set_scores, "scores", "first,true,whole,difference,rank,greedy", "now first,true,whole,difference"},
    {cf_trace, set_generate, "generate", "yes", "made with generate no, now yes"},
    {cf_lens, set_nothing, "study", "lens", NULL},
    {cf_lens, set_nothing, "flows", "", NULL},
    {cf_lens, set_nothing, "final norm on", "the last entry", NULL},
    {cf_lens, set_nothing, "top tokens", "50", NULL},
    {cf_lens, set_nothing, "positions", "last", NULL},
    {cf_lens, set_norm, "final norm on", "every entry", "made with final norm on the last entry, now every entry"},
    {cf_lens, set_top, "top tokens", "7", "made with top tokens 50, now 7"},
    {cf_lens, set_image_positions, "positions", "image and last", "made with positions last, now image and last"},
};

static void assert_stored(const char *study, const char *key, const char *value)
{
    cf_store *s = NULL;
    cf_str found = {0};
    bool there = false;
    assert_ok(cf_store_open(&s, study, report));
    assert_ok(cf_store_fact(s, key, &found, &there, report));
    assert_true(there);
    assert_string_equal(found.data, value);
    cf_str_deinit(&found);
    cf_store_close(s);
}

static void options_of_a_job_are_part_of_its_studys_identity(void **state)
{
    static const study_call jobs[] = {cf_trace, cf_lens};
    static const char *const flows[] = {"Last->Last", NULL};
    char *plain[2] = {temp_dir_path(*state, "trace.db"), temp_dir_path(*state, "lens.db")},
         *changed = temp_dir_path(*state, "changed.db");
    cf_study_options o = bites_options();
    cf_study_result r;
    temp_dir_write_text(*state, "x_A.csv", QUESTION_HEADER "0,000024,Is it?,no,1,1,99,99\n");
    o.runtime.device = "ref";
    o.questions = *state;
    o.images = PICTURES;
    o.keep = CF_KEEP_WRONG;
    o.max_new_tokens = 1;
    for (int j = 0; j < 2; j++) {
        o.out = plain[j];
        o.flows = flows[j];
        assert_ok(jobs[j](&r, &o, NULL, NULL, report));
    }
    for (size_t i = 0; i < sizeof job_facts / sizeof *job_facts; i++) {
        const int j = job_facts[i].make == cf_lens;
        o.flows = flows[j];
        o.out = plain[j];
        cf_study_options now = o;
        job_facts[i].change(&now);
        if (job_facts[i].say) {
            assert_fails(CF_MISMATCH, job_facts[i].say, job_facts[i].make(&r, &now, NULL, NULL, report));
            now.out = changed;
            assert_ok(job_facts[i].make(&r, &now, NULL, NULL, report));
        }
        assert_stored(now.out, job_facts[i].key, job_facts[i].value);
        if (job_facts[i].say)
            assert_int_equal(remove(changed), 0);
    }
    o.out = plain[1];
    assert_fails(CF_MISMATCH, "made with study lens, now knockout", cf_trace(&r, &o, NULL, NULL, report));
    for (int j = 0; j < 2; j++)
        free(plain[j]);
    free(changed);
}

int test_facts(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fact_is_there_once),
        cmocka_unit_test(a_setting_changes_its_own_fact_and_no_other),
        cmocka_unit_test(flows_are_stored_in_their_canonical_text),
        cmocka_unit_test(facts_without_memory_are_refused_and_nothing_is_lost),
        cmocka_unit_test_setup_teardown(options_of_a_job_are_part_of_its_studys_identity, folder_setup,
                                        folder_teardown),
    };
    return cmocka_run_group_tests_name("facts of a study", tests, open_bites, close_bites);
}
