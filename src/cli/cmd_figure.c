/* cmd_figure.c - crossflow figure. */
#include <stdio.h>

#include "cli/commands.h"
#include "report/figure.h"

int cf_cmd_figure(int argc, char **argv)
{
    const char *study = NULL, *out = NULL, *task = NULL;
    int32_t window = 0;
    const cf_option options[] = {
        {"out", 'o', CF_OPT_NEED, &out, "FILE.pdf|svg|png",
         "the figure; its gnuplot script is kept beside it as FILE.gp"},
        {"task", 0, CF_OPT_TEXT, &task, "NAME", "only this task (default: all together)"},
        {"window", 0, CF_OPT_INT, &window, "K", "this window size (default: the study's smallest)"},
    };
    const cf_command_line line = {
        .usage = "crossflow figure STUDY.db -o FILE.pdf|svg|png [options]",
        .about = "Draws the paper's figure with gnuplot: a line per flow, layers on x, mean change of the answer's "
                 "probability on y, with its 95 % interval.\n"
                 "The script beside it holds the data: restyle it and run gnuplot on it.",
        .operands = &study,
        .min_operands = 1,
        .max_operands = 1,
        .options = options,
        .n_options = sizeof options / sizeof options[0],
    };
    const int begun = cf_cli_begin(&line, argc, argv);
    if (begun != CF_GO_ON)
        return begun;
    cf_error err = {0};
    cf_status st = CF_OK;
    cf_store *store = NULL;
    cf_str script = {0};
    CF_TRY(cf_store_open(&store, study, &err));
    st = cf_figure_write(store, out, task, window, &script, &err);
    if (script.n)
        fprintf(stderr, "%s: script %s\n", out, script.data);
done:
    cf_str_deinit(&script);
    cf_store_close(store);
    return st == CF_OK ? CF_EXIT_DONE : cf_cli_fail(&err, CF_EXIT_FAULT);
}
