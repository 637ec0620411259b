/* cmd_export.c - crossflow export. */
#include <stdio.h>

#include "cli/commands.h"
#include "store/export.h"

int cf_cmd_export(int argc, char **argv)
{
    const char *study = NULL, *csv = NULL, *statistics = NULL, *values = NULL, *jsonl = NULL;
    const cf_option options[] = {
        {"csv", 0, CF_OPT_TEXT, &csv, "DIR", "folder for the CSV files, made if missing"},
        {"values", 0, CF_OPT_TEXT, &values, "FILE.csv", "every value of every run and measure, as one long table"},
        {"jsonl", 0, CF_OPT_TEXT, &jsonl, "FILE.jsonl", "everything, a line a question"},
        {"statistics", 0, CF_OPT_TEXT, &statistics, "FILE.csv", "the statistics of every task, flow, window and layer"},
    };
    const cf_command_line line = {
        .usage =
            "crossflow export STUDY.db [--csv DIR] [--values FILE.csv] [--jsonl FILE.jsonl] [--statistics FILE.csv]",
        .about = "--csv writes one CSV per task, flow and window with the columns of the published scripts, so that\n"
                 "plotting scripts written for those read them:\n"
                 "question_id, image, goden answer, predicted answer, question, block_desc, layer, base_score_first, "
                 "new_score_first, relative diff first.\n"
                 "and of a lens study one CSV per task with theirs; of a map one table, map.csv, a row a patch (or "
                 "head, or token) and layer. --values and --jsonl have everything else too.\n"
                 "--statistics writes what `crossflow show --statistics` prints as one CSV.",
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
    if (!csv && !statistics && !values && !jsonl) {
        (void)cf_fail(&err, CF_USAGE, "export needs one of --csv, --values, --jsonl, --statistics; usage: %s",
                      line.usage);
        return cf_cli_fail(&err, CF_EXIT_USAGE);
    }
    cf_status st = CF_OK;
    cf_store *store = NULL;
    int64_t n_files = 0;
    CF_TRY(cf_store_open(&store, study, &err));
    if (csv) {
        CF_TRY(cf_export_csv(store, csv, &n_files, &err));
        fprintf(stderr, "%s: %lld CSV files\n", csv, (long long)n_files);
    }
    if (values)
        CF_TRY(cf_export_values(store, values, &err));
    if (jsonl)
        CF_TRY(cf_export_jsonl(store, jsonl, &err));
    if (statistics) {
        const cf_statistics_options o = cf_statistics_options_default();
        CF_TRY(cf_export_statistics(store, statistics, &o, &err));
    }
done:
    cf_store_close(store);
    return st == CF_OK ? CF_EXIT_DONE : cf_cli_fail(&err, CF_EXIT_FAULT);
}
