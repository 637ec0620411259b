/* cmd_lens.c - crossflow lens. */
#include "cli/commands.h"
#include "cli/progress.h"
#include "cli/study_options.h"
#include "study/lens_study.h"

int cf_cmd_lens(int argc, char **argv)
{
    cf_study_arguments a;
    cf_study_arguments_init(&a);
    const cf_option own[] = {
        {"top", 0, CF_OPT_INT, &a.o.top, "N",
         "tokens kept of each layer at the last position (default 50);\nof other positions and of runs at most 5"},
        {"norm", 0, CF_OPT_TEXT, &a.norm, "last|all",
         "the final norm before the last entry only, as published (default),\nor before every entry"},
        {"image-positions", 0, CF_OPT_FLAG, &a.o.lens_image, NULL, "also the lens of every position of the picture"},
    };
    cf_study_arguments_add_output(&a);
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        cf_study_arguments_add(&a, &own[i]);
    const char *operands[2] = {0};
    const cf_command_line line = {
        .usage = "crossflow lens MODEL QUESTIONS -o STUDY.db [options]",
        .about =
            "For every question and every layer: the hidden state of the last position, read by the output embedding. "
            "Stored are the probabilities\n"
            "of the answer's first token, in lower case and capitalised, and of the false option's where there is one, "
            "and the most probable tokens.\n"
            "With --flow, the same in every knocked-out run. A lens study is a file of its own; stopped, the same "
            "command goes on where it was.",
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
    CF_TRY(cf_join_command(&command, "lens", argc, argv, &err));
    a.o.runtime.model = operands[0];
    a.o.questions = operands[1];
    a.o.command = command.data;
    cf_progress_init(&progress);
    st = cf_lens(&result, &a.o, cf_progress_show, &progress, &err);
    cf_progress_end(&progress);
    if (result.total)
        cf_study_print_summary(&result, a.o.out);
done:
    cf_str_deinit(&command);
    cf_study_arguments_deinit(&a);
    return st == CF_OK ? CF_EXIT_DONE : cf_cli_fail(&err, CF_EXIT_FAULT);
}
