/* cmd_show.c - crossflow show. */
#include <string.h>

#include "cli/commands.h"
#include "report/table.h"

int cf_cmd_show(int argc, char **argv)
{
    cf_table_options o = cf_table_options_default();
    const char *study = NULL, *empty = "keep";
    int64_t seed = CF_BOOTSTRAP_SEED;
    const cf_option options[] = {
        {"task", 0, CF_OPT_TEXT, &o.task, "NAME", "only this task"},
        {"window", 0, CF_OPT_INT, &o.window, "K", "only this window size"},
        {"statistics", 0, CF_OPT_FLAG, &o.statistics, NULL,
         "of every layer: n, mean and its 95 % interval, median,\nWilcoxon signed-rank p, rank-biserial correlation r"},
        {"resamples", 0, CF_OPT_COUNT, &o.bootstrap.resamples, "N", "of the bootstrap interval (default 2000)"},
        {"seed", 0, CF_OPT_COUNT, &seed, "N", "of the bootstrap interval (default 1)"},
        {"empty", 0, CF_OPT_TEXT, &empty, "keep|drop", "drop: leave samples whose group is empty out of the means"},
    };
    const cf_command_line line = {
        .usage = "crossflow show STUDY.db [options]",
        .about = "Prints a study: what it was made from, how many questions were kept, left out or faulty and why, and "
                 "for every task and window the\n"
                 "mean change of the answer's probability in %, a row a flow, a column a layer.",
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
    int exit_status = CF_EXIT_DONE;
    cf_store *store = NULL;
    cf_str text = {0};
    o.bootstrap.seed = (uint64_t)seed;
    o.drop_empty = strcmp(empty, "drop") == 0;
    if (!o.drop_empty && strcmp(empty, "keep") != 0) {
        st = cf_fail(&err, CF_USAGE, "--empty %s: expected keep or drop", empty);
        goto done;
    }
    CF_TRY(cf_store_open(&store, study, &err));
    CF_TRY(cf_table_write(store, &text, &o, &err));
    exit_status = cf_cli_print(&text);
done:
    cf_str_deinit(&text);
    cf_store_close(store);
    return st == CF_OK ? exit_status : cf_cli_fail(&err, CF_EXIT_FAULT);
}
