/* cmd_trace.c - crossflow trace. */
#include "cli/commands.h"
#include "cli/run_study.h"
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
    const cf_study_command command = {
        .name = "trace",
        .usage = "crossflow trace MODEL QUESTIONS -o STUDY.db [options]",
        .about =
            "For every question: the greedy answer and the probability p1 of its first token; then, for every "
            "flow S->D and every layer, the\n"
            "probability p2 of that token when no position of D sees a position of S in a window of layers around "
            "it. `crossflow flows` has what\n"
            "else a run can do. MODEL is a checkpoint folder or org/name in the local hub cache; QUESTIONS a CSV in "
            "the published format, a .jsonl\n"
            "file, GQA's own .json, or a folder of them. Each question is committed whole: stop it at any moment, and "
            "the same command goes on where\n"
            "it was.",
        .run = cf_trace,
    };
    return cf_run_study(&command, &a, argc, argv);
}
