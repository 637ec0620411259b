/* test_facts.c - what a study says of itself: which facts there are, which of them decide its numbers, and that each
 * follows what it is about. */
#include "study_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "study/trace_facts.h"
#include "support/fail_alloc.h"

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

static cf_trace_options bites_options(void)
{
    cf_trace_options o = cf_trace_options_default();
    o.runtime.model = BITES;
    o.questions = "demo/questions";
    o.out = "study.db";
    return o;
}

static void facts_of(cf_facts *f, const cf_trace_options *o, const char *flow_text)
{
    cf_flows flows = {0};
    assert_ok(cf_flows_parse(&flows, cf_slice_of(flow_text), report));
    assert_ok(cf_facts_of_trace(f, o, &runtime, &list, &flows, PICTURES, report));
    cf_flows_deinit(&flows);
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
    {"prompt", true, "USER: <image>\n{question} \nAnswer the question using a single word or phrase. ASSISTANT:"},
    {"prompt tokens", true, "of the whole"},
    {"image fit", true, "crop"},
    {"image values", true,
     "resize 56, crop 56x56, times 0.0039215686274509803, mean 0.48145465999999998 0.4578275 0.40821073000000002, std "
     "0.26862954 0.26130258000000001 0.27577710999999999"},
    {"flows", true, "Image->Question"},
    {"windows", true, "9"},
    {"layers", true, "0:5"},
    {"keep", true, "correct"},
    {"max new tokens", true, "128"},
    {"device", true, "ref"},
    {"dtype", true, "f32"},
    {"reuse", true, "on"},
    {"crossflow", false, CF_VERSION},
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
    const cf_trace_options o = bites_options();
    facts_of(&f, &o, "Image->Question");
    for (size_t i = 0; i < N_EXPECTED; i++) {
        const cf_fact *x = fact(&f, expected[i].key);
        if (!x || x->identity != expected[i].identity ||
            (expected[i].value && strcmp(x->value, expected[i].value) != 0))
            fail_msg("%s: %s", expected[i].key, x ? x->value : "missing");
    }
    assert_int_equal(f.n, N_EXPECTED);
    assert_int_equal(strlen(fact(&f, "checkpoint")->value), CF_HASH_HEX_BYTES - 1);
    cf_facts_deinit(&f);
    assert_int_equal(f.n, 0);
}

static void set_windows(cf_trace_options *o)
{
    static const int32_t two[] = {1, 15};
    o->windows = two;
    o->n_windows = 2;
}
static void set_layers(cf_trace_options *o)
{
    o->layer_begin = 1;
    o->layer_end = 4;
}
static void set_all_layers(cf_trace_options *o)
{
    o->layer_end = 5;
}
static void set_wrong(cf_trace_options *o)
{
    o->keep = CF_KEEP_WRONG;
}
static void set_all(cf_trace_options *o)
{
    o->keep = CF_KEEP_ALL;
}
static void set_tokens(cf_trace_options *o)
{
    o->max_new_tokens = 1;
}
static void set_no_reuse(cf_trace_options *o)
{
    o->reuse = false;
}
static void set_limit(cf_trace_options *o)
{
    o->limit = 7;
}
static void set_strict(cf_trace_options *o)
{
    o->strict = true;
}
static void set_out(cf_trace_options *o)
{
    o->out = "other.db";
}
static void set_command(cf_trace_options *o)
{
    o->command = "crossflow trace ...";
}

static const struct {
    const char *name;
    void (*change)(cf_trace_options *o);
    const char *key, *value; /* the one fact that follows; NULL: none does */
} changes[] = {
    {"windows", set_windows, "windows", "1,15"},
    {"layers", set_layers, "layers", "1:4"},
    {"all layers by number", set_all_layers, NULL, NULL},
    {"keep wrong", set_wrong, "keep", "wrong"},
    {"keep all", set_all, "keep", "all"},
    {"answer length", set_tokens, "max new tokens", "1"},
    {"reuse", set_no_reuse, "reuse", "off"},
    {"limit", set_limit, NULL, NULL},
    {"strict", set_strict, NULL, NULL},
    {"study file", set_out, NULL, NULL},
    {"command", set_command, "command", "crossflow trace ..."},
};

static void a_setting_changes_its_own_fact_and_no_other(void **state)
{
    (void)state;
    cf_facts before = {0};
    const cf_trace_options plain = bites_options();
    facts_of(&before, &plain, "Image->Question");
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        cf_trace_options o = plain;
        cf_facts after = {0};
        changes[i].change(&o);
        facts_of(&after, &o, "Image->Question");
        assert_int_equal(after.n, before.n);
        for (size_t k = 0; k < after.n; k++) {
            const char *key = after.items[k].key;
            const bool follows = changes[i].key && strcmp(key, changes[i].key) == 0;
            const char *value = follows ? changes[i].value : fact(&before, key)->value;
            if (strcmp(after.items[k].value, value) != 0)
                fail_msg("%s: expected %s %s, found %s", changes[i].name, key, value, after.items[k].value);
        }
        cf_facts_deinit(&after);
    }
    cf_facts_deinit(&before);
}

static void flows_are_stored_in_their_canonical_text(void **state)
{
    (void)state;
    cf_facts f = {0};
    const cf_trace_options o = bites_options();
    facts_of(&f, &o, " image -> LAST ,Last->Last");
    assert_string_equal(fact(&f, "flows")->value, "Image->Last,Last->Last");
    cf_facts_deinit(&f);
}

static void facts_without_memory_are_refused_and_nothing_is_lost(void **state)
{
    (void)state;
    cf_flows flows = {0};
    const cf_trace_options o = bites_options();
    assert_ok(cf_flows_parse(&flows, cf_slice_of("paper"), report));
    for (int64_t n = 1;; n++) {
        cf_facts f = {0};
        cf_error err = {0};
        fail_alloc_at(n);
        const cf_status st = cf_facts_of_trace(&f, &o, &runtime, &list, &flows, PICTURES, &err);
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
    cf_flows_deinit(&flows);
}

int test_facts(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fact_is_there_once),
        cmocka_unit_test(a_setting_changes_its_own_fact_and_no_other),
        cmocka_unit_test(flows_are_stored_in_their_canonical_text),
        cmocka_unit_test(facts_without_memory_are_refused_and_nothing_is_lost),
    };
    return cmocka_run_group_tests_name("facts of a study", tests, open_bites, close_bites);
}
