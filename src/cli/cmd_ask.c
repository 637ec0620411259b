/* cmd_ask.c - crossflow ask. */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/model_options.h"
#include "study/ask.h"

static cf_status print_answer(cf_str *out, const cf_answer *a, cf_error *err)
{
    cf_status st = CF_OK;
    CF_TRY(cf_str_addf(out, err, "%s\n\n", a->text.data ? a->text.data : ""));
    CF_TRY(cf_str_addf(out, err, "first token, of %d generated after %d positions:\n", a->n_tokens, a->length));
    for (int i = 0; i < CF_ASK_TOP; i++)
        CF_TRY(cf_str_addf(out, err, "  %.6f  %6d  %s\n", a->top_probability[i], a->top_ids[i],
                           a->top_text[i].data ? a->top_text[i].data : ""));
done:
    return st;
}

int cf_cmd_ask(int argc, char **argv)
{
    cf_runtime_options o = cf_runtime_options_default();
    const char *model = NULL, *image = NULL, *question = NULL;
    int32_t threads = 0, max_new_tokens = 128;
    const cf_option options[] = {
        {"image", 0, CF_OPT_NEED, &image, "FILE", "JPEG or PNG"},
        {"question", 0, CF_OPT_NEED, &question, "TEXT", "the question alone; the prompt is put around it"},
        {"max-new-tokens", 0, CF_OPT_INT, &max_new_tokens, "N", "longest answer (default 128)"},
        CF_MODEL_OPTIONS(o, threads),
    };
    const cf_command_line line = {
        .usage = "crossflow ask MODEL --image FILE --question TEXT [options]",
        .about = "Asks the model one question about one picture. Prints the greedy answer, and the five most probable "
                 "first tokens with\n"
                 "their probabilities.",
        .operands = &model,
        .min_operands = 1,
        .max_operands = 1,
        .options = options,
        .n_options = sizeof options / sizeof options[0],
    };
    const int begun = cf_cli_begin(&line, argc, argv);
    if (begun != CF_GO_ON)
        return begun;
    cf_error err = {0};
    o.model = model;
    o.threads = threads;
    cf_status st = CF_OK;
    int exit_status = CF_EXIT_DONE;
    cf_runtime runtime = {0};
    cf_answer answer = {0};
    cf_str text = {0};
    CF_TRY(cf_runtime_open(&runtime, &o, &err));
    CF_TRY(cf_ask(&answer, &runtime, image, cf_slice_of(question), max_new_tokens, &err));
    CF_TRY(print_answer(&text, &answer, &err));
    exit_status = cf_cli_print(&text);
done:
    cf_str_deinit(&text);
    cf_answer_deinit(&answer);
    cf_runtime_close(&runtime);
    return st == CF_OK ? exit_status : cf_cli_fail(&err, CF_EXIT_FAULT);
}
