/* cmd_trace.c - crossflow trace. */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/progress.h"
#include "cli/study_options.h"
#include "study/trace.h"

int cf_cmd_trace(int argc, char **argv)
{
    cf_study_arguments a;
    cf_study_arguments_init(&a);
    const cf_option own[] = {
        {"score", 0, CF_OPT_LIST, &a.scores, "LIST",
         "what is scored: first (always), true (default), whole,\ndifference, rank, greedy, all"},
        {"generate", 0, CF_OPT_FLAG, &a.o.generate, NULL, "also the answer that each run generates; slow"},
        {"reuse", 0, CF_OPT_TEXT, &a.reuse, "on|off", "off: every run from scratch, the way to check the sweep"},
    };
    cf_study_arguments_add_output(&a);
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        cf_study_arguments_add(&a, &own[i]);
    const char *operands[2] = {0};
    const cf_command_line line = {
        .usage = "crossflow trace MODEL QUESTIONS -o STUDY.db [options]",
        .about = "For every question: the greedy answer and the probability p1 of its first token; then, for every "
                 "flow S->D and every layer, the\n"
                 "probability p2 of that token when no position of D sees a position of S in a window of layers around "
                 "it. Other flows, modes and scores: see below.\nMODEL is a checkpoint folder, "
                 "QUESTIONS a CSV in the published format, a .jsonl file, GQA's own .json, or a folder of them. Each "
                 "question is committed whole: stop it at\n"
                 "any moment, and the same command goes on where it was.",
        .operands = operands,
        .min_operands = 2,
        .max_operands = 2,
        .options = a.options,
        .n_options = a.n_options,
    };
    const int begun = cf_cli_begin(&line, argc, argv);
    if (begun != CF_GO_ON) {
        cf_study_arguments_deinit(&a);
        return begun;
    }
    cf_status st = CF_OK;
    cf_error err = {0};
    cf_str command = {0};
    cf_study_result result = {0};
    cf_progress progress;
    CF_TRY(cf_study_arguments_finish(&a, &err));
    CF_TRY(cf_join_command(&command, "trace", argc, argv, &err));
    a.o.runtime.model = operands[0];
    a.o.questions = operands[1];
    a.o.command = command.data;
    cf_progress_init(&progress);
    st = cf_trace(&result, &a.o, cf_progress_show, &progress, &err);
    cf_progress_end(&progress);
    if (result.total)
        cf_study_print_summary(&result, a.o.out);
done:
    cf_str_deinit(&command);
    cf_study_arguments_deinit(&a);
    return st == CF_OK ? CF_EXIT_DONE : cf_cli_fail(&err, CF_EXIT_FAULT);
}
