/* test_trace.c - the study as one call: what the listener hears and what the result counts. The program's own tests
 * (tests/cli) have the rest. */
#include "study_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "study/trace.h"
#include "support/temp_dir.h"

typedef struct heard {
    int64_t n, done, resumed, total;
    char task[32]; /* of the last question */
} heard;

static void listen(void *user, const cf_study_progress *p)
{
    heard *h = user;
    assert_int_equal(p->done, h->n); /* once before the first question, once after each */
    assert_true(p->resumed >= h->resumed && p->resumed <= p->done);
    h->n++;
    h->done = p->done;
    h->resumed = p->resumed;
    h->total = p->total;
    (void)strncpy(h->task, p->task, sizeof h->task - 1);
}

/* Two sets about two pictures, one row of them faulty; answered on plain loops, wrongly. */
static cf_study_options study_in(const char *dir, char **out)
{
    static const int32_t three = 3;
    cf_study_options o = cf_study_options_default();
    temp_dir_write_text(dir, "x_A.csv",
                        QUESTION_HEADER "0,000024,Is it?,no,1,1,99,99\n1,nowhere,Is it?,no,1,1,99,99\n");
    temp_dir_write_text(dir, "x_B.csv", QUESTION_HEADER "0,000062,Is it?,no,1,1,99,99\n");
    *out = temp_dir_path(dir, "study.db");
    o.runtime.model = BITES;
    o.runtime.device = "ref";
    o.questions = dir;
    o.images = PICTURES;
    o.out = *out;
    o.windows = &three;
    o.keep = CF_KEEP_ALL;
    o.max_new_tokens = 1;
    return o;
}

static void a_study_counts_what_it_did(void **state)
{
    char *out = NULL;
    cf_study_options o = study_in(*state, &out);
    heard h = {0};
    cf_study_result r = {0};
    assert_ok(cf_trace(&r, &o, listen, &h, report));
    assert_int_equal(h.n, 1 + 3);
    assert_int_equal(h.done, 3);
    assert_int_equal(h.total, 3);
    assert_int_equal(h.resumed, 0);
    assert_string_equal(h.task, "A"); /* the picture that is nowhere comes last */
    assert_int_equal(r.total, 3);
    assert_int_equal(r.traced, 2);
    assert_int_equal(r.faults, 1);
    assert_int_equal(r.wrong, 0);
    assert_int_equal(r.runs, 2 * 6 * 5);
    assert_true(r.row_invariant);
    assert_true(r.row_layers > 0 && r.row_layers < r.row_layers_plain);
    assert_int_equal(r.reuse_checked, 0);
    assert_non_null(strstr(r.notes, " threads"));
    h = (heard){0};
    assert_ok(cf_trace(&r, &o, listen, &h, report));
    assert_int_equal(h.n, 1 + 3);
    assert_int_equal(h.resumed, 3);
    assert_int_equal(r.resumed, 3);
    assert_int_equal(r.traced + r.runs, 0);
    assert_int_equal(r.faults, 1);
    assert_ok(cf_trace(&r, &o, NULL, NULL, report)); /* nobody listens */
    free(out);
}

static void a_wrong_answer_that_is_left_out_is_counted_and_not_traced(void **state)
{
    char *out = NULL;
    cf_study_options o = study_in(*state, &out);
    cf_study_result r = {0};
    o.keep = CF_KEEP_CORRECT;
    assert_ok(cf_trace(&r, &o, NULL, NULL, report));
    assert_int_equal(r.traced + r.runs, 0);
    assert_int_equal(r.wrong, 2);
    assert_int_equal(r.faults, 1);
    free(out);
}

/* The result is filled where a study ends with a fault of its questions: the user is told what was done. */
static void a_strict_study_with_a_fault_fails_with_its_result(void **state)
{
    char *out = NULL;
    cf_study_options o = study_in(*state, &out);
    cf_study_result r = {0};
    o.strict = true;
    assert_fails(CF_MISMATCH, "/study.db: 1 questions had a fault (--strict", cf_trace(&r, &o, NULL, NULL, report));
    assert_int_equal(r.traced, 2);
    free(out);
}

static void a_study_that_cannot_begin_leaves_its_result_alone(void **state)
{
    static const struct {
        const char *flows;
        int32_t layer_end, max_new_tokens;
        const char *say;
    } cases[] = {
        {"Image->Elsewhere", 0, 1, "flow \"Image->Elsewhere\", character 8: expected a group"},
        {NULL, 6, 1, "layers 0:6: expected a range inside 0:5"},
        {NULL, 0, 0, "--max-new-tokens 0: expected 1 or more"},
        {NULL, 0, 256, "--max-new-tokens 256: expected 1 or more, and fewer than the model's 256 positions"},
    };
    char *out = NULL;
    cf_study_options o = study_in(*state, &out);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        heard h = {0};
        cf_study_result r = {.total = -1};
        o.flows = cases[i].flows;
        o.layer_end = cases[i].layer_end;
        o.max_new_tokens = cases[i].max_new_tokens;
        assert_fails(CF_USAGE, cases[i].say, cf_trace(&r, &o, listen, &h, report));
        assert_int_equal(r.total, -1);
        assert_int_equal(h.n, 0);
    }
    free(out);
}

int test_trace(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_study_counts_what_it_did, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(a_wrong_answer_that_is_left_out_is_counted_and_not_traced, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(a_strict_study_with_a_fault_fails_with_its_result, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(a_study_that_cannot_begin_leaves_its_result_alone, folder_setup,
                                        folder_teardown),
    };
    return cmocka_run_group_tests_name("a study", tests, NULL, NULL);
}
