/* cmd_figure.c - crossflow figure. */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/curve_options.h"
#include "report/figure.h"
#include "report/figure_file.h"
#include "report/paper_figures.h"

typedef struct arguments {
    const char *study, *out, *format;
    cf_figure_options o;
    cf_curve_words words;
    cf_str flows;
    bool paper;
} arguments;

static cf_status finish(arguments *a, cf_figure_format *format, cf_error *err)
{
    cf_status st = CF_OK;
    size_t stem = 0;
    CF_TRY(cf_curve_words_parse(&a->words, &a->o.measure, &a->o.drop_empty, err));
    a->o.style = a->words.style;
    a->o.window = a->words.window;
    a->o.flows = a->flows.data;
    if (a->paper) {
        const char *other = a->o.task ? "task" : a->o.style ? "style" : a->o.flows ? "flow" : NULL;
        if (other)
            st = cf_fail(err, CF_USAGE, "--paper draws figures of its own: it does not go with --%s", other);
        else if (a->format && !cf_figure_format_find(format, a->format))
            st = cf_fail(err, CF_USAGE, "--format %s: expected pdf, svg or png", a->format);
        goto done;
    }
    if (a->format)
        st = cf_fail(err, CF_USAGE, "--format needs --paper: the ending of -o FILE says the format of one figure");
    else
        st = cf_figure_format_of(format, &stem, a->out, err);
done:
    return st;
}

static cf_status draw_paper(cf_store *store, const arguments *a, cf_figure_format format, cf_error *err)
{
    const cf_paper_options o = {format, a->o.window, a->o.measure, a->o.drop_empty};
    cf_str written = {0}, missing = {0};
    const cf_status st = cf_paper_figures_write(store, a->out, &o, &written, &missing, err);
    if (written.n)
        fprintf(stderr, "%s", written.data);
    if (missing.n)
        fprintf(stderr, "%s", missing.data);
    cf_str_deinit(&missing);
    cf_str_deinit(&written);
    return st;
}

static cf_status draw_one(cf_store *store, const arguments *a, cf_error *err)
{
    cf_str script = {0};
    const cf_status st = cf_figure_write(store, a->out, &a->o, &script, err);
    if (script.n)
        fprintf(stderr, "%s: script %s\n", a->out, script.data);
    cf_str_deinit(&script);
    return st;
}

int cf_cmd_figure(int argc, char **argv)
{
    arguments a = {.words.window = CF_NO_WINDOW};
    const cf_option options[] = {
        {"out", 'o', CF_OPT_NEED, &a.out, "FILE.pdf|svg|png",
         "the figure; its gnuplot script is kept beside it as FILE.gp;\nwith --paper a folder, made if missing"},
        {"task", 0, CF_OPT_TEXT, &a.o.task, "NAME", "only this task (default: all together)"},
        {"flow", 0, CF_OPT_LIST, &a.flows, "FLOW", "only this flow; repeatable"},
        {"window", 0, CF_OPT_INT, &a.words.window, "K", "this window size (default: the study's smallest)"},
        CF_CURVE_OPTIONS(a.words),
        {"paper", 0, CF_OPT_FLAG, &a.paper, NULL,
         "every figure of the paper by name: to_last, to_question,\nobject_to_question and lens, each task by itself "
         "and all\ntasks as panels (default window: 9, else the smallest)"},
        {"format", 0, CF_OPT_TEXT, &a.format, "pdf|svg|png", "with --paper (default pdf)"},
    };
    const cf_command_line line = {
        .usage = "crossflow figure STUDY.db -o FILE.pdf|svg|png [options], or --paper -o DIR",
        .about = "Draws the curves of one task, style and window with gnuplot: a line per flow, layers on x, the mean "
                 "of the measure's\n"
                 "change on y, with its 95 % interval; of a lens study the lens. The script beside it holds the data: "
                 "restyle it and run\n"
                 "gnuplot on it.",
        .operands = &a.study,
        .min_operands = 1,
        .max_operands = 1,
        .options = options,
        .n_options = sizeof options / sizeof options[0],
    };
    const int begun = cf_cli_begin(&line, argc, argv);
    if (begun != CF_GO_ON) {
        cf_str_deinit(&a.flows);
        return begun;
    }
    cf_error err = {0};
    cf_status st = CF_OK;
    cf_figure_format format = CF_FIGURE_PDF;
    cf_store *store = NULL;
    int exit_status = CF_EXIT_USAGE;
    CF_TRY(finish(&a, &format, &err));
    exit_status = CF_EXIT_FAULT;
    CF_TRY(cf_store_open(&store, a.study, &err));
    CF_TRY(a.paper ? draw_paper(store, &a, format, &err) : draw_one(store, &a, &err));
done:
    cf_store_close(store);
    cf_str_deinit(&a.flows);
    return st == CF_OK ? CF_EXIT_DONE : cf_cli_fail(&err, exit_status);
}
