/* test_usage.c - wrong usage, and the help that says what right usage is. */
#include "cli_fixture.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define ONE_IMAGE PICTURES "/000024.jpg"

static const struct {
    const char *name;
    const char *args[10];
    const char *say;
} wrong[] = {
    {"unknown option", {"ask", DEMO, "--imaeg", "x"}, "unknown option --imaeg; usage: crossflow ask MODEL"},
    {"unknown letter", {"trace", DEMO, "q.csv", "-x", "y"}, "unknown option -x"},
    {"an option's beginning", {"trace", DEMO, "q.csv", "--lim", "3"}, "unknown option --lim"},
    {"an option of another command", {"export", "s.db", "--window", "3"}, "unknown option --window"},
    {"missing value", {"trace", DEMO, "q.csv", "-o"}, "--out needs a value: STUDY.db"},
    {"missing value of a long option", {"tokens", DEMO, "--question"}, "--question needs a value: TEXT"},
    {"a flag with a value", {"trace", DEMO, "q.csv", "--strict=yes"}, "--strict takes no value"},
    {"no operand", {"ask"}, "usage: crossflow ask MODEL"},
    {"an operand too few", {"trace", DEMO, "-o", "s.db"}, "usage: crossflow trace MODEL QUESTIONS"},
    {"an operand too many", {"info", DEMO, "q.csv", "another"}, "unexpected \"another\""},
    {"an operand after --", {"export", "s.db", "--", "--csv"}, "unexpected \"--csv\""},
    {"no study to write", {"trace", DEMO, "q.csv"}, "--out STUDY.db is needed"},
    {"nothing to export to",
     {"export", "s.db"},
     "export needs one of --csv, --values, --jsonl, --statistics; usage: crossflow export"},
    {"no picture", {"ask", DEMO, "--question", "Is it?"}, "is needed"},
    {"no question", {"tokens", DEMO, "--image", ONE_IMAGE}, "is needed"},
    {"no study to draw", {"figure"}, "usage: crossflow figure STUDY.db"},
    {"no figure to draw", {"figure", "s.db"}, "is needed"},
    {"no study to report", {"report", "-o", "p.html"}, "usage: crossflow report STUDY.db..."},
    {"no page to write", {"report", "s.db"}, "--out FILE.html is needed"},
    {"a page of another kind", {"report", "s.db", "-o", "p.pdf"}, "p.pdf: expected a page's name that ends in .html"},
    {"a negative number of samples", {"report", "s.db", "-o", "p.html", "--samples", "-1"}, "--samples -1: expected a"},
    {"no study to show", {"show"}, "usage: crossflow show STUDY.db"},
    {"a seed of nothing", {"show", "s.db", "--seed", "1"}, "--seed needs --statistics"},
    {"resamples of nothing", {"show", "s.db", "--resamples", "9"}, "--resamples needs --statistics"},
    {"no resample", {"show", "s.db", "--statistics", "--resamples", "0"}, "--resamples 0: expected 1 to 1000000"},
    {"no such measure", {"show", "s.db", "--measure", "top"}, "--measure top: expected probability, true, whole, "},
    {"no such style", {"show", "s.db", "--style", "center"}, "--style center: expected centre, below, above, outside "},
    {"neither keep nor drop",
     {"figure", "s.db", "-o", "f.svg", "--empty", "yes"},
     "--empty yes: expected keep or drop"},
    {"no window", {"figure", "s.db", "-o", "f.svg", "--window", "0"}, "--window 0: expected 1 or more"},
    {"no such figure", {"figure", "s.db", "-o", "f.gif"}, "f.gif: expected a figure's name that ends in .pdf, "},
    {"a format of one figure", {"figure", "s.db", "-o", "f.svg", "--format", "png"}, "--format needs --paper: "},
    {"no such format",
     {"figure", "s.db", "--paper", "-o", "d", "--format", "gif"},
     "--format gif: expected pdf, svg or"},
    {"a task of the paper's", {"figure", "s.db", "--paper", "-o", "d", "--task", "A"}, "does not go with --task"},
    {"a flow of the paper's", {"figure", "s.db", "--paper", "-o", "d", "--flow", "A->B"}, "does not go with --flow"},
    {"a style of the paper's",
     {"figure", "s.db", "--paper", "-o", "d", "--style", "below"},
     "does not go with --style"},
    {"a word for a number", {"ask", DEMO, "--threads", "two"}, "--threads two: expected a whole number"},
    {"a fraction", {"ask", DEMO, "--max-new-tokens", "1.5"}, "--max-new-tokens 1.5: expected a whole number"},
    {"a number that does not fit", {"ask", DEMO, "--threads", "4294967297"}, "expected a whole number"},
    {"a lens without a study to write", {"lens", DEMO, "q.csv"}, "--out STUDY.db is needed"},
    {"a lens without questions", {"lens", DEMO, "-o", "s.db"}, "usage: crossflow lens MODEL QUESTIONS"},
    {"scores of a lens", {"lens", DEMO, "q.csv", "--score", "all"}, "unknown option --score"},
    {"answers of a lens", {"lens", DEMO, "q.csv", "--generate"}, "unknown option --generate"},
    {"the norm of a trace", {"trace", DEMO, "q.csv", "--norm", "all"}, "unknown option --norm"},
    {"generate with a value", {"trace", DEMO, "q.csv", "--generate=yes"}, "--generate takes no value"},
    {"image positions with a value", {"lens", DEMO, "q.csv", "--image-positions=1"}, "takes no value"},
    {"a word for repeats", {"trace", DEMO, "q.csv", "--repeats", "two"}, "--repeats two: expected a whole number"},
    {"a negative seed", {"trace", DEMO, "q.csv", "--seed", "-1"}, "--seed -1: expected a whole number, 0 or more"},
    {"a word for a count of tokens", {"lens", DEMO, "q.csv", "--top", "all"}, "--top all: expected a whole number"},
    {"missing value of a style", {"info", DEMO, "q.csv", "--style"}, "--style needs a value: LIST"},
    {"missing value of a group", {"tokens", DEMO, "--group"}, "--group needs a value: GROUP"},
    {"missing file of values", {"export", "s.db", "--values"}, "--values needs a value: FILE.csv"},
    {"missing file of lines", {"export", "s.db", "--jsonl"}, "--jsonl needs a value: FILE.jsonl"},
    {"an operand of flows", {"flows", "Image->Last"}, "unexpected \"Image->Last\"; usage: crossflow flows"},
    {"a flow that is none", {"flows", "--flow", "Image->"}, "flow \"Image->\", character 8: expected a group"},
    {"no number", {"trace", DEMO, "q.csv", "--limit="}, "--limit : expected a whole number, 0 or more"},
    {"a negative count", {"trace", DEMO, "q.csv", "--limit", "-1"}, "--limit -1: expected a whole number, 0 or more"},
};

static void wrong_usage_is_one_line_and_exit_status_2(void **state)
{
    fixture *f = *state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        program_run(&f->r, wrong[i].args, NULL);
        assert_refused(&f->r, wrong[i].name, 2, wrong[i].say);
    }
}

static void an_unknown_or_missing_command_lists_the_commands(void **state)
{
    fixture *f = *state;
    RUN(&f->r, "explain", DEMO);
    assert_int_equal(f->r.exit_status, 2);
    assert_non_null(strstr(f->r.err.data, "crossflow: unknown command \"explain\"\n"));
    assert_non_null(strstr(f->r.err.data, "usage: crossflow COMMAND"));
    assert_int_equal(f->r.out.n, 0);
    program_run(&f->r, (const char *const[]){NULL}, NULL);
    assert_int_equal(f->r.exit_status, 2);
    assert_non_null(strstr(f->r.err.data, "usage: crossflow COMMAND"));
    assert_int_equal(f->r.out.n, 0);
}

#define OF_MODEL "--prompt", "--image-fit", "--dtype", "--device", "--vision-tower", "--weights-memory", "--threads"
#define OF_STUDY                                                                                                       \
    "--images", "--scene-graphs", "--flow", "--flows", "--window", "--style", "--layers", "--repeats", "--seed",       \
        "--limit", "--max-new-tokens", "--paper", "--in-flight", OF_MODEL
#define OF_OUTPUT "--out", "--keep", "--strict"

static const struct {
    const char *name;
    const char *options[40];
} commands[] = {
    {"ask", {"--image", "--question", "--max-new-tokens", OF_MODEL}},
    {"tokens", {"--image", "--question", "--box", "--true-option", "--false-option", "--object", "--group", OF_MODEL}},
    {"trace", {OF_STUDY, OF_OUTPUT, "--score", "--generate", "--reuse"}},
    {"lens", {OF_STUDY, OF_OUTPUT, "--top", "--norm", "--image-positions"}},
    {"map",
     {"--image",  "--question",     "--answer", "--true-option", "--false-option",   "--object", "--box",   "--to",
      "--tile",   "--heads",        "--flow",   "--tokens",      "--window",         "--layers", "--cost",  "--score",
      "--images", "--scene-graphs", "--limit",  "--reuse",       "--max-new-tokens", "--paper",  OF_OUTPUT, OF_MODEL}},
    {"show", {"--task", "--window", "--style", "--measure", "--empty", "--statistics", "--resamples", "--seed"}},
    {"export", {"--csv", "--values", "--jsonl", "--statistics"}},
    {"flows", {"--flow"}},
    {"figure", {"--out", "--task", "--flow", "--window", "--style", "--measure", "--empty", "--paper", "--format"}},
    {"report", {"--out", "--samples", "--sample", "--seed", "--images"}},
    {"info", {OF_STUDY, "--devices"}},
};
enum { N_COMMANDS = sizeof commands / sizeof *commands };

/* The n-th word of the options that a help text lists: two blanks, perhaps "-x, ", then "--name". */
static bool listed_option(char out[40], const char *help, size_t n)
{
    const char *line = strstr(help, "\noptions:\n");
    assert_non_null(line);
    for (line = strchr(line + 1, '\n'); line; line = strchr(line + 1, '\n')) {
        const char *word = line + 3;
        if (strncmp(line, "\n  -", 4) != 0)
            continue;
        if (word[1] != '-')
            word += 4;
        if (n-- == 0) {
            size_t k = 0;
            while (k < 39 && (word[k] == '-' || isalpha((unsigned char)word[k]))) {
                out[k] = word[k];
                k++;
            }
            out[k] = '\0';
            return true;
        }
    }
    return false;
}

static void help_of_every_command_lists_its_options(void **state)
{
    fixture *f = *state;
    for (size_t i = 0; i < N_COMMANDS; i++) {
        const char *name = commands[i].name;
        char expected[64], word[40];
        (void)snprintf(expected, sizeof expected, "usage: crossflow %s ", name);
        RUN(&f->r, name, "--help");
        assert_done(&f->r, name);
        assert_int_equal(f->r.err.n, 0);
        assert_ptr_equal(strstr(f->r.out.data, expected), f->r.out.data);
        size_t n = 0;
        for (; listed_option(word, f->r.out.data, n); n++) {
            bool known = strcmp(word, "--help") == 0;
            for (size_t k = 0; commands[i].options[k]; k++)
                known = known || strcmp(word, commands[i].options[k]) == 0;
            if (!known)
                fail_msg("%s: help lists %s, this test does not", name, word);
        }
        for (size_t k = 0; commands[i].options[k]; k++, n--) {
            char option[48];
            (void)snprintf(option, sizeof option, "%s", commands[i].options[k]);
            if (!strstr(f->r.out.data, option))
                fail_msg("%s: help does not list %s", name, option);
        }
        assert_int_equal(n, 1); /* --help */
    }
}

/* The other way round: what help lists is an option, and says so when its value is missing. */
static void every_listed_option_is_taken(void **state)
{
    fixture *f = *state;
    for (size_t i = 0; i < N_COMMANDS; i++)
        for (size_t k = 0; commands[i].options[k]; k++) {
            const char *args[] = {commands[i].name, commands[i].options[k], NULL};
            program_run(&f->r, args, NULL);
            if (strcmp(args[1], "--devices") == 0) { /* needs nothing else */
                assert_done(&f->r, "--devices");
                continue;
            }
            assert_int_equal(f->r.exit_status, 2);
            if (strstr(f->r.err.data, "unknown option"))
                fail_msg("%s %s: %s", commands[i].name, commands[i].options[k], f->r.err.data);
        }
}

static void help_and_version_go_to_standard_output(void **state)
{
    fixture *f = *state;
    static const char *const words[] = {"--help", "-h", "help"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        RUN(&f->r, words[i]);
        assert_done(&f->r, words[i]);
        for (size_t k = 0; k < N_COMMANDS; k++) {
            char line[32];
            (void)snprintf(line, sizeof line, "\n  %-8s ", commands[k].name);
            if (!strstr(f->r.out.data, line))
                fail_msg("%s does not list %s", words[i], commands[k].name);
        }
    }
    RUN(&f->r, "--version");
    assert_done(&f->r, "--version");
    assert_ptr_equal(strstr(f->r.out.data, "crossflow " CF_VERSION), f->r.out.data); /* then the commit */
}

int test_usage(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_usage_is_one_line_and_exit_status_2),
        cmocka_unit_test(an_unknown_or_missing_command_lists_the_commands),
        cmocka_unit_test(help_of_every_command_lists_its_options),
        cmocka_unit_test(every_listed_option_is_taken),
        cmocka_unit_test(help_and_version_go_to_standard_output),
    };
    return cmocka_run_group_tests_name("usage", tests, fixture_setup, fixture_teardown);
}
