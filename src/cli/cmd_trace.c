/* cmd_trace.c - crossflow trace. */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/progress.h"
#include "cli/study_options.h"

/* What was done, and what was saved by not doing it the plain way. */
static void print_summary(const cf_trace_result *r, const char *out)
{
    fprintf(stderr,
            "%s: %lld questions traced now, %lld found in the study; %lld left out by --keep, %lld with a fault\n", out,
            (long long)r->traced, (long long)r->resumed, (long long)r->wrong, (long long)r->faults);
    fprintf(stderr, "%s\n", r->notes);
    if (r->runs)
        fprintf(stderr,
                "work: %.0f row-layers computed for %lld knocked-out runs in %.1f s; one pass per run takes %.0f, %.1f "
                "times as many\n",
                r->row_layers, (long long)r->runs, r->seconds, r->row_layers_plain,
                r->row_layers_plain / r->row_layers);
    if (r->row_invariant)
        fprintf(stderr, "products are row-invariant here: results are bit-identical to recomputing every run\n");
    else if (r->reuse_checked)
        fprintf(stderr,
                "products are not row-invariant here: largest difference to recomputing, over %lld runs of the first "
                "question: %.2g in probability\n",
                (long long)r->reuse_checked, r->reuse_error);
}

static cf_status join_command(cf_str *out, int argc, char **argv, cf_error *err)
{
    cf_status st = cf_str_add_text(out, "crossflow trace", err);
    for (int i = 0; i < argc && st == CF_OK; i++)
        st = cf_str_addf(out, err, " %s", argv[i]);
    return st;
}

int cf_cmd_trace(int argc, char **argv)
{
    cf_study_arguments a;
    cf_study_arguments_init(&a);
    const cf_option own[] = {
        {"out", 'o', CF_OPT_NEED, &a.o.out, "STUDY.db", "the study file; an existing study is continued"},
        {"keep", 0, CF_OPT_TEXT, &a.keep, "correct|wrong|all", "which answers are traced (default correct)"},
        {"reuse", 0, CF_OPT_TEXT, &a.reuse, "on|off", "off: every run from scratch, the way to check the sweep"},
        {"strict", 0, CF_OPT_FLAG, &a.o.strict, NULL, "exit with 1 if any question had a fault"},
    };
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        cf_study_arguments_add(&a, &own[i]);
    const char *operands[2] = {0};
    const cf_command_line line = {
        .usage = "crossflow trace MODEL QUESTIONS -o STUDY.db [options]",
        .about = "For every question: the greedy answer and the probability p1 of its first token; then, for every "
                 "flow S->D and every layer, the\n"
                 "probability p2 of that token when no position of D sees a position of S in a window of layers around "
                 "it. MODEL is a checkpoint folder,\n"
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
    cf_trace_result result = {0};
    cf_progress progress;
    CF_TRY(cf_study_arguments_finish(&a, &err));
    CF_TRY(join_command(&command, argc, argv, &err));
    a.o.runtime.model = operands[0];
    a.o.questions = operands[1];
    a.o.command = command.data;
    cf_progress_init(&progress);
    st = cf_trace(&result, &a.o, cf_progress_show, &progress, &err);
    cf_progress_end(&progress);
    if (result.total)
        print_summary(&result, a.o.out);
done:
    cf_str_deinit(&command);
    cf_study_arguments_deinit(&a);
    return st == CF_OK ? CF_EXIT_DONE : cf_cli_fail(&err, CF_EXIT_FAULT);
}
