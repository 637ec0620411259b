/* run_study.c - see run_study.h. */
#include "cli/run_study.h"

#include <stdio.h>

#include "cli/commands.h"
#include "cli/progress.h"

cf_status cf_command_text(cf_str *out, const char *command, int argc, char **argv, cf_error *err)
{
    cf_status st = cf_str_addf(out, err, "crossflow %s", command);
    for (int i = 0; i < argc && st == CF_OK; i++)
        st = cf_str_addf(out, err, " %s", argv[i]);
    return st;
}

void cf_print_summary(const cf_study_result *r, const char *out)
{
    fprintf(stderr,
            "%s: %lld questions traced now, %lld found in the study; %lld left out by --keep, %lld with a fault\n", out,
            (long long)r->traced, (long long)r->resumed, (long long)r->wrong, (long long)r->faults);
    if (r->noted)
        fprintf(stderr, "%lld of them with a note (words found twice or not at all): crossflow show lists them\n",
                (long long)r->noted);
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

int cf_run_study(const cf_study_command *c, cf_study_arguments *a, int argc, char **argv)
{
    const char *operands[2] = {0};
    const cf_command_line line = {
        .usage = c->usage,
        .about = c->about,
        .operands = operands,
        .min_operands = 2,
        .max_operands = 2,
        .options = a->options,
        .n_options = a->n_options,
    };
    const int begun = cf_cli_begin(&line, argc, argv);
    if (begun != CF_GO_ON) {
        cf_study_arguments_deinit(a);
        return begun;
    }
    cf_status st = CF_OK;
    cf_error err = {0};
    cf_str command = {0};
    cf_study_result result = {0};
    cf_progress progress;
    CF_TRY(cf_study_arguments_finish(a, &err));
    CF_TRY(cf_command_text(&command, c->name, argc, argv, &err));
    a->o.runtime.model = operands[0];
    a->o.questions = operands[1];
    a->o.command = command.data;
    cf_progress_init(&progress);
    st = c->run(&result, &a->o, cf_progress_show, &progress, &err);
    cf_progress_end(&progress);
    if (result.total)
        cf_print_summary(&result, a->o.out);
done:
    cf_str_deinit(&command);
    cf_study_arguments_deinit(a);
    return st == CF_OK ? CF_EXIT_DONE : cf_cli_fail(&err, CF_EXIT_FAULT);
}
