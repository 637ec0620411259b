/* test_in_flight.c - how many questions share a walk over the layers changes nothing that is stored: not their values, not
 * their order, not the faults among them. */
#include "cli_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/temp_dir.h"

/* Faults at the beginning, inside and at the end of what is in flight; questions about one picture one after the other, and
 * with another between them. */
static const char questions[] = QUESTION_HEADER "0,nowhere,Is the circle blue?,yes,247,137,82,82\n"
                                                "1,000024,Is the circle blue or orange?,orange,247,137,82,82\n"
                                                "2,000062,Is the moon orange or green?,orange,250,17,83,83\n"
                                                "3,000062,Is the moon orange?,yes,999,17,83,83\n"
                                                "4,000024,Is the circle large?,no,-,-,-,-\n"
                                                "5,000024,Is it?,no,247,137,82,82\n"
                                                "6,000062,,no,250,17,83,83\n";

typedef struct in_flight_case {
    const char *name, *command;
    const char *model, *questions;
    const char *extra[8];
    const char *holds; /* what the study must have, so that this case tests what it says */
} in_flight_case;

static const in_flight_case cases[] = {
    {"every score and an answer in every run",
     "trace",
     BITES,
     NULL,
     {"--flows", "Image->Question,Image->Last", "--score", "all", "--generate", "--max-new-tokens", "3"},
     "\"text\":"},
    {"nothing shared between runs", "trace", BITES, NULL, {"--layers", "1:3", "--reuse", "off"}, "\"measure\":"},
    {"the lens in every run", "lens", BITES, NULL, {"--flow", "Image->Last", "--image-positions"}, "\"position\":"},
    {"right answers only",
     "trace",
     DEMO,
     "demo/questions",
     {"--limit", "2", "--layers", "2:4", "--keep", "correct"},
     "\"measure\":"},
};

/* What decides how many are in flight: it is said, or follows from what layers have in memory. */
typedef struct setting {
    const char *option, *value;
} setting;

static const setting one = {"--in-flight", "1"};

static void run(fixture *f, const in_flight_case *c, const setting *s)
{
    const char *args[40] = {c->command, c->model,   c->questions ? c->questions : f->questions,
                            "-o",       f->study,   "--images",
                            PICTURES,   "--window", "3",
                            "--keep",   "all"};
    size_t n = 0;
    while (args[n])
        n++;
    for (size_t i = 0; i < sizeof c->extra / sizeof *c->extra && c->extra[i]; i++)
        args[n++] = c->extra[i];
    args[n++] = s->option;
    args[n++] = s->value;
    program_run(&f->r, args, NULL);
    assert_done(&f->r, c->name);
}

/* Values, then the samples with their faults, as the program shows them. */
static cf_str study_of(fixture *f)
{
    cf_str all = everything_of(f, f->study);
    RUN(&f->r, "show", f->study);
    assert_done(&f->r, "show");
    assert_ok(cf_str_add(&all, cf_str_slice(&f->r.out), report));
    assert_int_equal(remove(f->study), 0);
    return all;
}

/* The end of the lines that say how a study was made, the option under test, is not what it holds. */
static void drop_option(cf_str *all, const char *option)
{
    for (char *at = strstr(all->data, option); at; at = strstr(at, option)) {
        const char *rest = at + strcspn(at, "\n");
        memmove(at, rest, strlen(rest) + 1);
    }
}

static void drop_options(cf_str *all)
{
    drop_option(all, " --in-flight");
    drop_option(all, " --weights-memory");
}

static void how_many_are_in_flight_changes_nothing(void **state)
{
    static const setting others[] = {{"--in-flight", "2"},
                                     {"--in-flight", "3"},
                                     {"--in-flight", "9"},
                                     {"--weights-memory", "1"}, /* layers are read from the files: more than one */
                                     {NULL, NULL}};             /* a small model: more than one */
    fixture *f = *state;
    temp_dir_write_text(f->dir, "small_Test.csv", questions);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        run(f, &cases[i], &one);
        cf_str alone = study_of(f);
        drop_options(&alone);
        if (!strstr(alone.data, cases[i].holds))
            fail_msg("%s: the study has no %s", cases[i].name, cases[i].holds);
        for (size_t k = 0; k < sizeof others / sizeof *others; k++) {
            run(f, &cases[i], &others[k]);
            cf_str several = study_of(f);
            drop_options(&several);
            if (strcmp(alone.data, several.data) != 0)
                fail_msg("%s: another study with %s %s", cases[i].name,
                         others[k].option ? others[k].option : "no option",
                         others[k].option ? others[k].value : "at all");
            cf_str_deinit(&several);
        }
        cf_str_deinit(&alone);
    }
}

int test_in_flight(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(how_many_are_in_flight_changes_nothing, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests_name("in flight", tests, NULL, NULL);
}
