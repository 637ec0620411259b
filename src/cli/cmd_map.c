/* cmd_map.c - crossflow map. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/commands.h"
#include "cli/model_options.h"
#include "cli/progress.h"
#include "cli/run_study.h"
#include "study/map_study.h"
#include "study/single_question.h"

typedef struct arguments {
    cf_study_arguments study;
    cf_map_options map;
    bool heads, tokens, cost;
    const char *model, *questions; /* operands */
    const char *image, *box, *keep;
    int32_t tile;
    cf_single_question single;
    cf_str text;  /* of the single question */
    char *folder; /* of its picture */
} arguments;

static cf_status refuse(const char *option, const char *why, cf_error *err)
{
    return cf_fail(err, CF_USAGE, "--%s %s; crossflow map --help explains", option, why);
}

/* What goes with what: a picture and its question, or a question set. */
static cf_status check_questions(const arguments *a, cf_error *err)
{
    const cf_single_question *q = &a->single;
    const struct {
        const char *name;
        bool given, of_set;
    } options[] = {{"question", q->text, false},           {"answer", q->answer, false},
                   {"true-option", q->true_option, false}, {"false-option", q->false_option, false},
                   {"object", q->object, false},           {"box", a->box, false},
                   {"images", a->study.o.images, true},    {"scene-graphs", a->study.o.scene_graphs, true},
                   {"limit", a->study.o.limit > 0, true},  {"keep", a->keep, true}};
    if (!a->image == !a->questions)
        return cf_fail(err, CF_USAGE,
                       "expected either --image FILE --question TEXT or QUESTIONS, found %s; crossflow map --help "
                       "explains",
                       a->image ? "both" : "neither");
    if (a->image && !q->text)
        return refuse("image", "needs --question TEXT", err);
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (options[i].given && options[i].of_set != !a->image)
            return refuse(options[i].name, a->image ? "goes with QUESTIONS" : "goes with --image", err);
    return CF_OK;
}

/* What goes with which kind of map. */
static cf_status check_kind(const arguments *a, cf_error *err)
{
    if (a->heads && a->tokens)
        return refuse("heads", "does not go with --tokens: a map is of one kind", err);
    if (a->heads && (a->map.to || a->tile != 1))
        return refuse(a->map.to ? "to" : "tile", "does not go with --heads", err);
    if (!a->heads && a->map.flow)
        return refuse("flow", "goes with --heads", err);
    if (a->tokens && !a->study.layers)
        return refuse("tokens", "needs --layers A:B, the layers that are cut", err);
    if (a->tokens && a->study.windows)
        return refuse("window", "does not go with --tokens, which cuts in --layers A:B", err);
    if (!a->cost && !a->study.o.out)
        return refuse("out", "STUDY.db is needed", err);
    return CF_OK;
}

static cf_status parse_box(cf_single_question *q, const char *text, cf_error *err)
{
    int64_t *const numbers[] = {&q->x, &q->y, &q->w, &q->h};
    const cf_slice list = cf_slice_of(text);
    size_t begin = 0;
    for (int i = 0; i < 4; i++) {
        const int64_t comma = begin <= list.n ? cf_slice_find(list, cf_slice_of(","), begin) : -1;
        const size_t end = comma < 0 ? list.n : (size_t)comma;
        if ((comma < 0) != (i == 3) ||
            !cf_parse_i64(numbers[i], cf_slice_trim((cf_slice){list.data + begin, end - begin})))
            return cf_fail(err, CF_USAGE, "--box %s: expected x,y,w,h in pixels", text);
        begin = end + 1;
    }
    q->has_box = true;
    return CF_OK;
}

/* The picture's folder and name, and the question as a set. */
static cf_status take_single(arguments *a, cf_error *err)
{
    const char *slash = strrchr(a->image, '/');
    cf_study_options *o = &a->study.o;
    cf_status st = CF_OK;
    if (a->box)
        CF_TRY(parse_box(&a->single, a->box, err));
    a->single.image = slash ? slash + 1 : a->image;
    CF_TRY(cf_path_dir(&a->folder, a->image, err));
    CF_TRY(cf_single_question_print(&a->text, &a->single, err));
    o->images = a->folder;
    o->questions = "question.csv"; /* its name: the task is "question" */
    o->question_text = a->text.data;
    a->study.keep = "all";
done:
    return st;
}

/* What is wrong in a value, not in the way the command is put together. */
static cf_status finish(arguments *a, cf_error *err)
{
    cf_study_options *o = &a->study.o;
    cf_status st = CF_OK;
    a->map.kind = a->heads ? CF_MAP_HEADS : a->tokens ? CF_MAP_TOKENS : CF_MAP_PATCHES;
    if (!a->map.to && !a->heads)
        a->map.to = "Question";
    if (!a->map.flow && a->heads)
        a->map.flow = "Image->Question";
    a->map.tile = a->tile;
    o->map = &a->map;
    o->scores = CF_SCORE_DIFFERENCE; /* where there are two options: a probability near 1 hides what is lost */
    o->runtime.model = a->model;
    o->questions = a->questions;
    if (a->keep)
        a->study.keep = a->keep;
    if (a->image)
        CF_TRY(take_single(a, err));
    CF_TRY(cf_study_arguments_finish(&a->study, err));
done:
    return st;
}

static cf_status run_map(arguments *a, int argc, char **argv, cf_error *err)
{
    cf_status st = CF_OK;
    cf_str command = {0}, cost = {0};
    cf_study_result result = {0};
    cf_progress progress;
    CF_TRY(cf_map_cost(&cost, &a->study.o, err));
    if (a->cost) {
        if (cf_cli_print(&cost) != CF_EXIT_DONE)
            st = cf_fail(err, CF_IO, "the cost cannot be printed");
        goto done;
    }
    fprintf(stderr, "%s", cost.data);
    CF_TRY(cf_command_text(&command, "map", argc, argv, err));
    a->study.o.command = command.data;
    cf_progress_init(&progress);
    st = cf_map_run(&result, &a->study.o, cf_progress_show, &progress, err);
    cf_progress_end(&progress);
    if (result.total)
        cf_print_summary(&result, a->study.o.out);
done:
    cf_str_deinit(&command);
    cf_str_deinit(&cost);
    return st;
}

static void add_options(arguments *a)
{
    cf_study_options *o = &a->study.o;
    const cf_option rows[] = {
        {"image", 0, CF_OPT_TEXT, &a->image, "FILE", "JPEG or PNG"},
        {"question", 0, CF_OPT_TEXT, &a->single.text, "TEXT", "the question alone; the prompt is put around it"},
        {"out", 'o', CF_OPT_TEXT, &o->out, "STUDY.db", "the study file; an existing study is continued"},
        {"to", 0, CF_OPT_TEXT, &a->map.to, "GROUP",
         "what no longer sees the patch: Question (default), Last, ...;\n`crossflow flows` has the grammar"},
        {"tile", 0, CF_OPT_INT, &a->tile, "N", "squares of N x N patches in place of single ones"},
        {"heads", 0, CF_OPT_FLAG, &a->heads, NULL, "a map of heads x layers: --flow cut in one head at a time"},
        {"flow", 0, CF_OPT_TEXT, &a->map.flow, "FLOW", "of --heads (default Image->Question)"},
        {"tokens", 0, CF_OPT_FLAG, &a->tokens, NULL,
         "a map of tokens x patches: each token of --to by itself, cut\nin --layers A:B"},
        {"window", 0, CF_OPT_TEXT, &a->study.windows, "K[,K...]", "layers cut together around each centre (default 9)"},
        {"layers", 0, CF_OPT_TEXT, &a->study.layers, "A:B", "centres A to B-1 (default: every layer)"},
        {"cost", 0, CF_OPT_FLAG, &a->cost, NULL, "only print what it will take"},
        {"score", 0, CF_OPT_LIST, &a->study.scores, "LIST",
         "what is scored: first (always), difference (default, where the\nquestion has options), true, whole, rank, "
         "greedy, all"},
        {"answer", 0, CF_OPT_TEXT, &a->single.answer, "TEXT", "with --image: what is true, for --score true"},
        {"true-option", 0, CF_OPT_TEXT, &a->single.true_option, "TEXT", "with --image: of a question that offers two"},
        {"false-option", 0, CF_OPT_TEXT, &a->single.false_option, "TEXT", "the other one"},
        {"object", 0, CF_OPT_TEXT, &a->single.object, "NAME", "with --image: the object that it is about"},
        {"box", 0, CF_OPT_TEXT, &a->box, "X,Y,W,H", "with --image: its box, in pixels of the picture"},
        {"images", 0, CF_OPT_TEXT, &o->images, "DIR", "of QUESTIONS (default: images/ beside them)"},
        {"scene-graphs", 0, CF_OPT_TEXT, &o->scene_graphs, "FILE", "of GQA's own QUESTIONS"},
        {"limit", 0, CF_OPT_COUNT, &o->limit, "N", "the first N of QUESTIONS"},
        {"keep", 0, CF_OPT_TEXT, &a->keep, "correct|wrong|all",
         "which of QUESTIONS, by their answers (default correct)"},
        {"strict", 0, CF_OPT_FLAG, &o->strict, NULL, "exit with 1 if any question had a fault"},
        {"reuse", 0, CF_OPT_TEXT, &a->study.reuse, "on|off", "off: every run from scratch, the way to check the sweep"},
        {"max-new-tokens", 0, CF_OPT_INT, &o->max_new_tokens, "N", "longest answer (default 128)"},
        {"paper", 0, CF_OPT_FLAG, &a->study.paper, NULL, "the published prompt and picture fit for this model"},
        CF_MODEL_OPTIONS(o->runtime, a->study.threads),
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cf_study_arguments_add(&a->study, &rows[i]);
}

static void arguments_deinit(arguments *a)
{
    cf_study_arguments_deinit(&a->study);
    cf_str_deinit(&a->text);
    free(a->folder);
}

int cf_cmd_map(int argc, char **argv)
{
    arguments a = {.tile = 1};
    const char *operands[2] = {0};
    cf_study_arguments_begin(&a.study);
    add_options(&a);
    const cf_command_line line = {
        .usage = "crossflow map MODEL --image FILE --question TEXT -o STUDY.db [options], or MODEL QUESTIONS",
        .about = "For every patch of the picture and every layer: the probability of the answer when no position of "
                 "the question sees that patch in\n"
                 "a window of layers around it. Says what it will take before it begins. The map is a study: "
                 "`crossflow show` prints its strongest\n"
                 "patches, `crossflow export --csv` writes it as a table. Stop it at any moment: the same command goes "
                 "on where it was.",
        .operands = operands,
        .min_operands = 1,
        .max_operands = 2,
        .options = a.study.options,
        .n_options = a.study.n_options,
    };
    const int begun = cf_cli_begin(&line, argc, argv);
    cf_status st = CF_OK;
    cf_error err = {0};
    int exit_status = begun;
    if (begun != CF_GO_ON)
        goto done;
    a.model = operands[0];
    a.questions = operands[1];
    exit_status = CF_EXIT_USAGE;
    CF_TRY(check_questions(&a, &err));
    CF_TRY(check_kind(&a, &err));
    exit_status = CF_EXIT_FAULT;
    CF_TRY(finish(&a, &err));
    CF_TRY(run_map(&a, argc, argv, &err));
    exit_status = CF_EXIT_DONE;
done:
    arguments_deinit(&a);
    return st == CF_OK ? exit_status : cf_cli_fail(&err, exit_status);
}
