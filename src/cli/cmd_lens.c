/* cmd_lens.c - crossflow lens. */
#include "cli/commands.h"
#include "cli/run_study.h"
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
    const cf_study_command command = {
        .name = "lens",
        .usage = "crossflow lens MODEL QUESTIONS -o STUDY.db [options]",
        .about =
            "For every question and every layer: the hidden state of the last position, read by the output embedding. "
            "Stored are the probabilities\n"
            "of the answer's first token, in lower case and capitalised, and of the false option's where there is one, "
            "and the most probable tokens.\n"
            "With --flow, the same in every knocked-out run. A lens study is a file of its own; stopped, the same "
            "command goes on where it was.",
        .run = cf_lens,
    };
    return cf_run_study(&command, &a, argc, argv);
}
