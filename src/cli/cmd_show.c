/* cmd_show.c - crossflow show. */
#include <inttypes.h>

#include "cli/commands.h"
#include "cli/curve_options.h"
#include "report/table.h"

enum { NOT_GIVEN = -1 };

/* What the table cannot check: words, and options that are nothing on their own. */
static cf_status finish(cf_table_options *o, cf_curve_words *words, int64_t resamples, int64_t seed, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_curve_words_parse(words, &o->measure, &o->drop_empty, err));
    o->style = words->style;
    o->window = words->window;
    if (!o->statistics && (resamples != NOT_GIVEN || seed != NOT_GIVEN)) {
        st = cf_fail(err, CF_USAGE, "--%s needs --statistics", resamples != NOT_GIVEN ? "resamples" : "seed");
        goto done;
    }
    if (resamples != NOT_GIVEN && (resamples < 1 || resamples > CF_MAX_RESAMPLES)) {
        st = cf_fail(err, CF_USAGE, "--resamples %" PRId64 ": expected 1 to %d", resamples, CF_MAX_RESAMPLES);
        goto done;
    }
    if (resamples != NOT_GIVEN)
        o->bootstrap.resamples = resamples;
    if (seed != NOT_GIVEN)
        o->bootstrap.seed = (uint64_t)seed;
done:
    return st;
}

int cf_cmd_show(int argc, char **argv)
{
    cf_table_options o = cf_table_options_default();
    cf_curve_words words = {.window = CF_NO_WINDOW};
    const char *study = NULL;
    int64_t resamples = NOT_GIVEN, seed = NOT_GIVEN;
    const cf_option options[] = {
        {"task", 0, CF_OPT_TEXT, &o.task, "NAME", "only this task"},
        {"window", 0, CF_OPT_INT, &words.window, "K", "only this window size"},
        CF_CURVE_OPTIONS(words),
        {"statistics", 0, CF_OPT_FLAG, &o.statistics, NULL,
         "of every layer: n, mean and its 95 % interval, median,\nWilcoxon signed-rank p, rank-biserial correlation r"},
        {"resamples", 0, CF_OPT_COUNT, &resamples, "N", "with --statistics: of the bootstrap interval (default 2000)"},
        {"seed", 0, CF_OPT_COUNT, &seed, "N", "with --statistics: of the bootstrap interval (default 1)"},
    };
    const cf_command_line line = {
        .usage = "crossflow show STUDY.db [options]",
        .about = "Prints a study: what it was made from, how many questions were kept, left out or faulty and why, "
                 "what is to be known\n"
                 "of them, and for every task, style and window the mean of the measure's change, a row a flow, a "
                 "column a layer; of a\n"
                 "lens study the mean probabilities in %, a row a layer.",
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
    if (finish(&o, &words, resamples, seed, &err) != CF_OK)
        return cf_cli_fail(&err, CF_EXIT_USAGE);
    CF_TRY(cf_store_open(&store, study, &err));
    CF_TRY(cf_table_write(store, &text, &o, &err));
    exit_status = cf_cli_print(&text);
done:
    cf_str_deinit(&text);
    cf_store_close(store);
    return st == CF_OK ? exit_status : cf_cli_fail(&err, CF_EXIT_FAULT);
}
