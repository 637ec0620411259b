/* cmd_info.c - crossflow info. */
#include "cli/commands.h"
#include "cli/study_options.h"
#include "study/info.h"

int cf_cmd_info(int argc, char **argv)
{
    cf_study_arguments a;
    cf_study_arguments_init(&a);
    const char *operands[2] = {0};
    bool devices = false;
    cf_study_arguments_add(
        &a, &(cf_option){"devices", 0, CF_OPT_FLAG, &devices, NULL, "instead: what --device can name here"});
    const cf_command_line line = {
        .usage = "crossflow info MODEL [QUESTIONS] [options] | crossflow info --devices",
        .about = "Describes a checkpoint. With questions, also what a study would take with the same options: runs, "
                 "rows, memory, time. With --devices, what it can run on.",
        .operands = operands,
        .min_operands = 0, /* --devices needs no model */
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
    cf_str text = {0};
    int exit_status = CF_EXIT_DONE;
    if (!devices && !operands[0]) {
        cf_study_arguments_deinit(&a);
        (void)cf_fail(&err, CF_USAGE, "usage: %s (--help explains)", line.usage);
        return cf_cli_fail(&err, CF_EXIT_USAGE);
    }
    if (devices) {
        CF_TRY(cf_info_devices(&text, &err));
        exit_status = cf_cli_print(&text);
        goto done;
    }
    CF_TRY(cf_study_arguments_finish(&a, &err));
    a.o.runtime.model = operands[0];
    a.o.questions = operands[1];
    CF_TRY(cf_info_text(&text, &a.o, &err));
    exit_status = cf_cli_print(&text);
done:
    cf_str_deinit(&text);
    cf_study_arguments_deinit(&a);
    return st == CF_OK ? exit_status : cf_cli_fail(&err, CF_EXIT_FAULT);
}
