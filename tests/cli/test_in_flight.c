/* test_in_flight.c - how many questions share a walk over the layers changes nothing that is stored: not their values, not
 * their order, not the faults among them. */
#include "cli_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/temp_dir.h"

/* Faults at the beginning, inside and at the end of what is in flight. */
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

static void run(fixture *f, const in_flight_case *c, const char *in_flight)
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
    /* the default where layers are read from the files is more than one */
    args[n++] = in_flight ? "--in-flight" : "--weights-memory";
    args[n++] = in_flight ? in_flight : "1";
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

/* The lines that say how a study was made, the option under test among them, are not what it holds. */
static void drop_command(cf_str *all)
{
    for (char *line = strstr(all->data, "--in-flight"); line; line = strstr(line, "--in-flight"))
        memset(line, ' ', strcspn(line, "\n"));
    for (char *line = strstr(all->data, "--weights-memory"); line; line = strstr(line, "--weights-memory"))
        memset(line, ' ', strcspn(line, "\n"));
}

static void how_many_are_in_flight_changes_nothing(void **state)
{
    static const char *const numbers[] = {"2", "3", "9", NULL};
    fixture *f = *state;
    temp_dir_write_text(f->dir, "small_Test.csv", questions);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        run(f, &cases[i], "1");
        cf_str one = study_of(f);
        drop_command(&one);
        if (!strstr(one.data, cases[i].holds))
            fail_msg("%s: the study has no %s", cases[i].name, cases[i].holds);
        for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++) {
            run(f, &cases[i], numbers[k]);
            cf_str several = study_of(f);
            drop_command(&several);
            if (strcmp(one.data, several.data) != 0)
                fail_msg("%s: another study with %s in flight", cases[i].name,
                         numbers[k] ? numbers[k] : "as many as usual");
            cf_str_deinit(&several);
        }
        cf_str_deinit(&one);
    }
}

int test_in_flight(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(how_many_are_in_flight_changes_nothing, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests_name("in flight", tests, NULL, NULL);
}
