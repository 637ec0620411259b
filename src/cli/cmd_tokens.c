/* cmd_tokens.c - crossflow tokens. */
#include "cli/commands.h"
#include "cli/model_options.h"
#include "study/tokens.h"

enum { MAX_BOXES = 16 };

/* "x,y,w,h[,x,y,w,h...]": the option's values joined by commas. */
static cf_status parse_boxes(cf_box *boxes, int64_t *n_boxes, cf_slice list, cf_error *err)
{
    int64_t number[4 * MAX_BOXES];
    size_t n = 0;
    for (size_t begin = 0; list.n && begin <= list.n;) {
        const int64_t comma = cf_slice_find(list, cf_slice_of(","), begin);
        const size_t end = comma < 0 ? list.n : (size_t)comma;
        if (n == 4 * MAX_BOXES || !cf_parse_i64(&number[n], cf_slice_trim((cf_slice){list.data + begin, end - begin})))
            return cf_fail(err, CF_USAGE, "--box %s: expected x,y,w,h in pixels, at most %d boxes", list.data,
                           MAX_BOXES);
        n++;
        begin = end + 1;
    }
    if (n % 4)
        return cf_fail(err, CF_USAGE, "--box %s: expected four numbers x,y,w,h a box", list.data);
    for (size_t i = 0; i < n; i += 4)
        boxes[i / 4] = (cf_box){number[i], number[i + 1], number[i + 2], number[i + 3]};
    *n_boxes = (int64_t)(n / 4);
    return CF_OK;
}

int cf_cmd_tokens(int argc, char **argv)
{
    cf_runtime_options o = cf_runtime_options_default();
    const char *model = NULL, *image = NULL, *question = NULL;
    int32_t threads = 0;
    cf_str box_list = {0};
    const cf_option options[] = {
        {"image", 0, CF_OPT_NEED, &image, "FILE", "JPEG or PNG"},
        {"question", 0, CF_OPT_NEED, &question, "TEXT", "the question alone; the prompt is put around it"},
        {"box", 0, CF_OPT_LIST, &box_list, "X,Y,W,H", "a box of the object, in pixels of the picture; repeatable"},
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
        return begun;
    }
    cf_error err = {0};
    cf_status st = CF_OK;
    o.model = model;
    int exit_status = CF_EXIT_DONE;
    cf_box boxes[MAX_BOXES];
    int64_t n_boxes = 0;
    cf_runtime runtime = {0};
    cf_str text = {0};
    CF_TRY(parse_boxes(boxes, &n_boxes, cf_str_slice(&box_list), &err));
    CF_TRY(cf_runtime_open_files(&runtime, &o, &err));
    CF_TRY(cf_tokens_text(&text, &runtime, image, cf_slice_of(question), boxes, n_boxes, &err));
    exit_status = cf_cli_print(&text);
done:
    cf_str_deinit(&text);
    cf_str_deinit(&box_list);
    cf_runtime_close(&runtime);
    return st == CF_OK ? exit_status : cf_cli_fail(&err, CF_EXIT_FAULT);
}
