/* cmd_tokens.c - crossflow tokens. */
#include "cli/commands.h"
#include "cli/model_options.h"
#include "study/tokens.h"

/* "x,y,w,h[,x,y,w,h...]": the option's values joined by commas, as objects of the question. */
static cf_status parse_boxes(cf_object *objects, int32_t *n_objects, cf_slice list, cf_error *err)
{
    int64_t number[4 * CF_MAX_OBJECTS];
    size_t n = 0;
    for (size_t begin = 0; list.n && begin <= list.n;) {
        const int64_t comma = cf_slice_find(list, cf_slice_of(","), begin);
        const size_t end = comma < 0 ? list.n : (size_t)comma;
        if (n == 4 * CF_MAX_OBJECTS ||
            !cf_parse_i64(&number[n], cf_slice_trim((cf_slice){list.data + begin, end - begin})))
            return cf_fail(err, CF_USAGE, "--box %s: expected x,y,w,h in pixels, at most %d boxes", list.data,
                           CF_MAX_OBJECTS);
        n++;
        begin = end + 1;
    }
    if (n % 4)
        return cf_fail(err, CF_USAGE, "--box %s: expected four numbers x,y,w,h a box", list.data);
    for (size_t i = 0; i < n; i += 4)
        objects[i / 4] =
            (cf_object){.x = number[i], .y = number[i + 1], .w = number[i + 2], .h = number[i + 3], .has_box = true};
    *n_objects = (int32_t)(n / 4);
    return CF_OK;
}

int cf_cmd_tokens(int argc, char **argv)
{
    cf_runtime_options o = cf_runtime_options_default();
    const char *model = NULL, *image = NULL, *text_of_question = NULL;
    const char *true_option = NULL, *false_option = NULL, *object = NULL;
    int32_t threads = 0;
    cf_str box_list = {0}, group_list = {0};
    const cf_option options[] = {
        {"image", 0, CF_OPT_NEED, &image, "FILE", "JPEG or PNG"},
        {"question", 0, CF_OPT_NEED, &text_of_question, "TEXT", "the question alone; the prompt is put around it"},
        {"box", 0, CF_OPT_LIST, &box_list, "X,Y,W,H", "a box of the object, in pixels of the picture; repeatable"},
        {"true-option", 0, CF_OPT_TEXT, &true_option, "TEXT", "of a question that offers two"},
        {"false-option", 0, CF_OPT_TEXT, &false_option, "TEXT", "the other one"},
        {"object", 0, CF_OPT_TEXT, &object, "NAME", "the object that the question is about"},
        {"group", 0, CF_OPT_LIST, &group_list, "GROUP",
         "also these positions: \"Question - True Option\", \"[-3:]\", ...;\nrepeatable. `crossflow flows` has the "
         "grammar"},
        CF_MODEL_OPTIONS(o, threads),
    };
    const cf_command_line line = {
        .usage = "crossflow tokens MODEL --image FILE --question TEXT [--box X,Y,W,H] [options]",
        .about = "Shows how a prompt is laid out: every position with its token and the groups it is in, and the "
                 "picture's patches as a grid with\n"
                 "those that a box touches. Loads no weights.",
        .operands = &model,
        .min_operands = 1,
        .max_operands = 1,
        .options = options,
        .n_options = sizeof options / sizeof options[0],
    };
    const int begun = cf_cli_begin(&line, argc, argv);
    if (begun != CF_GO_ON) {
        cf_str_deinit(&box_list);
        cf_str_deinit(&group_list);
        return begun;
    }
    cf_error err = {0};
    cf_status st = CF_OK;
    o.model = model;
    int exit_status = CF_EXIT_DONE;
    cf_object objects[CF_MAX_OBJECTS + 1] = {0};
    cf_question question = {.text = cf_slice_of(text_of_question),
                            .true_option = cf_slice_of(true_option),
                            .false_option = cf_slice_of(false_option),
                            .objects = objects};
    cf_runtime runtime = {0};
    cf_str text = {0};
    CF_TRY(parse_boxes(objects, &question.n_objects, cf_str_slice(&box_list), &err));
    if (object)
        objects[question.n_objects++].name = cf_slice_of(object);
    CF_TRY(cf_runtime_open_files(&runtime, &o, &err));
    CF_TRY(cf_tokens_text(&text, &runtime, image, &question, cf_str_slice(&group_list), &err));
    exit_status = cf_cli_print(&text);
done:
    cf_str_deinit(&text);
    cf_str_deinit(&box_list);
    cf_str_deinit(&group_list);
    cf_runtime_close(&runtime);
    return st == CF_OK ? exit_status : cf_cli_fail(&err, CF_EXIT_FAULT);
}
