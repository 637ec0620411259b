/* test_bad_map.c - maps that cannot be: one line, nothing written. Exit status 2 where the words do not go together, 1
 * where a value makes no sense. */
#include "cli_fixture.h"

#include <stdlib.h>
#include <string.h>

#define PICTURE PICTURES "/000024.jpg"
#define ONE "--image", PICTURE, "--question", "Is the circle large?"

static const struct {
    const char *name;
    const char *words[10]; /* after the model */
    int exit_status;
    const char *say;
} cases[] = {
    {"nothing to map", {NULL}, 2, "expected either --image FILE --question TEXT or QUESTIONS, found neither"},
    {"a picture and a set",
     {"questions.csv", ONE},
     2,
     "expected either --image FILE --question TEXT or QUESTIONS, found both"},
    {"a picture alone", {"--image", PICTURE}, 2, "--image needs --question TEXT"},
    {"a question with a set", {"questions.csv", "--question", "why"}, 2, "--question goes with --image"},
    {"a box with a set", {"questions.csv", "--box", "1,2,3,4"}, 2, "--box goes with --image"},
    {"a limit of one question", {ONE, "--limit", "3"}, 2, "--limit goes with QUESTIONS"},
    {"keep of one question", {ONE, "--keep", "all"}, 2, "--keep goes with QUESTIONS"},
    {"two kinds", {ONE, "--heads", "--tokens"}, 2, "--heads does not go with --tokens"},
    {"heads to", {ONE, "--heads", "--to", "Last"}, 2, "--to does not go with --heads"},
    {"heads in squares", {ONE, "--heads", "--tile", "2"}, 2, "--tile does not go with --heads"},
    {"a flow of patches", {ONE, "--flow", "Image->Last"}, 2, "--flow goes with --heads"},
    {"tokens in no layers", {ONE, "--tokens"}, 2, "--tokens needs --layers A:B"},
    {"tokens in a window",
     {ONE, "--tokens", "--layers", "1:3", "--window", "3"},
     2,
     "--window does not go with --tokens"},
    {"an unknown option", {ONE, "--style", "below"}, 2, "unknown option --style"},
    {"no patches", {ONE, "--tile", "0"}, 1, "--tile 0: expected 1 or more patches"},
    {"an unknown group", {ONE, "--to", "Nowhere"}, 1, "group \"Nowhere\", character 1: expected a group"},
    {"tokens of a text",
     {ONE, "--tokens", "--layers", "1:3", "--to", "\"the\""},
     1,
     "--to \"the\": expected the name of one"},
    {"tokens of two groups",
     {ONE, "--tokens", "--layers", "1:3", "--to", "Question+Last"},
     1,
     "expected the name of one group"},
    {"tokens of nothing",
     {ONE, "--tokens", "--layers", "1:3", "--to", "True Option"},
     1,
     "the group has no position in any question"},
    {"tokens beyond the model", {ONE, "--tokens", "--layers", "3:9"}, 1, "layers 3:9: expected a range inside 0:5"},
    {"heads of heads",
     {ONE, "--heads", "--flow", "Image->Last#1"},
     1,
     "--flow Image->Last#1: expected edges that are cut"},
    {"heads at random",
     {ONE, "--heads", "--flow", "random: Image->Last"},
     1,
     "expected edges that are cut, without layers"},
    {"heads of no flow", {ONE, "--heads", "--flow", "Image"}, 1, "flow \"Image\", character 6: expected"},
    {"a window of nothing", {ONE, "--window", "0"}, 1, "--window 0: expected whole numbers, 1 or more"},
    {"layers beyond the model", {ONE, "--layers", "0:6"}, 1, "layers 0:6: expected a range inside 0:5"},
    {"a box of three numbers", {ONE, "--box", "1,2,3"}, 1, "--box 1,2,3: expected x,y,w,h in pixels"},
    {"a box of words", {ONE, "--box", "a,2,3,4"}, 1, "--box a,2,3,4: expected x,y,w,h in pixels"},
    {"a box of five numbers", {ONE, "--box", "1,2,3,4,5"}, 1, "--box 1,2,3,4,5: expected x,y,w,h in pixels"},
    {"a box beside the picture", {ONE, "--box", "900,900,3,4"}, 1, "does not meet the picture of 336 x 336"},
    {"no such picture", {"--image", "nowhere.png", "--question", "why"}, 1, "nowhere.png: cannot open"},
    {"no such folder", {"--image", "no/where.png", "--question", "why"}, 1, "no: expected a folder of pictures"},
    {"no question", {"--image", PICTURE, "--question", ""}, 1, "question"},
};

static void a_map_without_sense_is_one_line_and_writes_nothing(void **state)
{
    fixture *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *args[16] = {"map", BITES, "-o", f->study};
        memcpy(args + 4, cases[i].words, sizeof cases[i].words);
        program_run(&f->r, args, NULL);
        assert_refused(&f->r, cases[i].name, cases[i].exit_status, cases[i].say);
        assert_no_study(f->study, cases[i].name);
    }
    RUN(&f->r, "map", BITES, ONE);
    assert_refused(&f->r, "no study", 2, "--out STUDY.db is needed");
}

/* A study of another map is not continued, nor one that is none. */
static void a_map_of_other_things_is_not_continued(void **state)
{
    static const struct {
        const char *option, *value, *say;
    } others[] = {
        {"--to", "Last", "made with map to Question, now Last"},
        {"--tile", "2", "made with map tile 1, now 2"},
        {"--window", "1", "made with windows 3, now 1"},
        {"--layers", "1:3", "made with layers 0:5, now 1:3"},
        {"--score", "rank", "made with scores first,difference, now first,rank"},
    };
    fixture *f = *state;
    RUN(&f->r, "map", BITES, "-o", f->study, ONE, "--window", "3", "--max-new-tokens", "2");
    assert_done(&f->r, "a map");
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        const char *args[24] = {"map",          BITES, "-o", f->study, ONE, "--max-new-tokens", "2", others[i].option,
                                others[i].value};
        size_t n = 12;
        if (strcmp(others[i].option, "--window") != 0) {
            args[n++] = "--window";
            args[n++] = "3";
        }
        program_run(&f->r, args, NULL);
        assert_int_equal(f->r.exit_status, 1);
        if (!strstr(f->r.err.data, others[i].say))
            fail_msg("%s: expected %s, found %s", others[i].option, others[i].say, f->r.err.data);
    }
}

int test_bad_map(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_map_without_sense_is_one_line_and_writes_nothing, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(a_map_of_other_things_is_not_continued, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests_name("maps that cannot be", tests, NULL, NULL);
}
