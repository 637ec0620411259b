/* main.c - finds the subcommand. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/version.h"
#include "cli/commands.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *about;
} commands[] = {
    {"ask", cf_cmd_ask, "one question about one picture: the answer, its probability, the top tokens"},
    {"tokens", cf_cmd_tokens, "how a prompt is laid out: positions, tokens, groups, patches of a box"},
    {"trace", cf_cmd_trace, "the knockout study: question sets x flows x layers, into a study file"},
    {"lens", cf_cmd_lens, "the answer's probability layer by layer"},
    {"map", cf_cmd_map, "a knockout of every patch (or head, or token and patch): maps of one question"},
    {"show", cf_cmd_show, "a study as tables"},
    {"export", cf_cmd_export, "a study as CSV files in the published format"},
    {"flows", cf_cmd_flows, "what --flow can say"},
    {"figure", cf_cmd_figure, "a study as a figure like the paper's"},
    {"report", cf_cmd_report, "studies as one page for the browser"},
    {"info", cf_cmd_info, "what a model is, and what a study of it will take"},
};

static void print_usage(FILE *f)
{
    fprintf(f,
            "crossflow %s: how a multimodal language model moves information from a picture to its answer.\n\n"
            "usage: crossflow COMMAND ...\n\ncommands:\n",
            cf_version());
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        fprintf(f, "  %-8s %s\n", commands[i].name, commands[i].about);
    fprintf(f, "\n`crossflow COMMAND --help` explains each. A first study:\n"
               "  crossflow trace demo/model demo/questions -o study.db --window 3\n"
               "  crossflow show study.db\n");
}

int cf_cli_fail(const cf_error *err, int exit_status)
{
    fprintf(stderr, "crossflow: %s\n", err->text);
    return exit_status;
}

int cf_cli_begin(const cf_command_line *c, int argc, char **argv)
{
    cf_error err = {0};
    bool helped = false;
    if (cf_options_parse(c, argc, argv, &helped, &err) != CF_OK)
        return cf_cli_fail(&err, CF_EXIT_USAGE);
    return helped ? CF_EXIT_DONE : CF_GO_ON;
}

int cf_cli_print(const cf_str *text)
{
    const bool all = text->n == 0 || fwrite(text->data, 1, text->n, stdout) == text->n;
    if (all && fflush(stdout) == 0)
        return CF_EXIT_DONE;
    fprintf(stderr, "crossflow: standard output cannot be written\n");
    return CF_EXIT_FAULT;
}

/* Worker threads that wait for the next product spin, by libgomp's own choice for milliseconds. Where other work shares
 * the cores, that takes them from the threads still computing, and a study can take ten times as long; about a
 * microsecond of spinning costs 5 % on a quiet machine (docs/speed-log.md). libgomp reads its settings when it is
 * loaded, so the program starts itself once more with them. Whoever sets either variable keeps that choice. */
static void start_with_short_spins(char **argv)
{
    if (getenv("OMP_WAIT_POLICY") || getenv("GOMP_SPINCOUNT") || setenv("GOMP_SPINCOUNT", "1000", 1) != 0)
        return;
    (void)execv("/proc/self/exe", argv); /* on failure: slower on a busy machine, not wrong */
}

int main(int argc, char **argv)
{
    start_with_short_spins(argv);
    if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0)) {
        print_usage(stdout);
        return CF_EXIT_DONE;
    }
    if (argc >= 2 && strcmp(argv[1], "--version") == 0) {
        printf("crossflow %s\n", cf_version());
        return CF_EXIT_DONE;
    }
    for (size_t i = 0; argc >= 2 && i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 2, argv + 2);
    if (argc >= 2)
        fprintf(stderr, "crossflow: unknown command \"%s\"\n", argv[1]);
    print_usage(stderr);
    return CF_EXIT_USAGE;
}
