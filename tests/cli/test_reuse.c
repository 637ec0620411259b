/* test_reuse.c - sharing what runs have in common changes no number where the program says so, and saves the work it
 * claims to save. bench: bench/reuse.sh has the seconds. */
#include "cli_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

#define MODES                                                                                                          \
    "Image->Question & Question->Last#0+2,Question->Last@1:3,keep: Image->Question & Question->Last,"                  \
    "random: Image Central Object->Last,zero attention: Question,zero mlp: [-3:],\"the\"->Last"

static const char invariant[] = "products are row-invariant here: results are bit-identical to recomputing every run\n";

/* "work: N row-layers computed for R knocked-out runs in S s; one pass per run takes P, X times as many" */
typedef struct work {
    double computed, seconds, plain, ratio;
    long long runs;
} work;

static work work_of(const program_result *r)
{
    work w = {0};
    const char *line = strstr(r->err.data, "work: ");
    if (!line || sscanf(line,
                        "work: %lf row-layers computed for %lld knocked-out runs in %lf s; one pass per run takes %lf, "
                        "%lf times as many",
                        &w.computed, &w.runs, &w.seconds, &w.plain, &w.ratio) != 5)
        fail_msg("no work line in: %s", r->err.data);
    return w;
}

static void write_demo_questions(const fixture *f)
{
    cf_str text = {0};
    static const char *const sets[] = {"ChooseAttr", "ChooseRel"};
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        char from[80], name[40];
        (void)snprintf(from, sizeof from, "demo/questions/shapes_%s.csv", sets[i]);
        (void)snprintf(name, sizeof name, "sets_%s.csv", sets[i]);
        char *to = fixture_path(f, name);
        text = content_of(from);
        assert_ok(cf_file_write(to, cf_str_slice(&text), report));
        cf_str_deinit(&text);
        free(to);
    }
}

/* The first question of two sets, six flows, every layer, with and without reuse. */
static void reuse_changes_no_number_of_the_demo_and_saves_ten_times_the_work(void **state)
{
    fixture *f = *state;
    char *off = fixture_path(f, "off.db");
    assert_int_equal(remove(f->questions), 0);
    write_demo_questions(f);
    trace_call call = {.model = DEMO, .questions = f->dir, .extra = {"--limit", "1", "--keep", "correct"}};
    fixture_trace(f, &call);
    assert_done(&f->r, "reuse on");
    const work on_work = work_of(&f->r);
    const bool exact = strstr(f->r.err.data, invariant) != NULL;
    call.study = off;
    call.extra[4] = "--reuse";
    call.extra[5] = "off";
    fixture_trace(f, &call);
    assert_done(&f->r, "reuse off");
    const work off_work = work_of(&f->r);
    assert_int_equal(on_work.runs, 2 * 6 * 12);
    assert_int_equal(off_work.runs, on_work.runs);
    assert_true(on_work.plain == off_work.plain);
    assert_true(on_work.plain / on_work.computed > 10 && on_work.ratio > 10);
    const double off_ratio = off_work.plain / off_work.computed;
    if (off_ratio < 0.95 || off_ratio > 1.05)
        fail_msg("--reuse off computed %.0f row-layers where one pass per run takes %.0f", off_work.computed,
                 off_work.plain);
    if (exact) {
        cf_str with = export_of(f, f->study), without = export_of(f, off);
        assert_string_equal(with.data, without.data);
        cf_str_deinit(&with);
        cf_str_deinit(&without);
    }
    free(off);
    if (!exact)
        skip(); /* this processor's products are not row-invariant */
}

/* A model in which every cut bites, odd windows, a box that is cropped away, a part of the layers. */
static void reuse_changes_no_number_of_a_model_in_which_every_cut_bites(void **state)
{
    static const struct {
        const char *name;
        const char *extra[6];
        const char *holds; /* what the study must have, so that this case tests what it says; may be NULL */
    } cases[] = {
        {"six flows", {"--window", "1,2,9"}, NULL},
        {"some layers", {"--layers", "1:4", "--image-fit", "pad"}, NULL},
        {"layers read anew in every walk", {"--weights-memory", "1"}, NULL},
        {"into the picture", {"--flow", "Image->Image Central Object", "--flow", "Last->Image"}, NULL},
        {"the published prompt", {"--prompt", "vicuna_v1", "--max-new-tokens", "1"}, NULL},
        {"every mode and every score", {"--flows", MODES, "--score", "all", "--repeats", "2"}, "\"measure\":\"whole\""},
        {"every style and a generated answer",
         {"--flows", "Image->Last,random: Question->Last", "--style", "centre,below,above,outside", "--generate"},
         "\"text\":"},
    };
    fixture *f = *state;
    char *off = fixture_path(f, "off.db");
    bool exact = true;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        trace_call call = {0};
        memcpy(call.extra, cases[i].extra, sizeof cases[i].extra);
        fixture_trace(f, &call);
        assert_done(&f->r, cases[i].name);
        exact = exact && strstr(f->r.err.data, invariant);
        call.study = off;
        call.extra[6] = "--reuse";
        call.extra[7] = "off";
        for (size_t k = 0; k < 6; k++) /* an empty place would end the arguments */
            if (!call.extra[k])
                call.extra[k] = "--strict";
        fixture_trace(f, &call);
        assert_done(&f->r, cases[i].name);
        cf_str with = export_of(f, f->study), without = export_of(f, off);
        if (exact && !cf_slice_equal(cf_str_slice(&with), cf_str_slice(&without)))
            fail_msg("%s: the tables differ", cases[i].name);
        cf_str_deinit(&with);
        cf_str_deinit(&without);
        with = everything_of(f, f->study);
        without = everything_of(f, off);
        if (exact && !cf_slice_equal(cf_str_slice(&with), cf_str_slice(&without)))
            fail_msg("%s: the values differ", cases[i].name);
        if (cases[i].holds && !strstr(with.data, cases[i].holds))
            fail_msg("%s: the study has no %s", cases[i].name, cases[i].holds);
        cf_str_deinit(&with);
        cf_str_deinit(&without);
        assert_int_equal(remove(f->study), 0);
        assert_int_equal(remove(off), 0);
    }
    free(off);
    if (!exact)
        skip();
}

/* Capped to a lesser instruction set, oneDNN's products of another row count may differ in the last bits: then the
 * program measures by how much, and says so. */
static void where_products_are_not_row_invariant_the_difference_is_measured(void **state)
{
    fixture *f = *state;
    fixture_trace(f, &(trace_call){.setting = {.name = "DNNL_MAX_CPU_ISA", .value = "AVX2"}});
    assert_done(&f->r, "AVX2");
    if (strstr(f->r.err.data, invariant))
        skip();
    const char *line =
        strstr(f->r.err.data, "products are not row-invariant here: largest difference to recomputing, ");
    long long n = 0;
    double difference = -1;
    if (!line || sscanf(line, "%*[^,], over %lld runs of the first question: %lf in probability", &n, &difference) != 2)
        fail_msg("no measured difference in: %s", f->r.err.data);
    assert_true(n > 0);
    assert_true(difference >= 0 && difference < 1e-5);
}

int test_reuse(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reuse_changes_no_number_of_the_demo_and_saves_ten_times_the_work, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(reuse_changes_no_number_of_a_model_in_which_every_cut_bites, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(where_products_are_not_row_invariant_the_difference_is_measured, fixture_setup,
                                        fixture_teardown),
    };
    return cmocka_run_group_tests_name("reuse", tests, NULL, NULL);
}
